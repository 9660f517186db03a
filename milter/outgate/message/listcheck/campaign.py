"""What shows only when several messages of one mailing lie side by side.

One-click asks nothing further, so its link has to say who leaves (RFC 8058 §3.1): a
link that several recipients share unsubscribes nobody, or everybody.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from outgate.message.listcheck.check import ListCheck
from outgate.message.listcheck.note import Level, Note, remarks_on
from outgate.message.listcheck.one_click import UNSUBSCRIBE, PostValue

# Two may be two copies for one person.
MIN_SHARING = 3


class CampaignNote(Note):
    """Notes on several messages."""

    LINK_SHARED = (
        "link-shared",
        Level.BAD,
        (
            "Three messages or more have the same one-click link, so it can't tell which"
            " recipient wants to leave."
        ),
        "Give each recipient a link with a token of his own that nobody can guess.",
        "RFC 8058 §3.1",
    )


def compare(checks: Sequence[ListCheck]) -> tuple[ListCheck, ...]:
    """Judge messages of one mailing to different recipients; adds to each verdict."""
    links = [_one_click_links(check) for check in checks]
    count = Counter(link for one in links for link in one)
    return tuple(
        _shared(check) if any(count[link] >= MIN_SHARING for link in one) else check
        for check, one in zip(checks, links, strict=True)
    )


def _one_click_links(check: ListCheck) -> frozenset[str]:
    if check.facts.post is PostValue.ABSENT:
        return frozenset()
    return frozenset(uri.text for uri in check.facts.uris if uri.scheme == "https")


def _shared(check: ListCheck) -> ListCheck:
    added = remarks_on(UNSUBSCRIBE, [CampaignNote.LINK_SHARED])
    return replace(check, remarks=(*check.remarks, *added))
