"""What limits, registered lists and streams say together, and what they cannot mean."""

import re
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta

from outgate.config.settings import Settings
from outgate.config.wording import no_address, one_of, twice
from outgate.message.challenge import Pattern
from outgate.model.address import fold, parse_address
from outgate.model.content import HOURS_KEPT
from outgate.model.errors import Problem
from outgate.model.limit import WARN, Count, Per
from outgate.model.sharing import NEW_KEPT
from outgate.model.units import MAX_PERIOD, to_us
from outgate.model.verdict import Action
from outgate.policy.compiled import merge_limits
from outgate.policy.list_settings import ListSettings
from outgate.policy.settings import CHALLENGES, LimitSettings, StreamSettings

_NAME = re.compile(r"[a-z0-9][a-z0-9-]*")

# So many to whom a content is new are kept; what asks for more would never act.
_MOST_CUSTOMERS = NEW_KEPT + 1
_FEWEST_CUSTOMERS = 2
_PER_CENT = 100
# What drains more slowly would be forgotten before.
_CONTENT_KEPT = timedelta(hours=HOURS_KEPT)
_MOST_PER_LIST = 20
# Below `model.challenge.MAX_KEPT`, so that each of them is kept.
_MOST_PER_PERSON = 60
_KINDS = ("transactional", "confirmation")
# As headers are read (`message.listcheck.list_id`): of any other, no mail is known.
_LIST_ID = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,255}")
_ADDRESS = re.compile(r"[^\s<>@]+@[^\s<>@*:/.]+(?:\.[^\s<>@*:/.]+)*")
# A word without a dot is half of an address more often than a domain.
_SENDER = re.compile(
    r"[^\s@]+@[^\s@*:/.]+(?:\.[^\s@*:/.]+)*|[^\s@*:/.]+(?:\.[^\s@*:/.]+)+"
)


def limits(settings: Settings) -> Iterator[Problem]:
    """Limits, each by itself and all together."""
    yield from twice("limit", "name", [one.name for one in settings.limit])
    streams = {f"stream-{one.name}" for one in settings.stream}
    counts = {count.value for count in Count}
    for index, limit in enumerate(settings.limit):
        key = f"limit[{index}]"
        if not _NAME.fullmatch(limit.name) or limit.name in counts:
            yield Problem(
                f"{key}.name",
                f"got {limit.name!r}: expected lower-case words with dashes, and no "
                "count word",
            )
        if limit.name in streams:
            yield Problem(f"{key}.name", f"got {limit.name!r}: a stream has that limit")
        if limit.action is Action.ACCEPT:
            yield Problem(f"{key}.action", "got 'accept': use mode = \"monitor\"")
        yield from _burst(key, limit)
        yield from _whose(key, limit)
        yield from _warn(key, limit)
    campaigns = [
        one.name for one in merge_limits(settings.limit) if one.per is Per.CAMPAIGN
    ]
    if len(campaigns) > 1:
        yield Problem(
            "limit",
            f"only one may be per campaign: {', '.join(map(repr, campaigns))}; "
            "another name than the shipped one's needs that one `off`",
        )


def registered(settings: Settings) -> Iterator[Problem]:
    """Registered lists and streams."""
    for (customer, list_id), number in Counter(
        (one.customer, one.id.lower()) for one in settings.list
    ).items():
        if number > 1:
            yield Problem(
                "list", f"id {list_id!r} of {customer!r} stands {number} times"
            )
    for index, one in enumerate(settings.list):
        for name, message in _list(one):
            yield Problem(f"list[{index}].{name}", message)
    yield from twice("stream", "name", [one.name for one in settings.stream])
    senders = Counter(
        (one.customer, sender.lower())
        for one in settings.stream
        for sender in one.sender
    )
    for (customer, sender), number in senders.items():
        if number > 1:
            yield Problem("stream", f"{sender!r} of {customer!r} stands {number} times")
    for index, stream in enumerate(settings.stream):
        for name, message in _stream(stream):
            yield Problem(f"stream[{index}].{name}", message)


def _list(one: ListSettings) -> Iterator[tuple[str, str]]:
    if not is_list_id(one.id):
        yield (
            "id",
            (
                f"got {one.id!r}: expected a List-Id without brackets, such as "
                "members.choir.example"
            ),
        )
    if not one.customer.strip():
        yield "customer", "is empty"
    if one.challenges not in CHALLENGES:
        yield "challenges", one_of(one.challenges, CHALLENGES)
    for sender in one.challenge_sender:
        if not _SENDER.fullmatch(sender):
            yield (
                "challenge-sender",
                f"got {sender!r}: expected an address or a domain",
            )
    if one.challenge_pattern:
        try:
            Pattern(one.challenge_pattern)
        except ValueError as error:
            yield "challenge-pattern", f"got {one.challenge_pattern!r}: {error}"


