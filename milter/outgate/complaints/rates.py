"""How many of a list's readers complain, and when that is too many.

The lines are those of mailbox providers: below 0.1 % all is well, from 0.3 % on mail is
refused. Neither says anything of a few people.
"""

from enum import StrEnum

MIN_COMPLAINANTS = 5
WATCH_PERMILLE = 1
INVESTIGATE_PERMILLE = 3


class Level(StrEnum):
    """What a rate means."""

    OK = "ok"
    WATCH = "watch"
    INVESTIGATE = "investigate"


def level_of(complainants: int, recipients: int) -> Level:
    """Judge a rate.

    Args:
        complainants: different people who complained.
        recipients: how many got the mail in the same time; one counts as often as they
            were mailed.
    """
    if complainants < MIN_COMPLAINANTS:
        return Level.OK
    permille = 1000 * complainants / max(recipients, complainants)
    if permille >= INVESTIGATE_PERMILLE:
        return Level.INVESTIGATE
    return Level.WATCH if permille >= WATCH_PERMILLE else Level.OK
