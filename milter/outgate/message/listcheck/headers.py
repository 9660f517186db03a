"""List headers: List-Id (RFC 2919), List-Unsubscribe (RFC 2369), one-click (RFC 8058).

    List-Id: Anne's news <news.example.org>
    List-Unsubscribe: <https://example.org/leave?t=Zm9v>, <mailto:leave@example.org>
    List-Unsubscribe-Post: List-Unsubscribe=One-Click

Their presence says nothing about permission: a perfect List-Unsubscribe on mail that
nobody asked for is an opt-out list.

Of every message that has such headers policy asks two things, `list_id_of` and
`can_be_left`. `parse_list_headers` says the same and all the rest, where a person is to
read it; with it begins `check`, which knows more. Of a repeated header the topmost is
read.
"""

from dataclasses import dataclass
from functools import lru_cache

from outgate.message.headers import Headers
from outgate.message.listcheck.links import (
    begins_with_plain_link,
    each_link,
    read_links,
)
from outgate.message.listcheck.list_id import read_list_id
from outgate.message.listcheck.note import Level, Note, Remark, remarks_on, worst
from outgate.message.listcheck.one_click import (
    POST,
    UNSUBSCRIBE,
    PostValue,
    UnsubscribeNote,
    judge_one_click,
    read_post,
)
from outgate.message.listcheck.shape import read_shape
from outgate.message.listcheck.uri import Uri

LIST_ID = "list-id"
# Of these nobody needs more than that they are there once.
SIDE_HEADERS = (
    "list-post",
    "list-help",
    "list-owner",
    "list-subscribe",
    "list-archive",
)
# RFC 2369 §3, RFC 2919 §3, RFC 8058 §3.1.
LIST_HEADERS = frozenset({LIST_ID, UNSUBSCRIBE, POST, *SIDE_HEADERS})


@dataclass(frozen=True, slots=True)
class ListHeaders:
    """What the list headers of a message say.

    Attributes:
        list_id: the identifier, lower case (RFC 2919 §6: compared without case);
            None where there is none that follows the grammar.
        uris: the links of List-Unsubscribe, in the sender's order of preference.
        post: what List-Unsubscribe-Post says.
        one_click: whether a mailbox provider may offer one-click unsubscription, but
            for the signature: one usable https link, no other web link, and the Post
            header (RFC 8058 §3.1).
        usable_unsubscribe: whether a recipient could really unsubscribe.
        remarks: what there is to say, each once, header by header.
    """

    list_id: str | None = None
    uris: tuple[Uri, ...] = ()
    post: PostValue = PostValue.ABSENT
    one_click: bool = False
    usable_unsubscribe: bool = False
    remarks: tuple[Remark, ...] = ()

    @property
    def level(self) -> Level:
        """The worst of its remarks."""
        return worst(remark.level for remark in self.remarks)

    @property
    def faults(self) -> tuple[Note, ...]:
        """What is not ok, each once."""
        faulty = [one.note for one in self.remarks if one.level is not Level.OK]
        return tuple(dict.fromkeys(faulty))


def list_id_of(headers: Headers) -> str:
    """Give the well-formed List-Id, lower case; "" where there is none."""
    values = headers.get(LIST_ID)
    if not values:
        return ""
    value = values[0]
    return _remembered(value) if len(value) <= _SHORT else _list_id(value)


def _list_id(value: bytes) -> str:
    return read_list_id((value,), []) or ""


# A list writes the same one into all of its mail; a long one is no list's.
_SHORT = 512
_remembered = lru_cache(maxsize=4096)(_list_id)


def can_be_left(headers: Headers) -> bool:
    """Whether a recipient could really unsubscribe, by any link of List-Unsubscribe."""
    values = headers.get(UNSUBSCRIBE)
    if not values:
        return False
    return begins_with_plain_link(values[0]) or any(
        uri.usable for uri in each_link(values, [])
    )


def parse_list_headers(headers: Headers) -> ListHeaders:
    """Read all list headers of a message."""
    ids = headers.get(LIST_ID, ())
    on_id = read_shape(LIST_ID, ids)
    list_id = read_list_id(ids, on_id)

    links = headers.get(UNSUBSCRIBE, ())
    on_unsubscribe = read_shape(UNSUBSCRIBE, links)
    uris: tuple[Uri, ...] = ()
    if links:
        uris = read_links(links, on_unsubscribe)
    else:
        on_unsubscribe.append(UnsubscribeNote.UNSUBSCRIBE_MISSING)

    posts = headers.get(POST, ())
    on_post = read_shape(POST, posts)
    post = read_post(posts, on_post)
    one_click = judge_one_click(uris, post, len(links), on_unsubscribe, on_post)

    remarks = remarks_on(UNSUBSCRIBE, on_unsubscribe)
    if on_id:
        remarks = remarks_on(LIST_ID, on_id) + remarks
    if on_post:
        remarks += remarks_on(POST, on_post)
    for name in SIDE_HEADERS:
        if values := headers.get(name):
            remarks += remarks_on(name, read_shape(name, values))
    return ListHeaders(
        list_id=list_id,
        uris=uris,
        post=post,
        one_click=one_click,
        usable_unsubscribe=any(uri.usable for uri in uris),
        remarks=tuple(remarks),
    )
