"""Who has withdrawn is refused at RCPT, where the envelope sender names the list."""

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outgate.model.consent import Grade
from outgate.model.optin import Record, State
from outgate.model.transaction import MAX_RECIPIENTS_KEPT
from outgate.model.verdict import Action, MailClass, Mode, Reason, Reply
from outgate.mta.session import MilterSession, Socket, wanted_headers
from outgate.policy.at_recipient import BUDGET_US, MAX_LOOK_UPS
from outgate.policy.list_settings import ListSettings
from outgate.policy.operator import Order
from outgate.policy.optin_keys import parse_key
from outgate.policy.questions import Source
from outgate.policy.rule_settings import RuleSettings
from outgate.policy.snapshot import Snapshot
from policy.builders import (
    ANNE,
    FORWARDER,
    MALLORY,
    OUTSIDE,
    Outpost,
    a_customer,
    a_policy,
    an_entry,
    fast,
)
from policy.ledger import NOW_US, Clock, Ledger

OWN = "Outgate-Verdict"
LIST = "news.choir.example"
OTHER = "news.band.example"
BOUNCES = "news-bounces@lists.choir.example"
VERP = "news-bounces+reader=example.net@lists.choir.example"
FIRST, LEFT, STAYED = "first@example.net", "left@example.net", "stayed@example.net"
UNKNOWN = "unknown@example.net"
WITHDRAWN = Record(state=State.WITHDRAWN, time_us=NOW_US - 1)
HEADERS = {"List-Id": f"<{LIST}>", "List-Unsubscribe": "<mailto:leave@example.org>"}


@dataclass(slots=True)
class Slow(Ledger):
    """Takes so long for each question."""

    pace_us: int = 0

    def has_withdrawn(self, customer: str, list_id: str, mailbox: str) -> bool | None:
        self.clock.now_us += self.pace_us
        # A slotted dataclass has no zero-argument super.
        return Ledger.has_withdrawn(self, customer, list_id, mailbox)


@dataclass
class Desk:
    """A session of the list's software in front of a gate that answers at RCPT."""

    mode: Mode = Mode.ENFORCE
    rule: Mode = Mode.ENFORCE
    replies: str = "recipient"
    bounces: str = BOUNCES
    local: tuple[str, ...] = ()
    pace_us: int = 0
    login: str = ANNE
    client: str = OUTSIDE
    clock: Clock = field(default_factory=Clock)

    def __post_init__(self) -> None:
        policy = a_policy(
            mode=self.mode,
            local=self.local,
            customers=[
                a_customer("choir", ANNE, FORWARDER),
                a_customer("band", MALLORY),
            ],
            lists=[
                ListSettings(id=LIST, customer="choir", bounces=self.bounces),
                ListSettings(id=OTHER, customer="choir"),
            ],
            rules={Reason.CONSENT_WITHDRAWN: RuleSettings(mode=self.rule)},
        )
        self.post = Outpost(policy, self.clock)
        self.post.store = Slow(self.clock, pace_us=self.pace_us)
        self.post.reload(policy)
        self.store.keep(LIST, FIRST, Record(grade=Grade.ASSERTED))
        self.store.keep(LIST, STAYED, Record(grade=Grade.ASSERTED))
        self.store.keep(LIST, LEFT, WITHDRAWN)
        socket = Socket(replies=self.replies)
        self.session = MilterSession(socket, self.post.gate, wanted_headers(OWN), OWN)
        self.session.connect(self.client, "Postfix 3.7", "mx.example.org")

    @property
    def store(self) -> Ledger:
        return self.post.store

    def name(self, *recipients: str, sender: str = BOUNCES) -> list[Reply | None]:
        """MAIL and RCPT; gives what each recipient was told."""
        assert self.session.mail((f"<{sender}>".encode(),), self.login, "") is None
        return [
            self.session.recipient((f"<{one}>".encode(),), "4XyZ") for one in recipients
        ]

    def refused(self, *recipients: str, sender: str = BOUNCES) -> list[str]:
        told = self.name(*recipients, sender=sender)
        return [
            one
            for one, reply in zip(recipients, told, strict=True)
            if reply is not None
        ]

    def finish(self) -> None:
        for name, value in HEADERS.items():
            self.session.header(name, f" {value}".encode())
        self.session.end_of_message("4XyZ")


