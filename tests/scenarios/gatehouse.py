"""The real gate and a real store, at a time that we set.

A message goes in by the calls that the milter engine makes, and what policy decided
comes out. The server's keys live by its own clock; since a simulated day is faster than
a real one they live longer than they must, which changes no answer.
"""

import attrs

from outgate.config.settings import Settings
from outgate.model.errors import ConfigError, Problem
from outgate.model.identity import Path
from outgate.model.verdict import MailClass, Mode
from outgate.mta.session import MilterSession, Socket, wanted_headers
from outgate.policy.compiled import Policy
from outgate.policy.decision import Decision
from outgate.policy.gate import Gate
from outgate.policy.snapshot import EMPTY, Snapshot
from outgate.store.counters import Counters
from outgate.store.keys import Keys
from scenarios.mail import EPOCH_S, Message, Origin
from store.running import SECRET, Store

_VERSION = "Postfix 3.7.11"
_MTA = "mx.coop.example"
_SECOND_US = 1_000_000
# libmilter's chunk; the rest of a body is not looked at.
_CHUNK_BYTES = 65_535


class Host:
    """Nobody has ordered anything, and the disk is large."""

    def snapshot(self) -> Snapshot:
        return EMPTY

    def disk_full(self) -> bool:
        return False


class Gatehouse:
    """One gate from its first message on."""

    def __init__(self, store: Store, keys: Keys, settings: Settings) -> None:
        self.policy = Policy.build(settings.for_policy())
        self.keys = keys
        self.store = store
        self.now_us = 0
        self.judged = 0
        header = settings.tag.header
        counters = Counters(store.wire, keys, SECRET, test_now_us=self._time)
        self._gate = Gate(self.policy, counters, Host(), self._time, (self,))
        monitor = attrs.evolve(settings, mode=Mode.MONITOR).for_policy()
        self._watcher = Gate(
            Policy.build(monitor), counters, Host(), self._time, (self,)
        )
        self._wanted = wanted_headers(header)
        self._header = header
        self._sessions: dict[tuple[Origin, bool], MilterSession] = {}
        self._decision: Decision | None = None

    def offer(self, message: Message, *, watching: bool = False) -> Decision:
        """Send one message through.

        Args:
            message: not older than the one before.
            watching: in monitor mode, as operators begin.

        Raises:
            ConfigError: it is no outbound mail under these settings, so the scenario
                does not prove anything.
        """
        # Messages of one moment come one after the other.
        self.now_us = max(self.now_us, round((EPOCH_S + message.at_s) * _SECOND_US))
        session = self._session(message.origin, watching=watching)
        content = message.write()
        session.mail((f"<{message.sender}>".encode(),), message.origin.login, "")
        for recipient in message.recipients:
            session.recipient((f"<{recipient}>".encode(),))
        for name, value in content.headers:
            session.header(name, value)
        session.body(content.body[:_CHUNK_BYTES])
        session.end_of_message(f"{self.judged:X}")
        decision = self._decision
        if decision is None or decision.mail_class is MailClass.INBOUND:
            raise ConfigError((Problem("network", "does not make it outbound"),))
        return decision

    def observe(self, decision: Decision) -> None:
        """Keep what was decided."""
        self._decision = decision
        self.judged += 1

    def _time(self) -> int:
        return self.now_us

    def _session(self, origin: Origin, *, watching: bool) -> MilterSession:
        session = self._sessions.get((origin, watching))
        if session is None:
            local = origin.path is Path.LOCAL_SUBMISSION
            socket = Socket(path=origin.path, local_user=origin.local_user)
            gate = self._watcher if watching else self._gate
            session = MilterSession(socket, gate, self._wanted, self._header)
            session.connect(None if local else origin.client, _VERSION, _MTA)
            self._sessions[origin, watching] = session
        return session
