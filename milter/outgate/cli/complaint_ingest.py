"""`outgate complaint ingest` and `replay`: reports are taken in, and none is lost."""

import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import click

from outgate.cli.context import Context
from outgate.model.errors import EX_TEMPFAIL, OutgateError, StartError

if TYPE_CHECKING:
    from outgate.complaints.intake import Intake, Taken
    from outgate.complaints.reporter import Delivery
    from outgate.complaints.unread import UnreadFolder
    from outgate.log.lines import Log

_CHUNK = 1 << 16
# A bug of ours: a person reads the report, and the log has what happened.
_OUR_ERROR = "our-error"


@click.command()
@click.option(
    "--maildir", type=click.Path(path_type=Path), help="Reports in its `new`."
)
@click.option("--mbox", type=click.Path(path_type=Path), help="Reports in this file.")
@click.option("--to", "to", default="", help="The address that it came to.")
@click.option("--login", default="", help="SASL login of who submitted it.")
@click.pass_obj
def ingest(
    context: Context, *, maildir: Path | None, mbox: Path | None, to: str, login: str
) -> None:
    """Take complaints in.

    One from standard input (a pipe of Postfix, an alias, a .forward), or all of a
    Maildir or an mbox. Messages of a Maildir are marked as read; an mbox stays as it
    is: a report that comes again is known.

    What cannot be read as a complaint is filed for a person, in complaints/unread of
    the state directory.

    Exits 0 where each report was taken in or filed; 75 on any trouble of ours (store,
    DNS, configuration, disk), so that the MTA offers the report again; 66 where
    Maildir or mbox cannot be read. --to and --login must come from the MTA
    (`${original_recipient}`, `${sasl_username}`): they say who is believed.
    """
    from outgate.complaints.reporter import Delivery

    if maildir and mbox:
        raise click.UsageError("--maildir and --mbox: only one of them")
    delivery = Delivery(to.strip(), login.strip())
    if not maildir and not mbox:
        raw = _standard_input()
        try:
            _Desk(context).take(raw, delivery)
        except OutgateError as error:
            # Any other code, and the MTA returns the report to its sender.
            raise StartError(str(error), EX_TEMPFAIL) from error
        return
    desk = _Desk(context)
    if maildir:
        from outgate.complaints.mailboxes import maildir_new, mark_seen

        for file, raw in maildir_new(maildir):
            desk.take(raw, delivery)
            mark_seen(maildir, file)
    elif mbox:
        from outgate.complaints.mailboxes import mbox_messages

        for raw in mbox_messages(mbox):
            desk.take(raw, delivery)
    desk.tell()


@click.command()
@click.pass_obj
def replay(context: Context) -> None:
    """Take in again what was filed for a person.

    For reports that a newer Outgate understands, and those that met an error of ours.
    What can be read now is taken in, and its file goes; all else stays. Who submitted
    a report, and where it came, is known no more: it has to prove itself by DKIM.
    """
    from outgate.complaints.reporter import Delivery

    desk = _Desk(context)
    for file, _ in list(desk.unread.all()):
        try:
            raw = file.read_bytes()
        except OSError as error:
            raise StartError(f"{file}: {error.strerror}", EX_TEMPFAIL) from error
        if desk.take(raw, Delivery()):
            file.unlink(missing_ok=True)
    desk.tell()


class _Desk:
    """Takes one report after the other."""

    def __init__(self, context: Context) -> None:
        from outgate.cli.complaint_open import open_intake
        from outgate.complaints.unread import folder_in
        from outgate.daemon.compose import Places, make_log, now_us

        settings = context.settings()
        self._intake: Intake = open_intake(context)
        self._log: Log = make_log(settings)
        self._now_us = now_us
        self.unread: UnreadFolder = folder_in(Places.of(settings).state)
        self._done: Counter[str] = Counter()

    def take(self, raw: bytes, delivery: "Delivery") -> bool:
        """Take one in, or file it; whether it was taken in.

        Raises:
            OutgateError: neither was possible: whoever has it must keep it.
        """
        from outgate.feedback.report import UnreadReport

        try:
            taken = self._intake.take(raw, delivery)
        except UnreadReport as error:
            self._file(raw, error.reason.value, str(error))
            return False
        except OutgateError:
            raise
        except Exception as error:  # noqa: BLE001 - one guard, as around callbacks
            self._file(raw, _OUR_ERROR, f"{type(error).__name__}: {error}")
            return False
        self._note(taken)
        return True

    def tell(self) -> None:
        """Say how many there were."""
        for word, count in sorted(self._done.items()):
            click.echo(f"{word:<12} {count}")
        if not self._done:
            click.echo("nothing to take in")

    def _file(self, raw: bytes, reason: str, message: str) -> None:
        file = self.unread.add(raw, reason, self._now_us())
        self._done["filed"] += 1
        if reason == _OUR_ERROR:
            self._log.error(
                "complaint-filed", reason=reason, message=message, file=file.name
            )
        else:
            self._log.warning(
                "complaint-filed", reason=reason, message=message, file=file.name
            )

    def _note(self, taken: "Taken") -> None:
        one = taken.complaint
        self._done["taken in" if taken.is_new else "known"] += 1
        if not taken.is_new:
            self._log.info("complaint-repeated", id=one.id, feed=one.feed)
            return
        self._log.info(
            "complaint",
            id=one.id,
            feed=one.feed,
            loop=one.loop,
            standing=one.standing,
            feedback_type=one.feedback_type,
            attribution=one.attribution,
            proof=one.proof,
            outcome=one.outcome,
            customer=one.customer,
            list=one.list_id,
        )


def _standard_input() -> bytes:
    """All of it is read, so that who writes meets no closed pipe; a part is kept."""
    from outgate.complaints.unread import MAX_FILED_BYTES

    kept = bytearray()
    try:
        while chunk := sys.stdin.buffer.read(_CHUNK):
            kept += chunk[: MAX_FILED_BYTES - len(kept)]
    except OSError as error:
        raise StartError(f"standard input: {error.strerror}", EX_TEMPFAIL) from error
    return bytes(kept)
