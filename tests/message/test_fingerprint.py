"""Which messages belong together by what they say."""

from itertools import combinations
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from message.builders import fast, hostile_headers, hostile_values
from message.hostile import hostile_mail
from message.joins import joined, joins_of
from message.mailings import (
    COMPANY_SIGNATURE,
    CONTACT_BLOCK,
    DISCLAIMER,
    LIST_FOOTER,
    ORIGINAL,
    QUOTED,
    SIGNATURE,
    Mail,
    copy_of,
    letter,
    mail,
    mailing,
    multipart,
)
from outgate.message.fingerprint import BANDS, FINGERPRINT_HEADERS, fingerprint

TEXT = """\
Dear friends of the choir,

the concert of the winter begins on Friday evening in the old theatre behind the
station. We sing songs about rivers, mountains and the sea; the soloist comes from far
away. Please bring warm clothes, because nobody found out how the heating works.
Tickets are at the door, and cost nothing for children.

Your Grüße sending Bart
"""
PICTURE = ({"content-type": [b"image/jpeg; name=1.jpg"]}, b"/9j/4AAQ")
ANOTHER_PICTURE = ({"content-type": [b"image/jpeg; name=b.jpg"]}, b"/9j/4BBB")
FRAMES = [
    SIGNATURE,
    COMPANY_SIGNATURE,
    DISCLAIMER,
    SIGNATURE + DISCLAIMER,
    QUOTED,
    ORIGINAL,
    LIST_FOOTER,
]


ARMOUR = """
-----BEGIN PGP MESSAGE-----
Version: GnuPG v2

hQEMA8w5ZPbz1uKXAQf/Zk1x
=aBcD
-----END PGP MESSAGE-----
"""


_ADVERT_LINES = """\
dear friend our pharmacy offers the cheapest genuine
medicine in town with discreet worldwide shipping order
blue diamond tablets today and save seventy percent
on every package while stocks last visit the
shop behind the link below pay by card
or bitcoin and receive your parcel next week
limited winter promotion free samples included satisfaction guaranteed
"""
ADVERT_FRAMES = [
    "\n\nThanks\n\n" + _ADVERT_LINES,
    "\n-- \n" + _ADVERT_LINES,
    "\n\n" + _ADVERT_LINES + "confidential\n",
    "\n> " + _ADVERT_LINES.strip().replace("\n", "\n> "),
    "\n-----Original Message-----\n\n" + _ADVERT_LINES,
    f'<div class="gmail_signature">{_ADVERT_LINES}</div>',
    f'<div class="gmail_quote">{_ADVERT_LINES}</div>',
    f'<blockquote type="cite">{_ADVERT_LINES}</blockquote>',
    f"<p>{_ADVERT_LINES} confidential</p>",
    "<p>Thanks<br>" + _ADVERT_LINES.replace("\n", "<br>") + "</p>",
]
ENVELOPED = b"application/pkcs7-mime; smime-type=enveloped-data; name=a"
ENVELOPE: Mail = (
    {"content-type": [ENVELOPED], "content-transfer-encoding": [b"base64"]},
    b"MIAGCSqG",
)


def _long_armour() -> Mail:
    """What may follow it was not seen."""
    line = "hQEMA8w5ZPbz1uKXAQf/Zk1x" + "A1b2" * 10
    text = ARMOUR.replace("hQEMA8w5ZPbz1uKXAQf/Zk1x", "\n".join([line] * 1_100))
    found, body = multipart("mixed", mail(text), mail("Cheap pills"))
    return found, body[:65_535]


def _document(subject: str, kib: int, html: str) -> Mail:
    parts = [mail(html, kind="text/html")] if html else []
    pdf = ({"content-type": [b"application/pdf"]}, b"JVBERi0x" * 128 * kib)
    found, body = multipart("mixed", *parts, pdf)
    return {**found, "subject": [subject.encode()]}, body


def _cut(photo: Mail, subject: str) -> Mail:
    found, body = multipart("mixed", photo, mail("a text"))
    return {**found, "subject": [subject.encode()]}, body[:65_535]


