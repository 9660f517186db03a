"""Whatever bytes arrive as list headers, they are judged, alike under any fold, in time."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from message.builders import HeaderMap, fast, header_names, headers, hostile_values
from outgate.message.listcheck.check import (
    CHECKED_HEADERS,
    JUDGED_HEADERS,
    ListCheck,
    ListContext,
    check_list,
)
from outgate.message.listcheck.headers import parse_list_headers
from outgate.message.listcheck.links import (
    MAX_URIS,
    LinksNote,
    begins_with_plain_link,
    each_link,
    read_links,
)
from outgate.message.listcheck.list_id import ListIdNote, OwnLists, read_list_id
from outgate.message.listcheck.note import Level, Note, Remark
from outgate.message.listcheck.one_click import PostNote, PostValue, read_post
from outgate.message.listcheck.shape import ShapeNote
from outgate.message.listcheck.uri import parse_uri
from outgate.message.listcheck.uri_notes import UriNote
from outgate.message.listcheck.write import write_links, write_list_id, write_post

# All that re-folding may change.
_ON_FOLDS = {*ShapeNote, PostNote.POST_FOLDED}

_contexts = st.builds(
    ListContext,
    own=st.none() | st.just(OwnLists(frozenset({"news.example.org"}))),
    will_sign=st.none() | st.just(frozenset({"list-unsubscribe"})),
)
_blocks = st.dictionaries(
    st.sampled_from(sorted(CHECKED_HEADERS)) | header_names,
    st.lists(hostile_values, max_size=3),
    max_size=8,
)
_links = st.from_regex(
    r"https://[a-z]{1,9}\.org/[a-z0-9./,;~-]{0,20}(\?[a-z]=[a-z0-9,]{0,9})?"
    r"|mailto:[a-z0-9+.-]{1,9}@[a-z]{1,9}\.org(\?subject=[a-z0-9,%]{0,0}[a-z]{1,9})?",
    fullmatch=True,
)
_plain_links = st.from_regex(
    rb" ?<https?://[a-z0-9.-]{1,12}\.(org|local|[a-z]{1,3}|[0-9.]{1,9})"
    rb"[/?]?[A-Za-z0-9/?#:%&{}\[\]@,-]{0,9}>?",
    fullmatch=True,
)
_list_ids = st.from_regex(r"[a-z0-9_+-]{1,20}(\.[a-z0-9-]{1,9}){1,3}", fullmatch=True)


def _faults(check: ListCheck) -> list[Remark]:
    return [one for one in check.remarks if one.note not in _ON_FOLDS]


class TestAnyBytes:
    """Facts, never an exception."""

    @fast
    @given(_blocks, _contexts)
    def test_any_headers_have_a_verdict(
        self, block: HeaderMap, context: ListContext
    ) -> None:
        """Each remark once, of a header that is judged, and the facts agree with it."""
        check = check_list(block, context)

        assert len(set(check.remarks)) == len(check.remarks)
        assert {one.header for one in check.remarks} <= set(JUDGED_HEADERS)
        assert set(check.facts.remarks) <= set(check.remarks)
        assert check.level.rank >= check.facts.level.rank
        if not check.facts.usable_unsubscribe:
            assert check.level.rank >= Level.WEAK.rank
        if check.facts.one_click:
            assert check.facts.usable_unsubscribe

    @fast
    @given(hostile_values | _plain_links)
    def test_the_plainest_link_is_usable_by_the_whole_reading_too(
        self, value: bytes
    ) -> None:
        """Its short cut says nothing that reading it in full would not say."""
        if begins_with_plain_link(value):
            assert next(each_link([value], [])).usable

    def test_what_most_lists_write_takes_the_short_cut(self) -> None:
        """And what nobody can follow does not."""
        assert begins_with_plain_link(b" <https://l.example.org/leave?t=Zm9v&n=1>, <x>")
        assert not begins_with_plain_link(b"<https://10.0.0.1/leave>")
        assert not begins_with_plain_link(b"<https://example.org/{{token}}>")

    @fast
    @given(_blocks)
    def test_what_is_proposed_is_read_without_a_fault_of_its_own(
        self, block: HeaderMap
    ) -> None:
        """Its links, its identifier, its value; what else is wrong may stay wrong."""
        notes: list[Note] = []
        for name, text in check_list(block).proposals.items():
            value = text.encode()
            if name == "list-id":
                assert read_list_id([value], notes) is not None
            elif name == "list-unsubscribe":
                assert all(uri.usable for uri in read_links([value], notes))
            else:
                assert read_post([value], notes) is PostValue.EXACT
        assert not set(notes) - {
            ListIdNote.LIST_ID_UNMANAGED,
            UriNote.URI_CHARACTERS,
            UriNote.MAILTO_FIELDS,
        }


class TestFolds:
    """RFC 5322 §2.2.3: a fold is white space."""

    @fast
    @given(_blocks, st.data())
    def test_refolding_changes_no_verdict(
        self, block: HeaderMap, data: st.DataObject
    ) -> None:
        """Only notes on folds and lengths of lines differ: those of `shape`, and one."""
        plain = {
            name: [value.replace(b"\r\n", b"").replace(b"\n", b"") for value in values]
            for name, values in block.items()
        }
        fold = data.draw(st.sampled_from([b"\n", b"\r\n"]))
        folded = {
            name: [self._fold(data, value, fold) for value in values]
            for name, values in plain.items()
        }

        before, after = check_list(plain), check_list(folded)

        assert _faults(before) == _faults(after)
        assert before.facts.list_id == after.facts.list_id
        assert before.facts.uris == after.facts.uris
        assert before.facts.post == after.facts.post
        assert before.facts.one_click == after.facts.one_click
        assert before.kind == after.kind

    @staticmethod
    def _fold(data: st.DataObject, value: bytes, fold: bytes) -> bytes:
        result = bytearray()
        for byte in value:
            if byte in b" \t" and data.draw(st.booleans()):
                result += fold
            result.append(byte)
        return bytes(result)


class TestPrinting:
    """Reading what was printed gives the same again."""

    @fast
    @given(st.lists(_links, min_size=1, max_size=MAX_URIS))
    def test_links(self, links: list[str]) -> None:
        """In their order, with nothing to remark but the fold between them."""
        uris = [parse_uri(link.encode()) for link in links]
        notes: list[Note] = []

        read = read_links([write_links(uris).encode()], notes)

        assert list(read) == uris
        assert not {*notes} & {*LinksNote}
        assert write_links(read) == write_links(uris)

    @fast
    @given(_list_ids)
    def test_an_identifier(self, list_id: str) -> None:
        """Lower case as it is compared."""
        notes: list[Note] = []
        assert read_list_id([write_list_id(list_id).encode()], notes) == list_id
        assert not notes

    def test_the_post_value(self) -> None:
        """There is only one."""
        assert read_post([write_post().encode()], []) is PostValue.EXACT


_MEGABYTE = 1_000_000


class TestBounds:
    """Linear in the bytes that came, however they are arranged."""

    @pytest.mark.timeout(60)
    @pytest.mark.parametrize(
        "piece",
        [
            b"(",
            b"()",
            b"<",
            b"<>",
            b"<>,",
            b">",
            b",",
            b"\\",
            b'"',
            b"@",
            b":",
            b";h=a:",
            b"=?utf-8?q?=3C?= ",
            b"=?",
            b"?=",
            b"%",
            b"{{",
            b"[a",
            b"a.",
            b".",
            b"\n ",
            b"\r\n\t",
            b" ",
            b"<https://example.org/>",
            b"<mailto:a@example.org?a=b&",
            b"https://example.org/ ",
            b"no ",
        ],
    )
    @pytest.mark.parametrize(
        "start", [b"", b"<", b"<https://", b"(", b"<mailto:a@b.org?"]
    )
    def test_a_megabyte_is_read_at_once(self, piece: bytes, start: bytes) -> None:
        """In a header that is read whole, and in two that are cut."""
        value = start + piece * (_MEGABYTE // len(piece))
        names = ("list-unsubscribe", "list-id", "dkim-signature")
        block = {name: [value] for name in names}

        begun = time.process_time()
        check = check_list(block)
        spent = time.process_time() - begun

        assert spent < 5
        assert len(check.remarks) < 100

    def test_five_hundred_of_each_are_read_at_once(self) -> None:
        """Only the topmost is read, the others are counted."""
        value = b"<https://example.org/" + b"a" * 1900 + b">"
        block = {name: [value] * 500 for name in CHECKED_HEADERS}

        begun = time.process_time()
        check = check_list(block)
        spent = time.process_time() - begun

        assert spent < 5
        assert check.level is Level.BAD

    def test_the_cost_of_policys_part_is_a_part(self) -> None:
        """What every message pays reads no signature and no header beside."""
        block = headers("Feedback-ID: x\nCFBL-Address: x\nDKIM-Signature: x")
        said = {one.header for one in parse_list_headers(block).remarks}
        assert said == {"list-id", "list-unsubscribe"}
