"""JSON in reports, within bounds.

A value costs up to thirty times its bytes in memory, so that documents are held to half
a MiB; what is longer is filed.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from outgate.feedback.entity import Entity, Fields

MAX_JSON_BYTES = 512 * 1024
_MAX_VALUE_CHARACTERS = 2048
_MAX_FIELDS = 200
_MAX_BITS = 64
_PROBE_BYTES = 256

Document = Mapping[str, Any]


def read_document(data: bytes) -> Document | None:
    """Read a JSON object; None where it is none, or too long."""
    data = data.strip()
    if not data.startswith(b"{") or len(data) > MAX_JSON_BYTES:
        return None
    try:
        value = json.loads(data.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def documents_in(entity: Entity) -> Iterator[Document]:
    """All objects in a mail: attached, or as its text; together of bounded size."""
    room = MAX_JSON_BYTES
    for part in entity.walk():
        if part.parts or len(part.body) > 2 * MAX_JSON_BYTES:
            continue
        if part.kind.endswith("json") or part.kind.startswith("text/"):
            if part.head(_PROBE_BYTES).lstrip()[:1] != b"{":
                continue
            content = part.content()
            # Sendmail breaks lines that are too long by `!`, LF and a space.
            content = content.replace(b"\r\n", b"\n").replace(b"!\n ", b"")
            # A footer may follow: what mailing lists and Amazon's topics append.
            head, _, _ = content.partition(b"\n\n--\n")
            room -= len(head)
            document = read_document(head) if room >= 0 else None
            if document is not None:
                yield document


def text_at(document: object, *path: str) -> str:
    """A scalar as text, bounded; "" where there is none."""
    value = at(document, *path)
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    if isinstance(value, int) and value.bit_length() > _MAX_BITS:
        return ""
    return str(value)[:_MAX_VALUE_CHARACTERS]


def at(document: object, *path: str) -> object:
    """What stands at a path of names; None where nothing does."""
    value = document
    for name in path:
        if not isinstance(value, dict):
            return None
        value = value.get(name)
    return value


def items_at(document: object, *path: str) -> list[object]:
    """A list, bounded; a single value counts as one of one."""
    value = at(document, *path)
    if isinstance(value, list):
        return value[:_MAX_FIELDS]
    return [] if value is None else [value]


def scalar_fields(document: Document) -> Fields:
    """The scalars of an object and of the objects right inside it."""
    values: dict[str, tuple[str, ...]] = {}
    for name, value in document.items():
        inner = value.items() if isinstance(value, dict) else ((None, value),)
        for key, one in inner:
            full = name if key is None else f"{name}.{key}"
            text = text_at({"": one}, "")
            if text and len(values) < _MAX_FIELDS:
                values[full[:200].lower()] = (text,)
    return Fields(values)
