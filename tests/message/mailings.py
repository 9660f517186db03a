"""Mail that nobody wrote: bodies in every wrapping, people's letters, and mailings.

The letters have what real ones have, measured on mail of people and lists: two share
about a twentieth of their words, those about one thing more.
"""

import base64
import quopri
from random import Random

from message.builders import HeaderMap

Mail = tuple[HeaderMap, bytes]

_EVERYWHERE = (
    "the and you that for with have this not but are was they from will would what "
    "there been can which about out more when your some them then could were just "
    "know like time only other over also after into than because how well where any "
    "our does did very much should might really think see want make going good need"
)
_SYLLABLES = (
    "ba cor den fi gal hu jo kel lum mor nes pir quo ras sti tur vel wen xi zan"
)
_NAMES = "Anne Bart Carla Dirk Eva Frank Greta Hans Ines Jan Karin Lars Maria Nils"


def _lexicon(size: int) -> list[str]:
    random = Random(20_260_303)
    syllables = _SYLLABLES.split()
    words = {
        "".join(random.choices(syllables, k=random.choice((2, 2, 3, 3, 4)))): None
        for _ in range(2 * size)
    }
    return list(words)[:size]


LEXICON = _lexicon(6_000)
# What one thing is talked about with.
_TOPICS = [LEXICON[start : start + 40] for start in range(0, 1_600, 40)]

SIGNATURE = """
--\x20
Anne Example, head of something
Example Works, 12 Long Street, Exampletown
telephone and telefax on request, visitors are welcome any weekday
"""
# Nothing marks it: most programs of offices write it so.
COMPANY_SIGNATURE = """
Kind regards

Anne Example
Sales and Service

Example Joinery and Interior Works Limited
Harbour Road 12, 4051 Exampletown, Switzerland
Phone +41 61 555 01 12, Mobile +41 79 555 02 12
www.joinery.example
Visit our showroom: Monday to Friday from eight until six, Saturday from nine until noon
"""
CONTACT_BLOCK = """
Anne Example
Example Joinery and Interior Works Limited
Harbour Road 12, 4051 Exampletown
Phone +41 61 555 01 12, Mobile +41 79 555 02 12
sales@joinery.example, www.joinery.example
"""
DISCLAIMER = """
This message is confidential and intended only for the person or the entity to which
it is addressed. If you are not the intended recipient, please notify the sender and
delete all copies of it; any review, dissemination or other use is prohibited.

Example Works Ltd, registered in England. Please consider the environment before
printing anything.
"""
QUOTED = """
On Tuesday, 3 March 2026, Bart wrote:
> The programme of the winter is ready, have a look at what the board decided about
> concerts, rehearsals, the new alto and the old piano; somebody should move it before
> the painters come, and nobody has told them yet when that will be.
"""
ORIGINAL = """
-----Original Message-----
From: Bart
Sent: Tuesday, 3 March 2026 10:00
To: Anne
Subject: winter

The programme of the winter is ready, have a look at what the board decided about
concerts, rehearsals, the new alto and the old piano; somebody should move it before
the painters come, and nobody has told them yet when that will be.
"""
LIST_FOOTER = """
_______________________________________________
Choir mailing list
choir@lists.example.org
https://lists.example.org/listinfo/choir
"""


def mail(
    text: str,
    *,
    subject: str = "",
    kind: str = "text/plain",
    charset: str = "utf-8",
    encoding: str = "8bit",
    answers: bool = False,
) -> Mail:
    """Wrap a text into headers and a body, lines ended as on the wire."""
    body = text.replace("\n", "\r\n").encode(charset)
    if encoding == "base64":
        body = base64.encodebytes(body)
    elif encoding == "quoted-printable":
        body = quopri.encodestring(body)
    return {
        "content-type": [f"{kind}; charset={charset}".encode()],
        "content-transfer-encoding": [encoding.encode()],
        **({"subject": [subject.encode()]} if subject else {}),
        **({"in-reply-to": [b"<1@example.net>"]} if answers else {}),
    }, body


def multipart(kind: str, *parts: Mail) -> Mail:
    """Put parts into one body; the boundary is another for each level."""
    boundary = b"=_%d" % sum(len(body) for _, body in parts)
    entities = [
        b"".join(
            b"%b: %b\r\n" % (name.title().encode(), values[0])
            for name, values in headers.items()
        )
        + b"\r\n"
        + body
        for headers, body in parts
    ]
    lines = b"".join(b"\r\n--%b\r\n%b" % (boundary, entity) for entity in entities)
    content_type = b'multipart/%b; boundary="%b"' % (kind.encode(), boundary)
    return {"content-type": [content_type]}, lines + b"\r\n--%b--\r\n" % boundary


def letter(random: Random, words: int | None = None) -> str:
    """Write what one person writes to another, about one thing or two."""
    length = words or random.choice((15, 30, 60, 100, 150, 250))
    about = random.choice(_TOPICS) + random.choice(_TOPICS)
    return _in_lines(
        [
            _everyday(random)
            if (kind := random.random()) < 0.45
            else random.choice(about if kind < 0.7 else LEXICON)
            for _ in range(length)
        ]
    )


def mailing(random: Random, words: int) -> list[str]:
    """Write the template of a mailing: its words, links and names excepted."""
    return letter(random, words).split()


def copy_of(
    template: list[str], random: Random, *, replaced: float = 0, shuffled: bool = True
) -> str:
    """Write one copy of a mailing.

    Args:
        template: its words.
        random: what makes it another than the last.
        replaced: the share of words that are others in each copy.
        shuffled: whether the words stand in any order.
    """
    words = [
        random.choice(LEXICON) if random.random() < replaced else word
        for word in template
    ]
    if shuffled:
        random.shuffle(words)
    token = f"{random.getrandbits(64):x}"
    return (
        f"Dear {random.choice(_NAMES.split())} {random.choice(LEXICON).title()},\n\n"
        f"{_in_lines(words)}\n"
        f"https://{token[:6]}.shop.example/offer/{token}?to={token[::-1]}\n"
        f"Your number is {random.randrange(10**8)}.\n"
    )


def _everyday(random: Random) -> str:
    # As often as their rank has it (Zipf).
    words = _EVERYWHERE.split()
    weights = [1 / rank for rank in range(1, len(words) + 1)]
    return random.choices(words, weights)[0]


def _in_lines(words: list[str]) -> str:
    lines = [" ".join(words[start : start + 11]) for start in range(0, len(words), 11)]
    return "\n".join(lines) + "\n"
