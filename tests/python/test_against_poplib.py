"""poplib and cpoplib show the same behaviour, scenario by scenario."""

from __future__ import annotations

import poplib
from collections import Counter

import cpoplib
import pytest
from scenarios import SCENARIOS, Scenario
from wire import run


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_scenario(scenario: Scenario) -> None:
    expected = run(poplib, scenario.packets(), scenario.session)
    shown = run(cpoplib, scenario.packets(), scenario.session)
    assert shown.steps == expected.steps
    assert shown.sent == expected.sent
    assert shown.printed == expected.printed
    assert shown.audited == expected.audited
    assert shown.attributes == expected.attributes
    assert shown.connected_to == expected.connected_to


def test_there_are_enough_scenarios_and_none_twice() -> None:
    assert len(SCENARIOS) >= 200
    assert [name for name, n in Counter(s.name for s in SCENARIOS).items() if n > 1] == []
