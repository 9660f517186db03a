"""docs/profiles.md: its orders are read as the daemon would, its profiles are shipped."""

import re
import shlex

from outgate.policy.compiled import Policy
from outgate.policy.operator import Order, parse_entry, unknown_profile, unknown_rates
from outgate.policy.settings import PolicySettings
from outgate.policy.shipped_profiles import SHIPPED_PROFILES
from pages import __main__ as program

PAGE = (program.ROOT / "docs/profiles.md").read_text()


def test_its_orders_are_good() -> None:
    """Each names a profile and limits that there are."""
    policy = Policy.build(PolicySettings())
    orders = re.findall(r"^redis-cli HSET outgate:limit (.+)$", PAGE, re.MULTILINE)
    assert orders
    for words in orders:
        name, value = shlex.split(words)
        entry = parse_entry(Order.LIMIT, name, value.encode())
        assert not entry.problems
        assert entry.profile
        assert not unknown_profile(entry, policy.profiles)
        assert not unknown_rates(entry, policy.limit_names())


def test_it_names_every_shipped_profile() -> None:
    """Each has a row."""
    rows = re.findall(r"^\| `([a-z-]+)` \|", PAGE, re.MULTILINE)
    assert rows == [profile.name for profile in SHIPPED_PROFILES]
