"""What must be known to decide: names to look up, counters to charge."""

from dataclasses import replace
from types import MappingProxyType
from typing import Any

import pytest

from outgate.model.identity import Path
from outgate.model.limit import Count, Per
from outgate.model.transaction import Session, Transaction
from outgate.model.units import Rate
from outgate.model.verdict import Action, MailClass, Mode, Reason
from outgate.policy.envelope import read_envelope
from outgate.policy.list_settings import ListSettings
from outgate.policy.naming import UNKNOWN_CLIENT, UNKNOWN_USER
from outgate.policy.operator import Order
from outgate.policy.questions import Plan
from outgate.policy.rule_settings import RuleSettings
from outgate.policy.settings import (
    CustomerSettings,
    LimitSettings,
    ProfileSettings,
    StreamSettings,
)
from outgate.policy.snapshot import EMPTY, Snapshot
from policy.builders import (
    ANNE,
    FORWARDER,
    INSIDE,
    a_case,
    a_customer,
    a_limit,
    a_policy,
    a_transaction,
    an_entry,
)

PER_LOGIN = "recipients-per-login"
PER_CUSTOMER = "recipients-per-customer"


def plan_of(
    *limits: LimitSettings,
    transaction: Transaction | None = None,
    copy: Snapshot = EMPTY,
    **settings: Any,
) -> Plan:
    policy = a_policy(*limits, **settings)
    return a_case(policy, transaction or a_transaction(ANNE), copy=copy).plan


def identities(plan: Plan) -> dict[str, str]:
    return {charge.limit.name: charge.identity for charge in plan.charges}


def rates(plan: Plan) -> dict[str, str]:
    return {charge.limit.name: str(charge.rate) for charge in plan.charges}


class TestNames:
    """Under which an operator may have named this sender."""

    def test_all_that_a_person_would_type_is_asked(self) -> None:
        """Customer, login, its domain, client and networks; then what the mail says."""
        transaction = a_transaction(
            "Anne@Choir.example",
            client="203.0.113.9",
            sender="News-bounces+bart=example.net@lists.example",
            headers={"From": "Choir <post@shop.example>", "List-Id": "<News.Choir>"},
        )
        plan = plan_of(
            transaction=transaction, customers=[a_customer("Choir", "@choir.example")]
        )
        assert plan.own_names == (
            "choir",
            "anne@choir.example",
            "choir.example",
            "203.0.113.9",
            "203.0.113.0/24",
            "203.0.0.0/16",
        )
        assert plan.names == (
            *plan.own_names,
            "news-bounces@lists.example",
            "news-bounces+bart=example.net@lists.example",
            "lists.example",
            "post@shop.example",
            "shop.example",
            "news.choir",
        )

    @pytest.mark.parametrize(
        ("session", "own_names"),
        [
            pytest.param({"login": "anne"}, ("anne", "anne"), id="no realm, no domain"),
            pytest.param(
                {"certificate": "CN=Mail"}, ("relay", "cn=mail"), id="a certificate"
            ),
            pytest.param(
                {"path": Path.LOCAL_SUBMISSION, "local_user": "www-data"},
                ("www-data", "www-data"),
                id="a local user",
            ),
        ],
    )
    def test_what_the_sender_cannot_choose_comes_first(
        self, session: dict[str, Any], own_names: tuple[str, ...]
    ) -> None:
        """Customer, then principal, in the form that an operator's name takes."""
        plan = plan_of(
            transaction=a_transaction(**session, sender="", client=""),
            customers=[a_customer("relay", "cert:CN=Mail")],
        )
        assert plan.own_names[: len(own_names)] == own_names

    def test_an_ipv6_client_is_asked_by_address_64_and_48(self) -> None:
        """And answers by its /48."""
        plan = plan_of(transaction=a_transaction(client="2001:db8:b:1::9", sender=""))
        assert plan.customer == "2001:db8:b::/48"
        assert plan.own_names == (
            "2001:db8:b::/48",
            "2001:db8:b::/48",
            "2001:db8:b:1::9",
            "2001:db8:b:1::/64",
        )

    @pytest.mark.parametrize("sender", ["", "@"])
    def test_nobody_is_asked_by_an_empty_name(self, sender: str) -> None:
        """The null sender has no name, and no domain."""
        plan = plan_of(transaction=a_transaction(ANNE, sender=sender))
        assert "" not in plan.names
        assert "<>" not in plan.names

    def test_no_recipient_is_ever_asked(self) -> None:
        """An order about one recipient would free or hold all others."""
        plan = plan_of(
            transaction=a_transaction(ANNE, recipients=["postmaster@example.net"])
        )
        assert not any("example.net" in name for name in plan.names)


