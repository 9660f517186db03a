"""The MTA's side: milter events in, replies out; hold queues of Postfix and Sendmail.

    session    sans-io: one milter connection as a small machine
    effects    a decision -> what the MTA must be told
    libmilter  the engine: pymilter's callbacks, negotiated the fast way
    queue      what MTAs hold, as their own commands tell
    log_tail   the end of a mail log, read on over rotation and restarts

May import: `model`, `message`, `policy`. Only `libmilter` imports pymilter.
"""
