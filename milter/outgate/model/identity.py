"""Who is accountable for a message, from what its sender cannot choose."""

from dataclasses import dataclass
from enum import StrEnum

from outgate.model.client import Client


class PrincipalKind(StrEnum):
    """How we know who sends, best evidence first."""

    LOGIN = "login"
    LOCAL_USER = "local-user"
    CERTIFICATE = "certificate"
    NETWORK = "network"
    CLIENT = "client"


class Direction(StrEnum):
    """Whether mail leaves the network (and is judged) or enters it (and passes)."""

    OUTBOUND = "outbound"
    INBOUND = "inbound"


class Path(StrEnum):
    """By which kind of socket a message came."""

    SMTP = "smtp"
    LOCAL_SUBMISSION = "local-submission"


@dataclass(frozen=True, slots=True, kw_only=True)
class Accountable:
    """The customer behind a message, and how we know.

    Attributes:
        kind: the kind of evidence.
        principal: its canonical name: a login, a user, a certificate subject, a
            network, an address.
        customer: who answers: a name from the configuration, or the principal.
        profile: the customer's profile of limits, "" for none.
        contact: where notices to the customer go, "" for nowhere.
        login: canonical SASL login, "" where there is none.
        local_user: the system user, "" where unknown.
        client: the client address, None on a local path.
        forwarder: whether the client is a configured forwarder.
        fingerprints: whether the content of the customer's mail may be compared.
        names: canonical names under which an operator may allow this sender or change
            its limits, the customer first: none of them is the sender's own choice.
        bare_login: canonical login without the realm that the configuration appended,
            under which an operator may hold or suspend this sender; "" where it has no
            such name, or somebody else has it.
    """

    kind: PrincipalKind
    principal: str
    customer: str
    profile: str = ""
    contact: str = ""
    login: str = ""
    local_user: str = ""
    client: Client | None = None
    forwarder: bool = False
    fingerprints: bool = True
    names: tuple[str, ...] = ()
    bare_login: str = ""

    @property
    def reachable(self) -> str:
        """Where mail about this sender goes: the contact, or a login that may be one."""
        return self.contact or (self.login if "@" in self.login else "")
