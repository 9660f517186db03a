"""Good scenarios of machines: (n) to (q), (s), (t), (x)."""

from random import Random

from scenarios.bad import LIST_ID, LIST_SETTINGS
from scenarios.habits import in_batches, to_each
from scenarios.mail import DAY_S, HOUR_S, Message, Origin, Traffic, post
from scenarios.mailings import (
    alarm,
    confirmation,
    newsletter,
    post_on_list,
    receipt,
)
from scenarios.pace import between, steadily
from scenarios.people import crowd
from scenarios.scenario import NETWORK, Acts, Members, Play, Scenario
from scenarios.writing import note, same

_TEN_S = 10 * HOUR_S
_SHOP = Origin(client="192.0.2.20")
_LIST_HOST = Origin(client="192.0.2.30")
_FORWARDER = Origin(client="192.0.2.25")
_SERVICE = Origin(client="192.0.2.21")
_MONITORING = Origin(client="192.0.2.40")
_DISCUSSION_ID = "talk.lists.example.org"
# Mailman's default, SMTP_MAX_RCPTS.
_CHUNK = 500


def _shop(play: Play) -> Acts:
    a_day = play.size(5_000)
    regulars = crowd(play.rng("regulars"), a_day)

    def orders(days: range) -> Traffic:
        for day in days:
            rng = play.rng(f"day {day}")
            buyers = crowd(rng, a_day)
            for place in range(0, a_day, 3):
                buyers[place] = rng.choice(regulars)
            times = between(rng, day * DAY_S, (day + 1) * DAY_S, a_day)
            yield from to_each(
                rng, times, _SHOP, "orders@shop.example", buyers, receipt
            )

    return Acts(orders(play.days_of(a_day)), orders(range(1)))


def _discussion(play: Play) -> Acts:
    members = crowd(play.rng("members"), play.size(3_000))

    def posts(days: range) -> Traffic:
        for day in days:
            rng = play.rng(f"day {day}")
            # Sending one takes 20 s a chunk: as many as fit do not overlap.
            for at_s in steadily(day * DAY_S + 6 * HOUR_S, 1 / 1500, 40):
                yield from in_batches(
                    rng,
                    at_s + rng.uniform(0, 1000),
                    _LIST_HOST,
                    "member@members.example",
                    members,
                    post_on_list(rng.getrandbits(32), _DISCUSSION_ID),
                    batch=_CHUNK,
                    sender="talk-bounces@lists.example.org",
                )

    return Acts(
        posts(play.month),
        posts(range(1)),
        (Members("choir", _DISCUSSION_ID, tuple(members)),),
    )


def _newsletter(play: Play) -> Acts:
    members = crowd(play.rng("members"), play.size(20_000))

    def issue(day: int) -> Traffic:
        return to_each(
            play.rng(f"issue {day}"),
            list(steadily(day * DAY_S + _TEN_S, 10, len(members))),
            _LIST_HOST,
            "news@lists.example.org",
            members,
            newsletter(day, LIST_ID),
            sender="news-bounces+{}@lists.example.org",
        )

    return Acts(issue(-28), issue(0), (Members("choir", LIST_ID, tuple(members)),))


def _forwarder(play: Play) -> Acts:
    targets = crowd(play.rng("targets"), 120)
    a_day = play.size(1_000)

    def forwarded(days: range) -> Traffic:
        for day in days:
            rng = play.rng(f"day {day}")
            for at_s in between(rng, day * DAY_S, (day + 1) * DAY_S, a_day):
                yield _foreign(rng, at_s, rng.choice(targets))

    return Acts(forwarded(play.days_of(a_day)), forwarded(range(1)))


def _foreign(rng: Random, at_s: float, target: str) -> Message:
    number = rng.randrange(400)
    host = f"lists{number % 30}.example.net"
    letter = number % 3 == 0
    return post(
        rng,
        at_s,
        _FORWARDER,
        f"writer{number}@elsewhere.example" if letter else f"news@{host}",
        (target,),
        note if letter else newsletter(rng.getrandbits(20), f"news.{host}"),
        sender=f"SRS0=ab{number:x}=4D={host}=bounces{number}@fwd.example",
    )


def _incident(play: Play) -> Acts:
    users = crowd(play.rng("users"), play.size(4_000))
    times = between(play.rng("bills"), -30 * DAY_S, 0, len(users))
    author = "support@service.example"
    return Acts(
        to_each(play.rng("before"), times, _SERVICE, author, users, receipt),
        to_each(
            play.rng("day"),
            list(steadily(_TEN_S, 10, len(users))),
            _SERVICE,
            author,
            users,
            same(3, "Incident: the storage is slow"),
        ),
    )


def _confirmations(play: Play) -> Acts:
    a_day = play.size(800)

    def requests(days: range) -> Traffic:
        for day in days:
            rng = play.rng(f"day {day}")
            curious = crowd(rng, a_day)
            times = between(rng, day * DAY_S, (day + 1) * DAY_S, a_day)
            yield from to_each(
                rng,
                times,
                _LIST_HOST,
                "news-request@lists.example.org",
                curious,
                confirmation(LIST_ID),
                sender="news-confirm+{}@lists.example.org",
            )

    return Acts(requests(play.days_of(a_day)), requests(range(1)))


def _monitoring(play: Play) -> Acts:
    on_call = tuple(crowd(play.rng("on-call"), 5))
    storm = play.size(2_000)

    def alarms(stream: str, start_s: float, end_s: float, count: int) -> Traffic:
        rng = play.rng(stream)
        for at_s in between(rng, start_s, end_s, count):
            yield post(rng, at_s, _MONITORING, "nagios@mon.example", on_call, alarm)

    return Acts(
        alarms("before", -30 * DAY_S, 0, 600),
        alarms("day", _TEN_S, _TEN_S + HOUR_S, storm),
    )


def _customer(name: str, address: str) -> str:
    return f"""{NETWORK}
[[customer]]
name = "{name}"
match = ["{address}"]
"""


GOOD_SERVICES = (
    Scenario(
        key="n",
        story="a shop, 5,000 receipts a day",
        make=_shop,
        settings=_customer("shop", "192.0.2.20"),
    ),
    Scenario(
        key="o",
        story="a discussion list, 3,000 members, 40 posts",
        make=_discussion,
        settings=LIST_SETTINGS,
    ),
    Scenario(
        key="p",
        story="a newsletter to 20,000 confirmed",
        make=_newsletter,
        settings=LIST_SETTINGS,
    ),
    Scenario(key="q", story="a forwarder, 1,000 mails a day", make=_forwarder),
    Scenario(
        key="s",
        story="an incident notice to 4,000 users",
        make=_incident,
        settings=_customer("service", "192.0.2.21"),
    ),
    Scenario(
        key="t",
        story="800 confirmation requests a day",
        make=_confirmations,
        settings=LIST_SETTINGS,
    ),
    Scenario(
        key="x",
        story="2,000 alarms to five addresses in an hour",
        make=_monitoring,
        settings=_customer("monitoring", "192.0.2.40"),
    ),
)
