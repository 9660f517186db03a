"""docs/counting.md has every count and every counter, and its settings are accepted."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from outgate.config.reader import parse
from outgate.model.limit import Count, Per
from outgate.policy.compiled import merge_limits
from pages import __main__ as program
from pages.limit_examples import EXAMPLES

_DOCS = (program.ROOT / "README.md", *sorted((program.ROOT / "docs").glob("*.md")))
PAGE = (program.ROOT / "docs/counting.md").read_text()
# What a reader looks for; every other kind of counter is in the table.
_WISHES = {Per.LOGIN, Per.ADDRESS, Per.DOMAIN, Per.NETWORK, Per.LIST}


def _blocks() -> Iterator[tuple[str, str]]:
    """Every block of TOML in the manual, and where it stands."""
    for file in _DOCS:
        for number, found in enumerate(_toml(file)):
            yield f"{file.name}-{number}", found


def _toml(file: Path) -> list[str]:
    return re.findall(r"```toml\n(.*?)```", file.read_text(), re.DOTALL)


@pytest.mark.parametrize("word", [*Count, *Per])
def test_every_count_and_every_counter_has_its_row(word: Count | Per) -> None:
    """Whoever adds one says what it means."""
    (row,) = re.findall(rf"^\| `{word}` \| (.*)$", PAGE, re.MULTILINE)

    assert all(cell.strip() for cell in row.removesuffix(" |").split("|"))


def test_every_shipped_limit_is_in_the_table() -> None:
    """With its numbers."""
    for limit in merge_limits(()):
        row = f"| `{limit.name}` | `{limit.per}` | `{limit.count}` | `{limit.rate}`"
        assert row in PAGE


@pytest.mark.parametrize(
    "text", [pytest.param(text, id=id_) for id_, text in _blocks()]
)
def test_settings_in_the_manual_are_accepted(text: str) -> None:
    """As they stand there: all keys exist, and agree."""
    parse(text)


def test_the_common_wishes_have_an_example() -> None:
    """Each a whole limit of that kind."""
    shown = {limit.per for _, text in EXAMPLES for limit in parse(text).limit}

    assert shown >= _WISHES
