"""The milter wire format as the MTA sees it: packets over one socket.

A packet is a 32-bit big-endian length, one command byte and a payload of length - 1
bytes; strings end with NUL; nothing is text, so everything here is bytes. Packets out
are collected until somebody waits for an answer, as Postfix does.

A closed or silent peer is `MilterLostError`, which a real MTA lives through; a packet
that no real MTA would understand is `ProtocolViolation`, which no filter may cause.
"""

from __future__ import annotations

import socket
import struct
import time
from typing import Literal, TypeAlias

from lab.milterevents import (
    Actions,
    MilterLostError,
    ProtocolViolation,
    Steps,
    Terms,
    packed,
)

Packet: TypeAlias = tuple[Literal["<", ">"], bytes, bytes]  # way, command, payload

MAX_PACKET = 1 << 26  # replacement bodies come in chunks of 64 KiB; this is generous
WRITE_BUFFER = 4096  # Postfix's VSTREAM_BUFSIZE


def dial(address: str, timeout: float) -> socket.socket:
    """Connect to unix:/path or inet:host:port."""
    scheme, _, rest = address.partition(":")
    if scheme == "unix":
        made = socket.socket(socket.AF_UNIX)
        # With settimeout() a full backlog is an error at once; this waits for a place.
        wait = struct.pack("ll", *divmod(int(timeout * 1e6), 1_000_000))
        made.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, wait)
        try:
            made.connect(rest)
        except OSError:
            made.close()
            raise
        made.settimeout(timeout)
        return made
    if scheme == "inet":
        host, _, port = rest.rpartition(":")
        made = socket.create_connection((host.strip("[]"), int(port)), timeout)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return made
    raise ValueError(f"{address}: expected unix:/path or inet:host:port")


class Wire:
    """Packets over one socket; `transcript` collects them as (direction, ...)."""

    def __init__(
        self, peer: socket.socket, transcript: list[Packet] | None = None
    ) -> None:
        self.socket = peer
        self._transcript = transcript
        self._out = bytearray()
        self._in = bytearray()

    def put(self, command: bytes, payload: bytes = b"") -> None:
        if self._transcript is not None:
            self._transcript.append((">", command, payload))
        self._out += struct.pack(">I", len(payload) + 1) + command + payload
        if len(self._out) >= WRITE_BUFFER:
            self.flush()

    def flush(self) -> None:
        waiting, self._out = self._out, bytearray()
        try:
            self.socket.sendall(waiting)
        except OSError as error:
            raise MilterLostError(f"cannot write: {error}") from error

    def read(self, timeout: float) -> tuple[bytes, bytes]:
        deadline = time.monotonic() + timeout
        while (packet := self.waiting()) is None:
            self.socket.settimeout(max(deadline - time.monotonic(), 0.001))
            try:
                got = self.socket.recv(1 << 16)
            except TimeoutError:
                raise MilterLostError(f"no answer within {timeout} s") from None
            except OSError as error:
                raise MilterLostError(f"cannot read: {error}") from error
            finally:
                self.socket.settimeout(timeout)
            if not got:
                raise MilterLostError("the filter closed the connection")
            self._in += got
        return packet

    def waiting(self) -> tuple[bytes, bytes] | None:
        """Take the next packet that has been received already."""
        if len(self._in) < struct.calcsize(">I"):
            return None
        (length,) = struct.unpack_from(">I", self._in)
        if not 1 <= length <= MAX_PACKET:
            raise ProtocolViolation(f"a packet of {length} bytes")
        if len(self._in) < 4 + length:
            return None
        command, payload = bytes(self._in[4:5]), bytes(self._in[5 : 4 + length])
        del self._in[: 4 + length]
        if self._transcript is not None:
            self._transcript.append(("<", command, payload))
        return command, payload

    def refuse_unasked(self, when: str) -> None:
        """Take nothing that has arrived although no answer was due."""
        timeout = self.socket.gettimeout()
        self.socket.settimeout(0)
        try:
            self._in += self.socket.recv(1 << 16)
        except OSError:
            pass  # nothing there, or the peer has gone: the next read says so
        finally:
            self.socket.settimeout(timeout)
        if (packet := self.waiting()) is not None:
            raise ProtocolViolation(f"nobody awaited {packet} {when}")


def negotiate(live: Wire, offer: Terms, timeout: float) -> Terms:
    """Make the offer, and read what the filter picks from it."""
    live.put(b"O", struct.pack(">III", offer.version, offer.actions, offer.steps))
    live.flush()
    command, payload = live.read(timeout)
    if command != b"O" or len(payload) < struct.calcsize(">III"):
        raise ProtocolViolation(f"{command!r} {payload!r} answers the offer")

    version, actions, steps = struct.unpack_from(">III", payload)
    # As plain numbers: the complement of a flag has no unknown bits.
    more = actions & ~int(offer.actions) or steps & ~int(offer.steps)
    if more or version > offer.version:
        raise ProtocolViolation(
            f"picked {version} {actions:#x} {steps:#x}, which was not offered: {offer}"
        )
    symlists: dict[int | None, str] = {}
    rest = payload[struct.calcsize(">III") :]
    while rest:
        (stage,) = struct.unpack_from(">I", rest)
        names, _, rest = rest[4:].partition(b"\0")
        symlists[stage] = names.decode()
    return Terms(
        version=version,
        actions=Actions(actions),
        steps=Steps(steps),
        symlists=symlists,
    )


def peer_payload(
    hostname: bytes, client: tuple[str, int] | None, ipv6_prefix: str
) -> bytes:
    """The SMTP client as SMFIC_CONNECT describes it."""
    if client is None:
        return hostname + b"\0U"
    address, port = client
    family = b"6" if ":" in address else b"4"
    if family == b"6":
        address = ipv6_prefix + address
    return (
        hostname + b"\0" + family + struct.pack(">H", port) + packed(address.encode())
    )
