"""What a limit or a profile with a shipped name need not repeat."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

import attrs

from outgate.config.wording import did_you_mean
from outgate.model.units import Rate
from outgate.policy.settings import LimitSettings
from outgate.policy.shipped import SHIPPED_LIMITS
from outgate.policy.shipped_profiles import kept_limits


def _as_written(limit: LimitSettings) -> dict[str, Any]:
    """A limit as it would stand in the file: what is not the default."""
    return {
        field.name.replace("_", "-"): _plain(value)
        for field in attrs.fields(LimitSettings)
        if (value := getattr(limit, field.name)) != field.default
    }


def _plain(value: object) -> object:
    return str(value) if isinstance(value, Rate | StrEnum) else value


_LIMITS = {limit.name: _as_written(limit) for limit in SHIPPED_LIMITS}


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


def unshipped(document: Mapping[str, Any], place: tuple[str | int, ...]) -> str:
    """Why a limit that lacks something got nothing from a shipped one, "" elsewhere.

    Args:
        document: the whole file.
        place: of what is required.
    """
    table, index, *_ = (*place, "", "")
    if table != "limit" or not isinstance(index, int):
        return ""
    one = document["limit"][index]
    name = one.get("name") if isinstance(one, dict) else None
    if not isinstance(name, str) or name in _LIMITS:
        return ""
    return f": no shipped limit is called {name!r}{did_you_mean(name, _LIMITS)}"


def _limit(name: str, given: Mapping[str, Any]) -> dict[str, Any]:
    return {**_LIMITS.get(name, {}), **given}


def _profile(name: str, given: Mapping[str, Any]) -> dict[str, Any]:
    limits = given.get("limits", {})
    if not isinstance(limits, dict):
        return dict(given)
    kept = {limit: str(rate) for limit, rate in kept_limits(name, limits).items()}
    return {**given, "limits": {**kept, **limits}}
