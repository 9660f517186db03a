"""What a sender has written this time: no quotes, no signature, no legal notice.

They are the same on all mail of one person, company or list, and a short note would
be lost among them. Where nothing else is there, they are the text after all.

All of it is looked for in lower case.

Limits: a sender who wants to can pass words off as a quote. A fingerprint finds those
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
    return text.startswith((">", "|")) or _MARK.search(text) is not None


def has_signs(words: set[bytes]) -> bool:
    """Whether a text of these words, in UTF-8, may have something to take away."""
    return not _SIGNS.isdisjoint(words)


def own_text(text: str) -> str:
    """Give what is left of a text without what is quoted, signed or noticed.

    Args:
        text: in lower case, its lines ended by LF. Any takes linear time.
    """
    text = "\n" + text
    for without in (_without_original, _without_quoted_lines, _without_notices):
        text = _or_all(without(text), text)
    start = max(0, len(text) - _MAX_SIGNATURE_CHARACTERS)
    if (signature := _SIGNATURE.search(text, start)) is not None:
        text = _or_all(text[: signature.start()], text)
    return text


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
    paragraphs = _PARAGRAPH.split(text)
    return "\n\n".join(
        [one for one in paragraphs if not any(map(one.__contains__, present))]
    )
