"""What the commands of `outgate complaint` have in common: store, registry, our names."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from outgate.cli.context import Context

if TYPE_CHECKING:
    from outgate.cli.optin_open import Opened
    from outgate.complaints.intake import Intake, Ours
    from outgate.complaints.ports import Traces
    from outgate.model.consent import Grade
    from outgate.store.complaints import Complaints
    from outgate.store.hashes import Hashes
    from outgate.store.registry import Registry

_SOURCE = "complaint"
# Whom nobody is counted as.
_ANYBODY = "\0"


def open_complaints(context: Context) -> "Complaints":
    """What is kept of complaints.

    Raises:
        OutgateError: the configuration or the store is not as it must be.
    """
    from outgate.store.client import connect
    from outgate.store.complaints import Complaints
    from outgate.store.keys import Keys

    keys = Keys(context.settings().store.namespace)
    return Complaints(connect(context.running_endpoint()), keys)


def open_intake(context: Context) -> "Intake":
    """All that taking complaints in needs.

    Raises:
        OutgateError: the configuration, the secret or the store is not as it must be.
    """
    from outgate.cli.optin_open import open_registry
    from outgate.complaints.intake import Intake
    from outgate.daemon.compose import Places, now_us
    from outgate.signing.dkim_archive import KeyArchive
    from outgate.signing.dkim_verify import verify_by_dns, verify_old
    from outgate.store.complaints import Complaints

    settings = context.settings()
    opened = open_registry(context, writes=True)
    archive = KeyArchive(Places.of(settings).dkim_keys)
    return Intake(
        loops=settings.feedback_loop,
        ours=_ours(context, opened.hashes),
        traces=_traces(context, opened),
        kept=Complaints(opened.client, opened.keys),
        consents=_Consents(opened.registry),
        verify_report=verify_by_dns,
        verify_old=lambda message: verify_old(message, archive),
        now_us=now_us,
    )


def _ours(context: Context, hashes: "Hashes") -> "Ours":
    from outgate.complaints.intake import Ours
    from outgate.model.identity import PrincipalKind
    from outgate.policy.compiled import Policy

    settings = context.settings()
    policy = Policy.build(settings.for_policy())
    customers = policy.customers

    def of_domain(domain: str) -> str:
        found = customers.of_name(PrincipalKind.LOGIN, f"{_ANYBODY}@{domain}")
        return found.name if found is not None else ""

    return Ours(
        networks=(*settings.complaints.networks, *settings.network.internal),
        of_client=lambda client: (
            found[1].name if (found := customers.of_client(client)) is not None else ""
        ),
        of_domain=of_domain,
        mailbox=lambda text: policy.recipient(text.encode("utf-8", "surrogateescape"))[
            0
        ],
        complainant=hashes.complainant,
    )


def _traces(context: Context, opened: "Opened") -> "Traces":
    from outgate.complaints.ports import Traces
    from outgate.daemon.compose import Places
    from outgate.signing.secret import read_secret
    from outgate.signing.trace import TraceSigner
    from outgate.store.traces import Traces as Records

    settings = context.settings()
    rotated = tuple(read_secret(Path(one)) for one in settings.secrets.trace)
    signer = TraceSigner(read_secret(Places.of(settings).secret(settings)), rotated)
    names = {signer.customer(one.name): one.name for one in settings.customer}
    records = Records(opened.client, opened.keys, opened.hashes)
    return Traces(
        read=signer.read,
        find=records.find,
        customer_of=lambda pseudonym: names.get(pseudonym, ""),
        is_recipient=records.is_recipient,
    )


@dataclass(frozen=True, slots=True)
class _Consents:
    """The registry, as complaints ask it."""

    registry: "Registry"

    def grade(self, customer: str, list_id: str, mailbox: str) -> "Grade":
        from outgate.model.consent import Grade
        from outgate.model.optin import State

        found = self.registry.find(customer, list_id, mailbox)
        if found is None or found.record.state is not State.CONSENT:
            return Grade.NONE
        return found.record.grade

    def withdraw(self, customer: str, list_id: str, mailbox: str) -> None:
        from outgate.daemon.compose import now_us
        from outgate.model.optin import Record, State, ZoneSource

        record = Record(
            state=State.WITHDRAWN,
            time_us=now_us(),
            zone=ZoneSource.SOURCE_UTC,
            source=_SOURCE,
        )
        self.registry.withdraw(customer, list_id, (mailbox,), record)
