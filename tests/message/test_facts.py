"""All facts of a message at once: the promises of the whole room."""

from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from message.builders import (
    HeaderMap,
    a_transaction,
    fast,
    headers,
    hostile_headers,
)
from outgate.message.facts import Facts, read_facts
from outgate.message.fingerprint import fingerprint
from outgate.message.listcheck.headers import (
    ListHeaders,
    can_be_left,
    parse_list_headers,
)
from outgate.message.listcheck.one_click import PostNote
from outgate.message.listcheck.shape import ShapeNote
from outgate.message.local_user import sendmail_local_user
from outgate.message.optin_evidence import Refused, Token, parse_token
from outgate.message.retry import retry_material
from outgate.message.wanted import WANTED_HEADERS
from outgate.model.address import Address
from outgate.model.consent import TokenResult
from outgate.model.transaction import MAX_HEADER_BYTES
from outgate.model.verdict import MailClass

# Another text as base64 than as it is; few words, so that a subject counts.
_BODY = b"UmVhZCBtZQ=="
_QUOTE = b"Look\n> a quote of more words than there are beside it\n"


class _All(NamedTuple):
    facts: Facts
    lists: ListHeaders
    retry: bytes
    local_user: str | None
    bands: tuple[bytes, ...]
    tokens: tuple[Token | TokenResult, ...]


def _token(value: bytes) -> Token | TokenResult:
    token = parse_token(value)
    return token.result if isinstance(token, Refused) else token


def _read_all(found: HeaderMap) -> _All:
    transaction = a_transaction(found)
    return _All(
        read_facts(transaction),
        parse_list_headers(found),
        retry_material(transaction),
        sendmail_local_user(found),
        fingerprint(found, _BODY) + fingerprint(found, _QUOTE),
        tuple(map(_token, found.get("opt-in-evidence", ()))),
    )


class TestFacts:
    """What policy gets."""

    def test_a_personal_mail(self) -> None:
        """It is no list's, and calls itself nothing."""
        facts = read_facts(
            a_transaction("From: Anne <anne@example.com>\nSubject: Dinner")
        )
        assert facts == Facts(
            mail_class=MailClass.PERSONAL,
            declares_bulk=False,
            header_from=Address("anne", "example.com"),
            list_id="",
            forwarded=False,
        )

    def test_a_newsletter(self) -> None:
        """Its identifier is at hand without its list headers."""
        facts = read_facts(
            a_transaction(
                "From: news@example.org\n"
                "List-Id: News <news.Example.org>\n"
                "List-Unsubscribe: <https://example.org/leave>\n"
                "List-Unsubscribe-Post: List-Unsubscribe=One-Click"
            )
        )
        assert facts.mail_class is MailClass.LIST
        assert facts.declares_bulk
        assert facts.list_id == "news.example.org"

    def test_a_broken_identifier_is_none(self) -> None:
        """A list without a name is bulk."""
        facts = read_facts(a_transaction("List-Id: news"))
        assert facts.list_id == ""
        assert facts.mail_class is MailClass.BULK


class TestWantedHeaders:
    """The session keeps what facts are read from, and nothing else."""

    @fast
    @given(hostile_headers)
    def test_other_headers_change_no_fact(self, found: HeaderMap) -> None:
        """So they need not be kept."""
        wanted = {name: found[name] for name in found.keys() & WANTED_HEADERS}
        assert _read_all(found) == _read_all(wanted)

    @pytest.mark.parametrize("name", sorted(WANTED_HEADERS))
    def test_each_wanted_header_is_read(self, name: str) -> None:
        """A name that no fact depends on is not worth its bytes."""
        values = {
            "auto-submitted": "auto-replied",
            "content-transfer-encoding": "base64",
            "content-class": "urn:content-classes:calendarmessage",
            "content-type": "text/calendar; method=REQUEST",
            "from": "anne@example.com",
            "precedence": "bulk",
            "received": "(from anne@localhost) by a (8/8/Submit) id 1; x",
            "x-mailer": "phplist",
            "x-php-originating-script": "33:x.php",
            "x-php-script": "shop.example/x.php for 203.0.113.9",
        }
        found = headers(f"{name}: {values.get(name, 'x')}")
        bounce = a_transaction(found, sender=b"<>")
        changed = read_facts(bounce) != read_facts(a_transaction("", sender=b"<>"))
        assert changed or _read_all(found) != _read_all({})

    def test_names_are_lower_case(self) -> None:
        """As the session looks them up."""
        assert all(name == name.lower() for name in WANTED_HEADERS)


