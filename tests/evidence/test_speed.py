"""A million rows, at full size: minutes, so it belongs to `make verify`."""

import pytest

from bench.evidence import ROWS, measure
from bench.report import say
from lab.skips import or_skip

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]

# More than five times what was measured, on a machine that had other things to do.
MOST_CPU_S = 600
MOST_GROWTH_MIB = 48


def test_a_million_rows_in_flat_memory() -> None:
    """Judged and imported; ten times the rows need no more memory."""
    with or_skip():
        found = measure(ROWS)
    for title, one in found:
        say(
            f"{title}: {one.rows} rows in {one.wall_s:.0f} s, {one.cpu_s:.0f} s CPU, "
            f"{one.peak_mib:.0f} MiB"
        )
    (_, small), (_, judged), (_, imported) = found
    assert judged.rows == imported.rows == ROWS
    assert judged.peak_mib - small.peak_mib < MOST_GROWTH_MIB
    assert imported.cpu_s < MOST_CPU_S
