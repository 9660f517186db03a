"""The verdict: each variant of list headers, its note and its level.

The first table can be read by itself: header lines, then what is said of them. All
that is not written there is a good list of announcements.
"""

import pytest

from message.builders import HeaderMap, headers
from outgate.message.listcheck.check import (
    CHECKED_HEADERS,
    ListCheck,
    ListContext,
    check_list,
)
from outgate.message.listcheck.kind import ListKind, kind_of
from outgate.message.listcheck.list_id import OwnLists
from outgate.message.listcheck.note import Level
from outgate.message.listcheck.notes import NOTES
from outgate.message.listcheck.signature import MAX_SIGNATURES

ID = "List-Id: News <news.example.org>"
LINK = "<https://example.org/leave?t=Zm9v>"
MAIL = "<mailto:leave@example.org>"
POST = "List-Unsubscribe-Post: List-Unsubscribe=One-Click"
U = "List-Unsubscribe:"
TALK = "List-Post: <mailto:talk@example.org>"
GOOD = f"{U} {LINK}\n{POST}"
HIDDEN = "=?us-ascii?Q?=3Chttps=3A=2F=2Fexample=2Eorg=2Fleave=3E?="
FULL_H = "h=From:List-Unsubscribe:List-Unsubscribe-Post"
LONG = "a" * 1000

