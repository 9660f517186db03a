"""What goes into a milter session and what comes out: messages and outcomes."""

from __future__ import annotations

import re
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from lab.milterevents import ProtocolViolation, Reply, strings
from lab.miltermacros import Flavour

Action: TypeAlias = Literal[
    "open", "accept", "reject", "tempfail", "discard", "quarantine", "error"
]
Header: TypeAlias = tuple[bytes, bytes]

BODY_CHUNK = 65535  # MILTER_CHUNK_SIZE


_POSTFIX_REPLIES = {
    "reject": b"550 5.7.1 Command rejected",
    "tempfail": b"451 4.7.1 Service unavailable - try again later",
}
DEFAULT_REPLIES: Mapping[Flavour, Mapping[str, bytes]] = {
    "postfix": _POSTFIX_REPLIES,
    "postfix-local": _POSTFIX_REPLIES,
    "sendmail": {
        "reject": b"550 5.7.1 Command rejected",
        "tempfail": b"451 4.3.2 Please try again later",
    },
}


def smtp_text(reply: Reply, flavour: Flavour) -> bytes:
    """What the SMTP client reads; nothing if it is not refused."""
    return reply.text or DEFAULT_REPLIES[flavour].get(reply.kind, b"")


def split_message(raw: bytes) -> tuple[list[Header], bytes]:
    """Header fields and body as an MTA hands them out.

    A folded field is one value with bare newlines inside and its leading space kept;
    the body has CRLF. Like Postfix, the first line that is no field ends the header.
    """
    lines = raw.replace(b"\r\n", b"\n").split(b"\n")
    headers: list[Header] = []
    for at, line in enumerate(lines):
        if headers and line[:1] in {b" ", b"\t"}:
            name, value = headers[-1]
            headers[-1] = (name, value + b"\n" + line)
        elif found := re.match(rb"([!-9;-~]+)[ \t]*:(.*)", line, re.DOTALL):
            headers.append((found[1], found[2]))
        else:
            rest = lines[at:] if line else lines[at + 1 :]
            return headers, b"\r\n".join(rest)
    return headers, b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message; header values keep their leading space, as in `split_message`."""

    sender: bytes = b"<anne@example.org>"
    recipients: Sequence[bytes] = (b"<bob@example.net>",)
    headers: Sequence[Header] = ()
    body: bytes = b""
    mail_args: Sequence[bytes] = ()
    queue_id: str = ""  # empty: the MTA makes one up
    chunk: int = BODY_CHUNK

    @property
    def chunks(self) -> list[bytes]:
        starts = range(0, len(self.body), self.chunk)
        return [self.body[at : at + self.chunk] for at in starts]


@dataclass(slots=True, kw_only=True)
class Outcome:
    """What became of one message; the session fills it in as the filter answers."""

    queue_id: str = ""
    action: Action = "open"
    stage: str = ""  # where it was decided
    reply: bytes = b""  # what the SMTP client reads when it is refused
    reason: str = ""  # of an error
    refused_recipients: dict[bytes, bytes] = field(default_factory=dict)
    added: list[tuple[bytes, bytes, int | None]] = field(default_factory=list)
    changed: list[tuple[int, bytes, bytes]] = field(default_factory=list)
    quarantine_reason: bytes | None = None
    added_recipients: list[tuple[bytes, bytes]] = field(default_factory=list)
    deleted_recipients: list[bytes] = field(default_factory=list)
    new_sender: tuple[bytes, bytes] | None = None
    new_body: bytes | None = None
    elapsed_s: float = 0.0

    @property
    def code(self) -> int | None:
        return int(self.reply[:3]) if self.reply else None

    @property
    def enhanced(self) -> bytes | None:
        found = re.match(rb"\d{3}[ -](\d\.\d{1,3}\.\d{1,3})(?: |$)", self.reply)
        return found[1] if found else None

    def decide(self, reply: Reply, stage: str, reply_text: bytes = b"") -> None:
        """The filter's last word on the message."""
        self.stage, self.reply = stage, reply_text
        match reply.kind:
            case "reject" | "tempfail" | "discard" as refused:
                self.action = refused
            case "continue" | "accept" | "skip":
                held = self.quarantine_reason is not None
                self.action = "quarantine" if held else "accept"

    def fail(self, stage: str, reason: str) -> None:
        self.action, self.stage, self.reason = "error", stage, reason

    def edit(self, command: bytes, payload: bytes) -> None:
        """Keep one modification that the filter asked for."""
        where = f"request {command!r}"
        match command:
            case b"h":
                name, value = strings(payload, 2, 2, where)
                self.added.append((name, value, None))
            case b"i":
                index, name, value = _indexed(payload, where)
                self.added.append((name, value, index))
            case b"m":
                self.changed.append(_indexed(payload, where))
            case b"+":
                (recipient,) = strings(payload, 1, 1, where)
                self.added_recipients.append((recipient, b""))
            case b"2":
                recipient, args = strings(payload, 1, 2, where)
                self.added_recipients.append((recipient, args))
            case b"-":
                self.deleted_recipients += strings(payload, 1, 1, where)
            case b"e":
                sender, args = strings(payload, 1, 2, where)
                self.new_sender = (sender, args)
            case b"b":
                self.new_body = (self.new_body or b"") + payload
            case b"q":
                (self.quarantine_reason,) = strings(payload, 1, 1, where)
            case _:
                raise ProtocolViolation(f"{where} is unknown")


def _indexed(payload: bytes, where: str) -> tuple[int, bytes, bytes]:
    if len(payload) < struct.calcsize(">I"):
        raise ProtocolViolation(f"{where}: no index in {payload!r}")
    (index,) = struct.unpack_from(">I", payload)
    name, value = strings(payload[4:], 2, 2, where)
    if not name:
        raise ProtocolViolation(f"{where}: a header without a name")
    return index, name, value
