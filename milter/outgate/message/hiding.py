"""What an element's own style hides: words for filters, which no reader sees.

Of a property that is declared twice, the last counts (CSS Cascading §6.4); of an attribute,
the first (HTML §13.2.5.33).

Limits: styles are read where they stand on an element, not where a style sheet names it;
what is hidden ends at the first end tag of its name, a paragraph at the next block too. White text is hidden where the
message names no other background; what only some mail programs hide (`mso-hide`) is seen.
"""

import re
from collections.abc import Iterator
from itertools import chain, islice

# So many hidden elements may lack their end before hiding is taken for noise.
_MAX_UNCLOSED = 8
# More of one kind are not looked at, nor longer tags.
_MAX_OF_A_KIND = 500
_MAX_TAG_CHARACTERS = 1_000
# So many may be found to show what is inside, after all.
_MAX_SHOWN_AGAIN = 40

_NOTHING = r"\s*+:\s*+0(?![.0]*+[1-9])"
_WHITE = (
    r"(?:white\b|transparent\b|#f{3}\b|#(?:f[0-9a-f]){3}\b|"
    r"rgba?\(\s*+2[45]\d\s*+,\s*+2[45]\d\s*+,\s*+2[45]\d)"
)
# Each begins with letters that are quickly looked for: one expression for all would
# take as long as everything else together.
_CERTAIN = (
    ("display", re.compile(r"display\s*+:\s*+none")),
    ("hidden", re.compile(r"visibility\s*+:\s*+hidden")),
    ("opacity", re.compile(rf"opacity{_NOTHING}")),
)
# They cut off what is inside, where it may not overflow.
_OVERFLOW = re.compile(r"overflow(?:-[xy])?\s*+:\s*+hidden")
_CUTTING = (re.compile(rf"height{_NOTHING}"), re.compile(rf"width{_NOTHING}"))
_SIZE = re.compile(r"font-size\s*+:\s*+(?:0(?![.0]*+[1-9])|[01](?:\.\d{1,4})?p[tx]\b)")
_COLOUR = re.compile(rf"color\s*+[:=]\s*+[\"']?+{_WHITE}")
# Alike, one beside the other.
_ALIKE = (
    re.compile(
        r"background(?:-color)?\s*+:\s*+(#[0-9a-f]++)\s*+;\s*+color\s*+:\s*+\1\b"
    ),
    re.compile(
        r"color\s*+:\s*+(#[0-9a-f]++)\s*+;\s*+background(?:-color)?\s*+:\s*+\1\b"
    ),
)
# On anything darker, white is read.
_BACKGROUND = re.compile(
    r"b(?:ackground(?:-color|-image)?|gcolor)\s*+[:=]\s*+[\"']?+"
    rf"(?!{_WHITE}|none|inherit|initial|unset)"
)
# Each with its value as a whole, so that no style is found in the value of another.
_ATTRIBUTE = re.compile(
    r"([^\s=>\"'/]++)(?:\s*+=\s*+(\"[^\"]*+\"?|'[^']*+'?|[^\s>]*+))?"
)
_PROPERTY = re.compile(r"(?<![a-z-])([a-z-]++)\s*+:([^;]*+)")
# What sets a property among others.
_SHORT = {"font": "font-size", "background": "background-color"}
# By the start of a block, or by its end tag (HTML §13.1.2.4).
_PARAGRAPH_END = re.compile(
    r"</p\b|<(?:address|article|aside|blockquote|center|details|di[rv]|dl|fieldset|"
    r"fig(?:caption|ure)|footer|form|h[1-6]|header|hr|main|menu|nav|ol|p|pre|section|"
    r"table|ul)\b"
)
_TAG_NAME = re.compile(r"<([a-z][a-z0-9]{0,11})\b")
# They have no end tag (HTML §13.1.2) and no text.
_VOID = frozenset({"area", "br", "col", "hr", "img", "input", "link", "meta", "wbr"})
# Around blocks a size of nothing is how programs remove gaps between them.
_INLINE = frozenset({"a", "b", "em", "font", "i", "small", "span", "strong", "u"})
# By these what is inside may show itself again.
_SHOWING = ("color", "font-size", "font:", "<font", "visibility", "class=", "id=")


