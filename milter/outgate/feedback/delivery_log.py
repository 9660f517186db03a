"""Delivery lines of Postfix and Sendmail: what became of whom.

    postfix/smtp[1]: 4gTz…: to=<anne@example.net>, orig_to=<a@…>, relay=mx[192.0.2.1]:25,
        delay=1, delays=0/0/1/0, dsn=5.1.1, status=bounced (host mx said: 550 5.1.1 …)
    sm-mta[1]: uAP1…: to=<anne@example.net>,<bart@…>, ctladdr=<www@…> (33/33),
        delay=00:00:01, …, dsn=5.1.1, reply=550 5.1.1 …, stat=User unknown

A sender chooses the addresses in such a line and the other side the reply, so either may
write `status=sent` there. The line is therefore read from left to right by the order in
which the MTA writes it: an address ends where its quotes let it, and the reply is the
rest, whatever it contains.
"""

import re
from collections.abc import Iterator
from datetime import datetime

from outgate.feedback.causes import cause_of, read_codes
from outgate.feedback.outcome import MAX_REPLY_CHARACTERS, Action, Cause, Outcome
from outgate.feedback.syslog import LogLine, read_line
from outgate.model.address import Address, NullSender, parse_path

# Instances differ in what stands before the slash: `postfix-submission/smtp`,
# `postfix/relay/smtp`.
_POSTFIX_TAG = re.compile(
    r"[A-Za-z0-9_.-]{1,40}(?:/[A-Za-z0-9_.-]{1,20})?/"
    r"(?:smtp|lmtp|local|virtual|pipe|error|retry|discard|relay|qmgr)"
)
_SENDMAIL_TAG = re.compile(r"(?:sendmail|sm-mta|sm-msp-queue|sm-[a-z-]{1,20})")
_QUEUE_ID = r"(?P<id>[0-9A-Za-z]{5,24}): "
# Quoted strings as a whole (RFC 5321 §4.1.2), so that a `>` inside ends nothing.
_PATH = r'<(?:"(?:[^"\\]|\\.){0,640}"|[^<>"]){0,640}>'
_POSTFIX_TAIL = (
    r"(?:, orig_to=(?P<orig>" + _PATH + r"))?"
    r", relay=(?P<relay>[^\s,]{1,300}(?: [^\s,=]{1,100})?)"
    # conn_use, delay, delays, and what newer versions add.
    r"(?:, (?!dsn=|status=)[a-z_]{1,20}=[^\s,]{1,100}){1,8}"
    r", dsn=(?P<dsn>[245]\.\d{1,3}\.\d{1,3})"
    r", status=(?P<status>[a-z-]{1,20})"
    # A line that was cut has no end.
    r"(?: \((?P<reply>.*))?"
)
_POSTFIX = re.compile(
    _QUEUE_ID + r"to=(?P<to>" + _PATH + r")" + _POSTFIX_TAIL, re.DOTALL
)
# A second one in the reply: the reply quotes a log, or an address that was written
# without its quotes (`info_log_addr_form = internal`, and Postfix before 3.5) hides it.
_SECOND = re.compile(
    r">(?:, orig_to=<[^\n]{0,700}>)?, relay=[^,]{1,400}, (?:conn_use=\d+, )?delay="
)
_EXPIRED = re.compile(
    _QUEUE_ID
    + r"from=(?P<from>"
    + _PATH
    + r"), status=(?:force-)?expired, returned to sender"
)
_SENDMAIL = re.compile(
    _QUEUE_ID
    + r"to=(?P<to>(?:"
    + _PATH
    + r'|"(?:[^"\\]|\\.){0,640}"[^\s,<>"]{0,320}|[^\s,<>"]{1,640})'
    + r"(?:,(?:"
    + _PATH
    + r'|[^\s,<>"]{1,640})){0,999})'
    + r"(?:, ctladdr=(?:"
    + _PATH
    + r"|[^\s,<>]{1,640})(?: \(\d{1,10}/\d{1,10}\))?)?"
    + r"(?P<tail>(?:, (?:delay|xdelay|mailer|pri|relay|dsn|quarantine|tls_verify)"
    + r"=[^,]{0,400}){1,10})"
    + r"(?:, reply=(?P<reply>.*))?, stat=(?P<stat>.*)",
    re.DOTALL,
)
_SENDMAIL_DSN = re.compile(r", dsn=([245]\.\d{1,3}\.\d{1,3})")
_SENDMAIL_RELAY = re.compile(r", relay=([^,]{1,300})")
_ONE_PATH = re.compile(_PATH + r'|"(?:[^"\\]|\\.){0,640}"[^\s,<>"]*|[^\s,<>"]+')
_GIVEN_UP = re.compile(
    r"(?i)(?:message could not be delivered|cannot send message) (?:for|within) "
)
_POSTFIX_ACTIONS = {
    "sent": Action.DELIVERED,
    "bounced": Action.BOUNCED,
    "deferred": Action.DEFERRED,
    "expired": Action.EXPIRED,
    "force-expired": Action.EXPIRED,
}
# Longer lines are cut by the MTA itself; patterns above are linear in them.
_MAX_MESSAGE_CHARACTERS = 8192


