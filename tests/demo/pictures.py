"""What the demo prints."""

import shlex
import sys
from collections import Counter
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.panel import Panel
from rich.table import Table

from demo.stage import PostfixMailer, Stage
from demo.story import Event

_COLOURS = {
    "accept": "green",
    "tag": "yellow",
    "defer": "magenta",
    "quarantine": "cyan",
    "reject": "red",
}
_SHOWN_METRICS = (
    "outgate_messages_total",
    "outgate_recipients_total",
    "outgate_held_messages",
    "outgate_operator_orders",
    "outgate_store_errors_total",
    "outgate_workers",
)


def opening(console: Console, stage: Stage) -> None:
    """Where the messages go."""
    console.print(
        Panel(
            "sender ──SMTP──▶ MTA ──milter──▶ [bold]Outgate[/bold] ──one look-up──▶ "
            "Redis\n"
            "                 │                  │\n"
            "                 ▼                  ▼\n"
            "       next hop or hold queue    verdict, log line, metrics",
            title="The outbound gate",
            subtitle=f"in front: {escape(stage.mailer.name)}",
            expand=False,
        )
    )


def table(console: Console, events: list[Event]) -> None:
    """What happened, and why."""
    shown = Table(
        title="What happened, what the sender reads, and why",
        title_justify="left",
        show_header=False,
        show_lines=True,
    )
    shown.add_column(no_wrap=True)
    shown.add_column(overflow="fold")
    for event in events:
        colour = _COLOURS.get(event.disposition, "white")
        said = (f"[bold]{event.who}[/bold]: {escape(event.what)}", escape(event.read))
        because = f"[dim]{escape(event.why)}[/dim]" if event.why else ""
        shown.add_row(
            f"[{colour}]{event.disposition or 'order'}[/{colour}]",
            "\n".join(line for line in (*said, because) if line),
        )
    console.print(shown)


def hold_queue(console: Console, stage: Stage) -> None:
    """What the MTA holds, with the reasons that Outgate keeps."""
    stage.outgate.wait_for_records()
    shown = Table(title="The hold queue (outgate queue list)", title_justify="left")
    for name in ("queue id", "customer", "because", "held until"):
        shown.add_column(name, overflow="fold")
    for record in stage.outgate.held():
        shown.add_row(
            record["queue-id"],
            record["customer"],
            record["reasons"],
            record["until"],
        )
    console.print(shown)
    if isinstance(stage.mailer, PostfixMailer):
        held = len(stage.mailer.postfix.held())
        console.print(f"Postfix itself says: {held} messages in its hold queue.\n")


def metrics(console: Console, stage: Stage) -> None:
    """The interesting samples."""
    console.print("[italic]Metrics (/metrics)[/italic]")
    # As they stand there: labels that were cut would make two series look the same.
    for name, value in sorted(stage.outgate.metrics().items()):
        if value and name.partition("{")[0] in _SHOWN_METRICS:
            _as_it_is(console, f"{value:>5g}  {name}")


def closing(
    console: Console, events: list[Event], seconds: float, *, as_told: bool
) -> None:
    """How it ended."""
    counts = Counter(event.disposition for event in events if event.disposition)
    summary = ", ".join(f"{number} {action}" for action, number in counts.items())
    if as_told:
        console.print(
            f"\n[green]As told[/green]: of the rows above {summary}, "
            f"in {seconds:.0f} s."
        )
        return
    console.print("\n[red]Not as told:[/red]")
    for event in events:
        if event.disposition != event.expected:
            console.print(
                f"  {event.who}, {event.what}: {event.disposition} instead of "
                f"{event.expected}"
            )


def look_around(console: Console, stage: Stage) -> None:
    """What to type while it is left running."""
    outgate = stage.outgate
    command = _from_here(Path(sys.executable).with_name("outgate"))
    program = stage.redis_program()
    redis_cli = shlex.join(program) if program else f"{command} store cli"
    console.print("\n[bold]It goes on running; look around (Ctrl-C ends it):[/bold]\n")
    for line in (
        f"export OUTGATE_CONFIG={outgate.config}",
        f"{command} queue list",
        f"{redis_cli} HGETALL outgate:quarantine",
        f"{redis_cli} HDEL outgate:quarantine anne@coop.example",
        f"{redis_cli} XRANGE outgate:audit - +",
        f"curl http://127.0.0.1:{outgate.metrics_port}/metrics",
        f"tail -f {outgate.directory}/log",
    ):
        _as_it_is(console, line)


def _as_it_is(console: Console, line: str) -> None:
    """A line to be copied: neither cut nor folded, however narrow the terminal is."""
    console.print(line, soft_wrap=True, markup=False, highlight=False)


def _from_here(path: Path) -> Path:
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path
