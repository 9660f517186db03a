"""Who has withdrawn is refused at RCPT, on real MTAs."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import pytest

from lab.milters import Milter
from lab.outgate import SOCKET_GROUP, Outgate
from lab.ports import LOOPBACK, free_port
from lab.postfix import Postfix
from lab.redis import RedisServer
from lab.sendmail import Sendmail
from lab.sink import Sink
from lab.skips import or_skip
from lab.smtp import Result, send
from lab.waiting import wait_until
from system.messages import letter
from system.observing import delivered, line_of

pytestmark = pytest.mark.mta

LIST = "news.choir.example"
BOUNCES = "news-bounces@lists.choir.example"
LISTEN = f"""
[[listen]]
address = "unix:{{directory}}/outgate.sock"
group = "{SOCKET_GROUP}"
replies = "recipient"
"""
# The lab's client is the customer's; whoever logs in as somebody else is not.
SETTINGS = f"""
[[customer]]
name = "choir"
match = ["127.0.0.1"]
[[list]]
id = "{LIST}"
customer = "choir"
enforce-from = 2026-01-01
bounces = "{BOUNCES}"
"""
READERS = [f"reader{one}@example.net" for one in range(47)]
LEFT = [f"left{one}@example.net" for one in range(3)]
WORDS = f"Recipient withdrew consent from {LIST}."
USERS = {"mallory": "mallory-secret"}


@dataclass
class Site:
    """An MTA with a gate, the store, and the next hop."""

    mta: Postfix | Sendmail
    outgate: Outgate
    sink: Sink
    store: RedisServer

    def send(
        self,
        subject: str,
        recipients: list[str],
        *,
        sender: str = BOUNCES,
        auth: tuple[str, str] | None = None,
    ) -> Result:
        return send(self.mta.port, mail(subject), sender, recipients, auth=auth)

    def got_it(self, subject: str) -> set[str]:
        """Who has the message; an MTA may split it."""
        return {
            recipient
            for one in delivered(self.sink, subject)
            if one.sender
            for recipient in one.recipients
        }


def mail(subject: str) -> bytes:
    return letter(
        subject,
        List_Id=f"News <{LIST}>",
        List_Unsubscribe="<mailto:leave@example.org>",
    )


@pytest.fixture(scope="module", params=["postfix", "sendmail"])
def site(request: pytest.FixtureRequest) -> Iterator[Site]:
    """Fifty readers, three of whom have left."""
    port = free_port()
    with ExitStack() as stack:
        sink = stack.enter_context(Sink())
        with or_skip():
            store = stack.enter_context(RedisServer(tcp=True))
            outgate = stack.enter_context(
                Outgate(settings=SETTINGS, listen=LISTEN, store=store.url)
            )
            milters = [Milter(outgate.socket)]
            mta: Postfix | Sendmail
            if request.param == "postfix":
                mta = Postfix(milters=milters, sink=sink.port, port=port, users=USERS)
            else:
                mta = Sendmail(milters=milters, sink=sink.port, port=port, users=USERS)
            stack.enter_context(mta)
        file = outgate.directory / "readers"
        file.write_text("\n".join([*READERS, *LEFT]))
        of_list = ("--list", LIST, "--customer", "choir")
        outgate.cli("optin", "load", *of_list, "--grade", "paper", str(file))
        for one in LEFT:
            outgate.cli("optin", "withdraw", *of_list, one)
        yield Site(mta, outgate, sink, store)


def test_three_of_fifty_are_refused_and_the_others_get_it(site: Site) -> None:
    """In words; nobody is taken out afterwards, so nobody is written to."""
    result = site.send("rcpt-news", [*READERS, *LEFT])
    assert result.accepted
    assert set(result.refused) == set(LEFT)
    for reply in result.refused.values():
        assert (reply.code, reply.enhanced) == (550, "5.7.1")
        assert WORDS in reply.text
        assert f"ref {result.queue_id}" in reply.text
    wait_until(lambda: len(site.got_it("rcpt-news")) >= len(READERS), "the delivery")
    assert site.got_it("rcpt-news") == set(READERS)
    line = line_of(site.outgate, result.queue_id)
    assert (line["recipients"], line["refused"]) == ("47", "3")
    assert "removed" not in line
    assert line["disposition"] == "accept"
    counted = 'outgate_refused_recipients_total{reason="consent-withdrawn"}'
    assert site.outgate.metrics()[counted] >= 3


def test_pipelined_replies_come_in_order(site: Site) -> None:
    """RFC 2920: MAIL, fifty RCPT and DATA in one piece."""
    named = [*READERS[:20], LEFT[0], *READERS[20:40], *LEFT[1:], *READERS[40:]]
    lines = [f"MAIL FROM:<{BOUNCES}>", *(f"RCPT TO:<{one}>" for one in named), "DATA"]
    with socket.create_connection((LOOPBACK, site.mta.port), timeout=60) as sock:
        file = sock.makefile("rb")
        file.readline()
        sock.sendall(b"EHLO client.example\r\n")
        while file.readline()[3:4] == b"-":
            pass
        sock.sendall("".join(f"{line}\r\n" for line in lines).encode())
        assert file.readline().startswith(b"250")
        told = {one: file.readline() for one in named}
        assert file.readline().startswith(b"354")
        body = mail("piped-news").replace(b"\n", b"\r\n")
        sock.sendall(body + b"\r\n.\r\nQUIT\r\n")
        assert file.readline().startswith(b"250")
    refused = {one for one, line in told.items() if line.startswith(b"550 5.7.1")}
    assert refused == set(LEFT)
    wait_until(lambda: len(site.got_it("piped-news")) >= len(READERS), "the delivery")
    assert site.got_it("piped-news") == set(READERS)


def test_with_verp_the_one_is_refused(site: Site) -> None:
    """And the message that never came has its line."""
    sender = "news-bounces+left0=example.net@lists.choir.example"
    result = site.send("verp-news", [LEFT[0]], sender=sender)
    assert (result.final.command, result.final.code) == ("RCPT", 550)
    assert WORDS in result.final.text

    def told() -> list[dict[str, str]]:
        lines = [one for one in site.outgate.messages() if one["recipients"] == "0"]
        return [one for one in lines if one.get("refused") == "1"]

    wait_until(lambda: bool(told()), "the line")
    (line,) = told()
    assert line["reasons"] == "consent-withdrawn"
    assert (line["action"], line["disposition"]) == ("reject", "reject")
    assert line["sender"] == BOUNCES

    other = "news-bounces+reader0=example.net@lists.choir.example"
    assert site.send("verp-other", [READERS[0]], sender=other).accepted


def test_another_customer_learns_nothing(site: Site) -> None:
    """All are answered alike."""
    named = [READERS[0], *LEFT]
    result = site.send("foreign-news", named, auth=("mallory", USERS["mallory"]))
    assert result.refused == {}


def test_while_the_store_is_away_all_go_on(site: Site) -> None:
    """End-of-message says what there is to say."""
    site.store.kill()
    try:
        result = site.send("away-news", [READERS[0], *LEFT])
        assert result.refused == {}
        assert result.final.command == "."
    finally:
        site.store.restart()
