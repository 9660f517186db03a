"""Encoded words: `=?utf-8?Q?Gr=C3=BC=C3=9Fe?=` (RFC 2047), read with patience.

Tolerated, because mail programs write it: spaces inside a word, words that cut a
character in two, a missing `=` of base64, words where the RFC allows none. A word that
can't be read stays as it is.

Character sets are those of the table, never whatever Python would look up by name: a
look-up imports modules, remembers every unknown name for ever, and knows codecs that
warn or take quadratic time (`idna`, `unicode_escape`).
"""

import binascii
import re

# A word has at most 75 characters (RFC 2047 §2); longer ones are real, so only the
# name of the character set is held to a length.
_WORD = re.compile(
    rb"=\?([A-Za-z0-9_.:+-]{1,40})"
    rb"(?:\*[A-Za-z0-9-]{0,40})?"  # a language, RFC 2231 §5
    rb"\?([BbQq])\?([^?]*)\?="
)

# Name in mail to name of codec. Where a set has a superset that mail programs mean
# by its name, it is the superset (WHATWG Encoding §4.2 has the same pairs).
_CODECS: dict[bytes, str] = {
    b"us-ascii": "utf-8",
    b"ascii": "utf-8",
    b"utf-8": "utf-8",
    b"utf8": "utf-8",
    b"utf-16": "utf-16",
    b"iso-8859-1": "cp1252",
    b"latin1": "cp1252",
    b"iso-8859-8-i": "iso-8859-8",
    b"iso-8859-9": "cp1254",
    b"iso-8859-11": "cp874",
    b"tis-620": "cp874",
    b"koi8-r": "koi8-r",
    b"koi8-u": "koi8-u",
    b"gb2312": "gb18030",
    b"gbk": "gb18030",
    b"gb18030": "gb18030",
    b"big5": "big5hkscs",
    b"iso-2022-jp": "iso2022_jp_ext",
    b"shift_jis": "cp932",
    b"euc-jp": "euc_jp",
    b"ks_c_5601-1987": "cp949",
    b"euc-kr": "cp949",
    b"iso-2022-kr": "iso2022_kr",
}
_CODECS |= {
    b"iso-8859-%d" % part: f"iso-8859-{part}"
    for part in (2, 3, 4, 5, 6, 7, 8, 10, 13, 14, 15, 16)
}
_CODECS |= {b"windows-%d" % page: f"cp{page}" for page in range(1250, 1259)}


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
        codec = _CODECS.get(word[1].lower())
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
