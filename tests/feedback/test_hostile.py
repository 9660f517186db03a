"""Whatever bytes are sent as a report: a value or one typed error, soon and in little room."""

import time
import tracemalloc
from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedback.monsters import MONSTERS
from feedback.reports import arf, dsn, mail
from outgate.feedback.bounce import Bounce, read_bounce
from outgate.feedback.complaint import read_complaint
from outgate.feedback.report import ComplaintReport, UnreadReport

_READERS: list[Callable[[bytes], object]] = [read_complaint, read_bounce]
# Promised are 100 ms; a shared machine may be five times as slow as it was measured.
_SECONDS = 0.5
_BYTES = 50 * 1024 * 1024

_PIECES = st.sampled_from(
    [
        b"From: a@b.example\n",
        b"Subject: Undelivered\n",
        b"Content-Type: multipart/report; boundary=b\n",
        b"Content-Type: message/feedback-report\n",
        b"Content-Type: message/rfc822\n",
        b"Content-Type: message/delivery-status\n",
        b"Content-Type: application/json\n",
        b"Content-Type: text/html; charset=utf-16\n",
        b"Content-Transfer-Encoding: base64\n",
        b"Content-Transfer-Encoding: quoted-printable\n",
        b"Feedback-Type: abuse\n",
        b"Arrival-Date: Thu, 31 Foo 99999 25:61:61 +9999\n",
        b"Source-IP: fe80::1%eth0\n",
        b"Original-Rcpt-To: <@>\n",
        b"Incidents: \xd9\xa3\n",
        b"Final-Recipient: rfc822;+3D@+40\n",
        b"Status: 5.999.999\n",
        b"Received: x; \xff\n",
        b"X-Failed-Recipients: a@b, ,@\n",
        b"-----Original Message-----\n",
        b"<a@b.example>: 550\n",
        b'{"xarf_version": [], "type": "spam", "evidence": [{"payload": 1}]}\n',
        b'{"notificationType": "Complaint", "complaint": 7, "mail": {"headers": [[]]}}\n',
        b'{"notificationType": "Bounce", "bounce": {"bouncedRecipients": [7, {}]}}\n',
        b'{"Type": "Notification", "Message": "{}"}\n',
        b"--b\n",
        b"--b--\n",
        b"\n",
        b"\r\n",
        b"> ",
        b" \t",
        b"=?utf-8?q?=00?=",
        b"QUJD=",
        b"\xef\xbb\xbf",
    ]
)


def given_back(read: Callable[[bytes], object], raw: bytes) -> None:
    with suppress(UnreadReport):
        assert isinstance(read(raw), ComplaintReport | Bounce)


class TestBounds:
    """Time and memory of the worst that we could think of."""

    @pytest.mark.parametrize("name", MONSTERS)
    @pytest.mark.parametrize("read", _READERS, ids=["complaint", "bounce"])
    def test_time(self, name: str, read: Callable[[bytes], object]) -> None:
        """Of the process, so that neighbours do not count."""
        started = time.process_time()
        given_back(read, MONSTERS[name])

        assert time.process_time() - started < _SECONDS

    @pytest.mark.parametrize("name", MONSTERS)
    @pytest.mark.parametrize("read", _READERS, ids=["complaint", "bounce"])
    def test_memory(self, name: str, read: Callable[[bytes], object]) -> None:
        """Beside the bytes themselves."""
        tracemalloc.start()
        try:
            given_back(read, MONSTERS[name])
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()

        assert peak < _BYTES


class TestAnyBytes:
    """A value or `UnreadReport`, and the same again for the same bytes."""

    @given(st.lists(_PIECES | st.binary(max_size=30), max_size=40))
    def test_pieces_in_any_order(self, pieces: list[bytes]) -> None:
        """What means something, where it does not belong."""
        for read in _READERS:
            given_back(read, b"".join(pieces))

    @given(st.binary(max_size=300))
    def test_noise(self, raw: bytes) -> None:
        """Alone, and as the parts of a report."""
        text = raw.decode("latin-1").replace("\n", " ")
        for read in _READERS:
            given_back(read, raw)
            given_back(read, mail(raw, sender="MAILER-DAEMON"))
            given_back(read, arf(f"Feedback-Type: {text}", f"Arrival-Date: {text}"))
            given_back(read, dsn(f"Final-Recipient: {text}\nStatus: {text}"))

    @given(st.integers(min_value=0, max_value=800), st.integers(0, 255))
    def test_one_byte_changed(self, position: int, value: int) -> None:
        """Anywhere in a report that is whole."""
        raw = bytearray(arf("Feedback-Type: abuse", "Source-IP: 192.0.2.1"))
        raw[position % len(raw)] = value

        given_back(read_complaint, bytes(raw))

    @given(st.lists(_PIECES, max_size=20))
    def test_it_is_repeatable(self, pieces: list[bytes]) -> None:
        """Nothing but the bytes decides."""
        raw = b"".join(pieces)
        with suppress(UnreadReport):
            assert read_complaint(raw) == read_complaint(raw)
