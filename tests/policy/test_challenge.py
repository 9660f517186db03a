"""Challenges at the gate: of which list, noted or not, and how many to one person."""

from dataclasses import replace

import pytest

from message.builders import headers
from message.challenges import (
    ALL,
    COOKIE,
    LISTMONK,
    MAILMAN_3,
    PATTERN,
    SYMPA_MAIL,
    SYMPA_WEB,
    Message,
)
from outgate.message.wanted import WANTED_HEADERS
from outgate.model.optin import Record, State
from outgate.model.transaction import Transaction
from outgate.model.units import SECOND_US
from outgate.model.verdict import Action, Mode, Reason
from outgate.policy.list_settings import ListSettings
from outgate.policy.operator import Order
from outgate.policy.questions import PlannedChallenge, Source
from outgate.policy.rule_settings import RuleSettings
from outgate.policy.settings import StreamSettings
from policy.builders import ANNE, Outpost, a_policy, a_transaction

LIST = "news.lists.choir.example"
DAY_S = 86_400


def a_list(
    list_id: str = LIST, customer: str = ANNE, **settings: object
) -> ListSettings:
    return ListSettings(id=list_id, customer=customer, **settings)  # type: ignore[arg-type]


def mail(
    message: Message, login: str = ANNE, recipients: int = 1, *, to: str = ""
) -> Transaction:
    block, body = message
    made = a_transaction(login, recipients=[to] if to else recipients)
    made.headers = {
        name: values
        for name, values in headers(block).items()
        if name in WANTED_HEADERS
    }
    made.body, made.body_bytes = body, len(body)
    return made


def planned(outpost: Outpost, message: Message) -> PlannedChallenge | None:
    decision = outpost.judge(mail(message))
    assert decision.plan is not None
    return decision.plan.challenge


@pytest.mark.parametrize("name", ALL)
def test_each_is_of_the_only_list(name: str) -> None:
    """It is noted, once it left."""
    post = Outpost(a_policy(lists=[a_list()]))
    post.judge(mail(ALL[name]))
    ((noted, left),) = post.store.challenges
    assert (noted.list_id, noted.mailbox, left) == (LIST, "bart0@example.net", True)


@pytest.mark.parametrize("name", ALL)
def test_nothing_is_read_of_a_body_without_a_list(name: str) -> None:
    """Whom headers tell of is protected all the same; the ledger knows no list."""
    post = Outpost(a_policy())
    found = planned(post, ALL[name])
    by_headers = name in {"mailman 3", "mailman 2", "sympa by mail"}
    assert (found is not None) is by_headers
    assert found is None or not found.list_id


@pytest.mark.parametrize(
    ("message", "list_id"),
    [
        (MAILMAN_3, LIST),
        (SYMPA_MAIL, LIST),
        (LISTMONK, "by-sender.choir.example"),
        (PATTERN, "by-pattern.choir.example"),
        (SYMPA_WEB, ""),
    ],
)
def test_of_several_lists_the_one_that_is_meant(message: Message, list_id: str) -> None:
    """By name, author or pattern; none where nothing tells."""
    lists = [
        a_list(),
        a_list("other.lists.choir.example"),
        a_list("by-sender.choir.example", challenge_sender=("Choir.example",)),
        a_list("by-pattern.choir.example", challenge_pattern="/nl/confirm/"),
        a_list("news.elsewhere.example", customer="another"),
    ]
    found = planned(Outpost(a_policy(lists=lists)), message)
    assert found is not None
    assert found.list_id == list_id


def test_a_name_of_two_lists_is_of_neither() -> None:
    """`news` may be either."""
    lists = [a_list(), a_list("news.choir.example")]
    found = planned(Outpost(a_policy(lists=lists)), SYMPA_MAIL)
    assert found is not None
    assert not found.list_id


def test_another_customers_list_is_never_meant() -> None:
    """Whatever the message names."""
    post = Outpost(a_policy(lists=[a_list(customer="choir")]))
    found = planned(post, MAILMAN_3)
    assert found is not None
    assert not found.list_id


