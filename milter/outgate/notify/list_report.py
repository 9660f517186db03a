"""The report to a list's maintainer: who lacks a consent, and whether his form is abused.

It has numbers, and never a recipient: who they are stands in the list's own software,
beside what `outgate evidence import` says of each row.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from email.message import EmailMessage

from outgate.notify.letter import counted, letter
from outgate.policy.operator import format_moment


@dataclass(frozen=True, slots=True, kw_only=True)
class Reported:
    """One list, as its mail was lately.

    Attributes:
        contact: who is told.
        uncovered: recipients without a consent; one counts as often as he was mailed.
        people: all recipients outside.
        withdrawn: of those, how many have left.
        held: messages that were held for it.
        bombed: requests to confirm that were stopped, since one address had several.
        since_us: when the first of them came.
        until_us: from when on such mail is held; 0 where it is now.
        before: uncovered and all of the report before, None for none.
    """

    contact: str
    customer: str
    list_id: str
    uncovered: int
    people: int
    withdrawn: int
    held: int
    since_us: int
    until_us: int = 0
    before: tuple[int, int] | None = None
    bombed: int = 0


def render(
    reported: Sequence[Reported], *, sender: str, to: str, now_us: int
) -> EmailMessage:
    """Write the report of these lists to one address.

    Raises:
        MtaError: the address, which may be a login that holds an `@`, is none.
    """
    lacking = [one for one in reported if one.people]
    bombed = [one for one in reported if one.bombed]
    lines = []
    if lacking:
        lines += _lacking(lacking, now_us)
    if lacking and bombed:
        lines.append("")
    if bombed:
        lines += _bombed(bombed)
    lists = counted(len(reported), "mailing list")
    subject = f"{lists} without opt-ins on file"
    if not lacking:
        subject = f"{lists} with a form that somebody abuses"
    return letter(subject, lines, sender=sender, to=to, now_us=now_us)


def _lacking(reported: Sequence[Reported], now_us: int) -> list[str]:
    lines = [
        "No confirmed opt-in is on file for recipients of these mailing lists:",
        "",
    ]
    for one in reported:
        lines.append(
            f"  {one.list_id}: {one.uncovered} of {one.people} recipients since "
            f"{format_moment(one.since_us)}"
        )
        if one.before is not None:
            lines.append(
                f"      in the report before: {one.before[0]} of {one.before[1]}"
            )
        if one.withdrawn:
            lines.append(
                f"      {one.withdrawn} more have withdrawn, and did not get it"
            )
        if one.held:
            lines.append(f"      {counted(one.held, 'message')} held for it")
        lines.append(
            f"      until {format_moment(one.until_us)} such mail passes; then it is held"
            if one.until_us > now_us
            else "      such mail is held"
        )
    return [
        *lines,
        "",
        "Import the evidence that your list software has of each subscription, ask these",
        "recipients to confirm, or take them off the list. An unsubscribe link is no consent.",
    ]


def _bombed(reported: Sequence[Reported]) -> list[str]:
    return [
        "Requests to confirm were stopped, since one address had several within a day:",
        "",
        *(
            f"  {one.list_id}: {counted(one.bombed, 'request')} since "
            f"{format_moment(one.since_us)}"
            for one in reported
        ),
        "",
        "Somebody has a program enter addresses into the forms of these lists, to bury",
        "their owners under mail: put a CAPTCHA before each form.",
    ]
