"""The room on real messages, and beside an independent parser of list headers.

Real messages lie beside a developer's checkout only; what they showed has its
synthetic twin in the other files of this folder, which always run.
"""

from collections import Counter
from typing import Any

import pytest

from message.builders import HeaderMap, a_transaction
from message.joins import joins_of
from message.material import (
    real_files,
    real_list_headers,
    real_mail,
    real_messages,
)
from outgate.message.facts import read_facts
from outgate.message.fingerprint import BANDS, fingerprint
from outgate.message.headers import decode_text
from outgate.message.list_headers import ListHeaders, PostValue, parse_list_headers
from outgate.message.list_note import ListNote
from outgate.message.retry import retry_material
from outgate.message.wanted import WANTED_HEADERS
from outgate.model.verdict import MailClass

pytestmark = pytest.mark.material


class TestRealMessages:
    """2,265 messages of eleven kinds. Their envelopes are unknown and invented here."""

    def test_each_message_has_its_facts(self) -> None:
        """Those that crash other parsers too; dropping other headers changes none."""
        for label, name, found in real_messages():
            wanted = {key: found[key] for key in found.keys() & WANTED_HEADERS}
            facts = read_facts(a_transaction(found))
            assert facts == read_facts(a_transaction(wanted)), (label, name)
            assert retry_material(a_transaction(found))
            for values in found.values():
                for value in values:
                    assert len(decode_text(value).splitlines()) <= 1

    def test_list_mail_declares_itself_and_is_mostly_of_class_list(self) -> None:
        """Without a List-Id it may be bulk; two of 186 are forwarded and bounced."""
        classes: Counter[tuple[bool, MailClass]] = Counter()
        for label, name, found in real_messages():
            if label == "list":
                facts = read_facts(a_transaction(found, sender=_return_path(found)))
                assert facts.declares_bulk, name
                classes["list-id" in found, facts.mail_class] += 1
        print(classes)  # noqa: T201 - shown by pytest -s and on failure
        with_id = sum(n for (has_id, _), n in classes.items() if has_id)
        assert classes[True, MailClass.LIST] >= 0.95 * with_id
        assert set(classes) <= {
            (True, MailClass.LIST),
            (True, MailClass.FORWARD),
            (True, MailClass.BOUNCE),
            (False, MailClass.LIST),
            (False, MailClass.BULK),
        }

    def test_personal_mail_never_declares_itself_bulk(self) -> None:
        """Nor is any of it taken for another class."""
        for label, name, found in real_messages():
            if label == "personal":
                facts = read_facts(a_transaction(found))
                assert not facts.declares_bulk, name
                assert facts.mail_class is MailClass.PERSONAL, name
                assert facts.header_from, name

    def test_ham_without_list_headers_is_bulk_only_by_its_mailer(self) -> None:
        """33 are newsletters of one mailer, the others declare nothing."""
        for label, name, found in real_messages():
            if label == "ham-other":
                is_campaign = found.get("x-mailer", [b""])[0].startswith(b"Accucast")
                facts = read_facts(a_transaction(found))
                assert facts.declares_bulk is is_campaign, name

    def test_most_bounces_are_known_by_their_headers(self) -> None:
        """Of 464 the rest are forwarded by people, or have no sign but their words."""
        classes = Counter(
            read_facts(a_transaction(found, sender=b"<>")).mail_class
            for label, _, found in real_messages()
            if label == "bounce"
        )
        print(classes)  # noqa: T201 - shown by pytest -s and on failure
        assert classes[MailClass.BOUNCE] >= 0.94 * classes.total()
        assert set(classes) <= {MailClass.BOUNCE, MailClass.BULK, MailClass.PERSONAL}


def _return_path(found: HeaderMap) -> bytes:
    return found.get("return-path", [b"<anne@example.com>"])[0].strip()


