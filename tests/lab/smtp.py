"""A small SMTP client that reports every reply and judges none.

    result = send(port, message, "a@x.example", ["b@y.example"], login="a@x.example")
    assert result.final.code == 550

`login` and `client` are told to Postfix by XCLIENT, which makes the session look as if
that user had authenticated, or that address had connected. Sendmail has no XCLIENT:
there, `auth` logs in for real.

Replies of 4xx and 5xx are results. A server that closes without a reply, or is not
there, raises what smtplib and the socket raise.
"""

import re
import smtplib
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from lab.ports import LOOPBACK

_ENHANCED = re.compile(r"[245]\.\d{1,3}\.\d{1,3}(?=\s|$)")
# Postfix: "2.0.0 Ok: queued as 4Vq..."; Sendmail: "2.0.0 3AO6... Message accepted ...".
_QUEUE_ID = re.compile(r"queued as (\w+)|(\w+) Message accepted")

# Longer than any of the lab's milter timeouts, so the MTA answers first.
_TIMEOUT = 60.0
# Postfix restarts a server that cannot start once a minute; no test needs to know.
_GREETING_TIMEOUT = 20.0


@dataclass(frozen=True, slots=True)
class Reply:
    """What the server said to one command.

    Attributes:
        command: MAIL, RCPT, DATA (the 354), "." (the verdict), XCLIENT, AUTH, …
        code: three digits.
        enhanced: RFC 3463, such as "5.7.1"; "" where there is none.
        text: the rest; lines are joined by newlines.
    """

    command: str
    code: int
    enhanced: str
    text: str

    @property
    def accepted(self) -> bool:
        """Whether the server went along: 2xx, or 3xx as an intermediate step."""
        return self.code < 400


@dataclass(frozen=True, slots=True)
class Result:
    """One transaction.

    Attributes:
        replies: all of them, in order.
        recipients: the reply to each RCPT, by address.
    """

    replies: tuple[Reply, ...]
    recipients: dict[str, Reply]

    @property
    def final(self) -> Reply:
        """The last reply: the verdict, or where the transaction ended."""
        return self.replies[-1]

    @property
    def accepted(self) -> bool:
        """Whether the server took the message."""
        return self.final.command == "." and self.final.accepted

    @property
    def queue_id(self) -> str | None:
        """The id under which the MTA queued the message."""
        found = _QUEUE_ID.search(self.final.text) if self.accepted else None
        return next(filter(None, found.groups())) if found else None

    @property
    def refused(self) -> dict[str, Reply]:
        """The recipients that were refused at RCPT."""
        return {a: r for a, r in self.recipients.items() if not r.accepted}


