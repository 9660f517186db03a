"""`outgate complaint`: what reports say, and what became of them."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from outgate.cli.complaint_ingest import ingest, replay
from outgate.cli.complaint_show import list_, show
from outgate.log.lines import escape
from outgate.model.errors import EX_NOINPUT, StartError

if TYPE_CHECKING:
    from outgate.feedback.report import ComplaintReport

_WIDTH = 17


@click.group()
def complaint() -> None:
    """Take in and show complaints about mail that left here."""


for command in (ingest, list_, replay, show):
    complaint.add_command(command)


@complaint.command()
@click.argument("file", type=click.Path(path_type=Path, allow_dash=True))
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def parse(file: Path, *, as_json: bool) -> None:
    """Print what is understood of a complaint.

    FILE is the complaint as it came, or - for standard input: a feedback report (ARF)
    or one of the forms that docs/complaint-reports.md lists. Nothing is stored, nobody
    is charged, and nothing in it is checked: a report says what its sender wants. It
    shows recipients as the report names them.

    Exits 0 where a report was read, 65 where a person has to read it, 66 where the
    file cannot be read.
    """
    from outgate.feedback.complaint import read_complaint

    report = read_complaint(_content(file))
    if as_json:
        import json

        click.echo(json.dumps(document(report), indent=2))
        return
    for name, value in _rows(report):
        click.echo(escape(f"{name:<{_WIDTH}} {value}"))


def _content(file: Path) -> bytes:
    from outgate.feedback.entity import MAX_REPORT_BYTES

    try:
        if str(file) == "-":
            return sys.stdin.buffer.read(MAX_REPORT_BYTES + 1)
        with file.open("rb") as opened:
            return opened.read(MAX_REPORT_BYTES + 1)
    except OSError as error:
        raise StartError(f"{file}: {error.strerror or error}", EX_NOINPUT) from error


def document(report: "ComplaintReport") -> dict[str, object]:
    """For machines."""
    embedded = report.embedded
    sender = report.original_sender
    return {
        "format": report.format.value,
        "feed": report.feed,
        "feedback-type": report.feedback_type.value,
        "counts": report.feedback_type.counts,
        "reporter": str(report.reporter) if report.reporter else None,
        "arrival": str(report.arrival) if report.arrival else None,
        "arrival-zone": report.arrival.zone.value if report.arrival else None,
        "source": report.source or None,
        "source-port": report.source_port,
        "original-sender": str(sender) if sender else None,
        "recipients": [
            {"address": str(one.address), "disguise": one.disguise.value}
            for one in report.recipients
        ],
        "incidents": report.incidents,
        "embedded": None
        if embedded is None
        else {
            "bytes": len(embedded.raw),
            "has-body": embedded.has_body,
            "is-cut": embedded.is_cut,
            "alterations": sorted(one.value for one in embedded.alterations),
        },
        "dedup-key": report.dedup_key,
        "fields": {name: list(all_of) for name, all_of in report.fields.values.items()},
    }


def _rows(report: "ComplaintReport") -> Iterator[tuple[str, str]]:
    """For people."""
    kind = report.feedback_type
    yield "format", report.format.value
    yield "feed", report.feed
    yield "feedback-type", kind.value + ("" if kind.counts else "  (no complaint)")
    yield "reporter", str(report.reporter or "-")
    arrival = report.arrival
    how = f"  (zone by {arrival.zone.value})" if arrival else ""
    yield "arrival", f"{arrival or '-'}{how}"
    yield "source", report.source or "-"
    sender = report.original_sender
    yield "original-sender", str(sender) if sender is not None else "-"
    for one in report.recipients:
        yield "recipient", f"{one.address}  ({one.disguise.value})"
    if not report.recipients:
        yield "recipient", "-"
    yield "incidents", str(report.incidents)
    embedded = report.embedded
    if embedded is None:
        yield "embedded", "-"
    else:
        what = "message" if embedded.has_body else "headers only"
        seen = ", ".join(sorted(one.value for one in embedded.alterations))
        cut = ", cut" if embedded.is_cut else ""
        yield "embedded", f"{what}, {len(embedded.raw)} bytes{cut}"
        yield "alterations", seen or "none that can be seen"
    yield "dedup-key", report.dedup_key
