"""What a test does on a machine that cannot run a part of the lab.

    with or_skip():
        postfix = stack.enter_context(Postfix())

On a person's machine the test is skipped with the reason. Where `CI` is set the same
reason is a failure: a run that proves nothing must not look like one that passed.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from lab.errors import LabUnavailable


@contextmanager
def or_skip() -> Iterator[None]:
    """Skip, or fail under CI, when the body raises `LabUnavailable`."""
    try:
        yield
    except LabUnavailable as error:
        if os.environ.get("CI"):
            pytest.fail(str(error), pytrace=False)
        pytest.skip(str(error))


def need_root() -> None:
    """Skip, or fail under CI, where this account cannot give files away."""
    with or_skip():
        if os.geteuid() != 0:
            raise LabUnavailable("only root can give files away")
