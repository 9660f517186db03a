"""One token: read, printed, and what exactly is signed."""

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from message.builders import fast
from message.tokens import LIST, VECTOR, VECTOR_HEADER, VECTOR_HINTED, a_token
from outgate.message.optin_evidence import (
    MAX_TOKEN_BYTES,
    Algorithm,
    Refused,
    Token,
    normal_recipient,
    normal_recipients,
    parse_token,
    routing_hint,
)
from outgate.model.consent import Grade, TokenResult
from outgate.model.optin import Method, Record, ZoneSource


def read(text: str | bytes) -> Token:
    token = parse_token(text.encode() if isinstance(text, str) else text)
    assert isinstance(token, Token), token
    return token


def refused(text: str | bytes) -> Refused:
    token = parse_token(text.encode() if isinstance(text, str) else text)
    assert isinstance(token, Refused)
    return token


class TestVector:
    """The token of the specification."""

    def test_it_is_read(self) -> None:
        """Every tag, the time with its zone."""
        token = read(VECTOR_HEADER)
        assert token == VECTOR
        assert token.confirmed_us == 1_773_476_813_000_000
        assert token.expires_us == 1_807_660_800_000_000
        assert token.key_name == "lists.example.org:2026a"

    def test_the_registry_keeps_all_of_it(self) -> None:
        """Time and zone, method, the name of the evidence and what binds it."""
        assert read(VECTOR_HEADER).record == Record(
            time_us=1_773_476_813_000_000,
            offset_minutes=60,
            zone=ZoneSource.EXPLICIT,
            method=Method.COI,
            grade=Grade.ASSERTED,
            evidence_id="01JPA7Q3X8",
            commitment=bytes.fromhex("4c7846912b5a36b23dca98d48013ce15"),
            source="header",
        )

    def test_what_is_signed(self) -> None:
        """A line for each tag in a fixed order, the recipient last."""
        assert VECTOR.signed(b"<Anna@Example.NET>") == (
            b"opt-in-evidence/1\n"
            b"v=1\na=ed25519\nd=lists.example.org\ns=2026a\nl=news.example.org\nm=coi\n"
            b"t=2026-03-14T09:26:53+01:00\nx=2027-04-14T00:00:00Z\ne=01JPA7Q3X8\n"
            b"eh=THhGkStaNrI9ypjUgBPOFQ\nrcpt=anna@example.net\n"
        )

    def test_folds_are_nothing(self) -> None:
        """Sendmail and Postfix join lines by LF, clients by CRLF."""
        assert read(VECTOR_HEADER.replace("; ", ";\n\t")) == VECTOR
        assert read(VECTOR_HEADER.replace("; ", ";\r\n ")) == VECTOR
        assert read(VECTOR_HEADER.replace("; ", ";")) == VECTOR
        assert read(VECTOR.folded()) == VECTOR

    def test_its_hint(self) -> None:
        """Eight bits of the salted recipient."""
        assert routing_hint(VECTOR.evidence_id, b"anna@example.net") == "ae"
        assert "; r=ae; eh=" in str(VECTOR_HINTED)

    def test_its_size(self) -> None:
        """As specified, folded thrice by CRLF and a tab."""
        name_and_folds = len("Opt-In-Evidence: ") + 3 * 2
        assert len(str(VECTOR)) + name_and_folds == 278
        assert len(str(VECTOR_HINTED)) + name_and_folds == 284


@st.composite
def tokens(draw: st.DrawFn) -> Token:
    """Any token that may be signed."""
    algorithm = draw(st.sampled_from(Algorithm))
    days = st.dates(date(1970, 1, 2), date(2254, 12, 31))
    moments = days.map(lambda day: f"{day}T23:59:00")
    zones = st.sampled_from(("Z", "+01:00", "-09:30", "+00:00"))
    base64url = st.sampled_from("AZaz09_-")
    return a_token(
        algorithm=algorithm,
        issuer=draw(st.text("az09.-", min_size=1, max_size=30)),
        selector=draw(st.text("az09.-", min_size=1, max_size=30)),
        list_id=draw(st.text("az09.-=&'", min_size=1, max_size=30)),
        method=draw(st.sampled_from(Method)),
        time=f"{draw(moments)}{draw(zones)}",
        expires=draw(st.sampled_from(("", "2027-04-14T00:00:00.25Z"))),
        evidence_id=draw(st.text(base64url, min_size=1, max_size=32)),
        routing_hint=draw(st.sampled_from(("", "0a"))),
        commitment=draw(st.sampled_from(("", "A" * 22))),
        signature=draw(
            st.binary(
                min_size=algorithm.signature_bytes, max_size=algorithm.signature_bytes
            )
        ),
    )