class TestWhoIsRefused:
    """One recipient, and nobody else."""

    def test_who_left_is_told_in_words(self) -> None:
        """The others get it, and he is nowhere in the transaction."""
        desk = Desk()
        told = desk.name(FIRST, LEFT, STAYED)
        assert told[0] is told[2] is None
        assert str(told[1]) == (
            "550 5.7.1 Recipient withdrew consent from news.choir.example. "
            "(consent-withdrawn, ref 4XyZ)"
        )
        desk.finish()
        (decision,) = desk.post.seen
        assert decision.disposition.action is Action.ACCEPT
        assert decision.disposition.removed == ()
        assert decision.plan is not None
        assert decision.plan.people == (FIRST, STAYED)
        transaction = decision.transaction
        assert (transaction.recipient_count, transaction.refused_count) == (2, 1)

    def test_who_is_uncovered_is_not(self) -> None:
        """How many they are, is known at the end."""
        assert Desk().refused(FIRST, UNKNOWN) == []

    @pytest.mark.parametrize(
        "path", ["LEFT@Example.NET", "left+tag@example.net", '"left"@example.net']
    )
    def test_every_spelling_is_one_person(self, path: str) -> None:
        """And costs one question."""
        desk = Desk()
        assert desk.refused(FIRST, path, LEFT) == [path, LEFT]
        assert [one[2] for one in desk.store.asked_about] == [LEFT]

    @pytest.mark.parametrize(
        "sender",
        [
            BOUNCES,
            BOUNCES.upper(),
            VERP,
            f"prvs=0123456789={BOUNCES}",
            f"prvs=0123456789={VERP}",
            "news-bounces-12-reader=example.net@lists.choir.example",
            "news-bounces+tag@lists.choir.example",
        ],
    )
    def test_the_bounce_address_is_known_in_disguise(self, sender: str) -> None:
        """VERP, BATV, a tag."""
        assert Desk().refused(FIRST, LEFT, sender=sender) == [LEFT]

    @pytest.mark.parametrize(
        "sender",
        [
            "",
            "news-bounces-reader=example.net@lists.choir.example",
            "news@lists.choir.example",
            "news-bounces@choir.example",
            "bounces@lists.choir.example",
            "srs0=abcd=xy=lists.choir.example=news-bounces@forwarder.example",
        ],
    )
    def test_any_other_sender_asks_nothing(self, sender: str) -> None:
        """A dash may be anywhere in a name: nothing is guessed."""
        desk = Desk()
        assert desk.refused(FIRST, LEFT, sender=sender) == []
        assert desk.store.asked_about == []

    def test_a_dash_is_no_verp_of_a_shorter_name(self) -> None:
        """`news-bounces-reader=…` is not list `news`."""
        desk = Desk(bounces="news@lists.choir.example")
        sender = "news-bounces-reader=example.net@lists.choir.example"
        assert desk.refused(FIRST, LEFT, sender=sender) == []

    def test_internal_recipients_are_not_asked_about(self) -> None:
        """Nor at end-of-message."""
        desk = Desk(local=("example.net",))
        assert desk.refused(FIRST, LEFT) == []
        assert desk.store.asked_about == []


