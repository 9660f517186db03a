"""Classes of mail, and the declaration to be bulk."""

import pytest

from message.builders import a_transaction, headers
from outgate.message.classify import (
    FINGERPRINT_HEADERS,
    classify,
    declares_bulk,
    is_forwarded,
    is_null_sender,
)
from outgate.message.facts import read_facts
from outgate.message.listcheck.headers import LIST_HEADERS
from outgate.model.verdict import MailClass

_LIST = "List-Id: <news.example.org>\nList-Unsubscribe: <mailto:leave@example.org>"
_DSN = "Content-Type: multipart/report; report-type=delivery-status"
_INVITATION = "Content-Type: text/calendar; method=REQUEST"
_CONFIRMATION = f"Precedence: bulk\nSubject: confirm {'0f' * 20}"
_SRS = b"<SRS0=HHH=TT=example.net=bart@forwarder.example.org>"


def _class(block: str, sender: bytes = b"<anne@example.com>", count: int = 1) -> str:
    return read_facts(a_transaction(block, sender=sender, recipients=count)).mail_class


class TestClasses:
    """Each class, by its own signs."""

    @pytest.mark.parametrize(
        ("block", "mail_class"),
        [
            ("", MailClass.PERSONAL),
            ("From: anne@example.com\nSubject: Dinner", MailClass.PERSONAL),
            ("Auto-Submitted: auto-generated", MailClass.PERSONAL),
            ("X-Mailer: Apple Mail (2.3654)", MailClass.PERSONAL),
            ("X-Mailer: 2", MailClass.PERSONAL),
            ("Precedence: first-class", MailClass.PERSONAL),
            (_LIST, MailClass.LIST),
            ("List-Post: <mailto:news@example.org>", MailClass.LIST),
            ("List-Archive: <https://example.org/>", MailClass.LIST),
            ("List-Subscribe: <mailto:join@example.org>", MailClass.LIST),
            ("List-Unsubscribe: <mailto:leave@example.org>", MailClass.BULK),
            ("List-Id: zt787h7 <Campaign_name>", MailClass.BULK),
            ("Precedence: bulk", MailClass.BULK),
            ("Precedence: List", MailClass.BULK),
            ("Precedence: junk", MailClass.BULK),
            ("X-Mailer: phpList v3.6", MailClass.BULK),
            ("Feedback-ID: c:b:a:example", MailClass.BULK),
            ("X-Listmonk-Campaign: 4711", MailClass.BULK),
            ("Auto-Submitted: auto-replied", MailClass.AUTO_REPLY),
            (_INVITATION, MailClass.CALENDAR),
            (_CONFIRMATION, MailClass.CONFIRMATION),
            ("X-Forwarded-To: bart@example.net", MailClass.FORWARD),
            ("Resent-From: anne@example.com", MailClass.FORWARD),
            ("ARC-Seal: i=1; a=rsa-sha256", MailClass.FORWARD),
        ],
    )
    def test_a_sign_makes_a_class(self, block: str, mail_class: MailClass) -> None:
        """One header each."""
        assert _class(block) == mail_class

    @pytest.mark.parametrize(
        ("block", "mail_class"),
        [
            # RFC 3834 §3.1.8: vacation programs say bulk too.
            ("Auto-Submitted: auto-replied\nPrecedence: bulk", MailClass.AUTO_REPLY),
            # SmartList resends; Microsoft 365 seals what its users post to a list.
            (f"Resent-From: news@example.org\n{_LIST}", MailClass.LIST),
            (f"ARC-Seal: i=1; a=rsa-sha256\n{_LIST}", MailClass.LIST),
            ("ARC-Seal: i=1; a=rsa-sha256\nPrecedence: bulk", MailClass.BULK),
            (f"X-Forwarded-To: bart@example.net\n{_LIST}", MailClass.FORWARD),
            (f"{_INVITATION}\n{_LIST}", MailClass.CALENDAR),
            (f"{_INVITATION}\n{_CONFIRMATION}", MailClass.CALENDAR),
            # Mailman's own notices have the headers of their list.
            (f"{_CONFIRMATION}\n{_LIST}", MailClass.CONFIRMATION),
            (f"X-Forwarded-To: x@example.net\n{_CONFIRMATION}", MailClass.CONFIRMATION),
            (f"Auto-Submitted: auto-replied\n{_LIST}", MailClass.LIST),
        ],
    )
    def test_the_first_class_of_the_order_wins(
        self, block: str, mail_class: MailClass
    ) -> None:
        """A message may bear the signs of several."""
        assert _class(block) == mail_class

    @pytest.mark.parametrize(
        "sender",
        [
            _SRS,
            _SRS.lower(),
            b"SRS1=HHH=other.example==HHH=TT=example.net=bart@forwarder.example.org",
            b" <SRS0+HHH=TT=example.net=bart@forwarder.example.org>",
        ],
    )
    def test_an_srs_sender_forwards(self, sender: bytes) -> None:
        """The forwarder rewrote the sender; it is not its author."""
        assert _class(_LIST, sender) == MailClass.FORWARD

    def test_a_local_part_that_begins_alike_is_no_srs(self) -> None:
        """SRS has a separator behind its number."""
        assert _class("", b"<srs0user@example.com>") == MailClass.PERSONAL


