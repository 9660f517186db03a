"""The thinking: which questions to ask, what the answers mean, what to do.

    accountability   who answers for a message, and does it leave at all
    naming           how a principal is called where its name is somebody else's
    operator         what an operator typed into Redis; slips: what nobody would read
    questions        what is asked about a message, and what is answered
    plan             what must be known: operator's state, counters and their costs
    nearing          which limits come to their end
    order            the table of rules, read top to bottom
    rules/           one rule a module: a name, a summary, judge(case)
    decide           (transaction, answers, policy, now) -> verdict; pure
    enforce          verdict and mode -> what the MTA is told; pure
    decision         what was decided, on which grounds: what observers hear
    gate             the walk through all of them, with the store behind a port

May import: `model`, `message`. Knows no clock, no randomness, no I/O: time is an
argument, the store a `Protocol` (`ports`). So every decision can be explained,
replayed, and run again under other settings.
"""
