"""One milter connection, event by event: what the gate and the observers get to see."""

import pytest

from outgate.model.transaction import MAX_RECIPIENTS_KEPT, Transaction
from outgate.model.verdict import Action, MailClass, Mode, Reason
from outgate.mta.session import MilterSession, Socket, wanted_headers
from outgate.policy.decision import Decision
from outgate.policy.gate import Gate
from outgate.policy.operator import Order
from policy.builders import OUTSIDE, Outpost, a_policy, an_entry
from policy.ledger import Ledger

OWN = "Outgate-Verdict"


class Desk:
    """A session of a client, in front of a gate whose observers are watched."""

    def __init__(
        self, *, mode: Mode = Mode.ENFORCE, replies: str = "end-of-message"
    ) -> None:
        self.post = Outpost(a_policy(mode=mode))
        self.told: list[int] = []
        gate = Gate(
            self.post.policy,
            self.post.store,
            self.post.host,
            self.post.clock,
            (self.post, self),
        )
        self.session = MilterSession(
            Socket(replies=replies), gate, wanted_headers(OWN), OWN
        )
        self.session.connect(OUTSIDE, "Postfix 3.7", "mx.example.org")

    def observe(self, decision: Decision) -> None:
        """Note how many recipients there were at that moment."""
        self.told.append(decision.transaction.recipient_count)

    def begin(self, login: str = "anne", recipients: int = 2) -> list[bool]:
        """MAIL, RCPT; gives which of them were refused."""
        replies = [self.session.mail((b"<anne@example.org>",), login, "")]
        replies += [
            self.session.recipient((f"<b{number}@example.net>".encode(),))
            for number in range(recipients)
        ]
        self.session.header(OWN, b" class=personal")
        return [reply is not None for reply in replies]


def test_a_message_that_fails_keeps_its_evidence(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The guard answers for it: the line says whose it was, and a forgery goes."""
    desk = Desk(mode=Mode.MONITOR)

    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(Ledger, "look_up", broken)
    desk.begin()
    with pytest.raises(ZeroDivisionError):
        desk.session.end_of_message("4XyZ")
    effects = desk.session.fail("4XyZ")

    (decision,) = desk.post.seen
    transaction = decision.transaction
    assert decision.verdict.reasons == (Reason.INTERNAL_ERROR,)
    assert (transaction.sender, transaction.login) == (b"<anne@example.org>", "anne")
    assert (transaction.recipient_count, transaction.queue_id) == (2, "4XyZ")
    assert effects.remove == ((OWN, 1),)
    assert desk.session.transaction is None


def test_inbound_mail_passes_untouched() -> None:
    """What looks like our header is another site's, and a signature may cover it."""
    desk = Desk()
    desk.begin(login="")
    inbound = desk.session.end_of_message("4XyZ")
    desk.begin()
    outbound = desk.session.end_of_message("4XyZ")

    assert desk.post.seen[0].mail_class is MailClass.INBOUND
    assert inbound.remove == ()
    assert outbound.remove == ((OWN, 1),)


def test_inbound_mail_that_fails_is_not_changed_either() -> None:
    """In monitor mode it goes on as it came."""
    desk = Desk(mode=Mode.MONITOR)
    desk.begin(login="")
    assert desk.session.fail("4XyZ").remove == ()


@pytest.mark.parametrize(
    ("replies", "refused", "told"),
    [("mail", [True, False, False], 0), ("recipient", [False, True, True], 1)],
)
def test_a_refusal_is_told_once(replies: str, refused: list[bool], told: int) -> None:
    """With as many recipients as were named by then."""
    desk = Desk(replies=replies)
    desk.post.copy(an_entry(Order.SUSPEND, "anne", "bot"))

    assert desk.begin() == refused
    assert desk.told == [told]
    (decision,) = desk.post.seen
    assert decision.disposition.action is Action.REJECT
    desk.session.abort()
    desk.begin()
    assert desk.told == [told] * 2


def test_a_recipient_is_kept_once() -> None:
    """However often he is named: copies of one take nobody's place."""
    desk = Desk()
    desk.begin(recipients=0)
    for _ in range(MAX_RECIPIENTS_KEPT + 10):
        desk.session.recipient((b"<known@example.net>",))
    desk.session.recipient((b"<new@example.net>",))
    transaction = desk.session.transaction
    assert transaction is not None
    assert transaction.recipients == [b"<known@example.net>", b"<new@example.net>"]
    assert transaction.recipient_count == 2


@pytest.mark.parametrize(
    ("replies", "more", "action"),
    [
        ("end-of-message", 0, Action.ACCEPT),
        ("end-of-message", 1, Action.REJECT),
        ("recipient", 1, Action.REJECT),
    ],
)
def test_more_recipients_than_are_kept_are_too_many(
    replies: str, more: int, action: Action
) -> None:
    """Nobody could say how many strangers are among the others."""
    desk = Desk(replies=replies)
    desk.begin(recipients=MAX_RECIPIENTS_KEPT + more)
    desk.session.recipient((b"<b0@example.net>",))
    transaction = desk.session.transaction
    assert transaction is not None
    assert len(transaction.recipients) == MAX_RECIPIENTS_KEPT
    assert transaction.recipient_count == MAX_RECIPIENTS_KEPT + more
    desk.session.end_of_message("4XyZ")
    (decision,) = desk.post.seen
    assert decision.disposition.action is action


def test_recipients_do_not_outlive_their_message() -> None:
    """The next one of the session has its own."""
    desk = Desk()
    for _ in range(2):
        desk.begin(recipients=2)
        desk.session.end_of_message("4XyZ")
    assert desk.told == [2, 2]


def test_a_socket_that_answers_at_rcpt_asks_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A thousand recipients would otherwise be read a thousand times."""
    desk = Desk(replies="recipient")
    asked: list[Transaction] = []
    monkeypatch.setattr(
        Gate, "refusal", lambda _, transaction: asked.append(transaction)
    )
    desk.begin(recipients=1_000)
    assert len(asked) == 1
    desk.begin(recipients=1)
    assert len(asked) == 2
