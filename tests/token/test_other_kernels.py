"""Tokens on kernels that refuse what the sandbox is made of, or more: those of tests/sync/test_kernels.py."""

import re

import pytest

from test_authorize import Browser, address_of
from test_kernels import FATAL, KERNELS, OTHER_KERNEL, works
from world import COMMAND, DEADLINE


@pytest.mark.parametrize("kernel", KERNELS)
def test_a_token_is_obtained_and_printed_on(kernel, account, server):
    if not works(kernel):
        pytest.skip("such a filter cannot be made here")

    def start(*words):
        return account.start(*KERNELS[kernel][0], "--", COMMAND, *words, command=OTHER_KERNEL)

    process = start("authorize", "work")
    if kernel in FATAL:
        _, err = process.communicate(timeout=DEADLINE)
        assert process.returncode > 0 and re.search("^pop3: .*: .*", err), (process.returncode, err)
        return
    browser = Browser(server)
    browser.go_back(browser.sign_in(address_of(process, server.issuer + "/authorize?")))
    out, err = process.communicate(timeout=DEADLINE)
    assert process.returncode == 0, (out, err)
    process = start("token", "work")
    out, err = process.communicate(timeout=DEADLINE)
    assert (process.returncode, out.strip()) == (0, account.kept()["access_token"]), err
