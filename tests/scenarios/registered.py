"""What operators of good list hosts and shops have registered.

The table stands apart from the scenarios' settings because lists and streams are
younger than the scenarios: as long as the configuration has no such keys, they are left
out, and the result says so.
"""

from collections.abc import Mapping

import attrs

from outgate.config.reader import parse
from outgate.config.settings import Settings
from scenarios.scenario import Scenario

_NEWS = """
[[list]]
id = "news.lists.example"
customer = "choir"
"""
_TALK = """
[[list]]
id = "talk.lists.example"
customer = "choir"
"""

REGISTERED: Mapping[str, str] = {
    "h": _NEWS,
    "n": """
[[stream]]
name = "receipts"
customer = "shop"
kind = "transactional"
from = "orders@shop.example"
""",
    "o": _TALK,
    "p": _NEWS,
    "t": f"""{_NEWS}
[[stream]]
name = "confirmations"
customer = "choir"
kind = "confirmation"
from = "news-request@lists.example"
""",
}
"""By a scenario's key, TOML."""

KEYS = frozenset({"list", "stream"})
"""Which tables of the configuration it needs."""


def can_be_registered() -> bool:
    """Whether the configuration knows these tables."""
    return {field.name for field in attrs.fields(Settings)} >= KEYS


def settings_of(scenario: Scenario, more: str = "") -> Settings:
    """Read the configuration of a scenario's operator, in enforce mode.

    Args:
        scenario: whose.
        more: TOML to be added, for all scenarios alike: nothing is tuned to one.

    Raises:
        ConfigError: with every problem of the text.
    """
    text = f'mode = "enforce"\n{scenario.settings}\n{more}\n'
    if can_be_registered():
        text += REGISTERED.get(scenario.key, "")
    return parse(text, source=f"scenario {scenario.key}")
