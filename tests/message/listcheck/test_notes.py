"""The notes on list headers are for people."""

import re

import pytest

from outgate.message.listcheck.note import Level, Note, worst
from outgate.message.listcheck.notes import NOTES
from outgate.message.listcheck.one_click import PostNote

_RFC = r"RFC \d{4} §\d(\.\d+)*"


@pytest.mark.parametrize("note", NOTES)
def test_a_note_is_a_name_sentences_and_a_clause(note: Note) -> None:
    """A list maintainer learns what is wrong, where it is written, what to do."""
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", note)
    assert note.name == note.value.replace("-", "_").upper()
    assert re.fullmatch(r"[A-Z].{20,130}\.", note.sentence)
    assert re.fullmatch(rf"{_RFC}(, {_RFC})?|support\.google\.com/\S+", note.clause)
    if note.level is Level.OK:
        assert note.instead == ""
    else:
        assert re.fullmatch(r"[A-Z].{5,100}\.", note.instead)


def test_a_note_is_its_value() -> None:
    """It goes into logs and JSON as a word, and comes back from one."""
    assert PostNote("post-missing") is PostNote.POST_MISSING
    assert str(PostNote.POST_MISSING) == "post-missing"
    assert PostNote("post-missing").level is Level.FIX


def test_no_two_notes_are_alike() -> None:
    """Each variant has its own name and its own words."""
    assert len({note.value for note in NOTES}) == len(NOTES)
    assert len({note.sentence for note in NOTES}) == len(NOTES)


def test_the_worst_level_is_the_verdict() -> None:
    """In the order ok, fix, weak, bad."""
    assert list(Level) == ["ok", "fix", "weak", "bad"]
    assert worst([Level.WEAK, Level.FIX, Level.BAD, Level.OK]) is Level.BAD
    assert worst([Level.FIX, Level.WEAK]) is Level.WEAK
    assert worst([Level.OK, Level.FIX]) is Level.FIX
    assert worst([]) is Level.OK
    assert all(level.meaning for level in Level)
