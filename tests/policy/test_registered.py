"""Registered streams: told by customer and header From, for one recipient."""

import pytest

from outgate.model.address import parse_address
from outgate.model.limit import Count, Per
from outgate.model.units import Rate
from outgate.model.verdict import Action, MailClass, Mode
from outgate.policy.registered import Streams
from outgate.policy.settings import StreamSettings
from policy.builders import a_policy

RECEIPTS = StreamSettings(
    name="receipts",
    customer="shop",
    sender=("Orders@Shop.example", "bücher.example"),
    rate=Rate.parse("30/1d"),
)
CONFIRMATIONS = StreamSettings(
    name="confirmations",
    customer="shop",
    sender=("join@bücher.example",),
    kind="confirmation",
)
STREAMS = Streams([RECEIPTS, CONFIRMATIONS])


@pytest.mark.parametrize(
    ("customer", "header_from", "recipients", "name"),
    [
        ("shop", "orders@shop.example", 1, "stream-receipts"),
        ("shop", "Orders@SHOP.example", 1, "stream-receipts"),
        ("shop", "anne@shop.example", 1, ""),
        ("shop", "anne@bücher.example", 1, "stream-receipts"),
        ("shop", "anne@xn--bcher-kva.example", 1, "stream-receipts"),
        ("shop", "join@bücher.example", 1, "stream-confirmations"),
        ("shop", "anne@sub.bücher.example", 1, ""),
        ("shop", "orders@shop.example", 2, ""),
        ("shop", "orders@shop.example", 0, ""),
        ("choir", "orders@shop.example", 1, ""),
    ],
)
def test_a_stream_is_told_by_customer_and_sender(
    customer: str, header_from: str, recipients: int, name: str
) -> None:
    """An address before its domain; no other customer may use it."""
    stream = STREAMS.find(customer, parse_address(header_from), recipients)
    assert (stream.limit.name if stream is not None else "") == name


def test_mail_without_a_from_belongs_to_none() -> None:
    """Nothing says which."""
    assert STREAMS.find("shop", None, 1) is None


def test_an_override_may_name_it() -> None:
    """As any other limit."""
    assert STREAMS.limit_names == {"stream-receipts", "stream-confirmations"}
    assert a_policy(streams=[RECEIPTS]).limit_names() == {"stream-receipts"}


def test_its_limit_is_on_strangers() -> None:
    """What is beyond it is held."""
    stream = STREAMS.find("shop", parse_address("orders@shop.example"), 1)
    assert stream is not None
    assert stream.mail_class is MailClass.TRANSACTIONAL
    limit = stream.limit
    assert (limit.per, limit.count) == (Per.STREAM, Count.STRANGERS)
    assert (str(limit.rate), limit.burst) == ("30/1d", 30)
    assert (limit.action, limit.mode) == (Action.QUARANTINE, Mode.ENFORCE)


@pytest.mark.parametrize(
    ("kind", "mail_class", "rate"),
    [
        ("transactional", MailClass.TRANSACTIONAL, "2000/1d"),
        ("confirmation", MailClass.CONFIRMATION, "1000/1d"),
    ],
)
def test_its_kind_gives_a_class_and_a_rate(
    kind: str, mail_class: MailClass, rate: str
) -> None:
    """Unless it has a rate of its own."""
    settings = StreamSettings(
        name="x", customer="shop", sender=("shop.example",), kind=kind
    )
    stream = Streams([settings]).find("shop", parse_address("a@shop.example"), 1)
    assert stream is not None
    assert (stream.mail_class, str(stream.limit.rate)) == (mail_class, rate)


def test_without_streams_nothing_is_looked_for() -> None:
    """Most installations have none."""
    assert Streams([]).find("shop", parse_address("a@shop.example"), 1) is None
