"""The class of a message, once it is known whom it reaches."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outgate.model.limit import Count, Per
from outgate.model.units import Rate
from outgate.model.verdict import Action, MailClass
from outgate.policy.compiled import Policy
from outgate.policy.mail_class import BULK_PEOPLE, class_of
from outgate.policy.questions import Answers, Spread
from outgate.policy.settings import StreamSettings
from policy.builders import (
    ANNE,
    MALLORY,
    Outpost,
    a_case,
    a_customer,
    a_limit,
    a_policy,
    a_transaction,
    fast,
)
from policy.ledger import NOW_US

_CLASSES = {
    MailClass.PERSONAL: {},
    MailClass.CALENDAR: {"Content-Type": "text/calendar; method=REQUEST"},
    MailClass.CONFIRMATION: {
        "From": f"news-confirm+{'0f' * 20}@lists.example.org",
        "Precedence": "bulk",
    },
    MailClass.FORWARD: {"X-Forwarded-To": "bart@example.net"},
    MailClass.LIST: {"List-Id": "<news.example.org>"},
    MailClass.AUTO_REPLY: {"Auto-Submitted": "auto-replied"},
    MailClass.BULK: {"Precedence": "bulk"},
}


def a_shops_policy(kind: str = "transactional") -> Policy:
    """One customer, with one stream."""
    return a_policy(
        a_limit("20/7d", per=Per.CAMPAIGN, count=Count.STRANGERS, share=60),
        customers=[a_customer("shop", ANNE)],
        streams=[
            StreamSettings(
                name="mail",
                customer="shop",
                sender=("shop.example",),
                kind=kind,
                rate=Rate.parse("30/1d"),
            )
        ],
        local=["local.example"],
    )


def reaching(number: int) -> Answers:
    """A content that reached so many."""
    return Answers(now_us=NOW_US, spread=Spread(True, 0, 0, number))


@pytest.mark.parametrize("kind", ["transactional", "confirmation"])
@pytest.mark.parametrize("declared", _CLASSES)
def test_a_registered_streams_mail_has_its_class(
    declared: MailClass, kind: str
) -> None:
    """Whatever its headers declare, and to whomever it goes."""
    headers = _CLASSES[declared] | {"From": "orders@shop.example"}
    if declared is MailClass.FORWARD:
        headers["From"] = "Shop <orders@shop.example>"
    for recipient in ("bart@example.net", "bart@local.example"):
        decision = Outpost(a_shops_policy(kind)).judge(
            a_transaction(ANNE, recipients=[recipient], headers=headers)
        )
        assert decision.mail_class == kind


@pytest.mark.parametrize("login", [ANNE, MALLORY])
@pytest.mark.parametrize("declared", _CLASSES)
def test_other_mail_is_what_it_declares(declared: MailClass, login: str) -> None:
    """As long as few people get it, or it declares something."""
    case = a_case(a_shops_policy(), a_transaction(login, headers=_CLASSES[declared]))
    assert class_of(case.facts, case.plan, reaching(BULK_PEOPLE - 1)) is declared


@pytest.mark.parametrize("declared", _CLASSES)
def test_a_content_that_reached_fifty_is_bulk(declared: MailClass) -> None:
    """If it declares nothing else."""
    case = a_case(a_shops_policy(), a_transaction(ANNE, headers=_CLASSES[declared]))
    found = class_of(case.facts, case.plan, reaching(BULK_PEOPLE))
    if declared is MailClass.PERSONAL:
        assert found is MailClass.BULK_BY_BEHAVIOUR
    else:
        assert found is declared


@pytest.mark.parametrize("number", [1, 15, 49, 50, 60])
def test_one_message_to_fifty_is_bulk_too(number: int) -> None:
    """Though it was refused, or nobody compared its content."""
    bulk = number >= BULK_PEOPLE
    for policy in (a_policy(), a_shops_policy()):
        decision = Outpost(policy).judge(a_transaction(ANNE, recipients=number))
        assert (decision.mail_class is MailClass.BULK_BY_BEHAVIOUR) is bulk


def test_a_mailing_in_single_messages_becomes_bulk() -> None:
    """The fiftieth recipient makes it; the tag says so."""
    post = Outpost(
        a_policy(
            a_limit("999/7d", per=Per.CAMPAIGN, count=Count.STRANGERS),
            a_limit("55/1d", count=Count.MESSAGES, action=Action.TAG),
        )
    )
    decisions = [
        post.judge(a_transaction(ANNE, recipients=[f"bart{number}@example.net"]))
        for number in range(60)
    ]
    classes = [decision.mail_class for decision in decisions]
    assert classes[:49] == [MailClass.PERSONAL] * 49
    assert classes[49:] == [MailClass.BULK_BY_BEHAVIOUR] * 11
    assert decisions[-1].disposition.tag == "class=bulk-by-behaviour; action=tag"


@fast
@given(st.sampled_from(sorted(_CLASSES)), st.integers(0, 200), st.booleans())
def test_nobody_outside_a_stream_gets_its_class(
    declared: MailClass, reached: int, mine: bool
) -> None:
    """Neither by headers, nor by another customer's From."""
    headers = _CLASSES[declared] | ({} if mine else {"From": "orders@shop.example"})
    login = ANNE if mine else MALLORY
    case = a_case(a_shops_policy(), a_transaction(login, headers=headers))
    found = class_of(case.facts, case.plan, reaching(reached))
    assert found is not MailClass.TRANSACTIONAL
