"""What programs write to many: adverts, newsletters, receipts, alarms.

A mailing is a template. Its copies differ as they do in life: the name, a link with a
token, the order of sentences, a choice of words, noise between HTML tags.
"""

from collections.abc import Callable
from random import Random

from scenarios.mail import Content, Heading, Writer, compose
from scenarios.people import first_name
from scenarios.words import ADJECTIVES, COMPANIES, NOUNS, TOWNS, VERBS
from scenarios.writing import paragraphs, sentence

_HTML = 'text/html; charset="utf-8"'

_OFFER = (
    "{We have|Our team has} {selected|picked|chosen} you for our {best|top|latest} offer",
    "{Lose|Drop} ten kilograms in {two|three|four} weeks with a herb that doctors hide",
    "{Thousands|Hundreds} of {happy|satisfied} customers cannot be wrong about this",
    "{Order|Buy} today and {save|keep} up to seventy percent on every bottle",
    "Shipping is {free|without charge} in all countries and takes only {two|three} days",
    "You get your money back if the capsules do not work within {a month|thirty days}",
    "{Click|Press} the button below before the {discount|price} ends at midnight",
    "{Ask|Write to} our {experts|specialists}, who answer every question around the clock",
    "The recipe comes from the mountains of Peru and was kept secret for generations",
    "No diet, no sport, no side effects, and nobody will see it on your bank statement",
    "Celebrities {swear by|trust} it although they would never admit that in public",
)
_PITCHES = (
    "Dear {name}",
    "Hello {name}",
    "{name}, good news",
    "Hi {name}",
)


def spin(rng: Random, text: str) -> str:
    """Choose one of the words in each pair of braces."""
    parts = []
    for part in text.split("{"):
        choice, closed, rest = part.partition("}")
        parts.append(rng.choice(choice.split("|")) + rest if closed else part)
    return "".join(parts)


_PLAIN_OFFER = ".\n".join(spin(Random("advert"), line) for line in _OFFER)


def token(rng: Random) -> str:
    """What makes a link personal."""
    return f"{rng.getrandbits(64):016x}"


def advert(rng: Random, heading: Heading) -> Content:
    """The same text for everybody; only the name and a token differ."""
    name = first_name(heading.readers[0])
    body = f"Dear {name},\n\n{_PLAIN_OFFER}.\n\nhttps://deal.slim-herb.example/order?c={token(rng)}\n"
    return compose(heading, "Lose ten kilograms in two weeks", body)


def personalised(rng: Random, heading: Heading) -> Content:
    """HTML: name, token, order of sentences, and half of the choices of words."""
    return compose(
        heading,
        f"{first_name(heading.readers[0])}, {spin(rng, _OFFER[1]).lower()}",
        _page(rng, heading, "https://deal.slim-herb.example/order"),
        kind=_HTML,
    )


def rotated(rng: Random, heading: Heading) -> Content:
    """As `personalised`, and no two have the same subject or link host."""
    host = f"{rng.choice(ADJECTIVES)}-{rng.choice(NOUNS)}-{rng.randrange(1000)}.example"
    about = f"{rng.choice(ADJECTIVES)} {rng.choice(NOUNS)} {rng.randrange(10_000)}"
    body = _page(rng, heading, f"https://{host}/{rng.choice(NOUNS)}")
    return compose(heading, about, body, kind=_HTML)


def typed(rng: Random, heading: Heading) -> Content:
    """The same as plain text, as it is typed into a form."""
    lines = [spin(rng, line) for line in _OFFER]
    rng.shuffle(lines)
    body = f"{heading.readers[0]}\n" + ". ".join(lines)
    body += (
        f"\nhttps://{rng.choice(NOUNS)}-{rng.randrange(1000)}.example/{token(rng)}\n"
    )
    return compose(heading, "", body)


def _page(rng: Random, heading: Heading, link: str) -> str:
    lines = [spin(rng, line) for line in _OFFER]
    rng.shuffle(lines)
    parts = [rng.choice(_PITCHES).format(name=first_name(heading.readers[0]))]
    for line in lines:
        noise = f'<font color="#{rng.getrandbits(24):06x}">'
        parts.append(f"<p>{noise}{line}.</font><!-- {token(rng)} --></p>")
    parts.append(f'<a href="{link}?c={token(rng)}">Order now</a>')
    parts.append(f'<img src="{link}/{token(rng)}.gif" width="1" height="1">')
    return "<html><body>" + "\n".join(parts) + "</body></html>\n"


