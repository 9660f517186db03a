"""Everything that a rule may look at when it judges one message."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from outgate.message.facts import Facts
from outgate.model.identity import Accountable
from outgate.model.transaction import Transaction
from outgate.model.verdict import Finding, Reason
from outgate.policy.compiled import Policy
from outgate.policy.operator import Entry, Order, parse_entry
from outgate.policy.questions import Answers, Plan, Source
from outgate.policy.snapshot import Snapshot


@dataclass(slots=True)
class Case:
    """One message, what is known about it, and under which policy it is judged.

    Attributes:
        snapshot: the local copy of operator state.
        allowed: rules that an operator lifted for this sender.
        findings: what the rules found that were judged so far.
        untold: why nobody can be told of recipients who are taken out, and so nobody
            is; "" where the envelope sender can.
    """

    transaction: Transaction
    facts: Facts
    accountable: Accountable
    policy: Policy
    plan: Plan
    answers: Answers
    snapshot: Snapshot
    allowed: frozenset[Reason] = frozenset()
    findings: Sequence[Finding] = ()
    untold: str = ""

    def order_in_force(self, order: Order) -> Entry | None:
        """An operator's order of this kind that holds for this message, if any."""
        if not self._values(order) and order not in self.snapshot.orders:
            return None
        return next(self.orders_in_force(order), None)

    def orders_in_force(self, order: Order) -> Iterator[Entry]:
        """All operators' orders of this kind that hold for this message.

        What the store answered is newest; the local copy adds networks and other
        spellings, and stands in for the store while it is away.
        """
        answers = self.answers
        names = self.plan.own_names if order is Order.ALLOW else self.plan.names
        for name, value in zip(names, self._values(order), strict=False):
            if value is not None:
                entry = parse_entry(order, name, value)
                if entry.in_force(answers.now_us):
                    yield entry
        answered = answers.source is Source.STORE
        client = self.accountable.client
        for entry in self.snapshot.find(order, names, client, only_odd=answered):
            if entry.in_force(answers.now_us):
                yield entry

    def _values(self, order: Order) -> Sequence[bytes | None]:
        """What the store answered; nothing where nobody ordered anything."""
        answers = self.answers
        match order:
            case Order.SUSPEND:
                values = answers.suspend
            case Order.QUARANTINE:
                values = answers.quarantine
            case _:
                values = answers.allow
        return values if values.count(None) < len(values) else ()


_NOTHING: frozenset[Reason] = frozenset()


def lifted(case: Case) -> frozenset[Reason]:
    """Rules from which operators' `allow` orders free this sender."""
    if case.order_in_force(Order.ALLOW) is None:
        return _NOTHING
    return frozenset().union(
        *(entry.rules for entry in case.orders_in_force(Order.ALLOW))
    )