def test_a_stream_of_confirmations_is_one() -> None:
    """Its customer registered it: all of its mail is challenges."""
    stream = StreamSettings(
        name="signup",
        customer=ANNE,
        sender=("hello@band.example",),
        kind="confirmation",
    )
    found = planned(Outpost(a_policy(streams=[stream], lists=[a_list()])), PATTERN)
    assert found is not None
    assert (found.list_id, found.software) == (LIST, "other")


@pytest.mark.parametrize("name", ALL)
def test_to_two_people_it_is_none(name: str) -> None:
    """A challenge goes to one."""
    post = Outpost(a_policy(lists=[a_list()]))
    decision = post.judge(mail(ALL[name], recipients=2))
    assert decision.plan is not None
    assert decision.plan.challenge is None


def test_one_list_asks_a_person_once_a_day() -> None:
    """The second waits, and says what to do; another person gets theirs."""
    post = Outpost(a_policy(lists=[a_list()]))
    first = post.judge(mail(SYMPA_MAIL))
    again = post.judge(mail(SYMPA_MAIL))
    other = post.judge(mail(SYMPA_MAIL, to="ned@example.net"))
    post.clock.now_us += DAY_S * SECOND_US
    later = post.judge(mail(SYMPA_MAIL))

    assert [one.disposition.action for one in (first, again, other, later)] == [
        Action.ACCEPT,
        Action.DEFER,
        Action.ACCEPT,
        Action.ACCEPT,
    ]
    assert again.disposition.reason is Reason.SUBSCRIPTION_BOMBING
    assert again.disposition.reply is not None
    assert "CAPTCHA" in again.disposition.reply.text
    (finding,) = again.verdict.findings
    assert finding.retry_after_us == DAY_S * SECOND_US
    # What waited is in no ledger.
    assert len(post.store.challenges) == 3


def test_many_lists_ask_one_person_five_times() -> None:
    """Lists of many customers, each of them innocent."""
    post = Outpost(a_policy())
    actions = []
    for number in range(8):
        login = f"list{number}@example.org"
        block = f"From: l{number}-confirm+{COOKIE}@example.org\nSubject: Confirm"
        actions.append(post.judge(mail((block, b""), login)).disposition.action)
    assert actions == [Action.ACCEPT] * 5 + [Action.DEFER] * 3


def test_one_customer_locks_nobody_out_of_other_lists() -> None:
    """Whatever authors it writes: five a day, and the honest list may ask all the same."""
    post = Outpost(a_policy(lists=[a_list(customer="choir@example.org")]))
    actions = []
    for number in range(7):
        block = f"From: l{number}-confirm+{COOKIE}@d{number}.example\nSubject: Confirm"
        actions.append(post.judge(mail((block, b""))).disposition.action)
    assert actions == [Action.ACCEPT] * 5 + [Action.DEFER] * 2
    honest = post.judge(mail(MAILMAN_3, "choir@example.org"))
    assert honest.disposition.action is Action.ACCEPT


def test_what_another_rule_stops_counts_for_nobody() -> None:
    """It is given back; that it was held is noted, since somebody may release it."""
    post = Outpost(a_policy(lists=[a_list()]))
    post.order(Order.QUARANTINE, ANNE, "by=anne")
    held = post.judge(mail(SYMPA_MAIL))
    del post.store.orders[Order.QUARANTINE, ANNE]
    left = post.judge(mail(SYMPA_MAIL))

    assert held.disposition.action is Action.QUARANTINE
    assert left.disposition.action is Action.ACCEPT
    assert [one for _, one in post.store.challenges] == [False, True]


def test_monitor_mode_counts_what_enforce_would_let_out() -> None:
    """All leave, and all are noted; the report is what enforce would do."""
    post = Outpost(a_policy(lists=[a_list()], mode=Mode.MONITOR))
    decisions = [post.judge(mail(SYMPA_MAIL)) for _ in range(3)]
    assert [one.verdict.action for one in decisions] == [
        Action.ACCEPT,
        Action.DEFER,
        Action.DEFER,
    ]
    assert all(one.disposition.action is Action.ACCEPT for one in decisions)
    assert len(post.store.challenges) == 3


