"""The two ways in which the lab fails.

`LabUnavailable` is about the machine (no root, no apt, a library is missing): tests
skip with its sentence, or fail with it where `CI` is set (see `lab.skips`).
`LabError` is about the server under test (it died, it refuses its configuration): it
fails the test always, and carries what the server said.
"""


class LabUnavailable(Exception):
    """This machine cannot run the lab; one line says why and what to do."""


class LabError(Exception):
    """A server of the lab did not do what it was started for."""
