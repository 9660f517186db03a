"""A message in a file into headers and body, as an MTA would hand them over."""

import re

_FIELD = re.compile(rb"(?P<name>[!-9;-~]+)[ \t]*:[ \t]?(?P<value>.*)", re.DOTALL)


def split_message(raw: bytes) -> tuple[list[tuple[bytes, bytes]], bytes]:
    """Split RFC 5322 text into (name, value) pairs and the body.

    Folds stay in the value; a leading mbox `From ` line is dropped. A line that is
    neither header nor fold ends the header section, as Postfix and Sendmail have it.
    """
    headers: list[tuple[bytes, bytes]] = []
    rest = raw
    if rest.startswith(b"From "):
        rest = rest.partition(b"\n")[2]
    while rest:
        line, newline, after = rest.partition(b"\n")
        text = line.removesuffix(b"\r")
        if not text:
            return headers, after
        if text[:1] in b" \t" and headers:
            name, value = headers.pop()
            headers.append((name, value + b"\n" + text))
        elif found := _FIELD.fullmatch(text):
            headers.append((found["name"], found["value"]))
        else:
            return headers, rest
        rest = after if newline else b""
    return headers, b""
