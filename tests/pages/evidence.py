"""docs/evidence.md: which exports are read, what they prove, and what makes rows suspect."""

from outgate.evidence.flag import MEANINGS, Effect
from outgate.evidence.format import Format
from outgate.evidence.formats import FORMATS
from outgate.evidence.moments import NO_ZONE
from outgate.evidence.reading import ENCODINGS, MAX_LINE_CHARACTERS
from outgate.evidence.record import REASON
from pages.markdown import GENERATED, block, code, joined, paragraph, table

_INTRO = """
List software knows who asked for a list, when, and from where; `outgate evidence import`
brings that into the registry, so that these people are no strangers to the list's mail
and so that a complaint can be answered. It judges each row: an export is the word of
whoever made it, and many rows that look like a confirmation are none.
"""
_FIRST = """
    outgate evidence import --format mailchimp --list news.choir.example \\
        --tz Europe/Vienna --dry-run audience_export.zip
"""
_STEPS = """
A dry run comes first: it prints grades, how times are known, and each flag with its
share, the first lines, and what to do about it. Without `--dry-run` the same rows are
registered. Importing a file twice changes nothing, and an import that was stopped (the
store was away: exit 75) goes on where it was.

It does so where the store says that rows are on disk (`durability=confirmed`), and as
long as it has them: what is noted is good for one `store-id` ([Redis](redis.md)). A store
that was emptied, or another one, gets all rows again, and the command says so. Where the
store cannot say what is on disk, nothing is noted, and an import that was stopped begins
anew. After an older backup of the store was restored, or a failover to a replica that
was behind, import once more with `--again`: the store's id came back with the data.
"""
_GRADES = """
A row is *asserted* if its confirmation has a time, its time zone and the client's address,
and no flag says otherwise. Everything else that is a subscription is an *import*: kept, but
no consent. Subscriptions that ended are withdrawn where the source says when, and left out
otherwise. Imports become consents when these subscribers are asked once more.
"""
_ZONES = """
The policy wants an accurate time with its zone. Where an export says none, nothing of the
file is imported until `--tz` declares it, an IANA name: the zone in which the *source*
writes times, not that of subscribers. Of the hour that clocks show twice, the earlier
moment is taken, and the row is flagged; an hour that they skip was made up.
"""
_FILES = """
gzip and zip are opened, by content and not by name. A file is UTF-8, or what a mark at its
beginning says, or what `--encoding` declares (ENCODINGS): nothing is guessed. Commas,
semicolons and tabs are told apart by the header. A line has LINE characters at most. Cells
that begin with `=` are text, here and in a file of rejects: take care who opens that in a
spreadsheet. A file that is cut off, has bytes of another encoding, or speaks of several
lists (`--source-list` chooses one) is refused as a whole, with row and column: exit 65.
"""
_REJECTS = """
A row that cannot be read stops no other. It is counted, the first ones are printed, and
the command exits 1. `--rejects FILE` keeps all of them in the shape of their file, with the
reason: a first column `REASON` of a table, a name `REASON` of an object, a key of a
block, a line before a line of a log. Mend FILE and import it as it is.
"""
_PAPER = """
`outgate evidence add-paper` keeps the scan of a sheet and registers who signed, with day,
place and whoever collected it. A day begins at midnight in the zone that `--tz` declares.
The scan lies in `evidence/scans` of the state directory, under its SHA-256, sealed with
the secret and readable by the daemon's account alone. `outgate evidence show-scan` gives
it back, and a dossier names it. Who loses the secret loses the scans: keep the paper.
"""


def page() -> str:
    """The page."""
    return joined(
        "# Evidence",
        paragraph(_INTRO),
        _FIRST,
        paragraph(_STEPS),
        GENERATED,
        "## Grades",
        paragraph(_GRADES),
        "## Time zones",
        paragraph(_ZONES),
        "## Files",
        paragraph(
            _FILES.replace("ENCODINGS", code(ENCODINGS)).replace(
                "LINE", f"{MAX_LINE_CHARACTERS:,}"
            )
        ),
        "## Rejected rows",
        paragraph(_REJECTS.replace("REASON", REASON)),
        "## Flags",
        table(
            ("flag", "what was found", "effect", "what to do"),
            (
                (f"`{flag}`", one.sentence, _effect(one.effect), one.remedy)
                for flag, one in MEANINGS.items()
            ),
        ),
        "## Paper",
        paragraph(_PAPER),
        "## Formats",
        table(
            ("format", "of", "file", "times without a zone"),
            (
                (f"[`{one.name}`](#{one.name})", one.title, one.shape, _times(one))
                for one in FORMATS
            ),
        ),
        *(_entry(one) for one in FORMATS),
    )


def _effect(effect: Effect) -> str:
    return {
        Effect.NOTED: "none",
        Effect.IMPORT: "grade `import`",
        Effect.LEFT_OUT: "left out, or withdrawn",
    }[effect]


def _times(one: Format) -> str:
    return "need `--tz`" if one.zone is NO_ZONE else one.zone.name


def _entry(one: Format) -> str:
    parts = [f"### {one.name}", paragraph(f"{one.title}. {one.export}")]
    if one.sql:
        parts.append(block(one.sql, "sql"))
    if one.needed:
        columns = "; ".join(" or ".join(f"`{name}`" for name in g) for g in one.needed)
        parts.append(
            paragraph(
                f"Columns that must be there: {columns}. Upper case, spaces and "
                "underscores do not matter."
            )
        )
    parts.append(paragraph(f"What it proves: {one.worth}"))
    return joined(*parts)
