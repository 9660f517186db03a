"""The document as Markdown (CommonMark, and tables as GitHub has them).

Whatever stands in an address or in evidence is text: it makes no link, no heading and no
HTML, and it does not leave its cell.
"""

import re
from collections.abc import Iterable

from outgate.evidence.dossier.page import Block, Heading, Paragraph, Table, Verbatim
from outgate.log.lines import escape

# CommonMark §2.4: those that can mean something inside a line, or end a heading or a cell.
_MEANING = re.compile(r"[\\`*_\[\]<>#!|~&$]")
_BACKTICKS = re.compile("`+")


def render(document: Iterable[Block]) -> str:
    """Write it."""
    return "\n\n".join(map(_block, document)) + "\n"


def _block(block: Block) -> str:
    match block:
        case Heading():
            return f"{'#' * block.level} {_text(block.text)}"
        case Paragraph():
            return _text(block.text)
        case Table():
            return _table(block)
        case Verbatim():
            return _verbatim(block.text)


def _table(block: Table) -> str:
    rule = f"|{' --- |' * len(block.head)}"
    head, *rows = (
        f"| {' | '.join(map(_text, cells))} |" for cells in (block.head, *block.rows)
    )
    return "\n".join((head, rule, *rows))


def _verbatim(text: str) -> str:
    """Inside a fence that is longer than any in the text."""
    longest = max(map(len, _BACKTICKS.findall(text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}text\n{escape(text)}\n{fence}"


def _text(text: str) -> str:
    """One line in which nothing means anything."""
    return _MEANING.sub(r"\\\g<0>", escape(text))
