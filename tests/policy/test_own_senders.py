"""Whose an envelope sender is: nobody else may get a notification."""

import pytest

from outgate.model.identity import Accountable, PrincipalKind
from outgate.policy.list_settings import ListSettings
from outgate.policy.own_senders import NO_ADDRESS, NOT_OWN, NULL, OwnSenders
from outgate.policy.settings import CustomerSettings, PolicySettings

OWN = OwnSenders.build(
    PolicySettings(
        customers=(
            CustomerSettings(
                name="choir", match=("@choir.example", "anne@shared.test")
            ),
            CustomerSettings(name="shop", match=("@shop.example",)),
        ),
        lists=(
            ListSettings(
                id="news.singers.test", customer="choir", bounces="choir@lists.example"
            ),
            ListSettings(id="choir.lists.example", customer="choir"),
            ListSettings(
                id="shop.lists.example", customer="shop", bounces="shop@choir.example"
            ),
            ListSettings(id="singers.com", customer="choir"),
            ListSettings(id="sub.shop.example", customer="choir"),
        ),
    )
)
CHOIR = Accountable(
    kind=PrincipalKind.LOGIN,
    principal="anne@shared.test",
    customer="choir",
    login="anne@shared.test",
    local_user="choir",
)


@pytest.mark.parametrize(
    ("sender", "why"),
    [
        (b"<any@choir.example>", ""),
        (b"any@Choir.Example", ""),
        (b'<"a b"@choir.example>', ""),
        (b"<anne@shared.test>", ""),
        (b"<anne+1@shared.test>", ""),
        (b"<choir+bart=example.net@lists.example>", ""),
        (b"<x@news.singers.test>", ""),
        (b"<x@singers.test>", ""),
        (b"<x@singers.com>", ""),
        (b"<choir@host.example>", ""),
        (b"<>", NULL),
        (b"", NULL),
        (b"<bart@shared.test>", NOT_OWN),
        (b"<victim@elsewhere.example>", NOT_OWN),
        (b"<x@evilchoir.example>", NOT_OWN),
        (b"<x@com>", NOT_OWN),
        # Another customer's by a word of the operator's.
        (b"<shop+bart=example.net@choir.example>", NOT_OWN),
        (b"<x@shop.example>", NOT_OWN),
        # Several customers have lists there.
        (b"<other-bounces@lists.example>", NOT_OWN),
        # An MTA may send these to another host.
        (b"<victim%elsewhere.example@choir.example>", NO_ADDRESS),
        (b"<elsewhere.example!victim@choir.example>", NO_ADDRESS),
        (b'<"victim@elsewhere.example"@choir.example>', NO_ADDRESS),
        (b"<@elsewhere.example:victim@choir.example>", NO_ADDRESS),
        (b"<a b@choir.example>", NO_ADDRESS),
        (b"<caf\xe9@choir.example>", NO_ADDRESS),
        (b"<\xe2\x80\xae@choir.example>", NO_ADDRESS),
        (b"<choir>", NO_ADDRESS),
        (b"<a\x1b@choir.example>", NO_ADDRESS),
        (b"<" + b"a" * 400 + b"@choir.example>", NO_ADDRESS),
    ],
)
def test_whose_it_is(sender: bytes, why: str) -> None:
    """Only the configuration says so."""
    assert OWN.why_untold(sender, CHOIR, frozenset({"host.example"})) == why
