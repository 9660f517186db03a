"""The walk of one message through the policy: plan, look up, decide, enforce.

The store and the clock come in from outside; what goes out is one `Decision`.
"""

from collections.abc import Sequence

from outgate.message.facts import read_facts
from outgate.message.local_user import sendmail_local_user
from outgate.model.identity import Accountable, Direction, Path
from outgate.model.transaction import Transaction
from outgate.model.verdict import (
    ACCEPTED,
    Action,
    Disposition,
    Finding,
    MailClass,
    Mode,
    Reason,
    Removal,
    Reply,
    Verdict,
)
from outgate.policy.accountability import Accountability
from outgate.policy.at_recipient import RecipientCheck, list_of, recipient_check
from outgate.policy.case import Case
from outgate.policy.compiled import Policy
from outgate.policy.decide import decide, was_stopped, would_let_out, would_remove
from outgate.policy.decision import Decision
from outgate.policy.enforce import Circumstances, enforce
from outgate.policy.evidence import has_evidence, read_evidence
from outgate.policy.list_of_mail import as_registered
from outgate.policy.mail_class import class_of
from outgate.policy.plan import make_plan
from outgate.policy.ports import (
    NO_REPORTER,
    NOBODY,
    Host,
    NowUs,
    Observer,
    Reporter,
    Signer,
    Store,
    Tracer,
    Verifier,
)
from outgate.policy.questions import NO_EVIDENCE, Answers, Plan, Source
from outgate.policy.reply import reply_for
from outgate.policy.rules import consent_withdrawn, suspended
from outgate.policy.telling import tell, why_untold

_PASS = Verdict()
# What is found by these is known to be bad.
_TEACHES_NOTHING = frozenset(
    {Reason.SUSPENDED, Reason.QUARANTINED, Reason.CAMPAIGN_ACROSS_CUSTOMERS}
)
LEARNT_A_DAY = 2_000
"""Recipients of one principal's mail beyond limits that become contacts in a day.

Of mail that only monitor mode lets out; an operator's `allow` has no such bound.
"""


