"""One look-up a message, in one flush and one wait.

Four commands go out in one buffer: HMGET of the operators' suspend, quarantine and
allow hashes, and the script that checks all limits of the customer and charges all or
none. What a message turns out not to deserve goes back with `settle.lua`, for which
nobody waits.
"""

from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import replace

from outgate.model.errors import ScriptError
from outgate.model.optin import Permission
from outgate.model.optin_order import permission
from outgate.policy.compiled import Policy
from outgate.policy.decision import Decision
from outgate.policy.evidence import weigh
from outgate.policy.grace import ListKey
from outgate.policy.operator import Order
from outgate.policy.questions import Answers, Plan
from outgate.policy.witness import compared
from outgate.store.challenges import Challenges
from outgate.store.charging import Charging, read_charge
from outgate.store.consents import Consents
from outgate.store.hashes import Hashes
from outgate.store.keys import Keys
from outgate.store.listdays import add_to_day
from outgate.store.resp import command, known, pack
from outgate.store.scripts import Script
from outgate.store.sharing import Sharing
from outgate.store.traces import TraceWriter
from outgate.store.wire import Reply, Wire, is_unknown_script, is_wrong_type, raise_for


class Counters:
    """Look-ups and settlements on one Redis server."""

    def __init__(
        self,
        wire: Wire,
        keys: Keys,
        secret: bytes,
        *,
        test_now_us: Callable[[], int] | None = None,
    ) -> None:
        self._wire = wire
        self._keys = keys
        self._hashes = Hashes(secret)
        self._charging = Charging(keys, self._hashes)
        self._sharing = Sharing(keys, self._hashes)
        self._consents = Consents(keys, self._hashes)
        self._challenges = Challenges(keys, self._hashes)
        self._traces = TraceWriter(keys, self._hashes)
        self._test_now_us = test_now_us
        charge = Script.load("charge")
        self._settle = Script.load("settle")
        self._hmget = {
            order: known("HMGET") + known(keys.order(order)) for order in Order
        }
        self._by_sha = known("EVALSHA") + known(charge.sha.decode())
        self._by_text = known("EVAL") + known(charge.text.decode())

    def look_up(self, plan: Plan, *, commit: bool = True) -> Answers:
        """Ask everything about one message and charge all its limits or none.

        Args:
            plan: the questions.
            commit: False looks without charging; the levels are as if it had.

        Raises:
            StoreError: nobody answered; whether it was charged is not known.
        """
        names = b"".join(map(known, plan.names))
        own_names = b"".join(map(known, plan.own_names))
        count = len(plan.names) + 2
        now = self._now_argument()
        words, evaluate = self._charging.charge(plan, now, commit=commit)
        hmget = self._hmget
        consents = (
            self._consents.ask(plan.customer, plan.subscribed, plan.people)
            if plan.subscribed
            else []
        )
        shared = self._sharing.ask(plan)
        claims = self._challenges.ask_claims(plan)
        challenge = self._challenges.ask(plan, now, commit=commit)
        buffer = b"".join(
            (
                command(count, hmget[Order.SUSPEND], names),
                command(count, hmget[Order.QUARANTINE], names),
                command(len(plan.own_names) + 2, hmget[Order.ALLOW], own_names),
                command(words, self._by_sha, evaluate),
                *shared,
                *consents,
                *claims,
                *challenge,
            )
        )
        suspend, quarantine, allow, result, *others = self._wire.call(
            buffer,
            4 + len(shared) + len(consents) + len(claims) + len(challenge),
        )
        if is_unknown_script(result):
            (result,) = self._wire.call(command(words, self._by_text, evaluate), 1)
        answers = read_charge(plan, raise_for(result, "charge"))
        if shared:
            answers.neighbours = self._sharing.read(
                plan, others[: len(shared)], answers.now_us
            )
        if challenge:
            answers.bombing = self._challenges.read(others.pop())
        if consents:
            told = others[len(shared) :]
            weighed = weigh(plan, self._consents.read(told[: len(consents)]))
            if plan.claims is not None:
                coverage, entries = self._challenges.read_claims(
                    plan.claims, told[len(consents) :]
                )
                weighed = compared(
                    *(weighed, plan.people, plan.claims, coverage, entries),
                    answers.now_us,
                )
            answers.permissions = weighed.permissions
            answers.registrations = weighed.registrations
            answers.overruled = weighed.overruled
            answers.strangers = self._consents.without(
                answers.strangers, plan.people, weighed.permissions
            )
        answers.suspend = _values(suspend, len(plan.names))
        answers.quarantine = _values(quarantine, len(plan.names))
        answers.allow = _values(allow, len(plan.own_names))
        return answers

    def has_withdrawn(self, customer: str, list_id: str, mailbox: str) -> bool:
        """Whether one recipient withdrew from a customer's list.

        Raises:
            StoreError: nobody answered.
        """
        (question,) = self._consents.ask(customer, list_id, (mailbox,))
        (reply,) = self._wire.call(question, 1)
        if not is_wrong_type(reply):
            raise_for(reply, "registry")
        (packed,) = self._consents.read((reply,))
        return permission(packed or b"") is Permission.WITHDRAWN

    def settle(
        self, plan: Plan, answers: Answers, *, held_bytes: int, stopped: bool = False
    ) -> None:
        """Give back what was charged, remember the attempt, count what is held.

        Args:
            plan: what was asked.
            answers: what was answered.
            held_bytes: size of the message if it is held now, else 0.
            stopped: whether a rule stopped it, which counts for the standing.

        Raises:
            StoreError: it could not be sent; the counters stay too high until they
                have drained.
        """
        words = self._charging.settle(
            plan,
            answers,
            self._now_argument(),
            held_bytes=held_bytes,
            stopped=stopped,
        )
        # EVAL, not EVALSHA: nobody reads the reply that would say NOSCRIPT.
        commands = [
            pack((b"EVAL", self._settle.text, *words)),
            *self._challenges.give_back(plan, answers, self._now_argument()),
        ]
        self._wire.post(b"".join(commands), len(commands))

    def introduce(
        self, plan: Plan, answers: Answers, removed: AbstractSet[str] = frozenset()
    ) -> None:
        """Note what can be noted only now that strangers were let out.

        Raises:
            StoreError: it could not be sent; they stay strangers.
        """
        if removed:
            rest = self._hashes.without(answers.strangers, removed)
            answers = replace(answers, strangers=rest)
            if not rest:
                return
        now = self._now_argument()
        commands = self._sharing.note(plan, answers.stranger_count, now)
        if not plan.greeting:
            words, evaluate = self._charging.introduce(plan, answers, now)
            commands.append(command(words, self._by_text, evaluate))
        if commands:
            self._wire.post(b"".join(commands), len(commands))

    def spare(
        self, plan: Plan, answers: Answers, removed: AbstractSet[str], recipients: int
    ) -> None:
        """Give back what removed recipients cost, and nothing else of the message.

        Raises:
            StoreError: it could not be sent; the counters stay too high until they
                have drained.
        """
        words = self._charging.spare(
            plan, answers, removed, recipients, self._now_argument()
        )
        if words:
            self._wire.post(pack((b"EVAL", self._settle.text, *words)), 1)

    def meet(self, plan: Plan) -> None:
        """Remember recipients, and charge nothing.

        Raises:
            StoreError: it could not be sent; they stay strangers.
        """
        words, evaluate = self._charging.meet(plan, self._now_argument())
        self._wire.post(command(words, self._by_text, evaluate), 1)

    def register(self, plan: Plan, answers: Answers) -> None:
        """Put what the message's tokens say into the registry.

        Raises:
            StoreError: it could not be sent; the next token says it again.
        """
        commands = self._consents.write(
            plan.customer,
            plan.subscribed,
            answers.registrations,
            self._now_argument(),
        )
        commands += self._challenges.note_contradictions(
            plan.customer, plan.subscribed, answers.registrations
        )
        if commands:
            self._wire.post(b"".join(commands), len(commands))

    def note_challenge(self, plan: Plan, *, left: bool) -> None:
        """Put a challenge into its list's ledger.

        Raises:
            StoreError: it could not be sent; the ledger does not know it.
        """
        commands = self._challenges.note(plan, self._now_argument(), left=left)
        if commands:
            self._wire.post(b"".join(commands), len(commands))

    def add_to_list_day(
        self, key: ListKey, now_us: int, counts: Mapping[str, int]
    ) -> None:
        """Count a message of a registered list.

        Raises:
            StoreError: it could not be sent; the day lacks it.
        """
        commands = add_to_day(self._keys, key, now_us, counts)
        self._wire.post(b"".join(commands), len(commands))

    def keep_trace(self, decision: Decision, policy: Policy) -> None:
        """Keep what tells whose a message was.

        Raises:
            StoreError: it could not be sent; the header alone tells.
        """
        found = self._traces.commands(decision, policy)
        if found is not None:
            self._wire.post(*found)

    def retry_id(self, plan: Plan) -> str:
        """Keyed hash of what identifies a retry."""
        return self._hashes.retry(plan.retry_material)

    def _now_argument(self) -> str:
        return str(self._test_now_us()) if self._test_now_us is not None else ""


def _values(reply: Reply, count: int) -> list[bytes | None]:
    """Values of an HMGET; a key of another type holds no orders (the keeper reports)."""
    if is_wrong_type(reply):
        return [None] * count
    values = raise_for(reply, "operator state")
    if not isinstance(values, list) or len(values) != count:
        raise ScriptError(f"operator state: {values!r} instead of {count} values")
    return values