# variant | header lines beside a good List-Id | note | level of the header
VARIANTS = [
    # A mailto link.
    ("discussion, mailto", f"{U} {MAIL}\n{TALK}", "mailto-only-discussion", "ok"),
    (
        "discussion, mailto with subject",
        f"{U} <mailto:l@example.org?subject=leave>\n{TALK}",
        "mailto-only-discussion",
        "ok",
    ),
    ("announcements, mailto", f"{U} {MAIL}", "mailto-only", "fix"),
    # An https link.
    ("https and Post", GOOD, "one-click", "ok"),
    ("https, mailto, Post", f"{U} {LINK}, {MAIL}\n{POST}", "one-click", "ok"),
    ("https without Post", f"{U} {LINK}", "post-missing", "fix"),
    # List-Unsubscribe-Post.
    ("Post alone", POST, "post-without-unsubscribe", "bad"),
    ("Post and mailto", f"{U} {MAIL}\n{POST}", "post-without-https", "bad"),
    ("Post, no links", f"{U} see below\n{POST}", "post-without-https", "bad"),
    ("Post in capitals", f"{U} {LINK}\n{POST.upper()}", "post-other-case", "fix"),
    ("Post, more text", f"{U} {LINK}\n{POST}; v=1", "post-malformed", "bad"),
    ("Post, comment", f"{U} {LINK}\n{POST} (RFC 8058)", "post-malformed", "bad"),
    ("Post, space", f"{U} {LINK}\n{POST[:-10]} =One-Click", "post-malformed", "bad"),
    (
        "Post, folded",
        f"{U} {LINK}\nList-Unsubscribe-Post:\n List-Unsubscribe=One-Click",
        "post-folded",
        "fix",
    ),
    ("Post, misspelt", f"{U} {LINK}\nX-{POST}", "post-misspelt", "fix"),
    # Several web links.
    ("two https", f"{U} {LINK}, <https://a.org/>\n{POST}", "several-web-uris", "fix"),
    ("http, https", f"{U} <http://a.org/>, {LINK}\n{POST}", "several-web-uris", "fix"),
    # Plain http.
    (
        "discussion, http",
        f"{U} <http://example.org/>\nPrecedence: list",
        "plain-http-discussion",
        "ok",
    ),
    ("announcements, http", f"{U} <http://example.org/>", "plain-http", "fix"),
    ("http, Post", f"{U} <http://example.org/>\n{POST}", "post-without-https", "bad"),
    # What is no link in brackets.
    ("no brackets", f"{U} https://example.org/leave", "not-bracketed", "weak"),
    ("link, then brackets", f"{U} mailto:l@a.org, {LINK}", "not-bracketed", "weak"),
    ("brackets, then link", f"{U} {LINK}, mailto:l@a.org", "stray-text", "fix"),
    ("a bracket too many", f"{U} {MAIL}>", "stray-text", "fix"),
    ("an open bracket", f"{U} <mailto:leave@example.org", "bracket-unclosed", "weak"),
    ("no comma", f"{U} {LINK} {MAIL}", "comma-missing", "fix"),
    ("nothing", f"{U}", "header-empty", "weak"),
    ("only a comment", f"{U} (none)", "header-empty", "weak"),
    ("no header at all", TALK, "unsubscribe-missing", "weak"),
    ("seventeen links", f"{U} " + ", ".join([MAIL] * 17), "too-many-uris", "fix"),
    # What is no link at all.
    ("a Message-ID", f"{U} <4711.x@example.org>", "scheme-missing", "bad"),
    ("a path", f"{U} </unsubscribe/?c=1>", "scheme-missing", "bad"),
    ("a host", f"{U} <www.example.org/leave>", "scheme-missing", "bad"),
    ("another scheme", f"{U} <ftp://example.org/leave>", "scheme-unusable", "weak"),
    # Encoded words, comments, folds.
    ("encoded words", f"{U} {HIDDEN}\n{POST}", "encoded-word", "fix"),
    ("a comment", f"{U} (web) {LINK} (or (by) mail), {MAIL}\n{POST}", "comment", "ok"),
    ("a fold between", f"{U} {LINK},\n {MAIL}\n{POST}", "folded", "ok"),
    ("a fold before", f"{U}\n {LINK}\n{POST}", "leading-fold", "ok"),
    ("a fold within", f"{U} <https://a.org/?a=b,\n c>\n{POST}", "space-in-uri", "fix"),
    ("a space within", f"{U} < {LINK[1:]}\n{POST}", "space-in-uri", "fix"),
    # Twice, too long.
    ("twice", f"{U} {LINK}\n{U} {MAIL}\n{POST}", "header-repeated", "bad"),
    ("Post twice", f"{U} {LINK}\n{POST}\n{POST}", "header-repeated", "bad"),
    ("List-Id twice", f"{ID}\n{GOOD}", "header-repeated", "bad"),
    (
        "List-Help twice",
        f"{GOOD}\n" + f"List-Help: {MAIL}\n" * 2,
        "header-repeated",
        "bad",
    ),
    ("a long line", f"{U} <https://a.org/{LONG}>\n{POST}", "line-too-long", "bad"),
    ("a long link", f"{U} <https://a.org/{LONG * 8}>", "uri-too-long", "bad"),
    # Characters.
    ("ä in an address", f"{U} <mailto:ä@example.org>", "non-ascii-address", "fix"),
    ("ä in a web link", f"{U} <https://example.org/ä>", "non-ascii", "bad"),
    ("a bar", f"{U} <https://example.org/?a|b>\n{POST}", "uri-characters", "fix"),
    ("a NUL", f"{U} <https://example.org/\0>\n{POST}", "control-in-uri", "bad"),
    ("= in a body", f"{U} <mailto:l@a.org?body=c=1>", "mailto-fields", "fix"),
    ("/ in a subject", f"{U} <mailto:l@a.org?subject=a/b>", "mailto-fields", "fix"),
    # Hosts.
    ("localhost", f"{U} <https://localhost/leave>\n{POST}", "host-private", "bad"),
    (".local", f"{U} <https://lists.local/leave>\n{POST}", "host-private", "bad"),
    ("RFC 1918", f"{U} <https://10.1.2.3/leave>\n{POST}", "host-private", "bad"),
    ("RFC 4193", f"{U} <https://[fd00::1]/leave>\n{POST}", "host-private", "bad"),
    ("link-local", f"{U} <https://169.254.169.254/>\n{POST}", "host-private", "bad"),
    ("loopback", f"{U} <https://[::1]/leave>\n{POST}", "host-private", "bad"),
    (".invalid", f"{U} <https://a.invalid/>\n{POST}", "host-private", "bad"),
    (".test", f"{U} <https://a.test/>\n{POST}", "host-private", "bad"),
    (".example", f"{U} <https://a.example/>\n{POST}", "host-private", "bad"),
    ("no domain", f"{U} <https://server/leave>\n{POST}", "host-unusable", "bad"),
    ("a port", f"{U} <https://a.org:8443/>\n{POST}", "port-unusual", "bad"),
    ("a user", f"{U} <https://anne@a.org/>\n{POST}", "user-in-link", "bad"),
    ("no address", f"{U} <mailto:leave>", "address-unusable", "bad"),
    (
        "a redirector",
        f"From: a@example.org\n{U} <https://click.esp.net/t>\n{POST}",
        "host-unrelated",
        "ok",
    ),
    # Templates.
    ("{{x}}", f"{U} <{{{{unsub}}}}>", "template-not-expanded", "bad"),
    ("%%x%%", f"{U} <https://a.org/%%unsub%%>", "template-not-expanded", "bad"),
    ("%x%", f"{U} <https://a.org/%unsub%>", "template-not-expanded", "bad"),
    ("[X]", f"{U} <[UNSUB]>", "template-not-expanded", "bad"),
    # DKIM.
    (
        "signed",
        f"{GOOD}\nDKIM-Signature: v=1; d=example.org; {FULL_H}; b=x",
        "signature-covers",
        "ok",
    ),
    ("not signed yet", GOOD, "signature-unknown", "ok"),
    (
        "signed in part",
        f"{GOOD}\nDKIM-Signature: v=1; h=From:List-Unsubscribe; b=x",
        "signature-not-covering",
        "fix",
    ),
    # The headers beside.
    ("List-Post: NO", f"{GOOD}\nList-Post: NO (news)", "list-post-no", "ok"),
    (
        "GitHub's archive",
        f"{GOOD}\nList-Archive: https://a.org",
        "not-bracketed",
        "fix",
    ),
    ("List-Help", f"{GOOD}\nList-Help: <{{{{x}}}}>", "template-not-expanded", "fix"),
    ("a robot", f"{GOOD}\nAuto-Submitted: auto-generated", "auto-generated", "ok"),
    ("an answer", f"{GOOD}\nAuto-Submitted: (x) auto-replied", "auto-replied", "fix"),
    ("a yes", f"{GOOD}\nAuto-Submitted: yes", "auto-submitted-malformed", "fix"),
    (
        "robots",
        f"{GOOD}\nAuto-Submitted: no\nAuto-Submitted: no",
        "auto-submitted-repeated",
        "fix",
    ),
    ("bulk", f"{GOOD}\nPrecedence: bulk", "precedence-bulk", "ok"),
    ("junk", f"{GOOD}\nPrecedence: Junk", "precedence-bulk", "ok"),
    ("first class", f"{GOOD}\nPrecedence: first-class", "precedence-unknown", "ok"),
    ("CFBL", f"{GOOD}\nCFBL-Address: fbl@a.org; report=arf", "cfbl-address", "ok"),
    ("CFBL, bare", f"{GOOD}\nCFBL-Address: fbl@a.org", "cfbl-address", "ok"),
    (
        "CFBL, case",
        f"{GOOD}\nCFBL-Address: fbl@a.org; report=ARF",
        "cfbl-malformed",
        "fix",
    ),
    ("CFBL, brackets", f"{GOOD}\nCFBL-Address: <fbl@a.org>", "cfbl-malformed", "fix"),
    ("CFBLs", f"{GOOD}\n" + "CFBL-Address: fbl@a.org\n" * 2, "cfbl-repeated", "fix"),
    (
        "CFBL, not signed",
        f"From: a@a.org\n{GOOD}\nCFBL-Address: f@a.org\nDKIM-Signature: d=a.org; {FULL_H}",
        "cfbl-not-signed",
        "fix",
    ),
    (
        "CFBL, signed",
        (
            "From: a@a.org\nCFBL-Address: f@fbl.a.org\n"
            f"DKIM-Signature: d=a.org; h=CFBL-Address\n{GOOD}"
        ),
        "cfbl-address",
        "ok",
    ),
    (
        "CFBL, another's, signed once",
        (
            "From: a@a.org\nCFBL-Address: f@esp.net\n"
            f"DKIM-Signature: d=a.org; h=CFBL-Address\n{GOOD}"
        ),
        "cfbl-not-signed",
        "fix",
    ),
    ("Feedback-ID", f"{GOOD}\nFeedback-ID: a:b:c:sender", "feedback-id", "ok"),
    ("Feedback-ID, one", f"{GOOD}\nFeedback-ID: sender", "feedback-id", "ok"),
    (
        "Feedback-ID, short",
        f"{GOOD}\nFeedback-ID: a:b:c:esp",
        "feedback-id-malformed",
        "fix",
    ),
    (
        "Feedback-ID, long",
        f"{GOOD}\nFeedback-ID: a:b:c:d:sender",
        "feedback-id-malformed",
        "fix",
    ),
    (
        "Feedback-IDs",
        f"{GOOD}\n" + "Feedback-ID: a:b:c:sender\n" * 2,
        "feedback-id-repeated",
        "fix",
    ),
]

