"""The notes on list headers are for people."""

import re

import pytest

from outgate.message.list_note import ListNote


@pytest.mark.parametrize("note", ListNote)
def test_a_note_is_a_name_a_sentence_and_a_clause(note: ListNote) -> None:
    """A list maintainer learns what is wrong and where it is written."""
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", note)
    assert note.name == note.value.replace("-", "_").upper()
    assert re.fullmatch(r"[A-Z].{20,130}\.", note.sentence)
    assert re.fullmatch(r"RFC \d{4} §\d(\.\d+)*(, RFC \d{4} §\d(\.\d+)*)?", note.clause)


def test_a_note_is_its_value() -> None:
    """It goes into logs and settings as a word, and comes back from one."""
    assert ListNote("post-missing") is ListNote.POST_MISSING
    assert str(ListNote.POST_MISSING) == "post-missing"


def test_no_two_notes_say_the_same() -> None:
    """Each oddity has its own words."""
    assert len({note.sentence for note in ListNote}) == len(ListNote)