@pytest.mark.parametrize("action", [Action.TAG, Action.REJECT, Action.QUARANTINE])
def test_the_operator_chooses_what_happens(action: Action) -> None:
    """A rule that lets out counts on."""
    rules = {Reason.SUBSCRIPTION_BOMBING: RuleSettings(action=action)}
    post = Outpost(a_policy(rules=rules, lists=[a_list()]))
    post.judge(mail(MAILMAN_3))
    again = post.judge(mail(MAILMAN_3))
    assert again.disposition.action is action


def test_without_the_store_nobody_is_counted() -> None:
    """And nothing fails."""
    post = Outpost(a_policy(lists=[a_list()]))
    post.store.source = Source.LOCAL
    actions = post.actions(mail(SYMPA_WEB) for _ in range(3))
    assert actions == [Action.ACCEPT] * 3


def test_a_challenge_spares_no_count() -> None:
    """An advert that looks like one is limited as before."""
    from outgate.model.limit import Count, Per
    from policy.builders import a_limit

    limit = a_limit("2/1d", per=Per.LOGIN, count=Count.STRANGERS)
    post = Outpost(a_policy(limit, lists=[a_list()]))
    actions = post.actions(
        mail(SYMPA_WEB, to=f"bart{number}@example.net") for number in range(4)
    )
    assert actions == [Action.ACCEPT] * 2 + [Action.QUARANTINE] * 2


def test_whom_a_list_asks_need_not_have_consented() -> None:
    """Mailman's requests have the List-Id; nor have they anything to unsubscribe from."""
    block, body = MAILMAN_3
    listed = (f"{block}\nList-Id: News <{LIST}>", body)
    post = Outpost(a_policy(lists=[a_list()]))
    decision = post.judge(mail(listed))
    assert decision.verdict.action is Action.ACCEPT
    assert decision.plan is not None
    assert not decision.plan.subscribed
    # A newsletter to the same person is asked for a consent.
    letter = (f"From: news@lists.choir.example\nList-Id: News <{LIST}>", body)
    assert Reason.LIST_WITHOUT_CONSENT in post.judge(mail(letter)).verdict.reasons


ADVERTS = {
    "two hosts": b"Buy at https://shop.example/ or https://other.example/\n",
    "long": b"Buy our pills today.\n" * 1_000,
}


@pytest.mark.parametrize("name", ADVERTS)
def test_an_advert_with_the_author_of_a_challenge_is_the_list_s_mail(name: str) -> None:
    """Whoever withdrew gets none, and no later claim has a witness."""
    block, body = MAILMAN_3
    post = Outpost(a_policy(lists=[a_list()]))
    withdrawal = Record(state=State.WITHDRAWN, time_us=post.clock.now_us - 1)
    post.store.keep(LIST, "bart0@example.net", withdrawal)
    listed = f"{block}\nList-Id: News <{LIST}>"
    advert = post.judge(mail((listed, ADVERTS[name])))
    assert advert.plan is not None
    assert advert.plan.subscribed == LIST
    assert advert.plan.challenge is None
    assert Reason.CONSENT_WITHDRAWN in advert.verdict.reasons
    assert not post.store.challenges
    # A proven one may ask him again: Mailman 2 puts the List-Id into it.
    assert post.judge(mail((listed, body))).verdict.action is Action.ACCEPT


def test_a_body_that_nobody_showed_proves_nothing() -> None:
    """Its recipient is protected; the list's rules hold, and the ledger has nothing."""
    block, body = MAILMAN_3
    post = Outpost(a_policy(lists=[a_list()]))
    message = mail((f"{block}\nList-Id: News <{LIST}>", body))
    message.session = replace(message.session, bodies=False)
    decision = post.judge(message)
    assert decision.plan is not None
    assert decision.plan.subscribed == LIST
    assert decision.plan.challenge is not None
    assert not decision.plan.challenge.list_id


def test_an_advert_in_a_stream_of_confirmations_witnesses_nothing() -> None:
    """Its recipient is protected all the same."""
    stream = StreamSettings(
        name="signup",
        customer=ANNE,
        sender=("hello@band.example",),
        kind="confirmation",
    )
    post = Outpost(a_policy(streams=[stream], lists=[a_list()]))
    block, body = PATTERN
    found = planned(post, (block, body + b"Buy at https://shop.example/\n"))
    assert found is not None
    assert not found.list_id
