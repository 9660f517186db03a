"""The plain limiter that the gate is compared with, by hand-made examples."""

from scenarios.mail import HOUR_S, Content, Message, Origin
from scenarios.plain import PlainLimiter, PlainResult, limit_plainly

ANNE = Origin(login="anne@example.org", client="192.0.2.1")
BART = Origin(login="bart@example.org", client="192.0.2.1")
HOST = Origin(client="192.0.2.1")


def a_message(
    at_s: float, recipients: int = 1, origin: Origin = ANNE, *, unwanted: bool = False
) -> Message:
    return Message(
        at_s=at_s,
        origin=origin,
        sender="anne@example.org",
        recipients=tuple(f"r{place}@example.net" for place in range(recipients)),
        unwanted=unwanted,
        write=lambda: Content((), b""),
    )


def test_it_counts_recipients_in_a_fixed_hour() -> None:
    """A window begins with the first message; what did not fit costs nothing."""
    limiter = PlainLimiter(10)
    mail = [(0, 6), (60, 5), (120, 4), (130, 1), (HOUR_S - 1, 1), (HOUR_S, 10)]

    admitted = [limiter.admits(a_message(at_s, count)) for at_s, count in mail]

    assert admitted == [True, False, True, False, False, True]


def test_each_login_has_its_own_window_and_a_client_without_login_too() -> None:
    """Also behind one address."""
    limiter = PlainLimiter(1)

    assert [limiter.admits(a_message(0, 1, who)) for who in (ANNE, BART, HOST)] == [
        True,
        True,
        True,
    ]
    assert not limiter.admits(a_message(1, 1, HOST))


def test_a_message_beyond_the_whole_limit_never_fits() -> None:
    """As in life."""
    assert not PlainLimiter(10).admits(a_message(0, 11))


def test_a_day_tells_what_was_reached_and_what_was_stopped() -> None:
    """Recipients of what nobody wanted, messages of what somebody did."""
    day = [
        a_message(0, 2, unwanted=True),
        a_message(1, 1),
        a_message(2, 1),
        a_message(3, 2, unwanted=True),
        a_message(HOUR_S, 2, unwanted=True),
    ]

    assert limit_plainly(3, day) == PlainResult(limit=3, reached=4, stopped=1)
