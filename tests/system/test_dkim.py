"""Signed by the real daemon, sent by a real MTA, verified as it arrives."""

import pwd
import shutil
from collections.abc import Iterator
from pathlib import Path

import dkim
import pytest

from conftest import LISTEN
from lab.milters import Milter
from lab.opendkim import verify
from lab.outgate import Outgate
from lab.postfix import Postfix
from lab.sendmail import Sendmail
from lab.sink import Sink
from lab.skips import or_skip
from lab.smtp import send
from lab.waiting import wait_until
from outgate.message.split import split_message
from outgate.signing.secret import read_secret
from outgate.signing.trace import TraceSigner
from signing.dkims import BOTH, BOTH_SIGN, Desk, a_book, write_tables
from system.messages import letter, newsletter
from system.observing import delivered, line_of

pytestmark = pytest.mark.mta

ANNE = "anne@example.org"
BOB = "bob@example.net"
SETTINGS = """
[[customer]]
name = "choir"
match = ["@example.org", "user:www-data", "anne@local.example", "anne@localhost", "anne"]
[[signature]]
domain = "off.example"
sign = false
"""
ODD = (
    b"From: Anne <anne@example.org>\nTo: bob@example.net,\n\tcarl@example.net\nCc: dora@example.net,Eve <eve@example.net>\n"
    b"Subject: NAME\n and  folded =?utf-8?q?G=C3=B6?=\nReferences:\n <a@x>\n\t<b@y>\n"
    b"MIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n"
    b"Content-Transfer-Encoding: 8bit\nX-Test: odd\n\n"
    b"Gr\xc3\xb6\xc3\x9fe \t \n.dot\n\n" + b"long " * 150 + b"\n\n\n"
)


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Keys that the daemon's account can read."""
    path = Path("/var/lib") / tmp_path_factory.mktemp("outgate-dkim").name
    path.mkdir()
    yield path
    shutil.rmtree(path)


@pytest.fixture(scope="module")
def signing(directory: Path) -> Iterator[Outgate]:
    """The daemon, with both keys of one domain."""
    tables = write_tables(directory, BOTH, BOTH_SIGN)
    for path in directory.iterdir():
        owner = pwd.getpwnam("nobody")
        shutil.chown(path, owner.pw_uid, owner.pw_gid)
    text = (
        f'[dkim]\nkey-table = "{tables.key_table}"\n'
        f'signing-table = "{tables.signing_table}"\n'
    )
    with or_skip(), Outgate(settings=SETTINGS + text, listen=LISTEN) as daemon:
        yield daemon


@pytest.fixture(scope="module")
def by_postfix(signing: Outgate, sink: Sink) -> Iterator[Postfix]:
    with (
        or_skip(),
        Postfix(
            milters=[Milter(signing.socket)],
            local_milters=[Milter(signing.directory / "www.sock")],
            sink=sink.port,
        ) as postfix,
    ):
        yield postfix


@pytest.fixture(scope="module")
def by_sendmail(signing: Outgate, sink: Sink) -> Iterator[Sendmail]:
    with (
        or_skip(),
        Sendmail(
            milters=[Milter(signing.socket)],
            local_milters=[Milter(signing.directory / "www.sock")],
            sink=sink.port,
            users={"anne": "secret"},
        ) as sendmail,
    ):
        yield sendmail


def arrived(sink: Sink, name: str) -> bytes:
    wait_until(lambda: delivered(sink, name), "the delivery")
    return delivered(sink, name)[0].data


def verified(message: bytes) -> list[bool]:
    """By dkimpy: both signatures, from the top."""
    desk = Desk(a_book(BOTH, BOTH_SIGN))
    return [
        bool(dkim.DKIM(message).verify(index, dnsfunc=desk.dnsfunc)) for index in (0, 1)
    ]


def traces(message: bytes) -> list[bytes]:
    """Values of the header, as they arrive."""
    headers, _ = split_message(message.replace(b"\r\n", b"\n"))
    return [value for name, value in headers if name == b"Outgate-Trace"]


def verdicts_on_traces(daemon: Outgate, message: bytes) -> list[bool]:
    """Whether each trace is of this daemon's secret, and covered by each signature."""
    signer = TraceSigner(read_secret(daemon.directory / "state/secret"))
    headers, _ = split_message(message.replace(b"\r\n", b"\n"))
    covered = [
        b"outgate-trace" in value
        for name, value in headers
        if name == b"DKIM-Signature"
    ]
    return [signer.read(one) is not None for one in traces(message)] + covered


def records() -> dict[str, str]:
    return {
        f"{name.partition(':')[2]}._domainkey.example.org": key.record
        for name, key in BOTH.items()
    }


