"""Scenarios (a) to (i): what the gate is there to stop.

Whoever is abused has a quiet month behind him: a hijacked account is somebody's, and a
gate that knows nothing of it is shown apart, as its first day.
"""

from collections.abc import Iterator, Sequence
from random import Random

from outgate.model.identity import Path
from scenarios.habits import office_mail, quietly, to_each
from scenarios.mail import (
    DAY_S,
    HOUR_S,
    MINUTE_S,
    Origin,
    Traffic,
    Writer,
    post,
    together,
)
from scenarios.mailings import (
    advert,
    newsletter,
    personalised,
    rotated,
    typed,
    web_form,
)
from scenarios.pace import between, steadily
from scenarios.people import crowd
from scenarios.scenario import NETWORK, Acts, Make, Members, Play, Scenario, at_home

STRANGERS = 100_000
PER_SECOND = 50.0
_NIGHT_S = 2 * HOUR_S
_NINE_S = 9 * HOUR_S
_VICTIM = "anne@flower.example"
# The bot that knows her password is somewhere else.
_BOT = Origin(login=_VICTIM, client="203.0.113.77")
_SITE = Origin(local_user="www-data", path=Path.LOCAL_SUBMISSION)
LIST_ID = "news.lists.example.org"
_LIST_HOST = Origin(client="192.0.2.30")


def flood(
    rng: Random,
    times: Iterator[float] | Sequence[float],
    origins: Sequence[Origin],
    strangers: Sequence[str],
    writer: Writer,
    *,
    batch: int = 1,
    sender: str | None = None,
) -> Traffic:
    """One mailing to many strangers.

    Args:
        rng: source of chance.
        times: of the messages.
        origins: in turn.
        strangers: in order.
        writer: of each text.
        batch: recipients a message.
        sender: envelope sender; `{}` in it is filled with the recipient.
    """
    places = range(0, len(strangers), batch)
    for number, (at_s, place) in enumerate(zip(times, places, strict=False)):
        origin = origins[number % len(origins)]
        readers = tuple(strangers[place : place + batch])
        author = origin.login or "post@bakery.example"
        verp = sender and sender.format(readers[0].replace("@", "="))
        yield post(
            rng, at_s, origin, author, readers, writer, sender=verp, unwanted=True
        )


def hijack(writer: Writer, *, batch: int = 1, sender: str | None = None) -> Make:
    """Traffic of one hijacked login that writes to all strangers at once."""

    def make(play: Play) -> Acts:
        strangers = crowd(play.rng("strangers"), play.size(STRANGERS))
        times = steadily(_NIGHT_S, PER_SECOND, len(strangers))
        return Acts(
            quietly(play.rng("before"), at_home(_VICTIM, 50), _VICTIM, play.month),
            flood(
                play.rng("flood"),
                times,
                (_BOT,),
                strangers,
                writer,
                batch=batch,
                sender=sender,
            ),
        )

    return make


def _botnet(play: Play) -> Acts:
    logins = [f"{name}@{name}.example" for name in _customers(play)]
    bots = [
        Origin(login=login, client=f"203.0.113.{place + 1}")
        for place, login in enumerate(logins)
    ]
    months = [
        quietly(play.rng(login), at_home(login, 50), login, play.month)
        for login in logins
    ]
    strangers = crowd(play.rng("strangers"), play.size(STRANGERS))
    times = steadily(_NIGHT_S, PER_SECOND, len(strangers))
    return Acts(
        together(*months),
        flood(play.rng("flood"), times, bots, strangers, personalised),
    )


def _customers(play: Play) -> list[str]:
    """Twenty customers that have nothing to do with each other."""
    people = crowd(play.rng("logins"), 20)
    return [one.partition("@")[0].replace("_", "-") for one in people]


