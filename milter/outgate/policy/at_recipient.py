"""Who has withdrawn is refused at RCPT, where the envelope sender names the list.

There the refusal is one recipient's: the others go on, and the client, which is the
list's software, hears of him at once. Whose list it is says the customer who is
accountable; anybody else hears nothing, so nobody learns who is on another one's list.

What cannot be known at RCPT is left to end-of-message:

- whom a list asks to confirm may have withdrawn before, and such a request goes to one
  person, often from the same address: so the first recipient is not asked about, unless
  VERP says whom the message is for;
- a token in the message may be newer than a withdrawal: so nobody is asked about where a
  key may speak for the list;
- who is uncovered: that depends on how many there are.
"""

from outgate.model.address import read_bounce_address
from outgate.model.identity import Accountable, Path
from outgate.model.transaction import Transaction
from outgate.model.verdict import Action, Reply
from outgate.policy.compiled import Policy
from outgate.policy.ports import NowUs, Store
from outgate.policy.reply import reply_for
from outgate.policy.rules import consent_withdrawn
from outgate.policy.snapshot import Snapshot

MAX_LOOK_UPS = 1_000
"""Of one transaction: as many recipients as Postfix takes."""

BUDGET_US = 500_000
"""How long one transaction may wait for all of its look-ups."""


class RecipientCheck:
    """The recipients of one transaction, as they are named."""

    __slots__ = (
        "_first_too",
        "_key",
        "_known",
        "_left_us",
        "_now_us",
        "_policy",
        "_store",
    )

    def __init__(
        self,
        policy: Policy,
        store: Store,
        now_us: NowUs,
        key: tuple[str, str],
        *,
        first_too: bool,
    ) -> None:
        """Ask nothing yet.

        Args:
            policy: the settings in force.
            store: the registry.
            now_us: the clock by which the budget is measured.
            key: customer and List-Id.
            first_too: whether the first recipient is asked about.
        """
        self._policy = policy
        self._store = store
        self._now_us = now_us
        self._key = key
        self._first_too = first_too
        self._known: dict[str, bool] = {}
        self._left_us = BUDGET_US

    def refusal(self, path: bytes, transaction: Transaction) -> Reply | None:
        """Refuse a recipient who has withdrawn; None lets him in.

        Args:
            path: argument of RCPT.
            transaction: with those who were let in before.
        """
        if not (transaction.recipient_count or self._first_too):
            return None
        mailbox, domain = self._policy.recipient(path)
        if not mailbox or domain in self._policy.internal_domains:
            return None
        known = self._known.get(mailbox)
        if known is None:
            known = self._ask(mailbox)
        if not known:
            return None
        finding = consent_withdrawn.refusal(self._key[1])
        return reply_for(finding, Action.REJECT, self._policy, transaction.queue_id)

    def _ask(self, mailbox: str) -> bool:
        if self._left_us <= 0 or len(self._known) >= MAX_LOOK_UPS:
            return False
        began_us = self._now_us()
        withdrawn = self._store.has_withdrawn(*self._key, mailbox)
        self._left_us -= self._now_us() - began_us
        if withdrawn is None:
            # Whoever comes next would wait for the same trouble.
            self._left_us = 0
            return False
        self._known[mailbox] = withdrawn
        return withdrawn


def list_of(transaction: Transaction, policy: Policy) -> tuple[str, str] | None:
    """Customer and List-Id of the list whose bounce address is the envelope sender."""
    if (
        not policy.refuses_at_rcpt
        or not policy.bounces
        or transaction.session.path is Path.LOCAL_SUBMISSION
    ):
        return None
    return policy.bounces.get(read_bounce_address(transaction.sender).address)


def recipient_check(
    transaction: Transaction,
    accountable: Accountable | None,
    policy: Policy,
    snapshot: Snapshot,
    store: Store,
    now_us: NowUs,
) -> RecipientCheck | None:
    """What to ask about the recipients of a message; None for nothing.

    Args:
        transaction: as MAIL began it.
        accountable: whose message it is.
        policy: the settings in force.
        snapshot: keys of list hosts.
        store: the registry.
        now_us: this machine's clock.
    """
    key = list_of(transaction, policy)
    if key is None or accountable is None or accountable.customer != key[0]:
        return None
    # Forwarded mail is judged by whoever sent it first.
    if accountable.forwarder or snapshot.has_optin_key(*key, now_us()):
        return None
    first_too = read_bounce_address(transaction.sender).has_recipient
    return RecipientCheck(policy, store, now_us, key, first_too=first_too)