class Session:
    """An SMTP session, for several messages on one connection.

    Attributes:
        preamble: the replies up to the first transaction.
    """

    def __init__(
        self,
        port: int,
        *,
        login: str | None = None,
        client: str | None = None,
        auth: tuple[str, str] | None = None,
        helo: str = "client.example",
    ) -> None:
        self.preamble: list[Reply] = []
        self._helo = helo
        self._smtp = smtplib.SMTP(local_hostname=helo, timeout=_GREETING_TIMEOUT)
        try:
            self._greet(self._smtp.connect(LOOPBACK, port))
            if login is not None or client is not None:
                self._xclient(login, client)
            if auth is not None:
                self._authenticate(*auth)
        except BaseException:
            self._smtp.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Say QUIT where the server still listens, and hang up."""
        try:
            self._smtp.quit()
        except (smtplib.SMTPServerDisconnected, OSError):
            self._smtp.close()

    def send(self, message: bytes, sender: str, recipients: Sequence[str]) -> Result:
        """Offer one message; `Result` says what became of it."""
        if self.preamble and not self.preamble[-1].accepted:
            return Result(tuple(self.preamble), {})
        utf8 = not (sender + "".join(recipients)).isascii()
        mail = self._reply("MAIL", self._smtp.mail(sender, ["SMTPUTF8"] * utf8))
        if not mail.accepted:
            return self._give_up([mail], {})
        answers = {r: self._reply("RCPT", self._smtp.rcpt(r)) for r in recipients}
        replies = [mail, *answers.values()]
        if not any(answer.accepted for answer in answers.values()):
            return self._give_up(replies, answers)
        replies.append(self._reply("DATA", self._smtp.docmd("DATA")))
        if not replies[-1].accepted:
            return self._give_up(replies, answers)
        self._smtp.send(_on_the_wire(message))
        replies.append(self._reply(".", self._smtp.getreply()))
        return Result(tuple(replies), answers)

    def _give_up(self, replies: list[Reply], answers: dict[str, Reply]) -> Result:
        # 421 closes the session: nothing more may be said (RFC 5321 §3.8).
        if replies[-1].code != 421:
            self._smtp.rset()
        return Result(tuple(replies), answers)

    def _greet(self, greeting: tuple[int, bytes]) -> None:
        if self._smtp.sock is not None:
            self._smtp.sock.settimeout(_TIMEOUT)
        self.preamble.append(self._reply("connect", greeting))
        if self.preamble[-1].accepted:
            self.preamble.append(self._reply("EHLO", self._smtp.ehlo(self._helo)))

    def _xclient(self, login: str | None, client: str | None) -> None:
        words = []
        if client is not None:
            words.append("ADDR=" + ("IPV6:" if ":" in client else "") + client)
        if login is not None:
            words.append(f"LOGIN={_xtext(login)}")
        reply = self._smtp.docmd("XCLIENT", " ".join(words))
        self.preamble.append(self._reply("XCLIENT", reply))
        if self.preamble[-1].accepted:
            # The session begins anew: the MTA has forgotten the first EHLO.
            self.preamble.append(self._reply("EHLO", self._smtp.ehlo(self._helo)))

    def _authenticate(self, user: str, password: str) -> None:
        # RFC 4616: PLAIN, said here and not by smtplib, which would try every mechanism
        # in turn and raise on refusal.
        secret = b64encode(f"\0{user}\0{password}".encode()).decode()
        reply = self._smtp.docmd("AUTH", f"PLAIN {secret}")
        self.preamble.append(self._reply("AUTH", reply))

    def _reply(self, command: str, reply: tuple[int, bytes]) -> Reply:
        code, raw = reply
        lines = raw.decode("utf-8", "replace").split("\n")
        enhanced = _ENHANCED.match(lines[0])
        if enhanced is None:
            return Reply(command, code, "", "\n".join(lines))
        status = enhanced.group()
        text = "\n".join(line.removeprefix(status).lstrip() for line in lines)
        return Reply(command, code, status, text)


def send(
    port: int,
    message: bytes,
    sender: str,
    recipients: Sequence[str],
    *,
    login: str | None = None,
    client: str | None = None,
    auth: tuple[str, str] | None = None,
    helo: str = "client.example",
) -> Result:
    """Offer one message in a session of its own."""
    with Session(port, login=login, client=client, auth=auth, helo=helo) as session:
        return session.send(message, sender, recipients)


def _on_the_wire(message: bytes) -> bytes:
    """End lines by CRLF, stuff dots and add the final one (RFC 5321 §4.5.2).

    A message that has a CRLF anywhere is left as it is: its author meant every byte.
    """
    if b"\r\n" not in message:
        message = message.replace(b"\n", b"\r\n")
    body = re.sub(rb"(?m)^\.", b"..", message)
    return body + (b"" if body.endswith(b"\r\n") else b"\r\n") + b".\r\n"


def _xtext(value: str) -> str:
    """Encode as RFC 3461 §4 does, which is what XCLIENT reads."""
    return "".join(
        chr(byte) if 33 <= byte <= 126 and byte not in b"+=" else f"+{byte:02X}"
        for byte in value.encode()
    )
