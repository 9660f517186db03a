"""One look-up a message, in one flush and one wait.

Four commands go out in one buffer: HMGET of the operators' suspend, quarantine and
allow hashes, and the script that checks all limits of the customer and charges all or
none. What a message turns out not to deserve goes back with `settle.lua`, for which
nobody waits.
"""

from collections.abc import Callable
from functools import lru_cache
from hashlib import blake2b

from outgate.model.errors import ScriptError
from outgate.model.gcra import Level
from outgate.policy.operator import Order
from outgate.policy.questions import Answers, Plan, Source
from outgate.store.keys import Keys, safe
from outgate.store.resp import command, known, pack, word
from outgate.store.scripts import Script
from outgate.store.wire import Reply, Wire, is_unknown_script, is_wrong_type, raise_for

# Postfix gives a deferred message up after five days, but its attempts come closer
# than a day apart.
ATTEMPTS_TTL_S = 86_400
# Longer than anybody holds mail; the keeper corrects the count long before.
HOLDING_TTL_S = 90 * 86_400
# EVALSHA, digest, number of keys, two keys, three arguments; five for each counter.
_CHARGE_WORDS = 8
_CHARGE_WORDS_A_COUNTER = 5
_FIXED_RESULTS = 5
_RESULTS_PER_COUNTER = 3
_RETRY_ID_BYTES = 12


class Counters:
    """Look-ups and settlements on one Redis server."""

    def __init__(
        self,
        wire: Wire,
        keys: Keys,
        secret: bytes,
        *,
        test_now_us: Callable[[], int] | None = None,
    ) -> None:
        self._wire = wire
        self._keys = keys
        self._test_now_us = test_now_us
        self._charge = Script.load("charge")
        self._settle = Script.load("settle")
        self._retry_hash = blake2b(key=secret, digest_size=_RETRY_ID_BYTES)
        self._hashes = {
            order: known("HMGET") + known(keys.order(order)) for order in Order
        }
        self._by_sha = known("EVALSHA") + known(self._charge.sha.decode())
        self._by_text = known("EVAL") + known(self._charge.text.decode())
        # A customer sends more than one message, against the same counters.
        self._counter = lru_cache(maxsize=8192)(self._make_counter)

    def look_up(self, plan: Plan, *, commit: bool = True) -> Answers:
        """Ask everything about one message and charge all its limits or none.

        Args:
            plan: the questions.
            commit: False looks without charging; the levels are as if it had.

        Raises:
            StoreError: nobody answered; whether it was charged is not known.
        """
        names = b"".join(map(known, plan.names))
        own_names = b"".join(map(known, plan.own_names))
        count = len(plan.names) + 2
        evaluate = self._charge_arguments(plan, commit=commit)
        words = _CHARGE_WORDS + _CHARGE_WORDS_A_COUNTER * len(plan.charges)
        buffer = b"".join(
            (
                command(count, self._hashes[Order.SUSPEND], names),
                command(count, self._hashes[Order.QUARANTINE], names),
                command(len(plan.own_names) + 2, self._hashes[Order.ALLOW], own_names),
                command(words, self._by_sha, evaluate),
            )
        )
        suspend, quarantine, allow, result = self._wire.call(buffer, 4)
        if is_unknown_script(result):
            (result,) = self._wire.call(command(words, self._by_text, evaluate), 1)
        return _answers(
            plan,
            _values(suspend, len(plan.names)),
            _values(quarantine, len(plan.names)),
            _values(allow, len(plan.own_names)),
            raise_for(result, "charge"),
        )

    def settle(self, plan: Plan, answers: Answers, *, held_bytes: int) -> None:
        """Give back what was charged, remember the attempt, count what is held.

        Raises:
            StoreError: it could not be sent; the counters stay too high until they
                have drained.
        """
        customer = safe(plan.customer)
        charged = [
            charge
            for charge, level in zip(plan.charges, answers.levels, strict=False)
            if answers.allowed and level.fits
        ]
        keys = [
            self._keys.count(customer, charge.limit.name, safe(charge.identity))
            for charge in charged
        ]
        # A refused charge counted the attempt by itself.
        attempts = answers.attempts + 1 if answers.allowed else 0
        arguments: list[int | str] = [
            self._now_argument(),
            attempts,
            ATTEMPTS_TTL_S,
            held_bytes,
            HOLDING_TTL_S,
        ]
        for charge in charged:
            arguments += (charge.rate.interval_us, charge.cost)
        evaluate = (
            b"%d" % (2 + len(keys)),
            self._keys.seen(customer, self.retry_id(plan)).encode(),
            self._keys.holding(customer).encode(),
            *(key.encode() for key in keys),
            *(str(argument).encode() for argument in arguments),
        )
        # EVAL, not EVALSHA: nobody reads the reply that would say NOSCRIPT.
        self._wire.post(pack((b"EVAL", self._settle.text, *evaluate)), 1)

    def retry_id(self, plan: Plan) -> str:
        """Keyed hash of what identifies a retry."""
        digest = self._retry_hash.copy()
        digest.update(plan.retry_material)
        return digest.hexdigest()

    def _charge_arguments(self, plan: Plan, *, commit: bool) -> bytes:
        """Keys and arguments of `charge.lua`, packed, in the order of its contract."""
        customer = safe(plan.customer)
        keys = self._keys
        packed = [
            known(str(2 + len(plan.charges))),
            word(keys.seen(customer, self.retry_id(plan)).encode()),
            known(keys.holding(customer)),
        ]
        arguments = [
            known(self._now_argument()),
            known("1" if commit else "0"),
            known(str(ATTEMPTS_TTL_S)),
        ]
        for charge in plan.charges:
            packed.append(self._counter(customer, charge.limit.name, charge.identity))
            arguments += (
                known(str(charge.rate.interval_us)),
                known(str(charge.burst)),
                known(str(charge.cost)),
                known("1" if charge.binding else "0"),
            )
        return b"".join(packed + arguments)

    def _make_counter(self, customer: str, limit: str, identity: str) -> bytes:
        return known(self._keys.count(customer, limit, safe(identity)))

    def _now_argument(self) -> str:
        return str(self._test_now_us()) if self._test_now_us is not None else ""


def _values(reply: Reply, count: int) -> list[bytes | None]:
    """Values of an HMGET; a key of another type holds no orders (the keeper reports)."""
    if is_wrong_type(reply):
        return [None] * count
    values = raise_for(reply, "operator state")
    if not isinstance(values, list) or len(values) != count:
        raise ScriptError(f"operator state: {values!r} instead of {count} values")
    return values


def _answers(
    plan: Plan,
    suspend: list[bytes | None],
    quarantine: list[bytes | None],
    allow: list[bytes | None],
    result: Reply,
) -> Answers:
    expected = _FIXED_RESULTS + _RESULTS_PER_COUNTER * len(plan.charges)
    if not isinstance(result, list) or len(result) != expected:
        raise ScriptError(f"charge: {result!r} instead of {expected} results")
    return Answers(
        now_us=result[0],
        source=Source.STORE,
        suspend=suspend,
        quarantine=quarantine,
        allow=allow,
        allowed=result[1] == 1,
        attempts=result[2],
        held_messages=result[3],
        held_bytes=result[4],
        levels=[
            Level(result[at] == 1, result[at + 1], result[at + 2])
            for at in range(_FIXED_RESULTS, expected, _RESULTS_PER_COUNTER)
        ],
    )
