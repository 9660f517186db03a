"""The notice of limits that are nearly used up: to the customer, before mail is stopped.

It names the customer's own numbers, and never a recipient.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from email.message import EmailMessage

from outgate.model.limit import Count
from outgate.notify.letter import MOST_LINES, counted, letter
from outgate.policy.operator import format_moment


@dataclass(frozen=True, slots=True, kw_only=True)
class Warned:
    """One limit, as it stood when little was left of it.

    Attributes:
        contact: who is told.
        identity: whose counter it is, as it is told and marked; "" where the sender
            chooses it.
        count: what is counted.
        rate: in force, as `200/1d`.
        used: units.
        burst: how much fits at once.
        since_us: when it was seen.
        free_us: when it is empty again if nothing more is sent.
    """

    contact: str
    customer: str
    limit: str
    identity: str
    count: str
    rate: str
    used: int
    burst: int
    since_us: int
    free_us: int

    @property
    def key(self) -> tuple[str, str, str]:
        """What is told once in a while: customer, limit, identity."""
        return self.customer, self.limit, self.identity


def render(
    warned: Sequence[Warned], *, sender: str, to: str, now_us: int
) -> EmailMessage:
    """Write the notice of these limits to one address.

    Raises:
        MtaError: the address, which may be a login that holds an `@`, is none.
    """
    lines = [
        "Little is left of these sending limits, and mail beyond them is stopped:",
        "",
    ]
    for one in warned[:MOST_LINES]:
        whose = f" of {one.identity}" if one.identity else ""
        lines += [
            f"  {format_moment(one.since_us)}  {one.limit}{whose}",
            (
                f"      customer {one.customer}: {one.used} of {one.burst} {one.count} "
                f"used; the rate is {one.rate}"
            ),
            f"      empty again at {format_moment(one.free_us)} if no more is sent",
        ]
    if len(warned) > MOST_LINES:
        lines.append(f"  … and {len(warned) - MOST_LINES} more")
    lines.append("")
    if any(one.count == Count.STRANGERS for one in warned):
        lines += ["Strangers are recipients who never had mail from you.", ""]
    lines += [
        "Mail that still fits goes on, and room comes back as time passes. Newsletters and",
        "circulars go by a mailing list whose readers asked for it. Before you send more than",
        "this, ask your postmaster. If it is mail that you did not send, change your password",
        "first.",
    ]
    subject = f"{counted(len(warned), 'sending limit')} nearly used up"
    return letter(subject, lines, sender=sender, to=to, now_us=now_us)
