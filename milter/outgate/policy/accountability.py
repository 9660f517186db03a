"""Who answers for a message, and does it leave the network at all.

Only what the sender cannot choose counts: the login that the MTA verified, the local
user that it saw, a verified certificate, the client's address. Envelope sender,
header From, List-Id and every class of mail are attributes; they select among things
of that customer and never move a message to another one.
"""

from collections.abc import Iterator
from functools import lru_cache

from outgate.model.address import canonical_local, parse_address
from outgate.model.client import Client
from outgate.model.identity import Accountable, Direction, Path, PrincipalKind
from outgate.policy.compiled import Policy, within
from outgate.policy.naming import UNKNOWN_CLIENT, UNKNOWN_USER, own_name
from outgate.policy.operator import canonical_name
from outgate.policy.settings import CustomerSettings


class Accountability:
    """Resolves sessions to customers under one policy."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        network = policy.settings.network
        self._internal = network.internal
        self._forwarders = network.forwarders
        self._customer_names = frozenset(
            canonical_name(customer.name) for customer in policy.settings.customers
        )
        # Few principals send most mail; the answer depends on nothing else.
        self.resolve = lru_cache(maxsize=8192)(self._resolve)

    def _resolve(
        self,
        login: str,
        realm: str,
        local_user: str,
        certificate: str,
        client: Client | None,
        path: Path,
    ) -> tuple[Direction, Accountable | None]:
        """Find the first present of login, local user, certificate, client.

        Args:
            login: as the MTA gave it, "" without SASL.
            realm: appended to a login that has none.
            local_user: on the local-submission path, "" where the MTA does not tell.
            certificate: subject of a verified client certificate, or "".
            client: the SMTP client, None on a unix socket or local path.
            path: which kind of socket.

        Returns:
            The direction, and who is accountable; nobody where mail is inbound.
        """
        if login:
            kind = PrincipalKind.LOGIN
            name = canonical_login(login, realm)
            bare = canonical_name(login) if realm and "@" not in login else ""
            return Direction.OUTBOUND, self._named(kind, name, client, bare)
        if path is Path.LOCAL_SUBMISSION:
            name = canonical_local(local_user) or UNKNOWN_USER
            return Direction.OUTBOUND, self._named(PrincipalKind.LOCAL_USER, name, None)
        if certificate:
            kind = PrincipalKind.CERTIFICATE
            # Any mail server may show a certificate; only a configured one is ours.
            if self._policy.customers.of_name(kind, certificate) is not None:
                return Direction.OUTBOUND, self._named(kind, certificate, client)
        if client is None:
            # A milter client that names no address is a local one: a unix socket.
            return (
                Direction.OUTBOUND,
                self._named(PrincipalKind.CLIENT, UNKNOWN_CLIENT, None),
            )
        forwarder = within(client, self._forwarders)
        if (found := self._policy.customers.of_client(client)) is not None:
            network, customer = found
            return Direction.OUTBOUND, self._accountable(
                PrincipalKind.NETWORK,
                str(network),
                customer,
                client,
                forwarder=forwarder,
            )
        if forwarder or within(client, self._internal):
            return Direction.OUTBOUND, self._accountable(
                PrincipalKind.CLIENT,
                client.accountable,
                None,
                client,
                forwarder=forwarder,
            )
        return Direction.INBOUND, None

    def _named(
        self, kind: PrincipalKind, name: str, client: Client | None, bare: str = ""
    ) -> Accountable:
        # Whoever proved who he is writes for himself, also on a forwarding host.
        customer = self._policy.customers.of_name(kind, name)
        return self._accountable(
            kind, name, customer, client, forwarder=False, bare=bare
        )

    def _accountable(
        self,
        kind: PrincipalKind,
        principal: str,
        customer: CustomerSettings | None,
        client: Client | None,
        *,
        forwarder: bool,
        bare: str = "",
    ) -> Accountable:
        own = own_name(kind, principal, customer, self._customer_names)
        name = customer.name if customer else own
        if own_name(kind, bare, None, self._customer_names) != bare:
            # Somebody else is called like this login without its realm.
            bare = ""
        # With a dot in it, it may be a domain's name too: that frees other logins.
        own_bare = bare if "." not in bare else ""
        names = dict.fromkeys(_names(kind, own, principal, client, own_bare))
        return Accountable(
            kind=kind,
            principal=principal,
            customer=name,
            profile=customer.profile if customer else "",
            contact=customer.contact if customer else "",
            login=principal if kind is PrincipalKind.LOGIN else "",
            local_user=principal if kind is PrincipalKind.LOCAL_USER else "",
            client=client,
            forwarder=forwarder,
            fingerprints=customer is None or customer.fingerprints,
            names=(canonical_name(name), *names),
            bare_login=bare,
        )


def canonical_login(login: str, realm: str) -> str:
    """Lower case, with the realm where it has none of its own.

    Case is folded although a login may depend on it: back-ends that do not mind would
    otherwise give a sender as many counters as spellings.
    """
    if "@" not in login and realm:
        login = f"{login}@{realm}"
    return str(parse_address(login))


def _names(
    kind: PrincipalKind, own: str, principal: str, client: Client | None, bare: str
) -> Iterator[str]:
    """Names of the principal alone, the most telling first."""
    yield canonical_name(own)
    if bare:
        yield bare
    if kind is PrincipalKind.LOGIN and "@" in principal:
        yield principal.rpartition("@")[2]
    if client is not None:
        yield from client.spellings