# value of List-Id | note | level of the header
LIST_IDS = [
    (None, "list-id-missing", "fix"),
    ("zt787h7 <Campaign_name>", "list-id-no-dot", "bad"),
    ("news.example.org", "list-id-no-brackets", "bad"),
    (f"<{'a' * 255}.org>", "list-id-too-long", "bad"),
    ("<news@example.org>", "list-id-characters", "bad"),
    ("<news. example.org>", "list-id-space", "fix"),
    ("<.news.example.org>", "list-id-empty-label", "fix"),
    ("<news.example.org> (weekly)", "list-id-stray-text", "fix"),
    ("<0f3a.news.localhost>", "list-id-unmanaged", "fix"),
    ("News <bank.example.com>", "list-id-not-yours", "bad"),
]
# Theirs are the tests of the signer's settings and of campaigns, below and elsewhere.
ELSEWHERE = {"signature-missing", "link-shared"}

OWN = OwnLists(frozenset({"0f3a.news.localhost"}), frozenset({"example.org"}))


def _check(block: str, context: ListContext | None = None) -> ListCheck:
    return check_list(headers(block), context or ListContext())


def _said(check: ListCheck, note: str) -> list[tuple[str, Level]]:
    return [(one.header, one.level) for one in check.remarks if one.note == note]