class TestRoundTrip:
    """What is printed is read back."""

    @fast
    @given(tokens())
    def test_printed_and_read(self, token: Token) -> None:
        """On one line, and folded."""
        assert read(str(token)) == token
        assert read(token.folded()) == token
        assert len(str(token)) <= MAX_TOKEN_BYTES
        assert max(map(len, token.folded().split("\n"))) <= 110

    @fast
    @given(tokens(), st.randoms(use_true_random=False))
    def test_order_in_between_is_nothing(self, token: Token, random: object) -> None:
        """What is signed has an order of its own."""
        first, *middle, last = str(token).split("; ")
        random.shuffle(middle)  # type: ignore[attr-defined]
        again = read("; ".join((first, *middle, last)))
        assert again.signed(b"a@b") == token.signed(b"a@b")


class TestRefusals:
    """Whatever stands there: a token, or a word for what it is instead."""

    @fast
    @given(st.binary(max_size=300))
    def test_any_bytes(self, value: bytes) -> None:
        """Never an exception."""
        assert isinstance(parse_token(value), (Token, Refused))

    @fast
    @given(st.integers(0, 277), st.binary(max_size=3), st.integers(0, 3))
    def test_a_damaged_token(self, at: int, put: bytes, gone: int) -> None:
        """The same token, another one that is signed otherwise, or none."""
        value = VECTOR_HEADER.encode()
        damaged = parse_token(value[:at] + put + value[at + gone :])
        if isinstance(damaged, Token) and damaged != VECTOR:
            assert (
                damaged.signed(b"a@b") != VECTOR.signed(b"a@b")
                or damaged.signature != VECTOR.signature
            )

    @pytest.mark.parametrize(
        ("old", "new", "why"),
        [
            ("v=1; ", "", "a stands before v"),
            ("v=1", "v=2", "v='2'"),
            ("v=1; a=ed25519", "a=ed25519; v=1", "a stands before v"),
            ("a=ed25519; ", "", "there is no a"),
            ("a=ed25519", "a=rsa", "a='rsa'"),
            ("a=ed25519", "a=hmac-sha256", "b: 64 bytes, expected 32"),
            ("a=ed25519", "a=ed25519; a=ed25519", "a stands there twice"),
            ("m=coi", "m=coi; z=1", "'z' is no tag"),
            ("m=coi", "m=coi; M=1", "'M' is no tag"),
            ("m=coi", "m=coi;", "'' is no tag"),
            ("m=coi", "m", "'m' is no tag"),
            ("m=coi", "m=single", "m='single'"),
            ("m=coi", "m = coi", "'m ' is no tag"),
            ("m=coi", "m=coi\n\n", "m='coi\\n"),
            ("l=news", "l=News", "l='News"),
            ("l=news.example.org", "l=<news.example.org>", "l='<"),
            ("l=news.example.org", "l=näws.example.org", "l="),
            ("+01:00", "", "with its zone"),
            ("+01:00", "+25:00", "there is no such time"),
            ("+01:00", " +01:00", "with its zone"),
            ("2026-03-14T", "2026-02-30T", "there is no such time"),
            ("2026-03-14T", "0001-01-01T", "there is no such time"),
            ("t=2026", "t=٢٠٢٦", "with its zone"),
            ("x=2027-04-14T00:00:00Z", "x=9999-12-31T23:59:59-01:00", None),
            ("x=2027-04-14T00:00:00Z", "x=", "x=''"),
            ("e=01JPA7Q3X8", "e=", "e=''"),
            ("e=01JPA7Q3X8", f"e={'1' * 33}", "e="),
            ("eh=THhGkStaNrI9ypjUgBPOFQ", "eh=short", "eh="),
            ("eh=THhGkStaNrI9ypjUgBPOFQ", "eh=THhGkStaNrI9ypjUgBPOFR", "eh: "),
            ("2026-03-14T", "1969-03-14T", "there is no such time"),
            ("2026-03-14T", "2256-03-14T", "there is no such time"),
            ("x=2027-04-14T00:00:00Z", "x=1970-01-01T00:00:00Z", "no such time"),
            ("eh=", "r=AE; eh=", "r='AE'"),
            ("6CA", "6CB", "is no base64url"),
            ("6CA", "6CA=", "b="),
            ("6CA", "6CA;", "'' is no tag"),
            ("6CA", "6CA; x=2027-04-14T00:00:00Z", "x stands there twice"),
            ("6CA", "6CA; r=ae", "r stands behind b"),
        ],
    )
    def test_what_is_not_strictly_right(
        self, old: str, new: str, why: str | None
    ) -> None:
        """Named, for whoever writes a signer."""
        assert old in VECTOR_HEADER
        value = parse_token(VECTOR_HEADER.replace(old, new, 1).encode())
        if why is None:
            assert isinstance(value, (Token, Refused))
            return
        assert isinstance(value, Refused)
        assert value.result is TokenResult.MALFORMED
        assert why in value.why

    def test_size_is_bounded(self) -> None:
        """A kilobyte is read, whatever is in it; of a megabyte nothing."""
        assert refused(b"v=1; " * 200_000).result is TokenResult.TOO_LARGE
        assert refused(b"v" * (MAX_TOKEN_BYTES + 1)).result is TokenResult.TOO_LARGE
        full = VECTOR_HEADER.encode().ljust(MAX_TOKEN_BYTES)
        assert read(full) == VECTOR
        assert refused(full + b" ").result is TokenResult.TOO_LARGE

    def test_a_signer_hears_the_same(self) -> None:
        """What could not be read back is not printed."""
        with pytest.raises(ValueError, match="with its zone"):
            a_token(time="2026-03-14T09:26:53")
        with pytest.raises(ValueError, match="expected 64"):
            a_token(signature=b"short")