class TestWhose:
    """A limit applies where its identity exists."""

    LIMITS = tuple(a_limit(per=per, name=f"per-{per}") for per in Per)

    @pytest.mark.parametrize(
        ("session", "expected"),
        [
            pytest.param(
                {"login": ANNE, "client": INSIDE},
                {"per-login": ANNE, "per-customer": ANNE},
                id="a login, whose client does not count",
            ),
            pytest.param(
                {"path": Path.LOCAL_SUBMISSION, "local_user": "www"},
                {"per-local-user": "www", "per-customer": "www"},
                id="a local user",
            ),
            pytest.param(
                {"path": Path.LOCAL_SUBMISSION},
                {"per-client": UNKNOWN_USER, "per-customer": UNKNOWN_USER},
                id="local mail of nobody knows whom: a whole host",
            ),
            pytest.param(
                {"client": INSIDE},
                {
                    "per-client": INSIDE,
                    "per-network": "192.0.2.0/24",
                    "per-customer": INSIDE,
                },
                id="an unauthenticated client",
            ),
            pytest.param(
                {"client": "192.0.2.200"},
                {
                    "per-client": "192.0.2.200",
                    "per-network": "192.0.2.0/24",
                    "per-customer": "shop",
                },
                id="each client of a customer's network",
            ),
            pytest.param(
                {"client": "2001:db8:b:1::9"},
                {
                    "per-client": "2001:db8:b:1::/64",
                    "per-network": "2001:db8:b::/48",
                    "per-customer": "2001:db8:b::/48",
                },
                id="IPv6 by /64, and its /48",
            ),
            pytest.param(
                {"certificate": "CN=mx", "client": INSIDE},
                {"per-client": "CN=mx", "per-customer": "relay"},
                id="a certificate is a client, wherever it comes from",
            ),
            pytest.param(
                {"client": "unix"},
                {"per-client": UNKNOWN_CLIENT, "per-customer": UNKNOWN_CLIENT},
                id="a session without an address",
            ),
            pytest.param(
                {"client": FORWARDER},
                {
                    "per-client": FORWARDER,
                    "per-network": "192.0.2.0/24",
                    "per-customer": FORWARDER,
                },
                id="what a forwarder writes itself",
            ),
        ],
    )
    def test_each_kind_of_session_has_its_counters(
        self, session: dict[str, Any], expected: dict[str, str]
    ) -> None:
        """Limits per client are for machines: who did not log in."""
        transaction = a_transaction(**session, sender="news@lists.example")
        plan = plan_of(
            *self.LIMITS,
            transaction=transaction,
            customers=[
                a_customer("shop", "192.0.2.128/25"),
                a_customer("relay", "cert:CN=mx"),
            ],
        )
        assert identities(plan) == expected | {
            "per-domain": "lists.example",
            "per-address": "news@lists.example",
        }

    @pytest.mark.parametrize(
        ("sender", "identity"),
        [
            ("anne@Bücher.example", "xn--bcher-kva.example"),
            ("SRS0=HHH=TT=example.org=anne@lists.example", "lists.example"),
            ("", "<>"),
            ("root", "root"),
        ],
    )
    def test_every_sender_counts_for_some_domain(
        self, sender: str, identity: str
    ) -> None:
        """Within the customer; without a domain the sender stands for itself."""
        plan = plan_of(
            a_limit(per=Per.DOMAIN), transaction=a_transaction(ANNE, sender=sender)
        )
        assert identities(plan) == {"recipients-per-domain": identity}
        assert plan.customer == ANNE

    @pytest.mark.parametrize(
        ("customer", "identities_found"),
        [
            (ANNE, {"recipients-per-list": "news.choir.example"}),
            ("choir", {}),
            (None, {}),
        ],
    )
    def test_a_list_counts_where_its_customer_registered_it(
        self, customer: str | None, identities_found: dict[str, str]
    ) -> None:
        """Any other List-Id makes no key: it may name a recipient each time."""
        headers = {"List-Id": "Choir <News.Choir.example>"}
        lists = [ListSettings(id="news.choir.example", customer=customer or "")]
        plan = plan_of(
            a_limit(per=Per.LIST),
            transaction=a_transaction(ANNE, headers=headers),
            lists=lists if customer is not None else [],
        )
        assert identities(plan) == identities_found
        assert plan.customer == ANNE

    @pytest.mark.parametrize(
        "headers",
        [
            {"ARC-Seal": "i=1; a=rsa-sha256"},
            {"Resent-From": "anne@example.com"},
            {"X-Forwarded-To": "bart@example.net"},
            {"ARC-Seal": "i=1", "List-Id": "<news.example.org>"},
            {"ARC-Seal": "i=1", "Content-Type": "text/calendar; method=REQUEST"},
        ],
    )
    def test_what_a_forwarder_forwards_has_limits_of_its_own(
        self, headers: dict[str, str]
    ) -> None:
        """And only what one forwards: others' signs of forwarding are not believed."""
        transaction = a_transaction(client=FORWARDER, headers=headers)
        plan = plan_of(*self.LIMITS, transaction=transaction)
        assert identities(plan) == {"per-forwarder": FORWARDER}
        own = a_transaction(client=INSIDE, headers=headers)
        assert "per-forwarder" not in identities(plan_of(*self.LIMITS, transaction=own))

    @pytest.mark.parametrize(("recipients", "forwarded"), [(10, True), (11, False)])
    def test_what_goes_to_many_is_not_forwarded(
        self, recipients: int, *, forwarded: bool
    ) -> None:
        """Whatever it says: such mail would be counted nowhere else."""
        transaction = a_transaction(
            client=FORWARDER,
            headers={"X-Forwarded-To": "bart@example.net"},
            recipients=recipients,
        )
        plan = plan_of(*self.LIMITS, transaction=transaction)
        assert ("per-forwarder" in identities(plan)) is forwarded
        assert ("per-client" in identities(plan)) is not forwarded


