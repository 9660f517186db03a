"""Outgate: the outbound gate of a mail network.

One message walks through the rooms in one direction:

    observe (mta) -> plan (policy) -> look up (store) -> decide (policy) -> act (mta)

`docs/architecture.md` draws the house; every room's docstring is its page.
"""

__version__ = "0.1.0"
