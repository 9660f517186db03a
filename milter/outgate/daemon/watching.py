"""Who hears of decisions for the store's sake, and of tokens for the log's."""

from outgate.log.lines import Log
from outgate.policy.compiled import Policy
from outgate.policy.decision import Decision
from outgate.policy.list_day import list_day_of
from outgate.policy.optin_keys import OptinKey
from outgate.signing.tokens import TokenVerifier
from outgate.store.front import Front


class LoggedVerifier:
    """Tells once of each thing that keeps tokens from being checked."""

    def __init__(self, verifier: TokenVerifier, log: Log) -> None:
        self._verifier = verifier
        self._log = log
        self._told: set[tuple[str, str]] = set()

    def is_genuine(self, key: OptinKey, signed: bytes, signature: bytes) -> bool:
        """As the verifier says.

        Raises:
            Exception: as the verifier does.
        """
        try:
            return self._verifier.is_genuine(key, signed, signature)
        except Exception as error:
            told = (key.name, str(error))
            if told not in self._told:
                self._told.add(told)
                self._log.error("optin-key-unusable", name=key.name, message=str(error))
            raise


class TraceKeeper:
    """An observer that keeps traces of messages."""

    def __init__(self, front: Front, policy: Policy) -> None:
        self._front = front
        self._policy = policy

    def observe(self, decision: Decision) -> None:
        """Keep the trace of a message that left, or is held; nobody waits."""
        if decision.trace is not None:
            self._front.keep_trace(decision, self._policy)


class ListDayWriter:
    """An observer that adds up what the mail of registered lists is like."""

    def __init__(self, front: Front) -> None:
        self._front = front

    def observe(self, decision: Decision) -> None:
        """Count a message that left, or was stopped; nobody waits."""
        found = list_day_of(decision)
        if found is not None:
            self._front.add_to_list_day(found[0], decision.now_us, found[1])