class TestCost:
    """What one message costs."""

    @pytest.mark.parametrize(
        ("recipients", "external", "internal"),
        [
            ((), 0, 0),
            (("bart@example.net",), 1, 0),
            (("bart@local.example",), 0, 1),
            (("bart@relay.example",), 0, 1),
            (("bart@LOCAL.example.", "bart@sub.local.example"), 1, 1),
            (("bart@example.net", "carl@local.example", "bart@example.net"), 2, 1),
            (("everyone@example.net",), 40, 0),
            (("Everyone@Example.NET", "staff@local.example"), 40, 7),
            (("staff+x@local.example",), 0, 1),
            (("bart%example.net@local.example",), 1, 0),
        ],
    )
    def test_recipients_are_internal_or_external(
        self, recipients: tuple[str, ...], external: int, internal: int
    ) -> None:
        """An alias counts as the people behind it, wherever it is."""
        policy = a_policy(
            local=["Local.example"],
            relay=["relay.example"],
            aliases={"everyone@example.net": 40, "Staff@local.example": 7},
        )
        transaction = a_transaction(ANNE, recipients=recipients)
        envelope = read_envelope(transaction, policy)
        assert (envelope.external, envelope.internal) == (external, internal)

    @pytest.mark.parametrize("local", [(), ("local.example",)])
    def test_beyond_what_is_kept_everyone_is_external(
        self, local: tuple[str, ...]
    ) -> None:
        """A monstrous envelope does not become cheap."""
        transaction = Transaction(
            session=Session(),
            recipients=[b"<bart@local.example>"] * 10,
            recipient_count=1000,
        )
        envelope = read_envelope(transaction, a_policy(local=local))
        counted = (envelope.external, envelope.internal)
        assert counted == ((990, 10) if local else (1000, 0))

    @pytest.mark.parametrize(
        ("recipients", "costs"),
        [
            (
                ("bart@example.net", "carl@example.net", "Bart+shop@example.NET"),
                {
                    "messages": 1,
                    "recipients": 3,
                    "strangers": 2,
                    "distinct-recipients": 2,
                    "recipient-domains": 1,
                },
            ),
            (("bart@local.example",), {"internal-recipients": 1}),
            (
                ("bart@local.example", "carl@example.net"),
                {
                    "messages": 1,
                    "recipients": 1,
                    "internal-recipients": 1,
                    "strangers": 1,
                    "distinct-recipients": 1,
                    "recipient-domains": 1,
                },
            ),
        ],
    )
    def test_a_message_costs_what_is_counted(
        self, recipients: tuple[str, ...], costs: dict[str, int]
    ) -> None:
        """Mail that stays inside is no message on its way out."""
        plan = plan_of(
            *(a_limit(count=count, name=count.value) for count in Count),
            local=["local.example"],
            transaction=a_transaction(ANNE, recipients=recipients),
        )
        found = {charge.limit.name: charge.cost for charge in plan.charges}
        # Wherever it goes, it came from somewhere.
        assert found == costs | {"clients": 1, "networks": 1}
        assert plan.external + plan.internal == len(recipients)

    def test_different_ones_are_named(self) -> None:
        """Canonical: nobody has more recipients than there are people."""
        plan = plan_of(
            *(a_limit(count=count, name=count.value) for count in Count),
            transaction=a_transaction(
                ANNE,
                client="2001:db8:b:1:2:3:4:5",
                recipients=[
                    "B.A.R.T+shop@GMail.com",
                    "bart@gmail.com",
                    "carl@example.net",
                ],
            ),
        )
        assert {
            charge.limit.name: charge.items for charge in plan.charges if charge.items
        } == {
            "distinct-recipients": ("bart@gmail.com", "carl@example.net"),
            "recipient-domains": ("gmail.com", "example.net"),
            "clients": ("2001:db8:b:1::/64",),
            "networks": ("2001:db8:b::/48",),
        }

    def test_a_local_submission_has_no_client(self) -> None:
        """And so no network that could be one too many."""
        plan = plan_of(
            a_limit(count=Count.CLIENTS, per=Per.LOCAL_USER),
            a_limit(count=Count.NETWORKS, per=Per.LOCAL_USER),
            transaction=a_transaction(path=Path.LOCAL_SUBMISSION, local_user="www"),
        )
        assert plan.charges == []


