"""docs/dossier.md: evidence on request, with a dossier as it is written."""

from evidence.dossiers import CONSENTED, ERASED, a_dossier
from outgate.evidence.dossier import markdown
from outgate.evidence.dossier.page import blocks
from outgate.evidence.dossier.words import PROOFS
from pages.markdown import GENERATED, joined, paragraph, table

_INTRO = """
Somebody complains: "I never asked for this." Whoever runs a list must then say when that
address asked, from where, and what proves it. `outgate evidence show` prints what is on
file, `outgate evidence dossier` writes it into one document that can be sent on.
"""
_COMMANDS = """
    outgate evidence show bart@example.net
    outgate evidence show bart@example.net --why "complaint 4711"
    outgate evidence dossier bart@example.net --why "complaint 4711" --output 4711.html
    outgate list status members.choir.example
"""
_ASKED = """
Without `--list` all lists are asked that are configured or ever had subscribers; any
spelling of the address is the same one. Times are in UTC and by the clock that noted them.
"""
_OPENED = """
The IP address is in the evidence, which is encrypted. `--why` opens it, and the audit
(`outgate:audit`) has who did, for which keyed hash, and why: `evidence-read` for each
list, `dossier-made` for a dossier, before anything is shown. Without `--why` the evidence
is checked, and nobody sees it. Under another secret there is no answer, since it would be
wrong: exit 78.
"""
_CHAIN = """
The registry's record holds a *commitment*: the first 16 bytes of SHA-256 over the raw
record of the evidence, made when it was registered. Both commands compute it anew. The
dossier has the raw record byte for byte, so that anybody can; for the one below:
"""
_BY_HAND = """
    printf %s '{"addr":…}' | sha256sum | cut -c 1-32

prints the commitment in hex. Characters that do not print are shown as `\\xNN`; the JSON
of the dossier has them as they are. For paper, the raw record names the SHA-256 of the
scan, and the copy that is kept is hashed again.
"""
_BOUNDS = """
`state` is `unreadable`, with the place in the store, where a list has something of the
address that is no record: it counts as nothing. Other lists are shown all the same.

What it proves is who is held to the statement, and not more: an *asserted* consent is the
list host's word, which cannot be changed afterwards.
"""
_FORMATS = """
`html` (the default) is one file without scripts, links or other files, and prints well;
`markdown` goes into a ticket, `json` to programs. `pdf` needs WeasyPrint: Debian's
`weasyprint`, or `pip install 'outgate[pdf]'` with Pango; where it is missing, print the
HTML from a browser. The file is new and readable by its owner alone, and is personal
data: send it to whom it concerns. Texts from evidence are escaped in all of them.
"""
_ERASED = """
Of whoever was erased the registry knows the time, and the dossier says that alone:
`Erased on 2026-03-14T08:26:53+00:00.`
"""
_LISTS = """
`outgate list status` counts a list's subscribers by grade, who has withdrawn, and marks of
erasures. *With consent* is the share of subscribers whose mail is solicited: the policy
wants all of them. Memory does not grow with the list; a million subscribers take some
seconds. `outgate list show` prints its settings, and `outgate list new` the `[[list]]` to
add for another one, and what comes next.
"""


def page() -> str:
    """The page."""
    return joined(
        "# Evidence on request",
        paragraph(_INTRO),
        _COMMANDS,
        GENERATED,
        "## Who is asked, and what is shown",
        paragraph(_ASKED),
        paragraph(_OPENED),
        "## The chain to the raw record",
        paragraph(_CHAIN),
        _BY_HAND,
        table(
            ("`proof`", "what it says"),
            ((f"`{proof}`", text) for proof, text in PROOFS.items()),
        ),
        paragraph(_BOUNDS),
        "## Formats",
        paragraph(_FORMATS),
        "## Who was erased",
        paragraph(_ERASED),
        "## Lists",
        paragraph(_LISTS),
        "## An example",
        _example(),
    )


def _example() -> str:
    text = markdown.render(blocks(a_dossier(CONSENTED, ERASED)))
    # Longer than the fence in it.
    return f"````markdown\n{text}````"
