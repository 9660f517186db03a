"""Which challenge a message is: of which registered list, and to whom.

Headers are looked at for everybody; the body only of what they say is a challenge, or
where its customer has a registered list or a stream of confirmations, and the message
could be one: to one person, of no list, short. So ordinary mail pays nothing.

Headers alone prove nothing, since whoever writes an advert writes them too: a challenge
needs no consent, and is a witness later. So it has to be as short and plain as those are.

The list is the one that the challenge names, or that the message's List-Id names; else
that of its author (`challenge-sender`) or of its pattern (`challenge-pattern`); else the
only one that its customer has. Where none of these tells, nothing is noted, but the
recipient is protected all the same.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from outgate.message.challenge import (
    Challenge,
    Pattern,
    Software,
    by_content,
    by_headers,
    is_plain_request,
    leads_to_one_host,
)
from outgate.message.facts import Facts
from outgate.model.address import canonical_domain, parse_address
from outgate.model.recipient import Recipient
from outgate.model.transaction import Transaction
from outgate.model.units import to_us
from outgate.model.verdict import MailClass
from outgate.policy.list_settings import ListSettings, OptinSettings
from outgate.policy.questions import PlannedChallenge
from outgate.policy.registered import Stream
from outgate.policy.settings import THROUGH_US, StreamSettings


@dataclass(frozen=True, slots=True)
class Challenger:
    """A list that sends challenges.

    Attributes:
        list_id: lower case.
        senders: addresses and domains of their header From.
        pattern: place among the customer's patterns; -1 for none.
    """

    list_id: str
    senders: frozenset[str]
    pattern: int = -1


@dataclass(slots=True)
class Customer:
    """What one customer's challenges are known by."""

    lists: list[Challenger] = field(default_factory=list)
    patterns: list[Pattern] = field(default_factory=list)


class Challenges:
    """All registered lists, as far as their challenges go."""

    def __init__(
        self,
        lists: Iterable[ListSettings],
        streams: Iterable[StreamSettings],
        settings: OptinSettings,
    ) -> None:
        self.settings = settings
        self.retention_s = to_us(settings.challenge_retention) // 1_000_000
        self._customers: dict[str, Customer] = {}
        self.through_us = frozenset(
            (one.customer, one.id.lower())
            for one in lists
            if one.challenges == THROUGH_US
        )
        for one in lists:
            known = self._customers.setdefault(one.customer, Customer())
            place = -1
            if one.challenge_pattern:
                place = len(known.patterns)
                known.patterns.append(Pattern(one.challenge_pattern))
            senders = frozenset(map(_canonical, one.challenge_sender))
            known.lists.append(Challenger(one.id.lower(), senders, place))
        for stream in streams:
            if stream.kind == MailClass.CONFIRMATION.value:
                self._customers.setdefault(stream.customer, Customer())

    def read(
        self,
        transaction: Transaction,
        facts: Facts,
        customer: str,
        stream: Stream | None,
    ) -> tuple[Challenge, str] | None:
        """The challenge that a message is, and the id of its list, "" for an unknown one."""
        if transaction.recipient_count != 1:
            return None
        content = transaction.headers, transaction.body, transaction.body_bytes
        found = None
        if facts.mail_class is MailClass.CONFIRMATION:
            found = by_headers(transaction.headers, bulk=facts.declares_bulk)
            if found is None:
                return None
            if not transaction.session.bodies:
                # Nobody saw it: so its recipient is protected, and its list has no
                # witness and no way around consents.
                return found, ""
            if not is_plain_request(*content):
                return None
            return found, self._whose(found, facts, customer)
        known = self._customers.get(customer)
        if known is None or facts.list_id or facts.mail_class not in _MAY_BE:
            return None
        found = by_content(*content, known.patterns)
        if found is None and stream is not None:
            is_confirmation = stream.mail_class is MailClass.CONFIRMATION
            found = Challenge(Software.OTHER) if is_confirmation else None
            if not transaction.session.bodies or not leads_to_one_host(*content):
                return None if found is None else (found, "")
        return None if found is None else (found, self._whose(found, facts, customer))

    def plan(
        self,
        transaction: Transaction,
        facts: Facts,
        customer: str,
        stream: Stream | None,
        recipient: Callable[[bytes], Recipient],
        *,
        binding: bool,
    ) -> PlannedChallenge | None:
        """What is asked and noted of a message that is a challenge; None for any other.

        Args:
            transaction: the message.
            facts: what its headers say.
            customer: who is accountable for it.
            stream: to which it belongs.
            recipient: reads one argument of RCPT.
            binding: whether one that is too many stays here.
        """
        found = self.read(transaction, facts, customer, stream)
        if found is None:
            return None
        mailbox = recipient(transaction.recipients[0]).mailbox
        if not mailbox:
            return None
        challenge, list_id = found
        most = self.settings.challenges_per_recipient
        per_list = self.settings.challenges_per_list
        return PlannedChallenge(
            list_id,
            mailbox,
            challenge.software.value,
            # Nothing that the sender chooses. What nobody registered may be several lists.
            f"{customer}\n{list_id}",
            per_list if list_id else max(per_list, most),
            most,
            self.retention_s,
            binding,
        )

    def _whose(self, found: Challenge, facts: Facts, customer: str) -> str:
        known = self._customers.get(customer)
        lists = known.lists if known is not None else ()
        if found.list_name:
            # A name alone, where the customer has two lists of it, names neither.
            return _only(
                one for one in lists if _is_named(one.list_id, found.list_name)
            )
        if any(one.list_id == facts.list_id for one in lists):
            return facts.list_id
        if found.pattern >= 0:
            return _only(one for one in lists if one.pattern == found.pattern)
        author = facts.header_from
        if author is not None:
            names = {str(author), author.domain}
            those = [one for one in lists if not names.isdisjoint(one.senders)]
            if those:
                return _only(those)
        return _only(one for one in lists if not one.senders)


# A newsletter of a registered list has a List-Id.
_MAY_BE = frozenset(
    {MailClass.AUTO_REPLY, MailClass.BULK, MailClass.LIST, MailClass.PERSONAL}
)


def _only(lists: Iterable[Challenger]) -> str:
    """The id of the only one; "" where there is none, or more than one."""
    found = list(lists)
    return found[0].list_id if len(found) == 1 else ""


def _is_named(list_id: str, name: str) -> bool:
    local, at, domain = name.partition("@")
    if at:
        return list_id == f"{local}.{domain}"
    return list_id.partition(".")[0] == local or list_id == local


def _canonical(sender: str) -> str:
    return str(parse_address(sender)) if "@" in sender else canonical_domain(sender)
