"""What was decided about one message: the one event that observers hear."""

from dataclasses import dataclass

from outgate.message.facts import Facts
from outgate.model.dkim import Signature
from outgate.model.identity import Accountable
from outgate.model.trace import Trace
from outgate.model.transaction import Transaction
from outgate.model.verdict import Disposition, MailClass, Verdict
from outgate.policy.questions import Answers, Plan


@dataclass(slots=True)
class Decision:
    """What was decided about one message, and on which grounds.

    Attributes:
        mail_class: what kind of mail it is; `inbound` was not judged.
        accountable: None for inbound mail.
        plan, answers: None where nothing was looked up.
        now_us: the moment of the decision.
        signatures: what became of DKIM; nothing where no key is configured, or the
            message does not leave.
        trace: what tells later whose it was; None where it neither leaves nor is held.
        headers: name and value of those that the gate adds for complaints.
        total_us: from end-of-message to the decision.
    """

    transaction: Transaction
    mail_class: MailClass
    verdict: Verdict
    disposition: Disposition
    now_us: int
    facts: Facts | None = None
    accountable: Accountable | None = None
    plan: Plan | None = None
    answers: Answers | None = None
    signatures: tuple[Signature, ...] = ()
    trace: Trace | None = None
    headers: tuple[tuple[str, str], ...] = ()
    total_us: int = 0
