"""How well it is known that somebody asked for mail."""

import pytest

from outgate.model.consent import Grade


@pytest.mark.parametrize("grade", list(Grade))
def test_an_import_is_an_address_in_a_file(grade: Grade) -> None:
    """It does not say that anybody asked; everything better does."""
    assert grade.is_consent is (grade not in {Grade.IMPORT, Grade.NONE})


def test_grades_are_listed_best_first() -> None:
    """In the words that stand in the store."""
    assert [grade.value for grade in Grade] == [
        "witnessed",
        "corroborated",
        "asserted",
        "paper",
        "import",
        "none",
    ]
