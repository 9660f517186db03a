"""What the commands about one address are made of: lists, records, opened evidence."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from outgate.cli.context import Context
from outgate.cli.optin_open import account, open_registry, read_address, read_policy

if TYPE_CHECKING:
    from outgate.evidence.dossier.facts import ListCount, Opened, Scan, Subscription
    from outgate.signing.vault import Vault
    from outgate.store.listdays import ListDays
    from outgate.store.registry import Found, Registry

ListName = tuple[str, str]
"""Customer and id of a list, lower case."""


@dataclass(frozen=True, slots=True)
class Inquiry:
    """Whom to look for, and where.

    Attributes:
        registry: opened with this host's secret.
        mailbox: canonical.
        name: of the recipient in the audit, a keyed hash.
        lists: to ask.
        is_chosen: whether they were named one by one: then an empty answer is one, too.
        scans: folder of scanned sheets.
        vault: opens them.
        days: what the lists' mail was like.
        actor: who asks.
        why: why; "" leaves evidence closed.
    """

    registry: "Registry"
    mailbox: str
    name: str
    lists: tuple[ListName, ...]
    is_chosen: bool
    scans: Path
    vault: "Vault"
    days: "ListDays"
    actor: str
    why: str


def open_inquiry(
    context: Context,
    list_ids: tuple[str, ...],
    customer: str,
    address: str,
    *,
    why: str,
    actor: str,
) -> Inquiry:
    """Open the registry, and find the lists: those that are configured, or were.

    Raises:
        click.UsageError: no address, or nobody knows such a list.
        OutgateError: the configuration, the secret or the store is not as it must be.
    """
    from outgate.cli.list_trend import open_days
    from outgate.cli.scans import scans_directory, vault_of

    mailbox = read_address(address, read_policy(context))
    opened = open_registry(context, writes=False)
    lists = known_lists(context, opened.registry, list_ids, customer)
    return Inquiry(
        registry=opened.registry,
        mailbox=mailbox,
        name=opened.hashes.erased(mailbox),
        lists=lists,
        is_chosen=bool(list_ids),
        scans=scans_directory(context),
        vault=vault_of(context),
        days=open_days(context),
        actor=actor or account(),
        why=why.strip(),
    )


def known_lists(
    context: Context, registry: "Registry", list_ids: tuple[str, ...], customer: str
) -> tuple[ListName, ...]:
    """Lists that are configured or ever had subscribers, by id.

    Raises:
        click.UsageError: one that was asked for is neither.
    """
    configured = {(one.customer, one.id.lower()) for one in context.settings().list}
    known = {
        (owner, list_id)
        for owner, list_id in registry.lists() | configured
        if customer in {"", owner}
    }
    wanted = {one.lower() for one in list_ids}
    if missing := wanted - {list_id for _, list_id in known}:
        whose = f" of {customer}" if customer else ""
        raise click.UsageError(
            f"--list: nobody knows {', '.join(sorted(missing))}{whose}; there "
            + (
                f"are {', '.join(sorted({one for _, one in known}))}"
                if known
                else "is none"
            )
        )
    if customer and not known:
        raise click.UsageError(f"--customer: no list is of {customer!r}")
    if wanted:
        known = {one for one in known if one[1] in wanted}
    return tuple(sorted(known, key=lambda one: (one[1], one[0])))


def gather(inquiry: Inquiry, *, counts: bool = False) -> "list[Subscription]":
    """What is kept of the address on each list.

    Args:
        inquiry: whom, where and why; evidence is opened where a reason was given, and
            each opening is in the audit.
        counts: whether to count the lists' subscribers, too.

    Raises:
        StoreError: the store did not answer.
    """
    from outgate.evidence.dossier.facts import Subscription
    from outgate.model.errors import UnreadableRecord

    found = []
    for owner, list_id in inquiry.lists:
        try:
            kept = inquiry.registry.find(owner, list_id, inquiry.mailbox)
            if kept is not None:
                one = _subscription(inquiry, owner, list_id, kept, counts=counts)
                found.append(one)
                continue
        except UnreadableRecord as error:
            # That of one list; the others are shown all the same.
            found.append(
                Subscription(list_id=list_id, customer=owner, unreadable=error.place)
            )
            continue
        if inquiry.is_chosen:
            found.append(Subscription(list_id=list_id, customer=owner))
    return found


def _subscription(
    inquiry: Inquiry, owner: str, list_id: str, kept: "Found", *, counts: bool
) -> "Subscription":
    from outgate.evidence.dossier.facts import Subscription
    from outgate.model.errors import EvidenceError
    from outgate.model.optin import State
    from outgate.model.optin_proof import Proof, proof_of

    record, registry, opened = kept.record, inquiry.registry, None
    if record.state is State.ERASED:
        return Subscription(list_id=list_id, customer=owner, record=record)
    if not inquiry.why:
        proof = registry.verify(owner, list_id, inquiry.mailbox)
    else:
        try:
            opened = _opened(inquiry, owner, list_id) if kept.has_evidence else None
            proof = proof_of(record, opened.record if opened else None)
        except EvidenceError:
            proof = Proof.UNREADABLE
    challenged_us, contradicted_us = _challenges(inquiry, owner, list_id)
    return Subscription(
        list_id=list_id,
        customer=owner,
        record=record,
        proof=proof,
        opened=opened,
        challenged_us=challenged_us,
        contradicted_us=contradicted_us,
        count=_count(inquiry, owner, list_id) if counts else None,
    )


def _challenges(inquiry: Inquiry, owner: str, list_id: str) -> tuple[int, int]:
    """When the address was first asked to confirm, and which claim nothing went before."""
    from outgate.model.units import SECOND_US

    ledger = inquiry.registry.ledger
    if ledger is None:
        return 0, 0
    asked = ledger.find(owner, list_id, inquiry.mailbox)
    return asked.entry.first_s * SECOND_US, asked.contradicted_s * SECOND_US


def _count(inquiry: Inquiry, owner: str, list_id: str) -> "ListCount":
    from outgate.model.list_day import weeks

    count = count_of(inquiry.registry, list_id)
    return replace(count, weeks=weeks(inquiry.days.read((owner, list_id))))


def count_of(registry: "Registry", list_id: str) -> "ListCount":
    """How a list stands.

    Raises:
        StoreError: the store did not answer.
    """
    from outgate.evidence.dossier.facts import ListCount

    count = registry.count(list_id)
    return ListCount(count.by_permission, count.erased)


def _opened(inquiry: Inquiry, owner: str, list_id: str) -> "Opened | None":
    from outgate.evidence.dossier.facts import Opened, scan_of

    read = inquiry.registry.evidence(
        owner, list_id, inquiry.mailbox, actor=inquiry.actor, why=inquiry.why
    )
    if read is None:
        return None
    record, raw = read
    digest = scan_of(raw)
    return Opened(record, raw, _scan(inquiry, digest) if digest else None)


def _scan(inquiry: Inquiry, digest: str) -> "Scan":
    from outgate.evidence.dossier.facts import Scan, ScanState
    from outgate.evidence.paper import find_scan, read_scan
    from outgate.model.errors import EvidenceError, StartError

    state = ScanState.MATCHES
    try:
        for _ in read_scan(inquiry.scans, digest, inquiry.vault):
            pass
    except StartError:
        state = ScanState.MISSING
    except EvidenceError:
        state = ScanState.DIFFERS
    return Scan(str(find_scan(inquiry.scans, digest)), state)


def lines(one: "Subscription") -> Iterator[str]:
    """A subscription for a person, one thing a line."""
    from outgate.evidence.dossier.words import PROOFS
    from outgate.log.lines import escape
    from outgate.model.optin_proof import Proof

    fields = one.as_json()
    evidence = fields.pop("evidence", None)
    if "proof" in fields:
        fields["proof"] = f"{one.proof.value}: {PROOFS[one.proof]}"
    if evidence is not None:
        if one.proof is Proof.EARLIER:
            fields["evidence-time"] = evidence.get("time", "not known")
        fields["ip"] = evidence.get("ip", "not known")
        if scan := evidence.get("scan"):
            fields["scan"] = f"{scan['state']}: {scan['path']}"
    for name, value in fields.items():
        yield f"{name:<15}  {escape(str(value))}"
