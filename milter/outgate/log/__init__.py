"""What Outgate says: one canonical line for each message, and rare events.

May import: `model`, `message`, `policy`. A log that cannot be written loses lines,
never mail.
"""
