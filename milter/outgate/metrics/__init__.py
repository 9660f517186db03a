"""Every metric: its name, labels and buckets in one table, its endpoint.

    names      the table; `docs/metrics.md` is generated from it
    recorder   a worker's counters, in files that survive it
    observer   one decision -> counters
    status     what the keeper knows: workers, orders, held mail
    endpoint   /metrics over all processes, /healthz, /readyz

May import: `model`, `message`, `policy`; prometheus_client. Labels are closed words:
never a login, an address, a domain or a list id.
"""
