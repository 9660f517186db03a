"""Marks what leaves: the signed trace, and headers that tell where complaints go.

RFC 9477 §3 wants CFBL-Address covered by a DKIM signature that is aligned with header
From, and by one of the address's own domain where that is another. So it is added only
where such signatures are made here, or declared to be made behind (`[trace] signed`).
"""

import os
from collections.abc import Callable, Collection

from outgate.message.headers import header_from_address
from outgate.model.address import canonical_domain, parse_address
from outgate.model.identity import Accountable
from outgate.model.trace import (
    CFBL_ADDRESS,
    CFBL_FEEDBACK_ID,
    FEEDBACK_ID,
    TRACE_HEADER,
    Trace,
    make_trace_id,
)
from outgate.policy.compiled import Policy
from outgate.policy.decision import Decision
from outgate.policy.ports import Signer
from outgate.policy.trace_settings import NO_ADDRESS
from outgate.policy.tracing import covers, grade_of, has_own_cfbl, has_own_feedback_id
from outgate.signing.trace import TraceSigner

_RANDOM_BYTES = 10
_NO_LIST = "-"


class MessageTracer:
    """The port `Tracer`, for one configuration."""

    def __init__(
        self,
        signer: TraceSigner,
        policy: Policy,
        failed: Callable[[Exception], None],
        random: Callable[[int], bytes] = os.urandom,
    ) -> None:
        """Put the parts together.

        Args:
            signer: of the header.
            policy: under which messages are judged.
            failed: hears of a message that leaves without a trace, and why.
            random: gives so many bytes.
        """
        settings = policy.settings.trace
        self._signer = signer
        self._policy = policy
        self._failed = failed
        self._random = random
        self._header = settings.header
        self._address = settings.cfbl_address
        self._own_address = {
            one.name: "" if one.cfbl_address == NO_ADDRESS else one.cfbl_address
            for one in policy.settings.customers
            if one.cfbl_address
        }
        self._pattern = settings.feedback_id
        self._elsewhere = frozenset(map(canonical_domain, settings.signed))
        self._wants_more = bool(self._address or self._own_address or self._pattern)

    def trace(self, decision: Decision, signer: Signer | None) -> None:
        """Put a trace and its headers into a decision; a bug costs a trace alone."""
        if decision.accountable is None:
            return
        try:
            self._trace(decision, decision.accountable, signer)
        except Exception as error:  # noqa: BLE001 - told; the message leaves without
            decision.trace, decision.headers = None, ()
            self._failed(error)

    def _trace(
        self, decision: Decision, accountable: Accountable, signer: Signer | None
    ) -> None:
        list_id = decision.plan.subscribed if decision.plan is not None else ""
        own = self._signer
        customer = accountable.customer
        trace = Trace(
            id=make_trace_id(decision.now_us, self._random(_RANDOM_BYTES)),
            customer=own.customer(customer),
            time_s=decision.now_us // 1_000_000,
            grade=grade_of(decision, self._policy),
            list_id=own.list_id(customer, list_id) if list_id else "",
        )
        headers = [(TRACE_HEADER, own.sign(trace))] if self._header else []
        if self._wants_more:
            headers += self._for_complaints(decision, trace, customer, signer)
        decision.trace, decision.headers = trace, tuple(headers)

    def _for_complaints(
        self,
        decision: Decision,
        trace: Trace,
        customer: str,
        signer: Signer | None,
    ) -> list[tuple[str, str]]:
        author = header_from_address(decision.transaction.headers)
        if author is None or len(decision.transaction.headers.get("from", ())) != 1:
            return []
        signed: Collection[str] = self._elsewhere
        if signer is not None and decision.disposition.action.lets_out:
            signed = self._elsewhere.union(signer.domains(decision))
        if not covers(signed, author.domain):
            return []
        found = []
        address = self._own_address.get(customer, self._address)
        if (
            address
            and not has_own_cfbl(decision)
            and covers(signed, parse_address(address).domain)
        ):
            found += [(CFBL_ADDRESS, f"{address}; report=arf")]
            found += [(CFBL_FEEDBACK_ID, trace.id)]
        if self._pattern and not has_own_feedback_id(decision):
            value = self._pattern.format_map(
                {
                    "customer": trace.customer,
                    "list": trace.list_id or _NO_LIST,
                    "class": decision.mail_class.value,
                }
            )
            found.append((FEEDBACK_ID, value))
        return found
