"""One-click unsubscription: List-Unsubscribe-Post beside List-Unsubscribe (RFC 8058).

    List-Unsubscribe: <https://example.org/leave?t=Zm9v>
    List-Unsubscribe-Post: List-Unsubscribe=One-Click

Here stands what the two headers say; whether a signature covers them is for
`signature`. Nothing ever follows the link: the POST would unsubscribe the recipient.
"""

from collections.abc import Sequence
from enum import StrEnum

from outgate.message.cfws import unfold
from outgate.message.listcheck.note import Level, Note
from outgate.message.listcheck.uri import Uri

UNSUBSCRIBE = "list-unsubscribe"
POST = "list-unsubscribe-post"
# Seen 51 times in 7,909 real messages.
MISSPELT_POST = "x-list-unsubscribe-post"

ONE_CLICK = b"List-Unsubscribe=One-Click"
_ONE_CLICK_LOWER = ONE_CLICK.lower()


class PostValue(StrEnum):
    """What List-Unsubscribe-Post says."""

    ABSENT = "absent"
    EXACT = "exact"
    OTHER_CASE = "other-case"
    MALFORMED = "malformed"


class UnsubscribeNote(Note):
    """Notes on List-Unsubscribe, whatever its links."""

    UNSUBSCRIBE_MISSING = (
        "unsubscribe-missing",
        Level.WEAK,
        "The message has no List-Unsubscribe, so mail programs show no way to leave.",
        "Add List-Unsubscribe: <https://…>, <mailto:…>, both with the recipient's token.",
        "RFC 2369 §3.2",
    )
    ONE_CLICK = (
        "one-click",
        Level.OK,
        "Mail programs can offer to unsubscribe with one click.",
        "",
        "RFC 8058 §3.1",
    )
    SEVERAL_WEB_URIS = (
        "several-web-uris",
        Level.FIX,
        "One-click unsubscription wants exactly one https: link and no other web link.",
        "Leave one https: link; a mailto: link may stay beside it.",
        "RFC 8058 §3.1",
    )
    MAILTO_ONLY = (
        "mailto-only",
        Level.FIX,
        (
            "Announcements that can be left by mail only: large mailbox providers want"
            " one-click unsubscription of bulk mail."
        ),
        "Add an https: link and List-Unsubscribe-Post: List-Unsubscribe=One-Click.",
        "RFC 8058 §3.1",
    )
    MAILTO_ONLY_DISCUSSION = (
        "mailto-only-discussion",
        Level.OK,
        "Members of the discussion list leave it by mail, as they always did.",
        "",
        "RFC 2369 §3.2",
    )
    PLAIN_HTTP = (
        "plain-http",
        Level.FIX,
        "The only web link is http: without encryption, which can't be one-click.",
        "Use an https: link.",
        "RFC 8058 §3.1",
    )
    PLAIN_HTTP_DISCUSSION = (
        "plain-http-discussion",
        Level.OK,
        "The discussion list has a web link without encryption, as many old ones have.",
        "",
        "RFC 2369 §3.2",
    )
    HOST_UNRELATED = (
        "host-unrelated",
        Level.OK,
        (
            "No link leads to a domain of the sender, the signature or the list, as with"
            " many mailing services."
        ),
        "",
        "RFC 2369 §2",
    )


class PostNote(Note):
    """Notes on List-Unsubscribe-Post."""

    POST_MISSING = (
        "post-missing",
        Level.FIX,
        (
            "There is an https: link but no List-Unsubscribe-Post header, so mailbox"
            " providers can't offer one-click unsubscription."
        ),
        "Add List-Unsubscribe-Post: List-Unsubscribe=One-Click, and answer the POST.",
        "RFC 8058 §3.1",
    )
    POST_OTHER_CASE = (
        "post-other-case",
        Level.FIX,
        "The value has other upper and lower case than all programs know.",
        "Write List-Unsubscribe=One-Click.",
        "RFC 8058 §5",
    )
    POST_FOLDED = (
        "post-folded",
        Level.FIX,
        "The value begins or ends on a line of its own, which the grammar forbids.",
        "Write header and value on one line.",
        "RFC 8058 §5",
    )
    POST_MALFORMED = (
        "post-malformed",
        Level.BAD,
        "The value is not List-Unsubscribe=One-Click and nothing else.",
        "Write List-Unsubscribe=One-Click: no comment, no other text, no spaces within.",
        "RFC 8058 §5",
    )
    POST_WITHOUT_UNSUBSCRIBE = (
        "post-without-unsubscribe",
        Level.BAD,
        "There is a List-Unsubscribe-Post header but no List-Unsubscribe.",
        "Add List-Unsubscribe with the https: link that the POST goes to.",
        "RFC 8058 §3.1",
    )
    POST_WITHOUT_HTTPS = (
        "post-without-https",
        Level.BAD,
        (
            "There is a List-Unsubscribe-Post header, but List-Unsubscribe holds no https:"
            " link."
        ),
        "Add the https: link that the POST goes to, or leave this header out.",
        "RFC 8058 §3.1",
    )
    POST_MISSPELT = (
        "post-misspelt",
        Level.FIX,
        "No program knows a header X-List-Unsubscribe-Post.",
        "Name it List-Unsubscribe-Post.",
        "RFC 8058 §5",
    )


def read_post(values: Sequence[bytes], notes: list[Note]) -> PostValue:
    """Read List-Unsubscribe-Post; case is free by RFC 5234 §2.3, though noted."""
    if not values:
        return PostValue.ABSENT
    if len(values) > 1:
        return PostValue.MALFORMED
    value = unfold(values[0])
    if value.lower() != _ONE_CLICK_LOWER:
        notes.append(PostNote.POST_MALFORMED)
        return PostValue.MALFORMED
    if b"\n" in values[0]:
        notes.append(PostNote.POST_FOLDED)
    if value == ONE_CLICK:
        return PostValue.EXACT
    notes.append(PostNote.POST_OTHER_CASE)
    return PostValue.OTHER_CASE


def judge_one_click(
    uris: Sequence[Uri],
    post: PostValue,
    unsubscribes: int,
    on_unsubscribe: list[Note],
    on_post: list[Note],
) -> bool:
    """Whether a mailbox provider may offer one-click, but for the signature.

    Args:
        uris: the links of List-Unsubscribe.
        post: what List-Unsubscribe-Post says.
        unsubscribes: how many List-Unsubscribe headers there are.
        on_unsubscribe: takes notes on List-Unsubscribe.
        on_post: takes notes on List-Unsubscribe-Post.
    """
    secure = [uri for uri in uris if uri.scheme == "https"]
    web = len(secure) + sum(uri.scheme == "http" for uri in uris)
    if post is PostValue.ABSENT:
        if secure:
            on_post.append(PostNote.POST_MISSING)
        return False
    if not unsubscribes:
        on_post.append(PostNote.POST_WITHOUT_UNSUBSCRIBE)
    elif not secure:
        on_post.append(PostNote.POST_WITHOUT_HTTPS)
    if secure and web > 1:
        on_unsubscribe.append(UnsubscribeNote.SEVERAL_WEB_URIS)
    is_offered = (
        post is not PostValue.MALFORMED
        and unsubscribes == 1
        and len(secure) == web == 1
        and secure[0].usable
    )
    if is_offered:
        on_unsubscribe.append(UnsubscribeNote.ONE_CLICK)
    return is_offered
