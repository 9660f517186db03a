"""The real messages that lie beside a developer's checkout; they are never copied."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from message.builders import HeaderMap, headers_from_bytes
from message.mailings import Mail

_MATERIAL = Path(__file__).parents[2].parent / "shared" / "material"
# MTAs hand on bodies in pieces of 64 KiB at most; the first is what is read.
_CHUNK = 65_535


def material_folder() -> Path:
    """Where they are; skips without them."""
    if not _MATERIAL.is_dir():
        pytest.skip(f"no real messages: {_MATERIAL} is absent")
    return _MATERIAL


def real_files() -> Iterator[tuple[str, str, bytes]]:
    """Give label, name and content of every message."""
    for path in sorted((material_folder() / "messages").glob("*/*.eml")):
        content = path.read_bytes()
        if content.startswith((b"From ", b">From ")):  # an mbox line, no header
            content = content.partition(b"\n")[2]
        yield path.parent.name, path.name, content


def real_messages() -> Iterator[tuple[str, str, HeaderMap]]:
    """Give label, name and headers of every message."""
    for label, name, content in real_files():
        block = content.replace(b"\r\n", b"\n").partition(b"\n\n")[0]
        yield label, name, headers_from_bytes(block)


def real_mail(*labels: str) -> list[Mail]:
    """Give headers and body, as far as a milter reads it, of messages of some kinds."""
    found: list[Mail] = []
    for label, _, content in real_files():
        if label in labels:
            block, _, body = content.replace(b"\r\n", b"\n").partition(b"\n\n")
            wire = body.replace(b"\n", b"\r\n")[:_CHUNK]
            found.append((headers_from_bytes(block), wire))
    return found


def real_list_headers() -> list[dict[str, Any]]:
    """Give list headers with the verdict of the parser `listunsub`."""
    lines = (material_folder() / "vectors" / "list_headers.jsonl").read_text("utf-8")
    return [json.loads(line) for line in lines.splitlines()]
