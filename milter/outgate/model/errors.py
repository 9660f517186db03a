"""Everything Outgate raises, and whose fault it is.

    OutgateError
      ConfigError          the operator's: all problems at once, exit 78
      StartError           the operator's: the daemon cannot start, exit code inside
      StoreError           ours, or the store's
        StoreUnavailable     cannot be reached, loading, read-only, full
        StoreTimeout         no answer within the budget
        StoreRefused         wrong password or missing permission: configuration
        ScriptError          a script and its caller disagree: a bug
      EvidenceError        sealed evidence, or an export, is not what it must be
        UnreadableRecord     nor is a record of the registry
      MtaError             the MTA refused a command or spoke nonsense
      SourceError          a file of evidence cannot be read to its end, or not believed

A hostile message raises none of them: parsers return facts.
"""

from dataclasses import dataclass

EX_OK = 0
EX_FOUND = 1
EX_USAGE = 2
EX_DATAERR = 65
EX_NOINPUT = 66
EX_SOFTWARE = 70
EX_CANTCREAT = 73
EX_TEMPFAIL = 75
EX_NOPERM = 77
EX_CONFIG = 78


class OutgateError(Exception):
    """Base of all errors that Outgate raises on purpose.

    Attributes:
        exit_code: what a command that ends by this error exits with (sysexits.h).
    """

    exit_code = EX_SOFTWARE


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong in a configuration.

    Attributes:
        key: dotted key, such as `limit[2].rate`; empty for the file as a whole.
        message: what was got and what was expected, one sentence.
        source: the file, or "" where the reader adds it.
    """

    key: str
    message: str
    source: str = ""

    def __str__(self) -> str:
        """Give `file: key: message`, without the parts that are empty."""
        return ": ".join(part for part in (self.source, self.key, self.message) if part)


class ConfigError(OutgateError):
    """The configuration cannot be used; carries every problem found."""

    exit_code = EX_CONFIG

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems

    def __reduce__(self) -> tuple[type, tuple[object, ...]]:
        """Errors of a process that helps reach the one that it helps."""
        return type(self), (self.problems,)


class StartError(OutgateError):
    """The daemon or a command cannot start: one line for a person, one exit code."""

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code

    def __reduce__(self) -> tuple[type, tuple[object, ...]]:
        """Errors of a process that helps reach the one that it helps."""
        return type(self), (str(self), self.exit_code)


class StoreError(OutgateError):
    """The store did not answer as it should.

    Attributes:
        kind: the label of `outgate_store_errors_total`.
    """

    exit_code = EX_TEMPFAIL
    kind = "error"


class StoreUnavailable(StoreError):
    """The store cannot be reached, is loading, read-only or full."""

    kind = "unavailable"


class StoreTimeout(StoreError):
    """The store did not answer within the budget."""

    kind = "timeout"


class StoreRefused(StoreError):
    """The store refused the credentials or the command."""

    exit_code = EX_CONFIG
    kind = "refused"


class ScriptError(StoreError):
    """A script failed or answered in a shape its caller does not know: a bug."""

    exit_code = EX_SOFTWARE
    kind = "script"


class EvidenceError(OutgateError):
    """Sealed evidence, or an export of the registry, is not what it must be."""

    exit_code = EX_DATAERR


class UnreadableRecord(EvidenceError):
    """What stands where a subscription is kept is no record: it counts as nothing.

    Attributes:
        place: key and field of the store, the field in hex.
    """

    def __init__(self, place: str) -> None:
        super().__init__(f"{place}: no record that can be read")
        self.place = place


class MtaError(OutgateError):
    """An MTA refused a command of ours, or answered in a shape we do not know."""

    exit_code = EX_TEMPFAIL


class SourceError(OutgateError):
    """A file of evidence cannot be used: nothing more of it is read.

    Attributes:
        file: as a person named it; a member of an archive stands behind `!`.
        row: line of the file, from 1; 0 for the file as a whole.
        column: name of the column, or number of the character; "" for the whole line.
    """

    exit_code = EX_DATAERR

    def __init__(
        self, message: str, file: str = "", row: int = 0, column: str = ""
    ) -> None:
        place = (
            file,
            f"row {row}" if row else "",
            f"column {column}" if column else "",
            message,
        )
        super().__init__(": ".join(part for part in place if part))
        self.file = file
        self.row = row
        self.column = column
