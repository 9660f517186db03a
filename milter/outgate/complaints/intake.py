"""One report, from bytes to a kept complaint."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from ipaddress import ip_network
from typing import Protocol

from outgate.complaints.adjudicate import Judgement, Mail, adjudicate, counts
from outgate.complaints.attribution import Attributed, Clues, Place, attribute
from outgate.complaints.marks import Marks, read_marks
from outgate.complaints.ports import Traces, VerifyDkim
from outgate.complaints.reporter import Delivery, Reporter, is_within, judge_reporter
from outgate.feedback.complaint import read_complaint
from outgate.feedback.report import ComplaintReport
from outgate.model.client import Client, Network, parse_client
from outgate.model.complaint import Complaint, Outcome, Standing
from outgate.model.consent import Grade
from outgate.model.trace import Trace, TraceRecord
from outgate.policy.complaint_settings import FeedbackLoopSettings

CUSTOMER_SCOPE = "customer"
# RFC 1918, RFC 6598, RFC 4193, loopback and link-local.
_NOWHERE = tuple(
    map(
        ip_network,
        (
            *("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"),
            *("127.0.0.0/8", "169.254.0.0/16", "::1/128", "fc00::/7", "fe80::/10"),
        ),
    )
)


class Kept(Protocol):
    """Where complaints are kept."""

    def find(self, complaint_id: str, /) -> Complaint | None:
        """One that is there already."""

    def write(self, complaint: Complaint, scopes: Sequence[str], /) -> bool:
        """Keep one; whether it is new."""

    def copies(self, message: str, complainant: str, now_us: int, /) -> int:
        """Note who got a message from elsewhere; how many did."""

    def complainants(
        self, customer: str, scopes: Sequence[str], now_us: int, /
    ) -> list[int]:
        """How many complained, for each scope."""

    def cancel(self, complaint: Complaint, scopes: Sequence[str], /) -> bool:
        """Take a person's complaint back."""


