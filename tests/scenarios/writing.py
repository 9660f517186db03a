"""What people write themselves: notes, answers, with signature and legal notice.

Each text is put together anew from many words, as letters are; what one person's mail
has in common is the signature, and a company's the notice below it.
"""

import re
from functools import lru_cache
from random import Random

from scenarios.mail import Content, Heading, Writer, compose
from scenarios.people import first_name
from scenarios.words import ADJECTIVES, COMPANIES, FIRST_NAMES, NOUNS, TOWNS, VERBS

_SENTENCES = (
    "The {a} {n} in {t} was {a}, so we had to {v} the {n}.",
    "Could you {v} the {n} before {d}?",
    "I will {v} a {n} for {p} and {v} the {a} one on {d}.",
    "{p} says that nobody wants to {v} the {n} any more.",
    "After the {n} we went to {t} to {v} {p}'s {a} {n}.",
    "Did {p} {v} your {n}, or is it still with the {n}?",
    "We need {k} more for the {n}, {a} ones if there are any.",
    "My {n} is {a} again; the {n} must be the reason.",
    "Let us {v} {p} at {h} near the {n}.",
    "Please {v} the {n} and {v} it with {p} by {h}.",
    "On {d} the {n} costs {k} euros, which is {a} for such a {a} {n}.",
    "It would be {a} to {v} something {a} this time.",
    "There was a {n} about {t} on the {n} yesterday; {p} liked it.",
    "The {n} of {p} has a {a} {n} that we should {v}.",
    "Whoever can {v}, bring {k} of the {a} {n}s to {t}.",
    "Thanks for the {n}! It is {a}, and {p} wants to {v} one too.",
    "I forgot the {n} at {p}'s place; can you {v} it?",
    "If the {n} stays {a}, {v} me at {h} and we {v} the {n} instead.",
    "Nobody told me about {t} until {d}.",
    "You were right: {p} never got the {n}.",
    "Somehow all my {n}s ended up behind {p}'s {n}.",
    "How long does it take to {v} three {a} {n}s?",
    "Since {d} our {n} smells like a {a} {n}.",
    "They closed the {n} in {t}, did you hear?",
    "{p} turned {k} yesterday, just imagine.",
    "Perhaps we should rather {v} than {v}.",
    "Do not {v} anything until I have seen the {n}!",
    "Everyone here has a {n} now except {p}.",
    "While {p} was away I had to {v} two {n}s alone.",
    "Between us, the {n} was quite {a}.",
    "What a {a} {n} you gave her!",
    "Its colour is {a}, not {a} as I wrote before.",
    "Who else knows how to {v} a {n}?",
    "Under the {n} I found {k} {n}s and your {n}.",
    "Sorry for being {a} about the {n}.",
    "{p}, {p} and I meet in {t} every {d}.",
    "Instead of a {n} you may bring {k} {n}s.",
    "Yes, {h} suits me fine.",
    "No, never without the {n}.",
    "Whenever I {v} here, some {n} breaks.",
    "Tomorrow {p} shows us his {a} {n}; shall I come too?",
    "Even {p} found it {a}, although her {n} is worse.",
    "Which of these {n}s would you {v} first?",
    "They charge {k} per {n} nowadays.",
    "Room {k}, second floor, beside the {a} {n}.",
    "Once more: {v} slowly, then {v}, then wait.",
    "Our {n} won against {t}, {k} points ahead!",
    "Her {n} left {t} without saying why.",
    "Almost every {n} on this list looks {a} to me.",
    "Until {d} nothing can be done about that {n}.",
    "Never again such a {a} {n}, I promise.",
    "Attached are {k} pages about {t}, mostly {a}.",
    "Mother asks whether you still {v} with that {a} {n}.",
    "As soon as {p} returns, we {v}.",
    "Far too {a}, that {n}, said {p} laughing.",
    "Against all odds {p} managed to {v} her {n}.",
    "Keep the {n}, sell the {n}, burn the rest.",
    "Half of {t} came; {k} people, maybe more.",
)
_DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
_OPENINGS = ("Hi {}", "Hello {}", "Dear {}", "Good morning {}", "{}", "Hey {}")
_BREAKS = 0.25
_CLOSINGS = ("Best", "Cheers", "See you", "Regards", "Kind regards", "Love", "Bye")
_NOTICE = """
This message and its attachments are confidential and intended only for the person to
whom they are addressed. If you are not the intended recipient, please notify the sender
and delete it. {} Ltd., registered in England, number {}.
"""


