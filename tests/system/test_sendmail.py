"""A real Sendmail in front, with SASL and a submission program of its own."""

import pytest

from lab.outgate import Outgate
from lab.sendmail import Sendmail
from lab.sink import Sink
from lab.smtp import Session, send
from lab.waiting import wait_until
from message.tokens import VECTOR
from system.messages import letter, newsletter
from system.observing import delivered, line_of

pytestmark = pytest.mark.mta

ANNE = "anne@example.org"
BOB = "bob@example.net"
BY_ANNE = ("anne", "secret")
BY_BART = ("bart", "secret")


def test_a_letter_of_somebody_who_logged_in_is_delivered(
    sendmail: Sendmail, outgate: Outgate, sink: Sink
) -> None:
    """The login is Sendmail's own word ({auth_authen})."""
    result = send(sendmail.port, letter("to-sendmail"), ANNE, [BOB], auth=BY_ANNE)
    wait_until(lambda: delivered(sink, "to-sendmail"), "the delivery")

    line = line_of(outgate, result.queue_id)
    assert result.accepted
    assert line["login"].partition("@")[0] == "anne"
    data = delivered(sink, "to-sendmail")[0].data
    assert data.count(b"Outgate") == data.count(b"\nOutgate-Trace: v=1;") == 1


def test_bulk_mail_without_a_way_out_is_tagged(sendmail: Sendmail, sink: Sink) -> None:
    """The forged header goes, ours comes."""
    message = b"Outgate-Verdict: class=personal\n" + newsletter("s-tag", way_out=False)
    send(sendmail.port, message, ANNE, [BOB], auth=BY_ANNE)
    wait_until(lambda: delivered(sink, "s-tag"), "the delivery")

    (one,) = delivered(sink, "s-tag")
    assert b"Outgate-Verdict: class=bulk; action=tag\r\n" in one.data
    assert one.data.count(b"Outgate-Verdict") == 1


def test_no_opt_in_token_leaves(
    sendmail: Sendmail, outgate: Outgate, sink: Sink
) -> None:
    """All copies go, good or not."""
    tokens = f"Opt-In-Evidence: {VECTOR.folded()}\nopt-in-evidence: v=1\n"
    message = tokens.encode() * 3 + letter("s-tokens")
    result = send(sendmail.port, message, ANNE, [BOB], auth=BY_ANNE)
    wait_until(lambda: delivered(sink, "s-tokens"), "the delivery")

    (one,) = delivered(sink, "s-tokens")
    line = line_of(outgate, result.queue_id)
    assert b"opt-in-evidence" not in one.data.lower()
    assert line["optin"] == "malformed:3,unregistered-list:3"


def test_over_the_limit_is_quarantined_with_its_reason_and_released_by_hand(
    sendmail: Sendmail, outgate: Outgate, sink: Sink
) -> None:
    """Sendmail keeps the reason itself; the record in the store says more."""
    with Session(sendmail.port, auth=BY_BART) as session:
        results = [
            session.send(letter(f"s-burst-{number}"), ANNE, [BOB])
            for number in range(21)
        ]
    queue_id = results[20].queue_id or ""

    assert all(result.accepted for result in results)
    (held,) = sendmail.held()
    assert held["queue_id"] == queue_id
    assert held["reason"] == "outgate: limit-exceeded"
    wait_until(lambda: queue_id in outgate.cli("queue", "list", "--json"), "the record")

    sendmail.release(queue_id)
    wait_until(lambda: delivered(sink, "s-burst-20"), "the released message")


def test_a_client_over_its_limit_reads_451_in_words(sendmail: Sendmail) -> None:
    """Unauthenticated mail from this host: the client's own limit."""
    results = [
        send(sendmail.port, letter(f"s-client-{number}"), ANNE, [BOB])
        for number in range(6)
    ]

    assert [result.accepted for result in results] == [True] * 5 + [False]
    final = results[5].final
    assert (final.code, final.enhanced) == (451, "4.7.1")
    assert "try again in 12 minutes" in final.text


def test_an_operators_suspend_is_a_550(sendmail: Sendmail, outgate: Outgate) -> None:
    """By envelope sender."""
    outgate.redis("HSET", "outgate:suspend", "spam@example.org", "by=anne bot")
    result = send(sendmail.port, letter(), "spam@example.org", [BOB], auth=BY_ANNE)

    assert (result.final.code, result.final.enhanced) == (550, "5.7.1")
    assert "suspended" in result.final.text


def test_the_local_user_of_a_submission_is_known(
    sendmail: Sendmail, outgate: Outgate, sink: Sink
) -> None:
    """sendmail(1) writes it into its Received line; no header of the sender counts."""
    forged = b"Received: (from anne@localhost) by x (8.1/8.1/Submit) id a; x\n"
    sendmail.submit_local(forged + letter("s-local"), "root@example.org", [BOB])
    wait_until(lambda: delivered(sink, "s-local"), "the delivery")

    (line,) = [one for one in outgate.messages() if one.get("local-user") == "root"][:1]
    assert line["customer"] == "root"
