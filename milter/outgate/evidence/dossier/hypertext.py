"""The document as HTML that needs nothing else: no script, no link, no other file.

So it can be mailed, kept and printed. Whatever stands in an address or in evidence is
text; the policy in its head lets a browser fetch nothing, should that ever fail.
"""

from collections.abc import Iterable
from html import escape as as_text

from outgate.evidence.dossier.page import (
    TITLE,
    Block,
    Heading,
    Paragraph,
    Table,
    Verbatim,
)
from outgate.log.lines import escape

_HEAD = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; \
style-src 'unsafe-inline'">
<meta name="robots" content="noindex">
<title>{title}</title>
<style>
@page {{ size: A4; margin: 20mm 18mm; }}
body {{ font: 11pt/1.4 sans-serif; max-width: 48em; margin: 2em auto; padding: 0 1em; \
color: #111; background: #fff; }}
h1 {{ font-size: 1.5em; overflow-wrap: anywhere; }}
h2 {{ font-size: 1.2em; border-bottom: 1px solid #999; margin-top: 2em; \
overflow-wrap: anywhere; }}
h3 {{ font-size: 1em; }}
h1, h2, h3 {{ break-after: avoid; }}
table {{ border-collapse: collapse; width: 100%; }}
tr {{ break-inside: avoid; }}
th, td {{ border-bottom: 1px solid #ddd; padding: .25em .6em .25em 0; text-align: left; \
vertical-align: top; overflow-wrap: anywhere; }}
th {{ font-weight: 600; width: 12em; }}
pre {{ background: #f4f4f4; padding: .6em; white-space: pre-wrap; \
overflow-wrap: anywhere; }}
@media print {{ body {{ margin: 0; max-width: none; padding: 0; }} }}
</style>
</head>
<body>
"""


def render(document: Iterable[Block]) -> str:
    """Write it."""
    body = "\n".join(map(_block, document))
    return f"{_HEAD.format(title=_text(TITLE))}{body}\n</body>\n</html>\n"


def _block(block: Block) -> str:
    match block:
        case Heading():
            return f"<h{block.level}>{_text(block.text)}</h{block.level}>"
        case Paragraph():
            return f"<p>{_text(block.text)}</p>"
        case Table():
            return _table(block)
        case Verbatim():
            return f"<pre>{_text(block.text)}</pre>"


def _table(block: Table) -> str:
    head = "".join(f'<th scope="col">{_text(one)}</th>' for one in block.head)
    lines = [f"<thead><tr>{head}</tr></thead>"] if any(block.head) else []
    for name, *others in block.rows:
        cells = "".join(f"<td>{_text(one)}</td>" for one in others)
        lines.append(f'<tr><th scope="row">{_text(name)}</th>{cells}</tr>')
    return "\n".join(("<table>", *lines, "</table>"))


def _text(text: str) -> str:
    return as_text(escape(text))
