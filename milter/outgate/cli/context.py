"""What commands have in common: the configuration, and where its store is."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from outgate.model.errors import StoreRefused, StoreUnavailable

if TYPE_CHECKING:
    from outgate.config.settings import Settings
    from outgate.store.wire import Endpoint


@dataclass(frozen=True, slots=True)
class Context:
    """Handed to every command.

    Attributes:
        given: the file that `--config` or `OUTGATE_CONFIG` named, None for neither.
    """

    given: Path | None

    @property
    def file(self) -> Path | None:
        """The file to read, None where there is no configuration."""
        from outgate.config.settings import SYSTEM_CONFIG

        if self.given is not None:
            return self.given
        return SYSTEM_CONFIG if SYSTEM_CONFIG.exists() else None

    def settings(self) -> "Settings":
        """Read the configuration.

        Raises:
            ConfigError: with all problems of the file.
        """
        from outgate.config.reader import load
        from outgate.config.settings import Settings

        return load(self.file) if self.file is not None else Settings()

    def endpoint(self) -> "Endpoint":
        """Say where the store is.

        Raises:
            ConfigError: with all problems of the file.
            StartError: the password file cannot be read.
        """
        from outgate.daemon.compose import endpoint_of

        return endpoint_of(self.settings())

    def running_endpoint(self) -> "Endpoint":
        """Say where the store is; the daemon's own one must be there.

        Raises:
            ConfigError: with all problems of the file.
            StartError: the password file cannot be read.
            StoreRefused: the store is another account's.
            StoreUnavailable: the store is the daemon's own, and no daemon runs.
        """
        from outgate.daemon.compose import Places
        from outgate.store.embedded import EmbeddedStore

        endpoint, settings = self.endpoint(), self.settings()
        if settings.store.url:
            return endpoint
        state = settings.paths.state
        store = EmbeddedStore(Places.of(settings).store)
        try:
            store.socket.stat()
        except PermissionError:
            raise StoreRefused(
                f"the daemon's state in {state} belongs to another account: run this "
                "command as that one"
            ) from None
        except OSError:
            pass
        if not store.is_alive():
            raise StoreUnavailable(
                f"no daemon runs on {state}: start one with `outgate run`, or say by "
                "--config or OUTGATE_STATE which one is meant"
            )
        return endpoint
