"""A real Postfix in front: what its clients read, what it queues, what it delivers."""

import pytest

from lab.milters import Milter
from lab.outgate import Outgate
from lab.postfix import Postfix
from lab.recorder import Recorder
from lab.sink import Sink
from lab.skips import or_skip
from lab.smtp import Result, Session, send
from lab.waiting import wait_until
from message.tokens import VECTOR
from system.messages import letter, newsletter
from system.observing import delivered, line_of

pytestmark = pytest.mark.mta

ANNE = "anne@example.org"
BOB = "bob@example.net"


def submit(postfix: Postfix, login: str, message: bytes, **options: str) -> Result:
    """Send as somebody who logged in (XCLIENT LOGIN)."""
    return send(postfix.port, message, ANNE, [BOB], login=login, **options)  # type: ignore[arg-type]


def test_a_letter_is_delivered_unchanged(
    postfix: Postfix, outgate: Outgate, sink: Sink, someone: str
) -> None:
    """Its trace alone shows that it was looked at; the log has one line."""
    result = submit(postfix, someone, letter("to-postfix"))
    wait_until(lambda: delivered(sink, "to-postfix"), "the delivery")

    line = line_of(outgate, result.queue_id)
    assert result.accepted
    data = delivered(sink, "to-postfix")[0].data
    assert data.count(b"Outgate") == data.count(b"\nOutgate-Trace: v=1;") == 1
    assert (line["customer"], line["login"], line["mta"]) == (
        someone,
        someone,
        "mx.local.example",
    )


def test_bulk_mail_without_a_way_out_is_tagged(
    postfix: Postfix, sink: Sink, someone: str
) -> None:
    """The header says class and action; a forged one is gone."""
    message = b"Outgate-Verdict: class=personal\n" + newsletter("tagme", way_out=False)
    submit(postfix, someone, message)
    wait_until(lambda: delivered(sink, "tagme"), "the delivery")

    (one,) = delivered(sink, "tagme")
    assert b"Outgate-Verdict: class=bulk; action=tag\r\n" in one.data
    assert one.data.count(b"Outgate-Verdict") == 1


def test_no_opt_in_token_leaves(outgate: Outgate, sink: Sink, someone: str) -> None:
    """All copies go, good or not; a milter that comes later, and signs, sees none."""
    tokens = "".join(
        f"{name}: {value}\n"
        for name in ("Opt-In-Evidence", "opt-in-evidence")
        for value in (VECTOR.folded(), "v=1", "x" * 5000)
    )
    milters = [Milter(outgate.socket)]
    with or_skip(), Recorder() as recorder:
        milters.append(Milter(recorder.port))
        with Postfix(milters=milters, sink=sink.port) as postfix:
            message = tokens.encode() + letter("with-tokens")
            result = submit(postfix, someone, message)
            wait_until(lambda: delivered(sink, "with-tokens"), "the delivery")

    (one,) = delivered(sink, "with-tokens")
    headers = [
        command.data.partition(b"\x00")[0].lower()
        for command in recorder.commands
        if command.letter == "L"
    ]
    line = line_of(outgate, result.queue_id)
    assert b"opt-in-evidence" not in one.data.lower()
    assert b"subject" in headers
    assert b"opt-in-evidence" not in headers
    assert line["optin"] == "malformed:2,too-large:2,unregistered-list:2"


def test_a_newsletter_with_a_way_out_passes(
    postfix: Postfix, sink: Sink, someone: str
) -> None:
    """To a reader who had mail before; a mailto: in brackets is enough (RFC 2369)."""
    submit(postfix, someone, letter("before-the-news"))
    submit(postfix, someone, newsletter("fine-news"))
    wait_until(lambda: delivered(sink, "fine-news"), "the delivery")

    assert b"Outgate-Verdict" not in delivered(sink, "fine-news")[0].data


def test_over_the_limit_is_in_the_hold_queue_and_released_by_hand(
    postfix: Postfix, outgate: Outgate, sink: Sink, someone: str
) -> None:
    """The client reads 250, Postfix holds, Outgate knows why, a person releases."""
    with Session(postfix.port, login=someone) as session:
        results = [
            session.send(letter(f"burst-{number}"), ANNE, [BOB]) for number in range(21)
        ]
    held = results[20].queue_id or ""

    assert all(result.accepted for result in results)
    assert [entry["queue_id"] for entry in postfix.held()] == [held]
    wait_until(lambda: held in outgate.cli("queue", "list", "--json"), "the record")
    assert '"reasons": "limit-exceeded"' in outgate.cli("queue", "list", "--json")
    assert delivered(sink, "burst-20") == []

    postfix.release(held)
    wait_until(lambda: delivered(sink, "burst-20"), "the released message")
    assert postfix.held() == []


