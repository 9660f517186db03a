"""The words of a message."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from message.builders import fast
from outgate.message.mime_text import Part
from outgate.message.words import MAX_LINKS, MAX_TEXT_CHARACTERS, words_of


def _words(text: str, kind: str = "text/plain") -> set[str]:
    return {word.decode() for word in words_of([Part(kind, text)])[0]}


def _sites(text: str) -> set[bytes]:
    return words_of([Part("text/plain", text)])[1]


class TestWords:
    """What remains of a text."""

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("One, two; THREE's a crowd.", {"one", "two", "three", "crowd"}),
            (
                "order 4711 abc123def snake_case",
                {"order", "abc", "def", "snake", "case"},
            ),
            ("Straße STRASSE", {"strasse"}),
            ("cafe\u0301 caf\u00e9", {"caf\u00e9"}),
            (
                "\uff46\uff52\uff45\uff45 \U0001d41f\U0001d42b\U0001d41e\U0001d41e",
                {"free"},
            ),
            ("fr\u200bee f\u00adr\u2060ee", {"free"}),
            ("FR\u0415\u0415 fr\u0435\u0435", {"free"}),
            ("“one”—two… three\u00a0four", {"one", "two", "three", "four"}),
            ("נָשִׁים हिन्दी ภาษา", {"נָשִׁים", "हिन्दी", "ภาษา"}),
            ("١٢٣ 123 ①", set()),
            ("", set()),
        ],
    )
    def test_spelling_is_folded(self, text: str, words: set[str]) -> None:
        """Case, digits, composition, width, invisible and lookalike letters."""
        folded = {word for one in words for word in _words(one)}
        assert _words(text) == folded
        assert bool(folded) is bool(words)

    @pytest.mark.parametrize("text", ["привет друзья", "καλημέρα κόσμε"])
    def test_other_alphabets_have_words(self, text: str) -> None:
        """Their letters that look Latin are folded everywhere alike."""
        assert len(_words(text)) == 2
        assert _words(text) == _words(text.upper())

    @pytest.mark.parametrize(
        ("text", "pair"),
        [("你好世界", "好世"), ("東京タワー", "京タ"), ("안녕하세요", "하세")],
    )
    def test_without_spaces_pairs_are_words(self, text: str, pair: str) -> None:
        """Chinese, Japanese, Korean."""
        assert pair in _words(text)

    def test_grammar_is_no_word(self) -> None:
        """Pairs of Hiragana are in every Japanese text."""
        assert "ます" not in _words("東京に行きます")

    def test_html_says_what_plain_text_says(self) -> None:
        """Markup is no words."""
        html = "<html><body><p class=red>One <b>tw</b>o</p><a href='x'>three</a>"
        assert _words(html, "text/html") == _words("one two\nthree")

    def test_quotes_signatures_and_notices_are_no_words(self) -> None:
        """In HTML neither."""
        text = "own\n> quoted\n\nthis is confidential\n-- \nsignature\n"
        html = "own<br>&gt; quoted<p>this is confidential<p>-- <p>signature"
        assert _words(text) == _words(html, "text/html") == {"own"}

    def test_only_the_beginning_is_read(self) -> None:
        """Of all parts together."""
        parts = [Part("text/plain", f"{word} " * 1_200) for word in ("one", "two")]
        last = Part("text/plain", "three")
        assert words_of([*parts, last])[0] == {b"one", b"two"}
        assert sum(len(part.text) for part in parts) > MAX_TEXT_CHARACTERS


class TestSites:
    """Links are known by where they lead."""

    @pytest.mark.parametrize(
        "link",
        [
            "https://shop.example/a/b?token=abc",
            "HTTP://WWW.Shop.example",
            "http://a1b2.news.shop.example./x",
            "https://user:secret@shop.example/",
            "https://shop.example:8443/",
        ],
    )
    def test_only_the_site_of_a_link_counts(self, link: str) -> None:
        """Names of hosts and everything behind them are another in each copy."""
        assert _sites(f"See {link} now") == {b"shop.example"}
        assert _words(f"See {link} now") == {"see", "now"}

    def test_links_in_markup_count(self) -> None:
        """Shown is only their text."""
        parts = [Part("text/html", "<a href='https://a.example/token'>here</a>")]
        assert words_of(parts)[:2] == ({b"here"}, {b"a.example"})

    def test_links_are_counted(self) -> None:
        """Past the last none is read."""
        text = " ".join(f"https://site{number}.example/" for number in range(999))
        assert len(_sites(text)) == MAX_LINKS


class TestAnything:
    """Whatever a text is."""

    @fast
    @given(
        st.lists(
            st.builds(Part, st.sampled_from(["text/plain", "text/html"]), st.text()),
            max_size=3,
        )
    )
    def test_any_text_has_words(self, parts: list[Part]) -> None:
        """Nothing is raised; they are of letters."""
        words, sites, _ = words_of(parts)
        assert all(len(word) > 2 for word in words)
        assert all(isinstance(site, bytes) for site in sites)

    @fast
    @given(st.text(max_size=60))
    def test_case_says_nothing(self, text: str) -> None:
        """In ASCII."""
        text = text.encode("ascii", "ignore").decode()
        assert _words(text) == _words(text.upper()) == _words(text.lower())

    def test_lone_surrogates_are_read(self) -> None:
        """Some codecs let them pass."""
        assert _words("one \ud800two three") >= {"one", "three"}