class Consents(Protocol):
    """The registry of consents."""

    def grade(self, customer: str, list_id: str, mailbox: str, /) -> Grade:
        """What stands behind a subscription; `none` where it was withdrawn."""

    def withdraw(self, customer: str, list_id: str, mailbox: str, /) -> None:
        """Note that they want no more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ours:
    """What belongs to us, by the configuration.

    Attributes:
        networks: that our mail may come from.
        of_client: whose network a client is in, "" for nobody's.
        of_domain: who has a domain, "" for nobody.
        mailbox: an address → the mailbox that is counted.
        complainant: customer and person → a keyed hash.
    """

    networks: Sequence[Network]
    of_client: Callable[[Client], str]
    of_domain: Callable[[str], str]
    mailbox: Callable[[str], str]
    complainant: Callable[[str, str], str]


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a report.

    Attributes:
        is_new: False for a second delivery: nothing was counted again.
    """

    complaint: Complaint
    is_new: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Intake:
    """Takes reports in.

    Attributes:
        verify_report: of a report and the domains that matter: whose signatures are
            valid.
        verify_old: the same of an embedded message, with keys that were ever ours.
    """

    loops: Sequence[FeedbackLoopSettings]
    ours: Ours
    traces: Traces
    kept: Kept
    consents: Consents
    verify_report: Callable[[bytes, Callable[[str], bool]], Sequence[str]]
    verify_old: VerifyDkim
    now_us: Callable[[], int]

    def take(self, raw: bytes, delivery: Delivery) -> Taken:
        """Take one in.

        Raises:
            UnreadReport: a person has to read it.
            OutgateError: store, DNS or a file of ours: try again, it does no harm.
        """
        report = read_complaint(raw)
        before = self.kept.find(report.dedup_key)
        if before is not None:
            return Taken(before, is_new=False)
        reporter = self._reporter(raw, report, delivery)
        looked = self._look(report, reporter, delivery)
        mail = looked.mail
        kind = report.feedback_type
        standing = reporter.standing
        attributed = looked.attributed
        customer = attributed.customer
        if counts(kind, standing, attributed, mail):
            # This one is counted below; a repeated one is there already, and the
            # worst that comes of it is that a floor is reached one person early.
            (others,) = self.kept.complainants(
                customer, (CUSTOMER_SCOPE,), self.now_us()
            )
            mail = looked.with_complainants(others + 1)
        judged = adjudicate(kind, standing, attributed, mail)
        complaint = self._complaint(report, reporter, looked, judged)
        scopes = _scopes(mail)
        if judged.withdraws:
            self.consents.withdraw(customer, mail.list_id, mail.mailbox)
        if complaint.outcome is Outcome.NOT_SPAM and standing.is_believed and customer:
            self.kept.cancel(complaint, scopes)
        is_new = self.kept.write(complaint, scopes if judged.counts else ())
        return Taken(complaint, is_new)

    def _reporter(
        self, raw: bytes, report: ComplaintReport, delivery: Delivery
    ) -> Reporter:
        named = [
            one.rpartition("@")[2].lower() for loop in self.loops for one in loop.sender
        ]
        author = report.reporter
        signed_by: Sequence[str] = ()
        if author is not None and any(is_within(author.domain, one) for one in named):
            wanted = {author.domain, *named}
            signed_by = self.verify_report(raw, wanted.__contains__)
        return judge_reporter(author, delivery, self.loops, signed_by)

    def _look(
        self, report: ComplaintReport, reporter: Reporter, delivery: Delivery
    ) -> "_Looked":
        marks = read_marks(report)
        trace, record = self._trace(marks)
        embedded = report.embedded
        dkim = ""
        if embedded is not None and embedded.has_body and not embedded.is_cut:
            dkim = next(iter(self.verify_old(embedded.raw)), "")
        client = parse_client(report.source) if report.source else None
        source = self._place(client)
        owner = self.ours.of_domain
        forged = next(filter(None, map(owner, marks.sender_domains)), "")
        customer = ""
        if record is not None:
            customer = record.customer
        elif trace is not None:
            customer = self.traces.customer_of(trace.customer)
        mailbox, is_elsewhere = self._recipient(marks, record)
        login = ""
        if reporter.standing is Standing.CUSTOMER:
            # A login is one person, and speaks for nobody else: whoever they name.
            login = self.ours.mailbox(delivery.login)
            mailbox = mailbox if mailbox == login else ""
        whose = customer or (owner(dkim) if dkim else "") or forged
        person = login or mailbox or self._somebody(report, reporter, marks, trace)
        complainant = self.ours.complainant(whose, person)
        copies = 0
        copy = trace.id if trace is not None else marks.copy
        is_copy = source is Place.FOREIGN and (trace is not None or bool(dkim))
        if is_copy and not mailbox and reporter.standing.is_believed:
            copies = self.kept.copies(copy, complainant, self.now_us())
        attributed = attribute(
            Clues(
                has_headers=marks.has_headers,
                is_traced=trace is not None,
                trace_customer=customer,
                has_record=record is not None,
                dkim_domain=dkim,
                dkim_customer=owner(dkim) if dkim else "",
                source=source,
                source_customer=self.ours.of_client(client) if client else "",
                forged_customer=forged,
                may_be_altered=_may_be_altered(report, marks),
                foreign_copies=copies,
            )
        )
        mail = Mail(
            list_id=record.list_id if record else "",
            script=record.script if record else "",
            recipient_count=record.recipient_count if record else 0,
            mailbox=mailbox,
            is_elsewhere=is_elsewhere,
            consent=self._consent(attributed, record, mailbox),
        )
        return _Looked(attributed, mail, complainant, trace.id if trace else "")

    def _trace(self, marks: Marks) -> tuple[Trace | None, TraceRecord | None]:
        for value in marks.traces:
            trace = self.traces.read(value)
            if trace is not None:
                return trace, self.traces.find(trace.id)
        return None, None

    def _place(self, client: Client | None) -> Place:
        if client is None:
            return Place.UNSAID
        # A private address says nothing: it is everybody's.
        if any(client.address in one for one in _NOWHERE):
            return Place.UNSAID
        if any(client.address in one for one in self.ours.networks):
            return Place.OURS
        return Place.OURS if self.ours.of_client(client) else Place.FOREIGN

    def _recipient(self, marks: Marks, record: TraceRecord | None) -> tuple[str, bool]:
        """Whose mailbox it was, "" where that is not sure; and whether surely nobody's."""
        if record is None:
            return "", False
        for address in marks.recipients:
            mailbox = self.ours.mailbox(str(address))
            if self.traces.is_recipient(record, mailbox):
                return mailbox, False
        all_known = len(record.recipients) == record.recipient_count
        return "", marks.names_recipient and all_known

    def _somebody(
        self,
        report: ComplaintReport,
        reporter: Reporter,
        marks: Marks,
        trace: Trace | None,
    ) -> str:
        """Who complains, where nobody is named: one for each message and provider."""
        if marks.names_recipient:
            return self.ours.mailbox(str(marks.recipients[0]))
        message = trace.id if trace is not None else marks.copy or report.dedup_key
        return f"{reporter.loop or reporter.standing}\n{message}"

    def _consent(
        self, attributed: Attributed, record: TraceRecord | None, mailbox: str
    ) -> Grade:
        if record is None or not record.list_id or not mailbox:
            return Grade.NONE
        return self.consents.grade(attributed.customer, record.list_id, mailbox)

    def _complaint(
        self,
        report: ComplaintReport,
        reporter: Reporter,
        looked: "_Looked",
        judged: Judgement,
    ) -> Complaint:
        attributed = looked.attributed
        return Complaint(
            id=report.dedup_key,
            time_us=self.now_us(),
            feed=report.feed,
            loop=reporter.loop,
            reporter=report.reporter.domain if report.reporter else "",
            standing=reporter.standing,
            feedback_type=report.feedback_type.value,
            format=report.format.value,
            attribution=attributed.attribution,
            proof=attributed.proof,
            is_certain=attributed.is_certain,
            outcome=judged.outcome,
            customer=attributed.customer,
            list_id=looked.mail.list_id,
            trace=looked.trace,
            source=report.source,
            complainant=looked.complainant,
            incidents=report.incidents,
            why=attributed.why,
        )


@dataclass(frozen=True, slots=True)
class _Looked:
    attributed: Attributed
    mail: Mail
    complainant: str
    trace: str

    def with_complainants(self, complainants: int) -> Mail:
        return replace(self.mail, complainants=complainants)


def _may_be_altered(report: ComplaintReport, marks: Marks) -> bool:
    """Whether a signature of the sender's domain is there that nobody can judge."""
    embedded = report.embedded
    if embedded is None:
        return True
    judged = embedded.has_body and not embedded.is_cut and not embedded.alterations
    own = any(
        is_within(sender, domain) or is_within(domain, sender)
        for sender in marks.sender_domains
        for domain in marks.signed_by
    )
    return own and not judged


def _scopes(mail: Mail) -> tuple[str, ...]:
    return (CUSTOMER_SCOPE, *([f"list:{mail.list_id}"] if mail.list_id else []))
