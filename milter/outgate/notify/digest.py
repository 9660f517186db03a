"""The digest of held mail: one mail to an address, not one for each message.

It names the customer's own messages and numbers only, never a recipient. It leaves with
the null sender and `Auto-Submitted`, so that nothing bounces and nobody answers.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from email.message import EmailMessage

from outgate.notify.letter import MOST_LINES, counted, letter
from outgate.policy.operator import format_moment
from outgate.policy.order import RULES

_SENTENCES = {rule.reason.value: rule.summary.replace("`", "") for rule in RULES}


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """One held message, as its record tells.

    Attributes:
        limits: which limits were used up, with their rates; "" for none.
        since_us: when it was held.
        until_us: until when it is meant to be held.
    """

    mta: str
    queue_id: str
    customer: str
    contact: str
    sender: str
    recipients: int
    size_bytes: int
    reasons: str
    limits: str
    since_us: int
    until_us: int


def render(held: Iterable[Held], *, sender: str, to: str, now_us: int) -> EmailMessage:
    """Write the digest of these messages to one address.

    Raises:
        MtaError: the address, which may be a login that holds an `@`, is none.
    """
    rows = sorted(held, key=lambda one: one.since_us)
    lines = [
        "The mail system holds these messages until somebody has looked at them:",
        "",
    ]
    for one in rows[:MOST_LINES]:
        lines += [
            f"  {format_moment(one.since_us)}  {one.queue_id}  ({one.mta})",
            (
                f"      customer {one.customer}, sender {one.sender or '<>'}, "
                f"{counted(one.recipients, 'recipient')}, "
                f"{counted(one.size_bytes, 'byte')}"
            ),
            f"      because: {_told(one.reasons)}; held until {format_moment(one.until_us)}",
        ]
        if one.limits:
            lines.append(f"      limit: {one.limits}")
    if len(rows) > MOST_LINES:
        lines.append(f"  … and {len(rows) - MOST_LINES} more")
    lines += [
        "",
        (
            "Nothing is lost and nothing is released by itself. If this is mail that you "
            "did not send,"
        ),
        (
            "change your password first. Questions and releases: your postmaster, with "
            "the reference above."
        ),
    ]
    return letter(
        counted(len(rows), "held message"), lines, sender=sender, to=to, now_us=now_us
    )


def _told(reasons: str) -> str:
    """Each reason with its sentence; an order's text is for operators alone."""
    return ", ".join(
        f"{one} ({_SENTENCES[one]})" if one in _SENTENCES else one
        for one in reasons.split(",")
    )
