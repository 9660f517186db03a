"""What operators of good list hosts and shops have registered, in one table.

It is all that an operator does for one customer; limits are the shipped ones for
everybody.
"""

from collections.abc import Mapping

from outgate.config.reader import parse
from outgate.config.settings import Settings
from scenarios.scenario import Scenario

_NEWS = """
[[list]]
id = "news.lists.example.org"
customer = "choir"
"""

REGISTERED: Mapping[str, str] = {
    "h": _NEWS,
    "n": """
[[stream]]
name = "receipts"
customer = "shop"
sender = ["orders@shop.example"]
rate = "10000/1d"
""",
    "o": """
[[list]]
id = "talk.lists.example.org"
customer = "choir"
""",
    "p": _NEWS,
    "t": f"""{_NEWS}
[[stream]]
name = "confirmations"
customer = "choir"
kind = "confirmation"
sender = ["news-request@lists.example.org"]
""",
}
"""By a scenario's key, TOML."""


def settings_of(scenario: Scenario, more: str = "") -> Settings:
    """Read the configuration of a scenario's operator, in enforce mode.

    Args:
        scenario: whose.
        more: TOML to be added, for all scenarios alike: nothing is tuned to one.

    Raises:
        ConfigError: with every problem of the text.
    """
    registered = REGISTERED.get(scenario.key, "")
    text = f'mode = "enforce"\n{scenario.settings}\n{registered}\n{more}\n'
    return parse(text, source=f"scenario {scenario.key}")
