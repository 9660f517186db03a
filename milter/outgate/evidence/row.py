"""What a format found about one subscription, before anybody judged it."""

from dataclasses import dataclass

from outgate.evidence.flag import Flag
from outgate.evidence.moments import Moment
from outgate.model.optin import Method


@dataclass(slots=True)
class Row:
    """One subscription, in the source's words.

    Attributes:
        address: as it is written.
        list_name: as the source calls the list, "" where it does not say.
        method: how it came about, as far as the source says.
        signup_ip, confirm_ip: as written, "" where there is none.
        needs_signup: whether the source notes the subscription apart, so that a
            confirmation without it is none.
        left: when it was ended, where the source says so.
        flags: what the format alone can know.
        line: of the file.
    """

    address: str
    list_name: str = ""
    method: Method = Method.COI
    signup: Moment | None = None
    signup_ip: str = ""
    confirm: Moment | None = None
    confirm_ip: str = ""
    needs_signup: bool = False
    left: Moment | None = None
    flags: tuple[Flag, ...] = ()
    line: int = 0
