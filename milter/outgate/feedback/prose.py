"""Bounces in prose: qmail, Exim, Exchange, Yahoo, OpenSMTPD, old Sendmail, and others.

One way for all: in the text before the copy of the message, a line that begins with an
address names a recipient, and what stands behind it, up to the next such line or a blank
one, says why. Exim and Google name the recipients in a header, too.

Limits: languages are those of MTAs; a bounce that names nobody at the beginning of a
line is filed.
"""

import re
from collections.abc import Iterator
from itertools import islice

from outgate.feedback.causes import cause_of, read_codes, room_for
from outgate.feedback.entity import Entity
from outgate.feedback.outcome import MAX_REPLY_CHARACTERS, Action, Cause, Outcome
from outgate.model.address import Address, parse_address

MAX_RECIPIENTS = 100
_MAX_LINES = 2000
_MAX_LINE_CHARACTERS = 1000
_COPY = re.compile(
    r"(?im)^[ \t]*+-*+[ \t]*+(?:below this line is a copy|this is a copy of|"
    r"below is a copy of|unsent message|original message|message header|"
    r"(?:the )?(?:headers?|original message) follows?|"
    r"returned message|forwarded message|message headers follow|included is a copy|"
    r"undelivered message|received:|return-path:)"
)
_NAMED = re.compile(
    r"[ \t>*-]*+(?:\d{3}[ -](?:\d\.\d\.\d+ )?)?"
    r"(?:(?!(?:to|cc|bcc|from|sender|reply-to|return-path|message-id|date):)"
    r"[A-Za-z0-9' -]{0,40}[:;][ \t]*)?"
    r"(?P<open><)?(?:mailto:)?"
    r"(?P<address>(?:\"[^\"\n]{1,64}\"|[^\s<>\"(),:;\[\]@]{1,128})@[A-Za-z0-9._-]{1,253})"
    r"(?(open)>|)(?P<rest>[^\n]*)",
    re.IGNORECASE,
)
# Where no line begins with one: as some say it in a sentence.
_IN_SENTENCE = re.compile(
    r"(?i)(?:(?:delivering|deliver) your (?:mail|message) to|delivered to:?|attempts:"
    r"|errors:|rejected recipient|rcpt to:|recipients?:|undeliverable to)\s{0,4}<?"
    r"([^\s<>\"(),:;\[\]@]{1,128}@[A-Za-z0-9._-]{1,253})"
)
_DELAYED = re.compile(
    r"(?i)delayed|has not (?:yet )?been delivered|warning: (?:could not send|message)"
    r"|temporary failure|will (?:be retried|keep trying|continue)|not need to re-?send"
)
_EXPIRED = re.compile(
    r"(?i)message expired|retry time ?out|too old|expired after|gave up after"
    r"|could not send message for|cannot send message (?:for|within)"
    r"|have been failing for|queue too long|retry timeout exceeded"
)
_DOMAIN_LITERAL = re.compile(r"\d+\.\d+\.\d+\.\d+\Z")


def read_prose(entity: Entity, text: str, own: Address | None) -> Iterator[Outcome]:
    """Recipients that are named, each once.

    Args:
        entity: the bounce, for its headers.
        text: what it says.
        own: whom the bounce goes to: names a recipient only where nobody else is.
    """
    copy = _COPY.search(text)
    notice = text[: copy.start()] if copy is not None else text
    failed = _failed_recipients(entity)
    found = reasons(notice)
    if not found:
        for hit in islice(_IN_SENTENCE.finditer(notice), MAX_RECIPIENTS):
            found[parse_address(hit[1].rstrip("."))] = notice
    if failed:
        found = {address: found.get(address) or notice for address in failed}
    elif own in found and len(found) > 1:
        del found[own]
    room = room_for(len(found))
    for address, reason in found.items():
        yield _outcome(address, reason[:room], notice, is_alone=len(found) == 1)


def _failed_recipients(entity: Entity) -> list[Address]:
    found: dict[Address, None] = {}
    for value in entity.headers.get("x-failed-recipients", ())[:20]:
        for word in value[:8192].decode("utf-8", "backslashreplace").split(","):
            address = parse_address(word.strip(" \t\r\n<>"))
            if address.domain:
                found[address] = None
    return list(found)[:MAX_RECIPIENTS]


def reasons(notice: str) -> dict[Address, str]:
    """Whom a notice names at the beginning of lines, and what it says of each."""
    found: dict[Address, str] = {}
    for address, reason in _named(notice):
        if len(found) >= MAX_RECIPIENTS:
            break
        before = found.get(address, "")
        found[address] = f"{before} {reason}"[: 2 * MAX_REPLY_CHARACTERS]
    return found


def _named(notice: str) -> Iterator[tuple[Address, str]]:
    address: Address | None = None
    reason: list[str] = []
    has_blank = False
    for line in notice.split("\n", _MAX_LINES)[:_MAX_LINES]:
        shown = line[:_MAX_LINE_CHARACTERS]
        match = _NAMED.match(shown)
        if match is not None and not _DOMAIN_LITERAL.search(match["address"]):
            if address is not None:
                yield address, "\n".join(reason)
            address = parse_address(match["address"].rstrip("."))
            reason = [shown]
            has_blank = False
        elif address is None:
            continue
        elif shown.strip():
            # Some leave a line free between the address and why.
            if has_blank and len(reason) > 1:
                yield address, "\n".join(reason)
                address = None
            else:
                reason.append(shown.strip())
        else:
            has_blank = True
    if address is not None:
        yield address, "\n".join(reason)


def _outcome(address: Address, reason: str, notice: str, *, is_alone: bool) -> Outcome:
    reply = reason[:MAX_REPLY_CHARACTERS]
    # The address itself says nothing, and may contain any word.
    said = reply.replace(str(address), "")
    code, status = read_codes(said)
    cause = cause_of(status, code, said)
    if cause is Cause.OTHER and is_alone:
        wider = notice.replace(str(address), "")
        code, status = (code, status) if code or status else read_codes(wider)
        cause = cause_of(status, code, wider)
    action = Action.BOUNCED
    if _EXPIRED.search(said) or (is_alone and _EXPIRED.search(notice)):
        action = Action.EXPIRED
    elif _DELAYED.search(notice[:4096]):
        action = Action.DEFERRED
    return Outcome(
        recipient=address,
        action=action,
        cause=cause,
        status=status,
        reply_code=code,
        reply=said.strip(),
    )
