"""Limits for a daemon under test, as they stand in its configuration.

Whoever tests something else turns the shipped ones off, or a thousand messages of one
login to one recipient would meet one of them.
"""

from outgate.policy.shipped import SHIPPED_LIMITS


def shipped_limits(rate: str = "off", **rates: str) -> str:
    """All shipped limits at this rate, TOML.

    Args:
        rate: of all of them; "off" removes them.
        rates: of some of them, by name with underscores.
    """
    return "".join(
        f'[[limit]]\nname = "{limit.name}"\nper = "{limit.per}"\n'
        f'count = "{limit.count}"\n'
        f'rate = "{rates.get(limit.name.replace("-", "_"), rate)}"\n'
        for limit in SHIPPED_LIMITS
    )
