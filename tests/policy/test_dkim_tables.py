"""KeyTable and SigningTable mean what OpenDKIM means by them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from message.builders import fast
from outgate.model.address import parse_address
from outgate.policy.dkim_tables import MAX_SIGNATURES, Tables, read_tables

KEYS = """
# name  domain:selector:key
one  example.org:2026a:/k/one.pem
two  example.org:2026e:/k/two.pem
any  %:2026a:./any.pem
"""


def tables(signing: str, *, by_pattern: bool = True, multiple: bool = False) -> Tables:
    return read_tables(KEYS, signing, by_pattern=by_pattern, multiple=multiple)


def keys(found: Tables, address: str) -> list[str]:
    return [key.name for key, _ in found.find(parse_address(address))]


def test_a_key_table_is_read() -> None:
    """Comments and empty lines are nothing; `%` is the sender's domain."""
    found = tables("").keys

    assert [(one.domain, one.selector, one.material) for one in found.values()] == [
        ("example.org", "2026a", "/k/one.pem"),
        ("example.org", "2026e", "/k/two.pem"),
        ("%", "2026a", "./any.pem"),
    ]
    assert found["any"].domain_for(parse_address("a@shop.example")) == "shop.example"


def test_the_first_pattern_that_matches_decides_with_all_its_keys() -> None:
    """In the order of the file; `multiple-signatures` takes the others too."""
    text = "vip@example.org any\n*@example.org one\n*@*.org any\n*@EXAMPLE.org two\n"

    assert keys(tables(text), "vip@example.org") == ["any"]
    assert keys(tables(text), "Anne@Example.ORG") == ["one", "two"]
    assert keys(tables(text), "x@other.org") == ["any"]
    assert keys(tables(text), "x@other.example") == []
    assert keys(tables(text, multiple=True), "a@example.org") == ["one", "any", "two"]


def test_a_wildcard_below_a_domain_is_not_the_domain() -> None:
    """`*@*.example.org` takes any depth, and nothing that only ends alike."""
    found = tables("*@*.example.org one\n")

    assert keys(found, "x@a.example.org") == keys(found, "x@a.b.example.org") == ["one"]
    assert keys(found, "x@example.org") == keys(found, "x@badexample.org") == []


def test_other_signs_than_the_star_mean_themselves() -> None:
    """A local part may hold them."""
    found = tables("[ab]?@example.org one\n")

    assert keys(found, "[ab]?@example.org") == ["one"]
    assert keys(found, "ax@example.org") == []


@pytest.mark.parametrize(
    ("line", "address"),
    [
        ("user@foo.example.com", "user@foo.example.com"),
        ("foo.example.com", "user@foo.example.com"),
        ("user@.example.com", "user@foo.example.com"),
        ("user@.com", "user@foo.example.com"),
        (".example.com", "user@foo.example.com"),
        ("user@*", "user@foo.example.com"),
        ("*", "user@foo.example.com"),
    ],
)
def test_a_plain_file_is_asked_from_the_most_to_the_least_exact(
    line: str, address: str
) -> None:
    """opendkim.conf(5), SigningTable: each form, and before all that come later."""
    forms = ["user@foo.example.com", "foo.example.com", "user@.example.com"]
    forms += ["user@.com", ".example.com", ".com", "user@*", "*"]
    later = forms[forms.index(line) + 1 :]
    text = "".join(f"{form} two\n" for form in later) + f"{line} one\n"

    assert keys(tables(text, by_pattern=False), address) == ["one"]


def test_a_signer_goes_into_the_identity_where_it_fits_the_domain() -> None:
    """RFC 6376 §3.5: `i=` is in or below `d=`."""
    found = tables("a@example.org one:@%\nb@example.org one:x@sub.%\n* one:@%\n")

    def identity(address: str) -> str:
        ((key, entry),) = found.find(parse_address(address))
        sender = parse_address(address)
        return entry.identity_for(sender, key.domain_for(sender))

    assert identity("a@example.org") == "@example.org"
    assert identity("b@example.org") == "x@sub.example.org"
    assert identity("c@other.example") == ""


def test_no_message_gets_more_signatures_than_a_few() -> None:
    """However many keys stand beside a pattern."""
    many = "".join(f"k{n} example.org:s{n}:/k{n}\n" for n in range(20))
    signing = "".join(f"* k{n}\n" for n in range(20))
    found = read_tables(many, signing, by_pattern=True)

    assert len(found.find(parse_address("a@example.org"))) == MAX_SIGNATURES


def test_every_mistake_is_told_with_its_line_and_no_key() -> None:
    """All at once; a private key that stands there is not repeated."""
    secret = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQ"
    found = read_tables(
        f"a\nb example.org\nc exa mple:s:/k\nd example.org:s s:/k\n{secret} {secret}\n"
        "e example.org:s:/k\ne example.org:s:/k\n",
        "*@example.org nobody\n*@example.org e:no signer\nx\n",
        by_pattern=True,
    )

    assert {one.partition(":")[0] for one in found.problems} == {
        *(f"KeyTable line {line}" for line in (1, 2, 3, 4, 5, 7)),
        *(f"SigningTable line {line}" for line in (1, 2, 3)),
    }
    assert len(found.problems) == 9
    assert secret not in "".join(found.problems)


@fast
@given(st.text(max_size=200), st.text(max_size=200), st.booleans())
def test_whatever_the_files_hold_they_are_read(
    key_table: str, signing_table: str, by_pattern: bool
) -> None:
    """Problems, never an exception; and a look-up answers."""
    found = read_tables(KEYS + key_table, signing_table, by_pattern=by_pattern)

    found.find(parse_address("anne@example.org"))
