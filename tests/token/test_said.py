"""What a provider of tokens says cannot command the terminal, nor pass for a line of the command's own."""

import re
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "sync"))

from authorization_server import answer  # noqa: E402
from test_terminal import CHARACTERS, assert_harmless, terminal  # noqa: E402

FORGED = "pop3: all is well with everybody"
SAID = "".join(CHARACTERS) + f"\x1b[31m \u009b31m {FORGED}"
C1 = "".join(c for c in CHARACTERS if ord(c) >= 0x80) + f"\u009b31m {FORGED}"


@pytest.mark.parametrize("said", [SAID, C1, f"x\n{FORGED}\n"], ids=["controls", "format", "lines"])
@pytest.mark.parametrize("words", [["token", "work"], ["authorize", "work", "--check"], ["authorize", "work", "--revoke"],
                                   ["authorize", "work", "--device"], ["doctor", "work"]], ids=" ".join)  # fmt: skip
def test_what_a_provider_says_commands_no_terminal_and_is_no_line_of_ours(account, server, words, said):
    account.keep(revocation_endpoint=server.issuer + "/token", scope=said)
    server.metadata["device_authorization_endpoint"] = server.issuer + "/token"
    server.metadata["token_endpoint_auth_methods_supported"] = ["client_secret_post"]
    server.script = [answer({"error": said, "error_description": said}, 400) for _ in range(3)]
    shown, _ = terminal(account.command(*words), account.environment(LANG="C.UTF-8", TERM="xterm"))
    assert shown
    assert_harmless(shown)
    assert not re.search(rf"^{FORGED}", shown.decode(), re.M)


@pytest.mark.parametrize("said", [SAID, C1, f"x\n{FORGED}\n"], ids=["controls", "format", "lines"])
def test_a_code_and_an_address_of_a_provider_command_no_terminal(account, server, said):
    server.metadata["device_authorization_endpoint"] = server.issuer + "/token"
    device = {"device_code": "d", "user_code": said[-60:], "verification_uri": "https://localhost/" + said, "interval": 1}
    server.script = [answer(device), answer({"error": "access_denied"}, 400)]
    shown, _ = terminal(account.command("authorize", "work", "--device"), account.environment(LANG="C.UTF-8", TERM="xterm"))
    assert_harmless(shown, ["\x1b[0m", "\x1b[40;37m", "\x1b[1A\x1b[2K"])
    assert not re.search(rf"^{FORGED}", shown.decode(), re.M)
    account.keep(scope=said, refresh_token=said, client_id=said, refusal=said)
    shown, _ = terminal(account.command("authorize", "work", "--show"), account.environment(LANG="C.UTF-8", TERM="xterm"))
    assert_harmless(shown)
    assert not re.search(rf"^{FORGED}", shown.decode(), re.M)
