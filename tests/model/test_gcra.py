"""The generic cell rate algorithm: what a counter lets through, and what it keeps."""

from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.strategies import fast, rates
from outgate.model.gcra import NEVER, Charge, Level, check_all, refund, rescale
from outgate.model.units import SECOND_US, Rate, to_us

NOW_US = 1_795_500_000 * SECOND_US
HOUR_US = 3_600 * SECOND_US

intervals_us = st.integers(1, HOUR_US)
bursts = st.integers(1, 200)
costs = st.integers(0, 250)
# Around now: long drained, filled a little, overfull.
tats_us = st.one_of(
    st.just(0), st.integers(NOW_US - HOUR_US, NOW_US + 200 * HOUR_US), st.just(NOW_US)
)
charges = st.builds(
    Charge,
    interval_us=intervals_us,
    burst=bursts,
    cost=costs,
    binding=st.booleans(),
)
counters = st.lists(st.tuples(tats_us, charges), min_size=1, max_size=5)


def check(tat_us: int, charge: Charge, now_us: int = NOW_US) -> tuple[Level, int]:
    _, levels, after = check_all([tat_us], [charge], now_us)
    return levels[0], after[0]


# case, milliseconds, volume; then remaining, reset-after, retry-after (-1000 for none)
# and limited, as redis-cell's `it_rate_limits` publishes them (MIT; cases 1 to 14 are
# also throttled's, BSD). The quota is 5, one a second.
REDIS_CELL = [
    (0, 0, 6, 5, 0, -1000, True),
    (1, 0, 1, 4, 1000, -1000, False),
    (2, 0, 1, 3, 2000, -1000, False),
    (3, 0, 1, 2, 3000, -1000, False),
    (4, 0, 1, 1, 4000, -1000, False),
    (5, 0, 1, 0, 5000, -1000, False),
    (6, 0, 1, 0, 5000, 1000, True),
    (7, 3000, 1, 2, 3000, -1000, False),
    (8, 3100, 1, 1, 3900, -1000, False),
    (9, 4000, 1, 1, 4000, -1000, False),
    (10, 8000, 1, 4, 1000, -1000, False),
    (11, 9500, 1, 4, 1000, -1000, False),
    (12, 9500, 0, 4, 1000, -1000, False),
    (13, 9500, 2, 2, 3000, -1000, False),
    (14, 9500, 5, 2, 3000, 3000, True),
    (15, 15000, 6, 5, 0, -1000, True),
]


def test_it_answers_as_redis_cell_does() -> None:
    """All sixteen published cases, one after the other on one counter."""
    tat_us = 0
    for case, ms, volume, remaining, reset_ms, retry_ms, limited in REDIS_CELL:
        now_us = NOW_US + ms * 1000
        charge = Charge(interval_us=SECOND_US, burst=5, cost=volume)
        level, tat_us = check(tat_us, charge, now_us)
        retry_us = retry_ms * 1000 if retry_ms >= 0 else NEVER if limited else 0
        found = Level(not limited, 5 - remaining, retry_us, volume)
        assert level == found, f"case {case}"
        assert max(tat_us, now_us) - now_us == reset_ms * 1000, f"case {case}"


