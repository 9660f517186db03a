"""Pieces of Markdown."""

import re
from collections.abc import Iterable, Sequence
from textwrap import fill

_WHOLE = re.compile(r"`[^`]*`|\[[^\]]*\]\([^)]*\)")
_GLUE = "\0"

GENERATED = "This page is generated from the code (`make docs`)."


def paragraph(text: str) -> str:
    """Wrap to the width of everything else; what is code or a link stays whole."""
    whole = _WHOLE.sub(
        lambda found: found[0].replace(" ", _GLUE), " ".join(text.split())
    )
    lines = fill(whole, 88, break_long_words=False, break_on_hyphens=False)
    return lines.replace(_GLUE, " ")


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Print a table; a bar in a cell does not end it."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(
        f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |"
        for line in lines
    )


def code(words: Iterable[object]) -> str:
    """Words as code, with commas."""
    return ", ".join(f"`{word}`" for word in words)


def block(text: str, language: str = "") -> str:
    """Lines as they stand."""
    return f"```{language}\n{text.rstrip()}\n```"


def joined(*parts: str) -> str:
    """Join the parts with empty lines."""
    return "\n\n".join(part.strip("\n") for part in parts) + "\n"
