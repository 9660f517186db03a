"""Everything that Outgate raises, and how a command ends by it."""

import pickle

import pytest

from outgate.model.errors import (
    ConfigError,
    EvidenceError,
    MtaError,
    OutgateError,
    Problem,
    ScriptError,
    SourceError,
    StartError,
    StoreError,
    StoreRefused,
    StoreTimeout,
    StoreUnavailable,
)


@pytest.mark.parametrize(
    ("problem", "text"),
    [
        (Problem("limit[2].rate", "got x", "a.toml"), "a.toml: limit[2].rate: got x"),
        (Problem("limit[2].rate", "got x"), "limit[2].rate: got x"),
        (Problem("", "is no TOML", "a.toml"), "a.toml: is no TOML"),
    ],
)
def test_a_problem_names_file_key_and_expectation(problem: Problem, text: str) -> None:
    """Without the parts that are unknown."""
    assert str(problem) == text


def test_a_configuration_shows_all_its_problems() -> None:
    """One run of `config check` is enough."""
    problems = (Problem("mode", "got x"), Problem("limit[0].name", "is empty"))
    error = ConfigError(problems)
    assert error.problems == problems
    assert str(error) == "mode: got x\nlimit[0].name: is empty"


@pytest.mark.parametrize(
    ("error", "exit_code"),
    [
        (OutgateError("x"), 70),
        (ConfigError(()), 78),
        (StartError("x", 73), 73),
        (StoreUnavailable("x"), 75),
        (StoreTimeout("x"), 75),
        (StoreRefused("x"), 78),
        (ScriptError("x"), 70),
        (MtaError("x"), 75),
    ],
)
def test_a_command_exits_by_whose_fault_it_is(
    error: OutgateError, exit_code: int
) -> None:
    """75 says try again, 78 look at the configuration, 70 tell us (sysexits.h)."""
    assert error.exit_code == exit_code


def test_each_trouble_of_the_store_has_a_kind_of_its_own() -> None:
    """The label of `outgate_store_errors_total`."""
    kinds = [
        error.kind
        for error in (
            StoreError,
            StoreUnavailable,
            StoreTimeout,
            StoreRefused,
            ScriptError,
        )
    ]
    assert kinds == ["error", "unavailable", "timeout", "refused", "script"]


@pytest.mark.parametrize(
    "error",
    [
        ConfigError((Problem("mode", "got x"), Problem("", "is no TOML", "a.toml"))),
        StartError("secret: there is none", 78),
        StoreUnavailable("away"),
        EvidenceError("is cut off"),
        SourceError("is no time", "export.csv", 3, "confirm-time"),
    ],
)
def test_errors_cross_from_one_process_to_another(error: OutgateError) -> None:
    """A process that helps must not hide what went wrong."""
    copy = pickle.loads(pickle.dumps(error))

    assert type(copy) is type(error)
    assert str(copy) == str(error)
    assert copy.exit_code == error.exit_code
    assert vars(copy) == vars(error)
