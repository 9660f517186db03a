"""What a limit or a profile with a shipped name need not repeat."""

from collections.abc import Mapping
from typing import Any

from outgate.policy.settings import LimitSettings
from outgate.policy.shipped import SHIPPED_LIMITS
from outgate.policy.shipped_profiles import kept_limits

# As it would stand in the file.
_LIMITS = {
    limit.name: {
        "per": limit.per.value,
        "count": limit.count.value,
        "rate": str(limit.rate),
        "action": limit.action.value,
    }
    for limit in SHIPPED_LIMITS
}


def with_shipped(kind: type, value: object) -> object:
    """A table of the file with what it keeps of the shipped one of its name.

    Args:
        kind: what it is read into: limit or profile.
        value: as it stands in the file; what is no such table comes back as it is.
    """
    if not isinstance(value, dict) or not isinstance(value.get("name"), str):
        return value
    merged = _limit if kind is LimitSettings else _profile
    return merged(value["name"], value)


def _limit(name: str, given: Mapping[str, Any]) -> dict[str, Any]:
    return {**_LIMITS.get(name, {}), **given}


def _profile(name: str, given: Mapping[str, Any]) -> dict[str, Any]:
    limits = given.get("limits", {})
    if not isinstance(limits, dict):
        return dict(given)
    kept = {limit: str(rate) for limit, rate in kept_limits(name, limits).items()}
    return {**given, "limits": {**kept, **limits}}
