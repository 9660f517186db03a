"""Settings of traces: `[trace]`."""

from datetime import timedelta

import attrs

from outgate.model.units import ByteSize
from outgate.policy.declared import setting

NO_ADDRESS = "off"
"""A customer's `cfbl-address` that asks for none."""


@attrs.frozen(kw_only=True)
class TraceSettings:
    """What tells later that a message was ours, and whose."""

    header: bool = setting(
        "Whether each message that leaves gets the header `Outgate-Trace`, signed. "
        "Copies that senders supply are removed either way.",
        True,
        example="true",
    )
    keep: timedelta = setting(
        "How long the store remembers who sent a message, and to whom (keyed hashes): "
        "1d to 90d; 0s for never.",
        timedelta(days=30),
        example='"30d"',
    )
    memory: ByteSize = setting(
        "How much of the store's memory that may take. Beyond it the oldest are dropped "
        "before their time, ten minutes at once, and counted.",
        ByteSize(256 << 20),
        example='"256MiB"',
    )
    cfbl_address: str = setting(
        "Address for complaints (RFC 9477): added as `CFBL-Address`, with the trace's id "
        "as `CFBL-Feedback-ID`, to mail that has none, where signatures cover it: one of "
        "header From's domain, and one of this address's. Empty: not added.",
        "",
        example='"fbl@example.org"',
    )
    feedback_id: str = setting(
        "`Feedback-ID` for mail that has none, where a signature is of header From's "
        "domain; `{customer}` and `{list}` are pseudonyms, `{class}` is the class of "
        "mail. Empty: not added.",
        "",
        example='"{list}:{customer}:{class}:coop"',
    )
    signed: tuple[str, ...] = setting(
        "Domains as which another program behind Outgate signs, these headers included.",
        (),
        example='["example.org"]',
    )
