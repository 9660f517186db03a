"""What `listunsub` says of list headers, and what we say: five questions to both.

It is an independent parser of RFC 2369, 6068 and 8058. It knows neither List-Id nor
hosts that nobody can reach, and reads no encoded words. So each question is asked twice
where a header has those: once of the header as it is, once of what the words say.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import pytest

from message.builders import HeaderMap
from outgate.message.cfws import unfold
from outgate.message.encoded_words import decode_words
from outgate.message.listcheck.headers import ListHeaders, parse_list_headers
from outgate.message.listcheck.note import Level
from outgate.message.listcheck.one_click import POST, UNSUBSCRIBE, PostValue

listunsub = pytest.importorskip("listunsub", reason="the other judge is not installed")


@dataclass(frozen=True)
class Case:
    """The list headers of one message."""

    unsubscribe: tuple[str, ...]
    post: tuple[str, ...]

    @classmethod
    def of(cls, unsubscribe: Sequence[str], post: Sequence[str]) -> "Case":
        return cls(tuple(unsubscribe), tuple(post))

    @property
    def key(self) -> str:
        """Names a case without quoting anybody's mail."""
        text = "\0".join((*self.unsubscribe, "", *self.post))
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    @property
    def has_words(self) -> bool:
        return any(_begins_with_word(value) for value in self.unsubscribe)

    def decoded(self) -> "Case":
        """The same with encoded words read."""
        values = (
            decode_words(unfold(value.encode())) if _begins_with_word(value) else value
            for value in self.unsubscribe
        )
        return Case(tuple(values), self.post)

    def headers(self) -> HeaderMap:
        found = {UNSUBSCRIBE: self.unsubscribe, POST: self.post}
        return {
            name: [value.encode() for value in values]
            for name, values in found.items()
            if values
        }


class Disagreement(NamedTuple):
    question: str
    key: str


def disagreements(cases: Sequence[Case]) -> list[Disagreement]:
    """The questions that both answer differently, in the order of the cases."""
    return [
        Disagreement(name, case.key)
        for case in cases
        for name, (ours, theirs) in QUESTIONS.items()
        if ours(parse_list_headers(case.headers())) != theirs(case)
    ]


def _begins_with_word(value: str) -> bool:
    return value.lstrip().startswith("=?")


def _our_links(ours: ListHeaders) -> object:
    return [uri.text for uri in ours.uris]


def _their_links(case: Case) -> object:
    return (
        list(listunsub.parse_header(case.unsubscribe[0]).uris)
        if case.unsubscribe
        else []
    )


def _our_post(ours: ListHeaders) -> object:
    return ours.post in {PostValue.EXACT, PostValue.OTHER_CASE}


def _their_post(case: Case) -> object:
    return len(case.post) == 1 and listunsub.is_one_click(case.post[0])


def _our_faultless(ours: ListHeaders) -> object:
    on_leaving = [one for one in ours.remarks if one.header in {UNSUBSCRIBE, POST}]
    return ours.one_click and all(one.level is Level.OK for one in on_leaving)


def _their_faultless(case: Case) -> object:
    return not listunsub.audit(case.unsubscribe, case.post)


def _their_actions(case: Case) -> set[str]:
    if not case.unsubscribe:
        return set()
    post = case.post[0] if case.post else None
    actions = listunsub.actions(case.unsubscribe[0], post, dkim_verified=True)
    return {action.kind for action in actions}


QUESTIONS: dict[
    str, tuple[Callable[[ListHeaders], object], Callable[[Case], object]]
] = {
    "links": (_our_links, _their_links),
    "post": (_our_post, _their_post),
    "faultless": (_our_faultless, _their_faultless),
    "usable": (
        lambda ours: ours.usable_unsubscribe,
        lambda case: bool(_their_actions(case)),
    ),
    "one-click": (
        lambda ours: ours.one_click,
        lambda case: "one-click" in _their_actions(case),
    ),
}