def bounces(settings: Settings) -> Iterator[Problem]:
    """Addresses by which the envelope senders of lists' mail are known."""
    canonical = [
        str(parse_address(one.bounces)) for one in settings.list if one.bounces
    ]
    yield from twice("list", "bounces", canonical)
    for index, one in enumerate(settings.list):
        key = f"list[{index}].bounces"
        if not one.bounces:
            continue
        if not _ADDRESS.fullmatch(one.bounces):
            yield Problem(key, no_address(one.bounces))
        elif (plain := fold(address := parse_address(one.bounces), guess=False)) != (
            address
        ):
            yield Problem(
                key,
                f"got {one.bounces!r}: expected it without VERP, BATV or a tag, perhaps "
                f"{str(plain)!r}",
            )


def challenge_limits(settings: Settings) -> Iterator[Problem]:
    """How many challenges one person may get."""
    optin = settings.optin
    for key, number, most in (
        ("challenges-per-list", optin.challenges_per_list, _MOST_PER_LIST),
        ("challenges-per-recipient", optin.challenges_per_recipient, _MOST_PER_PERSON),
    ):
        if not 1 <= number <= most:
            yield Problem(f"optin.{key}", f"got {number}: expected 1 to {most}")


def is_list_id(text: str) -> bool:
    """Whether it is a List-Id as a `[[list]]` names it."""
    return bool(_LIST_ID.fullmatch(text))


def campaign(settings: Settings) -> Iterator[Problem]:
    """When the same content from several customers is a campaign."""
    numbers = settings.campaign
    if not _FEWEST_CUSTOMERS <= numbers.customers <= _MOST_CUSTOMERS:
        yield Problem(
            "campaign.customers",
            f"got {numbers.customers}: expected {_FEWEST_CUSTOMERS} to {_MOST_CUSTOMERS}",
        )
    if numbers.strangers < 1:
        yield Problem(
            "campaign.strangers", f"got {numbers.strangers}: expected at least 1"
        )


def optin(settings: Settings) -> Iterator[Problem]:
    """What becomes of recipients without a consent."""
    share = settings.optin.remove_share
    if not 0 <= share <= _PER_CENT:
        yield Problem(
            "optin.remove-share", f"got {share}: expected 0 to {_PER_CENT} (per cent)"
        )
    grace = settings.optin.grace
    if not timedelta(0) <= grace <= MAX_PERIOD:
        yield Problem(
            "optin.grace", f"got {grace.days}d: expected 0d to {MAX_PERIOD.days}d"
        )


def _burst(key: str, limit: LimitSettings) -> Iterator[Problem]:
    if limit.burst is not None and limit.burst < 1:
        yield Problem(f"{key}.burst", f"got {limit.burst}: expected at least 1")
    elif limit.burst and limit.rate:
        # A counter's state must fit beside the epoch into 53 bits.
        most = to_us(MAX_PERIOD) // limit.rate.interval_us
        if limit.burst > most:
            yield Problem(
                f"{key}.burst",
                f"got {limit.burst}: at {limit.rate} it takes longer than "
                f"{MAX_PERIOD.days}d to drain; expected at most {most}",
            )


def _warn(key: str, limit: LimitSettings) -> Iterator[Problem]:
    if not 0 <= limit.warn < _PER_CENT:
        yield Problem(f"{key}.warn", f"got {limit.warn}: expected 0 to {_PER_CENT - 1}")
    elif limit.action.lets_out and limit.warn not in {0, WARN}:
        yield Problem(
            f"{key}.warn",
            f"got {limit.warn}: this limit stops no message, so nothing is to be warned "
            "of",
        )


def _whose(key: str, limit: LimitSettings) -> Iterator[Problem]:
    if limit.per is Per.STREAM:
        yield Problem(
            f"{key}.per", "got 'stream': each [[stream]] has a rate of its own"
        )
    if limit.per is Per.CAMPAIGN and limit.count is not Count.STRANGERS:
        yield Problem(
            f"{key}.count",
            f"got {limit.count.value!r}: per campaign only strangers are counted",
        )
    if limit.per is Per.CAMPAIGN and limit.rate and limit.rate.period > _CONTENT_KEPT:
        yield Problem(
            f"{key}.rate",
            f"got {str(limit.rate)!r}: a content is remembered for "
            f"{_CONTENT_KEPT.days}d; expected no longer time",
        )
    if limit.share and limit.per is not Per.CAMPAIGN:
        yield Problem(f"{key}.share", 'goes only with per = "campaign"')
    elif not 0 <= limit.share <= _PER_CENT:
        yield Problem(f"{key}.share", f"got {limit.share}: expected 0 to {_PER_CENT}")


def _stream(stream: StreamSettings) -> Iterator[tuple[str, str]]:
    if not _NAME.fullmatch(stream.name):
        yield "name", f"got {stream.name!r}: expected lower-case words with dashes"
    if not stream.customer.strip():
        yield "customer", "is empty"
    if not stream.sender:
        yield "sender", "is empty: this stream would have no mail"
    for sender in stream.sender:
        if not _SENDER.fullmatch(sender):
            yield "sender", f"got {sender!r}: expected an address or a domain"
    if stream.kind not in _KINDS:
        yield "kind", one_of(stream.kind, _KINDS)