class TestContent:
    """What the message says, where it counts how far that gets."""

    CAMPAIGN = a_limit("50/7d", per=Per.CAMPAIGN, count=Count.STRANGERS, share=60)

    def test_it_is_read_where_it_is_limited(self) -> None:
        """And not elsewhere: a fingerprint takes longer than all the rest."""
        plan = plan_of(self.CAMPAIGN)
        assert plan.campaign is not None
        assert (plan.campaign.burst, plan.campaign.limit.share) == (50, 60)
        assert plan.campaign.binding
        assert plan.bands
        assert plan_of().bands == ()
        assert plan_of(a_limit(count=Count.STRANGERS)).campaign is None

    def test_mail_that_stays_inside_has_none(self) -> None:
        """Nobody outside gets it."""
        plan = plan_of(
            self.CAMPAIGN,
            local=["local.example"],
            transaction=a_transaction(ANNE, recipients=["bart@local.example"]),
        )
        assert (plan.campaign, plan.bands) == (None, ())

    def test_a_customer_may_have_none(self) -> None:
        """Its other limits stay."""
        quiet = CustomerSettings(name="quiet", match=(ANNE,), fingerprints=False)
        limits = (self.CAMPAIGN, a_limit(count=Count.STRANGERS), a_limit())
        plan = plan_of(*limits, customers=[quiet])
        assert (plan.campaign, plan.bands) == (None, ())
        assert identities(plan) == {"strangers-per-login": ANNE, PER_LOGIN: ANNE}
        assert plan.people

    def test_without_bodies_there_is_none(self) -> None:
        """All mail would be one content; an empty body that was shown is one."""
        transaction = a_transaction(ANNE)
        session = replace(transaction.session, bodies=False)
        unseen = plan_of(
            self.CAMPAIGN, transaction=replace(transaction, session=session)
        )
        assert (unseen.campaign, unseen.bands) == (None, ())
        assert plan_of(self.CAMPAIGN, transaction=transaction).campaign is not None

    def test_encrypted_mail_has_none(self) -> None:
        """What it says is nobody's to compare."""
        transaction = a_transaction(
            ANNE,
            headers={
                "Content-Type": "application/pkcs7-mime; smime-type=enveloped-data",
                "Content-Transfer-Encoding": "base64",
            },
        )
        transaction.body = b"MIAGCSqGSIb3DQEHA6CAMIACAQAxggGF\r\n"
        plan = plan_of(self.CAMPAIGN, transaction=transaction)
        assert (plan.campaign, plan.bands) == (None, ())

    def test_what_a_forwarder_forwards_has_none(self) -> None:
        """Somebody else wrote it, and its recipients asked for it."""
        plan = plan_of(
            self.CAMPAIGN,
            transaction=a_transaction(
                client=FORWARDER, headers={"X-Forwarded-To": "bart@example.net"}
            ),
        )
        assert (plan.campaign, plan.people) == (None, ())

    @pytest.mark.parametrize(
        "order", ["strangers=70/7d", "strangers-per-campaign=70/7d"]
    )
    def test_an_order_changes_how_far_it_may_get(self, order: str) -> None:
        """By the count word, or by its name."""
        copy = Snapshot.build([an_entry(Order.LIMIT, ANNE, order)])
        plan = plan_of(self.CAMPAIGN, copy=copy)
        assert plan.campaign is not None
        assert plan.campaign.burst == 70