class TestBounces:
    """RFC 5321 §4.5.5 and RFC 3834 §3.3: null sender, one recipient, a response."""

    @pytest.mark.parametrize("sender", [b"<>", b"", b" <> "])
    def test_a_notification_from_the_null_sender(self, sender: bytes) -> None:
        """However the MTA writes it."""
        assert is_null_sender(sender)
        assert _class(_DSN, sender) == MailClass.BOUNCE

    def test_a_vacation_notice_from_the_null_sender(self) -> None:
        """Sieve sends them so (RFC 5230 §5.1)."""
        assert _class("Auto-Submitted: auto-replied", b"<>") == MailClass.BOUNCE

    def test_a_notification_has_one_recipient(self) -> None:
        """With two it is an evasion, and its sender a normal one."""
        assert _class(_DSN, b"<>", count=2) == MailClass.PERSONAL

    def test_an_advert_from_the_null_sender_is_none(self) -> None:
        """An empty sender alone says nothing."""
        assert _class("Subject: Buy now", b"<>") == MailClass.PERSONAL
        assert _class("Precedence: bulk", b"<>") == MailClass.BULK

    def test_list_mail_from_the_null_sender_is_none(self) -> None:
        """Newsletters may say that nobody shall answer; a true report may be listed."""
        assert _class(f"{_LIST}\nX-Auto-Response-Suppress: All", b"<>") == "list"
        assert _class(f"{_LIST}\n{_DSN}", b"<>") == MailClass.BOUNCE

    def test_a_notification_from_a_real_sender_is_none(self) -> None:
        """RFC 3464 §2: it MUST have the null sender."""
        assert _class(_DSN) == MailClass.PERSONAL


class TestDeclaresBulk:
    """Whether mail calls itself bulk, whatever class it dresses up as."""

    @pytest.mark.parametrize("name", sorted(LIST_HEADERS | FINGERPRINT_HEADERS))
    def test_a_header_of_lists_declares_it(self, name: str) -> None:
        """Even one that is broken."""
        assert declares_bulk({name: [b"\xff"]})

    @pytest.mark.parametrize(
        "block",
        [
            "Precedence: bulk",
            "Precedence:  LIST ",
            "Precedence: junk",
            "X-Mailer: Mailman",
        ],
    )
    def test_a_word_declares_it(self, block: str) -> None:
        """Precedence, or a mailer that sends nothing else."""
        assert declares_bulk(headers(block))

    @pytest.mark.parametrize(
        "block",
        [
            "",
            "From: anne@example.com\nSubject: Dinner",
            "Precedence: normal",
            "Precedence: bulky",
            "X-Mailer: Microsoft Outlook 16.0",
            "X-Mailer: MailmanLike",
            # Amazon SES sets it on receipts and bounces.
            "Feedback-ID: 1.eu-west-1.abc:AmazonSES",
            "Auto-Submitted: auto-generated",
        ],
    )
    def test_other_mail_declares_nothing(self, block: str) -> None:
        """No guess is made."""
        assert not declares_bulk(headers(block))

    @pytest.mark.parametrize(
        "disguise",
        [
            _INVITATION,
            "ARC-Seal: i=1; a=rsa-sha256",
            "X-Forwarded-To: bart@example.net",
            "Resent-From: anne@example.com",
            "Auto-Submitted: auto-generated",
            "X-Auto-Response-Suppress: All",
            "X-Mailer: Apple Mail (2.3654)",
        ],
    )
    @pytest.mark.parametrize("declaration", [_LIST, "Precedence: bulk"])
    def test_no_disguise_hides_it(self, disguise: str, declaration: str) -> None:
        """The rule on unsubscription asks this, and not the class."""
        block = f"{disguise}\n{declaration}"
        for sender in (b"<anne@example.com>", b"<>", _SRS):
            assert read_facts(a_transaction(block, sender=sender)).declares_bulk

    @pytest.mark.parametrize(
        "response", [_DSN, "Auto-Submitted: auto-replied", "X-Autoreply: yes"]
    )
    def test_precedence_of_a_response_declares_nothing(self, response: str) -> None:
        """RFC 3834 §3.1.8: they set it to be spared answers."""
        assert not declares_bulk(headers(f"{response}\nPrecedence: bulk"))
        assert declares_bulk(headers(f"{response}\n{_LIST}"))


class TestForwarded:
    """Whether anything says that someone else wrote it."""

    @pytest.mark.parametrize(
        "block",
        [
            "ARC-Seal: i=1",
            "Resent-To: bart@example.net",
            "X-Forwarded-For: a@example.com b@example.net",
        ],
    )
    def test_any_sign_will_do(self, block: str) -> None:
        """Also where the class is another one."""
        assert is_forwarded(a_transaction(f"{block}\n{_LIST}"))

    def test_own_mail_is_not(self) -> None:
        """No sign, no forward."""
        assert not is_forwarded(a_transaction(_LIST))


def test_a_class_follows_from_what_it_is_told() -> None:
    """`classify` reads no list headers itself."""
    plain = a_transaction("Subject: x")
    assert classify(plain, bulk=True, list_id="") is MailClass.BULK
    assert classify(plain, bulk=True, list_id="a.example.org") is MailClass.LIST
