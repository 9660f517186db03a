"""Which challenge a message is."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from message.builders import HeaderMap, fast, headers, hostile_headers
from message.challenges import (
    ALL,
    COOKIE,
    LISTMONK,
    MAILMAN_2,
    MAILMAN_3,
    MAILPOET,
    PATTERN,
    PHPLIST,
    SYMPA_MAIL,
    SYMPA_WEB,
    UUID,
    Message,
)
from outgate.message.challenge import (
    MAX_CHALLENGE_BYTES,
    MAX_REQUEST_BYTES,
    Challenge,
    Pattern,
    Software,
    by_content,
    by_headers,
    is_plain_request,
    software_of,
)


def content_of(message: Message, *patterns: str) -> Challenge | None:
    block, body = message
    return by_content(headers(block), body, len(body), list(map(Pattern, patterns)))


@pytest.mark.parametrize(
    ("message", "found"),
    [
        (MAILMAN_3, Challenge(Software.MAILMAN, "news@lists.choir.example")),
        (MAILMAN_2, Challenge(Software.MAILMAN, "news@lists.choir.example")),
        (SYMPA_MAIL, Challenge(Software.SYMPA, "news")),
    ],
    ids=["mailman 3", "mailman 2", "sympa"],
)
def test_headers_name_software_and_list(message: Message, found: Challenge) -> None:
    """Without a look at the body."""
    assert by_headers(headers(message[0]), bulk=True) == found


@pytest.mark.parametrize(
    ("message", "software"),
    [
        (SYMPA_WEB, Software.SYMPA),
        (LISTMONK, Software.LISTMONK),
        (PHPLIST, Software.PHPLIST),
        (MAILPOET, Software.MAILPOET),
    ],
    ids=["sympa", "listmonk", "phplist", "mailpoet"],
)
def test_a_link_names_the_software(message: Message, software: Software) -> None:
    """In whatever the body is encoded; the makers' own links do not count."""
    assert content_of(message) == Challenge(software)


def test_a_pattern_is_found_in_a_link_or_a_subject() -> None:
    """And says which it was; the others stay what they are."""
    assert content_of(PATTERN) is None
    found = content_of(PATTERN, "no such thing", "/nl/confirm/*?list=")
    assert found == Challenge(Software.OTHER, pattern=1)
    assert content_of(PATTERN, "one*STEP") == Challenge(Software.OTHER, pattern=0)
    known = content_of(PHPLIST, "/lists/?p=")
    assert known == Challenge(Software.PHPLIST, pattern=0)


@pytest.mark.parametrize(
    "more",
    [
        b"\nBuy at https://shop.example/\n",
        b"\nhttps://choir.example.evil.example/\n",
        b"\n" + b"https://choir.example/a\n" * 30,
        b"x" * MAX_CHALLENGE_BYTES,
        b"\nhttp://[not/a/host\n",
    ],
    ids=["another host", "a longer host", "many links", "long", "no host"],
)
def test_an_advert_with_the_link_is_none(more: bytes) -> None:
    """It leads elsewhere, or is none of the short ones."""
    block, body = PHPLIST
    assert content_of((block, body + more)) is None
    block, body = PATTERN
    assert content_of((block, body + more), "one more step") is None


@pytest.mark.parametrize(
    "more",
    [
        '<a href="//shop.example/buy">Buy</a>',
        "<a href=//shop.example/buy>Buy</a>",
        '<img src="https://shop.example/advert.png">',
        '<img srcset="https://news.choir.example/a 1x, https://shop.example/b 2x">',
        '<form action="https://shop.example/buy">',
        '<button formaction="http:shop.example">',
        '<meta http-equiv="refresh" content="0;url=https://shop.example/">',
        '<p style="background:url(https://news.choir.example/a),url(//shop.example/b)">',
        '<a href="ht\ntps://shop.example/buy">Buy</a>',
        '<a href="/\\shop.example/buy">Buy</a>',
        '<a href="&#104;ttps&colon;//shop.example/buy">Buy</a>',
        '<a href=https://news.choir.example/a\nclass="x" href="ht\ntps://shop.example/">',
        "<p>Buy at www.shop.example</p>",
        '<a href="https://news.choir.example@shop.example/">Buy</a>',
        '<a href="https://shop.example\\@news.choir.example/">Buy</a>',
    ],
)
def test_whatever_leads_elsewhere_is_seen(more: str) -> None:
    """Links without a scheme, pictures, forms, styles, refreshes."""
    link = f'<a href="https://news.choir.example/subscription/optin/{UUID}">Yes</a>'
    block = "From: Choir <noreply@choir.example>\nContent-Type: text/html"
    assert content_of((block, link.encode())) == Challenge(Software.LISTMONK)
    assert content_of((block, f"{link}\n{more}".encode())) is None