class TestRegistered:
    """Lists and streams of a customer."""

    STRANGERS = a_limit(count=Count.STRANGERS, name="strangers")
    LIST = ListSettings(id="Members.Choir.example", customer="choir")
    STREAM = StreamSettings(
        name="receipts",
        customer="choir",
        sender=("orders@choir.example",),
        rate=Rate.parse("30/1d"),
    )

    def plan(
        self,
        *limits: LimitSettings,
        headers: dict[str, str],
        login: str = ANNE,
        recipients: int = 1,
        rules: dict[Reason, RuleSettings] | None = None,
    ) -> Plan:
        return plan_of(
            self.STRANGERS,
            TestContent.CAMPAIGN,
            *limits,
            customers=[a_customer("choir", ANNE)],
            lists=[self.LIST],
            streams=[self.STREAM],
            rules=rules,
            transaction=a_transaction(login, headers=headers, recipients=recipients),
        )

    def test_a_lists_mail_is_told_by_customer_and_list_id(self) -> None:
        """Its readers are looked up, and greeted only when it has left."""
        headers = {"List-Id": "<members.choir.example>"}
        plan = self.plan(headers=headers)
        assert (plan.subscribed, plan.greeting) == ("members.choir.example", False)
        other = self.plan(headers=headers, login="mallory@example.com")
        assert (other.subscribed, other.greeting) == ("", True)

    def test_plain_numbers_are_not_meant_for_it(self) -> None:
        """A limit per list is."""
        headers = {"List-Id": "<members.choir.example>"}
        limits = (
            a_limit(per=Per.CUSTOMER),
            a_limit(per=Per.LIST),
            a_limit(count=Count.BYTES),
            a_limit(count=Count.MESSAGES),
        )
        found = identities(self.plan(*limits, headers=headers, recipients=3))
        assert set(found) == {"strangers", "recipients-per-list"}
        assert found["recipients-per-list"] == "members.choir.example"

    def test_a_streams_mail_has_one_limit_on_strangers(self) -> None:
        """Its own, under the customer; its content does not count."""
        plan = self.plan(headers={"From": "Shop <Orders@choir.example>"})
        assert plan.stream is MailClass.TRANSACTIONAL
        assert identities(plan) == {"stream-receipts": "choir"}
        assert rates(plan) == {"stream-receipts": "30/1d"}
        assert (plan.campaign, plan.bands, plan.greeting) == (None, (), True)
        assert plan.charges[0].binding

    @pytest.mark.parametrize(
        "other",
        [
            {"login": "mallory@example.com"},
            {"recipients": 2},
            {"headers": {"From": "anne@choir.example"}},
        ],
        ids=["another customer", "two recipients", "another From"],
    )
    def test_nothing_else_is_the_streams(self, other: dict[str, Any]) -> None:
        """From is what a sender writes: it frees nobody else."""
        settings = {"headers": {"From": "orders@choir.example"}} | other
        plan = self.plan(**settings)
        assert not plan.stream
        assert "strangers" in identities(plan)
        assert plan.campaign is not None

    def test_a_streams_limit_only_reports_where_its_rule_does(self) -> None:
        """As other limits on strangers."""
        plan = self.plan(
            headers={"From": "orders@choir.example"},
            rules={Reason.BULK_TO_STRANGERS: RuleSettings(mode=Mode.MONITOR)},
        )
        assert not plan.charges[0].binding


