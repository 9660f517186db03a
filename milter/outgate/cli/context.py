"""What commands have in common: where the configuration is, and its settings."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from outgate.config.settings import Settings


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
