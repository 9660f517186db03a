"""What policy needs from outside: declared here, built elsewhere, joined in `daemon`."""

from collections.abc import Callable, Collection
from collections.abc import Set as AbstractSet
from typing import Protocol

from outgate.message.facts import Facts
from outgate.model.dkim import Signature
from outgate.model.transaction import Transaction
from outgate.model.verdict import Disposition
from outgate.policy.decision import Decision
from outgate.policy.optin_keys import OptinKey
from outgate.policy.questions import Answers, Plan
from outgate.policy.snapshot import Snapshot

NowUs = Callable[[], int]
"""Microseconds since the epoch, by this machine's clock."""


class Store(Protocol):
    """Counters and operator state."""

    def look_up(self, plan: Plan) -> Answers:
        """Ask everything and charge all or none; one round trip, bounded in time.

        Never raises for trouble of the store: the answer's `source` says who stood in.
        """

    def has_withdrawn(self, customer: str, list_id: str, mailbox: str) -> bool | None:
        """Whether one recipient withdrew from a customer's list; None: nobody answers.

        One round trip, bounded in time as a look-up is. Never raises for trouble of the
        store.
        """

    def settle(
        self, plan: Plan, answers: Answers, *, held_bytes: int, stopped: bool = False
    ) -> None:
        """Give a charge back, and remember the attempt; nobody waits.

        Args:
            plan: what was asked.
            answers: what was answered.
            held_bytes: size of the message if it is held now, else 0.
            stopped: whether a rule stopped it, and no operator: it counts for the
                customer's standing.
        """

    def introduce(
        self, plan: Plan, answers: Answers, removed: AbstractSet[str] = frozenset()
    ) -> None:
        """Note what can be noted only now that strangers were let out.

        Those of a registered list who have not asked for it: that was looked up in the
        same moment as the limits, so they are charged afterwards. And that this customer
        sends this content, for all other customers. Nobody waits; what is in flight
        meanwhile may go beyond a limit.

        Args:
            plan: what was asked.
            answers: what was answered.
            removed: mailboxes of recipients who do not get the message.
        """

    def spare(
        self, plan: Plan, answers: Answers, removed: AbstractSet[str], recipients: int
    ) -> None:
        """Give back what recipients cost who were taken out; nobody waits.

        Args:
            plan: what was asked.
            answers: what was answered.
            removed: their mailboxes.
            recipients: how many arguments of RCPT they are.
        """

    def meet(self, plan: Plan) -> None:
        """Remember the recipients of a message that left although it should not have.

        In monitor mode a mailing is charged as if it had stayed here, but whoever had
        it is no stranger any more: a gate that watches for a month knows the customers'
        contacts. They count among the recipients of that day. Nobody waits.
        """

    def register(self, plan: Plan, answers: Answers) -> None:
        """Put recipients whom tokens speak for into the registry; nobody waits.

        So the list's later messages need no token. What was written there meanwhile
        stays where it counts more.
        """

    def note_challenge(self, plan: Plan, *, left: bool) -> None:
        """Put a challenge into its list's ledger; nobody waits.

        Args:
            plan: of a request to confirm a subscription to a registered list.
            left: whether it left, or is held: who may release it is not seen.
        """


class Verifier(Protocol):
    """Knows the signatures of opt-in tokens."""

    def is_genuine(self, key: OptinKey, signed: bytes, signature: bytes) -> bool:
        """Whether the holder of the key signed exactly this.

        Raises:
            Exception: it cannot be known here; the token counts as absent.
        """


class _Nobody:
    """The verifier of those who have none."""

    def is_genuine(self, key: OptinKey, signed: bytes, signature: bytes) -> bool:
        del key, signed, signature
        return False


NOBODY: Verifier = _Nobody()


class Reporter(Protocol):
    """Tells envelope senders of recipients who were taken out of a message."""

    def report(
        self,
        transaction: Transaction,
        facts: Facts,
        customer: str,
        disposition: Disposition,
        now_us: int,
    ) -> str:
        """Write down what is to be told; sending it is for later.

        A message that comes again is told of once.

        Returns:
            Why nobody can be told today, and so nobody may be taken out; "" where it
            is written.

        Raises:
            OSError: it cannot be kept now.
        """


class _NoReporter:
    """For a gate whose answers reach no MTA."""

    def report(
        self,
        transaction: Transaction,
        facts: Facts,
        customer: str,
        disposition: Disposition,
        now_us: int,
    ) -> str:
        del transaction, facts, customer, disposition, now_us
        return ""


NO_REPORTER: Reporter = _NoReporter()


class Signer(Protocol):
    """Signs what leaves, with DKIM."""

    def wants_body(self, transaction: Transaction) -> bool:
        """Whether this message may be signed, and so its whole body is wanted.

        Asked once, before the body comes; the headers are all there.
        """

    def domains(self, decision: Decision) -> Collection[str]:
        """As which domains (`d=`) it would sign this message."""

    def sign(self, decision: Decision) -> tuple[Signature, ...]:
        """Sign a message that leaves; what cannot be signed leaves as it is."""


class Tracer(Protocol):
    """Marks what leaves, so that a complaint finds whose it was."""

    def trace(self, decision: Decision, signer: Signer | None) -> None:
        """Put a trace, and the headers that tell of it, into a decision.

        Never raises. Headers that need a signature are added only where the signer
        will make one.
        """


class Observer(Protocol):
    """Hears of each decision after it was made: metrics, the log."""

    def observe(self, decision: Decision) -> None:
        """Take note; must not raise and must not wait."""


class Host(Protocol):
    """What is known locally, without asking the store."""

    def snapshot(self) -> Snapshot:
        """The latest copy of operator state."""

    def disk_full(self) -> bool:
        """Whether less than `[quarantine] min-free` is left for held mail."""
