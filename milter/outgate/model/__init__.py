"""The nouns: frozen values that every other room speaks with.

May import: nothing of Outgate. Knows no clock, no randomness, no I/O.
Failure: a value that cannot be built raises `ValueError` with what was expected.
"""
