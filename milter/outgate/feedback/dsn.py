"""Delivery status notifications: the fields of RFC 3464, with RFC 3463 codes."""

import re
from collections.abc import Iterator, Mapping

from outgate.feedback.causes import cause_of, read_codes, room_for
from outgate.feedback.entity import Fields, normal_lines, read_fields
from outgate.feedback.outcome import Action, Cause, Outcome
from outgate.feedback.prose import reasons
from outgate.feedback.times import read_time
from outgate.model.address import Address, parse_address

# Postfix sends one bounce for each message, which may have more: what is not named here
# is in the log.
MAX_RECIPIENTS = 200
MAX_STATUS_BYTES = 512 * 1024
_STATUS = re.compile(r"([245]\.\d{1,3}\.\d{1,3})(?!\d)")
_XTEXT = re.compile(r"\+([0-9A-F]{2})")
_XTEXT_SIGN = re.compile(r"\+(?:2B|3D|40)")
_ADDRESS = re.compile(r"<([^<>\s]{1,320})>|([^\s<>;,()]{1,320})")
# Their fields are those of the message; all others begin a recipient.
_PER_MESSAGE = frozenset(
    {"reporting-mta", "original-envelope-id", "received-from-mta", "dsn-gateway"}
)
_ACTIONS = {
    "failed": Action.BOUNCED,
    "failure": Action.BOUNCED,
    "expired": Action.EXPIRED,
    "delayed": Action.DEFERRED,
    "deferred": Action.DEFERRED,
    "delivered": Action.DELIVERED,
    "deliverable": Action.DELIVERED,
    "relayed": Action.DELIVERED,
    "expanded": Action.DELIVERED,
}


def status_groups(content: bytes) -> tuple[Fields, list[Fields]]:
    """Fields of the message, and those of each recipient."""
    block = normal_lines(content[:MAX_STATUS_BYTES]).strip(b"\n")
    chunks = [chunk for chunk in re.split(rb"\n[ \t]*\n+", block) if chunk.strip()]
    about = Fields({})
    people: list[Fields] = []
    for chunk in chunks[: MAX_RECIPIENTS + 1]:
        fields = read_fields(chunk)
        if not about.values and _PER_MESSAGE & fields.values.keys():
            about = fields
        if "final-recipient" in fields.values or "original-recipient" in fields.values:
            people.append(fields)
        elif people and not _PER_MESSAGE & fields.values.keys():
            # A blank line in the middle of a recipient's fields.
            merged = dict(fields.values) | dict(people[-1].values)
            people[-1] = Fields(merged)
    return about, people


def read_outcomes(content: bytes, explanation: str) -> Iterator[Outcome]:
    """Each recipient's, of what a `message/delivery-status` part holds.

    Args:
        content: its transfer encoding undone.
        explanation: what the bounce says to people: read where the fields say nothing
            of the cause.
    """
    about, people = status_groups(content)
    said = reasons(explanation)
    room = room_for(len(people))
    for fields in people:
        yield _outcome(
            about, fields, said, room, explanation if len(people) == 1 else ""
        )


def _outcome(
    about: Fields,
    fields: Fields,
    reasons_of: Mapping[Address, str],
    room: int,
    explanation: str,
) -> Outcome:
    final = dsn_address(fields.first("final-recipient"))
    original = dsn_address(fields.first("original-recipient"))
    actual = dsn_address(fields.first("x-actual-recipient"))
    reply = " ".join(
        [*fields.all("diagnostic-code"), *fields.all("x-supplementary-info")]
    )[:room]
    said = reply.partition(";")[2].strip() or reply
    for address in (final, original):
        if not said and address is not None and address in reasons_of:
            said = reasons_of[address][:room].replace(str(address), "").strip()
    found = _STATUS.match(fields.first("status").strip())
    code, reply_status = read_codes(said)
    status = found[1] if found else reply_status
    # `5.0.0` says nothing; the reply may.
    if status.endswith(".0.0") and reply_status[:1] == status[:1]:
        status = reply_status
    action = _action(fields.first("action"), status)
    cause: Cause | None = None
    if action is not Action.DELIVERED:
        cause = cause_of(status, code, said)
        if cause is Cause.OTHER and explanation and _says_nothing(status):
            cause = cause_of(status, code, explanation)
    return Outcome(
        recipient=final or original or actual,
        original_recipient=original if original != final else None,
        action=action,
        cause=cause,
        status=status,
        reply_code=code,
        reply=said,
        relay=fields.first("remote-mta").partition(";")[2].strip()[:255],
        time=read_time(fields.first("last-attempt-date"))
        or read_time(about.first("arrival-date")),
    )


def _says_nothing(status: str) -> bool:
    return not status or status.endswith((".0.0", ".5.0", ".3.0", ".2.0", ".1.0"))


def _action(text: str, status: str) -> Action:
    word = text.strip().partition(" ")[0].rstrip(";,").lower()
    known = _ACTIONS.get(word)
    if known is Action.BOUNCED and status in {"4.4.7", "5.4.7"}:
        return Action.EXPIRED
    if known is not None:
        return known
    if status.startswith("2"):
        return Action.DELIVERED
    return Action.DEFERRED if status.startswith("4") else Action.BOUNCED


def dsn_address(text: str) -> Address | None:
    """Read `rfc822;anne@example.net`, with xtext (RFC 3461 §4); None without one."""
    kind, separator, rest = text.strip()[:1000].partition(";")
    value = rest if separator else kind
    if separator and kind.strip().lower() == "unknown":
        return None
    found = _ADDRESS.search(value.strip())
    if found is None:
        return None
    word = (found[1] or found[2]).strip("\"'")
    if "@" not in word and not separator:
        return None
    # Few encode what they should, so that only sure signs of it are taken for it.
    if _XTEXT_SIGN.search(word):
        word = _XTEXT.sub(_character, word)
    return parse_address(word) if word else None


def _character(found: re.Match[str]) -> str:
    character = chr(int(found[1], 16))
    return character if character.isprintable() else found[0]