def as_html(text: str) -> str:
    return "<html><body><p>" + text.strip().replace("\n\n", "</p>\n<p>") + "</p>"


class TestCopies:
    """What a sender changes from copy to copy divides nothing."""

    def test_two_copies_have_the_same_bands(self) -> None:
        """So many for any text."""
        bands = fingerprint(*mail(TEXT))
        assert bands == fingerprint(*mail(TEXT))
        assert len(bands) == BANDS

    @pytest.mark.parametrize(
        "copy",
        [
            TEXT.replace("friends of the choir", "Anne"),
            TEXT.replace("Tickets", "https://a1.example/t/1f3b?to=anne Tickets"),
            TEXT.replace("Friday", "Saturday").replace("old", "new"),
            " ".join(sorted(TEXT.split())),
            TEXT.upper(),
            TEXT + "\nyour code is 4711-0815\n",
            TEXT.replace("e", "e\u200b"),
            TEXT.replace("o", "\u043e").replace("a", "\u0430"),
            "> quoted\n" + TEXT,
            TEXT + SIGNATURE,
            TEXT + DISCLAIMER,
            QUOTED + "\n" + TEXT,
            TEXT + LIST_FOOTER,
        ],
    )
    def test_plain_copies_are_joined(self, copy: str) -> None:
        """Names, links, days, order, case, codes, letters, frames."""
        assert joined(mail(TEXT), mail(copy))

    @pytest.mark.parametrize(
        "html",
        [
            as_html(TEXT),
            as_html(
                TEXT.replace("concert", "con<b></b>cert").replace("th", "t<i>h</i>")
            ),
            as_html(TEXT.replace("e", "e<!-- noise -->")),
            as_html(TEXT)
            + "<div style='display:none'>"
            + "other words " * 50
            + "</div>",
            "<style>" + "p.x {color: red}\n" * 50 + "</style>" + as_html(TEXT),
            as_html(TEXT.replace("ü", "&uuml;").replace("ß", "&#223;")),
            as_html(TEXT).replace("<p>", "<p class=a id=b title='c'>"),
        ],
    )
    def test_markup_divides_nothing(self, html: str) -> None:
        """Noise in HTML, and HTML itself."""
        assert joined(mail(TEXT), mail(html, kind="text/html"))

    @pytest.mark.parametrize("encoding", ["8bit", "base64", "quoted-printable"])
    @pytest.mark.parametrize("charset", ["utf-8", "iso-8859-1", "windows-1252"])
    def test_wrapping_divides_nothing(self, charset: str, encoding: str) -> None:
        """Character set and transfer encoding."""
        wrapped = mail(TEXT, charset=charset, encoding=encoding)
        assert fingerprint(*wrapped) == fingerprint(*mail(TEXT))

    def test_parts_divide_nothing(self) -> None:
        """Alone, beside a picture, or as the better of two."""
        html = mail(as_html(TEXT), kind="text/html", encoding="base64")
        alternative = multipart("alternative", mail("other " * 99), html)
        assert joined(mail(TEXT), alternative)
        assert joined(mail(TEXT), multipart("mixed", mail(TEXT), PICTURE))

    def test_subjects_divide_no_text(self) -> None:
        """Many are made to look unlike."""
        assert joined(mail(TEXT, subject="one"), mail(TEXT, subject="two"))

    def test_a_long_copy_that_is_cut_stays_one(self) -> None:
        """At 64 KiB, wherever that is."""
        random = Random(1)
        found, body = mail(letter(random, 20_000), encoding="quoted-printable")
        assert joined((found, body[:65_536]), (found, body[: 65_536 - 77]))

    @pytest.mark.parametrize("words", [20, 60, 150, 400])
    def test_copies_of_a_mailing_are_joined(self, words: int) -> None:
        """Names, links, codes and the order of words are others in each: 95 in 100."""
        random = Random(words)
        found = 0
        for _ in range(100):
            template = mailing(random, words)
            one, other = (mail(copy_of(template, random)) for _ in range(2))
            found += joined(one, other)
        assert found >= 95