class TestFingerprints:
    """Whether what real people write stays apart."""

    def test_letters_and_posts_are_not_joined(self) -> None:
        """Of 55,945 pairs; those that share most of their words are no others."""
        joins = joins_of(real_mail("personal", "list"))
        print(joins)  # noqa: T201 - shown by pytest -s and on failure
        assert len(joins.false) < joins.pairs / 10_000

    def test_each_message_has_a_fingerprint(self) -> None:
        """Parser breakers too; wherever they are cut."""
        labels = {label for label, _, _ in real_files()}
        for found, body in real_mail(*labels):
            for part in (body, body[: len(body) // 2], body[: len(body) // 3]):
                assert len(fingerprint(found, part)) in {0, 1, BANDS}


class TestBesideAnotherParser:
    """674 real sets of list headers, and what `listunsub` 0.2.0 reads in them."""

    def test_both_read_the_same_links(self) -> None:
        """Except where all links are written in encoded words: it gives up there.

        RFC 2047 §5 forbids them in this place, but Klaviyo, SendGrid and others
        send them, and their recipients can leave.
        """
        for row in real_list_headers():
            ours = _read(row)
            texts = [uri.text for uri in ours.uris]
            if ListNote.ENCODED_WORD in ours.notes:
                assert not row["oracle_tolerant_uris"], row["source"]
                assert ours.usable_unsubscribe, row["source"]
            else:
                assert texts == (row["oracle_tolerant_uris"] or []), row["source"]

    def test_its_strict_reading_fails_where_ours_has_a_note(self) -> None:
        """It refuses a header as a whole, ours keeps the links and says what is odd."""
        refused_for = {
            ListNote.BRACKET_UNCLOSED,
            ListNote.ENCODED_WORD,
            ListNote.NOT_BRACKETED,
            ListNote.SCHEME_MISSING,
            ListNote.SPACE_IN_URI,
            ListNote.UNSUBSCRIBE_EMPTY,
            ListNote.URI_CHARACTERS,
        }
        for row in real_list_headers():
            refused = row["oracle_strict_uris"] is None
            assert refused is bool(refused_for & set(_read(row).notes)), row["source"]

    def test_what_it_reads_strictly_is_usable_but_for_private_hosts(self) -> None:
        """It judges no hosts; one spam has https://127.0.0.1/."""
        for row in real_list_headers():
            if row["oracle_strict_uris"]:
                ours = _read(row)
                private = ListNote.HOST_PRIVATE in ours.notes
                assert ours.usable_unsubscribe is not private, row["source"]

    def test_its_one_click_is_our_post_value(self) -> None:
        """It judges the Post header alone, ours the link beside it as well."""
        without_link = {
            ListNote.BRACKET_UNCLOSED,
            ListNote.HEADER_REPEATED,
            ListNote.HOST_PRIVATE,
            ListNote.POST_WITHOUT_HTTPS,
            ListNote.POST_WITHOUT_UNSUBSCRIBE,
            ListNote.SEVERAL_WEB_URIS,
            ListNote.UNSUBSCRIBE_EMPTY,
        }
        for row in real_list_headers():
            ours = _read(row)
            assert row["oracle_one_click"] is (ours.post is PostValue.EXACT)
            if row["oracle_one_click"] and not ours.one_click:
                assert without_link & set(ours.notes), row["source"]
            assert row["oracle_one_click"] or not ours.one_click

    def test_problems_that_both_look_for_are_found_by_both(self) -> None:
        """Missing https, missing Post, repeated headers."""
        for row in real_list_headers():
            ours = _read(row)
            theirs = set(row["oracle_problems"])
            secure = any(uri.scheme == "https" for uri in ours.uris)
            if ListNote.ENCODED_WORD not in ours.notes:
                assert ("no-https" in theirs) is (
                    bool(row["list_unsubscribe"]) and not secure
                )
            assert ("missing-post" in theirs) is (ours.post is PostValue.ABSENT)
            assert ("duplicate-list-unsubscribe" in theirs) is (
                ListNote.HEADER_REPEATED in ours.notes
            )


def _read(row: dict[str, Any]) -> ListHeaders:
    found = {
        name: [value.encode() for value in row[name.replace("-", "_")]]
        for name in ("list-id", "list-unsubscribe", "list-unsubscribe-post")
        if row[name.replace("-", "_")]
    }
    return parse_list_headers(found)
