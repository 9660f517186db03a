"""Limits: what is counted, for whom, how fast."""

from dataclasses import dataclass
from enum import StrEnum

from outgate.model.units import Rate
from outgate.model.verdict import Action, Mode


class Count(StrEnum):
    """What one message costs a limit."""

    MESSAGES = "messages"
    RECIPIENTS = "recipients"
    INTERNAL_RECIPIENTS = "internal-recipients"


class Per(StrEnum):
    """Whose counter it is. A limit applies where its identity exists."""

    LOGIN = "login"
    LOCAL_USER = "local-user"
    CLIENT = "client"
    DOMAIN = "domain"
    LIST = "list"
    CUSTOMER = "customer"
    FORWARDER = "forwarder"


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
    """

    name: str
    per: Per
    count: Count
    rate: Rate
    burst: int
    action: Action = Action.QUARANTINE
    mode: Mode = Mode.ENFORCE
