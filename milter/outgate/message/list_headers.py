"""List headers: List-Id (RFC 2919), List-Unsubscribe (RFC 2369), one-click (RFC 8058).

    List-Id: Anne's news <news.example.org>
    List-Unsubscribe: <https://example.org/leave?t=Zm9v>, <mailto:leave@example.org>
    List-Unsubscribe-Post: List-Unsubscribe=One-Click

Their presence says nothing about permission: a perfect List-Unsubscribe on mail that
nobody asked for is an opt-out list.

Limits: one-click also wants a DKIM signature over both headers (RFC 8058 §4); that is
for those who know what will be signed. Of a repeated header the topmost is read.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from outgate.message.cfws import NOT_FOUND, skip_cfws, unfold
from outgate.message.encoded_words import decode_words
from outgate.message.headers import Headers, first_value
from outgate.message.list_note import ListNote
from outgate.message.uri import Uri, parse_uri

# RFC 2369 §3, RFC 2919 §3, RFC 8058 §3.1.
LIST_HEADERS = frozenset(
    {
        "list-archive",
        "list-help",
        "list-id",
        "list-owner",
        "list-post",
        "list-subscribe",
        "list-unsubscribe",
        "list-unsubscribe-post",
    }
)

# Senders name two (mailto and https); one of 674 real headers has nine.
MAX_URIS = 16
# One link of the largest size that anybody has to take; the links of real headers have
# 1,005 characters at most. What stands behind them is not looked at.
MAX_UNSUBSCRIBE_BYTES = 8_192
MAX_LINE_BYTES = 998  # RFC 5322 §2.1.1
MAX_LIST_ID_CHARACTERS = 255  # RFC 2919 §2

ONE_CLICK = b"List-Unsubscribe=One-Click"

# RFC 5322 §3.2.3: atext.
_LIST_ID = re.compile(r"[a-z0-9!#$%&'*+/=?^_`{|}~.-]+")


class PostValue(StrEnum):
    """What List-Unsubscribe-Post says."""

    ABSENT = "absent"
    EXACT = "exact"
    OTHER_CASE = "other-case"
    MALFORMED = "malformed"


@dataclass(frozen=True, slots=True)
class ListHeaders:
    """What the list headers of a message say.

    Attributes:
        list_id: the identifier, lower case (RFC 2919 §6: compared without case);
            None where there is none that follows the grammar.
        uris: the links of List-Unsubscribe, in the sender's order of preference.
        post: what List-Unsubscribe-Post says.
        one_click: whether a mailbox provider may offer one-click unsubscription: one
            usable https link, no other web link, and the Post header (RFC 8058 §3.1).
        usable_unsubscribe: whether a recipient could really unsubscribe.
        notes: what is odd, each once, in the order it was found.
    """

    list_id: str | None = None
    uris: tuple[Uri, ...] = ()
    post: PostValue = PostValue.ABSENT
    one_click: bool = False
    usable_unsubscribe: bool = False
    notes: tuple[ListNote, ...] = ()


def parse_list_headers(headers: Headers) -> ListHeaders:
    """Read all list headers of a message."""
    notes: list[ListNote] = []
    for name, values in headers.items():
        if name in LIST_HEADERS:
            _read_shape(values, notes)
    list_id = _read_list_id(headers, notes)
    uris = _read_uris(headers, notes)
    post = _read_post(headers, notes)
    one_click = _is_one_click(uris, post, notes)
    return ListHeaders(
        list_id=list_id,
        uris=uris,
        post=post,
        one_click=one_click and len(headers["list-unsubscribe"]) == 1,
        usable_unsubscribe=any(uri.usable for uri in uris),
        notes=tuple(dict.fromkeys(notes)),
    )


def _read_shape(values: Sequence[bytes], notes: list[ListNote]) -> None:
    if len(values) > 1:
        notes.append(ListNote.HEADER_REPEATED)
    for value in values:
        if len(value) > MAX_LINE_BYTES and _has_long_line(value):
            notes.append(ListNote.LINE_TOO_LONG)
            break


def _has_long_line(value: bytes) -> bool:
    return any(len(line.rstrip(b"\r")) > MAX_LINE_BYTES for line in value.split(b"\n"))


def _read_list_id(headers: Headers, notes: list[ListNote]) -> str | None:
    value = first_value(headers, "list-id")
    if value is None:
        notes.append(ListNote.LIST_ID_MISSING)
        return None
    # The phrase before it may hold a quoted `<`; the identifier is last (§3).
    inside, closed, behind = value.rpartition(b"<")[2].partition(b">")
    if not closed or b"<" not in value:
        notes.append(ListNote.LIST_ID_NO_BRACKETS)
        return None
    if behind.strip():
        notes.append(ListNote.LIST_ID_STRAY_TEXT)
    compact = b"".join(inside.split())
    if len(compact) != len(inside):
        notes.append(ListNote.LIST_ID_SPACE)
    if len(compact) > MAX_LIST_ID_CHARACTERS:
        notes.append(ListNote.LIST_ID_TOO_LONG)
        return None
    identifier = compact.decode("utf-8", "replace").lower()
    if not _LIST_ID.fullmatch(identifier):
        notes.append(ListNote.LIST_ID_CHARACTERS)
        return None
    labels = identifier.split(".")
    if sum(map(bool, labels)) <= 1:
        notes.append(ListNote.LIST_ID_NO_DOT)
        return None
    if not all(labels):
        # Salesforce sends <.7289367.xt.local>; it names the list all the same.
        notes.append(ListNote.LIST_ID_EMPTY_LABEL)
    if labels[-1] == "localhost":
        notes.append(ListNote.LIST_ID_UNMANAGED)
    return identifier


def _read_uris(headers: Headers, notes: list[ListNote]) -> tuple[Uri, ...]:
    values = headers.get("list-unsubscribe")
    if not values:
        notes.append(ListNote.UNSUBSCRIBE_MISSING)
        return ()
    if values[0].lstrip(b" \t").startswith((b"\n", b"\r\n")):
        notes.append(ListNote.LEADING_FOLD)
    value = unfold(values[0])[:MAX_UNSUBSCRIBE_BYTES]
    if not value:
        notes.append(ListNote.UNSUBSCRIBE_EMPTY)
        return ()
    if value[:2] == b"=?":
        notes.append(ListNote.ENCODED_WORD)
        value = decode_words(value).encode("utf-8", "replace")
    return _parse_uris(value, notes)


def _parse_uris(value: bytes, notes: list[ListNote]) -> tuple[Uri, ...]:
    uris: list[Uri] = []
    position = skip_cfws(value, 0)
    while position < len(value):
        if value[position : position + 1] != b"<":
            # RFC 2369 §2: ignored from here on, and as a whole if nothing was read.
            notes.append(ListNote.STRAY_TEXT if uris else ListNote.NOT_BRACKETED)
            break
        end = value.find(b">", position)
        if end == NOT_FOUND:
            notes.append(ListNote.BRACKET_UNCLOSED)
            break
        if len(uris) == MAX_URIS:
            notes.append(ListNote.TOO_MANY_URIS)
            break
        uri = parse_uri(value[position + 1 : end])
        uris.append(uri)
        notes.extend(uri.notes)
        position = skip_cfws(value, end + 1)
        if value[position : position + 1] == b",":
            position = skip_cfws(value, position + 1)
        elif value[position : position + 1] == b"<":
            notes.append(ListNote.COMMA_MISSING)
    return tuple(uris)


def _read_post(headers: Headers, notes: list[ListNote]) -> PostValue:
    value = first_value(headers, "list-unsubscribe-post")
    if value is None:
        return PostValue.ABSENT
    if "list-unsubscribe" not in headers:
        notes.append(ListNote.POST_WITHOUT_UNSUBSCRIBE)
    if len(headers["list-unsubscribe-post"]) > 1:
        return PostValue.MALFORMED
    if value == ONE_CLICK:
        return PostValue.EXACT
    if value.lower() == ONE_CLICK.lower():
        # RFC 5234 §2.3: a string in ABNF has no case, so this is valid; but not
        # every receiver knows.
        notes.append(ListNote.POST_OTHER_CASE)
        return PostValue.OTHER_CASE
    notes.append(ListNote.POST_MALFORMED)
    return PostValue.MALFORMED


def _is_one_click(
    uris: tuple[Uri, ...], post: PostValue, notes: list[ListNote]
) -> bool:
    web = [uri for uri in uris if uri.scheme in {"https", "http"}]
    secure = [uri for uri in web if uri.scheme == "https"]
    if web and not secure:
        notes.append(ListNote.PLAIN_HTTP)
    if post is PostValue.ABSENT:
        if secure:
            notes.append(ListNote.POST_MISSING)
        return False
    if uris and not secure:
        notes.append(ListNote.POST_WITHOUT_HTTPS)
    if secure and len(web) > 1:
        notes.append(ListNote.SEVERAL_WEB_URIS)
    return (
        post is not PostValue.MALFORMED
        and len(web) == len(secure) == 1
        and secure[0].usable
    )
