"""What an operator typed into Redis: orders about one sender.

A value is optional words and then free text:

    for=1h by=anne phished, ticket 4711
    until=2026-11-24T12:00:00Z by=anne rules=limit-exceeded newsletter week
    recipients=5000/1d by=anne                       (only in `outgate:limit`)
    profile=probation for=30d by=anne                (only in `outgate:limit`)

`for=` is turned into `until=` by the first keeper that sees it; until then the order
is in force. A value that cannot be read is reported, never ignored in silence; neither is
a word that is none (`untill=`) or that stands in the text. An order that protects
(quarantine, suspend) holds although its words are broken, an order that loosens (allow,
limit) does not: without the end that was meant it would never end.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from difflib import get_close_matches
from enum import StrEnum
from functools import lru_cache

from outgate.model.address import canonical_domain, parse_address
from outgate.model.client import parse_client, parse_network
from outgate.model.limit import Count
from outgate.model.units import SECOND_US, Rate, parse_duration, to_us
from outgate.model.verdict import Reason
from outgate.policy.slips import looks_like_a_word, misplaced, nameless, unknown

# A person types a sentence; a megabyte in a field is a mistake or an attack.
MAX_VALUE_BYTES = 4096


class Order(StrEnum):
    """The four hashes of operator state; the value is the hash's name."""

    QUARANTINE = "quarantine"
    SUSPEND = "suspend"
    ALLOW = "allow"
    LIMIT = "limit"


_ALWAYS = ("for", "until", "by")
# What stands before the free text; in `limit` also every name of a limit.
_WORDS = {
    Order.QUARANTINE: _ALWAYS,
    Order.SUSPEND: _ALWAYS,
    Order.ALLOW: (*_ALWAYS, "rules"),
    Order.LIMIT: (*_ALWAYS, "profile", *(count.value for count in Count)),
}

