"""Beside an independent judge: where we differ, it is known, and known why.

Every disagreement stands in `disagreements.txt` under its cause; one that does not, and
one that no longer exists, fails. Real header sets lie beside a developer's checkout
only; the variants of `test_check` always run.
"""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest

from message.builders import headers
from message.listcheck.beside import QUESTIONS, Case, Disagreement, disagreements
from message.listcheck.test_check import VARIANTS
from message.material import real_list_headers
from outgate.message.listcheck.one_click import POST, UNSUBSCRIBE

_FILE = Path(__file__).with_name("disagreements.txt")
_HASH_LENGTH = 12


def _listed() -> dict[Disagreement, str]:
    """Each known disagreement and its cause."""
    known: dict[Disagreement, str] = {}
    cause = ""
    for line in _FILE.read_text("utf-8").splitlines():
        if line.startswith("["):
            cause = line.strip("[]")
        elif line and not line.startswith("#"):
            question, key = line.split("\t")
            assert Disagreement(question, key) not in known, line
            known[Disagreement(question, key)] = cause
    return known


def _is_hash(key: str) -> bool:
    return len(key) == _HASH_LENGTH and set(key) <= set("0123456789abcdef")


def _real_cases() -> list[Case]:
    return [
        Case.of(row["list_unsubscribe"], row["list_unsubscribe_post"])
        for row in real_list_headers()
    ]


def _agreement(cases: Sequence[Case], found: Sequence[Disagreement]) -> float:
    return 1 - len(found) / (len(cases) * len(QUESTIONS))


@pytest.mark.material
def test_real_headers_are_judged_alike() -> None:
    """Of 674 sets from lists, campaigns and spam; all five questions."""
    cases = _real_cases()
    found = disagreements(cases)
    read = disagreements([case.decoded() for case in cases])

    for name in QUESTIONS:
        as_it_is = sum(one.question == name for one in found)
        words_read = sum(one.question == name for one in read)
        print(  # noqa: T201 - the figures are for the reader, by pytest -s
            f"{name:<10} {1 - as_it_is / len(cases):.2%} alike, "
            f"{1 - words_read / len(cases):.2%} where encoded words are read for both"
        )
    print(f"all        {_agreement(cases, found):.2%}, {_agreement(cases, read):.2%}")  # noqa: T201
    known = {one for one in _listed() if _is_hash(one.key)}
    assert set(found) == known
    assert Counter(one.question for one in found)["faultless"] <= len(cases) / 100
    assert _agreement(cases, read) >= 0.99


@pytest.mark.material
def test_beyond_encoded_words_few_differ() -> None:
    """What the words say is read alike but for what is listed for other causes."""
    cases = _real_cases()
    words = {case.key for case in cases if case.has_words}
    for one, cause in _listed().items():
        if _is_hash(one.key):
            assert (cause == "encoded-word") is (one.key in words), one


def test_variants_are_judged_alike() -> None:
    """The same beside headers that we wrote ourselves."""
    found: set[Disagreement] = set()
    for name, block, _note, _level in VARIANTS:
        values = headers(block)
        case = Case.of(
            [value.decode() for value in values.get(UNSUBSCRIBE, [])],
            [value.decode() for value in values.get(POST, [])],
        )
        found |= {Disagreement(one.question, name) for one in disagreements([case])}
    assert found == {one for one in _listed() if not _is_hash(one.key)}