def without_hidden(html: str, whole: str) -> str:
    """Leave out elements whose style hides them.

    Args:
        html: in lower case, without style sheets.
        whole: the same with them.
    """
    kept: list[str] = []
    unclosed: set[str] = set()
    shown_again = 0
    at = 0
    attributes = _Attributes(html)
    for place, certain in sorted(_candidates(html, whole)):
        if place < at or (tag := _tag_around(html, at, place)) is None:
            continue
        name, opening, closing = tag
        if not attributes.count(opening, closing, place) or name in unclosed:
            continue
        end = _end(html, name, closing)
        if end < 0:
            unclosed.add(name)
            if len(unclosed) >= _MAX_UNCLOSED:
                break
            continue
        if not certain and not (html.startswith("font", place) and name in _INLINE):
            inside = html[closing:end]
            if any(map(inside.__contains__, _SHOWING)):
                shown_again += 1
                if shown_again >= _MAX_SHOWN_AGAIN:
                    break
                continue
        kept.append(html[at:opening])
        at = end
    if not at:
        return html
    kept.append(html[at:])
    return "".join(kept)


def _end(html: str, name: str, closing: int) -> int:
    if name != "p":
        return html.find(f"</{name}>", closing)
    found = _PARAGRAPH_END.search(html, closing)
    return -1 if found is None else found.start()


class _Attributes:
    """Where in a tag something is declared that counts."""

    __slots__ = ("_html", "_opening", "_places")

    def __init__(self, html: str) -> None:
        self._html = html
        self._opening = -1
        self._places: frozenset[int] = frozenset()

    def count(self, opening: int, closing: int, place: int) -> bool:
        """Whether a declaration is one of a style, and no later one undoes it."""
        if opening != self._opening:
            self._opening = opening
            self._places = frozenset(self._read(opening, closing))
        return place in self._places

    def _read(self, opening: int, closing: int) -> Iterator[int]:
        seen: set[str] = set()
        for found in _ATTRIBUTE.finditer(self._html, opening + 1, closing - 1):
            name = found[1]
            if name in seen:
                continue
            seen.add(name)
            if name == "style" and found[2]:
                yield from self._declared(found.start(2), found.end(2))
            elif name == "color":
                yield found.start()

    def _declared(self, start: int, end: int) -> Iterator[int]:
        last: dict[str, tuple[bool, int]] = {}
        for found in _PROPERTY.finditer(self._html, start, end):
            name = _SHORT.get(found[1], found[1])
            weighs = "!important" in found[2]
            if name not in last or weighs or not last[name][0]:
                last[name] = weighs, found.start(1)
        # As they are looked for.
        for name, (_, place) in last.items():
            yield place + len("max-") if name.startswith("max-") else place


def _candidates(html: str, whole: str) -> Iterator[tuple[int, bool]]:
    """Where something hides, and whether what is inside cannot undo it."""
    for word, style in _CERTAIN:
        if word in html:
            # What is inside may be visible all the same (CSS 2.2 §11.2).
            is_certain = word != "hidden"
            yield from ((found, is_certain) for found in _places(style, html))
    if "font-size" in html:
        yield from ((found, False) for found in _places(_SIZE, html))
    if "overflow" in html:
        places = chain(*(_places(style, html) for style in _CUTTING))
        yield from ((found, True) for found in places if _cuts_off(html, found))
    if "color" in html:
        yield from ((found, False) for found in _faint(html, whole))


def _faint(html: str, whole: str) -> Iterator[int]:
    """Where a text has the colour of what is behind it."""
    for style in _ALIKE:
        yield from _places(style, html)
    white = _places(_COLOUR, html)
    if white and _BACKGROUND.search(whole) is None:
        yield from white


def _places(style: re.Pattern[str], html: str) -> list[int]:
    """Where it stands and is no end of another name, as in `background-color`."""
    return [
        found.start()
        for found in islice(style.finditer(html), _MAX_OF_A_KIND)
        if not html[found.start() - 1].isalnum()
        and (
            html[found.start() - 1] != "-"
            or html.startswith("max-", found.start() - len("max-"))
        )
    ]


def _cuts_off(html: str, place: int) -> bool:
    tag = _tag_around(html, 0, place)
    return tag is not None and _OVERFLOW.search(html, tag[1], tag[2]) is not None


def _tag_around(html: str, least: int, place: int) -> tuple[str, int, int] | None:
    """Name, begin and end of the tag that something stands in."""
    opening = html.rfind("<", max(least, place - _MAX_TAG_CHARACTERS), place)
    if opening < 0 or html.find(">", opening, place) >= 0:
        return None
    name = _TAG_NAME.match(html, opening)
    closing = html.find(">", place, place + _MAX_TAG_CHARACTERS)
    if name is None or name[1] in _VOID or closing < 0:
        return None
    return name[1], opening, closing + 1
