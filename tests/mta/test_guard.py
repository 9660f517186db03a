"""The guard around all callbacks: an exception of ours is no traceback for the MTA.

pymilter's context is played here, since nothing makes the real one fail on command.
"""

from collections.abc import Callable
from collections.abc import Set as AbstractSet
from typing import Any

import Milter
import pytest

from outgate.model.identity import Path
from outgate.model.verdict import Action, Mode
from outgate.mta.libmilter import Engine
from outgate.mta.session import MilterSession, Socket, wanted_headers
from outgate.policy.compiled import Policy
from outgate.policy.decision import Decision
from outgate.policy.gate import Gate
from outgate.policy.questions import Answers, Plan
from outgate.policy.rule_settings import RuleSettings, RulesSettings
from outgate.policy.settings import PolicySettings
from outgate.policy.snapshot import EMPTY, Snapshot

NOW_US = 1_795_000_000_000_000


class Store:
    """The port, broken on demand."""

    def __init__(self) -> None:
        self.broken = False
        self.looked_up = 0
        self.settled = 0

    def meet(self, plan: Plan) -> None:
        raise AssertionError(plan)

    def spare(
        self, plan: Plan, answers: Answers, removed: AbstractSet[str], recipients: int
    ) -> None:
        raise AssertionError(plan, answers, removed, recipients)

    def introduce(
        self, plan: Plan, answers: Answers, removed: AbstractSet[str] = frozenset()
    ) -> None:
        raise AssertionError(plan, answers, removed)

    def register(self, plan: Plan, answers: Answers) -> None:
        raise AssertionError(plan, answers)

    def note_challenge(self, plan: Plan, *, left: bool) -> None:
        raise AssertionError(plan)

    def has_withdrawn(self, customer: str, list_id: str, mailbox: str) -> bool | None:
        raise AssertionError(customer, list_id, mailbox)

    def look_up(self, plan: Plan) -> Answers:
        self.looked_up += 1
        if self.broken:
            raise ZeroDivisionError
        return Answers(now_us=NOW_US)

    def settle(
        self, plan: Plan, answers: Answers, *, held_bytes: int, stopped: bool = False
    ) -> None:
        self.settled += 1


class Host:
    """Knows nothing."""

    def snapshot(self) -> Snapshot:
        return EMPTY

    def disk_full(self) -> bool:
        return False


class Hooks:
    """The engine's worker, with one session."""

    def __init__(self, gate: Gate) -> None:
        self.session = MilterSession(
            Socket(path=Path.SMTP),
            gate,
            wanted_headers("Outgate-Verdict"),
            "Outgate-Verdict",
        )
        self.failures: list[str] = []
        self.open = 0
        self.running = 0

    def open_session(self) -> MilterSession:
        self.open += 1
        return self.session

    def close_session(self, session: MilterSession) -> None:
        self.open -= 1
        self.running = 0

    def begin(self, session: MilterSession) -> None:
        self.running = 1

    def end(self, session: MilterSession) -> None:
        self.running = 0

    def failed(self, stage: str) -> None:
        self.failures.append(stage)


class Context:
    """pymilter's context: private data, macros, and what it was told."""

    def __init__(self, **macros: str) -> None:
        self.macros = macros
        self.private: Any = None
        self.reply: tuple[str, ...] = ()
        self.broken_macro = ""

    def getpriv(self) -> Any:
        return self.private

    def setpriv(self, value: Any) -> None:
        self.private = value

    def setsymlist(self, stage: int, macros: str) -> None:
        assert macros

    def getsymval(self, name: str) -> str | None:
        if name == self.broken_macro:
            raise UnicodeDecodeError("utf-8", b"\xe9", 0, 1, "invalid")
        return self.macros.get(name.strip("{}"))

    def setreply(self, *reply: str) -> None:
        self.reply = reply


@pytest.fixture
def store() -> Store:
    """The store of this test."""
    return Store()


@pytest.fixture
def seen() -> list[Decision]:
    """Decisions that the observers heard of."""
    return []


