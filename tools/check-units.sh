#!/bin/sh
# Checks the system units with a real systemd, booted in a container of systemd-nspawn on a system with the package pop3:
# the demo mailbox is retrieved from a private Dovecot, once, under all restrictions.
#     check-units.sh [ROOT]       the system's root directory, / by default; it is not changed
# Needs root, systemd-container, libpam-systemd, dbus-user-session and dovecot-pop3d.
set -eu
root=${1:-/}
cd "$(dirname "$0")/.."

if [ -z "${POP3_TEST_TLS_PORT:-}" ]; then
    exec tests/interop/dovecot.py run --mail examples/mail -- "$0" "$root"
fi

work=$(mktemp -d)
container=''
trap 'test -z "$container" || kill -KILL "$container" 2>/dev/null; umount "$work/root"; rm -rf --one-file-system "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
mkdir -p "$work/root" "$work/out" "$work/units" "$work/etc/demo" "$work/etc/slow"
mount --bind "$root" "$work/root"

# What the administrator writes. Only root can read it.
cat >"$work/etc/demo/config" <<EOF
[demo]
url = pop3s://$POP3_TEST_USER@$POP3_TEST_HOST:$POP3_TEST_TLS_PORT
ca-file = \$CREDENTIALS_DIRECTORY/pop3_ca
password-file = \$CREDENTIALS_DIRECTORY/pop3_password
maildir = ~/Maildir
EOF
echo "$POP3_TEST_PASSWORD" >"$work/etc/demo/password"
cp "$POP3_TEST_CA_FILE" "$work/etc/demo/ca"
cp "$work/etc/demo"/* "$work/etc/slow"
sed -i 's/^maildir.*/command = cat >>$HOME\/got; [ -e $HOME\/hurry ] || sleep 3; echo >>$HOME\/count/' "$work/etc/slow/config"
chmod 600 "$work/etc"/*/*

# What is done in the container. Its exit status is the container's.
cat >"$work/out/check" <<'EOF'
#!/bin/sh
set -eu
began() { systemctl show -p ExecMainStartTimestampMonotonic --value pop3@demo.service; }
messages=/var/lib/private/pop3/demo/Maildir/new
systemctl start pop3@demo.service
ls "$messages" | wc -l
for wanted in /out/mail/*; do
    # as it is on the disk: CRLF becomes LF
    tr -d '\r' <"$wanted" | cksum
done | sort >/tmp/wanted
for file in "$messages"/*; do
    cksum <"$file"
done | sort >/tmp/delivered
cmp /tmp/wanted /tmp/delivered
echo "the mail is what the server has, to the octet"
systemctl start pop3@demo.service
[ "$(ls "$messages" | wc -l)" = "$(wc -l </tmp/wanted)" ]
echo "a second run delivered nothing twice"
stat -c '%U %a %n' /var/lib/private/pop3/demo/Maildir /etc/pop3/demo/password
if systemctl start pop3@absent.service 2>/dev/null; then
    echo "an instance without /etc/pop3/absent was started"
    exit 1
fi
echo "an instance that is not configured fails"
slow=/var/lib/private/pop3/slow
systemctl start --no-block pop3@slow.service
until [ -s $slow/got ]; do sleep 0.1; done
systemctl stop pop3@slow.service
[ "$(systemctl show -p Result --value pop3@slow.service)" = success ]
[ "$(wc -l <$slow/count)" -lt "$(wc -l </tmp/wanted)" ]
touch $slow/hurry
systemctl start pop3@slow.service
[ "$(wc -l <$slow/count)" = "$(wc -l </tmp/wanted)" ]
echo "stopped while a command had a message, it completed that one, and the next run the others"
last=$(began)
systemctl enable --now pop3@demo.timer
until [ "$(began)" != "$last" ]; do sleep 0.1; done
echo "the timer started a run"
systemctl show -p TimeoutStartUSec pop3@demo.service
useradd --create-home ann
install -d -o ann -g ann /home/ann/.config /home/ann/.config/pop3
install -o ann -g ann -m 600 /etc/pop3/demo/* /home/ann/.config/pop3
sed -i 's,\$CREDENTIALS_DIRECTORY/pop3_,~/.config/pop3/,' /home/ann/.config/pop3/config
loginctl enable-linger ann
export XDG_RUNTIME_DIR=/run/user/$(id -u ann)
until [ -S "$XDG_RUNTIME_DIR/systemd/private" ]; do sleep 0.1; done
runuser -u ann -- systemctl --user enable --now pop3.timer
runuser -u ann -- systemctl --user start pop3.service
[ "$(ls /home/ann/Maildir/new | wc -l)" = "$(wc -l </tmp/wanted)" ]
echo "the unit of a user retrieved the mail"
EOF
cat >"$work/units/check.service" <<'EOF'
[Service]
Type=oneshot
ExecStart=/bin/sh -x /out/check
StandardOutput=file:/out/said
StandardError=append:/out/trace
ExecStopPost=/bin/sh -c 'journalctl -b --no-pager -o cat -u "pop3@*" >/out/journal; systemctl exit $EXIT_STATUS'
EOF
# The report of the command's own sandbox, which is within the unit's.
mkdir "$work/units/pop3@.service.d"
printf '[Service]\nExecStart=\nExecStart=%s --verbose\n' \
    "$(sed -n 's/^ExecStart=//p' "$work/root/usr/lib/systemd/system/pop3@.service")" >"$work/units/pop3@.service.d/verbose.conf"
# A user of the timer waits for a minute.
mkdir "$work/units/pop3@demo.timer.d"
printf '[Timer]\nOnActiveSec=\nOnActiveSec=0\nRandomizedDelaySec=0\n' >"$work/units/pop3@demo.timer.d/at-once.conf"
mkdir "$work/out/mail"
cp "$POP3_TEST_MAIL_DIR"/* "$work/out/mail"

# systemd wants its control groups: where none are mounted (in a chroot), the unified ones.
if ! mountpoint -q /sys/fs/cgroup; then
    mount -t cgroup2 cgroup2 /sys/fs/cgroup
fi
status=0
setsid systemd-nspawn --quiet --register=no --keep-unit --directory="$work/root" --volatile=overlay --machine=units \
    --system-call-filter="landlock_create_ruleset landlock_add_rule landlock_restrict_self" \
    --bind="$work/out:/out" --bind-ro="$work/etc:/etc/pop3" \
    --bind-ro="$work/units/check.service:/run/systemd/system/check.service" \
    --bind-ro="$work/units/pop3@.service.d:/run/systemd/system/pop3@.service.d" \
    --bind-ro="$work/units/pop3@demo.timer.d:/run/systemd/system/pop3@demo.timer.d" \
    --boot -- systemd.unit=multi-user.target systemd.wants=check.service >"$work/out/console" 2>&1 </dev/null &
container=$!
wait "$container" || status=$?
container=''
cat "$work/out/said" 2>/dev/null || true
grep -h '^pop3: sandbox' "$work/out/journal" 2>/dev/null | sort -u || true
if [ "$status" != 0 ]; then
    tail -n 20 "$work/out/trace" "$work/out/journal" 2>/dev/null || true
    tail -n 40 "$work/out/console"
    echo "the container ended with status $status"
    exit 1
fi
systemd-analyze --root="$work/root" security --offline=true --threshold=20 --no-pager pop3@.service >"$work/out/security" || {
    cat "$work/out/security"
    exit 1
}
sed -n 's/^.*Overall/Overall/p' "$work/out/security"
