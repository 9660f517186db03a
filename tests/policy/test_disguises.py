"""What a sender can choose moves nothing: forgeries, disguises, and traps of others.

The traps are those into which peers fell: rspamd's allow-lists by recipient,
policyd-rate-limit's counters by envelope sender, and what spammers made of them.
"""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outgate.model.identity import Path
from outgate.model.limit import Count, Per
from outgate.model.transaction import Transaction
from outgate.model.verdict import Action, Reason
from outgate.policy.compiled import Policy
from outgate.policy.list_settings import ListSettings
from outgate.policy.operator import Order
from outgate.policy.settings import StreamSettings
from policy.builders import (
    ANNE,
    FORWARDER,
    INSIDE,
    MALLORY,
    Outpost,
    a_customer,
    a_limit,
    a_policy,
    a_transaction,
    an_entry,
    fast,
)

A, T, D, Q, R = Action
BURST = 12

Headers = dict[str, str]

# Sender and headers around one and the same burst.
DISGUISES: dict[str, tuple[str, Headers]] = {
    "none": (MALLORY, {}),
    "null sender": ("", {}),
    "a bounce": ("", {"Content-Type": "multipart/report; report-type=delivery-status"}),
    "an auto-reply": ("", {"Auto-Submitted": "auto-replied (vacation)"}),
    "auto-generated": (MALLORY, {"Auto-Submitted": "auto-generated"}),
    "an invitation": (MALLORY, {"Content-Type": "text/calendar; method=REQUEST"}),
    "ARC": (MALLORY, {"ARC-Seal": "i=1; cv=none", "ARC-Message-Signature": "i=1"}),
    "Resent": (MALLORY, {"Resent-From": ANNE, "Resent-To": "bart@example.net"}),
    "X-Forwarded-To": (MALLORY, {"X-Forwarded-To": "bart@example.net"}),
    "SRS": ("SRS0=HHH=TT=example.org=anne@example.com", {}),
    "BATV": ("prvs=4068eb2540=mallory@example.com", {}),
    "a plus-tag": ("mallory+news@example.com", {}),
    "VERP": ("list-bounces+bart=example.net@example.com", {}),
    "a list": (
        MALLORY,
        {
            "List-Id": "<news.example.org>",
            "List-Unsubscribe": "<https://example.org/leave?t=Zm9v>",
        },
    ),
    "a confirmation request": (MALLORY, {"Subject": "Please confirm", "X-Opt-In": "y"}),
    "a request of Mailman's": (
        MALLORY,
        {
            "From": f"news-confirm+{'0f' * 20}@lists.example.org",
            "Precedence": "bulk",
            "X-List-Administrivia": "yes",
        },
    ),
    "a receipt": (MALLORY, {"From": "orders@shop.example", "Feedback-ID": "1:a:b:c"}),
    "a script": (
        MALLORY,
        {
            "X-PHP-Originating-Script": "33:contact.php",
            "X-PHP-Script": "shop.example/contact.php for 203.0.113.9",
        },
    ),
    "DKIM": (MALLORY, {"DKIM-Signature": "v=1; d=example.org"}),
}
SESSIONS: dict[str, Callable[[str, Headers], Transaction]] = {
    "login": lambda sender, headers: a_transaction(
        MALLORY, sender=sender, headers=headers
    ),
    "login at a client of ours": lambda sender, headers: a_transaction(
        MALLORY, client=INSIDE, sender=sender, headers=headers
    ),
    "client": lambda sender, headers: a_transaction(
        client=INSIDE, sender=sender, headers=headers
    ),
    "local user": lambda sender, headers: a_transaction(
        path=Path.LOCAL_SUBMISSION, local_user="m", sender=sender, headers=headers
    ),
}


# Another customer's.
RECEIPTS = StreamSettings(name="x", customer="shop", sender=("orders@shop.example",))


def a_counting_policy() -> Policy:
    """A limit of each kind that applies to everybody's mail."""
    return a_policy(
        a_limit("9/1h"),
        a_limit("8/1h", per=Per.LOGIN, count=Count.MESSAGES),
        a_limit("7/1h", per=Per.CUSTOMER),
        a_limit("6/1h", per=Per.CLIENT),
        a_limit("5/1h", per=Per.DOMAIN),
        a_limit("1/1d", per=Per.FORWARDER),
        streams=[RECEIPTS],
    )


scripts = st.tuples(
    st.sampled_from(["", "33:contact.php", "33:m1.php", "0:x", "forged"]),
    st.sampled_from(["", "shop.example/b.php for x", "bank.example/ for x", "nono"]),
)