class TestVariants:
    """One verdict for each variant."""

    @pytest.mark.parametrize(
        ("block", "note", "level"),
        [row[1:] for row in VARIANTS],
        ids=[row[0] for row in VARIANTS],
    )
    def test_it_is_named_and_weighed(self, block: str, note: str, level: str) -> None:
        """A list maintainer reads what is the case, and how bad it is."""
        check = _check(f"{ID}\n{block}")

        assert [told for _, told in _said(check, note)] == [level]
        assert check.level.rank >= Level(level).rank

    @pytest.mark.parametrize(("value", "note", "level"), LIST_IDS)
    def test_so_is_the_identifier(
        self, value: str | None, note: str, level: str
    ) -> None:
        """Of a customer who owns example.org and one unmanaged identifier."""
        block = f"{GOOD}\nList-Id: {value}" if value else GOOD
        check = _check(block, ListContext(own=OWN))

        assert _said(check, note) == [("list-id", level)]
        assert check.level == level

    def test_every_note_has_a_row(self) -> None:
        """So that no verdict goes unproved."""
        rows = {row[2] for row in VARIANTS} | {row[1] for row in LIST_IDS}
        assert rows | ELSEWHERE == {note.value for note in NOTES}

    @pytest.mark.parametrize(
        "block",
        [
            f"{ID}\n{GOOD}",
            f"{ID}\n{U} {LINK},\n {MAIL}\n{POST}",
            f"{ID}\n{U} {MAIL}\n{TALK}",
            f"{ID}\n{GOOD}\nList-Post: NO\nPrecedence: bulk",
        ],
    )
    def test_what_is_good_is_ok(self, block: str) -> None:
        """Nothing is found where nothing is to find."""
        assert _check(block, ListContext(own=OWN)).level is Level.OK


