"""The whole bench, at full size: minutes, so it belongs to `make verify`."""

import pytest

from scenarios.__main__ import main

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]


def test_every_scenario_with_three_seeds() -> None:
    """Prints the table that `make bench-policy` prints; every target is met."""
    assert main(["--seeds", "3", "--gate"]) == 0
