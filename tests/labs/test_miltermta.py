"""The test MTA behaves as Postfix and Sendmail do towards filters made with pymilter."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab.milterfilters import pymilter
from lab.miltermacros import Flavour
from lab.miltermail import split_message
from lab.miltermta import Message, MilterMta, Outcome, Steps, run_parallel
from lab.ports import free_port

HEADERS = [(b"From", b" anne"), (b"Subject", b" \xe9t\xe9"), (b"To", b" bob")]
BODY = b"hello\r\n"

# Reports all that it hears. 0 is Milter.CONTINUE.
FULL = """
    def connect(self, name, family, peer): self.heard = [name, peer]; return 0
    def hello(self, name): self.heard += [name]; return 0
    def envfrom(self, sender, *args): self.heard += [sender, args]; return 0
    def envrcpt(self, recipient, *args): self.heard += [recipient, args]; return 0
    def data(self): self.heard += ["data"]; return 0
    def header(self, name, value): self.heard += [name, value]; return 0
    def eoh(self): self.heard += ["eoh"]; return 0
    def body(self, chunk): self.heard += [chunk]; return 0
    def eom(self):
        self.progress()
        self.addheader("X-Heard", ascii(self.heard))
        self.heard = []
        return 0
"""

# Answers MAIL, promises not to answer RCPT and headers, declines the rest.
LEAN = """
    def envfrom(self, *args): return Milter.CONTINUE
    @noreply
    def envrcpt(self, *args): return Milter.CONTINUE
    @noreply
    def header(self, name, value): return Milter.CONTINUE
    def eom(self):
        self.addheader("X-Seen", "yes")
        return Milter.CONTINUE
