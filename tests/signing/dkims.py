"""Messages signed as a worker signs them, and keys to sign with."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import dkim

from lab.miltermail import BODY_CHUNK, split_message
from outgate.model.dkim import SIGNATURE_HEADER, Algorithm
from outgate.mta.effects import Effects
from outgate.mta.session import MilterSession, Socket, wanted_headers
from outgate.policy.compiled import Policy
from outgate.policy.decision import Decision
from outgate.policy.dkim_settings import DkimSettings, SignatureSettings
from outgate.policy.gate import Gate
from outgate.signing.dkim import DkimSigner
from outgate.signing.dkim_book import Book, read_book
from outgate.signing.dkim_keys import DkimKey, make_key
from policy.builders import Outpost, a_policy

OWN = "Outgate-Verdict"
RSA, ED25519 = Algorithm.RSA_SHA256, Algorithm.ED25519_SHA256
EVERYBODY = (SignatureSettings(domain="*", customers=("*",)),)
_FOLDED = re.compile(rb"\r?\n")


@cache
def a_key(algorithm: Algorithm = RSA, number: int = 0) -> DkimKey:
    """The same one for the same arguments: making one costs a tenth of a second."""
    del number
    return make_key(algorithm)


def write_tables(
    directory: Path, keys: Mapping[str, DkimKey], signing: str, key_table: str = ""
) -> DkimSettings:
    """Keys by `domain:selector`, each named like that, and a refile."""
    lines = [key_table]
    for name, key in keys.items():
        path = directory / f"{name.replace(':', '.').replace('%', 'any')}.pem"
        key.write(path)
        lines.append(f"{name.replace(':', '.')} {name}:{path}\n")
    (directory / "KeyTable").write_text("".join(lines))
    (directory / "SigningTable").write_text(signing)
    return DkimSettings(
        key_table=str(directory / "KeyTable"),
        signing_table=f"refile:{directory / 'SigningTable'}",
    )


def a_book(keys: Mapping[str, DkimKey], signing: str) -> Book:
    with TemporaryDirectory() as directory:
        book = read_book(write_tables(Path(directory), keys, signing))
    assert book is not None
    return book


BOTH = {"example.org:2026a": a_key(RSA), "example.org:2026e": a_key(ED25519)}
BOTH_SIGN = "*@example.org example.org.2026a\n*@example.org example.org.2026e\n"
ANY = {"%:2026a": a_key(RSA), "%:2026e": a_key(ED25519)}
ANY_SIGN = "* %.2026a\n* %.2026e\n"


@dataclass(slots=True)
class Signed:
    """One message and what became of it.

    Attributes:
        message: as it leaves, with CRLF.
    """

    message: bytes
    decision: Decision
    effects: Effects

    @property
    def results(self) -> list[str]:
        return [one.result.value for one in self.decision.signatures]


class Desk:
    """A gate that signs, and a session of an MTA in front of it."""

    def __init__(
        self,
        book: Book | None = None,
        *,
        policy: Policy | None = None,
        settings: DkimSettings | None = None,
        signatures: Sequence[SignatureSettings] = EVERYBODY,
        socket: Socket | None = None,
    ) -> None:
        self.book = book or a_book(BOTH, BOTH_SIGN)
        self.post = Outpost(policy or a_policy())
        self.failures: list[Exception] = []
        self.signer = DkimSigner(
            self.book,
            self.post.policy,
            settings or DkimSettings(),
            tuple(signatures),
            lambda _, error: self.failures.append(error),
        )
        self.gate = Gate(
            self.post.policy,
            self.post.store,
            self.post.host,
            self.post.clock,
            (self.post,),
            signer=self.signer,
        )
        self.session = MilterSession(
            socket or Socket(),
            self.gate,
            wanted_headers(OWN, self.signer.headers),
            OWN,
        )
        self.session.connect("192.0.2.7", "Postfix 3.7", "mx.example.org")

    def send(
        self,
        message: bytes,
        *,
        login: str = "anne@example.org",
        chunk: int = BODY_CHUNK,
    ) -> Signed:
        """Show a message and do to it what the MTA is told."""
        headers, body = split_message(message)
        self.session.mail((b"<anne@example.org>",), login, "")
        self.session.recipient((b"<bob@example.net>",))
        for name, value in headers:
            self.session.header(name.decode(), value.removeprefix(b" "))
        for at in range(0, len(body), chunk):
            if self.session.body(body[at : at + chunk]):
                break
        effects = self.session.end_of_message("4XyZ1a2b3c")
        return Signed(_apply(effects, headers, body), self.post.seen[-1], effects)

    def dnsfunc(self, name: bytes, timeout: float = 5) -> bytes | None:
        """What the DNS publishes of these keys."""
        del timeout
        selector, _, domain = name.decode().rstrip(".").partition("._domainkey.")
        for one in self.book.keys.values():
            if one.selector == selector and one.domain in {domain, "%"}:
                return one.key.record.encode()
        return None

    def verifies(self, message: bytes) -> list[bool]:
        """Each signature of ours from the top, as dkimpy sees it."""
        count = len(self.post.seen[-1].signatures)
        return [self._verifies(message, index) for index in range(count)]

    def _verifies(self, message: bytes, index: int) -> bool:
        try:
            return bool(dkim.DKIM(message).verify(index, dnsfunc=self.dnsfunc))
        except dkim.DKIMException:
            return False


def _signatures(message: bytes) -> list[bytes]:
    headers, _ = split_message(message)
    return [
        value
        for name, value in headers
        if name.lower() == SIGNATURE_HEADER.lower().encode()
    ]


def tags(message: bytes, index: int = 0) -> dict[str, str]:
    """The tags of a signature, without white space."""
    pieces = _signatures(message)[index].decode().split(";")
    pairs = (piece.partition("=") for piece in pieces)
    return {name.strip(): "".join(value.split()) for name, _, value in pairs}


def _apply(
    effects: Effects, headers: Iterable[tuple[bytes, bytes]], body: bytes
) -> bytes:
    gone = {name.lower().encode() for name, _ in effects.remove}
    kept = [pair for pair in headers if pair[0].lower() not in gone]
    kept += [(name.encode(), b" " + value.encode()) for name, value in effects.add]
    ours = [(SIGNATURE_HEADER.encode(), b" " + one.encode()) for one in effects.sign]
    block = b"".join(b"%b:%b\n" % pair for pair in [*ours, *kept])
    if body and not body.endswith(b"\r\n"):
        # SMTP has no other last line.
        body += b"\r\n"
    return _FOLDED.sub(b"\r\n", block) + b"\r\n" + body