class TestScript:
    """Scripts and web sites of local users."""

    LIMITS = (a_limit(per=Per.SCRIPT), a_limit(per=Per.SITE))
    HEADERS = MappingProxyType(
        {
            "X-PHP-Originating-Script": "33:contact.php",
            "X-PHP-Script": "shop.example/contact.php for 203.0.113.9",
        }
    )

    def test_a_local_users_script_has_a_counter(self) -> None:
        """And so has its site; both are the customer's."""
        plan = plan_of(
            *self.LIMITS,
            customers=[a_customer("shop", "user:www-data")],
            transaction=a_transaction(
                path=Path.LOCAL_SUBMISSION, local_user="www-data", headers=self.HEADERS
            ),
        )
        assert plan.customer == "shop"
        assert identities(plan) == {
            "recipients-per-script": "33:contact.php",
            "recipients-per-site": "shop.example",
        }

    @pytest.mark.parametrize(
        "session",
        [{"login": ANNE}, {"client": INSIDE}, {"client": FORWARDER}],
        ids=["login", "client", "forwarder"],
    )
    def test_by_smtp_nobody_has_one(self, session: dict[str, Any]) -> None:
        """There anybody can write the headers."""
        transaction = a_transaction(**session, headers=self.HEADERS)
        assert not identities(plan_of(*self.LIMITS, transaction=transaction))


