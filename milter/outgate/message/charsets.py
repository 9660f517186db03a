"""Character sets that mail uses, and what Python calls them.

They are those of the table, never whatever Python would look up by name: a look-up
imports modules, remembers every unknown name for ever, and knows codecs that warn or take
quadratic time (`idna`, `unicode_escape`).
"""

from codecs import charmap_decode, utf_8_decode

# Name in mail to name of codec. Where a set has a superset that mail programs mean
# by its name, it is the superset (WHATWG Encoding §4.2 has the same pairs).
CODECS: dict[bytes, str] = {
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
CODECS |= {
    b"iso-8859-%d" % part: f"iso-8859-{part}"
    for part in (2, 3, 4, 5, 6, 7, 8, 10, 13, 14, 15, 16)
}
CODECS |= {b"windows-%d" % page: f"cp{page}" for page in range(1250, 1259)}


# How one-byte sets read each byte; where a set has no character it is the replacement
# character. A table is never surprised: Python's codecs call a handler for each byte
# that is unknown to them, and a body may consist of nothing else.
_ONE_BYTE = {
    codec: bytes(range(256)).decode(codec, "replace")
    for codec in set(CODECS.values())
    if codec.startswith(("cp125", "iso-8859-", "koi8-", "cp874"))
}


def decode(data: bytes, charset: bytes) -> str:
    """Give the text of some bytes, which may end anywhere, in linear time.

    Args:
        data: what was written in the set, transfer encoding undone.
        charset: its name in mail, any case; b"" where none is declared. An unknown
            set is read as UTF-8, and where the bytes are none, as Western Latin.
    """
    codec = CODECS.get(charset.lower(), "utf-8")
    if codec == "utf-8":
        # Half of those who declare nothing write Latin letters in one byte; and the
        # last character of a body that was cut may be half there.
        try:
            return utf_8_decode(data, "strict", False)[0]
        except UnicodeDecodeError:
            codec = "cp1252"
    if (table := _ONE_BYTE.get(codec)) is not None:
        return charmap_decode(data, "strict", table)[0]
    return data.decode(codec, "replace")