class TestHostileMessages:
    """Whatever bytes arrive, they are read, in time and memory that are bounded."""

    @fast
    @given(hostile_headers, st.binary(max_size=40), st.integers(0, 3))
    def test_any_headers_have_facts(
        self, found: HeaderMap, sender: bytes, recipients: int
    ) -> None:
        """Nothing is raised."""
        facts = read_facts(a_transaction(found, sender=sender, recipients=recipients))
        lists = parse_list_headers(found)
        assert facts.list_id == (lists.list_id or "")
        assert can_be_left(found) is lists.usable_unsubscribe
        assert facts.mail_class is not MailClass.INBOUND

    @pytest.mark.timeout(60)
    @pytest.mark.parametrize(
        "piece",
        [
            b"(",
            b"()",
            b"\\",
            b'"',
            b'\\"',
            b'"\\',
            b"<",
            b"<>",
            b"<a>",
            b"<a> ",
            b"<a>,",
            b"<(",
            b",",
            b":",
            b"a@:",
            b"@",
            b"a@b,",
            b" ",
            b"\r",
            b"\n",
            b"\r\n ",
            b"=?",
            b"=?utf-8?q?",
            b"=?utf-8?q?=3C?= ",
            b"=?utf-8?b?a?=",
            b"{",
            b"{a",
            b"[a",
            b"%",
            b"<{{",
            b"<https://",
            b"<https://a.",
            b"<mailto:%40",
            b"<mailto:a@b.org>,",
            b"a.",
            b"-",
            b"; method",
            b"multipart/report;",
            b"; report-type=",
            b"\xff",
            b"\xc3\xa4",
        ],
    )
    def test_a_repeated_piece_costs_linear_time(self, piece: bytes) -> None:
        """Four times what a session keeps: a quadratic parser would take hours."""
        value = piece * (4 * MAX_HEADER_BYTES // len(piece))
        for prefix in (b"", b"<", b"text/calendar", b"(from a@localhost) by "):
            _read_all({name: [prefix + value] for name in WANTED_HEADERS})

    def test_as_many_values_as_fit_are_read(self) -> None:
        """A header may come ten thousand times."""
        values = [b"<https://example.org/>"] * 10_000
        assert _read_all(dict.fromkeys(WANTED_HEADERS, values)).facts.declares_bulk


_TYPICAL = [
    "From: =?utf-8?q?Anne?= Example (at home) <anne@example.com>",
    'From: "Example, Anne" <anne@example.com> , bart@example.net',
    "List-Id: Anne's news <news.example.org>",
    "List-Id: x <List management>",
    "List-Unsubscribe: (one) <https://example.org/a,b> , <mailto:a@example.org>",
    "List-Unsubscribe: =?us-ascii?q?=3Cmailto=3Aa=40?= =?us-ascii?q?example=2Eorg=3E?=",
    "List-Unsubscribe: <mailto:a@example.org> <https://example.org/a b>",
    "List-Unsubscribe-Post: List-Unsubscribe=One-Click",
    "Auto-Submitted: (by hand) auto-replied (vacation)",
    "Precedence: bulk",
    'Content-Type: multipart/report; report-type=delivery-status; boundary="a b"',
    "Content-Type: text/calendar; charset=utf-8; method=REQUEST",
    "Subject: Dinner on  Friday",
    "Message-ID: <1 @example.com>",
    "X-Mailer: phpList v3.6 beta",
    "Received: (from anne@localhost) by a (8/8/Submit) id 1; Tue, 3 Mar 2026",
]


class TestRefolding:
    """RFC 5322 §2.2.3: a header means the same however it is folded."""

    @fast
    @given(
        st.lists(st.sampled_from(_TYPICAL), max_size=6),
        st.sampled_from([b"\n", b"\r\n"]),
        st.data(),
    )
    def test_a_fold_changes_no_meaning(
        self, lines: list[str], fold: bytes, data: st.DataObject
    ) -> None:
        """A line break may stand before any white space, and the first may be gone."""
        plain = headers("\n".join(lines))
        folded = {
            name: [self._refold(value, fold, data) for value in values]
            for name, values in plain.items()
        }
        assert self._meaning(plain) == self._meaning(folded)

    @staticmethod
    def _refold(value: bytes, fold: bytes, data: st.DataObject) -> bytes:
        result = b""
        for byte in b" " * data.draw(st.booleans()) + value:
            if byte == ord(" ") and data.draw(st.booleans()):
                result += fold
            result += bytes([byte])
        return result

    @staticmethod
    def _meaning(found: HeaderMap) -> list[object]:
        facts, lists, retry, local_user, bands, tokens = _read_all(found)
        # Re-folding changes what is said of folds, and nothing else.
        shape = {*ShapeNote, PostNote.POST_FOLDED}
        notes = [one for one in lists.remarks if one.note not in shape]
        return [
            facts.mail_class,
            facts.declares_bulk,
            facts.header_from,
            facts.list_id,
            facts.forwarded,
            (facts.script, facts.site),
            notes,
            (lists.uris, lists.post, lists.one_click),
            retry,
            tokens,
            local_user,
            bands,
        ]
