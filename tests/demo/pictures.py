"""What the demo prints."""

import shlex
from collections import Counter

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
    shown = Table(title="What happened, and why", title_justify="left")
    for name in ("who", "sends", "disposition", "the sender reads", "because"):
        shown.add_column(name, overflow="fold")
    for event in events:
        if not event.disposition:
            shown.add_row(f"[bold]{event.who}[/bold]", f"[bold]{event.what}[/bold]")
            continue
        colour = _COLOURS.get(event.disposition, "white")
        shown.add_row(
            event.who,
            event.what,
            f"[{colour}]{event.disposition}[/{colour}]",
            escape(event.read),
            escape(event.why),
        )
    console.print(shown)


def hold_queue(console: Console, stage: Stage) -> None:
    """What the MTA holds, with the reasons that Outgate keeps."""
    stage.outgate.wait_for_records()
    shown = Table(title="The hold queue (outgate queue list)", title_justify="left")
    for name in ("queue id", "customer", "sender", "because", "held until"):
        shown.add_column(name)
    for record in stage.outgate.held():
        shown.add_row(
            record["queue-id"],
            record["customer"],
            record["sender"],
            record["reasons"],
            record["until"],
        )
    console.print(shown)
    if isinstance(stage.mailer, PostfixMailer):
        held = len(stage.mailer.postfix.held())
        console.print(f"Postfix itself says: {held} messages in its hold queue.\n")


def metrics(console: Console, stage: Stage) -> None:
    """The interesting samples."""
    shown = Table(title="Metrics (/metrics)", title_justify="left")
    shown.add_column("series")
    shown.add_column("value", justify="right")
    for name, value in sorted(stage.outgate.metrics().items()):
        if value and name.partition("{")[0] in _SHOWN_METRICS:
            shown.add_row(escape(name), f"{value:g}")
    console.print(shown)


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
    program = stage.redis_program()
    redis_cli = shlex.join(program) if program else "outgate store cli"
    console.print(
        Panel(
            f"export OUTGATE_CONFIG={outgate.config}\n"
            "outgate queue list\n"
            f"{redis_cli} HGETALL outgate:quarantine\n"
            f"{redis_cli} HDEL outgate:quarantine anne@coop.example\n"
            f"{redis_cli} XRANGE outgate:audit - +\n"
            f"curl http://127.0.0.1:{outgate.metrics_port}/metrics\n"
            f"tail -f {outgate.directory}/log",
            title="It goes on running; look around (Ctrl-C ends it)",
            expand=False,
        ),
        soft_wrap=True,
    )
