"""The sink and the SMTP client, against each other: what both of them report."""

import pytest

from lab.sink import Sink
from lab.smtp import Session, send

MESSAGE = b"Subject: a dot\n\n.\nend\n"


def test_a_message_arrives_with_its_envelope_and_every_byte() -> None:
    """Dots are stuffed and unstuffed, and line ends become CRLF."""
    with Sink() as sink:
        result = send(sink.port, MESSAGE, "a@x.example", ["b@y.example", "c@y.example"])
        (message,) = sink.wait_for(1)

    assert result.accepted
    assert message.sender == "a@x.example"
    assert message.recipients == ("b@y.example", "c@y.example")
    assert message.data == b"Subject: a dot\r\n\r\n.\r\nend\r\n"


def test_a_session_carries_several_messages() -> None:
    """The envelope of one transaction does not leak into the next."""
    with Sink() as sink:
        with Session(sink.port) as session:
            session.send(MESSAGE, "a@x.example", ["b@y.example"])
            session.send(MESSAGE, "", ["c@y.example"])
        messages = sink.wait_for(2)

    assert [m.sender for m in messages] == ["a@x.example", ""]
    assert [m.recipients for m in messages] == [("b@y.example",), ("c@y.example",)]


@pytest.mark.parametrize("command", ["MAIL", "RCPT", "DATA"])
def test_a_refusal_is_a_result(command: str) -> None:
    """Replies of 4xx and 5xx raise nothing, and say at which command they came."""
    with Sink() as sink:
        sink.refuse("550 5.7.1 Not from you", command=command)
        with Session(sink.port) as session:
            refused = session.send(MESSAGE, "a@x.example", ["b@y.example"])
            sink.accept()
            accepted = session.send(MESSAGE, "a@x.example", ["b@y.example"])

    assert not refused.accepted
    assert refused.final.command == command
    assert (refused.final.code, refused.final.enhanced) == (550, "5.7.1")
    assert refused.final.text == "Not from you"
    assert accepted.accepted


def test_refused_recipients_are_told_apart() -> None:
    """A transaction goes on with the recipients that were accepted."""
    with Sink() as sink, Session(sink.port) as session:
        sink.refuse("450 4.2.0 Later")
        result = session.send(MESSAGE, "a@x.example", ["b@y.example"])

    assert set(result.refused) == {"b@y.example"}
    assert result.refused["b@y.example"].code == 450


def test_a_message_with_crlf_is_left_as_it_is() -> None:
    """Whoever writes CRLF means every byte, bare line feeds too."""
    with Sink() as sink:
        send(
            sink.port, b"Subject: x\r\n\r\none\ntwo\r\n", "a@x.example", ["b@y.example"]
        )
        (message,) = sink.wait_for(1)

    assert message.data == b"Subject: x\r\n\r\none\ntwo\r\n"


def test_waiting_in_vain_says_how_many_came() -> None:
    """A test that expects too much learns what there was."""
    with Sink() as sink:
        send(sink.port, MESSAGE, "a@x.example", ["b@y.example"])

        with pytest.raises(TimeoutError, match=r"1 of 2 messages within 0\.05 s"):
            sink.wait_for(2, timeout=0.05)


def test_an_open_session_does_not_hold_up_the_stop() -> None:
    """MTAs cache connections; the sink ends all the same."""
    sink = Sink()
    sink.start()
    session = Session(sink.port)

    sink.stop()
    session.close()
