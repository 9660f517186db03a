"""The words of `charge.lua` and `settle.lua`, and what their answers mean.

The order of keys and arguments is that of the contracts in the files; a test compares
both.
"""

from collections.abc import Set as AbstractSet
from dataclasses import replace
from datetime import timedelta
from functools import lru_cache

from outgate.model.errors import ScriptError
from outgate.model.gcra import Level
from outgate.model.limit import Count
from outgate.model.standing import scaled_interval_us
from outgate.model.units import Rate, to_us
from outgate.policy.questions import (
    Answers,
    Plan,
    PlannedCharge,
    Source,
    Spread,
)
from outgate.store.hashes import Hashes
from outgate.store.keys import Keys, safe
from outgate.store.resp import known, word
from outgate.store.wire import Reply

# From the first attempt on. MTAs give a deferred message up after five days; what is tried
# for longer is stopped anew, or a daily retry would earn its sender good conduct.
ATTEMPTS_TTL_S = 5 * 86_400
# Longer than anybody holds mail; the keeper corrects the count long before.
HOLDING_TTL_S = 90 * 86_400

_FIXED_KEYS = 6
# EVALSHA, digest, number of keys; keys; seven arguments and five for the content.
_CHARGE_WORDS = 3 + _FIXED_KEYS + 7 + 5
# Its key, and five arguments.
_CHARGE_WORDS_A_COUNTER = 6
_FIXED_RESULTS = 15
_RESULTS_PER_COUNTER = 4
_YES, _NO, _NOTHING = known("1"), known("0"), known("")
_NO_CONTENT = _NOTHING + _YES + 4 * _NO
_RATE, _STRANGERS, _DISTINCT = known("rate"), known("strangers"), known("distinct")
_EARNED = known("earned")


