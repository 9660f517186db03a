"""Normal mail: what people and machines send month after month."""

from collections.abc import Sequence
from random import Random

from scenarios.mail import DAY_S, HOUR_S, Origin, Traffic, Writer, post
from scenarios.pace import between, in_office_hours, is_working_day
from scenarios.people import crowd, some
from scenarios.writing import business, note

_NEW_CONTACTS = 0.1


def personal_mail(
    rng: Random,
    origin: Origin,
    author: str,
    contacts: Sequence[str],
    days: range,
    a_day: int,
) -> Traffic:
    """Somebody's private letters to people that he knows, at any hour."""
    for day in days:
        start_s = day * DAY_S + 7 * HOUR_S
        for at_s in between(rng, start_s, start_s + 16 * HOUR_S, a_day):
            yield post(rng, at_s, origin, author, (rng.choice(contacts),), note)


def office_mail(
    rng: Random,
    origin: Origin,
    author: str,
    contacts: Sequence[str],
    days: range,
    a_day: int,
) -> Traffic:
    """A desk's letters on working days; one in ten goes to somebody new."""
    for day in days:
        if not is_working_day(day):
            continue
        for at_s in in_office_hours(rng, day, a_day):
            readers = some(rng, contacts, rng.choice((1, 1, 1, 1, 2, 3)))
            if rng.random() < _NEW_CONTACTS:
                readers = tuple(crowd(rng, 1))
            yield post(rng, at_s, origin, author, readers, business)


def quietly(rng: Random, origin: Origin, author: str, days: range) -> Traffic:
    """Mail of somebody who writes twice a day."""
    return personal_mail(rng, origin, author, crowd(rng, 25), days, 2)


def to_each(
    rng: Random,
    times: Sequence[float],
    origin: Origin,
    author: str,
    readers: Sequence[str],
    writer: Writer,
    *,
    sender: str | None = None,
) -> Traffic:
    """A message of its own for each reader.

    Args:
        rng: source of chance.
        times: as many as readers.
        origin: who hands it over.
        author: header From.
        readers: one after the other.
        writer: of each text.
        sender: envelope sender; `{}` in it is filled with the reader, as VERP does.
    """
    for at_s, reader in zip(times, readers, strict=True):
        verp = sender and sender.format(reader.replace("@", "="))
        yield post(rng, at_s, origin, author, (reader,), writer, sender=verp)


def in_batches(
    rng: Random,
    start_s: float,
    origin: Origin,
    author: str,
    readers: Sequence[str],
    writer: Writer,
    *,
    batch: int,
    sender: str | None = None,
) -> Traffic:
    """One text to all of them, so many blind recipients a message."""
    for place in range(0, len(readers), batch):
        some_of_them = tuple(readers[place : place + batch])
        yield post(
            rng,
            start_s + 20 * place / batch,
            origin,
            author,
            some_of_them,
            writer,
            sender=sender,
            blind=True,
        )
