"""HTML: what a reader would see of it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from message.builders import fast
from outgate.message.markup import read_html

_PIECES = (
    '< > <!-- --> <style </style> <b </b> display:none type="cite" <blockquote '
    '</blockquote> class="gmail_signature &# &#x &amp 1114112 ;'
)


def _seen(html: str) -> str:
    return " ".join(read_html(html).split())


class TestSeen:
    """What is shown, and what is not."""

    @pytest.mark.parametrize(
        ("html", "text"),
        [
            ("<p>one</p><p>two", "one two"),
            ("one<br/>two<td>three", "one two three"),
            ("fr<b>e</b>e <font size=7>off</font>er", "free offer"),
            ("fr<xyz>e</xyz>e", "free"),
            ("fr<!-- noise -->ee", "free"),
            ("fr<!-- > -->ee", "free"),
            ("<style>p {color: red}</style>one", "one"),
            ("<title>noise</title>one", "one"),
            ("one<script>if (a < b) noise()</script>two", "onetwo"),
            ("one\ntwo\r\n\r\nthree", "one two three"),
            ("a < b", "a < b"),
            ("one <unfinished", "one <unfinished"),
        ],
    )
    def test_only_blocks_divide_words(self, html: str, text: str) -> None:
        """Whatever else stands inside a word is noise."""
        assert _seen(html) == text

    @pytest.mark.parametrize(
        ("html", "text"),
        [
            ("gr&uuml;&szlig;e", "grüße"),
            ("gr&#252;&#xdf;e", "grüße"),
            ("one&nbsp;two&amp;three", "one two&three"),
            ("one&unknown;two", "one two"),
            ("&#0;&#xd800;&#9999999;one", "\x00 one"),
            ("a&b; & c", "a&b; & c"),
        ],
    )
    def test_references_are_characters(self, html: str, text: str) -> None:
        """HTML §13.5; those that are none are spaces."""
        assert _seen(html) == text

    @pytest.mark.parametrize(
        "html",
        [
            "one<div style='display:none'>noise</div>",
            "one<p style='color:red; display : none'>noise</p>",
            "one<span style=visibility:hidden>noise</span>",
            "one<span style=font-size:0px>noise</span>",
            "one<b style=opacity:0.0>noise</b>",
            "<img style=display:none>one<i style=display:none>noise</i>",
            "one<b style=display:none><br>noise</b>",
            "one<p style='color:#fff'>noise</p>",
            "one<p style='color: #fefefe; margin:0'>noise</p>",
            "one<font color=white>noise</font>",
            "<body bgcolor=#ffffff>one<span style=color:rgb(255,255,254)>noise</span>",
            "one<b style='background:#123456;color:#123456'>noise</b>",
            "one<b style='color:#123; background-color:#123'>noise</b>",
            "one<div style='max-height:0;overflow:hidden'>noise</div>",
            "one<p style='overflow:hidden;width:0px'>noise</p>",
            "one<div style='font-size:0'>noise <p>noise</p></div>",
            "one<span style=font-size:1px>noise</span>",
            "one<div style='display:block;display:none'>noise</div>",
            "one<div style='display:none;display:none'>noise</div>",
            "one<div style='display:none !important;display:block'>noise</div>",
            'one<div title=x style="color:red; display:none">noise</div>',
            "one<font size=1 color='white'>noise</font>",
            "one<div style='font-size: 1px; line-height: 1px'>noise</div>",
        ],
    )
    def test_hidden_text_is_not_seen(self, html: str) -> None:
        """Words for filters only."""
        assert _seen(html) == "one"

    @pytest.mark.parametrize(
        "html",
        [
            "<div style='display:block'>one</div>",
            "<span style='font-size:0.9em'>one</span>",
            "<td style='font-size:0px'><div style='font-size:13px'>one</div></td>",
            "<b style='opacity:0.5'>one</b>",
            "<b style=display:none>one",
            "<body bgcolor='#000000'><p style='color:#fff'>one</p>",
            "<style>td {background: navy}</style><p style='color:#fff'>one</p>",
            "<p style='color:#fff'><b style='color:#000'>one</b></p>",
            "<p style='background-color:#fff'>one</p>",
            "<p style='line-height:0;overflow:hidden'>one</p>",
            "<p style='border-width:0;overflow:hidden'>one</p>",
            "<p style='height:0'>one</p>",
            "<div style='font-size:0'><p class=big>one</p></div>",
            "<span style=font-size:12px>one</span>",
            "<span style=font-size:1em>one</span>",
            "<p style='mso-hide:all'>one</p>",
            "<div title='display:none'>one</div>",
            "<div title=\"x style='display:none'\">one</div>",
            "<div style='display:none;display:block'>one</div>",
            "<div style='display:block!important;display:none'>one</div>",
            "<div style='color:red' style='display:none'>one</div>",
            "<span style='font-size:0;font:16px serif'>one</span>",
            "<p style='max-height:0;max-height:9em;overflow:hidden'>one</p>",
            "<div style='visibility:hidden'><p style='visibility:visible'>one</div>",
            "<p style='display:none'><p>one</p>",
            "<p style='display:none'><div>one</div></p>",
            "<titles>one</titles></title>",
            "<stylex>one</style>",
        ],
    )
    def test_what_is_small_or_never_ends_is_seen(self, html: str) -> None:
        """Programs use sizes of nothing to remove gaps between blocks."""
        assert _seen(html) == "one"

    @pytest.mark.parametrize(
        "html",
        [
            'one<blockquote type="cite">quote</blockquote>',
            'one<div class="gmail_quote">x wrote: <blockquote>quote</blockquote></div>',
            'one<div id="divrplyfwdmsg">from: x</div><p>quote</p>',
            'one<div class="gmail_signature">signature</div>',
            '<div><blockquote type="cite">quote</blockquote></div>one',
        ],
    )
    def test_what_a_program_quotes_or_signs_is_left_out(self, html: str) -> None:
        """As lines that begin with ">" are."""
        assert _seen(html) == "one"

    def test_a_quote_can_be_read(self) -> None:
        """Where it is what a message is sent for; a signature never is."""
        html = (
            'one<blockquote type="cite">quote</blockquote>'
            '<div class="gmail_signature">signature</div>'
        )
        assert read_html(html, quoted=True).split() == ["one", "quote"]

    def test_a_long_signature_is_the_text(self) -> None:
        """Whatever a program calls it."""
        html = 'one<div class="gmail_signature">' + "advert " * 61 + "</div>"
        assert "advert" in _seen(html)

    def test_a_quote_alone_is_the_text(self) -> None:
        """A message that only passes another on."""
        assert _seen('<blockquote type="cite">quote</blockquote>') == "quote"

    @fast
    @given(
        st.lists(
            st.one_of(st.sampled_from(_PIECES.split()), st.text(max_size=5)),
            max_size=40,
        ).map("".join)
    )
    def test_anything_is_read(self, html: str) -> None:
        """Nothing is raised."""
        assert isinstance(read_html(html), str)