class Gate:
    """Judges messages under one policy."""

    def __init__(
        self,
        policy: Policy,
        store: Store,
        host: Host,
        now_us: NowUs,
        observers: Sequence[Observer] = (),
        verifier: Verifier = NOBODY,
        reporter: Reporter = NO_REPORTER,
        signer: Signer | None = None,
        tracer: Tracer | None = None,
    ) -> None:
        """Put the parts together.

        Args:
            policy: under which messages are judged.
            store: counters and operator state.
            host: what is known without asking.
            now_us: the clock.
            observers: who hears of decisions.
            verifier: of opt-in tokens; by default none is genuine.
            reporter: tells senders of recipients who were taken out.
            signer: with DKIM; None where no key is configured.
            tracer: marks what leaves; None marks nothing.
        """
        self.policy = policy
        self._store = store
        self._host = host
        self._now_us = now_us
        self._observers = observers
        self._verifier = verifier
        self._reporter = reporter
        self._signer = signer
        self._tracer = tracer
        self._accountability = Accountability(policy)

    def judge(self, transaction: Transaction) -> Decision:
        """Decide about one message, charge it, and tell the observers."""
        started_us = self._now_us()
        decision = self._decide(transaction, started_us)
        self._trace(decision)
        if (
            self._signer is not None
            and decision.disposition.action.lets_out
            and decision.mail_class is not MailClass.INBOUND
        ):
            decision.signatures = self._signer.sign(decision)
        return self._tell(decision, started_us)

    def _trace(self, decision: Decision) -> None:
        """Mark what leaves, and what may leave when a person releases it."""
        action = decision.disposition.action
        if (
            self._tracer is not None
            and decision.mail_class is not MailClass.INBOUND
            and (action.lets_out or action is Action.QUARANTINE)
        ):
            self._tracer.trace(decision, self._signer)

    def wants_body(self, transaction: Transaction) -> bool:
        """Whether the whole body is needed, because the message may be signed."""
        return self._signer is not None and self._signer.wants_body(transaction)

    def fail(self, transaction: Transaction) -> Decision:
        """Decide about a message that an exception of ours got in the way of."""
        now_us = self._now_us()
        rule = self.policy.rules[Reason.INTERNAL_ERROR]
        finding = Finding(
            reason=Reason.INTERNAL_ERROR,
            action=rule.action,
            public="The mail system had an error of its own; try again later.",
            binding=rule.mode is Mode.ENFORCE,
        )
        verdict = Verdict(action=rule.action, findings=(finding,))
        direction, accountable = self._resolve_if_possible(transaction)
        inbound = direction is Direction.INBOUND
        mail_class = MailClass.INBOUND if inbound else MailClass.PERSONAL
        around = Circumstances(
            path=transaction.session.path,
            mail_class=mail_class,
            queue_id=transaction.queue_id,
            hold_queue_full=self._host.disk_full(),
            now_us=now_us,
        )
        decision = Decision(
            transaction,
            mail_class,
            verdict,
            enforce(verdict, self.policy, around),
            now_us,
            accountable=accountable,
        )
        self._trace(decision)
        return self._tell(decision, now_us)

    def refusal(self, transaction: Transaction) -> Reply | None:
        """Refuse a suspended sender before its message was sent.

        Only from the local copy of operator state: there is no round trip at MAIL or
        RCPT. The message of whoever passes here is judged at its end as usual. A refusal
        ends the transaction, so it is told to the observers.
        """
        started_us = self._now_us()
        facts = read_facts(transaction)
        direction, accountable = self._resolve(transaction)
        if direction is Direction.INBOUND or accountable is None:
            return None
        policy = self.policy
        snapshot = self._host.snapshot()
        plan = make_plan(transaction, facts, accountable, policy, snapshot, started_us)
        answers = Answers(now_us=started_us, source=Source.ACCEPT)
        finding = suspended.judge(
            Case(transaction, facts, accountable, policy, plan, answers, snapshot)
        )
        if finding is None or finding.action is not Action.REJECT:
            return None
        reply = reply_for(finding, Action.REJECT, policy, "")
        decision = Decision(
            transaction,
            facts.mail_class,
            Verdict(action=Action.REJECT, findings=(finding,)),
            Disposition(action=Action.REJECT, reply=reply, reason=finding.reason),
            started_us,
            facts,
            accountable,
        )
        self._tell(decision, started_us)
        return reply

    def recipient_check(self, transaction: Transaction) -> RecipientCheck | None:
        """Who answers at RCPT about recipients who have withdrawn; None for nobody.

        A message whose envelope sender is no list's costs a look into a dictionary.
        """
        if list_of(transaction, self.policy) is None:
            return None
        _, accountable = self._resolve(transaction)
        return recipient_check(
            transaction,
            accountable,
            self.policy,
            self._host.snapshot(),
            self._store,
            self._now_us,
        )

    def give_up(self, transaction: Transaction) -> None:
        """Tell the observers of a message that never came since recipients were refused.

        It counts as one that was refused: nobody was left, or the client sent it to
        nobody.
        """
        started_us = self._now_us()
        _, accountable = self._resolve(transaction)
        _, list_id = list_of(transaction, self.policy) or ("", "")
        finding = consent_withdrawn.refusal(
            list_id, f"{transaction.refused_count} refused at RCPT"
        )
        action = Action.REJECT
        reply = reply_for(finding, action, self.policy, transaction.queue_id)
        decision = Decision(
            transaction,
            MailClass.LIST,
            Verdict(action=action, findings=(finding,)),
            Disposition(action=action, reply=reply, reason=finding.reason),
            started_us,
            accountable=accountable,
        )
        self._tell(decision, started_us)

    def _tell(self, decision: Decision, started_us: int) -> Decision:
        decision.total_us = self._now_us() - started_us
        for observer in self._observers:
            observer.observe(decision)
        return decision

    def _resolve_if_possible(
        self, transaction: Transaction
    ) -> tuple[Direction, Accountable | None]:
        """Whose message it is, unless that is what fails."""
        try:
            return self._resolve(transaction)
        except Exception:  # noqa: BLE001 - perhaps the very error that is answered for
            return Direction.OUTBOUND, None

    def _resolve(
        self, transaction: Transaction
    ) -> tuple[Direction, Accountable | None]:
        session = transaction.session
        local_user = session.local_user
        told = session.path is Path.LOCAL_SUBMISSION and session.mta == "sendmail"
        if told and not local_user:
            # On Postfix's local path that Received line is hidden, and any other came
            # from the sender.
            local_user = sendmail_local_user(transaction.headers) or ""
        return self._accountability.resolve(
            transaction.login,
            session.login_realm,
            local_user,
            transaction.certificate,
            session.client,
            session.path,
        )

    def _decide(self, transaction: Transaction, now_us: int) -> Decision:
        facts = read_facts(transaction)
        direction, accountable = self._resolve(transaction)
        if direction is Direction.INBOUND or accountable is None:
            return Decision(
                transaction, MailClass.INBOUND, _PASS, ACCEPTED, now_us, facts
            )
        policy = self.policy
        facts = as_registered(transaction, facts, accountable.customer, policy)
        snapshot = self._host.snapshot()
        evidence = NO_EVIDENCE
        if has_evidence(transaction):
            evidence = read_evidence(
                transaction,
                accountable.customer,
                facts.list_id,
                policy,
                snapshot.optin_keys,
                self._verifier,
                now_us,
            )
        plan = make_plan(
            transaction, facts, accountable, policy, snapshot, now_us, evidence
        )
        answers = self._store.look_up(plan)
        if answers.overruled:
            plan.evidence = plan.evidence.without(answers.overruled)
        case = Case(transaction, facts, accountable, policy, plan, answers, snapshot)
        case.untold = why_untold(case)
        try:
            verdict = decide(case)
            mail_class = class_of(facts, plan, answers)
            disposition = self._enforce(case, verdict, mail_class)
            instead = tell(case, verdict, disposition, self._reporter)
            if instead is not None:
                verdict = instead
                disposition = self._enforce(case, verdict, mail_class)
        except Exception:
            # The guard answers; what it answers for must not have been charged.
            self._store.settle(plan, answers, held_bytes=0)
            raise
        held = disposition.action is Action.QUARANTINE
        settled = held or not would_let_out(verdict)
        if settled:
            held_bytes = max(1, transaction.size_bytes) if held else 0
            self._store.settle(
                plan, answers, held_bytes=held_bytes, stopped=was_stopped(verdict)
            )
        else:
            self._note_strangers(plan, answers, would_remove(verdict))
        # Limits refused it, and no rule stops it: an operator allows this sender.
        freed = not (settled or answers.allowed)
        if (
            (settled or freed)
            and disposition.action.lets_out
            and _teaches(plan, answers, verdict, freed=freed)
        ):
            # Never of a registered list, so nobody was taken out.
            self._store.meet(plan)
        if plan.challenge is not None and (held or disposition.action.lets_out):
            self._store.note_challenge(plan, left=not held)
        if answers.registrations and disposition.action.lets_out:
            self._store.register(plan, answers)
        return Decision(
            transaction,
            mail_class,
            verdict,
            disposition,
            answers.now_us,
            facts,
            accountable,
            plan,
            answers,
        )

    def _note_strangers(
        self, plan: Plan, answers: Answers, removed: Sequence[Removal]
    ) -> None:
        """Note who was let out to, and give back what others cost."""
        gone = self._mailboxes(removed)
        if removed and answers.source is Source.STORE:
            self._store.spare(plan, answers, gone, len(removed))
        if answers.strangers:
            self._store.introduce(plan, answers, gone)

    def _mailboxes(self, removed: Sequence[Removal]) -> frozenset[str]:
        read = self.policy.recipient
        return frozenset(read(one.path).mailbox for one in removed)

    def _enforce(
        self, case: Case, verdict: Verdict, mail_class: MailClass
    ) -> Disposition:
        if not verdict.findings:
            return ACCEPTED
        transaction = case.transaction
        around = Circumstances(
            path=transaction.session.path,
            mail_class=mail_class,
            queue_id=transaction.queue_id,
            hold_queue_full=self._hold_queue_full(transaction, case.answers),
            now_us=case.answers.now_us,
        )
        return enforce(verdict, self.policy, around)

    def _hold_queue_full(self, transaction: Transaction, answers: Answers) -> bool:
        quarantine = self.policy.settings.quarantine
        return (
            answers.held_messages >= quarantine.cap
            or answers.held_bytes + transaction.size_bytes > quarantine.cap_bytes
            or self._host.disk_full()
        )


def _teaches(plan: Plan, answers: Answers, verdict: Verdict, *, freed: bool) -> bool:
    """Whether recipients of a message beyond limits are contacts from then on.

    A gate that watches for a month shall know the customers' contacts, and not all that
    somebody bought meanwhile. Readers of a registered list are known by their consent,
    and nothing else tells how many of them the day had; who did not ask is remembered
    where he is charged.
    """
    return (
        bool(plan.people)
        and not plan.subscribed
        and answers.source is Source.STORE
        and (freed or answers.today + answers.renewed <= LEARNT_A_DAY)
        and _TEACHES_NOTHING.isdisjoint(verdict.reasons)
    )