def test_a_client_over_its_limit_reads_451_in_words(postfix: Postfix) -> None:
    """The text is ours, the code is a temporary one."""
    client = "192.0.2.101"
    results = [
        send(postfix.port, letter(f"client-{number}"), ANNE, [BOB], client=client)
        for number in range(6)
    ]

    assert [result.accepted for result in results] == [True] * 5 + [False]
    final = results[5].final
    assert (final.code, final.enhanced) == (451, "4.7.1")
    assert "try again in 12 minutes" in final.text


def test_a_message_over_the_whole_limit_reads_550(
    postfix: Postfix, someone: str
) -> None:
    """Waiting would not help, and the reply says so."""
    recipients = [f"r{number}@example.net" for number in range(60)]
    result = send(postfix.port, letter(), ANNE, recipients, login=someone)

    assert (result.final.code, result.final.enhanced) == (550, "5.7.1")
    assert "60 recipients" in result.final.text
    assert "mailing list" in result.final.text


def test_an_operator_acts_on_the_next_message(
    postfix: Postfix, outgate: Outgate, someone: str
) -> None:
    """HSET quarantine holds the next message of a running session."""
    with Session(postfix.port, login=someone) as session:
        before = session.send(letter("before"), ANNE, [BOB])
        outgate.redis("HSET", "outgate:quarantine", someone, "for=1h by=anne phished")
        after = session.send(letter("after"), ANNE, [BOB])

    held = [entry["queue_id"] for entry in postfix.held()]
    assert before.queue_id not in held
    assert after.queue_id in held
    assert "phished" in line_of(outgate, after.queue_id)["detail"]
    postfix.delete(after.queue_id or "")


def test_a_suspended_login_is_refused(
    postfix: Postfix, outgate: Outgate, someone: str
) -> None:
    """A person reads why, and a reference."""
    outgate.redis("HSET", "outgate:suspend", someone, "by=anne bot")
    result = submit(postfix, someone, letter())

    assert (result.final.code, result.final.enhanced) == (550, "5.7.1")
    assert "suspended" in result.final.text
    assert "bot" not in result.final.text


def test_mail_from_outside_is_not_judged(
    postfix: Postfix, outgate: Outgate, sink: Sink
) -> None:
    """An unauthenticated client of another network."""
    result = send(
        postfix.port,
        newsletter("from-outside", way_out=False),
        ANNE,
        [BOB],
        client="203.0.113.77",
    )
    if not result.accepted:
        pytest.fail(f"this Postfix relays for nobody: {result.final}")
    wait_until(lambda: delivered(sink, "from-outside"), "the delivery")

    assert line_of(outgate, result.queue_id)["class"] == "inbound"
    assert b"Outgate" not in delivered(sink, "from-outside")[0].data


class TestLocalSubmission:
    """sendmail(1), by non_smtpd_milters and a socket of its own."""

    @pytest.mark.usefixtures("unlimited_local_user")
    def test_local_mail_is_judged_as_a_local_user(
        self, postfix: Postfix, outgate: Outgate, sink: Sink
    ) -> None:
        """Postfix does not tell who it was: the socket's user, or `unknown`."""
        postfix.submit_local(letter("by-hand"), "root@example.org", [BOB])
        wait_until(lambda: delivered(sink, "by-hand"), "the delivery")

        (line,) = [
            one for one in outgate.messages() if one.get("sender") == "root@example.org"
        ][-1:]
        assert line["local-user"] == "unknown"

    def test_over_the_limit_it_is_held_never_offered_again(
        self, postfix: Postfix, outgate: Outgate
    ) -> None:
        """`defer` would leave the file in the maildrop, in front of all others."""
        outgate.redis("HSET", "outgate:limit", "unknown", "messages=1/1h by=anne")
        wait_until(
            lambda: (
                "unknown" in (outgate.directory / "state/operator.json").read_text()
            ),
            "the local copy",
        )
        # Workers read the copy a moment later.
        for number in range(8):
            postfix.submit_local(letter(f"cron-{number}"), "cron@example.org", [BOB])
        wait_until(
            lambda: any("cron" in entry["sender"] for entry in postfix.held()), "a hold"
        )
        outgate.redis("HDEL", "outgate:limit", "unknown")

        assert list((postfix.queue_directory / "maildrop").iterdir()) == []
        for entry in postfix.held():
            postfix.delete(entry["queue_id"])
