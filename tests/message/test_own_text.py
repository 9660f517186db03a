"""What a sender has written this time."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from message.builders import fast
from message.mailings import (
    COMPANY_SIGNATURE,
    CONTACT_BLOCK,
    DISCLAIMER,
    LIST_FOOTER,
    ORIGINAL,
    QUOTED,
    SIGNATURE,
)
from outgate.message.own_text import has_marks, has_signs, own_text


def _own(text: str) -> str:
    return " ".join(own_text(text.lower()).split())


def _words(text: str) -> set[bytes]:
    return {word.encode() for word in re.findall(r"[^\W\d_]+", text)}


class TestOwnText:
    """Quotes, signatures, notices."""

    @pytest.mark.parametrize(
        "frame", [DISCLAIMER, LIST_FOOTER, ORIGINAL, SIGNATURE, SIGNATURE + DISCLAIMER]
    )
    def test_what_is_the_same_on_all_mail_is_left_out(self, frame: str) -> None:
        """A short note would be lost among it."""
        assert _own("See you on Friday.\n" + frame) == "see you on friday."

    def test_quoted_lines_are_left_out(self) -> None:
        """Before an answer, between answers, and after them."""
        assert _own("> one\n>> two\nyes\n  > three\nno\n| four\n") == "yes no"
        assert "piano" not in _own("Yes.\n" + QUOTED)

    @pytest.mark.parametrize("frame", [DISCLAIMER, ORIGINAL, QUOTED, SIGNATURE])
    def test_alone_they_are_the_text(self, frame: str) -> None:
        """Somebody sends it after all."""
        assert len(_own(frame).split()) > 5

    def test_a_long_signature_is_none(self) -> None:
        """An ornament above the text hides nothing of it."""
        assert "word" in _own("Hello\n-- \n" + "word " * 400)

    @pytest.mark.parametrize(
        "frame",
        [
            COMPANY_SIGNATURE,
            CONTACT_BLOCK,
            COMPANY_SIGNATURE + DISCLAIMER,
            "\nMit freundlichen Grüßen\nAnne\n",
            "\n  Cordialement,\n\nAnne\n",
            "\nUn saludo.\nAnne\n",
        ],
    )
    def test_a_signature_needs_no_mark(self, frame: str) -> None:
        """What follows a valediction, or says where somebody is reached."""
        text = "Could you send me the drawing of the kitchen before Friday?\n"
        assert _own(text + frame) == text.lower().strip()

    @pytest.mark.parametrize(
        "text",
        [
            "Hello\n\nBest regards\n" + "cheap pills for everybody\n" * 4,
            "We have some news\n\nBest regards\n" + "cheap pills for you\n" * 13,
            "We have some news\n\nRegards\nwe sell all these pills to you cheaply.\n",
            "We have some news\n\nRegards\n"
            + "this is a line of a pitch that goes on and on\n" * 3,
            "Hello\n\ncheap pills\nfor everybody\nhttps://pills.example/\n",
            "one two three four five six seven eight\n\nhttps://pills.example/\n",
            "cheap pills\nfor everybody\nhttps://pills.example/\n",
        ],
    )
    def test_a_pitch_is_no_signature(self, text: str) -> None:
        """Where it is long, a sentence, or most of what there is."""
        assert "pills" in _own(text) or "pitch" in _own(text)

    def test_a_notice_takes_its_paragraph_only(self) -> None:
        """Others stay, before and after."""
        text = "one\n\nthis is confidential,\nreally\n \t\ntwo"
        assert _own(text) == "one two"

    @pytest.mark.parametrize(
        "notice",
        ["word " * 25 + "confidential", "\n\n".join(["mailing list word"] * 9)],
    )
    def test_a_long_notice_is_the_text(self, notice: str) -> None:
        """Of many words, or in many paragraphs, to one phrase of a notice."""
        assert "word" in _own("one\n\n" + notice)

    def test_what_is_marked_as_a_signature_has_few_words(self) -> None:
        """More of them, however short, are an advert."""
        assert "word" in _own("Hello\n-- \n" + "word " * 61)

    def test_what_has_neither_marks_nor_signs_stays(self) -> None:
        """Most mail; the quick look says so."""
        text = "a > b, and so on\n--- or not\n"
        assert not has_marks(text)
        assert not has_signs(_words(text))
        assert own_text(text).strip() == text.strip()

    @pytest.mark.parametrize(
        "frame", [DISCLAIMER, LIST_FOOTER, ORIGINAL, QUOTED, SIGNATURE]
    )
    def test_the_quick_look_misses_nothing(self, frame: str) -> None:
        """What would be taken away shows a mark, or a sign."""
        text = "hello\n" + frame.lower()
        assert has_marks(text) or has_signs(_words(text))

    @fast
    @given(
        st.lists(
            st.sampled_from(
                [
                    "\n",
                    "> ",
                    "|",
                    "-- \n",
                    "--\n",
                    "from: a\nsent: b",
                    "-------------------------",
                    "--original message--",
                    "confidential",
                    "mailing list",
                    "word ",
                ]
            ),
            max_size=30,
        ).map("".join)
    )
    def test_something_is_always_left(self, text: str) -> None:
        """Where there was something."""
        assert bool(own_text(text).strip()) is bool(text.strip())
