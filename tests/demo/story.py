"""The story: who sends what to whom, and what must become of it."""

from collections.abc import Callable
from dataclasses import dataclass
from email.message import EmailMessage

from demo.stage import Answer, Stage

ANNE = "anne@coop.example"
CLARA = "clara@coop.example"
EVE = "eve@coop.example"
PRINTER = "192.0.2.50"


@dataclass(frozen=True, slots=True)
class Event:
    """One row of the table.

    Attributes:
        who: login or address.
        what: in words.
        expected: the disposition that the story needs.
        disposition: what the MTA was told.
        read: what the sending program read.
        why: reasons and details, from the log.
    """

    who: str
    what: str
    expected: str
    disposition: str
    read: str
    why: str


@dataclass(frozen=True, slots=True)
class Scene:
    """One scene: a title, and what is played."""

    title: str
    play: Callable[[Stage], list[Event]]


def letter(sender: str, to: str, subject: str, text: str, **headers: str) -> bytes:
    """A message as a mail program writes it."""
    message = EmailMessage()
    message["From"] = sender
    message["To"] = to
    message["Subject"] = subject
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    message.set_content(text)
    return message.as_bytes()


def _event(stage: Stage, answer: Answer, who: str, what: str, expected: str) -> Event:
    line = stage.line(answer.queue_id)
    why = ", ".join(filter(None, (line.get("reasons", ""), line.get("detail", ""))))
    return Event(who, what, expected, line["disposition"], answer.text, why)


def _a_note(stage: Stage) -> list[Event]:
    note = letter(ANNE, "bob@friends.example", "Lunch?", "Twelve, as always?\n")
    answer = stage.mailer.send(note, ANNE, ["bob@friends.example"], login=ANNE)
    return [_event(stage, answer, ANNE, "a note to a friend", "accept")]


def _fifteen_friends(stage: Stage) -> list[Event]:
    friends = [f"friend{number}@friends.example" for number in range(1, 16)]
    party = letter(ANNE, ", ".join(friends), "Party", "Saturday, bring salad.\n")
    answer = stage.mailer.send(party, ANNE, friends, login=ANNE)
    return [_event(stage, answer, ANNE, "an invitation to 15 friends", "accept")]


def _newsletters(stage: Stage) -> list[Event]:
    readers = [f"reader{number}@readers.example" for number in range(1, 21)]
    text = "What we grew this month.\n"
    with_exit = letter(
        CLARA,
        "News <news@coop.example>",
        "Garden news",
        text,
        List_Id="Garden <garden.coop.example>",
        List_Unsubscribe="<https://lists.example.org/u/7f3a>, <mailto:leave@coop.example>",
        List_Unsubscribe_Post="List-Unsubscribe=One-Click",
        Precedence="bulk",
    )
    without = letter(
        CLARA, "News <news@coop.example>", "More news", text, Precedence="bulk"
    )
    stage.register("garden.coop.example", readers)
    first = stage.mailer.send(with_exit, CLARA, readers, login=CLARA)
    second = stage.mailer.send(without, CLARA, readers, login=CLARA)
    return [
        _event(stage, first, CLARA, "a newsletter to 20 who asked for it", "accept"),
        _event(stage, second, CLARA, "a newsletter to 20, with no way out", "tag"),
    ]


def _everyone_at_once(stage: Stage) -> list[Event]:
    strangers = [f"stranger{number}@world.example" for number in range(150)]
    advert = letter(CLARA, "you@world.example", "Best offer!", "Buy now.\n")
    answer = stage.mailer.send(advert, CLARA, strangers, login=CLARA)
    return [_event(stage, answer, CLARA, "one advert to 150 strangers", "reject")]


def _burst(stage: Stage) -> list[Event]:
    """Eve's password was phished; a program sends in her name."""
    events = []
    for number in range(1, 61):
        to = f"victim{number}@world.example"
        text = f"Dear victim{number}, your parcel waits for a fee of 2 euros. Click here.\n"
        spam = letter(EVE, to, f"Parcel {number}", text)
        answer = stage.mailer.send(spam, EVE, [to], login=EVE)
        # The shipped limit is fifty strangers; the last fifth leaves with a warning.
        expected = "accept" if number < 40 else "tag"
        if number > 50:
            expected = "quarantine"
        what = f"stranger {number} of one mailing"
        events.append(_event(stage, answer, EVE, what, expected))
    wrong = [event for event in events if event.disposition != event.expected]
    return [events[0], events[39], *events[49:51], events[59], *wrong]


def _live_quarantine(stage: Stage) -> list[Event]:
    """On-call types one line in the middle of it all."""
    before = letter(ANNE, "bob@friends.example", "Re: Lunch?", "Coming!\n")
    first = stage.mailer.send(before, ANNE, ["bob@friends.example"], login=ANNE)
    stage.redis_cli(
        "HSET", "outgate:quarantine", ANNE, "for=1h by=on-call phished, ticket 4711"
    )
    after = letter(ANNE, "bob@friends.example", "Hello", "Open this.\n")
    second = stage.mailer.send(after, ANNE, ["bob@friends.example"], login=ANNE)
    return [
        _event(stage, first, ANNE, "a reply", "accept"),
        Event(
            "on-call",
            f'redis-cli HSET outgate:quarantine {ANNE} "for=1h by=on-call …"',
            "",
            "",
            "",
            "",
        ),
        _event(stage, second, ANNE, "the next message", "quarantine"),
    ]


def _printer(stage: Stage) -> list[Event]:
    events = []
    for number in range(1, 6):
        report = letter("printer@coop.example", "bob@friends.example", "Toner", "Low\n")
        answer = stage.mailer.send(
            report + b"%d\n" % number,
            "printer@coop.example",
            ["bob@friends.example"],
            client=PRINTER,
        )
        # The fourth is the last that fits, and so a warning.
        expected = {4: "tag", 5: "defer"}.get(number, "accept")
        what = f"message {number} of a printer without a login"
        events.append(_event(stage, answer, PRINTER, what, expected))
    return events[-1:]


SCENES = (
    Scene("a note, and an invitation to fifteen friends …", _a_note),
    Scene("fifteen friends …", _fifteen_friends),
    Scene("two newsletters …", _newsletters),
    Scene("one message to 150 strangers …", _everyone_at_once),
    Scene("a hijacked login sends a burst …", _burst),
    Scene("a printer runs wild …", _printer),
    Scene("on-call quarantines a sender …", _live_quarantine),
)


def as_told(events: list[Event]) -> bool:
    """Whether everything happened as the story has it."""
    return all(event.disposition == event.expected for event in events)
