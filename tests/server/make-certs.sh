#!/bin/sh
# Makes the certificates that tests need, in a folder: make-certs.sh OUTDIR
# Says nothing when all is well; does nothing when they are there already.
set -eu
umask 077

if [ $# -ne 1 ]; then
    echo "usage: make-certs.sh OUTDIR" >&2
    exit 2
fi

version=4 # raise it when what is made below changes
mkdir -p "$1"
out=$(cd "$1" && pwd)

# Tests run side by side: one makes the certificates, the others wait for it.
exec 9>"$out/.lock"
flock 9
if [ "$(cat "$out/.made" 2>/dev/null)" = "$version" ] &&
    openssl x509 -checkend 86400 -noout -in "$out/good.pem" >/dev/null 2>&1; then
    exit 0
fi
rm -f "$out/.made"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
cd "$work"
mkdir issued
: >index.txt
echo 01 >serial
echo 01 >crlnumber

cat >ca.cnf <<'CONFIG'
[ca]
default_ca = test_ca
[test_ca]
database = index.txt
serial = serial
crlnumber = crlnumber
new_certs_dir = issued
default_md = sha256
policy = any_policy
unique_subject = no
email_in_dn = no
[any_policy]
commonName = supplied
[req]
distinguished_name = name
prompt = no
[name]
CN = unused
[root]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[intermediate]
basicConstraints = critical, CA:TRUE, pathlen:0
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[localhost]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
subjectKeyIdentifier = hash
subjectAltName = DNS:localhost, IP:127.0.0.1, IP:::1
[nameless]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
subjectKeyIdentifier = hash
[otherhost]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
subjectKeyIdentifier = hash
subjectAltName = DNS:other.invalid
[client]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = clientAuth
subjectKeyIdentifier = hash
CONFIG

# openssl reports its progress on standard error: shown only when it fails.
quietly() {
    if ! "$@" >messages 2>&1; then
        cat messages >&2
        return 1
    fi
}

# Of a year behind us until one behind 2040: a test may be in 2040 when the server that it runs is not.
from=20200101000000Z
until=20491231235959Z

request() { # NAME COMMON-NAME [ALGORITHM]
    # shellcheck disable=SC2086 # two words
    quietly openssl genpkey -algorithm ${3:-EC -pkeyopt ec_paramgen_curve:P-256} -out "$1.key"
    quietly openssl req -new -config ca.cnf -key "$1.key" -subj "/CN=$2" -out "$1.csr"
}

self_signed() { # NAME SECTION COMMON-NAME [ALGORITHM]
    request "$1" "$3" "${4:-}"
    quietly openssl ca -batch -notext -config ca.cnf -selfsign -keyfile "$1.key" -md sha256 -extensions "$2" \
        -startdate "$from" -enddate "$until" -in "$1.csr" -out "$1.pem"
}

signed() { # NAME SECTION COMMON-NAME [ISSUER [FROM TO]]
    issuer=${4:-ca}
    request "$1" "$3"
    quietly openssl ca -batch -notext -config ca.cnf -cert "$issuer.pem" -keyfile "$issuer.key" \
        -md "$digest" \
        -extensions "$2" -startdate "${5:-$from}" -enddate "${6:-$until}" \
        -in "$1.csr" -out "$1.pem"
}

digest=sha256
self_signed ca root "pop3-testserver CA"
self_signed other-ca root "pop3-testserver CA that nobody trusts"
self_signed selfsigned localhost localhost
signed good localhost localhost
signed expired localhost localhost ca 20200101000000Z 20200201000000Z
signed notyet localhost localhost ca 20480101000000Z 20490101000000Z
signed commonname nameless localhost
signed wronghost otherhost other.invalid
signed client client "test client"
signed intermediate intermediate "pop3-testserver intermediate CA"
signed leaf localhost localhost intermediate
signed revoked localhost localhost
digest=sha384
signed sha384 localhost localhost
digest=sha256
self_signed ed25519 localhost localhost ED25519

cat leaf.pem intermediate.pem >chain.pem
cp leaf.key chain.key
quietly openssl pkey -in client.key -aes256 -passout pass:phrase -out client-enc.key
quietly openssl ca -batch -config ca.cnf -cert ca.pem -keyfile ca.key -revoke revoked.pem
quietly openssl ca -batch -config ca.cnf -cert ca.pem -keyfile ca.key -gencrl \
    -crl_lastupdate "$from" -crl_nextupdate "$until" -out crl.pem

for file in *.pem *.key; do
    mv -f "$file" "$out/$file"
done
echo "$version" >"$out/.made"
