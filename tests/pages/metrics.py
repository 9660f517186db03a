"""docs/metrics.md: every metric, from the table that the code counts by."""

from outgate.metrics.metric import Kind, Metric
from outgate.metrics.names import METRICS
from pages.markdown import GENERATED, code, joined, paragraph

_INTRO = """
`http://127.0.0.1:9894/metrics` (`[metrics] listen`) serves all processes of a host on one
port; `/healthz` says that the keeper lives, `/readyz` whether mail is served as
configured, and if not, why. Counters begin at 0 with the daemon, survive its workers, and
have every series that the configuration can meet from the first scrape on, so that
`increase()` sees the first event. Labels are closed words: never a login, an address, a
domain or a list id.
"""


def page() -> str:
    """The page."""
    return joined(
        "# Metrics",
        paragraph(_INTRO),
        paragraph(
            "In monitor mode, what enforcing would do: "
            '`outgate_messages_total{action!="accept"}`. What the MTA was told is the '
            "label `disposition`. What each `reason` means: [reasons](reasons.md)."
        ),
        GENERATED,
        *(_entry(metric) for metric in METRICS),
    )


def _entry(metric: Metric) -> str:
    lines = [
        f"## {metric.name}",
        "",
        paragraph(f"{metric.kind.capitalize()}. {metric.text}"),
    ]
    if metric.labels:
        lines += ["", *(_label(name, words) for name, words in metric.labels)]
    if metric.kind is Kind.HISTOGRAM:
        bounds = code(f"{bound:g}" for bound in metric.buckets)
        lines += ["", paragraph(f"Buckets, in seconds: {bounds}.")]
    if metric.rise != "-":
        lines += ["", paragraph(f"**When it rises:** {metric.rise}")]
    return "\n".join(lines)


def _label(name: str, words: tuple[str, ...]) -> str:
    closed = code(words) if words else "known at run time"
    first, *rest = paragraph(f"- `{name}`: {closed}").splitlines()
    return "\n".join([first, *(f"  {line}" for line in rest)])
