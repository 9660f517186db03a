"""From HTML to the text that a reader would see, in paragraphs.

No tree is built: a few passes over the text, each linear in it. That is enough to find
the same words in the copies of one mailing, and it is no judgement on what HTML means.
"""

import re
from html.entities import name2codepoint

from outgate.message.hiding import without_hidden
from outgate.message.own_text import is_short

# Beyond them, references stay as they are.
_MAX_REFERENCES = 2_000
# Of a text that is read again with its quotes, enough to know a mailing by; of a
# signature more than its markup.
_MAX_QUOTING_CHARACTERS = 16_384

# What stands between them is never shown.
_UNSEEN = (
    ("<!--", "-->"),
    ("<style", "</style>"),
    ("<script", "</script>"),
    ("<title", "</title>"),
)
# After the name of a tag (HTML §13.2.5.8); any other letter makes it another.
_NAME_ENDS = frozenset({"", " ", "\t", "\n", "\f", "\r", "/", ">"})
# Where mail programs begin what their user has not written this time.
_QUOTES = (
    'type="cite"',
    'class="gmail_quote',
    'class="yahoo_quoted',
    'class="protonmail_quote',
    'id="divrplyfwdmsg"',
    'id="appendonsend"',
)
_SIGNATURES = ('class="gmail_signature', 'class="moz-signature')

_BREAK = re.compile(r"<br\b[^<>]*+>")
_BLOCK_TAG = re.compile(
    r"</?(?:address|article|aside|blockquote|body|center|d[dlt]|div|fieldset|figure|"
    r"footer|form|h[1-6]|head|header|hr|html|img|li|main|nav|ol|option|p|pre|section|"
    r"t(?:able|body|d|foot|h|head|r)|ul)\b[^<>]*+>"
)
# Any other divides no word, whether browsers know it or not.
_TAG = re.compile(r"<[^<>]++>")
_REFERENCE = re.compile(r"&(?:#(\d{1,7})|#x([0-9a-f]{1,6})|([a-z]{2,8}));?")


def has_quotes(html: str) -> bool:
    """Whether a mail program marked a quote in it."""
    return any(map(html.__contains__, _QUOTES))


def has_signature(html: str) -> bool:
    """Whether a mail program marked a signature in it."""
    return any(map(html.__contains__, _SIGNATURES))


def read_html(html: str, *, quoted: bool = False, signed: bool = False) -> str:
    """Give the text of an HTML part: blocks are paragraphs, divided by empty lines.

    Args:
        html: in lower case; it may be cut anywhere, and need not be HTML.
        quoted: keep what a mail program quotes.
        signed: keep what it marks as a signature as well.
    """
    whole = html
    for opening, closing in _UNSEEN:
        html = _cut(html, opening, closing)
    html = without_hidden(html, whole)
    if signed:
        return _text(html[:_MAX_QUOTING_CHARACTERS])
    if quoted:
        return _text(_without_signature(html[:_MAX_QUOTING_CHARACTERS]))
    text = _text(_without_signature(_without_quotes(html)))
    # A reply without a word of its own is what it quotes.
    return text if text.strip() else _text(html)


def _cut(text: str, opening: str, closing: str) -> str:
    if (begin := text.find(opening)) < 0:
        return text
    kept: list[str] = []
    at = 0
    is_name = opening[-1].isalpha()
    while begin >= 0:
        after = begin + len(opening)
        if is_name and text[after : after + 1] not in _NAME_ENDS:
            begin = text.find(opening, after)
            continue
        kept.append(text[at:begin])
        end = text.find(closing, begin)
        if end < 0:
            # Left open: browsers show nothing of the rest, others all of it.
            at = begin + len(opening)
            break
        at = end + len(closing)
        begin = text.find(opening, at)
    kept.append(text[at:])
    return "".join(kept)


def _without_quotes(html: str) -> str:
    if (begin := _first(html, _QUOTES)) >= 0:
        # Answers may follow what they answer.
        end = html.rfind("</blockquote>", begin)
        html = html[:begin] + (html[end:] if end >= 0 else "")
    return html


def _without_signature(html: str) -> str:
    if (begin := _first(html, _SIGNATURES)) < 0:
        return html
    signature = html[begin:]
    is_signature = len(signature) <= _MAX_QUOTING_CHARACTERS and is_short(
        " ".join(_text(signature).split())
    )
    return html[:begin] if is_signature else html


def _first(html: str, marks: tuple[str, ...]) -> int:
    """Where the tag begins that has the first of these marks; -1 if none has."""
    places = [place for mark in marks if (place := html.find(mark)) >= 0]
    return html.rfind("<", 0, min(places)) if places else -1


def _text(html: str) -> str:
    # Line ends of the source mean nothing.
    text = _BREAK.sub("\n", html.replace("\r", " ").replace("\n", " "))
    text = _TAG.sub("", _BLOCK_TAG.sub("\n\n", text))
    if "&" in text:
        text = _REFERENCE.sub(_character, text, count=_MAX_REFERENCES)
    return text


def _character(found: re.Match[str]) -> str:
    decimal, hexadecimal, name = found.groups()
    if name:
        return _NAMED.get(name, " ")
    code = int(decimal) if decimal else int(hexadecimal, 16)
    if code > _LAST_CODE or _SURROGATES[0] <= code <= _SURROGATES[1]:
        return " "
    return chr(code).lower()


_LAST_CODE = 0x10FFFF
_SURROGATES = (0xD800, 0xDFFF)
# The text is in lower case, and so are names: of two that differ by case, the small
# letter is meant.
_NAMED = {
    name.lower(): chr(code).lower() for name, code in sorted(name2codepoint.items())
} | {"apos": "'", "nbsp": " "}
