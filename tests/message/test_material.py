"""The room on real messages.

Real messages lie beside a developer's checkout only; what they showed has its
synthetic twin in the other files of this folder, which always run.
"""

from collections import Counter

import pytest

from message.builders import HeaderMap, a_transaction
from message.joins import joins_of
from message.material import (
    real_files,
    real_mail,
    real_messages,
)
from outgate.message.facts import read_facts
from outgate.message.fingerprint import BANDS, fingerprint
from outgate.message.headers import decode_text
from outgate.message.listcheck.check import check_list
from outgate.message.listcheck.headers import LIST_HEADERS
from outgate.message.listcheck.note import Level
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

    def test_each_message_has_a_verdict_on_its_list_headers(self) -> None:
        """Of real lists the worst is that 53 of 202 give no way to leave."""
        levels: Counter[Level] = Counter()
        for label, name, found in real_messages():
            check = check_list(found)
            usable = check.facts.usable_unsubscribe
            assert usable or check.level in {Level.WEAK, Level.BAD}, name
            if label == "list" and not LIST_HEADERS.isdisjoint(found):
                levels[check.level] += 1
                assert usable or "list-unsubscribe" not in found, name
        print(levels)  # noqa: T201 - shown by pytest -s and on failure
        assert levels[Level.BAD] == 0
        assert levels[Level.OK] > levels[Level.FIX]


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