class TestDisguise:
    """Each disguise around a burst lowers no count."""

    @pytest.mark.parametrize("session", SESSIONS)
    @pytest.mark.parametrize("disguise", DISGUISES)
    def test_it_lets_no_more_through(self, disguise: str, session: str) -> None:
        """As many leave as without it, and all counters are as full.

        A challenge of no registered list is one of five that a customer may send to a
        person in a day: as many as leave here in any case.
        """
        passed = []
        filled = []
        for name in ("none", disguise):
            post = Outpost(a_counting_policy())
            mail = SESSIONS[session](*DISGUISES[name])
            verdicts = [post.judge(mail).verdict for _ in range(BURST)]
            passed.append([verdict.action.lets_out for verdict in verdicts])
            filled.append(sorted(post.store.tats_us.values()))
        assert passed[0].count(True) == 5
        assert passed[0] == passed[1]
        assert filled[0] == filled[1]

    @fast
    @given(st.lists(st.sampled_from(sorted(DISGUISES)), min_size=1, max_size=BURST))
    def test_to_change_it_for_each_message_does_not_help(
        self, disguises: list[str]
    ) -> None:
        """The login's counters see one stream; of challenges the sixth one waits."""
        post = Outpost(a_policy(a_limit("4/1h")))
        asked = disguises.count("a request of Mailman's")
        actions = post.actions(
            SESSIONS["login"](*DISGUISES[name]) for name in disguises
        )
        assert actions.count(Action.ACCEPT) + actions.count(Action.TAG) == min(
            4, len(disguises) - max(0, asked - 5)
        )

    @fast
    @given(st.lists(scripts, min_size=1, max_size=BURST))
    def test_a_script_per_message_lifts_no_limit(
        self, forged: list[tuple[str, str]]
    ) -> None:
        """A counter per script comes on top, and those of others are not touched."""
        post = Outpost(
            a_policy(
                a_limit("4/1h", per=Per.LOCAL_USER),
                a_limit("2/1h", per=Per.SCRIPT),
                a_limit("3/1h", per=Per.SITE),
            )
        )
        quiet = Outpost(post.policy)
        for caller, page in forged:
            headers = {"X-PHP-Originating-Script": caller, "X-PHP-Script": page}
            post.judge(
                a_transaction(
                    path=Path.LOCAL_SUBMISSION, local_user="mallory", headers=headers
                )
            )
        passed = post.store.used("mallory", "recipients-per-local-user", "mallory")
        assert passed <= 4
        own = a_transaction(
            path=Path.LOCAL_SUBMISSION,
            local_user="anne",
            headers={"X-PHP-Originating-Script": "33:contact.php"},
        )
        assert post.actions([own] * 3) == quiet.actions([own] * 3) == [A, A, Q]

    def test_a_sender_per_recipient_fills_one_counter(self) -> None:
        """VERP never filled a bucket by envelope sender (policyd-rate-limit #24)."""
        post = Outpost(a_policy(a_limit("4/1h"), a_limit("3/1h", per=Per.DOMAIN)))
        mails = [
            a_transaction(
                MALLORY, sender=f"list-bounces+bart{number}=example.net@lists.example"
            )
            for number in range(5)
        ]
        assert post.actions(mails) == [A, A, A, Q, Q]

    def test_more_domains_do_not_lift_the_logins_limit(self) -> None:
        """A counter per domain comes on top, never instead."""
        post = Outpost(a_policy(a_limit("4/1h"), a_limit("3/1h", per=Per.DOMAIN)))
        mails = [
            a_transaction(MALLORY, sender=f"m@d{number}.example") for number in range(6)
        ]
        assert post.actions(mails) == [A, A, A, A, Q, Q]

    def test_a_detour_over_an_internal_domain_is_no_internal_recipient(self) -> None:
        """Postfix would send `bart%example.net@local.example` to the outside."""
        post = Outpost(a_policy(a_limit("2/1h"), local=["local.example"]))
        detour = a_transaction(MALLORY, recipients=["bart%example.net@local.example"])
        assert post.actions([detour] * 3) == [A, A, Q]

    def test_an_alias_has_its_size_however_it_is_spelled(self) -> None:
        """Case, quotes and dots make no other recipient of it."""
        post = Outpost(a_policy(a_limit("9/1h"), aliases={"all@example.net": 9}))
        for recipient in ("ALL@Example.NET", '"all"@example.net.'):
            post.store.tats_us.clear()
            post.judge(a_transaction(MALLORY, recipients=[recipient]))
            assert post.store.used(MALLORY, "recipients-per-login", MALLORY) == 9


forged_words = st.sampled_from(
    [ANNE, "Anne <anne@example.com>", "anne+x@example.com", "<news.choir.example>", ""]
)
forgeries = st.builds(
    lambda sender, header_from, list_id, recipients: a_transaction(
        MALLORY,
        sender=sender,
        recipients=recipients,
        headers={"From": header_from, "List-Id": list_id, "Sender": header_from},
    ),
    st.sampled_from([ANNE, "ANNE@EXAMPLE.COM", "prvs=4068eb2540=anne@example.com", ""]),
    forged_words,
    forged_words,
    st.integers(1, 12),
)


