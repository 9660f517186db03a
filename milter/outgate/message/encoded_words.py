"""Encoded words: `=?utf-8?Q?Gr=C3=BC=C3=9Fe?=` (RFC 2047), read with patience.

Tolerated, because mail programs write it: spaces inside a word, words that cut a
character in two, a missing `=` of base64, words where the RFC allows none. A word that
can't be read stays as it is.
"""

import binascii
import re

from outgate.message.charsets import CODECS

# A word has at most 75 characters (RFC 2047 §2); longer ones are real, so only the
# name of the character set is held to a length.
_WORD = re.compile(
    rb"=\?([A-Za-z0-9_.:+-]{1,40})"
    rb"(?:\*[A-Za-z0-9-]{0,40})?"  # a language, RFC 2231 §5
    rb"\?([BbQq])\?([^?]*)\?="
)


def decode_words(value: bytes) -> str:
    r"""Give the text of an unfolded value; other bytes than UTF-8 become `\xNN`.

    White space between two words is no part of the text (RFC 2047 §6.2).
    """
    if b"=?" not in value:
        return _plain(value)
    pieces: list[str] = []
    # Neighbours of one character set are decoded together: a character may be cut.
    run: list[bytes] = []
    run_codec = ""
    end = 0
    for word in _WORD.finditer(value):
        codec = CODECS.get(word[1].lower())
        if codec is None:
            continue
        between = value[end : word.start()]
        adjacent = bool(run) and not between.strip()
        if run and not (adjacent and codec == run_codec):
            pieces.append(b"".join(run).decode(run_codec, "replace"))
            run.clear()
        if not adjacent:
            pieces.append(_plain(between))
        run.append(_word_bytes(word[2], word[3]))
        run_codec = codec
        end = word.end()
    if run:
        pieces.append(b"".join(run).decode(run_codec, "replace"))
    pieces.append(_plain(value[end:]))
    return "".join(pieces)


def _plain(value: bytes) -> str:
    return value.decode("utf-8", "backslashreplace")


def _word_bytes(encoding: bytes, text: bytes) -> bytes:
    if encoding in b"Qq":
        return binascii.a2b_qp(text, header=True)
    try:
        return binascii.a2b_base64(text + b"==")
    except binascii.Error:
        return text
