"""Replies that a person understands."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outgate.model.limit import Count
from outgate.model.optin import Record, State
from outgate.model.verdict import Action, Finding, Mode, Reason
from outgate.policy.list_settings import ListSettings
from outgate.policy.operator import Order
from outgate.policy.questions import Neighbours
from outgate.policy.reply import MAX_REPLY_TEXT, reply_for
from outgate.policy.rule_settings import RuleSettings
from policy.builders import (
    ANNE,
    MALLORY,
    Outpost,
    a_finding,
    a_limit,
    a_policy,
    a_transaction,
    fast,
)

QUEUE_ID = "4XyZ1a2b3c"


def reply_text(template: str, queue_id: str = QUEUE_ID) -> str:
    rules = {Reason.LIMIT_EXCEEDED: RuleSettings(reply=template)}
    return reply_for(a_finding(), Action.REJECT, a_policy(rules=rules), queue_id).text


class TestText:
    """Our words, or the operator's."""

    @pytest.mark.parametrize(
        ("queue_id", "text"),
        [
            (QUEUE_ID, "A sentence for the sender. (limit-exceeded, ref 4XyZ1a2b3c)"),
            ("", "A sentence for the sender. (limit-exceeded)"),
        ],
    )
    def test_it_says_what_happened_and_gives_a_reference(
        self, queue_id: str, text: str
    ) -> None:
        """What the operator needs stands in the log under the same queue id."""
        reply = reply_for(a_finding(), Action.REJECT, a_policy(), queue_id)
        assert reply.text == text

    @pytest.mark.parametrize(
        ("template", "queue_id", "text"),
        [
            ("Write to us.", QUEUE_ID, "Write to us."),
            ("See {queue-id}: {reason}", QUEUE_ID, "See 4XyZ1a2b3c: limit-exceeded"),
            ("See {queue-id}", "", "See -"),
            ("{other} {} {0}", QUEUE_ID, "{other} {} {0}"),
            ("Büro\r\n250 ok", QUEUE_ID, "B?ro??250 ok"),
        ],
    )
    def test_the_operators_words_replace_ours(
        self, template: str, queue_id: str, text: str
    ) -> None:
        """Two placeholders are filled in, and braces are otherwise only braces."""
        assert reply_text(template, queue_id) == text

    @fast
    @given(st.text(min_size=1, max_size=600), st.text(max_size=30))
    def test_it_is_one_short_line_of_printable_ascii(
        self, template: str, queue_id: str
    ) -> None:
        """Anything else an MTA would refuse or mangle."""
        text = reply_text(template, queue_id)
        assert len(text) <= MAX_REPLY_TEXT
        assert text.isascii()
        assert text.isprintable()


class TestCode:
    """The class of a reply is that of its action."""

    @pytest.mark.parametrize(
        ("reason", "deferred", "rejected"),
        [
            (Reason.LIMIT_EXCEEDED, "451 4.7.1", "550 5.7.1"),
            (Reason.SUSPENDED, "451 4.7.1", "550 5.7.1"),
            (Reason.QUARANTINE_FULL, "451 4.7.1", "550 5.7.1"),
            (Reason.STORE_UNAVAILABLE, "451 4.3.0", "550 5.3.0"),
            (Reason.INTERNAL_ERROR, "451 4.3.0", "550 5.3.0"),
        ],
    )
    def test_our_own_troubles_say_so(
        self, reason: Reason, deferred: str, rejected: str
    ) -> None:
        """RFC 3463 §3.4: x.3.0 is the system's trouble, and no fault of the sender."""
        finding = a_finding(reason=reason)
        policy = a_policy()
        assert str(reply_for(finding, Action.DEFER, policy, "")).startswith(deferred)
        assert str(reply_for(finding, Action.REJECT, policy, "")).startswith(rejected)


SECRETS = ("bart0", "example.net", "ticket-4711", "recipients-per-login", "hush")


def list_replies() -> list[Finding]:
    """The same, of one to a registered list that somebody has left."""
    post = Outpost(a_policy(lists=[ListSettings(id="members.choir", customer=ANNE)]))
    left = Record(state=State.WITHDRAWN, time_us=1)
    post.store.keep("members.choir", "bart0@example.net", left)
    return [
        finding
        for recipients in (1, 3)
        for finding in post.judge(
            a_transaction(
                ANNE, recipients=recipients, headers={"List-Id": "<members.choir>"}
            )
        ).verdict.findings
        if finding.public
    ]


def replies() -> list[Finding]:
    """Every finding that our rules make of a message they all dislike."""
    post = Outpost(
        a_policy(
            a_limit("2/1h", action=Action.REJECT),
            a_limit("1/1h", count=Count.MESSAGES, action=Action.REJECT),
            *(
                a_limit("1/1h", count=count, action=Action.REJECT)
                for count in (
                    Count.STRANGERS,
                    Count.DISTINCT_RECIPIENTS,
                    Count.NETWORKS,
                )
            ),
        )
    )
    post.judge(a_transaction(ANNE, client="192.0.2.77"))
    post.store.neighbours = Neighbours(9, 99)
    post.store.usual[ANNE] = (999, 9)
    for order in (Order.SUSPEND, Order.QUARANTINE):
        post.order(order, ANNE, "by=hush ticket-4711")
    bulk = {"Precedence": "bulk"}
    found = [
        finding
        for recipients in (1, 3)
        for finding in post.judge(
            a_transaction(ANNE, sender="", recipients=recipients, headers=bulk)
        ).verdict.findings
    ]
    found += list_replies()
    other = Outpost(a_policy())
    for sender in (
        MALLORY,
        MALLORY,
        *[f"l{number}@example.com" for number in range(5)],
    ):
        author = f"{sender[:2]}-confirm+{'0f' * 20}@example.com"
        request = a_transaction(sender, headers={"From": author})
        found += other.judge(request).verdict.findings
    found += post.gate.fail(a_transaction(ANNE)).verdict.findings
    return found


@pytest.mark.parametrize("finding", replies(), ids=lambda finding: str(finding.reason))
def test_no_reply_names_a_recipient_or_an_operators_words(finding: Finding) -> None:
    """The public sentence and the log's are different strings."""
    for action in (Action.DEFER, Action.REJECT):
        reply = reply_for(finding, action, a_policy(mode=Mode.ENFORCE), QUEUE_ID)
        assert not any(secret in reply.text for secret in SECRETS)
        assert finding.reason.value in reply.text
        assert reply.text.isascii()


def test_every_rule_was_asked_for_its_reply() -> None:
    """The table above is complete: only what needs no sentence is missing."""
    asked = {finding.reason for finding in replies()}
    assert asked == set(Reason) - {
        Reason.STORE_UNAVAILABLE,
        Reason.QUARANTINE_FULL,
        Reason.NEAR_LIMIT,
    }
