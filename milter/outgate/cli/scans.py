"""`outgate evidence show-scan`, and what becomes of scans when a signer is erased."""

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from outgate.cli.context import Context
from outgate.cli.optin_open import BY, account, open_registry

if TYPE_CHECKING:
    from outgate.signing.vault import Vault

ListName = tuple[str, str]
_LEAST_DIGITS = 12


@click.command("show-scan")
@click.option(
    "--output",
    type=click.Path(path_type=Path, allow_dash=True),
    required=True,
    help="New file, readable by its owner alone; `-` is standard output.",
)
@click.option("--why", required=True, help="Who asks, and why; for the audit.")
@BY
@click.argument("sha256")
@click.pass_obj
def show_scan(
    context: Context, output: Path, why: str, actor: str, sha256: str
) -> None:
    """Write the scan of a sheet of paper, as it was brought.

    SHA256 is what `evidence show --why` and a dossier print, or its first twelve digits.
    The scan lies sealed in the state directory of the host where it was added. It shows
    everybody who signed; the audit has that it was opened, and why.
    """
    from outgate.evidence.paper import read_scan, scans_named

    if not why.strip():
        raise click.UsageError("--why: expected a few words: it is audited")
    beginning = sha256.lower()
    if len(beginning) < _LEAST_DIGITS or set(beginning) - set("0123456789abcdef"):
        raise click.UsageError(
            f"SHA256: {sha256!r}: expected {_LEAST_DIGITS} to 64 hexadecimal digits"
        )
    directory = scans_directory(context)
    match scans_named(directory, beginning):
        case [digest]:
            pass
        case []:
            raise click.UsageError(f"SHA256: no such scan is in {directory}")
        case _:
            raise click.UsageError(f"SHA256: more than one scan begins by {sha256}")
    registry = open_registry(context, writes=False).registry
    # Before, so that none is opened in silence.
    registry.note("scan-read", digest[:_LEAST_DIGITS], actor or account(), why.strip())
    _write(output, read_scan(directory, digest, vault_of(context)))


def scans_directory(context: Context) -> Path:
    """Folder of scanned sheets."""
    from outgate.cli.evidence_open import evidence_folder

    return evidence_folder(context, "scans").path


def vault_of(context: Context) -> "Vault":
    """What seals evidence, under this host's secret.

    Raises:
        StartError: there is no secret.
    """
    from outgate.daemon.compose import Places
    from outgate.signing.secret import read_secret
    from outgate.signing.vault import Vault

    settings = context.settings()
    return Vault(read_secret(Places.of(settings).secret(settings)))


class SignedSheets:
    """Scans that a recipient has signed, before he is erased and after."""

    def __init__(
        self,
        context: Context,
        mailbox: str,
        lists: Sequence[ListName],
        customers: Sequence[str] = (),
    ) -> None:
        """Look for them.

        Args:
            context: of the command.
            mailbox: canonical.
            lists: customer and id of each that is looked at, beyond those that the
                store knows.
            customers: of whom alone he is erased; empty for all.

        Raises:
            OutgateError: the secret or the store is not as it must be.
        """
        from outgate.store.sheets import Sheets

        opened = open_registry(context, writes=False)
        self._directory = scans_directory(context)
        self._lists = sorted({*lists, *opened.registry.lists()})
        self._sheets = Sheets(
            opened.client, opened.keys, opened.hashes, vault_of(context)
        )
        erased = [one for one in self._lists if not customers or one[0] in customers]
        self._signed = set(_digests(self._sheets.of(mailbox, erased)))

    def forget(self) -> list[str]:
        """Delete scans on which nobody is left; says what became of each.

        Call it when the recipient is erased.

        Raises:
            StoreError: the store did not answer: no scan is deleted.
        """
        from outgate.evidence.paper import find_scan

        left = self._left() if self._signed else Counter()
        said = []
        for digest in sorted(self._signed):
            path = find_scan(self._directory, digest)
            name = f"scan {digest[:_LEAST_DIGITS]}"
            if many := left[digest] or left[""]:
                stays = (
                    f"{many} other signature{'s' if many > 1 else ''} on it"
                    if left[digest]
                    else "evidence of paper that cannot be opened may be on it"
                )
                said.append(
                    f"{name} stays, and shows this signature: {stays}; blacken it by "
                    "`outgate evidence show-scan` and `add-paper`, or delete "
                    f"{path}"
                )
            elif path.exists():
                path.unlink()
                said.append(f"{name} deleted: nobody who signed it is registered")
            else:
                said.append(
                    f"{name} is not on this host, and nobody who signed it is "
                    f"registered: delete {path.name} where it was added"
                )
        return said

    def _left(self) -> Counter[str]:
        """How many signatures each scan has yet; under "" those nobody can open."""
        ids = sorted({list_id for _, list_id in self._lists})
        return Counter(
            "" if raw is None else next(_digests([raw]), "x")
            for raw in self._sheets.all(ids)
        )


def _digests(records: Iterable[bytes]) -> Iterator[str]:
    from outgate.evidence.dossier.facts import scan_of

    return filter(None, map(scan_of, records))


def _write(output: Path, pieces: Iterable[bytes]) -> None:
    from outgate.model.errors import EX_CANTCREAT, OutgateError, StartError

    if str(output) == "-":
        for piece in pieces:
            click.echo(piece, nl=False)
        return
    try:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(output, flags, 0o600)
    except OSError as error:
        raise StartError(
            f"{output} cannot be written: {error.strerror}", EX_CANTCREAT
        ) from error
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.writelines(pieces)
    except OutgateError:
        output.unlink()
        raise
    except OSError as error:
        output.unlink()
        raise StartError(
            f"{output} cannot be written: {error.strerror}", EX_CANTCREAT
        ) from error