@pytest.fixture
def make(
    store: Store, seen: list[Decision]
) -> Callable[..., tuple[Engine, Hooks, Context]]:
    """An engine under a policy, with an open session of somebody who logged in."""

    class Observer:
        def observe(self, decision: Decision) -> None:
            seen.append(decision)

    def build(
        mode: Mode = Mode.ENFORCE, action: Action | None = None
    ) -> tuple[Engine, Hooks, Context]:
        rules = RulesSettings(internal_error=RuleSettings(action=action))
        policy = Policy.build(PolicySettings(mode=mode, rules=rules))
        gate = Gate(policy, store, Host(), lambda: NOW_US, (Observer(),))
        hooks = Hooks(gate)
        engine = Engine(hooks, needs_body=True, replies="end-of-message")
        context = Context(auth_authen="anne", i="4XyZ", v="Postfix 3.7")
        engine._negotiate(context, [0x1FF, 0x1FFFFF, 0, 0])
        return engine, hooks, context

    return build


def send(engine: Engine, context: Context) -> int:
    """One message; gives what end-of-message returned."""
    engine._mail(context, b"<anne@example.org>")
    engine._rcpt(context, b"<bob@example.net>")
    engine._header(context, "Subject", b"x")
    return engine._end_of_message(context)


def test_a_failing_look_up_is_answered_with_451(
    make: Callable[..., Any], store: Store, seen: list[Decision]
) -> None:
    """The sender reads that it is our fault, with a reference; it is counted."""
    engine, hooks, context = make()
    store.broken = True

    assert send(engine, context) == Milter.TEMPFAIL
    assert context.reply[:2] == ("451", "4.3.0")
    assert "ref 4XyZ" in context.reply[2]
    assert hooks.failures == ["end-of-message"]
    assert [one.disposition.action for one in seen] == [Action.DEFER]
    assert hooks.running == 0


def test_in_monitor_mode_the_mail_goes_on(
    make: Callable[..., Any], store: Store
) -> None:
    """An error of ours holds nobody up while we only watch."""
    engine, hooks, context = make(mode=Mode.MONITOR)
    store.broken = True

    assert send(engine, context) == Milter.CONTINUE
    assert hooks.failures == ["end-of-message"]


def test_an_error_in_a_silent_stage_is_answered_at_the_end(
    make: Callable[..., Any], store: Store
) -> None:
    """Nothing is looked up and nothing charged; the next message is judged again."""
    engine, hooks, context = make()
    context.broken_macro = "{auth_authen}"
    guarded = engine._guard("mail", engine._mail)

    assert guarded(context, b"<anne@example.org>") == Milter.NOREPLY
    context.broken_macro = ""
    engine._rcpt(context, b"<bob@example.net>")
    assert engine._end_of_message(context) == Milter.TEMPFAIL
    assert (hooks.failures, store.looked_up) == (["mail"], 0)
    assert send(engine, context) == Milter.CONTINUE
    assert store.looked_up == 1


def test_an_mta_without_no_reply_is_told_to_go_on(make: Callable[..., Any]) -> None:
    """NOREPLY would leave it waiting."""
    engine, _, context = make()
    engine._negotiate(context, [0x1FF, 0, 0, 0])
    context.broken_macro = "{auth_authen}"
    guarded = engine._guard("mail", engine._mail)

    assert guarded(context, b"<anne@example.org>") == Milter.CONTINUE


def test_a_configured_action_is_taken(make: Callable[..., Any], store: Store) -> None:
    """`[rules.internal-error] action = "accept"`."""
    engine, _, context = make(action=Action.ACCEPT)
    store.broken = True

    assert send(engine, context) == Milter.CONTINUE


def test_close_without_a_session_is_harmless(make: Callable[..., Any]) -> None:
    """libmilter may close what never was opened."""
    engine, hooks, _ = make()

    assert engine._close(Context()) == Milter.CONTINUE
    assert hooks.failures == []


def test_a_percent_sign_is_doubled(make: Callable[..., Any], store: Store) -> None:
    """libmilter takes `%` for a format."""
    engine, _, context = make()
    store.broken = True
    context.macros["i"] = "4%sZ"
    send(engine, context)

    assert "4%%sZ" in context.reply[2]
