"""Limits: what is counted, for whom, how fast."""

from dataclasses import dataclass
from enum import StrEnum

from outgate.model.units import Rate
from outgate.model.verdict import Action, Mode

WARN = 80
"""Per cent of a burst that are worth a warning, where nobody said otherwise."""


class Count(StrEnum):
    """What one message costs a limit."""

    MESSAGES = "messages"
    RECIPIENTS = "recipients"
    INTERNAL_RECIPIENTS = "internal-recipients"
    BYTES = "bytes"
    STRANGERS = "strangers"
    DISTINCT_RECIPIENTS = "distinct-recipients"
    RECIPIENT_DOMAINS = "recipient-domains"
    CLIENTS = "clients"
    NETWORKS = "networks"

    @property
    def is_distinct(self) -> bool:
        """Whether different ones are counted, in a sliding window."""
        return self in _DISTINCT


_DISTINCT = frozenset(
    {
        Count.DISTINCT_RECIPIENTS,
        Count.RECIPIENT_DOMAINS,
        Count.CLIENTS,
        Count.NETWORKS,
    }
)


class Per(StrEnum):
    """Whose counter it is. A limit applies where its identity exists."""

    LOGIN = "login"
    LOCAL_USER = "local-user"
    CLIENT = "client"
    DOMAIN = "domain"
    LIST = "list"
    CUSTOMER = "customer"
    ADDRESS = "address"
    NETWORK = "network"
    CAMPAIGN = "campaign"
    STREAM = "stream"
    FORWARDER = "forwarder"
    SCRIPT = "script"
    SITE = "site"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """One limit of the policy.

    Attributes:
        name: unique; stands in the key of its counters.
        per: whose counter.
        count: what is counted.
        rate: how fast it drains.
        burst: how much fits at once; the rate's count unless said otherwise.
        action: what happens to a message that does not fit.
        mode: monitor makes this limit report only.
        share: of a campaign, per cent of strangers among those it reached up to
            which it may go on beyond the burst.
        warn: per cent of the burst from which on a message is tagged, 0 for never.
    """

    name: str
    per: Per
    count: Count
    rate: Rate
    burst: int
    action: Action = Action.QUARANTINE
    mode: Mode = Mode.ENFORCE
    share: int = 0
    warn: int = WARN
