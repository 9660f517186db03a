"""What every server of the lab has: a start, a stop, and a `with` that calls both."""

from abc import ABC, abstractmethod
from types import TracebackType
from typing import Self


class Service(ABC):
    """A server that is up between `start` and `stop`."""

    @abstractmethod
    def start(self) -> None:
        """Come up, and return when clients are answered."""

    @abstractmethod
    def stop(self) -> None:
        """Leave nothing behind; harmless when it is not running."""

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
