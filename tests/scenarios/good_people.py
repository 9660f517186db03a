"""Good scenarios of people: (j) to (m), (r), (u), (v), (w), (y)."""

from random import Random

from outgate.model.identity import Path
from scenarios.habits import in_batches, office_mail, personal_mail, quietly, to_each
from scenarios.mail import DAY_S, HOUR_S, Origin, Traffic, post, together
from scenarios.mailings import newsletter
from scenarios.pace import between, in_office_hours
from scenarios.people import crowd, some
from scenarios.scenario import NETWORK, Acts, Play, Scenario, at_home
from scenarios.writing import business, note, same

_TEN_S = 10 * HOUR_S
_EVENING_S = 20 * HOUR_S


def _friends(play: Play) -> Acts:
    anne = "anne@flower.example"
    origin = at_home(anne, 51)
    contacts = crowd(play.rng("contacts"), 40)
    # Some of them are friends of friends.
    readers = (*some(play.rng("friends"), contacts, 10), *crowd(play.rng("new"), 5))
    rng = play.rng("day")
    return Acts(
        personal_mail(play.rng("before"), origin, anne, contacts, play.month, 5),
        [post(rng, _EVENING_S, origin, anne, readers, same(1, "Sunday's walk"))],
    )


def _club(play: Play) -> Acts:
    club = "secretary@chess.example"
    origin = at_home(club, 52)
    members = crowd(play.rng("members"), 60)

    def letter(day: int) -> Traffic:
        return in_batches(
            play.rng(f"letter {day}"),
            day * DAY_S + _EVENING_S,
            origin,
            club,
            # Two joined since the last one.
            members[:58] if day else members,
            same(day),
            batch=60,
        )

    return Acts(
        together(letter(-28), quietly(play.rng("before"), origin, club, play.month)),
        letter(0),
    )


def _office_worker(play: Play) -> Acts:
    worker = "sales@screws.example"
    origin = at_home(worker, 53)
    contacts = crowd(play.rng("contacts"), 300)
    return Acts(
        office_mail(play.rng("before"), origin, worker, contacts, play.month, 150),
        office_mail(play.rng("day"), origin, worker, contacts, range(1), 150),
    )


def _wedding(play: Play) -> Acts:
    couple = "mia@home.example"
    origin = at_home(couple, 54)
    known = crowd(play.rng("known"), 80)
    guests = [*known, *crowd(play.rng("new"), 40)]
    play.rng("order").shuffle(guests)
    times = between(play.rng("times"), -30 * DAY_S, 0, len(known))
    return Acts(
        together(
            quietly(play.rng("before"), origin, couple, play.month),
            to_each(play.rng("letters"), times, origin, couple, known, note),
        ),
        in_batches(
            play.rng("day"),
            _EVENING_S,
            origin,
            couple,
            guests,
            same(2, "We are getting married"),
            batch=40,
        ),
    )


def _school(play: Play) -> Acts:
    office = "office@school.example"
    origin = at_home(office, 55)
    parents = crowd(play.rng("parents"), play.size(900))
    staff = crowd(play.rng("contacts"), 60)

    def letter(day: int) -> Traffic:
        return in_batches(
            play.rng(f"letter {day}"),
            day * DAY_S + _TEN_S,
            origin,
            office,
            parents,
            same(day),
            batch=50,
        )

    return Acts(
        together(
            *map(letter, (-28, -14)),
            office_mail(play.rng("before"), origin, office, staff, play.month, 30),
        ),
        letter(0),
    )


def _first_day(play: Play) -> Acts:
    new = "ceo@startup.example"
    origin = at_home(new, 56)
    strangers = crowd(play.rng("strangers"), 150)
    times = in_office_hours(play.rng("times"), 0, len(strangers))
    return Acts((), to_each(play.rng("day"), times, origin, new, strangers, business))


def _office_of_forty(play: Play) -> Acts:
    a_day = max(10, round(30 * play.scale))

    def desk(number: int, days: range) -> Traffic:
        name = f"desk{number}@lawyers.example"
        # Every other desk has IPv6; nobody logs in.
        client = "192.0.2.100" if number % 2 else f"2001:db8:a:7::{number:x}"
        contacts = crowd(play.rng(f"contacts {number}"), 60)
        rng = play.rng(f"desk {number} {days}")
        return office_mail(rng, Origin(client=client), name, contacts, days, a_day)

    return Acts(
        together(*(desk(number, play.days_of(40 * a_day)) for number in range(40))),
        together(*(desk(number, range(1)) for number in range(40))),
    )


def _dot_forward(play: Play) -> Acts:
    origin = Origin(local_user="anne", path=Path.LOCAL_SUBMISSION)
    elsewhere = tuple(crowd(play.rng("elsewhere"), 1))

    def foreign(rng: Random, days: range) -> Traffic:
        for day in days:
            for at_s in between(rng, day * DAY_S, (day + 1) * DAY_S, 40):
                lists = rng.randrange(15)
                host = f"lists{lists}.example.net"
                yield post(
                    rng,
                    at_s,
                    origin,
                    f"news@{host}",
                    elsewhere,
                    newsletter(rng.getrandbits(32), f"news.{host}"),
                    sender=f"bounces+{rng.getrandbits(32):x}@{host}",
                )

    return Acts(
        foreign(play.rng("before"), play.month), foreign(play.rng("day"), range(1))
    )


def _yearly(play: Play) -> Acts:
    club = "secretary@sailing.example"
    origin = at_home(club, 57)
    members = crowd(play.rng("members"), play.size(300))

    def letter(day: int) -> Traffic:
        return in_batches(
            play.rng(f"letter {day}"),
            day * DAY_S + _EVENING_S,
            origin,
            club,
            members,
            same(day, "The year on the lake"),
            batch=50,
        )

    return Acts(
        together(letter(-364), quietly(play.rng("before"), origin, club, play.month)),
        letter(0),
    )


GOOD_PEOPLE = (
    Scenario(key="j", story="a note to 15 friends", make=_friends),
    Scenario(key="k", story="a club to 60 members, monthly, Bcc", make=_club),
    Scenario(key="l", story="an office worker, 150 mails a day", make=_office_worker),
    Scenario(key="m", story="a wedding, 120 guests, 80 known", make=_wedding),
    Scenario(key="r", story="a school to 900 known parents", make=_school),
    Scenario(key="u", story="a new customer, 150 mails to strangers", make=_first_day),
    Scenario(
        key="v",
        story="40 people behind one IPv4 and one /64",
        make=_office_of_forty,
        settings=f"""{NETWORK}
[[customer]]
name = "lawyers"
match = ["192.0.2.100", "2001:db8:a:7::/64"]
""",
    ),
    Scenario(key="w", story="a .forward that passes newsletters on", make=_dot_forward),
    Scenario(key="y", story="the yearly letter to 300 members", make=_yearly),
)
