"""Signs mail with DKIM at end-of-message.

dkimpy, the reference here, signs RSA in Python: 8 ms of CPU that hold all threads. So
what is signed is put together by `message.dkim`, and the library cryptography signs; the
tests verify every signature with dkimpy.

A message is never held up: one that cannot be signed leaves unsigned, and log and metric
say why.
"""

from collections.abc import Callable
from functools import lru_cache

from outgate.message.dkim.canonical import canonical_header
from outgate.message.dkim.coverage import SIGNED_HEADERS, Coverage, cover
from outgate.message.dkim.tags import unsigned_value, with_signature
from outgate.message.headers import header_from_address
from outgate.message.listcheck.list_id import OwnLists
from outgate.model.address import Address
from outgate.model.dkim import SIGNATURE_HEADER, Signature, SigningResult
from outgate.model.transaction import Transaction
from outgate.policy.compiled import Policy
from outgate.policy.decision import Decision
from outgate.policy.dkim_rights import Rights
from outgate.policy.dkim_settings import DkimSettings, SignatureSettings
from outgate.policy.outgoing import outgoing
from outgate.policy.own_lists import own_lists
from outgate.signing.dkim_book import Book, BookKey

_CACHED = 4096


class DkimSigner:
    """The port `Signer`, for one configuration."""

    def __init__(
        self,
        book: Book,
        policy: Policy,
        settings: DkimSettings,
        signatures: tuple[SignatureSettings, ...],
        failed: Callable[[str, Exception], None],
    ) -> None:
        """Put the parts together.

        Args:
            book: keys and tables.
            policy: whose customers and lists count.
            settings: `[dkim]`.
            signatures: `[[signature]]`.
            failed: hears which key could not sign, and why.
        """
        self._book = book
        self._rights = Rights(policy.customers, signatures)
        self._own_header = policy.settings.tag.header
        self._also = tuple(
            dict.fromkeys(
                name
                for one in settings.also
                if (name := one.lower()) not in SIGNED_HEADERS
            )
        )
        self._expire_s = int(settings.expire.total_seconds())
        self._failed = failed
        self._find = lru_cache(_CACHED)(book.tables.find)
        self._own_lists: Callable[[str], OwnLists | None] = lru_cache(_CACHED)(
            lambda customer: own_lists(policy.settings, customer)
        )

    @property
    def headers(self) -> frozenset[str]:
        """Lower-case names of the headers that it must see."""
        return SIGNED_HEADERS | frozenset(self._also)

    def wants_body(self, transaction: Transaction) -> bool:
        """Whether a key is there for this header From: asked before the body comes."""
        sender = _sender(transaction)
        return sender is not None and bool(self._find(sender))

    def domains(self, decision: Decision) -> frozenset[str]:
        """As which domains it would sign; none where something goes wrong."""
        transaction, accountable = decision.transaction, decision.accountable
        sender = _sender(transaction)
        if sender is None or accountable is None or transaction.headers_cut:
            return frozenset()
        return frozenset(
            domain
            for key_entry, _ in self._find(sender)
            if self._book.key_for(key_entry, domain := key_entry.domain_for(sender))
            and self._rights.may_sign(domain, accountable, transaction.login, sender)
        )

    def sign(self, decision: Decision) -> tuple[Signature, ...]:
        """Sign a message that leaves; where no signature is made, one entry says why.

        Never raises: a bug costs a signature, not the message.
        """
        try:
            return self._sign_all(decision)
        except Exception as error:  # noqa: BLE001 - told; the message leaves unsigned
            self._failed("", error)
            return (Signature(SigningResult.ERROR),)

    def _sign_all(self, decision: Decision) -> tuple[Signature, ...]:
        transaction = decision.transaction
        accountable = decision.accountable
        sender = _sender(transaction)
        if sender is None:
            return (Signature(SigningResult.UNSIGNABLE),)
        entries = self._find(sender)
        if not entries or accountable is None:
            return (Signature(SigningResult.NO_KEY),)
        results: list[Signature] = []
        coverages: dict[bool, Coverage | None] = {}
        for key_entry, entry in entries:
            domain = key_entry.domain_for(sender)
            book_key = self._book.key_for(key_entry, domain)
            if book_key is None:
                results.append(Signature(SigningResult.NO_KEY, domain))
                continue
            if not self._rights.may_sign(
                domain, accountable, transaction.login, sender
            ):
                result = SigningResult.NOT_PERMITTED
                results.append(Signature(result, domain, book_key.selector))
                continue
            once_more = self._rights.of_domain(
                domain
            ).oversign_lists and self._is_own_list(decision)
            if once_more not in coverages:
                coverages[once_more] = self._cover(decision, oversign_lists=once_more)
            identity = entry.identity_for(sender, domain)
            results.append(
                self._sign(decision, domain, book_key, coverages[once_more], identity)
            )
        return tuple(results)

    def _is_own_list(self, decision: Decision) -> bool:
        """Whether it is list mail of the customer's own, which no list will change."""
        facts, accountable = decision.facts, decision.accountable
        if facts is None or accountable is None or not facts.list_id:
            return False
        own = self._own_lists(accountable.customer)
        return own is not None and own.include(facts.list_id.lower())

    def _cover(self, decision: Decision, *, oversign_lists: bool) -> Coverage | None:
        if decision.transaction.headers_cut:
            return None
        return cover(
            outgoing(decision, self._own_header),
            also=self._also,
            oversign_lists=oversign_lists,
            by_sendmail=decision.transaction.session.mta == "sendmail",
        )

    def _sign(
        self,
        decision: Decision,
        domain: str,
        book_key: BookKey,
        coverage: Coverage | None,
        identity: str,
    ) -> Signature:
        algorithm = book_key.key.algorithm
        selector = book_key.selector
        body_sha256 = decision.transaction.relaxed_body_sha256
        if coverage is None or not body_sha256:
            return Signature(SigningResult.UNSIGNABLE, domain, selector)
        now_s = decision.now_us // 1_000_000
        value = unsigned_value(
            algorithm,
            domain,
            selector,
            names=coverage.names,
            body_sha256=body_sha256,
            now_s=now_s,
            expires_s=now_s + self._expire_s if self._expire_s else 0,
            identity=identity,
        )
        own = canonical_header(SIGNATURE_HEADER.lower(), value.encode())
        try:
            signature = book_key.key.sign(coverage.data + own)
        except Exception as error:  # noqa: BLE001 - told; the message leaves unsigned
            self._failed(book_key.key.source, error)
            return Signature(SigningResult.ERROR, domain, selector, algorithm)
        value = with_signature(value, signature)
        return Signature(SigningResult.SIGNED, domain, selector, algorithm, value)


def _sender(transaction: Transaction) -> Address | None:
    """The author by whose domain keys are found; None where there is not just one.

    RFC 5322 §3.6 wants one header From: of two, nobody knows which a reader sees. One
    without a domain, as some bounces have, is an error to verifiers.
    """
    headers = transaction.headers
    if len(headers.get("from", ())) != 1:
        return None
    sender = header_from_address(headers)
    return sender if sender is not None and sender.domain else None
