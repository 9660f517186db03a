"""Reports as feeds send them, written here after the real ones."""

from collections.abc import Iterable

MESSAGE = b"""\
Received: from mx.example.net (mx.example.net [192.0.2.7]) by mta.example.org; Tue, 24 Nov 2026 06:00:00 +0000
From: Anne <anne@example.com>
To: bart@example.org
Subject: Offer
Message-ID: <1@example.com>

Buy this.
"""


def arf(
    *fields: str,
    sender: str = "abuse@example.org",
    subject: str = "FW: Offer",
    message: bytes | None = MESSAGE,
    kind: str = "message/rfc822",
    container: str = "multipart/report; report-type=feedback-report",
    identity: str = "<r1@example.org>",
    extra: str = "",
) -> bytes:
    """A feedback report with these fields."""
    parts = [
        b"Content-Type: text/plain\n\nThis is an abuse report.\n",
        b"Content-Type: message/feedback-report\n\n" + lines(fields),
    ]
    if message is not None:
        parts.append(b"Content-Type: " + kind.encode() + b"\n\n" + message)
    head = (
        f"From: {sender}\nTo: abuse@example.com\nSubject: {subject}\n"
        f"Date: Tue, 24 Nov 2026 07:00:00 +0000\nMessage-ID: {identity}\n{extra}"
        f'MIME-Version: 1.0\nContent-Type: {container}; boundary="=_b"\n\n'
    )
    return (
        head.encode()
        + b"".join(b"--=_b\n" + part + b"\n" for part in parts)
        + b"--=_b--\n"
    )


def lines(fields: Iterable[str]) -> bytes:
    """Fields as they stand in a part."""
    return "".join(f"{field}\n" for field in fields).encode()


def mail(
    body: str | bytes,
    *,
    sender: str = "carol@example.org",
    subject: str = "Fwd: Offer",
    kind: str = "text/plain",
    extra: str = "",
) -> bytes:
    """A mail with one part."""
    head = (
        f"From: {sender}\nTo: abuse@example.com\nSubject: {subject}\n"
        f"Message-ID: <m1@example.org>\n{extra}Content-Type: {kind}\n\n"
    )
    return head.encode() + (body if isinstance(body, bytes) else body.encode())


def dsn(
    *people: str, text: str = "", about: str = "Reporting-MTA: dns; mx.example.com"
) -> bytes:
    """A delivery status notification; each person is a block of fields."""
    status = "\n\n".join([about, *people])
    return (
        "From: MAILER-DAEMON@mx.example.com\nTo: news-bounces+bart=example.org@example.com\n"
        "Subject: Undelivered Mail Returned to Sender\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\n\n'
        f"--b\nContent-Type: text/plain\n\n{text}\n"
        f"--b\nContent-Type: message/delivery-status\n\n{status}\n"
        "--b\nContent-Type: text/rfc822-headers\n\n"
        "From: anne@example.com\nMessage-ID: <1@example.com>\n--b--\n"
    ).encode()
