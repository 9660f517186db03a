"""What is said in a milter session: events, flags, answers, and who may say what.

The numbers and letters are those of libmilter's mfdef.h, protocol version 6.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

Text: TypeAlias = str | bytes  # str is for what is ASCII anyway
Kind: TypeAlias = Literal["continue", "accept", "reject", "tempfail", "discard", "skip"]


class ProtocolViolation(AssertionError):
    """The filter sent what the protocol does not allow here."""


class MilterLostError(Exception):
    """The filter cannot be reached, has gone, or does not answer in time."""


class Actions(enum.IntFlag):
    """SMFIF_*: what a filter may do to a message at its end."""

    ADDHDRS = 0x01
    CHGBODY = 0x02
    ADDRCPT = 0x04
    DELRCPT = 0x08
    CHGHDRS = 0x10
    QUARANTINE = 0x20
    CHGFROM = 0x40
    ADDRCPT_PAR = 0x80
    SETSYMLIST = 0x100
    ALL = 0x1FF


class Steps(enum.IntFlag):
    """SMFIP_*: events not to be sent, answers not to be awaited, and extras."""

    NONE = 0
    NOCONNECT = 0x01
    NOHELO = 0x02
    NOMAIL = 0x04
    NORCPT = 0x08
    NOBODY = 0x10
    NOHDRS = 0x20
    NOEOH = 0x40
    NR_HDR = 0x80
    NOUNKNOWN = 0x100
    NODATA = 0x200
    SKIP = 0x400
    RCPT_REJ = 0x800
    NR_CONN = 0x1000
    NR_HELO = 0x2000
    NR_MAIL = 0x4000
    NR_RCPT = 0x8000
    NR_DATA = 0x10000
    NR_UNKN = 0x20000
    NR_EOH = 0x40000
    NR_BODY = 0x80000
    HDR_LEADSPC = 0x100000
    NO = NOCONNECT | NOHELO | NOMAIL | NORCPT | NOBODY | NOHDRS | NOEOH
    NR = 0xFF080
    ALL = 0x1FFFFF


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What one side offers, or what both agreed on."""

    version: int
    actions: Actions
    steps: Steps
    symlists: Mapping[int | None, str] = field(default_factory=dict)  # SETSYMLIST


# What an MTA offers when it speaks an older version (Postfix's milter8_event_masks).
OFFERED = {
    2: Steps.NO,
    3: Steps.NO | Steps.NOUNKNOWN,
    4: Steps.NO | Steps.NOUNKNOWN | Steps.NODATA,
    6: Steps.ALL,
}


@dataclass(frozen=True, slots=True)
class Stage:
    """One event of an SMTP session, and the flags that silence it."""

    name: str
    command: bytes
    declined: Steps = Steps.NONE
    unanswered: Steps = Steps.NONE
    macros: int | None = None  # SMFIM_*, the macro list that belongs to the event
    since: int = 2  # protocol version


CONNECT = Stage("connect", b"C", Steps.NOCONNECT, Steps.NR_CONN, 0)
HELO = Stage("helo", b"H", Steps.NOHELO, Steps.NR_HELO, 1)
MAIL = Stage("mail", b"M", Steps.NOMAIL, Steps.NR_MAIL, 2)
RCPT = Stage("rcpt", b"R", Steps.NORCPT, Steps.NR_RCPT, 3)
DATA = Stage("data", b"T", Steps.NODATA, Steps.NR_DATA, 4, since=4)
UNKNOWN = Stage("unknown", b"U", Steps.NOUNKNOWN, Steps.NR_UNKN, since=3)
HEADER = Stage("header", b"L", Steps.NOHDRS, Steps.NR_HDR, 6)
EOH = Stage("eoh", b"N", Steps.NOEOH, Steps.NR_EOH, 6)
BODY = Stage("body", b"B", Steps.NOBODY, Steps.NR_BODY, 5)
EOM = Stage("eom", b"E", macros=5)

# SMFIR_*: requests that come before the verdict, and what they need to have asked for.
EDITS = {
    b"h": Actions.ADDHDRS,
    b"i": Actions.ADDHDRS,
    b"m": Actions.CHGHDRS,
    b"+": Actions.ADDRCPT,
    b"2": Actions.ADDRCPT_PAR,
    b"-": Actions.DELRCPT,
    b"b": Actions.CHGBODY,
    b"e": Actions.CHGFROM,
    b"q": Actions.QUARANTINE,
}
PROGRESS = b"p"
_VERDICTS: dict[bytes, Kind] = {
    b"c": "continue",
    b"a": "accept",
    b"r": "reject",
    b"t": "tempfail",
    b"d": "discard",
    b"s": "skip",
}
# As Postfix checks it: a digit after the code starts an enhanced code of its class.
_REPLY_LINE = re.compile(rb"([45])\d\d[ -](?:\1|\D|$)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """The filter's answer to one event; `text` is its own words, if it had any."""

    kind: Kind
    text: bytes = b""

    @property
    def refuses(self) -> bool:
        return self.kind in {"reject", "tempfail"}

    @property
    def final(self) -> bool:
        """Nothing more is said about this message (or recipient, or session)."""
        return self.kind not in {"continue", "skip"}

    @classmethod
    def parse(cls, command: bytes, payload: bytes, where: str) -> Reply:
        if command == b"y":
            return cls._parse_text(payload, where)

        kind = _VERDICTS.get(command)
        if kind is None:
            raise ProtocolViolation(
                f"{command!r} {payload[:80]!r} is no answer to {where}"
            )
        if payload:
            raise ProtocolViolation(f"{kind} at {where} carries data {payload[:80]!r}")
        return cls(kind=kind)

    @classmethod
    def _parse_text(cls, payload: bytes, where: str) -> Reply:
        if payload[-1:] != b"\0" or b"\0" in payload[:-1]:
            raise ProtocolViolation(f"reply at {where} is no string: {payload!r}")

        # libmilter's callers double the percent sign, because Sendmail uses the text
        # as a format; what the SMTP client reads has one.
        text = payload[:-1].replace(b"%%", b"%")
        lines = text.split(b"\r\n")
        codes = [line[:4] for line in lines]
        expected = [codes[0][:3] + b"-"] * (len(lines) - 1) + [codes[0][:3] + b" "]
        if codes != expected or not all(map(_REPLY_LINE.match, lines)):
            raise ProtocolViolation(f"malformed reply at {where}: {text!r}")
        return cls(kind="tempfail" if text[:1] == b"4" else "reject", text=text)


GO_ON = Reply(kind="continue")


def strings(payload: bytes, least: int, most: int, where: str) -> list[bytes]:
    """From `least` to `most` NUL-terminated strings, the missing ones empty."""
    *parts, rest = payload.split(b"\0")
    if rest or not least <= len(parts) <= most:
        raise ProtocolViolation(f"{where}: expected {most} strings, got {payload!r}")
    return parts + [b""] * (most - len(parts))


def packed(*parts: bytes) -> bytes:
    """NUL-terminated strings."""
    return b"".join(part + b"\0" for part in parts)


def raw(text: Text) -> bytes:
    return text.encode("utf-8", "surrogateescape") if isinstance(text, str) else text