class TestTheFirst:
    """A request to confirm goes to one person, who may have withdrawn before."""

    def test_the_first_is_judged_at_the_end(self) -> None:
        """Alone he is refused there; a second one who left is refused here."""
        desk = Desk()
        desk.store.keep(LIST, STAYED, WITHDRAWN)
        assert desk.refused(LEFT, STAYED) == [STAYED]
        desk.finish()
        (decision,) = desk.post.seen
        assert decision.disposition.action is Action.REJECT
        assert decision.verdict.reasons == (Reason.CONSENT_WITHDRAWN,)

    def test_a_request_to_confirm_reaches_who_left(self) -> None:
        """Mailman sends it from the address that takes bounces."""
        desk = Desk()
        assert desk.refused(LEFT) == []
        desk.session.header(
            "Subject", b" confirm 0123456789abcdef0123456789abcdef01234567"
        )
        desk.session.header("X-List-Administrivia", b" yes")
        desk.session.header("List-Id", f" <{LIST}>".encode())
        desk.session.end_of_message("4XyZ")
        (decision,) = desk.post.seen
        assert decision.mail_class is MailClass.CONFIRMATION
        assert decision.disposition.action is Action.ACCEPT

    def test_with_verp_he_is_refused_at_once(self) -> None:
        """Posts are sent so, one message for each reader."""
        desk = Desk()
        assert desk.refused(LEFT, sender=VERP) == [LEFT]


class TestWhoseList:
    """Nobody learns who is on another one's list."""

    def test_another_customer_hears_nothing(self) -> None:
        """The registry is not even asked."""
        desk = Desk(login=MALLORY)
        assert desk.refused(FIRST, LEFT, STAYED) == []
        assert desk.store.asked_about == []

    def test_nor_does_anybody_from_outside(self) -> None:
        """Whose mail is inbound."""
        desk = Desk(login="")
        assert desk.refused(FIRST, LEFT) == []
        assert desk.store.asked_about == []

    def test_what_is_forwarded_is_not_judged(self) -> None:
        """Though the host is the customer's."""
        desk = Desk(login="", client=FORWARDER)
        assert desk.refused(FIRST, LEFT) == []

    @pytest.mark.parametrize(
        ("words", "refused"),
        [
            (f"customer=choir list={LIST}", []),
            (f"customer=choir list={OTHER}", [LEFT]),
            (f"customer=band list={LIST}", [LEFT]),
            (f"customer=choir list={LIST} revoked=2026-01-01T00:00:00Z", [LEFT]),
            (f"customer=choir list={LIST} not-after=2026-01-01T00:00:00Z", [LEFT]),
        ],
    )
    def test_a_token_may_be_newer_than_a_withdrawal(
        self, words: str, refused: list[str]
    ) -> None:
        """So where a key may speak for the list, headers have to be read first."""
        desk = Desk()
        key = parse_key("choir:a", f"hmac-sha256=0123456789ab {words}".encode())
        assert not key.problems
        desk.post.host.copy = Snapshot.build((), optin_keys=[key])
        assert desk.refused(FIRST, LEFT) == refused


class TestModes:
    """Nobody is refused where that is only reported."""

    @pytest.mark.parametrize(
        ("mode", "rule"),
        [(Mode.MONITOR, Mode.ENFORCE), (Mode.ENFORCE, Mode.MONITOR)],
    )
    def test_monitor_asks_nothing(self, mode: Mode, rule: Mode) -> None:
        """Of the gate, or of the rule."""
        desk = Desk(mode=mode, rule=rule)
        assert desk.refused(FIRST, LEFT) == []
        assert desk.store.asked_about == []

    @pytest.mark.parametrize("replies", ["end-of-message", "mail"])
    def test_a_socket_that_does_not_answer_asks_nothing(self, replies: str) -> None:
        """What was negotiated holds."""
        desk = Desk(replies=replies)
        assert desk.refused(FIRST, LEFT) == []
        assert desk.store.asked_about == []

    def test_a_suspended_sender_hears_of_that(self) -> None:
        """All recipients are refused, and none is looked up."""
        desk = Desk()
        desk.post.copy(an_entry(Order.SUSPEND, ANNE, "bot"))
        told = desk.name(FIRST, LEFT)
        assert {"suspended" in str(one) for one in told} == {True}
        assert desk.store.asked_about == []


