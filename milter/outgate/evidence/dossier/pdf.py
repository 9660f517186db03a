"""The document as PDF, by WeasyPrint, which is optional."""

from collections.abc import Callable
from typing import NoReturn, Protocol, Self

from outgate.model.errors import EX_CONFIG, StartError


class _Document(Protocol):
    """What of WeasyPrint is used."""

    def __call__(self, *, string: str, url_fetcher: Callable[..., NoReturn]) -> Self:
        """Read HTML."""

    def write_pdf(self) -> bytes:
        """Write PDF."""


def require() -> _Document:
    """WeasyPrint's class of a document.

    Raises:
        StartError: it, or a library that it needs, is not installed.
    """
    try:
        from weasyprint import HTML  # noqa: PLC0415 - an optional dependency, and slow
    except (ImportError, OSError) as error:
        # OSError: Pango is missing.
        raise StartError(
            "--format pdf needs WeasyPrint: `apt install weasyprint` on Debian, or "
            "`pip install outgate[pdf]` and Pango; or print the HTML from a browser",
            EX_CONFIG,
        ) from error
    found: _Document = HTML
    return found


def render(html: str) -> bytes:
    """Write it.

    Args:
        html: of `hypertext`.

    Raises:
        StartError: as `require`.
    """
    return require()(string=html, url_fetcher=_refuse).write_pdf()


def _refuse(url: str, *_others: object, **_options: object) -> NoReturn:
    """The document names no other file; whoever makes it name one gets nothing.

    Some versions of WeasyPrint go on without that file, others end with an error.
    """
    raise ValueError(f"{url[:80]!r} is not fetched")