def test_what_leads_to_its_own_site_stays_one() -> None:
    """Pictures of its own, names of formats, a footer."""
    link = f'<a href="https://news.choir.example/subscription/optin/{UUID}">Yes</a>'
    body = (
        '<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Strict//EN" '
        '"http://www.w3.org/TR/xhtml1/DTD/xhtml1-strict.dtd">'
        '<html xmlns="http://www.w3.org/1999/xhtml"><head><style>p { color: red; } '
        "/* body */</style></head>"
        f'{link}<img src="//news.choir.example/a.png"><a href="/leave">Leave</a>'
        '<a href="mailto:help@lists.example">Help</a> and/or // www.news.choir.example'
    )
    block = "From: Choir <noreply@choir.example>\nContent-Type: text/html"
    assert content_of((block, body.encode())) == Challenge(Software.LISTMONK)


@pytest.mark.parametrize("message", [MAILMAN_3, MAILMAN_2, SYMPA_MAIL])
def test_what_list_software_asks_by_is_plain(message: Message) -> None:
    """Short text, at most one host, seen whole."""
    block, body = message

    def is_plain(block: str, body: bytes) -> bool:
        return is_plain_request(headers(block), body, len(body))

    assert is_plain(block, body)
    assert not is_plain(block, body + b"x" * MAX_REQUEST_BYTES)
    assert not is_plain(block, body + b"http://a.example http://b.example")
    assert not is_plain(f"{block}\nContent-Type: text/html", body)
    assert not is_plain(f"{block}\nContent-Type: image/png", body)
    assert not is_plain_request(headers(block), body, len(body) + 1)


def test_a_body_that_was_not_seen_whole_is_none() -> None:
    """What comes behind may lead anywhere."""
    block, body = PHPLIST
    assert by_content(headers(block), body, len(body) + 1) is None


@pytest.mark.parametrize(
    "link",
    [
        "https://choir.example/subscription/optin/7f9c",
        "https://choir.example/lists/?p=unsubscribe&uid=8f565e45220c54f57e040d603a722e6e",
        "https://choir.example/?mailpoet_router&endpoint=subscription&action=unsubscribe",
        "https://choir.example/?mailpoet_router&endpoint=track&action=click",
        "https://choir.example/?endpoint=subscription&action=confirm",
        "https://choir.example/sympa/auth/1a2b3c4d5e6f/signoff?email=bart@example.net",
        "https://choir.example/?next=/auth/1a2b3c4d5e6f/subscribe",
    ],
)
def test_other_links_of_the_same_software_are_none(link: str) -> None:
    """To leave, to look, to be counted."""
    assert software_of(link) is None


def test_a_request_to_leave_is_none() -> None:
    """Where its subject tells."""
    block = (
        f"From: news-confirm+{COOKIE}@lists.choir.example\n"
        "Subject: Your confirmation is required to leave the news mailing list"
    )
    assert by_headers(headers(block), bulk=True) is None


@pytest.mark.parametrize("text", ["", "*", "a*b*c", "abc", "x" * 201])
def test_a_pattern_says_enough(text: str) -> None:
    """Or every message would be a challenge."""
    with pytest.raises(ValueError, match="expected"):
        Pattern(text)


@fast
@given(text=st.text("ab*/", min_size=4, max_size=40), other=st.text("ab/", max_size=80))
def test_a_pattern_is_what_an_expression_would_be(text: str, other: str) -> None:
    """A star is anything."""
    import re

    try:
        pattern = Pattern(text)
    except ValueError:
        return
    expression = ".*".join(map(re.escape, text.split("*")))
    found = re.search(expression, other, re.DOTALL) is not None
    assert pattern.matches(other) == found


def test_a_pattern_of_stars_takes_linear_time() -> None:
    """What no regular expression does."""
    pattern = Pattern("a*" * 90 + "abcd")
    started = time.perf_counter()
    assert not pattern.matches("a" * 40_000)
    assert time.perf_counter() - started < 1


@fast
@given(found=hostile_headers, body=st.binary(max_size=2_000))
def test_hostile_mail_is_read(found: HeaderMap, body: bytes) -> None:
    """Whatever it is."""
    by_headers(found, bulk=True)
    by_content(found, body, len(body), [Pattern("confirm")])
    is_plain_request(found, body, len(body))


@pytest.mark.parametrize("name", ALL)
def test_a_large_challenge_costs_little(name: str) -> None:
    """Filled up to the largest that is looked at, with what looks like links."""
    block, body = ALL[name]
    body += b' href="https://' * ((MAX_CHALLENGE_BYTES - len(body)) // 15)
    started = time.perf_counter()
    by_content(headers(block), body, len(body), [Pattern("a*" * 90 + "abcd")])
    assert time.perf_counter() - started < 1