class TestForgery:
    """One login forging another changes nothing of the other's."""

    POLICY = a_policy(
        a_limit("6/1h"),
        a_limit("9/1h", per=Per.CUSTOMER),
        a_limit("5/1h", per=Per.DOMAIN),
        a_limit("4/1h", per=Per.LIST),
        customers=[a_customer("choir", ANNE)],
        lists=[ListSettings(id="news.choir.example", customer="choir")],
    )

    @fast
    @given(st.lists(forgeries | st.none(), max_size=15))
    def test_the_forged_one_never_notices(
        self, stream: list[Transaction | None]
    ) -> None:
        """Her verdicts, counters, attempts and held mail are those of a quiet day."""
        own = a_transaction(ANNE, headers={"List-Id": "<news.choir.example>"})
        noisy, quiet = Outpost(self.POLICY), Outpost(self.POLICY)
        for forgery in stream:
            if forgery is None:
                assert (
                    noisy.judge(own).verdict.findings
                    == quiet.judge(own).verdict.findings
                )
            else:
                noisy.judge(forgery)
        for kept in ("tats_us", "attempts", "held"):
            hers = {
                key: value
                for key, value in getattr(noisy.store, kept).items()
                if "choir" in key
            }
            assert hers == getattr(quiet.store, kept)

    def test_nobody_is_locked_out_by_his_own_address(self) -> None:
        """Others sent under it until they were refused (policyd-rate-limit #3)."""
        post = Outpost(a_policy(a_limit("3/1h", action=Action.REJECT)))
        forged = a_transaction(MALLORY, sender=ANNE, headers={"From": ANNE})
        assert post.actions([forged] * 9).count(Action.REJECT) == 6
        assert post.actions([a_transaction(ANNE)] * 3) == [A, A, A]

    @pytest.mark.parametrize("session", [MALLORY, ""], ids=["login", "client"])
    def test_a_customer_is_never_chosen_by_the_mail(self, session: str) -> None:
        """Neither by envelope, nor headers, nor recipients."""
        post = Outpost(self.POLICY)
        decision = post.judge(
            a_transaction(
                session,
                client=INSIDE,
                sender=ANNE,
                recipients=[ANNE],
                headers={"From": ANNE, "Sender": ANNE, "List-Id": "<news.choir>"},
            )
        )
        assert decision.accountable is not None
        assert decision.accountable.customer == (session or INSIDE)

    def test_two_daemons_may_know_two_people_of_one_name(self) -> None:
        """A login gets the realm of its daemon."""
        post = Outpost(a_policy(a_limit("1/1h")))
        one = a_transaction("anne", realm="example.com")
        other = a_transaction("anne", realm="example.org")
        assert post.actions([one, other, one, other]) == [A, A, Q, Q]
        assert post.actions([a_transaction("ANNE@example.com")]) == [Q]


class TestOrders:
    """What an operator ordered, and for whom."""

    @pytest.mark.parametrize(
        "name",
        [
            MALLORY,
            "example.com",
            "203.0.113.9",
            "203.0.113.0/24",
            "203.0.0.0/16",
            "choir",
            "news@shop.example",
            "news+x@shop.example",
            "shop.example",
            "boss@bank.example",
            "bank.example",
            "news.example.org",
        ],
    )
    def test_a_quarantine_finds_every_name_of_a_message(self, name: str) -> None:
        """What on-call sees in the log can be typed."""
        post = Outpost(a_policy(customers=[a_customer("Choir", MALLORY)]))
        mail = a_transaction(
            MALLORY,
            sender="news+x@shop.example",
            headers={
                "From": "Boss <boss@bank.example>",
                "List-Id": "<News.Example.org>",
            },
        )
        post.order(Order.QUARANTINE, name)
        assert post.actions([mail]) == [Q]

    @pytest.mark.parametrize("disguise", DISGUISES)
    def test_a_suspended_login_finds_no_disguise(self, disguise: str) -> None:
        """Its name is the one that it cannot choose."""
        post = Outpost(a_policy())
        post.order(Order.SUSPEND, MALLORY)
        assert post.actions([SESSIONS["login"](*DISGUISES[disguise])]) == [R]

    def test_an_order_for_the_real_sender_finds_its_disguises(self) -> None:
        """An envelope sender is asked as it is, and without VERP, BATV and tags."""
        post = Outpost(a_policy())
        post.order(Order.QUARANTINE, "list-bounces@lists.example")
        for sender in (
            "list-bounces@lists.example",
            "LIST-bounces+bart=example.net@lists.example",
            "prvs=4068eb2540=list-bounces@lists.example",
        ):
            assert post.actions([a_transaction(MALLORY, sender=sender)]) == [Q]


