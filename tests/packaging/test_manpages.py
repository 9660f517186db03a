"""The manual pages, as the package makes them."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_page_of_the_command_has_the_orders(tmp_path: Path) -> None:
    """Whoever is on call finds them by `man outgate`."""
    subprocess.run(
        [sys.executable, ROOT / "packaging/deb/make-manpages", tmp_path],
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT / "milter")},
        check=True,
    )

    text = (tmp_path / "outgate.8").read_text().partition(".SH ORDERS")[2]
    orders = text.partition(".SH EXIT STATUS")[0].replace("\\-", "-")
    for order in ("quarantine", "suspend", "allow", "limit"):
        assert f"redis-cli HSET outgate:{order} " in orders
    assert "\\fBfor=1h\\fR" in orders