class Charging:
    """Packs the questions about one message, and what is given back of it."""

    def __init__(self, keys: Keys, hashes: Hashes) -> None:
        self._keys = keys
        self._hashes = hashes
        # A customer sends more than one message, against the same counters.
        self._counter = lru_cache(maxsize=8192)(self._make_counter)
        self._customer = lru_cache(maxsize=8192)(self._make_customer)

    def charge(self, plan: Plan, now: str, *, commit: bool) -> tuple[int, bytes]:
        """Number of words of the command, and all of them after the script's name."""
        return self._command(plan, self._hashes.items(plan.people), now, commit=commit)

    def _command(
        self, plan: Plan, people: bytes, now: str, *, commit: bool
    ) -> tuple[int, bytes]:
        charges = plan.charges
        packed = [
            known(str(_FIXED_KEYS + len(charges))),
            self._fixed(plan),
        ]
        arguments = [
            known(now),
            _YES if commit else _NO,
            known(str(ATTEMPTS_TTL_S)),
            word(people),
            _YES if plan.greeting else _NO,
            _conduct(plan),
            self._content(plan),
        ]
        for charge in charges:
            limit = charge.limit
            packed.append(
                self._counter(
                    plan.customer,
                    limit.name,
                    charge.identity,
                    distinct=limit.count.is_distinct,
                )
            )
            arguments.append(_counter_arguments(charge, self._hashes))
        words = _CHARGE_WORDS + _CHARGE_WORDS_A_COUNTER * len(charges)
        return words, b"".join(packed + arguments)

    def meet(self, plan: Plan, now: str) -> tuple[int, bytes]:
        """The command that remembers recipients and charges nothing."""
        people = self._hashes.items(plan.people)
        plan = replace(plan, charges=[], greeting=True, campaign=None, conduct=None)
        return self._command(plan, people, now, commit=True)

    def introduce(self, plan: Plan, answers: Answers, now: str) -> tuple[int, bytes]:
        """The command that charges strangers alone, whatever room there is."""
        limits = [
            replace(charge, binding=False)
            for charge in plan.charges
            if charge.limit.count is Count.STRANGERS
        ]
        campaign = plan.campaign
        if campaign is not None:
            campaign = replace(campaign, binding=False)
        strangers = replace(plan, charges=limits, greeting=True, campaign=campaign)
        return self._command(strangers, answers.strangers, now, commit=True)

    def settle(
        self,
        plan: Plan,
        answers: Answers,
        now: str,
        *,
        held_bytes: int,
        stopped: bool,
    ) -> list[bytes]:
        """All words of the command after the script's text."""
        charged = [
            (charge, level)
            for charge, level in zip(plan.charges, answers.levels, strict=False)
            if answers.allowed and level.fits
        ]
        spread = answers.spread
        undone = answers.allowed and plan.people
        content = undone and spread is not None and spread.fits
        customer = safe(plan.customer)
        keys = self._keys
        words: list[bytes | str | int] = [
            _FIXED_KEYS + len(charged),
            keys.seen(customer, self._hashes.retry(plan.retry_material)),
            keys.holding(customer),
            keys.contacts(customer),
            keys.content(customer),
            keys.usual(customer, safe(plan.principal)),
            keys.standing(customer),
        ]
        # A refused charge noted that by itself; what is tried again was stopped once.
        noted = stopped and answers.allowed and not answers.attempts
        arguments: list[bytes | str | int] = [
            now,
            # A refused charge counted the attempt by itself.
            answers.attempts + 1 if answers.allowed else 0,
            ATTEMPTS_TTL_S,
            held_bytes,
            HOLDING_TTL_S,
            answers.strangers if undone and plan.greeting else b"",
            answers.renewed if undone and plan.greeting else 0,
            self._hashes.bands(plan.bands) if content else b"",
            spread.added if content and spread is not None else b"",
            _interval_us(plan.campaign, answers) if plan.campaign is not None else 1,
            1 if noted and plan.conduct is not None else 0,
        ]
        for charge, level in charged:
            count = charge.limit.count
            name = keys.distinct if count.is_distinct else keys.count
            words.append(name(customer, charge.limit.name, safe(charge.identity)))
            if count.is_distinct:
                arguments += ("distinct", _window_us(charge), level.charged)
            else:
                arguments += ("rate", _interval_us(charge, answers), level.charged)
        return [
            text if isinstance(text, bytes) else str(text).encode()
            for text in (*words, *arguments)
        ]

    def spare(
        self,
        plan: Plan,
        answers: Answers,
        removed: AbstractSet[str],
        recipients: int,
        now: str,
    ) -> list[bytes]:
        """The words of a settlement for a part of the recipients; none for nothing.

        The message was let out: its attempts, its content and its strangers stay.
        """
        only = self._hashes.only
        charges, levels = [], []
        for charge, level in zip(plan.charges, answers.levels, strict=False):
            count = charge.limit.count
            if count is Count.RECIPIENTS:
                charges.append(charge)
                levels.append(level._replace(charged=recipients))
            elif count is Count.DISTINCT_RECIPIENTS and isinstance(
                level.charged, bytes
            ):
                charges.append(charge)
                levels.append(level._replace(charged=only(level.charged, removed)))
            elif count is Count.RECIPIENT_DOMAINS and isinstance(level.charged, bytes):
                charges.append(charge)
                left = {_domain(one) for one in plan.people if one not in removed}
                domains = {_domain(one) for one in removed} - left
                levels.append(level._replace(charged=only(level.charged, domains)))
        if not charges:
            return []
        return self.settle(
            replace(plan, charges=charges, people=(), campaign=None, conduct=None),
            # No attempt is to be noted.
            replace(answers, levels=levels, attempts=-1),
            now,
            held_bytes=0,
            stopped=False,
        )

    def _fixed(self, plan: Plan) -> bytes:
        customer, shared = self._customer(plan.customer, plan.principal)
        retry = self._hashes.retry(plan.retry_material)
        return word(self._keys.seen(customer, retry).encode()) + shared

    def _make_customer(self, name: str, principal: str) -> tuple[str, bytes]:
        customer = safe(name)
        keys = self._keys
        shared = (
            keys.holding(customer),
            keys.contacts(customer),
            keys.content(customer),
            keys.usual(customer, safe(principal)),
            keys.standing(customer),
        )
        return customer, b"".join(map(known, shared))

    def _make_counter(
        self, customer: str, limit: str, identity: str, *, distinct: bool
    ) -> bytes:
        name = self._keys.distinct if distinct else self._keys.count
        return known(name(safe(customer), limit, safe(identity)))

    def _content(self, plan: Plan) -> bytes:
        campaign = plan.campaign
        if campaign is None:
            return _NO_CONTENT
        return b"".join(
            (
                word(self._hashes.bands(plan.bands)),
                known(str(campaign.rate.interval_us)),
                known(str(campaign.burst)),
                known(str(campaign.limit.share)),
                _YES if campaign.binding else _NO,
                _YES if campaign.earned else _NO,
            )
        )


