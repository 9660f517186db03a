"""The macros of Postfix and Sendmail: which they send when, and with what values.

Lists and moments are those of Postfix 3.7 and Sendmail 8.17 with their default
configuration, after recordings of the real ones and after their sources.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, TypeAlias

from lab.milterevents import (
    BODY,
    CONNECT,
    DATA,
    EOH,
    EOM,
    HEADER,
    HELO,
    MAIL,
    RCPT,
    Stage,
    Terms,
)

Flavour: TypeAlias = Literal["postfix", "postfix-local", "sendmail"]

_POSTFIX_MACROS = {
    CONNECT.macros: "j {daemon_name} {daemon_addr} v _",
    HELO.macros: "{tls_version} {cipher} {cipher_bits} {cert_subject} {cert_issuer}",
    MAIL.macros: "i {auth_type} {auth_authen} {auth_author}"
    " {mail_addr} {mail_host} {mail_mailer}",
    RCPT.macros: "i {rcpt_addr} {rcpt_host} {rcpt_mailer}",
    DATA.macros: "i",
    EOM.macros: "i",
    EOH.macros: "i",
}
MACRO_LISTS: Mapping[Flavour, Mapping[int | None, str]] = {
    "postfix": _POSTFIX_MACROS,
    "postfix-local": _POSTFIX_MACROS,
    "sendmail": {
        CONNECT.macros: "j, _, {daemon_name}, {if_name}, {if_addr}",
        HELO.macros: _POSTFIX_MACROS[HELO.macros],
        MAIL.macros: "i, {auth_type}, {auth_authen}, {auth_ssf}, {auth_author},"
        " {mail_mailer}, {mail_host}, {mail_addr}",
        RCPT.macros: "{rcpt_mailer}, {rcpt_host}, {rcpt_addr}",
        EOM.macros: "{msg_id}",
    },
}

# Postfix's cleanup(8) sends the content and knows less than smtpd(8), which sends the
# commands: cleanup_milter_eval() has none of these for mail that came by SMTP.
_ONLY_SMTPD = ("mail_", "rcpt_", "tls_", "cipher", "cert_", "client_re", "client_conn")
_HOST = b"mx.example.org"


class Macros:
    """The values that one MTA has for its macros as a session goes on."""

    def __init__(self, flavour: Flavour, extra: Mapping[str, bytes | None]) -> None:
        self._flavour = flavour
        self._extra = extra
        self._session: dict[str, bytes] = {}
        self._message: dict[str, bytes] = {}
        self._queue_id = b""

    def connected(self, hostname: bytes, client: tuple[str, int] | None) -> None:
        address, port = client or ("unknown", 0)
        sendmail = self._flavour == "sendmail"
        local = self._flavour == "postfix-local"
        self._session = {
            "j": _HOST,
            "_": b"%s [%s]" % (hostname, address.encode()),
            "v": b"8.17.1.9" if sendmail else b"Postfix 3.7.11",
            "daemon_name": b"MTA" if sendmail else _HOST,
            "daemon_addr": b"127.0.0.1" if local else b"192.0.2.25",
            "daemon_port": b"0" if local else b"25",
            "client_addr": (f"IPv6:{address}" if ":" in address else address).encode(),
            "client_name": hostname,
            "client_ptr": hostname,
            "client_port": str(port).encode(),
        }
        if sendmail:
            self._session |= {"if_name": _HOST, "if_addr": b"192.0.2.25"}

    def sender(
        self, address: bytes, args: Sequence[bytes], login: bytes, queue_id: bytes
    ) -> None:
        self._message = {}
        self._queue_id = queue_id
        self._address("mail", address)
        if self._flavour != "postfix":
            self._message["i"] = queue_id
        if login and self._flavour != "postfix-local":
            self._message |= {"auth_type": b"PLAIN", "auth_authen": login}
            if self._flavour == "sendmail":
                self._message["auth_ssf"] = b"0"
        for arg in args:
            if arg.upper().startswith(b"AUTH="):
                self._message["auth_author"] = arg[len(b"AUTH=") :]

    def recipient(self, address: bytes) -> None:
        self._address("rcpt", address)

    def recipient_accepted(self) -> None:
        # Postfix opens the queue file for the first recipient that it accepts.
        self._message["i"] = self._queue_id

    def header(self, name: bytes, value: bytes) -> None:
        if name.lower() == b"message-id":
            self._message["msg_id"] = value.strip()

    def payload(self, stage: Stage, names: str) -> bytes:
        """The definitions of those macros that have a value at this stage."""
        values: dict[str, bytes | None] = {**self._session, **self._message}
        values.update(self._extra)
        if self._flavour == "postfix" and stage in {HEADER, EOH, BODY, EOM}:
            values = {k: v for k, v in values.items() if not k.startswith(_ONLY_SMTPD)}
        known = ((name, values.get(name.strip("{}"))) for name in _names(names))
        return b"".join(
            b"%s\0%s\0" % (name.encode(), value)
            for name, value in known
            if value is not None
        )

    def wanted(self, stage: Stage, terms: Terms) -> str | None:
        """The list to send at this stage; None if there is no packet at all.

        Both MTAs send the macros of an SMTP command even when the filter declined the
        command itself. Only Postfix sends some before each header and chunk.
        """
        defaults = MACRO_LISTS[self._flavour]
        if stage in {HEADER, EOH, BODY} and stage.declined & terms.steps:
            return None
        if self._flavour != "sendmail":
            # An empty list falls back to the one of main.cf.
            return terms.symlists.get(stage.macros) or defaults.get(stage.macros, "")

        if stage in {HEADER, BODY}:
            return None
        # milter_data() of 8.17.1 looks whether there is a list for EOH before it takes
        # the one for EOM, so that a list for EOM alone has no effect.
        key = EOH.macros if stage is EOM else stage.macros
        lists = terms.symlists if key in terms.symlists else defaults
        return lists.get(stage.macros) or None

    def _address(self, kind: str, address: bytes) -> None:
        bare = address.strip(b"<>")
        self._message[f"{kind}_addr"] = bare
        if self._flavour != "postfix-local":
            mailer = b"esmtp" if self._flavour == "sendmail" else b"smtp"
            self._message[f"{kind}_host"] = bare.rpartition(b"@")[2]
            self._message[f"{kind}_mailer"] = mailer if bare else b"local"


def _names(macro_list: str) -> list[str]:
    return macro_list.replace(",", " ").split()