class TestGrade:
    """A signature says who asserts, not that the recipient confirmed."""

    @pytest.mark.parametrize(
        ("method", "commitment", "grade"),
        [
            (Method.COI, "A" * 22, Grade.ASSERTED),
            (Method.COI_MAIL, "A" * 22, Grade.ASSERTED),
            (Method.COI_WEB, "A" * 22, Grade.ASSERTED),
            (Method.COI_WEB, "", Grade.IMPORT),
            (Method.PAPER, "A" * 22, Grade.PAPER),
            (Method.PAPER, "", Grade.PAPER),
            (Method.OTHER, "A" * 22, Grade.PAPER),
            (Method.OTHER, "", Grade.IMPORT),
            (Method.IMPORT, "A" * 22, Grade.IMPORT),
            (Method.IMPORT, "", Grade.IMPORT),
        ],
    )
    def test_by_method_and_commitment(
        self, method: Method, commitment: str, grade: Grade
    ) -> None:
        """Never witnessed or corroborated: that is for who saw the confirmation."""
        assert a_token(method=method, commitment=commitment).record.grade is grade


class TestRecipient:
    """The form that is signed; tags and dots are the list host's business."""

    @pytest.mark.parametrize(
        ("path", "normal"),
        [
            (b"<Anna@Example.NET>", b"anna@example.net"),
            (b"Anna@Example.NET", b"anna@example.net"),
            ("<Änne@Bücher.example>".encode(), "Änne@xn--bcher-kva.example".encode()),
            (b"<a.b+List@gmail.com>", b"a.b+list@gmail.com"),
            (b"<postmaster>", b"postmaster"),
            (b"<>", b""),
            (b"<a@b@C>", b"a@b@c"),
            (b"<\xff@\xff>", b"\xff@\\xff"),
        ],
    )
    def test_normal(self, path: bytes, normal: bytes) -> None:
        """Only what RFC 5321 and IDNA make equal is equal; ASCII alone is folded."""
        assert normal_recipient(path) == normal

    def test_different_ones(self) -> None:
        """Each once, by the path that came last; what is no address is left out."""
        paths = [b"<a@b>", b"<A@B>", b"<c@b>", b"<%b@b>" % (b"x" * 1000)]
        assert normal_recipients(paths) == {b"a@b": b"<A@B>", b"c@b": b"<c@b>"}


def test_a_token_shows_no_signature() -> None:
    """In a traceback or a log, it could be copied."""
    assert "signature" not in repr(VECTOR)
    assert replace(VECTOR, list_id=LIST) != replace(VECTOR, list_id="other.example")
