"""docs/list-headers.md: every variant of list headers, from the tables that judge them."""

from outgate.message.listcheck.note import Level, Note
from outgate.message.listcheck.notes import TABLES
from pages.markdown import GENERATED, block, joined, paragraph, table

_INTRO = """
`outgate list check FILE` ([commands](cli.md#outgate-list-check)) judges the headers by
which mail programs and mailbox providers know a mailing list. Each thing that it says is
a row here. The verdict on a message is that of its worst header.
"""
_RULE = """
The rule [`missing-unsubscribe`](reasons.md#missing-unsubscribe) reads the same headers by
the same code, and hits where no link of List-Unsubscribe could be used by a recipient;
the verdict is then `weak` or `bad`. List-Unsubscribe on personal mail is nobody's
business: who asks for a verdict says that the message is list mail.
"""
_PERMISSION = """
No header is a permission: a perfect List-Unsubscribe on mail that nobody asked for is an
opt-out list. No link is ever followed.
"""
_GOOD = """\
List-Id: Anne's news <news.example.org>
List-Unsubscribe: <https://example.org/leave?t=Zm9v>,
 <mailto:leave+Zm9v@example.org>
List-Unsubscribe-Post: List-Unsubscribe=One-Click
DKIM-Signature: v=1; d=example.org; h=From:…:List-Unsubscribe:List-Unsubscribe-Post; …
"""
_MORE = {
    "Any header with links": """
In List-Post, List-Help, List-Owner, List-Subscribe and List-Archive nothing of this, nor
of the next table, is worse than `fix`: nobody depends on them.
""",
    "Any list header": """
Where a header is folded changes these notes and `post-folded`, and no other.
""",
    "Several messages": """
Given several messages of one mailing to different recipients.
""",
    "Signature": """
Whether a signature is valid is not asked. `--signed-headers` says what your own signer
will cover, if it stands behind the gate.
""",
    "List-Unsubscribe": """
A list is one of announcements unless it has an address to post to or says `Precedence:
list`; `--kind` knows better.
""",
}


def page() -> str:
    """The page."""
    return joined(
        "# List headers",
        paragraph(_INTRO),
        table(
            ("verdict", "exit", "meaning"),
            ((f"`{level}`", _exit(level), level.meaning) for level in Level),
        ),
        paragraph(_RULE),
        paragraph(_PERMISSION),
        "What is good, for a list of announcements:",
        block(_GOOD),
        GENERATED,
        *(_section(title, notes) for title, notes in TABLES.items()),
    )


def _exit(level: Level) -> str:
    return "0" if level in {Level.OK, Level.FIX} else "1"


def _section(title: str, notes: type[Note]) -> str:
    rows = (
        (
            f"`{note}`",
            f"`{note.level}`",
            f"{_plain(note.sentence)} {_plain(note.instead)}".rstrip(),
            note.clause,
        )
        for note in notes
    )
    text = table(("variant", "verdict", "what it means, what to write", "where"), rows)
    more = [paragraph(_MORE[title])] if title in _MORE else []
    return joined(f"## {title}", *more, text)


def _plain(text: str) -> str:
    """Brackets that Markdown would take for HTML, as they are."""
    return text.replace("<", "\\<")
