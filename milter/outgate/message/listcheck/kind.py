"""Announcements or a discussion: what a list is, from its headers.

Large mailbox providers want one-click unsubscription of announcements; members of a
discussion leave it as they always did.
"""

from enum import StrEnum

from outgate.message.automation import precedence
from outgate.message.headers import Headers
from outgate.message.listcheck.links import read_links, says_no
from outgate.message.listcheck.note import Note
from outgate.message.listcheck.one_click import UnsubscribeNote
from outgate.message.listcheck.uri import Uri


class ListKind(StrEnum):
    """What a list is."""

    ANNOUNCEMENT = "announcement"
    DISCUSSION = "discussion"


def kind_of(headers: Headers) -> ListKind:
    """Tell announcements from a discussion.

    A discussion has an address to post to (RFC 2369 §3.4), or says `Precedence: list`.
    `List-Post: NO` settles it; of what says nothing the stricter is assumed.
    """
    posts = headers.get("list-post")
    if posts:
        if says_no(posts[0]):
            return ListKind.ANNOUNCEMENT
        if any(uri.scheme == "mailto" for uri in read_links(posts, [])):
            return ListKind.DISCUSSION
    is_list = precedence(headers) == "list"
    return ListKind.DISCUSSION if is_list else ListKind.ANNOUNCEMENT


def notes_by_kind(uris: tuple[Uri, ...], kind: ListKind) -> list[Note]:
    """What is odd about links for that kind of list, where none of them is https."""
    schemes = {uri.scheme for uri in uris}
    is_discussion = kind is ListKind.DISCUSSION
    if "https" in schemes:
        return []
    if "http" in schemes:
        return [
            UnsubscribeNote.PLAIN_HTTP_DISCUSSION
            if is_discussion
            else UnsubscribeNote.PLAIN_HTTP
        ]
    if "mailto" in schemes:
        return [
            UnsubscribeNote.MAILTO_ONLY_DISCUSSION
            if is_discussion
            else UnsubscribeNote.MAILTO_ONLY
        ]
    return []