class TestBounds:
    """A transaction costs the store and the client a bounded time."""

    @pytest.mark.parametrize("source", [Source.LOCAL, Source.ACCEPT, Source.DEFER])
    def test_trouble_is_met_once(self, source: Source) -> None:
        """All go on, and end-of-message judges; the next message asks anew."""
        desk = Desk()
        desk.store.source = source
        assert desk.refused(FIRST, LEFT, STAYED, UNKNOWN) == []
        assert len(desk.store.asked_about) == 1
        desk.store.source = Source.STORE
        assert desk.refused(FIRST, LEFT) == [LEFT]

    @pytest.mark.parametrize(
        ("pace_us", "asked"), [(0, 20), (BUDGET_US // 5, 5), (BUDGET_US * 2, 1)]
    )
    def test_slow_answers_end_it(self, pace_us: int, asked: int) -> None:
        """Whoever is known until then is still refused."""
        desk = Desk(pace_us=pace_us)
        many = [f"b{number}@example.net" for number in range(19)]
        assert desk.refused(FIRST, LEFT, *many, LEFT) == [LEFT, LEFT]
        assert len(desk.store.asked_about) == asked

    def test_so_many_are_looked_up_and_no_more(self) -> None:
        """As many as Postfix takes."""
        desk = Desk()
        many = [f"b{number}@example.net" for number in range(MAX_LOOK_UPS + 50)]
        assert desk.refused(FIRST, *many, LEFT) == []
        assert len(desk.store.asked_about) == MAX_LOOK_UPS

    @fast
    @given(
        st.lists(
            st.sampled_from([FIRST, LEFT, STAYED, UNKNOWN, "", "@", "x" * 900]),
            max_size=12,
        ),
        st.sampled_from([BOUNCES, VERP, ""]),
    )
    def test_only_who_left_is_refused(self, named: list[str], sender: str) -> None:
        """Whoever is named, in whatever order and however often."""
        desk = Desk()
        assert set(desk.refused(*named, sender=sender)) <= {LEFT}
        transaction = desk.session.transaction
        assert transaction is not None
        assert transaction.recipient_count <= min(len(named), MAX_RECIPIENTS_KEPT)
        if LEFT in named[1:] and sender == BOUNCES and named[0] != LEFT:
            assert f"<{LEFT}>".encode() not in transaction.recipients


class TestGivenUp:
    """A message that never came leaves one line all the same."""

    def test_all_refused_counts_as_a_refused_message(self) -> None:
        """As at end-of-message where nobody else is left."""
        desk = Desk()
        desk.name(LEFT, sender=VERP)
        desk.session.abort()
        (decision,) = desk.post.seen
        assert decision.disposition.action is decision.verdict.action is Action.REJECT
        assert decision.disposition.reason is Reason.CONSENT_WITHDRAWN
        assert decision.mail_class is MailClass.LIST
        assert decision.transaction.refused_count == 1
        assert decision.transaction.recipient_count == 0
        assert decision.verdict.findings[0].detail == "1 refused at RCPT"
        assert decision.accountable is not None
        assert decision.accountable.customer == "choir"

    def test_the_next_message_ends_it_too(self) -> None:
        """Whatever an MTA leaves out."""
        desk = Desk()
        desk.name(LEFT, sender=VERP)
        desk.name(STAYED, sender=VERP)
        desk.finish()
        desk.session.abort()
        told = [one.disposition.action for one in desk.post.seen]
        assert told == [Action.REJECT, Action.ACCEPT]

    def test_where_nobody_was_refused_nothing_is_told(self) -> None:
        """An aborted message is no event."""
        desk = Desk()
        desk.name(FIRST, STAYED)
        desk.session.abort()
        assert desk.post.seen == []
