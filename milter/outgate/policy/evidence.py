"""Which recipients a message's opt-in tokens speak for.

A token counts where everything agrees: the message's List-Id and a `[[list]]` of the
accountable customer, a key that is bound to both, the times, and the signature over one
of the recipients. Whatever does not counts as absent, with a word for the log. What the
registry knows has the last word: a recipient who withdrew since has no token, either.

Bounds, for a sender who means ill: `MAX_TOKENS` headers are read; among more than
`MAX_RECIPIENTS` nobody is looked for; a signature costs a tenth of a millisecond, so
that at most `MAX_VERIFICATIONS` are checked. Tokens with a routing hint (tag `r`) are
tried with the few recipients that it fits; of those without, `MAX_UNROUTED`.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from outgate.message.optin_evidence import (
    EVIDENCE_HEADER,
    Refused,
    Token,
    normal_recipients,
    parse_token,
    routing_hint,
)
from outgate.model.consent import TokenResult
from outgate.model.optin import Permission, State
from outgate.model.optin_order import MAX_AHEAD_US, outranks, permission, read_record
from outgate.model.transaction import Transaction
from outgate.policy.compiled import Policy
from outgate.policy.optin_keys import OptinKey
from outgate.policy.ports import Verifier
from outgate.policy.questions import Evidence, Plan, Registration

MAX_TOKENS = 50
MAX_UNROUTED = 8
MAX_RECIPIENTS = 50
MAX_VERIFICATIONS = 64

_KEY = EVIDENCE_HEADER.lower()


def has_evidence(transaction: Transaction) -> bool:
    """Whether there is anything to read."""
    return _KEY in transaction.headers


def read_evidence(
    transaction: Transaction,
    customer: str,
    list_id: str,
    policy: Policy,
    keys: Mapping[str, OptinKey],
    verifier: Verifier,
    now_us: int,
) -> Evidence:
    """Read all tokens of one message.

    Args:
        transaction: the message.
        customer: who is accountable for it.
        list_id: its List-Id, "" for none.
        policy: whose lists count.
        keys: by name, those that can be used.
        verifier: knows signatures.
        now_us: the time.
    """
    values = transaction.headers.get(_KEY, ())
    results: Counter[TokenResult] = Counter()
    if len(values) > MAX_TOKENS:
        results[TokenResult.TOO_MANY] = len(values) - MAX_TOKENS
    tokens: list[tuple[Token, OptinKey]] = []
    registered = (customer, list_id) in policy.lists
    for value in values[:MAX_TOKENS]:
        token = parse_token(value)
        if isinstance(token, Refused):
            results[token.result] += 1
        elif not registered:
            results[TokenResult.UNREGISTERED_LIST] += 1
        else:
            found = _check(token, customer, list_id, keys.get(token.key_name), now_us)
            if isinstance(found, TokenResult):
                results[found] += 1
            else:
                tokens.append((token, found))
    return _match(tokens, transaction, policy, verifier, results)


def _check(
    token: Token, customer: str, list_id: str, key: OptinKey | None, now_us: int
) -> OptinKey | TokenResult:
    """The token's key, or what is against it; all that needs no signature."""
    if token.list_id != list_id:
        return TokenResult.OTHER_LIST
    if key is None:
        return TokenResult.UNKNOWN_KEY
    # First match wins, so the order is what a reader of the log learns most from.
    against = {
        TokenResult.OTHER_CUSTOMER: key.customer != customer,
        TokenResult.OTHER_LIST: list_id not in key.lists,
        TokenResult.WRONG_ALGORITHM: token.algorithm is not key.algorithm,
        TokenResult.KEY_REVOKED: 0 < key.revoked_us <= now_us,
        TokenResult.KEY_EXPIRED: 0 < key.not_after_us <= now_us,
        TokenResult.KEY_TOO_NEW: token.confirmed_us < key.not_before_us,
        TokenResult.IN_FUTURE: token.confirmed_us > now_us + MAX_AHEAD_US,
        TokenResult.EXPIRED: 0 < token.expires_us <= now_us,
    }
    return next((result for result, holds in against.items() if holds), key)


def _match(
    tokens: list[tuple[Token, OptinKey]],
    transaction: Transaction,
    policy: Policy,
    verifier: Verifier,
    results: Counter[TokenResult],
) -> Evidence:
    """Find the recipient of each token, while there are any left."""
    good: dict[str, Token] = {}
    unrouted = sum(not token.routing_hint for token, _ in tokens) > MAX_UNROUTED
    paths = transaction.recipients
    crowd = not tokens or transaction.recipient_count > MAX_RECIPIENTS
    waiting = {} if crowd else normal_recipients(paths)
    left = MAX_VERIFICATIONS
    for token, key in tokens:
        if crowd or (unrouted and not token.routing_hint):
            results[TokenResult.TOO_MANY] += 1
            continue
        result = TokenResult.NO_MATCH
        for normal, path in waiting.items():
            hint = token.routing_hint
            if hint and routing_hint(token.evidence_id, normal) != hint:
                continue
            if not left:
                result = TokenResult.TOO_MANY
                break
            left -= 1
            result = _verify(verifier, key, token, path)
            if result is TokenResult.VALID:
                mailbox = policy.recipient(path).mailbox
                # Two spellings of one person may have a token each.
                other = good.get(mailbox)
                if other is None or outranks(token.record, other.record):
                    good[mailbox] = token
                del waiting[normal]
            if result is not TokenResult.NO_MATCH:
                break
        results[result] += 1
    return Evidence(results, good)


def _verify(
    verifier: Verifier, key: OptinKey, token: Token, path: bytes
) -> TokenResult:
    try:
        genuine = verifier.is_genuine(key, token.signed(path), token.signature)
    except Exception:  # noqa: BLE001 - our trouble is no fault of the message
        return TokenResult.ERROR
    return TokenResult.VALID if genuine else TokenResult.NO_MATCH


class Weighed(NamedTuple):
    """What registry and tokens say together.

    Attributes:
        permissions: of each of `Plan.people`.
        registrations: what the registry can learn.
        overruled: mailboxes whose token counts less than a withdrawal or an erasure.
    """

    permissions: list[Permission]
    registrations: list[Registration]
    overruled: frozenset[str]


def weigh(plan: Plan, kept: Sequence[bytes | None]) -> Weighed:
    """Weigh the message's tokens against what the registry keeps.

    Which of the two counts is one order (`model.optin_order`), here and where the store
    writes: a withdrawal that is newer than a token ends it, an erasure, too.

    Args:
        plan: whose people were asked about.
        kept: of each the packed record, b"" for none, None where nobody knows.
    """
    tokens = plan.evidence.tokens
    permissions = [permission(packed or b"") for packed in kept]
    registrations: list[Registration] = []
    overruled: set[str] = set()
    if not tokens:
        return Weighed(permissions, registrations, frozenset())
    for place, (mailbox, packed) in enumerate(zip(plan.people, kept, strict=True)):
        token = tokens.get(mailbox)
        if token is None:
            continue
        known = read_record(packed)
        if known is None or outranks(token.record, known):
            permissions[place] = token.record.permission
            if packed is not None:
                registrations.append(Registration(mailbox, token.record))
        elif known.state is not State.CONSENT:
            overruled.add(mailbox)
    return Weighed(permissions, registrations, frozenset(overruled))
