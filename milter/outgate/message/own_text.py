"""What a sender has written this time: no quotes, no signature, no legal notice.

They are the same on all mail of one person, company or list, and a short note would
be lost among them. Where nothing else is there, they are the text after all.

All of it is looked for in lower case.

What is taken away is short: a longer signature or notice is the text.

Limits: a sender who wants to can pass a few words off as any of these. A fingerprint finds those
who send in bulk without much thought, not those who write each copy by hand.
"""

import re

_ORIGINALS = (
    "message d'origine",
    "mensagem original",
    "mensaje original",
    "messaggio originale",
    "oorspronkelijk bericht",
    "original message",
    "ursprüngliche nachricht",
)
_SENT = ("enviado", "envoyé", "gesendet", "inviato", "sent", "verzonden")
# Programs put it in front of a message that they quote without any mark (Outlook).
_ORIGINAL = re.compile(
    rf"\n[ \t]*+(?:-{{2,}}+[ \t]*+(?:{'|'.join(_ORIGINALS)})[ \t]*-{{2,}}|"
    rf"(?:from|von|de|da|van):[^\n]{{1,200}}+\n++[ \t]*+(?:{'|'.join(_SENT)})[ \t]?:)"
)
# No possessive quantifier around a group: see `message.uri`.
_QUOTED_LINES = re.compile(r"(?:\n[ \t]{0,4}[>|][^\n]*+)+")
# RFC 3676 §4.3: "-- " on a line of its own; its space is often lost on the way.
_SIGNATURE = re.compile(r"\n-- ?\n")
# A longer one is the text itself, and the line above it an ornament.
_MAX_SIGNATURE_CHARACTERS = 800

# On a line of its own, before who signs; stops and case aside.
_VALEDICTIONS = frozenset(
    {
        *("all the best", "best", "best regards", "best wishes", "cheers"),
        *("kind regards", "kindest regards", "many thanks", "regards", "sincerely"),
        *("sincerely yours", "thanks", "thanks and regards", "warm regards"),
        *("with best regards", "with kind regards", "yours", "yours faithfully"),
        *("yours sincerely", "yours truly"),
        *("beste grüße", "beste grüsse", "freundliche grüße", "freundliche grüsse"),
        *("gruß", "grüße", "herzliche grüße", "liebe grüße", "mfg", "viele grüße"),
        *("mit besten grüßen", "mit freundlichem gruß", "mit freundlichen grüßen"),
        *("mit freundlichen grüssen", "mit herzlichen grüßen", "freundlicher gruss"),
        *("amicalement", "bien à vous", "bien cordialement", "cordialement"),
        *("meilleures salutations", "salutations distinguées", "sincères salutations"),
        *("atentamente", "saludos", "saludos cordiales", "un cordial saludo"),
        *("un saludo", "cordiali saluti", "distinti saluti", "saluti"),
        *("atenciosamente", "com os melhores cumprimentos", "cumprimentos"),
        *("groeten", "hartelijke groeten", "met vriendelijke groet"),
        *("met vriendelijke groeten", "vriendelijke groeten"),
    }
)
_MAX_VALEDICTION_CHARACTERS = max(map(len, _VALEDICTIONS)) + 2
_STOPS = ",.;! \t\xa0"
_CONTACT = re.compile(r"@|www\.|://|\d[ ()/.-]{0,3}+\d(?:[\d ()/.-]{4,20})\d")
# Of a signature that nothing marks; a longer one, or one with a sentence, is the text.
_MAX_SIGNATURE_LINES = 12
_MAX_SIGNATURE_WORDS = 60
_MAX_LONG_LINES = 2
_LONG_LINE_WORDS = 10
_SENTENCE_SPACES = 5
# Beside which it may stand: with less it is most of what there is to read.
_MIN_SIGNED_WORDS = 4
# Of a block that has no valediction before it.
_BLOCK_LINES = (3, 10)
_BLOCK_LINE_WORDS = 8
_LETTERS = re.compile(r"[^\W\d_]++")
_MIN_WORDS_BEFORE_BLOCK = 8

_NOTICES = (
    "confidencial",
    "confidential",
    "confidentiel",
    "consider the environment",
    "destinataire",
    "destinatario",
    "destinatário",
    "geschäftsführer",
    "get outlook for ",
    "handelsregister",
    "intended only",
    "intended recipient",
    "intended solely",
    "irrtümlich",
    "mailing list",
    "notify the sender",
    "registered in england",
    "registered office",
    "riservata",
    "riservate",
    "riservato",
    "sent from my ",
    "unsubscribe from this group",
    "vertraulich",
    "vertrouwelijk",
    "virus-free",
    "von meinem iphone gesendet",
)
# More kinds of them are not looked for in one text.
_MAX_NOTICES = 8
# A notice says little else: with more words to each of the above it is the text.
_WORDS_PER_NOTICE = 25
_MAX_NOTICE_CHARACTERS = 800
# Empty lines, or a line that is drawn.
_PARAGRAPH = re.compile(r"\n(?:[ \t]*+\n|[-_=*#]{20,}+\n)+")

