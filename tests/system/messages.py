"""Messages for tests on real MTAs; people are from example.org."""

from email.message import EmailMessage

_DATE = "Tue, 24 Nov 2026 10:00:00 +0100"


def letter(subject: str = "lunch", **headers: str) -> bytes:
    """A personal message; `headers` are added, `List_Id` for `List-Id`."""
    message = EmailMessage()
    message["From"] = "Anne <anne@example.org>"
    message["To"] = "bob@example.net"
    message["Subject"] = subject
    message["Date"] = _DATE
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    message.set_content("Shall we?\n")
    return message.as_bytes()


def newsletter(subject: str = "news", *, way_out: bool = True) -> bytes:
    """Declared bulk mail, with or without a way to unsubscribe."""
    extra = {"List_Unsubscribe": "<mailto:leave@example.org>"} if way_out else {}
    return letter(subject, Precedence="bulk", **extra)