def signed_bulk(name: str) -> bytes:
    forged = b"Outgate-Verdict: class=personal\nOpt-In-Evidence: v=1\n"
    return forged + b"Outgate-Trace: v=1; i=forged\n" + newsletter(name, way_out=False)


def test_mail_by_postfix_verifies_as_it_arrives(
    by_postfix: Postfix, signing: Outgate, sink: Sink
) -> None:
    """A letter, an odd one, and one that this gate itself changes."""
    mails = {
        "p-letter": letter("p-letter"),
        "p-odd": ODD.replace(b"NAME", b"p-odd"),
        "p-bulk": signed_bulk("p-bulk"),
    }
    results = {
        name: send(by_postfix.port, mail, ANNE, [BOB], login=ANNE)
        for name, mail in mails.items()
    }
    messages = [arrived(sink, name) for name in mails]

    assert [verified(message) for message in messages] == [[True, True]] * 3
    assert messages[0].startswith(b"DKIM-Signature: v=1; a=rsa-sha256;")
    assert b"Outgate-Verdict: class=bulk; action=tag" in messages[2]
    for message in messages:
        assert verdicts_on_traces(signing, message) == [True, True, True]
    assert verify(messages, records()) == [{"2026a": "pass", "2026e": "pass"}] * 3
    line = line_of(signing, results["p-letter"].queue_id)
    assert line["dkim"] == "signed:example.org/2026a,signed:example.org/2026e"


def test_a_forged_from_is_not_signed(
    by_postfix: Postfix, signing: Outgate, sink: Sink
) -> None:
    """Another customer's login under our domain."""
    result = send(
        by_postfix.port, letter("p-forged"), ANNE, [BOB], login="x@evil.example"
    )
    message = arrived(sink, "p-forged")

    assert b"DKIM-Signature" not in message
    assert "not-permitted:example.org" in line_of(signing, result.queue_id)["dkim"]


def test_mail_of_a_local_program_verifies(by_postfix: Postfix, sink: Sink) -> None:
    """sendmail(1): no SMTP client at all."""
    by_postfix.submit_local(letter("p-local"), ANNE, [BOB])

    assert verified(arrived(sink, "p-local")) == [True, True]


def test_mail_by_sendmail_verifies_as_it_arrives(
    by_sendmail: Sendmail, signing: Outgate, sink: Sink
) -> None:
    """The same by the other MTA."""
    mails = {
        "s-letter": letter("s-letter"),
        "s-odd": ODD.replace(b"NAME", b"s-odd"),
        "s-bulk": signed_bulk("s-bulk"),
    }
    for mail in mails.values():
        send(by_sendmail.port, mail, ANNE, [BOB], auth=("anne", "secret"))
    messages = [arrived(sink, name) for name in mails]

    assert [verified(message) for message in messages] == [[True, True]] * 3
    assert verify(messages, records()) == [{"2026a": "pass", "2026e": "pass"}] * 3
    for message in messages:
        assert verdicts_on_traces(signing, message) == [True, True, True]


@pytest.mark.parametrize(
    "value",
    [
        "a@example.net,b@example.net , c@example.net",
        '"Doe, Jane" <jane@example.net>,"x" <x@example.net>',
        "Jane (Doe, Jane)  <jane@example.net>,\n\tb@example.net",
        "friends: a@example.net,b@example.net;",
        "=?utf-8?q?J=C3=A4ne=2C?= <jane@example.net>",
        "<jane@example.net>",
        ",".join(f"reader{number}@example.net" for number in range(60)),
    ],
)
def test_addresses_are_signed_as_sendmail_writes_them(
    by_sendmail: Sendmail, sink: Sink, value: str
) -> None:
    """It puts a space behind each comma, after it has shown the header."""
    name = f"s-list-{abs(hash(value))}"
    mail = letter(name).replace(b"To: bob@example.net", f"To: {value}".encode())
    send(by_sendmail.port, mail, ANNE, [BOB], auth=("anne", "secret"))
    message = arrived(sink, name)

    assert verified(message) == [True, True], message[-1500:]


def test_metrics_and_the_archive_know_the_keys(signing: Outgate) -> None:
    """Counted by algorithm; noted once, at the start."""
    samples = signing.metrics()
    archive = (signing.directory / "state/dkim-keys.ndjson").read_text()

    name = "outgate_dkim_signatures_total"
    assert samples[f'{name}{{algorithm="rsa-sha256",result="signed"}}'] > 0
    assert samples[f'{name}{{algorithm="none",result="not-permitted"}}'] > 0
    assert samples[f'{name}{{algorithm="none",result="no-key"}}'] == 0
    assert archive.count('"in-use": true') == 2