class TestOneCounter:
    """What one counter promises."""

    @fast
    @given(
        rates(),
        st.integers(1, 50),
        st.lists(st.tuples(st.integers(0, 60), st.integers(1, 5)), max_size=40),
        st.integers(1, 3),
    )
    def test_no_window_lets_through_more_than_burst_and_rate(
        self, rate: Rate, burst: int, history: list[tuple[int, int]], windows: int
    ) -> None:
        """Wherever a window begins: at most the burst, and the rate for its length."""
        window_us = windows * to_us(rate.period)
        moments = list(accumulate(step * rate.interval_us // 20 for step, _ in history))
        passed: list[tuple[int, int]] = []
        tat_us = 0
        for moment_us, (_, cost) in zip(moments, history, strict=True):
            charge = Charge(rate.interval_us, burst, cost)
            level, tat_us = check(tat_us, charge, NOW_US + moment_us)
            if level.fits:
                passed.append((moment_us, cost))
        for begin_us, _ in passed:
            inside = sum(
                cost
                for moment_us, cost in passed
                if begin_us <= moment_us < begin_us + window_us
            )
            assert inside <= burst + windows * rate.count

    @fast
    @given(tats_us, charges)
    def test_a_cost_above_the_burst_never_fits(
        self, tat_us: int, charge: Charge
    ) -> None:
        """Not even an empty counter takes it (rspamd's and WildDuck's trap)."""
        level, _ = check(tat_us, charge)
        assert (level.retry_after_us == NEVER) is (charge.cost > charge.burst)
        if charge.cost > charge.burst:
            assert not level.fits

    @fast
    @given(tats_us, charges)
    def test_what_does_not_fit_now_fits_after_retry_after(
        self, tat_us: int, charge: Charge
    ) -> None:
        """Exactly then, and not a microsecond before."""
        level, _ = check(tat_us, charge)
        if level.fits or level.retry_after_us == NEVER:
            return
        later_us = NOW_US + level.retry_after_us
        assert check(tat_us, charge, later_us)[0].fits
        assert not check(tat_us, charge, later_us - 1)[0].fits

    @fast
    @given(st.integers(0, NOW_US), charges)
    def test_a_key_that_expired_changes_no_answer(
        self, tat_us: int, charge: Charge
    ) -> None:
        """A drained counter and an absent one are the same."""
        level, after_us = check(tat_us, charge)
        absent, after_absent_us = check(0, charge)
        assert level == absent
        assert max(after_us, NOW_US) == max(after_absent_us, NOW_US)

    @fast
    @given(tats_us, charges, st.integers(0, HOUR_US))
    def test_a_refund_undoes_a_charge(
        self, tat_us: int, charge: Charge, later_us: int
    ) -> None:
        """Whoever asks afterwards gets the answer of a counter that was left alone."""
        level, after_us = check(tat_us, charge)
        if level.fits:
            after_us = refund(after_us, charge)
        moment_us = NOW_US + later_us
        assert (
            check(after_us, charge, moment_us)[0] == check(tat_us, charge, moment_us)[0]
        )

    def test_nothing_is_refunded_to_an_absent_counter(self) -> None:
        """Its key may have expired meanwhile, and no counter is below empty."""
        charge = Charge(interval_us=SECOND_US, burst=5, cost=3)
        assert refund(0, charge) == 0
        assert refund(2 * SECOND_US, charge) == 0

    @fast
    @given(tats_us, charges, st.integers(1, 100))
    def test_a_larger_burst_refuses_nothing_that_fitted(
        self, tat_us: int, charge: Charge, more: int
    ) -> None:
        """To raise a limit never rejects more."""
        larger = Charge(charge.interval_us, charge.burst + more, charge.cost)
        assert check(tat_us, larger)[0].fits >= check(tat_us, charge)[0].fits

    @fast
    @given(tats_us, intervals_us, bursts)
    def test_a_look_changes_nothing(
        self, tat_us: int, interval_us: int, burst: int
    ) -> None:
        """A cost of nothing charges nothing and always fits, also into an overfull one."""
        level, after_us = check(tat_us, Charge(interval_us, burst, 0))
        assert after_us == tat_us
        assert (level.fits, level.retry_after_us) == (True, 0)

    def test_units_in_use_are_rounded_up(self) -> None:
        """Half a unit that has not drained is still in the counter."""
        charge = Charge(interval_us=SECOND_US, burst=5, cost=1)
        _, tat_us = check(0, charge)
        level, _ = check(tat_us, Charge(SECOND_US, 5, 0), NOW_US + SECOND_US // 2)
        assert level.used == 1


class TestAllOrNone:
    """Several counters of one message."""

    @fast
    @given(counters)
    def test_all_binding_charges_are_made_or_none_is(
        self, found: list[tuple[int, Charge]]
    ) -> None:
        """One that refuses keeps the message from all of them."""
        tats = [tat_us for tat_us, _ in found]
        asked = [charge for _, charge in found]
        allowed, levels, after = check_all(tats, asked, NOW_US)
        assert allowed is all(
            level.fits
            for level, charge in zip(levels, asked, strict=True)
            if charge.binding
        )
        for tat_us, charge, level, new_us in zip(
            tats, asked, levels, after, strict=True
        ):
            charged = allowed and level.fits and charge.cost > 0
            expected = max(tat_us, NOW_US) + charge.cost * charge.interval_us
            assert new_us == (expected if charged else tat_us)

    @fast
    @given(counters)
    def test_each_counter_answers_for_itself(
        self, found: list[tuple[int, Charge]]
    ) -> None:
        """Whether a charge fits does not depend on its neighbours."""
        _, levels, _ = check_all(
            [tat_us for tat_us, _ in found], [charge for _, charge in found], NOW_US
        )
        for (tat_us, charge), level in zip(found, levels, strict=True):
            alone, _ = check(tat_us, charge)
            assert level.fits is alone.fits
            assert level.retry_after_us == alone.retry_after_us

    def test_a_limit_that_only_reports_stops_nobody(self) -> None:
        """It is full, it says so, and the enforced one beside it is charged."""
        full = Charge(interval_us=SECOND_US, burst=1, cost=2, binding=False)
        free = Charge(interval_us=SECOND_US, burst=9, cost=2)
        allowed, levels, after = check_all([0, 0], [full, free], NOW_US)
        assert allowed
        assert [level.fits for level in levels] == [False, True]
        assert after == [0, NOW_US + 2 * SECOND_US]

    def test_as_many_counters_as_charges(self) -> None:
        """Anything else is a bug of the caller."""
        with pytest.raises(ValueError, match="zip"):
            check_all([0], [], NOW_US)

    def test_nothing_asked_is_allowed(self) -> None:
        """A message without limits passes."""
        assert check_all([], [], NOW_US) == (True, [], [])


class TestRescale:
    """A limit got another rate: what was used stays used."""

    @given(tats_us, intervals_us, intervals_us)
    def test_the_units_in_use_are_the_same_or_one_more(
        self, tat_us: int, counted_us: int, interval_us: int
    ) -> None:
        """Rounded up, so that nobody gains by it."""
        before = check(tat_us, Charge(counted_us, 1, 0))[0].used
        again = rescale(tat_us, counted_us, interval_us, NOW_US)
        after = check(again, Charge(interval_us, 1, 0))[0].used

        assert before <= after <= before + 1 or counted_us == interval_us

    def test_an_unknown_or_equal_interval_changes_nothing(self) -> None:
        """As counters of an empty store have it."""
        assert rescale(NOW_US + 9, 0, 5, NOW_US) == NOW_US + 9
        assert rescale(NOW_US + 9, 5, 5, NOW_US) == NOW_US + 9
        assert rescale(NOW_US - 9, 5, 7, NOW_US) == NOW_US - 9
