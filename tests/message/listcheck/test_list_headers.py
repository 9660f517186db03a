"""List headers: each variant that the wild has, and what it is called."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from message.builders import HeaderMap, fast, headers, hostile_values
from outgate.message.listcheck.headers import (
    LIST_HEADERS,
    ListHeaders,
    parse_list_headers,
)
from outgate.message.listcheck.links import MAX_UNSUBSCRIBE_BYTES, MAX_URIS, LinksNote
from outgate.message.listcheck.list_id import MAX_LIST_ID_CHARACTERS, ListIdNote
from outgate.message.listcheck.note import Note
from outgate.message.listcheck.one_click import PostNote, PostValue, UnsubscribeNote
from outgate.message.listcheck.shape import ShapeNote
from outgate.message.listcheck.uri_notes import UriNote

_LINK = "<https://example.org/leave?t=Zm9v>"
_MAIL = "<mailto:leave@example.org>"
_POST = "List-Unsubscribe-Post: List-Unsubscribe=One-Click"


def _parse(block: str) -> ListHeaders:
    return parse_list_headers(headers("List-Id: <news.example.org>\n" + block))


# (variant, headers beside a good List-Id, notes, usable, one-click)
_VARIANTS: list[tuple[str, str, set[Note], bool, bool]] = [
    ("mailto only", f"List-Unsubscribe: {_MAIL}", set(), True, False),
    (
        "https and exact Post",
        f"List-Unsubscribe: {_LINK}\n{_POST}",
        set(),
        True,
        True,
    ),
    (
        "https, mailto and exact Post",
        f"List-Unsubscribe: {_LINK}, {_MAIL}\n{_POST}",
        set(),
        True,
        True,
    ),
    (
        "https without Post",
        f"List-Unsubscribe: {_LINK}",
        {PostNote.POST_MISSING},
        True,
        False,
    ),
    (
        "no List-Unsubscribe",
        "List-Help: <mailto:help@example.org>",
        {UnsubscribeNote.UNSUBSCRIBE_MISSING},
        False,
        False,
    ),
    (
        "Post without List-Unsubscribe",
        _POST,
        {UnsubscribeNote.UNSUBSCRIBE_MISSING, PostNote.POST_WITHOUT_UNSUBSCRIBE},
        False,
        False,
    ),
    (
        "Post with mailto only",
        f"List-Unsubscribe: {_MAIL}\n{_POST}",
        {PostNote.POST_WITHOUT_HTTPS},
        True,
        False,
    ),
    (
        "Post in other case",
        f"List-Unsubscribe: {_LINK}\nList-Unsubscribe-Post: list-unsubscribe=one-click",
        {PostNote.POST_OTHER_CASE},
        True,
        True,
    ),
    (
        "Post with trailing text",
        f"List-Unsubscribe: {_LINK}\n{_POST}; x=1",
        {PostNote.POST_MALFORMED},
        True,
        False,
    ),
    (
        "Post with a comment",
        f"List-Unsubscribe: {_LINK}\n{_POST} (yes)",
        {PostNote.POST_MALFORMED},
        True,
        False,
    ),
    (
        "Post misspelt",
        f"List-Unsubscribe: {_LINK}\nList-Unsubscribe-Post: ListUnsubscribe=One-Click",
        {PostNote.POST_MALFORMED},
        True,
        False,
    ),
    (
        "Post twice",
        f"List-Unsubscribe: {_LINK}\n{_POST}\n{_POST}",
        {ShapeNote.HEADER_REPEATED},
        True,
        False,
    ),
    (
        "two https links",
        f"List-Unsubscribe: {_LINK}, {_LINK}\n{_POST}",
        {UnsubscribeNote.SEVERAL_WEB_URIS},
        True,
        False,
    ),
    (
        "http and https",
        f"List-Unsubscribe: <http://example.org/>, {_LINK}\n{_POST}",
        {UnsubscribeNote.SEVERAL_WEB_URIS},
        True,
        False,
    ),
    (
        "http only",
        "List-Unsubscribe: <http://example.org/leave>",
        set(),
        True,
        False,
    ),
    (
        "http with Post",
        f"List-Unsubscribe: <http://example.org/leave>\n{_POST}",
        {PostNote.POST_WITHOUT_HTTPS},
        True,
        False,
    ),
    (
        "Post and a useless https link",
        f"List-Unsubscribe: <https://127.0.0.1/leave>\n{_POST}",
        {UriNote.HOST_PRIVATE},
        False,
        False,
    ),
    (
        "no brackets",
        "List-Unsubscribe: https://example.org/leave",
        {LinksNote.NOT_BRACKETED},
        False,
        False,
    ),
    (
        "a link before the brackets",
        f"List-Unsubscribe: https://example.org/leave, {_MAIL}",
        {LinksNote.NOT_BRACKETED},
        False,
        False,
    ),
    (
        "a link behind the brackets",
        f"List-Unsubscribe: {_MAIL}, https://example.org/leave",
        {LinksNote.STRAY_TEXT},
        True,
        False,
    ),
    (
        "a copied Message-ID",
        "List-Unsubscribe: <FuXDWwo.0.0.FuXDWwo.9@example.org>",
        {UriNote.SCHEME_MISSING},
        False,
        False,
    ),
    (
        "a relative path",
        "List-Unsubscribe: </unsubscribe/?c=1>",
        {UriNote.SCHEME_MISSING},
        False,
        False,
    ),
    (
        "encoded words around it all",
        (
            "List-Unsubscribe: =?us-ascii?Q?=3Chttps=3A=2F=2Fexample=2Eorg=2Fleave=3F?=\n"
            f" =?us-ascii?Q?t=3DZm9v=3E?=\n{_POST}"
        ),
        {LinksNote.ENCODED_WORD},
        True,
        True,
    ),
    (
        "what looks like an encoded word within a link",
        "List-Unsubscribe: <https://example.org/?q=?utf-8?q?=3C?=>",
        {PostNote.POST_MISSING},
        True,
        False,
    ),
    (
        "comments",
        f"List-Unsubscribe: (the link) {_LINK} (or (by) mail), {_MAIL} (slow)\n{_POST}",
        set(),
        True,
        True,
    ),
    (
        "a fold between the links",
        f"List-Unsubscribe: {_LINK},\n\t{_MAIL}\n{_POST}",
        set(),
        True,
        True,
    ),
    (
        "a fold before the first link",
        f"List-Unsubscribe:\n {_LINK}\n{_POST}",
        set(),
        True,
        True,
    ),
    (
        "a fold within a link, at a comma",
        f"List-Unsubscribe: <https://example.org/leave?d=abc,\n def>\n{_POST}",
        {UriNote.SPACE_IN_URI},
        True,
        True,
    ),
    (
        "no comma between the links",
        f"List-Unsubscribe: {_LINK} {_MAIL}\n{_POST}",
        {LinksNote.COMMA_MISSING},
        True,
        True,
    ),
    (
        "one bracket too many",
        "List-Unsubscribe: <mailto:leave@example.org>>",
        {LinksNote.STRAY_TEXT},
        True,
        False,
    ),
    (
        "an unclosed bracket",
        "List-Unsubscribe: <mailto:leave@example.org",
        {LinksNote.BRACKET_UNCLOSED},
        False,
        False,
    ),
    (
        "an unclosed comment",
        f"List-Unsubscribe: {_MAIL} (by mail",
        {LinksNote.STRAY_TEXT},
        True,
        False,
    ),
    (
        "nothing",
        "List-Unsubscribe:",
        {LinksNote.HEADER_EMPTY},
        False,
        False,
    ),
    (
        "List-Unsubscribe twice",
        f"List-Unsubscribe: {_LINK}\nList-Unsubscribe: {_MAIL}\n{_POST}",
        {ShapeNote.HEADER_REPEATED},
        True,
        False,
    ),
    (
        "another list header twice",
        f"List-Unsubscribe: {_MAIL}\nList-Post: {_MAIL}\nList-Post: NO",
        {ShapeNote.HEADER_REPEATED},
        True,
        False,
    ),
    (
        "a line of a thousand characters",
        f"List-Unsubscribe: <https://example.org/{'a' * 1000}>\n{_POST}",
        {ShapeNote.LINE_TOO_LONG},
        True,
        True,
    ),
    (
        "two thousand characters on three lines",
        (
            f"List-Unsubscribe: {_MAIL},\n <https://example.org/{'a' * 900}>,\n"
            f" <mailto:{'a' * 900}@example.org>\n{_POST}"
        ),
        set(),
        True,
        True,
    ),
    (
        "a placeholder",
        f"List-Unsubscribe: <{{{{unsubscribe}}}}>\n{_POST}",
        {UriNote.TEMPLATE_NOT_EXPANDED, PostNote.POST_WITHOUT_HTTPS},
        False,
        False,
    ),
    (
        "more links than anyone tries",
        "List-Unsubscribe: " + ", ".join([_MAIL] * (MAX_URIS + 1)),
        {LinksNote.TOO_MANY_URIS},
        True,
        False,
    ),
]


class TestListUnsubscribe:
    """RFC 2369 §2, §3.2 and RFC 8058 §3.1, §5: one verdict for each variant."""

    @pytest.mark.parametrize(
        ("block", "notes", "usable", "one_click"),
        [variant[1:] for variant in _VARIANTS],
        ids=[variant[0] for variant in _VARIANTS],
    )
    def test_each_variant_has_its_verdict(
        self, block: str, notes: set[Note], usable: bool, one_click: bool
    ) -> None:
        """What is odd, whether a recipient can leave, whether with one click."""
        found = _parse(block)
        assert set(found.faults) == notes
        assert found.usable_unsubscribe is usable
        assert found.one_click is one_click

    def test_links_stand_in_the_senders_order(self) -> None:
        """RFC 2369 §2: the order is the sender's preference, from left to right."""
        uris = _parse(f"List-Unsubscribe: {_MAIL}, {_LINK}").uris
        assert [uri.scheme for uri in uris] == ["mailto", "https"]
        assert uris[1].text == "https://example.org/leave?t=Zm9v"

    def test_a_comma_within_brackets_divides_nothing(self) -> None:
        """RFC 3986 §2.2: a comma may stand in a link."""
        uris = _parse("List-Unsubscribe: <https://example.org/?a=1,2,3>").uris
        assert [uri.text for uri in uris] == ["https://example.org/?a=1,2,3"]

    @pytest.mark.parametrize("filler", [b"()", b"(", b"(()) ", b"=?utf-8?q?a?= "])
    def test_only_its_beginning_is_looked_at(self, filler: bytes) -> None:
        """64 KB of comments would take longer than all the rest of a message."""
        link = b"<mailto:leave@lists.example.net>"
        for room, found in ((MAX_UNSUBSCRIBE_BYTES - len(link), True), (65_000, False)):
            value = b"()" * (room // 2) + link
            facts = parse_list_headers({"list-unsubscribe": [value]})
            assert facts.usable_unsubscribe is found
        value = link + filler * (65_000 // len(filler))
        assert parse_list_headers({"list-unsubscribe": [value]}).usable_unsubscribe

    def test_each_note_comes_once(self) -> None:
        """Three broken links are one thing to mend."""
        found = _parse("List-Unsubscribe: <a>, <b>, <c>")
        assert found.faults.count(UriNote.SCHEME_MISSING) == 1

    @pytest.mark.parametrize(
        ("value", "status"),
        [
            ("List-Unsubscribe=One-Click", PostValue.EXACT),
            ("  List-Unsubscribe=One-Click  ", PostValue.EXACT),
            ("LIST-UNSUBSCRIBE=ONE-CLICK", PostValue.OTHER_CASE),
            ("", PostValue.MALFORMED),
            ("List-Unsubscribe = One-Click", PostValue.MALFORMED),
        ],
    )
    def test_post_has_one_value(self, value: str, status: PostValue) -> None:
        """RFC 8058 §5; case is free by RFC 5234 §2.3, but noted."""
        assert _parse(f"List-Unsubscribe-Post: {value}").post is status
        assert _parse("").post is PostValue.ABSENT


class TestListId:
    """RFC 2919 §2 and §3."""

    @pytest.mark.parametrize(
        ("value", "list_id", "notes"),
        [
            ("<news.example.org>", "news.example.org", set()),
            ("Anne's news <News.Example.ORG>", "news.example.org", set()),
            ('"A <b> list" <news.example.org>', "news.example.org", set()),
            ("=?utf-8?q?Gr=C3=BC=C3=9Fe?= <a.example.org>", "a.example.org", set()),
            ("<a+b_c/d.example.org>", "a+b_c/d.example.org", set()),
            ("<news.example.org", None, {ListIdNote.LIST_ID_NO_BRACKETS}),
            ("news.example.org", None, {ListIdNote.LIST_ID_NO_BRACKETS}),
            ("news.example.org>", None, {ListIdNote.LIST_ID_NO_BRACKETS}),
            ("", None, {ListIdNote.LIST_ID_NO_BRACKETS}),
            ("zt787h7 <Campaign_name>", None, {ListIdNote.LIST_ID_NO_DOT}),
            ("<news.>", None, {ListIdNote.LIST_ID_NO_DOT}),
            ("<>", None, {ListIdNote.LIST_ID_CHARACTERS}),
            ("<news@example.org>", None, {ListIdNote.LIST_ID_CHARACTERS}),
            ("<grüße.example.org>", None, {ListIdNote.LIST_ID_CHARACTERS}),
            (
                "x <List management>",
                None,
                {ListIdNote.LIST_ID_SPACE, ListIdNote.LIST_ID_NO_DOT},
            ),
            ("<news.\n example.org>", "news.example.org", {ListIdNote.LIST_ID_SPACE}),
            (
                "<.7289367.xt.local>",
                ".7289367.xt.local",
                {ListIdNote.LIST_ID_EMPTY_LABEL},
            ),
            (
                "<news.example.org> (weekly)",
                "news.example.org",
                {ListIdNote.LIST_ID_STRAY_TEXT},
            ),
            (
                "<d41d8cd98f00b204.news.localhost>",
                "d41d8cd98f00b204.news.localhost",
                {ListIdNote.LIST_ID_UNMANAGED},
            ),
            (
                f"<{'a' * MAX_LIST_ID_CHARACTERS}.example.org>",
                None,
                {ListIdNote.LIST_ID_TOO_LONG},
            ),
        ],
    )
    def test_only_what_follows_the_grammar_is_an_identifier(
        self, value: str, list_id: str | None, notes: set[Note]
    ) -> None:
        """RFC 2919 §6: only the part in brackets counts, without case."""
        found = parse_list_headers(
            headers(f"List-Id: {value}\nList-Unsubscribe: {_MAIL}")
        )
        assert found.list_id == list_id
        assert set(found.faults) == notes

    def test_a_list_without_identifier_is_told_so(self) -> None:
        """RFC 2919 §3: a list SHOULD have one."""
        found = parse_list_headers(headers(f"List-Unsubscribe: {_MAIL}"))
        assert found.list_id is None
        assert found.faults == (ListIdNote.LIST_ID_MISSING,)

    def test_of_two_identifiers_the_topmost_is_read(self) -> None:
        """RFC 2919 §3 forbids two; the topmost was added last."""
        found = parse_list_headers(
            headers("List-Id: <b.example.org>\nList-Id: <a.example.org>")
        )
        assert found.list_id == "b.example.org"
        assert ShapeNote.HEADER_REPEATED in found.faults


class TestProperties:
    """Whatever bytes arrive, they are read."""

    @fast
    @given(
        st.dictionaries(
            st.sampled_from(sorted(LIST_HEADERS)),
            st.lists(hostile_values, min_size=1, max_size=2),
            min_size=1,
        )
    )
    def test_any_list_headers_are_read(self, found: HeaderMap) -> None:
        """Nothing is raised, and the facts agree with each other."""
        facts = parse_list_headers(found)
        assert facts.list_id is None or 3 <= len(facts.list_id) <= 255
        assert len(facts.uris) <= MAX_URIS
        assert len(set(facts.remarks)) == len(facts.remarks)
        assert facts.usable_unsubscribe == any(uri.usable for uri in facts.uris)
        if facts.one_click:
            assert facts.usable_unsubscribe
            assert facts.post in {PostValue.EXACT, PostValue.OTHER_CASE}

    @fast
    @given(
        st.lists(
            st.from_regex(r"(https|mailto):[a-z0-9@./?=&,-]{1,30}", fullmatch=True),
            min_size=1,
            max_size=MAX_URIS,
        )
    )
    def test_what_is_written_properly_is_read_again(self, links: list[str]) -> None:
        """Reading what a list wrote gives its links, in its order."""
        value = ", ".join(f"<{link}>" for link in links).encode()
        uris = parse_list_headers({"list-unsubscribe": [value]}).uris
        assert [uri.text for uri in uris] == links
