"""Metrics of complaints."""

from outgate.feedback.feeds import FEEDS, UNKNOWN_FEED
from outgate.metrics.metric import Kind, Metric
from outgate.model.complaint import Attribution

COMPLAINTS = Metric(
    name="outgate_complaints_total",
    kind=Kind.COUNTER,
    text="Complaints that were taken in, on all hosts that share the store, by whose "
    "mail they were about and the feed that they name.",
    rise="ours: a customer sends what nobody asked for; ours-bypass: hosts of ours send "
    "past the gate; joe-job: somebody uses a customer's name.",
    labels=(
        ("attribution", tuple(one.value for one in Attribution)),
        ("feed", (*(feed.name for feed in FEEDS), UNKNOWN_FEED.name)),
    ),
)
COMPLAINTS_UNREAD = Metric(
    name="outgate_complaints_unread",
    kind=Kind.GAUGE,
    text="Reports of this host that a person has to read.",
    rise="A new form of report, letters to the address of a feedback loop, or an error of "
    "Outgate's own; `complaints/unread` of the state directory has them.",
)
COMPLAINT_METRICS = (COMPLAINTS, COMPLAINTS_UNREAD)
