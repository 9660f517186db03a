"""A message in a file into headers and body, as an MTA would hand them over."""

import re

_LINE = re.compile(rb"([^\n]*)(?:\n|\Z)")
_FIELD = re.compile(rb"([!-9;-~]+)[ \t]*:[ \t]?")


def split_message(raw: bytes) -> tuple[list[tuple[bytes, bytes]], bytes]:
    """Split RFC 5322 text into (name, value) pairs and the body.

    Folds stay in the value, joined by LF as milters see them; a leading mbox `From `
    line is dropped. A line that is neither header nor fold ends the header section, as
    Postfix and Sendmail have it.
    """
    names: list[bytes] = []
    values: list[list[bytes]] = []
    at = raw.find(b"\n") + 1 if raw.startswith(b"From ") else 0
    while at < len(raw):
        line = _LINE.match(raw, at)
        if line is None:
            break
        text = line[1].removesuffix(b"\r")
        if text[:1] in {b" ", b"\t"} and names:
            values[-1].append(text)
        elif found := _FIELD.match(text):
            names.append(found[1])
            values.append([text[found.end() :]])
        else:
            body = raw[line.end() if not text else at :]
            return _pairs(names, values), body
        at = line.end()
    return _pairs(names, values), b""


def _pairs(names: list[bytes], values: list[list[bytes]]) -> list[tuple[bytes, bytes]]:
    return [
        (name, b"\n".join(lines)) for name, lines in zip(names, values, strict=True)
    ]