def read_delivery(line: bytes, reference: datetime) -> tuple[Outcome, ...]:
    """Read one line of a mail log; an empty tuple where it is about something else.

    Args:
        line: as in the file, without its end.
        reference: as `syslog.read_line` wants it.
    """
    read = read_line(line, reference)
    if read is None:
        return ()
    message = read.message[:_MAX_MESSAGE_CHARACTERS]
    if _POSTFIX_TAG.fullmatch(read.tag):
        return tuple(_postfix(message, read))
    if _SENDMAIL_TAG.fullmatch(read.tag):
        return tuple(_sendmail(message, read))
    return ()


def _postfix(message: str, line: LogLine) -> Iterator[Outcome]:
    found = _POSTFIX.fullmatch(message)
    if found is None:
        yield from _expired(message, line)
        return
    action = _POSTFIX_ACTIONS.get(found["status"])
    if action is None:  # a probe of an address, or something new
        return
    reply = (found["reply"] or "").removesuffix(")")
    to, original = _address(found["to"]), _address(found["orig"])
    yield _outcome(
        line,
        to,
        action=action,
        status=found["dsn"],
        reply=reply,
        queue_id=found["id"],
        relay=found["relay"],
        original=original,
        is_ambiguous=_SECOND.search(reply) is not None,
    )


def _expired(message: str, line: LogLine) -> Iterator[Outcome]:
    """Of the whole message: whom it did not reach is in the lines before."""
    found = _EXPIRED.fullmatch(message)
    if found is not None and line.tag.endswith("/qmgr"):
        yield _outcome(line, None, action=Action.EXPIRED, queue_id=found["id"])


def _sendmail(message: str, line: LogLine) -> Iterator[Outcome]:
    found = _SENDMAIL.fullmatch(message)
    if found is None:
        return
    stat = found["stat"]
    dsn = _SENDMAIL_DSN.search(found["tail"])
    status = dsn[1] if dsn else ""
    action = _sendmail_action(stat, status)
    if action is None:
        return
    relay = _SENDMAIL_RELAY.search(found["tail"])
    for path in _ONE_PATH.findall(found["to"]):
        yield _outcome(
            line,
            _address(path),
            action=action,
            status=status,
            reply=f"{found['reply']} ({stat})" if found["reply"] else stat,
            queue_id=found["id"],
            relay=relay[1].strip() if relay else "",
        )


def _sendmail_action(stat: str, status: str) -> Action | None:
    """By the code, which stands before all that the other side wrote."""
    match status[:1]:
        case "2":
            return Action.DELIVERED
        case "4" | "5" if _GIVEN_UP.match(stat):
            return Action.EXPIRED
        case "4":
            return Action.DEFERRED
        case "5":
            return Action.BOUNCED
        case _:  # `stat=queued`: it has not been tried
            return None


def _outcome(
    line: LogLine,
    recipient: Address | None,
    *,
    action: Action,
    queue_id: str,
    status: str = "",
    reply: str = "",
    relay: str = "",
    original: Address | None = None,
    is_ambiguous: bool = False,
) -> Outcome:
    said = reply[:MAX_REPLY_CHARACTERS]
    if recipient is not None:
        said = said.replace(str(recipient), "")
    code, reply_status = read_codes(said)
    cause: Cause | None = None
    if action is not Action.DELIVERED:
        cause = cause_of(status or reply_status, code, said)
    return Outcome(
        recipient=recipient,
        original_recipient=original if original != recipient else None,
        action=action,
        cause=cause,
        status=status or reply_status,
        reply_code=code,
        reply=said,
        queue_id=queue_id,
        relay="" if relay == "none" else relay,
        time=line.time,
        is_ambiguous=is_ambiguous,
    )


def _address(path: str | None) -> Address | None:
    if not path:
        return None
    read = parse_path(path.encode("utf-8", "replace"))
    return None if isinstance(read, NullSender) else read