_MARK = re.compile(r"\n(?:[ \t]{0,4}[>|]|-- ?\n)")
# Of each phrase above the longest word: a text without any of them has no such phrase.
_SIGNS = frozenset(
    max(re.findall(r"[^\W\d_]+", phrase), key=lambda word: (len(word), word)).encode()
    for phrase in (*_ORIGINALS, *_SENT, *_NOTICES)
)


def has_marks(text: str) -> bool:
    """Whether `own_text` would take something away for how its lines begin."""
    if ">" not in text and "|" not in text and "\n--" not in text:
        return False
    return text.startswith((">", "|")) or _MARK.search(text) is not None


def is_short(text: str) -> bool:
    """Whether a text is as short as a signature; a longer one is what is sent."""
    return (
        len(text) <= _MAX_SIGNATURE_CHARACTERS
        and len(text.split(None, _MAX_SIGNATURE_WORDS)) <= _MAX_SIGNATURE_WORDS
    )


def has_signs(words: set[bytes]) -> bool:
    """Whether a text of these words, in UTF-8, may have something to take away."""
    return not _SIGNS.isdisjoint(words)


def own_text(text: str, *, quoted: bool = False, signed: bool = False) -> str:
    """Give what is left of a text without what is quoted, signed or noticed.

    Args:
        text: in lower case, its lines ended by LF. Any takes linear time.
        quoted: keep quoted lines.
        signed: keep all but notices: what programs quote without a mark, and signatures.
    """
    text = "\n" + text
    if signed:
        return _or_all(_without_notices(text), text)
    text = _or_all(_without_original(text), text)
    if not quoted:
        text = _or_all(_without_quoted_lines(text), text)
    text = _or_all(_without_notices(text), text)
    start = max(0, len(text) - _MAX_SIGNATURE_CHARACTERS)
    if (signature := _SIGNATURE.search(text, start)) is not None and is_short(
        text[signature.end() :]
    ):
        text = _or_all(text[: signature.start()], text)
    return without_signature(text)


def without_signature(text: str) -> str:
    """Give a text without a signature that no `-- ` marks.

    It is what follows a valediction up to the end, or the last block, if that is short
    lines that say where somebody is reached. Only the end is looked at.

    Args:
        text: in lower case, its lines ended by LF.
    """
    start = max(0, len(text) - _MAX_SIGNATURE_CHARACTERS)
    lines = text[start:].split("\n")
    for place, line in enumerate(lines):
        if (
            len(line) <= _MAX_VALEDICTION_CHARACTERS
            and line.strip(_STOPS) in _VALEDICTIONS
            and _signs(lines[place + 1 :])
        ):
            return _with_words(text[:start], lines[:place], _MIN_SIGNED_WORDS) or text
    while lines and not lines[-1].strip():
        lines.pop()
    first = len(lines)
    while first and lines[first - 1].strip():
        first -= 1
    least, most = _BLOCK_LINES
    if first and least <= len(lines) - first <= most and _is_block(lines[first:]):
        kept = _with_words(text[:start], lines[:first], _MIN_WORDS_BEFORE_BLOCK)
        return kept or text
    return text


def _with_words(before: str, lines: list[str], words: int) -> str:
    """A text, if it has so many words; "" otherwise."""
    kept = before + "\n".join(lines)
    return kept if len(kept.split(None, words)) >= words else ""


def _signs(lines: list[str]) -> bool:
    """Whether these lines may be all that follows a valediction."""
    counts = [len(line.split()) for line in lines if line.strip()]
    return (
        len(counts) <= _MAX_SIGNATURE_LINES
        and sum(counts) <= _MAX_SIGNATURE_WORDS
        and sum(count >= _LONG_LINE_WORDS for count in counts) <= _MAX_LONG_LINES
        and not any(map(_is_sentence, lines))
    )


def _is_block(lines: list[str]) -> bool:
    return (
        _CONTACT.search("\n".join(lines)) is not None
        and all(len(_LETTERS.findall(line)) <= _BLOCK_LINE_WORDS for line in lines)
        and not any(map(_is_sentence, lines))
    )


def _is_sentence(line: str) -> bool:
    line = line.rstrip()
    return line.endswith((".", "!", "?")) and line.count(" ") >= _SENTENCE_SPACES


def _or_all(own: str, text: str) -> str:
    return text if own is text or not own.strip() else own


def _without_original(text: str) -> str:
    original = _ORIGINAL.search(text)
    return text if original is None else text[: original.start()]


def _without_quoted_lines(text: str) -> str:
    return _QUOTED_LINES.sub("", text)


def _without_notices(text: str) -> str:
    present = [notice for notice in _NOTICES if notice in text][:_MAX_NOTICES]
    if not present:
        return text
    own: list[str] = []
    noticed: list[str] = []
    for one in _PARAGRAPH.split(text):
        (noticed if any(map(one.__contains__, present)) else own).append(one)
    notice = "\n\n".join(noticed)
    words = _WORDS_PER_NOTICE * len(present)
    if len(notice) > _MAX_NOTICE_CHARACTERS or len(notice.split(None, words)) > words:
        return text
    return "\n\n".join(own)