class TestOthers:
    """What different people write stays apart."""

    @pytest.mark.parametrize("frame", FRAMES)
    def test_the_same_frame_joins_no_letters(self, frame: str) -> None:
        """Signature, notice, quote, footer: of short and of long letters."""
        random = Random(2)
        letters = [
            mail(letter(random, words) + frame, answers=frame == QUOTED)
            for words in (6, 12, 30, 90)
        ]
        assert not any(joined(one, other) for one, other in combinations(letters, 2))

    @pytest.mark.parametrize("frame", [SIGNATURE, DISCLAIMER])
    def test_nor_does_it_in_html(self, frame: str) -> None:
        """There it is a paragraph."""
        random = Random(3)
        letters = [
            mail(
                as_html(letter(random, 12) + frame).replace("-- \n", "-- <br>"),
                kind="text/html",
            )
            for _ in range(4)
        ]
        assert not any(joined(one, other) for one, other in combinations(letters, 2))

    def test_letters_of_people_stay_apart(self) -> None:
        """Of 80,000 pairs fewer than eight; half of the letters have a frame."""
        random = Random(4)
        frames = [""] * len(FRAMES) + FRAMES
        joins = joins_of(
            [
                mail(letter(random) + frame, subject=f"{number}", answers=bool(frame))
                for number, frame in enumerate(random.choices(frames, k=400))
            ]
        )
        assert len(joins.false) < joins.pairs / 10_000

    @pytest.mark.parametrize("frame", [COMPANY_SIGNATURE, CONTACT_BLOCK])
    def test_short_letters_of_a_company_stay_apart(self, frame: str) -> None:
        """What all its people sign with is longer than what they say."""
        random = Random(6)
        joins = joins_of([mail(letter(random, 18) + frame) for _ in range(300)])
        assert len(joins.false) < joins.pairs / 10_000

    def test_what_answers_nothing_quotes_nothing(self) -> None:
        """An advert among quoted lines is what the message is sent for."""
        random = Random(7)
        advert = letter(random, 60).strip().replace("\n", "\n> ")
        lines = [f"{letter(random, 12)}\n> {advert}\n" for _ in range(2)]
        cited = [
            f'<p>{letter(random, 12)}</p><blockquote type="cite">{advert}</blockquote>'
            for _ in range(2)
        ]
        assert joined(*map(mail, lines))
        assert joined(*(mail(one, kind="text/html") for one in cited))

    @pytest.mark.parametrize("answers", [True, False])
    @pytest.mark.parametrize("frame", ADVERT_FRAMES)
    def test_an_advert_in_a_frame_is_compared(self, frame: str, answers: bool) -> None:
        """Beside a few words of chaff: it is what a reader sees."""
        kind = "text/html" if frame.startswith("<") else "text/plain"
        random = Random(8)
        copies = [
            mail(letter(random, 10) + frame, answers=answers, kind=kind)
            for _ in range(2)
        ]
        assert joined(*copies)

    @pytest.mark.parametrize(
        "text", ["Thanks!", "Thanks!" + SIGNATURE, "Ok.\n" + QUOTED, ""]
    )
    def test_a_few_words_belong_to_their_subject(self, text: str) -> None:
        """Everybody thanks everybody."""
        one, same, other = (
            mail(text, subject=subject, answers=True)
            for subject in ("Dinner", "dinner", "Painters")
        )
        assert joined(one, same)
        assert not joined(one, other)

    def test_other_few_words_are_another_message(self) -> None:
        """Under the same subject too."""
        yes, no = mail("Yes!", subject="Dinner"), mail("No!", subject="Dinner")
        assert not joined(yes, no)

    def test_a_text_is_no_few_words(self) -> None:
        """What is compared as a whole shares no band with what is not."""
        assert not joined(mail("Thanks!"), mail(TEXT))