_SLOTS = {
    "n": NOUNS,
    "a": ADJECTIVES,
    "v": VERBS,
    "p": [name.capitalize() for name in FIRST_NAMES],
    "t": [town.capitalize() for town in TOWNS],
    "d": _DAYS,
    "h": [
        f"{hour}:{minute:02}" for hour in range(7, 23) for minute in range(0, 60, 15)
    ],
    "k": [str(number) for number in range(2, 400)],
}
_SHAPES = [
    (
        re.sub(r"{.}", "%s", shape),
        [_SLOTS[slot] for slot in re.findall(r"{(.)}", shape)],
    )
    for shape in _SENTENCES
]


def sentence(rng: Random) -> str:
    """One sentence about nothing in particular."""
    shape, slots = _SHAPES[int(rng.random() * len(_SHAPES))]
    # A month of mail has millions of words: `choice` would take half of the time.
    return shape % tuple([words[int(rng.random() * len(words))] for words in slots])


def paragraphs(rng: Random, shortest: int = 2, longest: int = 12) -> str:
    """Some sentences, a few of them together."""
    text = ""
    for _ in range(rng.randint(shortest, longest)):
        text += sentence(rng) + ("\n\n" if rng.random() < _BREAKS else " ")
    return text.strip()


def subject(rng: Random) -> str:
    """What people write above a letter."""
    return rng.choice(
        (
            f"{rng.choice(NOUNS)} and {rng.choice(NOUNS)}",
            f"the {rng.choice(ADJECTIVES)} {rng.choice(NOUNS)}",
            f"{rng.choice(TOWNS).capitalize()} on {rng.choice(_DAYS)}",
            f"{rng.choice(NOUNS)} for {rng.choice(FIRST_NAMES).capitalize()}",
        )
    )


@lru_cache(maxsize=4096)
def signature(author: str, *, company: bool = False) -> str:
    """What stands below all mail of a person."""
    fixed = Random(author)
    name = f"{first_name(author)} {fixed.choice(NOUNS).capitalize()}"
    text = f"\n\n-- \n{name}\n{fixed.randint(1, 90)} {fixed.choice(NOUNS)} street, "
    text += f"{fixed.choice(TOWNS).capitalize()}\nphone {fixed.randint(10**7, 10**8)}\n"
    if company:
        firm = Random(author.partition("@")[2])
        name = firm.choice(COMPANIES).capitalize()
        text += _NOTICE.format(name, firm.randint(10**6, 10**7))
    return text


def note(rng: Random, heading: Heading) -> Content:
    """A letter from one person to others."""
    return _letter(rng, heading, company=False)


def business(rng: Random, heading: Heading) -> Content:
    """The same from an office, with a legal notice; every third answers one."""
    return _letter(rng, heading, company=True)


def _letter(rng: Random, heading: Heading, *, company: bool) -> Content:
    author = heading.author
    about = subject(rng)
    text = f"{rng.choice(_OPENINGS).format(first_name(heading.readers[0]))},\n\n"
    text += f"{paragraphs(rng)}\n\n{rng.choice(_CLOSINGS)}\n{first_name(author)}"
    text += signature(author, company=company)
    extra = {"User-Agent": "Postbox/3.2"}
    if rng.randrange(3) == 0:
        about = f"Re: {about}"
        reference = f"<{rng.getrandbits(48):x}@{heading.readers[0].partition('@')[2]}>"
        extra |= {"In-Reply-To": reference, "References": reference}
        text += f"\n\nOn {rng.choice(_DAYS)} you wrote:\n"
        text += "\n".join(f"> {line}" for line in paragraphs(rng).splitlines())
    return compose(heading, about, f"{text}\n", extra=extra.items())


def same(seed: int, about: str = "") -> Writer:
    """One letter for all: each message of this writer says the same.

    Args:
        seed: of its text.
        about: subject; something where empty.
    """
    fixed = Random(seed)
    title, text = about or subject(fixed), paragraphs(fixed, 6, 12)

    def write(rng: Random, heading: Heading) -> Content:
        body = f"Dear all,\n\n{text}\n\nRegards\n{first_name(heading.author)}"
        return compose(heading, title, f"{body}{signature(heading.author)}")

    return write
