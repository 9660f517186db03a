"""What the operator decides about complaints: `[complaints]` and `[[feedback-loop]]`."""

import attrs

from outgate.model.client import Network
from outgate.policy.declared import setting

BY_DKIM = "dkim"
BY_ADDRESS = "address"
VERIFICATIONS = (BY_DKIM, BY_ADDRESS)


@attrs.frozen(kw_only=True)
class ComplaintSettings:
    """How a complaint is told to be about our mail."""

    networks: tuple[Network, ...] = setting(
        "All networks that mail of ours may come from: addresses of our MTAs, and of "
        "customers who may speak to the world themselves. Those of `[network] internal` "
        "and of customers count too, loopback and private ones never.",
        (),
        example='["192.0.2.0/24", "2001:db8::/32"]',
    )


@attrs.frozen(kw_only=True)
class FeedbackLoopSettings:
    """A provider that sends us complaints; all others only make tickets."""

    name: str = setting("Unique.", example='"yahoo"')
    sender: tuple[str, ...] = setting(
        "Header From of its reports: addresses, or domains with all below them.",
        example='["arf.mail.yahoo.com"]',
    )
    verify: str = setting(
        "How a report is known to be its own. `dkim`: a valid DKIM signature of the "
        "domain of header From, or of one above it that `sender` names (RFC 9477 §3.1). "
        "`address`: it came to `deliver-to`, an address that nobody else knows.",
        BY_DKIM,
        example='"dkim"',
    )
    deliver_to: tuple[str, ...] = setting(
        "Addresses that only this provider knows, such as one with 20 random letters; "
        "the MTA says by `--to` where a report came. With `dkim`, a second condition.",
        (),
        example='["fbl-x7kq2m9zt4hwc8vn3pra@example.org"]',
    )