# `allow` without `rules=` frees from limits only.
ALLOWED_BY_DEFAULT = frozenset(
    {
        Reason.LIMIT_EXCEEDED,
        Reason.MESSAGE_EXCEEDS_LIMIT,
        Reason.BULK_TO_STRANGERS,
        Reason.BULK_BY_DISTINCT_RECIPIENTS,
        Reason.MANY_SOURCES_PER_LOGIN,
        Reason.NEAR_LIMIT,
    }
)
ALLOWABLE = ALLOWED_BY_DEFAULT | {
    Reason.CAMPAIGN_ACROSS_CUSTOMERS,
    Reason.SUBSCRIPTION_BOMBING,
    Reason.UNUSUAL_FOR_THIS_SENDER,
    Reason.LIST_WITHOUT_CONSENT,
    Reason.DECLARED_BULK_UNREGISTERED,
    Reason.NULL_SENDER_ABUSE,
    Reason.MISSING_UNSUBSCRIBE,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One field of an operator's hash, read.

    Attributes:
        until_us: when it ends, microseconds since the epoch; 0 for never.
        for_us: a duration not yet turned into `until`; 0 for none.
        by: who gave the order, "" where not said.
        rules: for `allow`, which rules are lifted.
        rates: for `limit`, limit name or count word to rate.
        profile: for `limit`, the profile instead of the customer's; "" for none.
        text: the free text.
        value: the whole value, as it was typed.
        problems: what could not be read.
    """

    order: Order
    name: str
    until_us: int = 0
    for_us: int = 0
    by: str = ""
    rules: frozenset[Reason] = ALLOWED_BY_DEFAULT
    rates: Mapping[str, Rate] = field(default_factory=dict)
    profile: str = ""
    text: str = ""
    value: str = ""
    problems: tuple[str, ...] = ()

    def in_force(self, now_us: int) -> bool:
        """Whether the order holds at this moment."""
        if self.problems and self.order in {Order.ALLOW, Order.LIMIT}:
            return False
        return not self.until_us or now_us < self.until_us


@lru_cache(maxsize=8192)
def canonical_name(text: str) -> str:
    """The form in which a name is looked up for each message.

    Networks lose their host bits, addresses and domains get their canonical form.
    """
    text = text.strip()
    if (client := parse_client(text)) is not None:
        return client.text
    if "/" in text and (network := parse_network(text)) is not None:
        return str(network)
    if text.isascii() or "@" in text or "." not in text:
        return str(parse_address(text)).removeprefix("@")
    return canonical_domain(text)


def parse_entry(order: Order, name: str, raw: bytes) -> Entry:
    """Read one field; never raises."""
    return _parse(order, name, raw[:MAX_VALUE_BYTES].decode("utf-8", "replace"))


def _parse(order: Order, name: str, value: str) -> Entry:
    problems = [nobody] if (nobody := nameless(name)) else []
    until_us = for_us = 0
    texts = {"by": "", "profile": ""}
    rules = ALLOWED_BY_DEFAULT
    rates: dict[str, Rate] = {}
    known = _WORDS[order]
    seen: list[str] = []
    # Words that nobody knows are kept for whoever reads the text.
    kept: list[str] = []
    rest = value.strip()
    while rest:
        word, _, after = rest.partition(" ")
        key, equals, argument = word.partition("=")
        if not equals or not looks_like_a_word(key):
            break
        seen.append(key)
        try:
            match key:
                case "for":
                    for_us = _parse_for_us(argument)
                case "until":
                    # The epoch itself is over too, and 0 would mean never.
                    until_us = max(1, parse_moment_us(argument))
                case "by" | "profile" if key in known:
                    texts[key] = argument
                    problems += _misread(key, argument, known)
                case "rules" if order is Order.ALLOW:
                    rules = _parse_rules(argument)
                case _ if order is Order.LIMIT:
                    rates[key] = Rate.parse(argument)
                case _:
                    problems.append(unknown(key, known))
                    kept.append(word)
        except ValueError as error:
            problems.append(f"{key}={argument}: {error}")
        rest = after.lstrip()
    problems += misplaced(rest, known)
    problems += [
        f"{key}= stands twice" for key, times in Counter(seen).items() if times > 1
    ]
    if order is Order.LIMIT and not (rates or texts["profile"] or problems):
        problems.append(
            "expected a limit or a count and a rate, as recipients=5000/1d, or profile="
        )
    return Entry(
        order=order,
        name=name,
        until_us=until_us,
        for_us=0 if until_us else for_us,
        by=texts["by"],
        rules=rules,
        rates=rates,
        profile=texts["profile"],
        text=" ".join((*kept, rest)).strip(),
        value=value.strip(),
        problems=tuple(problems),
    )


def parse_moment_us(text: str) -> int:
    """Read an RFC 3339 time with its zone, or seconds since the epoch.

    Raises:
        ValueError: the text is neither, names no zone, or is a moment that
            `format_moment` could not write.
    """
    try:
        if text.isdigit():
            moment = datetime.fromtimestamp(int(text), UTC)
        else:
            moment = datetime.fromisoformat(text)
        if moment.tzinfo is not None:
            moment = moment.astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        raise ValueError("expected a time such as 2026-11-24T12:00:00Z") from None
    if moment.tzinfo is None:
        raise ValueError("the time needs a zone, such as Z or +01:00")
    return int(moment.timestamp()) * SECOND_US


def format_moment(moment_us: int) -> str:
    """Print as RFC 3339 in UTC, to the second."""
    return datetime.fromtimestamp(moment_us // SECOND_US, UTC).strftime(
        "%Y-%m-%dT%H:%M:%SZ"
    )


def _parse_for_us(argument: str) -> int:
    duration_us = to_us(parse_duration(argument))
    if not duration_us:
        raise ValueError("expected more than no time; HDEL ends an order")
    return duration_us


def _parse_rules(argument: str) -> frozenset[Reason]:
    names = frozenset(filter(None, argument.split(",")))
    known = {reason.value: reason for reason in ALLOWABLE}
    if not names or not names <= known.keys():
        raise ValueError(f"expected some of {', '.join(sorted(known))}")
    return frozenset(known[name] for name in names)


def _misread(key: str, argument: str, known: Collection[str]) -> Iterator[str]:
    if key == "profile" and not argument:
        yield "profile=: expected the name of a profile"
    yield from misplaced(argument, known)


def unknown_profile(entry: Entry, profile_names: Collection[str]) -> str:
    """What is wrong with the profile of a `limit` order, "" for nothing."""
    name = entry.profile
    if not name or name in profile_names:
        return ""
    close = get_close_matches(name, profile_names, n=1)
    hint = (
        f"did you mean {close[0]}?"
        if close
        else (f"expected one of {', '.join(sorted(profile_names))}")
    )
    return f"profile={name}: no such profile; {hint}"


def unknown_rates(entry: Entry, limit_names: frozenset[str]) -> tuple[str, ...]:
    """Names in a `limit` order that are neither a limit nor a count word."""
    known = limit_names | {count.value for count in Count}
    return tuple(sorted(name for name in entry.rates if name not in known))