"""


def sent(mta: MilterMta, *, macros: bool = False) -> str:
    """The commands that went out, without the offer and, as a rule, macros."""
    commands = [c.decode() for way, c, _ in mta.transcript if way == ">"]
    return "".join(c for c in commands if c != "O" and (macros or c != "D"))


def received(mta: MilterMta) -> str:
    return "".join(c.decode() for way, c, _ in mta.transcript if way == "<")


def macros_at(mta: MilterMta, command: bytes) -> list[dict[bytes, bytes]]:
    """The macros of each packet that announced this command."""
    payloads = [p for _, c, p in mta.transcript if c == b"D" and p[:1] == command]
    parts = [payload[1:].split(b"\0") for payload in payloads]
    return [dict(zip(each[::2], each[1::2], strict=False)) for each in parts]


def test_every_event_arrives_as_it_was_sent(tmp_path: Path) -> None:
    """Two messages in one session over TCP; the second body comes in chunks."""
    with (
        pymilter(tmp_path, FULL, port=free_port()) as address,
        MilterMta(address, helo="pc") as mta,
    ):
        first = mta.send(headers=HEADERS, body=BODY, mail_args=[b"SIZE=7"])
        second = mta.send(message=b"A: b\n c\n\nxyz\n", sender=b"<>", chunk=3)
    heard = ["pc.example", ("203.0.113.9", 4444), "pc", "<anne@example.org>"]
    heard += [("SIZE=7",), "<bob@example.net>", (), "data", "From", "anne", "Subject"]
    heard += ["\udce9t\udce9", "To", "bob", "eoh", BODY]
    assert first.action == "accept"
    assert first.added == [(b"X-Heard", ascii(heard).encode(), None)]
    heard = ["<>", (), "<bob@example.net>", (), "data", "A", "b\n c", "eoh", b"xyz"]
    assert second.added == [(b"X-Heard", ascii([*heard, b"\r\n"]).encode(), None)]
    assert sent(mta) == "CHMRTLLLNBEAMRTLNBBEAAQ"


@pytest.mark.parametrize(
    ("flavour", "commands"),
    [
        ("postfix", "D D DM DR D DL DL DL DE A A Q"),
        ("postfix-local", "D D DM DR D DL DL DL DE Q"),
        ("sendmail", "D D DM DR L L L DE Q"),
    ],
)
def test_what_is_declined_is_not_sent_but_its_macros_are(
    tmp_path: Path, flavour: Flavour, commands: str
) -> None:
    with (
        pymilter(tmp_path, LEAN) as address,
        MilterMta(address, flavour=flavour) as mta,
    ):
        outcome = mta.send(headers=HEADERS, body=BODY)
    assert outcome.action == "accept"
    assert outcome.added == [(b"X-Seen", b"yes", None)]
    assert sent(mta, macros=True) == commands.replace(" ", "")
    assert received(mta) == "Ochc", "one answer to MAIL, one at the end"


def test_an_older_mta_gets_all_the_answers(tmp_path: Path) -> None:
    """libmilter answers for the filter when the MTA cannot do without."""
    with pymilter(tmp_path, LEAN) as address:
        with MilterMta(address, steps=Steps.ALL & ~Steps.NR) as mta:
            assert mta.send(headers=HEADERS).action == "accept"
        assert received(mta) == "Occccchc"
        with MilterMta(address, version=2) as mta:
            assert mta.send(headers=HEADERS).action == "accept"
        assert mta.terms.version == 2
        assert sent(mta, macros=True) == "DDDMDRDLDLDLDEAAQ", "version 2 has no DATA"


def test_refused_recipients_keep_the_words_of_the_filter(tmp_path: Path) -> None:
    refusing = """
        def envrcpt(self, recipient, *args):
            if recipient == "<bob@example.net>":
                return Milter.CONTINUE
            code = "450" if "later" in recipient else "550"
            self.setreply(code, code[0] + ".7.1", "Not 100%% you", "and why")
            return Milter.TEMPFAIL if code == "450" else Milter.REJECT
    """
    eve, later = b"<eve@example.net>", b"<later@example.net>"
    words = b"550-5.7.1 Not 100% you\r\n550 5.7.1 and why"
    with pymilter(tmp_path, refusing) as address:
        with MilterMta(address) as mta:
            mixed = mta.send(recipients=[eve, b"<bob@example.net>"])
            never = mta.send(recipients=[eve])
            hope = mta.send(recipients=[later, eve])
        with MilterMta(address, flavour="sendmail") as sendmail:
            sendmail.send(recipients=[eve])
        with MilterMta(address, flavour="postfix-local") as mta:
            local = mta.send(recipients=[eve])
    assert (mixed.action, mixed.refused_recipients) == ("accept", {eve: words})
    assert (never.action, never.stage, never.reply) == ("reject", "rcpt", words)
    assert (never.code, never.enhanced) == (550, b"5.7.1")
    assert (hope.action, hope.code, hope.enhanced) == ("tempfail", 450, b"4.7.1")
    assert sent(sendmail) == "RQ", "Sendmail aborts only after an answer to MAIL"
    assert (local.action, local.stage) == ("error", "rcpt")
    assert "configuration error" in local.reason


def test_the_outcome_has_all_that_the_filter_asked_for(tmp_path: Path) -> None:
    asking = """
        def eom(self):
            self.quarantine("looks like bulk")
            self.addheader("X-Last", "a\\n\\tb")
            self.addheader("X-First", "c", 0)
            self.chgheader("Subject", 1, "d")
            self.addrcpt("<x@example.org>")
            self.addrcpt("<y@example.org>", "NOTIFY=NEVER")
            self.delrcpt("<bob@example.net>")
            self.chgfrom("<z@example.org>")
            self.replacebody(b"e")
            self.replacebody(b"f")
            return Milter.ACCEPT
    """
    with pymilter(tmp_path, asking) as address, MilterMta(address) as mta:
        got = mta.send(queue_id="4XyZ")
    x, y = (b"<x@example.org>", b""), (b"<y@example.org>", b"NOTIFY=NEVER")
    assert got == Outcome(
        queue_id="4XyZ",
        action="quarantine",
        stage="eom",
        added=[(b"X-Last", b"a\n\tb", None), (b"X-First", b"c", 0)],
        changed=[(1, b"Subject", b"d")],
        quarantine_reason=b"looks like bulk",
        added_recipients=[x, y],
        deleted_recipients=[b"<bob@example.net>"],
        new_sender=(b"<z@example.org>", b""),
        new_body=b"ef",
        elapsed_s=got.elapsed_s,
    )


def test_macros_are_sent_when_asked_for_and_known(tmp_path: Path) -> None:
    """`setsymlist` of pymilter 1.0.5 itself raises TypeError, so by the context."""
    asking = """
        def negotiate(self, options):
            self._ctx.setsymlist(Milter.M_CONNECT, "v, {daemon_port}")
            self._ctx.setsymlist(Milter.M_EOM, "i {mail_addr}")
            return Milter.Base.negotiate(self, options)
    """
    to_two = [b"<bob@example.net>", b"<eve@example.net>"]
    with pymilter(tmp_path, asking) as address:
        with MilterMta(address, login="anne", macros={"{daemon_port}": "587"}) as mta:
            queue_id = mta.send(recipients=to_two).queue_id.encode()
        with MilterMta(address, flavour="sendmail") as sendmail:
            other = sendmail.send(headers=[(b"Message-ID", b" <1@x>")])
    asked = {b"v": b"Postfix 3.7.11", b"{daemon_port}": b"587"}
    assert macros_at(mta, b"C") == [asked]
    mail = {b"{auth_type}": b"PLAIN", b"{auth_authen}": b"anne"}
    mail |= {b"{mail_addr}": b"anne@example.org", b"{mail_host}": b"example.org"}
    assert macros_at(mta, b"M") == [mail | {b"{mail_mailer}": b"smtp"}]
    assert [b"i" in macros for macros in macros_at(mta, b"R")] == [False, True]
    assert macros_at(mta, b"E") == [{b"i": queue_id}], "cleanup(8) has no {mail_addr}"
    assert macros_at(sendmail, b"M")[0][b"i"] == other.queue_id.encode()
    assert macros_at(sendmail, b"C")[0][b"v"] == b"8.17.1.9"
    assert macros_at(sendmail, b"E") == [{b"{msg_id}": b"<1@x>"}], "list for EOM only"


def test_local_mail_comes_from_localhost_and_bare(tmp_path: Path) -> None:
    with (
        pymilter(tmp_path, FULL) as address,
        MilterMta(address, flavour="postfix-local", login="anne") as mta,
    ):
        mta.send(sender=b"<root@example.org>", mail_args=[b"SIZE=7"], queue_id="4X")
        assert mta.send().action == "accept", "each message has its own session"
    events = {c: p for _, c, p in reversed(mta.transcript) if c != b"D"}
    assert events[b"C"] == b"localhost\x004\0\x00127.0.0.1\0"
    assert (events[b"H"], events[b"M"]) == (b"localhost\0", b"root@example.org\0")
    local = {b"i": b"4X", b"{mail_addr}": b"root@example.org"}
    assert macros_at(mta, b"M")[0] == local
    assert sent(mta) == "CHMRTNEQ" * 2


def test_skip_ends_the_body_and_only_this_one(tmp_path: Path) -> None:
    skipping = "def body(self, chunk): return Milter.SKIP"
    with pymilter(tmp_path, skipping) as address, MilterMta(address) as mta:
        assert mta.send(body=b"12345", chunk=2).action == "accept"
        assert mta.send(body=b"12345", chunk=2).action == "accept"
    assert sent(mta) == "BEABEAAQ"


@pytest.mark.parametrize(
    ("decorator", "value"),
    [("", b"anne"), ("@Milter.header_leading_space", b" anne")],
)
def test_the_leading_space_is_for_those_who_want_it(
    tmp_path: Path, decorator: str, value: bytes
) -> None:
    with (
        pymilter(tmp_path, FULL, decorator=decorator) as address,
        MilterMta(address) as mta,
    ):
        mta.send(headers=HEADERS[:1])
    assert (">", b"L", b"From\0" + value + b"\0") in mta.transcript


def test_a_step_can_be_the_last(tmp_path: Path) -> None:
    """And a connection can serve the next SMTP session."""
    noting = FULL + '\n    def abort(self): print("abort"); return 0\n'
    with pymilter(tmp_path, noting) as address:
        mta = MilterMta(address)
        assert mta.connect().kind == mta.helo().kind == "continue"
        assert not mta.mail(b"<anne@example.org>", queue_id="4X").final
        mta.abort()
        mta.quit_nc()
        mta.client = ("203.0.113.10", 5)
        assert b"203.0.113.10" in mta.send().added[0][1]
        mta.mail(b"<anne@example.org>")
        mta.close()
        with mta.probe():
            assert mta.send().action == "accept"
        mta.quit()
    assert (tmp_path / "filter.log").read_text() == "abort\n" * 2


def test_many_sessions_at_once(tmp_path: Path) -> None:
    def numbered(number: int) -> Message:
        return Message(headers=[(b"X", b" %d" % number)])

    with pymilter(tmp_path, FULL) as address:
        outcomes = run_parallel(address, 50, 200, numbered)
    assert [outcome.action for outcome in outcomes] == ["accept"] * 200
    for number, outcome in enumerate(outcomes):
        assert b"'X', '%d'" % number in outcome.added[0][1]


def test_split_message_reads_as_postfix_does() -> None:
    raw = b"From: a\r\nX-Folded:b\r\n\tc\nOdd \t: \xe9\nno field\n\nrest\r\n"
    fields = [(b"From", b" a"), (b"X-Folded", b"b\n\tc"), (b"Odd", b" \xe9")]
    assert split_message(raw) == (fields, b"no field\r\n\r\nrest\r\n")
    assert split_message(b"A: b\n\nbody\n") == ([(b"A", b" b")], b"body\r\n")
    assert split_message(b"A: b\n") == ([(b"A", b" b")], b"")