class TestUnreadable:
    """Where there is nothing to read."""

    def test_pictures_alone_are_compared_by_what_there_is(self) -> None:
        """Each copy is another file."""
        one = multipart("mixed", PICTURE)
        assert joined(one, multipart("mixed", ANOTHER_PICTURE))
        assert not joined(one, multipart("mixed", PICTURE, PICTURE))
        assert not joined(one, ({"content-type": [b"application/pdf"]}, b"%PDF"))

    def test_a_picture_under_other_names_is_the_same(self) -> None:
        """Its subject greets each reader, the file is noise, links lead anywhere."""
        copies = []
        for name, picture in (("Anne", PICTURE), ("Bart", ANOTHER_PICTURE)):
            link = f'<a href="https://{name}.example"><img src="cid:{name}"></a>'
            headers, body = multipart("related", mail(link, kind="text/html"), picture)
            headers["subject"] = [f"{name}, an offer".encode()]
            copies.append((headers, body))
        assert joined(*copies)

    def test_a_picture_from_elsewhere_is_known_by_its_site(self) -> None:
        """Nothing is attached; the subject still means nothing."""
        one, same, other = (
            mail(
                f'<a href="https://{site}/{name}"><img src="https://{site}/x.png"></a>',
                kind="text/html",
                subject=f"{name}, an offer",
            )
            for site, name in (
                ("deal.example", "Anne"),
                ("deal.example", "Bart"),
                ("news.example", "Anne"),
            )
        )
        assert joined(one, same)
        assert not joined(one, other)

    def test_links_alone_belong_to_their_subject(self) -> None:
        """People send each other where to look, and each means something else."""
        one = mail("https://video.example/a\n", subject="our trip")
        assert not joined(one, mail("https://video.example/b\n", subject="her talk"))

    def test_an_attachment_belongs_to_its_few_words(self) -> None:
        """They and the subject say what it is."""
        one = multipart("mixed", mail("My offer"), PICTURE)
        other = multipart("mixed", mail("The minutes"), PICTURE)
        assert not joined(one, other)

    @pytest.mark.parametrize("beside", ["", "<div>&nbsp;</div>"])
    def test_a_document_belongs_to_its_subject_and_bytes(self, beside: str) -> None:
        """Scanners and offices send them without a word, numbered."""
        one, copy, other, longer = (
            _document(subject, kib, beside)
            for subject, kib in (
                ("Invoice 2026-1", 40),
                ("Invoice 2026-2", 40),
                ("The plans", 40),
                ("Invoice 2026-1", 50),
            )
        )
        assert joined(one, copy)
        assert not joined(one, other)
        assert not joined(one, longer)

    def test_long_documents_are_told_from_each_other(self) -> None:
        """Of the same type, all longer than what is read."""
        invoices = []
        for number in range(2):
            pdf = {"content-type": [b"application/pdf"]}, b"JVBERi%d" % number * 20_000
            found, body = multipart("mixed", pdf)
            subject = b"Invoice %d" % number
            invoices.append(({**found, "subject": [subject]}, body[:65_535]))
        assert not joined(*invoices)

    def test_more_parts_than_are_read_are_one_content(self) -> None:
        """The advert is the last of them, whatever the first say."""
        copies = []
        for name in ("Anne", "Bart"):
            first = mail(letter(Random(name), 60))
            dots = [mail(".")] * 40
            headers, body = multipart("mixed", first, *dots, mail("Cheap pills"))
            copies.append(({**headers, "subject": [name.encode()]}, body))
        assert joined(*copies)

    def test_a_document_beside_a_picture_is_a_picture(self) -> None:
        """Or any picture would be another under each subject."""
        copies = []
        for name in ("Anne", "Bart"):
            found, body = multipart("mixed", PICTURE, _document(name, 1, ""))
            copies.append(({**found, "subject": [name.encode()]}, body))
        assert joined(*copies)

    def test_what_lies_behind_a_long_picture_belongs_to_its_subject(self) -> None:
        """Nobody saw whether there is a text."""
        photo = ({"content-type": [b"image/jpeg"]}, b"/9j/" * 20_000)
        one, same, other = (_cut(photo, name) for name in ("Anne", "anne", "Bart"))
        assert joined(one, same)
        assert not joined(one, other)
        alone = [({**photo[0], "subject": [b"%d" % one]}, photo[1]) for one in range(2)]
        assert joined(*((found, body[:65_535]) for found, body in alone))

    @pytest.mark.parametrize(
        "encrypted",
        [
            (
                {
                    "content-type": [
                        b"application/pkcs7-mime; smime-type=enveloped-data; name=a"
                    ],
                    "content-transfer-encoding": [b"base64"],
                },
                b"MIAGCSqG",
            ),
            multipart(
                "encrypted",
                ({"content-type": [b"application/pgp-encrypted"]}, b"Version: 1\r\n"),
                ({"content-type": [b"application/octet-stream"]}, ARMOUR.encode()),
            ),
            mail(ARMOUR),
            mail(ARMOUR[:70]),
        ],
    )
    def test_encrypted_mail_has_none(self, encrypted: Mail) -> None:
        """S/MIME, PGP/MIME, armour in a text; cut anywhere."""
        assert fingerprint(*encrypted) == ()

    @pytest.mark.parametrize(
        "open_",
        [
            mail("Cheap pills, please read on\n" + ARMOUR),
            mail(ARMOUR + "\nCheap pills"),
            mail(ARMOUR.replace("hQEM", "cheap pills")),
            mail(ARMOUR.replace("hQEM", "CheapPills")),
            mail(ARMOUR.replace("Version: GnuPG v2", "Note: cheap pills")),
            mail(ARMOUR.replace("GnuPG v2", "cheap pills " * 5)),
            mail(ARMOUR.replace("hQEM", "h=20cheap=20pills")),
            mail(ARMOUR, kind="text/html"),
            mail(ARMOUR, encoding="quoted-printable"),
            mail(ARMOUR.replace("hQEM", "h" + "heapPills/" * 7 + "\n")),
            ({"content-type": [ENVELOPED]}, b"cheap pills"),
            multipart("mixed", *[mail("")] * 38, ENVELOPE, mail("Cheap pills")),
            multipart("alternative", *[mail("")] * 38, ENVELOPE, mail("Cheap pills")),
            _long_armour(),
            multipart("mixed", mail(ARMOUR), PICTURE),
            multipart(
                "encrypted",
                ({"content-type": [b"application/pgp-encrypted"]}, b""),
                ({"content-type": [b"application/octet-stream"]}, b"%PDF"),
            ),
        ],
    )
    def test_what_only_says_so_is_compared(self, open_: Mail) -> None:
        """There is something to read beside it, or in it."""
        assert fingerprint(*open_)

    def test_noise_is_compared_as_any_text(self) -> None:
        """Bytes that are neither text nor of a declared type."""
        noise = Random(5).randbytes(65_536)
        assert fingerprint({}, noise) == fingerprint({}, noise)

    @fast
    @given(hostile_headers, st.one_of(hostile_values, st.binary(max_size=600)))
    def test_any_message_has_a_fingerprint(
        self, found: dict[str, list[bytes]], body: bytes
    ) -> None:
        """Nothing is raised."""
        assert len(fingerprint(found, body)) in {0, 1, BANDS}

    @fast
    @given(st.integers(min_value=0))
    def test_a_body_may_end_anywhere(self, end: int) -> None:
        """And its headers may be wrong."""
        html = mail(as_html(TEXT), kind="text/html", encoding="base64")
        found, body = multipart(
            "mixed",
            multipart("alternative", mail(TEXT, encoding="quoted-printable"), html),
            mail(TEXT, charset="utf-16"),
        )
        cut = body[: end % len(body)]
        assert len(fingerprint(found, cut)) in {0, 1, BANDS}
        assert len(fingerprint(html[0], cut)) in {0, 1, BANDS}

    @fast
    @given(hostile_headers, hostile_values)
    def test_other_headers_count_for_nothing(
        self, found: dict[str, list[bytes]], body: bytes
    ) -> None:
        """Those that it names are enough."""
        named = {name: found[name] for name in found.keys() & FINGERPRINT_HEADERS}
        assert fingerprint(found, body) == fingerprint(named, body)


class TestCost:
    """Whoever writes a body decides nothing about the time that it takes."""

    @pytest.mark.timeout(60)
    def test_no_body_costs_more_than_linear_time(self) -> None:
        """Eight times what is read of one: a quadratic step would take minutes."""
        for name, one in hostile_mail(524_288):
            assert len(fingerprint(*one)) in {0, 1, BANDS}, name