class TestVerdict:
    """The worst level decides; what is known beside the message counts."""

    @pytest.mark.parametrize(
        ("block", "level"),
        [
            (GOOD, "fix"),
            (f"{ID}\n{U} {LINK}\n{U} {MAIL}\n{POST}", "bad"),
            (f"{ID}\n{U} leave@example.org", "weak"),
            (f"{ID}\n{U} {LINK}, <https://localhost/>\nList-Help: x", "bad"),
            ("", "weak"),
        ],
    )
    def test_the_worst_decides(self, block: str, level: str) -> None:
        """One bad header makes the message bad."""
        assert _check(block).level == level

    def test_nothing_without_a_way_out_is_better_than_weak(self) -> None:
        """What the rule `missing-unsubscribe` finds, this finds."""
        for row in VARIANTS:
            check = _check(f"{ID}\n{row[1]}")
            if not check.facts.usable_unsubscribe:
                assert check.level.rank >= Level.WEAK.rank, row[0]

    def test_what_policy_reads_is_part_of_it(self) -> None:
        """There is one opinion, and a longer version of it."""
        for row in VARIANTS:
            check = _check(f"{ID}\n{row[1]}")
            assert set(check.facts.remarks) <= set(check.remarks), row[0]

    @pytest.mark.parametrize(
        ("signed", "note", "level"),
        [
            (None, "signature-unknown", "ok"),
            (
                {"from", "list-unsubscribe", "list-unsubscribe-post"},
                "signature-covers",
                "ok",
            ),
            ({"from", "list-unsubscribe"}, "signature-not-covering", "fix"),
            (set(), "signature-missing", "bad"),
        ],
    )
    def test_a_signer_behind_the_gate_counts(
        self, signed: set[str] | None, note: str, level: str
    ) -> None:
        """RFC 8058 §4: both headers must be covered, by whom does not matter."""
        will_sign = None if signed is None else frozenset(signed)
        check = _check(f"{ID}\n{GOOD}", ListContext(will_sign=will_sign))
        assert _said(check, note) == [("list-unsubscribe-post", level)]

    def test_one_signature_that_covers_is_enough(self) -> None:
        """RFC 8058 §3.1: at least one; the names in h= have no case, folds no meaning."""
        block = (
            f"{ID}\n{GOOD}\nDKIM-Signature: v=1; h=from; b=x\n"
            "DKIM-Signature: v=1; h=from:LIST-UNSUBSCRIBE:\n\tlist-unsubscribe- post; b=x"
        )
        assert _said(_check(block), "signature-covers")

    def test_of_many_signatures_the_topmost_are_read(self) -> None:
        """Bounded, as at any receiver."""
        many = "DKIM-Signature: h=from\n" * MAX_SIGNATURES
        block = f"{ID}\n{GOOD}\n{many}DKIM-Signature: {FULL_H}"
        assert _said(_check(block), "signature-not-covering")

    @pytest.mark.parametrize(
        ("block", "kind"),
        [
            ("", ListKind.ANNOUNCEMENT),
            ("Precedence: bulk", ListKind.ANNOUNCEMENT),
            ("Precedence: list", ListKind.DISCUSSION),
            (TALK, ListKind.DISCUSSION),
            ("List-Post: NO", ListKind.ANNOUNCEMENT),
            (
                "List-Post: (sorry) no (news only)\nPrecedence: list",
                ListKind.ANNOUNCEMENT,
            ),
            ("List-Post: <https://example.org/p/1>", ListKind.ANNOUNCEMENT),
            ("List-Post: nobody", ListKind.ANNOUNCEMENT),
        ],
    )
    def test_the_kind_is_told_from_the_headers(
        self, block: str, kind: ListKind
    ) -> None:
        """RFC 2369 §3.4; whoever knows better may say so."""
        assert kind_of(headers(block)) is kind
        other = ListKind.DISCUSSION
        assert _check(block, ListContext(kind=other)).kind is other

    def test_a_list_below_an_own_domain_is_own(self) -> None:
        """So is a registered one; a name that only ends alike is not."""
        assert OWN.include("a.b.example.org")
        assert OWN.include("0f3a.news.localhost")
        assert not OWN.include("news.notexample.org")
        assert not OWN.include("example.org.evil.net")
        assert not OwnLists().include("news.example.org")

    def test_other_headers_change_nothing(self) -> None:
        """Whoever reads a message may leave them out."""
        block = headers(f"{ID}\n{GOOD}\nSubject: News\nTo: bart@example.net")
        wanted: HeaderMap = {
            name: block[name] for name in block.keys() & CHECKED_HEADERS
        }
        assert check_list(wanted) == check_list(block)


class TestProposals:
    """What to write instead, where anybody but the sender can know."""

    @pytest.mark.parametrize(
        ("block", "header", "proposal"),
        [
            (f"{U} mailto:l@a.org, x", "list-unsubscribe", "<mailto:l@a.org>"),
            (
                f"{U} {LINK} mailto:l@a.org",
                "list-unsubscribe",
                f"{LINK},\n <mailto:l@a.org>",
            ),
            (f"{U} {HIDDEN}", "list-unsubscribe", "<https://example.org/leave>"),
            (
                f"{U} <https://a.org/?a,\n b>",
                "list-unsubscribe",
                "<https://a.org/?a,b>",
            ),
            (
                f"{U} {LINK}, <http://b.org/>, <https://c.org/>\n{POST}",
                "list-unsubscribe",
                LINK,
            ),
            (f"{U} <http://a.org/>", "list-unsubscribe", None),
            (f"{U} <{{{{x}}}}>", "list-unsubscribe", None),
            (f"{U} {LINK}", "list-unsubscribe-post", "List-Unsubscribe=One-Click"),
            (f"{U} {MAIL}\n{POST}", "list-unsubscribe-post", None),
            ("List-Id: <a. b.org> x", "list-id", "<a.b.org>"),
            ("List-Id: news", "list-id", None),
        ],
    )
    def test_it_says_what_was_meant(
        self, block: str, header: str, proposal: str | None
    ) -> None:
        """With brackets, without a fold before or within a link."""
        assert _check(block).proposals.get(header) == proposal

    def test_what_is_good_needs_none(self) -> None:
        """A proposal is for what is to mend."""
        assert not _check(f"{ID}\n{GOOD}").proposals
