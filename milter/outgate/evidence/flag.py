"""What makes a row suspect: for each flag its sentence, its effect and what to do.

The same word stands in reports, in the registry's evidence and in the manual.
"""

from dataclasses import dataclass
from enum import StrEnum


class Effect(StrEnum):
    """What a flag does to its row, mildest first.

    `noted` does nothing, `import` lets the grade be no better than an import, and what is
    `left-out` is not registered.
    """

    NOTED = "noted"
    IMPORT = "import"
    LEFT_OUT = "left-out"


class Flag(StrEnum):
    """What is odd about a row."""

    ADDED_BY_OWNER = "added-by-owner"
    AMBIGUOUS_HOUR = "ambiguous-hour"
    CONFIRM_BEFORE_SIGNUP = "confirm-before-signup"
    CONFIRM_IN_FUTURE = "confirm-in-future"
    CONFIRM_IS_IMPORT = "confirm-is-import"
    CONFIRMED_BY_MAIL = "confirmed-by-mail"
    CONFIRMED_OTHER_LIST = "confirmed-other-list"
    FORWARDED_IP = "forwarded-ip"
    INNER_IP = "inner-ip"
    MISSING_HOUR = "missing-hour"
    NO_CONFIRMATION = "no-confirmation"
    NO_IP = "no-ip"
    NO_SIGNUP = "no-signup"
    NOT_AN_IP = "not-an-ip"
    OWN_IP = "own-ip"
    PENDING = "pending"
    PROVES_NOTHING = "proves-nothing"
    ROLE_ACCOUNT = "role-account"
    SAME_IP_AND_SECOND = "same-ip-and-second"
    SINGLE_OPT_IN = "single-opt-in"
    TOO_OLD = "too-old"
    UNSUBSCRIBED = "unsubscribed"


@dataclass(frozen=True, slots=True)
class Meaning:
    """One line of the table.

    Attributes:
        sentence: what was found.
        remedy: what whoever keeps the list can do.
    """

    effect: Effect
    sentence: str
    remedy: str


_ASK_AGAIN = "Ask these subscribers once more to confirm, through this gate."

MEANINGS: dict[Flag, Meaning] = {
    Flag.ADDED_BY_OWNER: Meaning(
        Effect.IMPORT,
        "The source says that the list's owner, an import or a program added the address.",
        _ASK_AGAIN,
    ),
    Flag.AMBIGUOUS_HOUR: Meaning(
        Effect.NOTED,
        "The time is in the hour that clocks showed twice; the earlier moment is taken.",
        "Nothing; export times with their offset where the source can.",
    ),
    Flag.CONFIRM_BEFORE_SIGNUP: Meaning(
        Effect.IMPORT,
        "The confirmation is older than the subscription that it confirms.",
        "Look how these rows came about; a declared zone may be wrong.",
    ),
    Flag.CONFIRM_IN_FUTURE: Meaning(
        Effect.IMPORT,
        "The confirmation is in the future.",
        "Check `--tz` and the clock of the source.",
    ),
    Flag.CONFIRM_IS_IMPORT: Meaning(
        Effect.IMPORT,
        "The time of the confirmation is that of an import: no subscription came before "
        "it, or it is the time of the last change.",
        _ASK_AGAIN,
    ),
    Flag.CONFIRMED_BY_MAIL: Meaning(
        Effect.NOTED,
        "Confirmed by an answer to mail: the source notes no client for these.",
        "Nothing can be done about what is past; logs of the mail server may show it.",
    ),
    Flag.CONFIRMED_OTHER_LIST: Meaning(
        Effect.IMPORT,
        "The source notes one confirmation for all lists of a subscriber, and this list "
        "came later.",
        _ASK_AGAIN,
    ),
    Flag.FORWARDED_IP: Meaning(
        Effect.NOTED,
        "The address of the client is the last one of several that proxies noted.",
        "Let the source trust its own proxy only.",
    ),
    Flag.INNER_IP: Meaning(
        Effect.IMPORT,
        "The client's address is in no public network (private, loopback, link-local): "
        "it is that of a proxy, or of the server itself.",
        "Let the source note the address that its proxy sees.",
    ),
    Flag.MISSING_HOUR: Meaning(
        Effect.IMPORT,
        "No clock of the declared zone showed that time: it was put forward then.",
        "Check `--tz`.",
    ),
    Flag.NO_CONFIRMATION: Meaning(
        Effect.IMPORT,
        "There is no time of a confirmation.",
        _ASK_AGAIN,
    ),
    Flag.NO_IP: Meaning(
        Effect.IMPORT,
        "There is no address from where it was confirmed.",
        "Look whether the source has it elsewhere: logs, another export.",
    ),
    Flag.NO_SIGNUP: Meaning(
        Effect.IMPORT,
        "The source notes subscription and confirmation apart, and here the time or the "
        "address of the subscription is absent.",
        _ASK_AGAIN,
    ),
    Flag.NOT_AN_IP: Meaning(
        Effect.IMPORT,
        "What should be the client's address is none (listmonk cuts IPv6 at its first "
        "colon).",
        "Mend the value where the source has it elsewhere.",
    ),
    Flag.OWN_IP: Meaning(
        Effect.IMPORT,
        "The client's address is the list host's or the customer's own.",
        "Let the source note the subscriber's address; ask these once more.",
    ),
    Flag.PENDING: Meaning(
        Effect.LEFT_OUT,
        "Asked to confirm, and has not.",
        "Nothing: who does not confirm is no subscriber.",
    ),
    Flag.PROVES_NOTHING: Meaning(
        Effect.IMPORT,
        "This export holds no evidence of a confirmation for this list.",
        "See the format's section; ask these subscribers once more.",
    ),
    Flag.ROLE_ACCOUNT: Meaning(
        Effect.NOTED,
        "The address is an office's and not one person's (RFC 2142).",
        "Look whether somebody there asked.",
    ),
    Flag.SAME_IP_AND_SECOND: Meaning(
        Effect.IMPORT,
        "Different addresses were confirmed from one client within one second: the "
        "owner's import, or a program.",
        _ASK_AGAIN,
    ),
    Flag.SINGLE_OPT_IN: Meaning(
        Effect.IMPORT,
        "The list asked nobody to confirm.",
        "Turn on double opt-in, and ask these once more.",
    ),
    Flag.TOO_OLD: Meaning(
        Effect.IMPORT,
        "The confirmation is older than the web form could be.",
        "Check the column, and its unit.",
    ),
    Flag.UNSUBSCRIBED: Meaning(
        Effect.LEFT_OUT,
        "No subscriber any more: unsubscribed, bounced or removed.",
        "Nothing.",
    ),
}
