"""The configuration of a private Dovecot, in the syntax of its release: 2.3 or 2.4.

    syntax_of("2.4.1-4 (7d8c0e5759)").configuration(facts, all_auth=True)

`facts` fills what is in braces: listen, directory, user, group, port, tls_port, imaps_port, account, more_protocols.
"""

from __future__ import annotations

from typing import Mapping, NamedTuple, Optional

# The same in both. Everything runs as one ordinary user, so there is nobody to become and nowhere to chroot
# to. There are few processes, but enough for tests that run side by side from one address. A session leaves no marks
# on the mail, other than what it deletes.
COMMON = """\
protocols = pop3 {more_protocols}
listen = {listen}
base_dir = {directory}/base
state_dir = {directory}/state
log_path = {directory}/dovecot.log

default_login_user = {user}
default_internal_user = {user}
default_internal_group = {group}
first_valid_uid = 1
first_valid_gid = 0

default_process_limit = 64
default_client_limit = 256
mail_max_userip_connections = 1000

ssl = yes
ssl_min_protocol = TLSv1.2

auth_mechanisms = {mechanisms}
auth_username_chars =
# A refusal takes half a second all the same.
auth_failure_delay = 0

mail_fsync = never
mailbox_list_index = no
pop3_no_flag_updates = yes
pop3_lock_session = no

service anvil {{
  chroot =
  # No growing delays after refused logins.
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service pop3-login {{
  chroot =
  # One process for many connections: it need not start anew for each.
  {many_connections}
  inet_listener pop3 {{
    port = {port}
  }}
  inet_listener pop3s {{
    port = {tls_port}
    ssl = yes
  }}
}}
"""

# What takes mail, where it is installed: IMAP with TLS from the start, and a socket for LMTP.
IMAP = """\
service imap-login {{
  chroot =
  inet_listener imap {{
    port = 0
  }}
  inet_listener imaps {{
    port = {imaps_port}
    ssl = yes
  }}
}}
"""
LMTP = """\
service lmtp {{
  unix_listener lmtp {{
    mode = 0666
  }}
}}
"""

# Passwords are stored in clear, for the mechanisms that need them so (all but plain and login).
ACCOUNTS_2_3 = """\
ssl_cert = <{directory}/tls/server.pem
ssl_key = <{directory}/tls/server.key
disable_plaintext_auth = no
auth_username_format =
passdb {{
  driver = passwd-file
  args = {directory}/users
}}
userdb {{
  driver = passwd-file
  args = {directory}/users
}}
mail_location = maildir:~
"""

ACCOUNTS_2_4 = """\
ssl_server_cert_file = {directory}/tls/server.pem
ssl_server_key_file = {directory}/tls/server.key
auth_allow_cleartext = yes
auth_username_format = %{{user}}
auth_allow_weak_schemes = yes
passdb passwd-file {{
  passwd_file_path = {directory}/users
}}
userdb passwd-file {{
  passwd_file_path = {directory}/users
}}
mail_driver = maildir
mail_path = ~/
# 2.4.5 would mark each message as to whether it has attachments, when it comes or is first read.
mail_attachment_detection_options =
"""

# A client may show a certificate; who does so is whom it names. Tokens are verified with keys of ours, and
# Kerberos tickets with the realm's.
ALL_AUTH = """\
auth_ssl_username_from_cert = yes
auth_ssl_require_client_cert = no
auth_gssapi_hostname = localhost
auth_krb5_keytab = {directory}/kerberos/server.keytab
"""

ALL_AUTH_2_3 = """\
ssl_ca = <{directory}/tls/ca.pem
ssl_require_crl = no
ssl_verify_client_cert = yes
passdb {{
  driver = oauth2
  mechanisms = xoauth2 oauthbearer
  args = {directory}/oauth2.conf
}}
passdb {{
  driver = static
  mechanisms = external
  args = nopassword
}}
import_environment = $import_environment KRB5_CONFIG={directory}/kerberos/krb5.conf
"""

# 2.3 has a file of its own for it.
OAUTH2 = """\
introspection_mode = local
username_attribute = sub
active_attribute = sub
active_value = {account}
scope = pop3
force_introspection = no
openid_configuration_url = https://login.example.org/.well-known/openid-configuration
"""

OAUTH2_2_3 = OAUTH2 + "local_validation_key_dict = fs:posix:prefix={directory}/token-keys/\n"

ALL_AUTH_2_4 = (
    """\
ssl_server_ca_file = {directory}/tls/ca.pem
ssl_server_require_crl = no
ssl_server_request_client_cert = yes
oauth2 {{
"""
    + OAUTH2
    + """\
}}
oauth2_local_validation {{
  dict fs {{
    fs posix {{
      prefix = {directory}/token-keys/
    }}
  }}
}}
passdb oauth2 {{
  mechanisms_filter = xoauth2 oauthbearer
}}
passdb static {{
  mechanisms_filter = external
  fields {{
    nopassword = yes
  }}
}}
import_environment {{
  KRB5_CONFIG = {directory}/kerberos/krb5.conf
}}
"""
)

PASSWORD_MECHANISMS = ["plain", "login", "cram-md5", "digest-md5", "scram-sha-1", "scram-sha-256"]


class Syntax(NamedTuple):
    """What differs between the releases."""

    first_lines: str
    many_connections: str
    accounts: str
    all_auth: str
    oauth2_file: Optional[str]
    bound_mechanisms: list[str]  # with channel binding: offered over TLS only

    def configuration(self, facts: Mapping[str, object], all_auth: bool) -> str:
        """The text of dovecot.conf."""
        mechanisms = ["apop", *PASSWORD_MECHANISMS, *self.bound_mechanisms]
        if all_auth:
            mechanisms += ["xoauth2", "oauthbearer", "external", "gssapi"]
        template = COMMON + self.accounts + (ALL_AUTH + self.all_auth if all_auth else "")
        more = str(facts["more_protocols"]).split()
        template += (IMAP if "imap" in more else "") + (LMTP if "lmtp" in more else "")
        whole = {**facts, "mechanisms": " ".join(mechanisms), "many_connections": self.many_connections}
        return self.first_lines + template.format(**whole)


SYNTAX_2_3 = Syntax("", "service_count = 0", ACCOUNTS_2_3, ALL_AUTH_2_3, OAUTH2_2_3, [])
SYNTAX_2_4 = Syntax(
    "dovecot_config_version = 2.4.0\ndovecot_storage_version = 2.4.0\n",
    "restart_request_count = unlimited",
    ACCOUNTS_2_4,
    ALL_AUTH_2_4,
    None,
    ["scram-sha-1-plus", "scram-sha-256-plus"],
)


def syntax_of(version: str) -> Optional[Syntax]:
    """The syntax for what `dovecot --version` says; None where we know none."""
    if version.startswith("2.3."):
        return SYNTAX_2_3
    if version.startswith("2.4."):
        return SYNTAX_2_4
    return None
