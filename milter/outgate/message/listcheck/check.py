"""The whole verdict on the list headers of a message, for the one who keeps the list.

It begins with what policy reads of every message (`headers`), and adds what takes more
to know: the kind of the list, whose it is, what is signed, the headers beside.

List-Unsubscribe on personal mail, which some mail programs set, is nobody's business:
whoever asks for a verdict says that the message is list mail.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from outgate.message.headers import Headers, header_from_address
from outgate.message.listcheck.companions import (
    COMPANION_HEADERS,
    is_below,
    read_companions,
)
from outgate.message.listcheck.headers import (
    LIST_ID,
    SIDE_HEADERS,
    ListHeaders,
    parse_list_headers,
)
from outgate.message.listcheck.kind import ListKind, kind_of, notes_by_kind
from outgate.message.listcheck.links import LinksNote, read_links, says_no
from outgate.message.listcheck.list_id import ListIdNote, OwnLists
from outgate.message.listcheck.note import Level, Note, Remark, remarks_on, worst
from outgate.message.listcheck.one_click import (
    MISSPELT_POST,
    POST,
    UNSUBSCRIBE,
    PostNote,
    PostValue,
    UnsubscribeNote,
)
from outgate.message.listcheck.signature import (
    SIGNATURE,
    Signature,
    judge_coverage,
    read_signatures,
)
from outgate.message.listcheck.write import propose

# In the order of the verdict.
JUDGED_HEADERS = (
    LIST_ID,
    UNSUBSCRIBE,
    POST,
    MISSPELT_POST,
    *SIDE_HEADERS,
    *COMPANION_HEADERS,
)
CHECKED_HEADERS = frozenset({*JUDGED_HEADERS, "from", SIGNATURE})
_PLACE = {name: place for place, name in enumerate(JUDGED_HEADERS)}


@dataclass(frozen=True, slots=True)
class ListContext:
    """What is known beside the message.

    Attributes:
        own: which identifiers its customer may use; None where nobody asks.
        will_sign: lower-case names of headers that a signer behind this gate covers,
            none where nothing signs; None where that is not known.
        kind: what the list is; None to tell it from the headers.
    """

    own: OwnLists | None = None
    will_sign: frozenset[str] | None = None
    kind: ListKind | None = None


_NOTHING = ListContext()


@dataclass(frozen=True, slots=True)
class ListCheck:
    """The verdict.

    Attributes:
        facts: what policy reads of these headers.
        kind: what the list is, or is taken for.
        remarks: all there is to say, each once, header by header; what `facts` has to
            say is among it.
        proposals: by lower-case name, how the sender's own value would be written,
            where something is to mend and others than him can know.
    """

    facts: ListHeaders
    kind: ListKind
    remarks: tuple[Remark, ...]
    proposals: Mapping[str, str]

    @property
    def level(self) -> Level:
        """The worst of its remarks."""
        return worst(remark.level for remark in self.remarks)

    def level_of(self, header: str) -> Level:
        """The worst of what is said of one header."""
        return worst(one.level for one in self.remarks if one.header == header)


def check_list(headers: Headers, context: ListContext = _NOTHING) -> ListCheck:
    """Judge all list headers of a message; never raises, whatever they are."""
    facts = parse_list_headers(headers)
    kind = context.kind or kind_of(headers)
    signatures = read_signatures(headers)
    remarks = list(facts.remarks)
    if (
        facts.list_id is not None
        and context.own is not None
        and not context.own.include(facts.list_id)
    ):
        remarks += remarks_on(LIST_ID, [ListIdNote.LIST_ID_NOT_YOURS])
    remarks += remarks_on(UNSUBSCRIBE, _on_links(headers, facts, kind, signatures))
    if facts.one_click:
        remarks += remarks_on(POST, [judge_coverage(signatures, context.will_sign)])
    if MISSPELT_POST in headers:
        remarks += remarks_on(MISSPELT_POST, [PostNote.POST_MISSPELT])
    for name in SIDE_HEADERS:
        if headers.get(name):
            # Nobody depends on them: whatever is wrong with a link is to be mended.
            notes = _on_side_header(name, headers)
            remarks += remarks_on(name, notes, most=Level.FIX)
    for name, notes in read_companions(headers, signatures).items():
        remarks += remarks_on(name, notes)
    proposals = {
        name: proposal
        for name in {one.header for one in remarks if one.level is not Level.OK}
        if (proposal := propose(name, headers.get(name, ()), facts))
    }
    remarks = sorted(dict.fromkeys(remarks), key=lambda one: _PLACE[one.header])
    return ListCheck(facts, kind, tuple(remarks), proposals)


def _on_links(
    headers: Headers,
    facts: ListHeaders,
    kind: ListKind,
    signatures: tuple[Signature, ...],
) -> list[Note]:
    notes: list[Note] = []
    if facts.post is PostValue.ABSENT:
        # With List-Unsubscribe-Post, a link that is not https is a worse fault.
        notes += notes_by_kind(facts.uris, kind)
    known = {signature.domain for signature in signatures}
    if (author := header_from_address(headers)) is not None:
        known.add(author.domain)
    if facts.list_id is not None:
        known.add(facts.list_id.partition(".")[2])
    known.discard("")
    hosts = {uri.host for uri in facts.uris if uri.usable}
    if known and hosts and not any(_related(a, b) for a in hosts for b in known):
        notes.append(UnsubscribeNote.HOST_UNRELATED)
    return notes


def _related(host: str, other: str) -> bool:
    """Whether two domains have an owner in common, as far as names tell."""
    last_two = host.rsplit(".", 2)[-2:]
    return (
        is_below(host, other)
        or is_below(other, host)
        or last_two == other.rsplit(".", 2)[-2:]
    )


def _on_side_header(name: str, headers: Headers) -> list[Note]:
    values = headers[name]
    if name == "list-post" and says_no(values[0]):
        return [LinksNote.LIST_POST_NO]
    notes: list[Note] = []
    read_links(values, notes)
    return notes
