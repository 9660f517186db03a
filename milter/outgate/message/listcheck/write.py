"""List headers as they ought to be written, from what a sender meant.

The first link stands on the line of the header's name: a value that begins on the next
line breaks signatures of old OpenDKIM versions. Folds come after commas, never within
a link. What is proposed is read again without a fault of its own.
"""

import re
from collections.abc import Iterable, Sequence

from outgate.message.cfws import unfold
from outgate.message.listcheck.headers import LIST_ID, ListHeaders
from outgate.message.listcheck.one_click import ONE_CLICK, POST, UNSUBSCRIBE, PostValue
from outgate.message.listcheck.uri import Uri, parse_uri

# What a person would take for a link where brackets are missing, in the first lines.
_BARE_LINK = re.compile(rb"(?:https?://|mailto:)[^\s<>,\"()]+", re.IGNORECASE)
_IN_BRACKETS = re.compile(rb"<[^>]*+>?")
_MAX_BARE_BYTES = 4096
_MAX_BARE_LINKS = 4


def write_links(uris: Iterable[Uri]) -> str:
    """Print links as the value of a header: one a line, folded."""
    return ",\n ".join(f"<{uri.text}>" for uri in uris)


def write_list_id(list_id: str) -> str:
    """Print an identifier as the value of List-Id."""
    return f"<{list_id}>"


def write_post() -> str:
    """The only value that List-Unsubscribe-Post may have."""
    return ONE_CLICK.decode("ascii")


def propose(header: str, values: Sequence[bytes], facts: ListHeaders) -> str:
    """How the sender's own value would be written; "" where only he can know.

    Folds are LF and a space.
    """
    if header == UNSUBSCRIBE:
        return _propose_links(values, facts)
    if header == LIST_ID and facts.list_id and all(facts.list_id.split(".")):
        return write_list_id(facts.list_id)
    is_secure = any(uri.scheme == "https" and uri.usable for uri in facts.uris)
    return write_post() if header == POST and is_secure else ""


def _propose_links(values: Sequence[bytes], facts: ListHeaders) -> str:
    bare: list[Uri] = []
    if values:
        outside = _IN_BRACKETS.sub(b" ", unfold(values[0])[:_MAX_BARE_BYTES])
        found = _BARE_LINK.findall(outside)
        bare = [parse_uri(link) for link in found[:_MAX_BARE_LINKS]]
    sound = {
        uri.text: uri
        for uri in (*facts.uris, *bare)
        if uri.usable and uri.text.isascii()
    }
    secure = [uri for uri in sound.values() if uri.scheme == "https"]
    mail = [uri for uri in sound.values() if uri.scheme == "mailto"]
    plain = [uri for uri in sound.values() if uri.scheme == "http"]
    if facts.post is not PostValue.ABSENT:
        # RFC 8058 §3.1: one https link; receivers take the first.
        secure, plain = secure[:1], []
    if not secure and not mail:
        return ""
    chosen = {*secure, *mail, *plain}
    return write_links(uri for uri in sound.values() if uri in chosen)