def web_form(site: str, text: Writer | None = None) -> Writer:
    """What a contact form mails to its visitor: a frame, and what was typed in.

    Args:
        site: whose form.
        text: who types; people where None.
    """

    def write(rng: Random, heading: Heading) -> Content:
        typed = paragraphs(rng, 1, 4)
        if text is not None:
            typed = text(rng, heading).body.decode()
        body = f"Thank you for writing to {site}. We will answer soon.\n\n"
        body += f"You wrote:\n{typed}\n\nYour {site}\n"
        extra = {"X-PHP-Originating-Script": "33:contact.php"}
        return compose(heading, f"Your message to {site}", body, extra=extra.items())

    return write


def newsletter(
    seed: int, list_id: str, extra: Callable[[Random], dict[str, str]] | None = None
) -> Writer:
    """One issue, with a link for each reader to leave by."""
    fixed = Random(seed)
    title = f"News from {fixed.choice(TOWNS).capitalize()}: {fixed.choice(NOUNS)}s"
    text = paragraphs(fixed, 10, 16)
    host = list_id.partition(".")[2]

    def write(rng: Random, heading: Heading) -> Content:
        leave = f"https://{host}/leave?t={token(rng)}"
        headers = {
            "List-Id": f"<{list_id}>",
            "List-Unsubscribe": f"<{leave}>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
            "Precedence": "bulk",
        }
        headers |= extra(rng) if extra else {}
        name = first_name(heading.readers[0])
        body = f"Dear {name},\n\n{text}\n\nTo unsubscribe: {leave}\n"
        return compose(heading, title, body, extra=headers.items())

    return write


def receipt(rng: Random, heading: Heading) -> Content:
    """A shop's answer to an order."""
    order = rng.randrange(10**6, 10**7)
    body = f"Dear {first_name(heading.readers[0])},\n\nthank you for order {order}.\n\n"
    for _ in range(rng.randint(1, 5)):
        thing = f"{rng.choice(ADJECTIVES)} {rng.choice(NOUNS)}"
        body += (
            f"  {rng.randint(1, 3)} x {thing:24} {rng.randint(100, 9000) / 100:7.2f}\n"
        )
    body += "\nWe send it tomorrow. You may return it within thirty days.\n"
    body += f"https://shop.example/orders/{order}?key={token(rng)}\n"
    return compose(
        heading,
        f"Your order {order}",
        body,
        extra=(("Auto-Submitted", "auto-generated"),),
    )


def confirmation(list_id: str) -> Writer:
    """A list host's question whether an address wants its list."""

    def write(rng: Random, heading: Heading) -> Content:
        host = list_id.partition(".")[2]
        body = f"Somebody, perhaps you, asked to subscribe {heading.readers[0]} to "
        body += f"{list_id}. If that was you, please confirm by this link:\n\n"
        body += f"https://{host}/confirm/{token(rng)}\n\nIf not, ignore this message.\n"
        headers = {"Auto-Submitted": "auto-generated", "Precedence": "bulk"}
        return compose(
            heading, f"Please confirm: {list_id}", body, extra=headers.items()
        )

    return write


def post_on_list(seed: int, list_id: str) -> Writer:
    """A member's post, as the list software sends it on."""
    fixed = Random(seed)
    author = f"{fixed.choice(COMPANIES)}@members.example"
    title = f"[list] {'Re: ' if fixed.random() < 0.7 else ''}{sentence(fixed)[:40]}"
    quoted = "\n".join(f"> {line}" for line in paragraphs(fixed).splitlines())
    text = f"{quoted}\n\n{paragraphs(fixed)}\n"
    text += (
        f"_____________________\n{list_id} mailing list\nhttps://{list_id}/options\n"
    )
    headers = {
        "From": f"<{author}>",
        "List-Id": f"<{list_id}>",
        "List-Post": f"<mailto:{list_id.replace('.', '@', 1)}>",
        "List-Unsubscribe": f"<https://{list_id}/options>",
        "Precedence": "list",
        "X-BeenThere": list_id.replace(".", "@", 1),
    }

    def write(rng: Random, heading: Heading) -> Content:
        return compose(heading, title, text, extra=headers.items())

    return write


def alarm(rng: Random, heading: Heading) -> Content:
    """What monitoring says about one service of one host."""
    host, service = f"{rng.choice(COMPANIES)}{rng.randrange(40)}", rng.choice(NOUNS)
    state = rng.choice(("CRITICAL", "WARNING", "OK"))
    body = f"host: {host}\nservice: {service}\nstate: {state}\n"
    body += f"value: {rng.random():.4f}\nplease {rng.choice(VERBS)} it\n"
    return compose(
        heading,
        f"{state}: {service} on {host}",
        body,
        extra=(("Auto-Submitted", "auto-generated"),),
    )