def _conduct(plan: Plan) -> bytes:
    conduct = plan.conduct
    if conduct is None:
        return _NOTHING
    growth = conduct.growth
    return known(
        f"{growth.start} {growth.most} {growth.warm_up_us} {conduct.since_us} "
        f"{conduct.noted:d}"
    )


def _interval_us(charge: PlannedCharge, answers: Answers) -> int:
    """At which the store counted."""
    interval_us = charge.rate.interval_us
    return (
        scaled_interval_us(interval_us, answers.standing)
        if charge.earned
        else interval_us
    )


def _domain(mailbox: str) -> str:
    return mailbox.rpartition("@")[2]


def _window_us(charge: PlannedCharge) -> int:
    return to_us(charge.rate.period)


def _counter_arguments(charge: PlannedCharge, hashes: Hashes) -> bytes:
    """Five words."""
    count = charge.limit.count
    if count.is_distinct:
        return b"".join(
            (
                _DISTINCT,
                known(str(_window_us(charge))),
                known(str(charge.burst)),
                word(hashes.items(charge.items)),
                _YES if charge.binding else _NO,
            )
        )
    kind = _RATE
    if count is Count.STRANGERS:
        kind = _EARNED if charge.earned else _STRANGERS
    binding = _YES if charge.binding else _NO
    rate = charge.rate
    return _rate_words(
        kind, rate.count, rate.period, charge.burst, charge.cost, binding
    )


@lru_cache(maxsize=8192)
def _rate_words(
    kind: bytes, count: int, period: timedelta, burst: int, cost: int, binding: bytes
) -> bytes:
    # The parts of a rate are hashed by C, the rate is not.
    interval = known(str(Rate(count, period).interval_us))
    return b"".join((kind, interval, known(str(burst)), known(str(cost)), binding))


def read_charge(plan: Plan, result: Reply) -> Answers:
    """What `charge.lua` answered, without operator state.

    Raises:
        ScriptError: it answered something else.
    """
    expected = _FIXED_RESULTS + _RESULTS_PER_COUNTER * len(plan.charges)
    if not isinstance(result, list) or len(result) != expected:
        raise ScriptError(f"charge: {result!r} instead of {expected} results")
    spread = None
    if plan.campaign is not None:
        spread = Spread(result[10] == 1, *result[11:_FIXED_RESULTS])
    return Answers(
        now_us=result[0],
        source=Source.STORE,
        allowed=result[1] == 1,
        attempts=result[2],
        held_messages=result[3],
        held_bytes=result[4],
        strangers=result[5],
        renewed=result[6],
        today=result[7],
        peak=result[8],
        standing=result[9],
        spread=spread,
        roomy=0 not in result[_FIXED_RESULTS::_RESULTS_PER_COUNTER],
        levels=[
            Level._make(result[at : at + _RESULTS_PER_COUNTER])
            for at in range(_FIXED_RESULTS, expected, _RESULTS_PER_COUNTER)
        ],
    )