class TestAllow:
    """`allow` has a scope, and belongs to a sender."""

    POLICY = a_policy(a_limit("1/1h"))

    @pytest.mark.parametrize(
        "name",
        [
            "postmaster@example.net",
            "example.net",
            "bart0@example.net",
            ANNE,
            "boss@bank.example",
            "news.example.org",
            "postmaster",
        ],
    )
    def test_no_recipient_and_nothing_forged_frees_a_sender(self, name: str) -> None:
        """One `postmaster@anything` switched rspamd's limits off."""
        post = Outpost(self.POLICY)
        post.order(Order.ALLOW, name)
        post.copy(an_entry(Order.ALLOW, f" {name.upper()}"))
        mail = a_transaction(
            MALLORY,
            client="198.51.100.9",
            sender=ANNE,
            recipients=["postmaster@example.net", "bart0@example.net"],
            headers={"From": "boss@bank.example", "List-Id": "<news.example.org>"},
        )
        decision = post.judge(mail)
        assert decision.verdict.reasons == (
            Reason.MESSAGE_EXCEEDS_LIMIT,
            Reason.MISSING_UNSUBSCRIBE,
        )

    @pytest.mark.parametrize("name", [MALLORY, "203.0.113.9", "203.0.113.0/24"])
    def test_it_frees_the_sender_that_it_names(self, name: str) -> None:
        """By what the sender cannot choose, and nobody else."""
        post = Outpost(self.POLICY)
        post.order(Order.ALLOW, name)
        assert post.actions([a_transaction(MALLORY)] * 3) == [A, A, A]
        other = a_transaction(ANNE, client="198.51.100.9")
        assert post.actions([other] * 2) == [A, Q]

    def test_a_login_is_found_without_the_realm_that_we_append(self) -> None:
        """`HSET outgate:quarantine anne` would hold nobody otherwise."""
        anne = a_transaction("Anne", realm="example.org", sender=ANNE)
        dotted = a_transaction("anne.meier", realm="example.org", sender=ANNE)
        post = Outpost(self.POLICY)
        for order, expected in ((Order.QUARANTINE, Q), (Order.SUSPEND, R)):
            for name, mail in (("anne", anne), ("anne.meier", dotted)):
                post.order(order, name)
                assert post.actions([mail]) == [expected]
        other = Outpost(self.POLICY)
        other.order(Order.ALLOW, "anne")
        assert other.actions([anne] * 3) == [A, A, A]

    @pytest.mark.parametrize("login", ["example.net", "192.0.2.7", "choir"])
    def test_no_login_is_freed_by_an_order_about_a_domain_a_client_or_a_customer(
        self, login: str
    ) -> None:
        """Whoever may choose a login would choose that one."""
        policy = a_policy(
            a_limit("1/1h"), customers=[a_customer("choir", "@choir.example")]
        )
        post = Outpost(policy)
        post.order(Order.ALLOW, login)
        post.copy(an_entry(Order.ALLOW, login.upper()))
        mail = a_transaction(login, realm="example.org", sender=ANNE)
        assert post.actions([mail] * 2) == [A, Q]

    def test_it_frees_from_what_it_names(self) -> None:
        """Limits by default; other rules have to be named."""
        post = Outpost(
            a_policy(a_limit("1/1h"), a_limit("3/1h", per=Per.CUSTOMER, name="all"))
        )
        post.order(Order.ALLOW, MALLORY, "rules=missing-unsubscribe")
        bulk = a_transaction(MALLORY, headers={"Precedence": "bulk"})
        assert post.actions([bulk] * 2) == [A, Q]
        post.order(Order.ALLOW, MALLORY)
        assert post.actions([bulk]) == [T]

    def test_a_suspension_beats_it(self) -> None:
        """Whoever is suspended is not freed by being allowed."""
        post = Outpost(self.POLICY)
        post.order(Order.ALLOW, MALLORY)
        post.order(Order.SUSPEND, MALLORY)
        assert post.actions([a_transaction(MALLORY)]) == [R]


def test_a_forwarder_cannot_be_played() -> None:
    """A client of ours that seals, resends and rewrites is still that client."""
    policy = a_counting_policy()
    forwarded = {"ARC-Seal": "i=1", "Resent-From": ANNE}
    sender = "SRS0=HHH=TT=example.org=anne@example.com"
    other = a_transaction(client=INSIDE, sender=sender, headers=forwarded)
    forwarder = a_transaction(client=FORWARDER, sender=sender, headers=forwarded)
    assert Outpost(policy).actions([other] * 6) == [A, A, A, A, A, Q]
    assert Outpost(policy).actions([forwarder] * 2) == [A, Q]