def _patient(play: Play) -> Acts:
    minutes = round(7 * DAY_S / MINUTE_S * min(1.0, play.scale * 2))
    strangers = crowd(play.rng("strangers"), minutes)
    times = steadily(_NIGHT_S, 1 / MINUTE_S, minutes)
    return Acts(
        quietly(play.rng("before"), at_home(_VICTIM, 50), _VICTIM, play.month),
        flood(play.rng("flood"), times, (_BOT,), strangers, advert),
    )


def _among_normal(play: Play) -> Acts:
    origin = at_home(_VICTIM, 50)
    contacts = crowd(play.rng("contacts"), 120)
    strangers = crowd(play.rng("strangers"), play.size(10_000))
    times = between(play.rng("times"), _NINE_S, 18 * HOUR_S, len(strangers))
    return Acts(
        office_mail(play.rng("before"), origin, _VICTIM, contacts, play.month, 40),
        together(
            office_mail(play.rng("day"), origin, _VICTIM, contacts, range(1), 40),
            flood(play.rng("flood"), times, (_BOT,), strangers, personalised),
        ),
    )


def _web_form(play: Play) -> Acts:
    visitors = crowd(play.rng("visitors"), 180)
    times = between(play.rng("visits"), -30 * DAY_S, 0, len(visitors))
    strangers = crowd(play.rng("strangers"), play.size(20_000))
    return Acts(
        to_each(
            play.rng("before"),
            times,
            _SITE,
            "post@bakery.example",
            visitors,
            web_form("the bakery"),
        ),
        flood(
            play.rng("flood"),
            steadily(_NIGHT_S, 2, len(strangers)),
            (_SITE,),
            strangers,
            web_form("the bakery", typed),
        ),
    )


def _bought(play: Play) -> Acts:
    members = crowd(play.rng("members"), play.size(2_000))
    bought = crowd(play.rng("bought"), play.size(50_000))
    rate = 20.0

    def issue(day: int) -> Traffic:
        times = list(steadily(day * DAY_S + _NINE_S, rate, len(members)))
        return to_each(
            play.rng(f"issue {day}"),
            times,
            _LIST_HOST,
            "news@lists.example.org",
            members,
            newsletter(day, LIST_ID),
            sender="news-bounces+{}@lists.example.org",
        )

    return Acts(
        together(*map(issue, (-28, -21, -14, -7))),
        together(
            issue(0),
            flood(
                play.rng("flood"),
                steadily(_NINE_S, rate, len(bought)),
                (_LIST_HOST,),
                bought,
                newsletter(0, LIST_ID),
                sender="news-bounces+{}@lists.example.org",
            ),
        ),
        (Members("choir", LIST_ID, tuple(members)),),
    )


LIST_SETTINGS = f"""{NETWORK}
[[customer]]
name = "choir"
match = ["192.0.2.30"]
"""
_SITE_SETTINGS = f"""{NETWORK}
[[customer]]
name = "bakery"
match = ["user:www-data"]
"""

BAD = (
    Scenario(
        key="a",
        story="100,000 strangers, one login, 50 a second",
        make=hijack(advert),
        target=60,
    ),
    Scenario(
        key="b",
        story="the same from 20 logins, personalised",
        make=_botnet,
        target=150,
    ),
    Scenario(
        key="c",
        story="ten recipients a message",
        make=hijack(advert, batch=10),
        target=60,
    ),
    Scenario(
        key="d",
        story="a fresh VERP sender for each recipient",
        make=hijack(advert, sender="offers+{}@flower.example"),
        target=60,
    ),
    Scenario(key="e", story="one a minute for a week", make=_patient, target=120),
    Scenario(
        key="f",
        story="a hijacked account among its normal mail",
        make=_among_normal,
        target=120,
    ),
    Scenario(
        key="g",
        story="a web form abused",
        make=_web_form,
        settings=_SITE_SETTINGS,
        target=60,
    ),
    Scenario(
        key="h",
        story="a list with 50,000 bought addresses",
        make=_bought,
        settings=LIST_SETTINGS,
        target=50,
    ),
    Scenario(
        key="i",
        story="subject and links rotated each message",
        make=hijack(rotated),
        target=60,
    ),
)
