"""List mail on real MTAs: who gets it, who does not, and what its sender hears."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import pytest

from lab.milters import Milter
from lab.outgate import Outgate
from lab.ports import free_port
from lab.postfix import Postfix
from lab.sendmail import Sendmail
from lab.sink import Delivery, Sink
from lab.skips import or_skip
from lab.smtp import Result, send
from lab.waiting import wait_until
from system.messages import letter
from system.observing import delivered, line_of

pytestmark = pytest.mark.mta

LIST = "news.choir.example"
BOUNCES = "bounces@choir.example"
# Notifications go through the very MTA whose mail is judged.
SETTINGS = f"""
[[customer]]
name = "choir"
match = ["127.0.0.1"]
[[list]]
id = "{LIST}"
customer = "choir"
enforce-from = 2026-01-01
[notify]
smtp = "127.0.0.1:PORT"
"""
READERS = [f"reader{number}@example.net" for number in range(50)]
LEFT, STRANGER = "left@example.net", "stranger@example.net"


@dataclass
class Site:
    """An MTA with a gate, and the next hop."""

    mta: Postfix | Sendmail
    outgate: Outgate
    sink: Sink

    def send(self, subject: str, recipients: list[str]) -> Result:
        mail = letter(
            subject,
            List_Id=f"News <{LIST}>",
            List_Unsubscribe="<mailto:leave@example.org>",
        )
        return send(self.mta.port, mail, BOUNCES, recipients)

    def got_it(self, subject: str) -> set[str]:
        """Who has the message; an MTA may split it."""
        return {
            recipient
            for one in delivered(self.sink, subject)
            if one.sender == BOUNCES
            for recipient in one.recipients
        }

    def reports(self, address: str) -> list[Delivery]:
        mark = f"Final-Recipient: rfc822;{address}".encode()
        return [one for one in self.sink.messages if mark in one.data]


@pytest.fixture(scope="module", params=["postfix", "sendmail"])
def site(request: pytest.FixtureRequest) -> Iterator[Site]:
    """Fifty readers, and one who has left."""
    port = free_port()
    with ExitStack() as stack:
        sink = stack.enter_context(Sink())
        with or_skip():
            settings = SETTINGS.replace("PORT", str(port))
            outgate = stack.enter_context(Outgate(settings=settings))
            milters = [Milter(outgate.socket)]
            mta: Postfix | Sendmail
            if request.param == "postfix":
                mta = Postfix(milters=milters, sink=sink.port, port=port)
            else:
                mta = Sendmail(milters=milters, sink=sink.port, port=port)
            stack.enter_context(mta)
        file = outgate.directory / "readers"
        file.write_text("\n".join([*READERS, LEFT]))
        of_list = ("--list", LIST, "--customer", "choir")
        outgate.cli("optin", "load", *of_list, "--grade", "paper", str(file))
        outgate.cli("optin", "withdraw", *of_list, LEFT)
        yield Site(mta, outgate, sink)


def test_who_left_does_not_get_it_and_the_list_hears_of_it(site: Site) -> None:
    """49 readers have it; the report comes as a bounce, and nothing stops that."""
    result = site.send("withdrawn-news", [*READERS[:49], LEFT])
    assert result.accepted
    wait_until(lambda: len(site.got_it("withdrawn-news")) >= 49, "the delivery")
    wait_until(lambda: site.reports(LEFT), "the report")

    assert site.got_it("withdrawn-news") == set(READERS[:49])
    (report,) = site.reports(LEFT)
    assert (report.sender, report.recipients) == ("", (BOUNCES,))
    assert b"Status: 5.7.1" in report.data
    assert line_of(site.outgate, result.queue_id)["removed"] == "1"
    bounces = [one for one in site.outgate.messages() if one["class"] == "bounce"]
    assert [one["disposition"] for one in bounces] == ["accept"]


def test_one_of_fifty_without_a_consent_does_not_get_it(site: Site) -> None:
    """The others do."""
    assert site.send("covered-news", [*READERS[:49], STRANGER]).accepted
    wait_until(lambda: len(site.got_it("covered-news")) >= 49, "the delivery")
    wait_until(lambda: site.reports(STRANGER), "the report")

    assert site.got_it("covered-news") == set(READERS[:49])


def test_alone_he_is_refused_in_words(site: Site) -> None:
    """As the list's software reads it."""
    final = site.send("alone-news", [LEFT]).final
    assert (final.code, final.enhanced) == (550, "5.7.1")
    assert "Recipient withdrew consent from news.choir.example" in final.text


def test_many_are_held_without_who_left(site: Site) -> None:
    """What a person releases goes to all others, however many asked for it."""
    strangers = [f"new{number}@example.net" for number in range(40)]
    result = site.send("held-news", [*READERS[:9], LEFT, *strangers])
    assert result.accepted
    line = line_of(site.outgate, result.queue_id)
    assert (line["disposition"], line["removed"]) == ("quarantine", "1")
    assert site.got_it("held-news") == set()

    site.mta.release(result.queue_id or "")
    wait_until(lambda: len(site.got_it("held-news")) >= 49, "the released message")
    assert site.got_it("held-news") == {*READERS[:9], *strangers}
