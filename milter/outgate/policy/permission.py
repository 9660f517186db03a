"""Who of a registered list's recipients may have its mail.

Asked of the registry for each recipient outside; internal recipients are nobody's
strangers, and are not asked. Forwarded mail is not judged: who asked for it is known to
whoever sent it first.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from outgate.message.dsn_options import wants_failures
from outgate.model.optin import SOLICITED, Permission
from outgate.model.transaction import Transaction
from outgate.model.verdict import Finding, Reason
from outgate.policy.case import Case
from outgate.policy.questions import Answers, Plan


@dataclass(frozen=True, slots=True)
class Coverage:
    """Recipients of one message to a registered list.

    Attributes:
        people: how many different ones there are outside.
        withdrawn: mailboxes of those who have withdrawn.
        uncovered: mailboxes of those of whom no consent is known.
        unseen: how many more there are of whom nothing was kept.
    """

    people: int
    withdrawn: tuple[str, ...]
    uncovered: tuple[str, ...]
    unseen: int

    @property
    def without_consent(self) -> int:
        """How many there are of whom no consent is known."""
        return len(self.uncovered) + self.unseen


def coverage_of(case: Case) -> Coverage | None:
    """What the registry said of the recipients of this case's message."""
    return coverage(case.transaction, case.plan, case.answers)


def coverage(transaction: Transaction, plan: Plan, answers: Answers) -> Coverage | None:
    """What the registry said; None where it was not asked, or did not answer.

    Whoever has a consent that is worth nothing (an address in a file) has none.
    """
    permissions = answers.permissions
    if not plan.subscribed or not permissions:
        return None
    unseen = transaction.recipient_count - len(transaction.recipients)
    withdrawn, uncovered = [], []
    for mailbox, permission in zip(plan.people, permissions, strict=True):
        if permission in SOLICITED:
            continue
        if permission is Permission.WITHDRAWN:
            withdrawn.append(mailbox)
        else:
            uncovered.append(mailbox)
    return Coverage(
        len(plan.people) + unseen, tuple(withdrawn), tuple(uncovered), unseen
    )


def strangers_reached(answers: Answers, findings: Iterable[Finding]) -> int:
    """How many strangers a message goes to, at most, without those who are taken out.

    Which of the recipients are strangers, the store alone knows; how many of them may
    be, follows from who is left.

    Args:
        answers: what was answered.
        findings: of the rules judged so far; those that take somebody out are before
            all that count strangers.
    """
    removing = {one.reason for one in findings if one.remove and one.binding}
    if not removing:
        return answers.stranger_count
    asked = Counter(answers.permissions)
    left = asked[Permission.WITHDRAWN] * (Reason.CONSENT_WITHDRAWN not in removing)
    if Reason.LIST_WITHOUT_CONSENT not in removing:
        known = SOLICITED | {Permission.WITHDRAWN}
        left += sum(number for one, number in asked.items() if one not in known)
    return min(answers.stranger_count, left)


def leaves_nobody(case: Case, removed: int) -> bool:
    """Whether nobody would get a message that so many people are taken out of."""
    plan = case.plan
    return removed >= len(plan.people) and not plan.internal


def why_not_removed(case: Case, paths: Iterable[bytes]) -> str:
    """Why these recipients cannot be taken out of a message; "" where they can.

    Nobody is taken out in silence.

    Args:
        case: the message.
        paths: arguments of RCPT.
    """
    if case.untold:
        return case.untold
    transaction = case.transaction
    if not transaction.session.removes_recipients:
        return "the MTA takes no recipient out"
    options = transaction.recipient_options
    for path in paths:
        if path in options and not wants_failures(options[path]):
            return "the envelope wants no notification of failures"
        try:
            path.decode()
        except UnicodeDecodeError:
            return "the MTA cannot be told of an address that is not UTF-8"
    return ""


def paths_of(case: Case, mailboxes: Iterable[str]) -> tuple[bytes, ...]:
    """Arguments of RCPT by which these people are reached: one may have several."""
    wanted = frozenset(mailboxes)
    read = case.policy.recipient
    return tuple(
        path
        for path in dict.fromkeys(case.transaction.recipients)
        if read(path).mailbox in wanted
    )