class TestRate:
    """Operator's override, customer's, profile's, the limit's own."""

    LIMITS = (a_limit("10/1h"), a_limit("20/1h", per=Per.CUSTOMER))
    CUSTOMERS = (a_customer("choir", ANNE, profile="newsletter"),)
    PROFILES = (
        ProfileSettings(
            name="newsletter",
            limits={"recipients": Rate.parse("30/1h"), "messages": Rate.parse("1/1h")},
        ),
    )

    def rates(self, *orders: tuple[str, str], client: str = "") -> dict[str, str]:
        return rates(
            plan_of(
                *self.LIMITS,
                transaction=a_transaction(ANNE, client=client),
                customers=self.CUSTOMERS,
                profiles=self.PROFILES,
                copy=Snapshot.build(
                    an_entry(Order.LIMIT, name, value) for name, value in orders
                ),
            )
        )

    def test_a_profile_replaces_the_limits_rate(self) -> None:
        """By a count word: all limits of that count."""
        assert self.rates() == {PER_LOGIN: "30/1h", PER_CUSTOMER: "30/1h"}
        without = plan_of(*self.LIMITS)
        assert rates(without) == {PER_LOGIN: "10/1h", PER_CUSTOMER: "20/1h"}

    def test_an_order_for_the_customer_replaces_the_profile(self) -> None:
        """However the operator spells the customer's name."""
        for name in ("choir", "Choir"):
            assert self.rates((name, "recipients=40/1h")) == {
                PER_LOGIN: "40/1h",
                PER_CUSTOMER: "40/1h",
            }

    @pytest.mark.parametrize("name", [ANNE, "Anne@Example.COM", "example.com"])
    def test_an_order_for_a_login_leaves_what_the_customer_shares(
        self, name: str
    ) -> None:
        """Or one login could be given the whole customer's budget."""
        assert self.rates(
            (name, "recipients=50/1h"), ("choir", "recipients=40/1h")
        ) == {
            PER_LOGIN: "50/1h",
            PER_CUSTOMER: "40/1h",
        }

    def test_an_order_hides_no_other_one(self) -> None:
        """A login's order about messages leaves its domain's about recipients."""
        assert self.rates((ANNE, "messages=9/1h"), ("example.com", "recipients=5/1h"))[
            PER_LOGIN
        ] == ("5/1h")

    def test_the_more_telling_order_wins_word_by_word(self) -> None:
        """Also its count word over the other's name of a limit."""
        assert self.rates(
            (ANNE, "recipients=9/1h"), ("example.com", f"{PER_LOGIN}=5/1h")
        ) == {PER_LOGIN: "9/1h", PER_CUSTOMER: "30/1h"}

    def test_a_limits_own_name_beats_its_count_word(self) -> None:
        """Whichever comes first in the order."""
        order = f"recipients=50/1h {PER_LOGIN}=60/1h"
        assert self.rates(("choir", order)) == {
            PER_LOGIN: "60/1h",
            PER_CUSTOMER: "50/1h",
        }

    @pytest.mark.parametrize(
        "name", ["203.0.113.9", "203.0.113.0/24", "203.0.113.8/30"]
    )
    def test_an_order_for_a_client_or_its_network_counts(self, name: str) -> None:
        """Also for networks that no look-up asks for by name."""
        found = self.rates((name, "recipients=2/1h"), client="203.0.113.9")
        assert found[PER_LOGIN] == "2/1h"

    def test_a_mixed_case_customer_can_be_named(self) -> None:
        """As it stands in the configuration, or as an operator types it."""
        for name in ("Choir", "choir", "CHOIR"):
            plan = plan_of(
                *self.LIMITS,
                customers=[a_customer("Choir", ANNE)],
                copy=Snapshot.build([an_entry(Order.LIMIT, name, "recipients=9/h")]),
            )
            assert rates(plan)[PER_CUSTOMER] == "9/1h"
            assert plan.customer == "Choir"

    def test_an_order_that_ended_changes_nothing(self) -> None:
        """By this machine's clock."""
        order = "until=2020-01-01T00:00:00Z recipients=50/1h"
        assert self.rates((ANNE, order))[PER_LOGIN] == "30/1h"

    def test_an_override_brings_its_own_burst(self) -> None:
        """Its count; the limit's burst belongs to the limit's rate."""
        limit = a_limit("10/1h", burst=3)
        assert plan_of(limit).charges[0].burst == 3
        copy = Snapshot.build([an_entry(Order.LIMIT, ANNE, "recipients=50/1h")])
        assert plan_of(limit, copy=copy).charges[0].burst == 50


class TestBinding:
    """Whether a message that does not fit is refused, and so charged nowhere."""

    MONITORED = RuleSettings(mode=Mode.MONITOR)

    @pytest.mark.parametrize(
        ("limit", "rules", "fitting", "too_large"),
        [
            pytest.param(a_limit(), {}, True, True, id="enforced"),
            pytest.param(
                a_limit(mode=Mode.MONITOR), {}, False, False, id="a limit that reports"
            ),
            pytest.param(
                a_limit(),
                {Reason.LIMIT_EXCEEDED: MONITORED},
                False,
                True,
                id="the rule for what does not fit now reports",
            ),
            pytest.param(
                a_limit(),
                {Reason.MESSAGE_EXCEEDS_LIMIT: MONITORED},
                True,
                False,
                id="the rule for what never fits reports",
            ),
            pytest.param(
                a_limit(action=Action.TAG), {}, False, True, id="a limit that tags"
            ),
            pytest.param(
                a_limit(),
                {Reason.MESSAGE_EXCEEDS_LIMIT: RuleSettings(action=Action.TAG)},
                True,
                False,
                id="a rule that tags",
            ),
        ],
    )
    def test_only_what_keeps_the_message_here_binds(
        self,
        limit: LimitSettings,
        rules: dict[Reason, RuleSettings],
        fitting: bool,
        too_large: bool,
    ) -> None:
        """Otherwise mail would leave without being charged anywhere."""
        for recipients, binding in ((1, fitting), (11, too_large)):
            transaction = a_transaction(ANNE, recipients=recipients)
            plan = plan_of(limit, transaction=transaction, rules=rules)
            assert [charge.binding for charge in plan.charges] == [binding]

    def test_the_global_mode_does_not_count(self) -> None:
        """Monitor charges exactly what enforce would have let out."""
        plan = plan_of(a_limit(), mode=Mode.MONITOR)
        assert plan.charges[0].binding
