"""The house itself: traps of its layout, and what is promised of every module."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import outgate

ROOT = Path(__file__).parents[1]
MODULES = sorted((ROOT / "milter").rglob("*.py"))
# Citations of these would be citations of the dead.
OBSOLETE_RFCS = {"821", "822", "2821", "2822", "7489", "9091"}


class TestNames:
    """pymilter installs `milter` (C), `Milter` and `mime`; two folders here are traps."""

    def test_pymilter_is_what_milter_means(self) -> None:
        """Imported from the root of the repository, where `milter/` is a folder."""
        done = subprocess.run(
            [
                sys.executable,
                "-c",
                "import milter, Milter, packaging.version; print(milter.__file__)",
            ],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        )

        assert done.stdout.strip().endswith(".so")

    @pytest.mark.parametrize("folder", ["milter", "packaging"])
    def test_source_folders_are_no_packages(self, folder: str) -> None:
        """Neither an `__init__.py` nor any module directly inside."""
        assert list((ROOT / folder).glob("*.py")) == []


class TestModules:
    """What every module keeps."""

    @pytest.mark.parametrize("module", MODULES, ids=lambda path: path.stem)
    def test_it_is_of_a_size_to_be_read(self, module: Path) -> None:
        """Past 400 lines it is two modules."""
        assert len(module.read_text().splitlines()) <= 400

    @pytest.mark.parametrize("module", MODULES, ids=lambda path: path.stem)
    def test_it_cites_living_standards(self, module: Path) -> None:
        """`RFC nnnn`, and none that was replaced."""
        cited = set(re.findall(r"RFC (\d+)", module.read_text()))

        assert not cited & OBSOLETE_RFCS

    @pytest.mark.parametrize("module", MODULES, ids=lambda path: path.stem)
    def test_nothing_is_left_open(self, module: Path) -> None:
        """No note to oneself, no stub."""
        text = module.read_text()

        assert not re.search(r"\b(TODO|FIXME|XXX|NotImplementedError)\b", text)


def test_the_version_is_said_once() -> None:
    """In the package and in pyproject.toml, the same."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

    assert project["version"] == outgate.__version__


def test_every_rule_is_in_the_order() -> None:
    """A rule's module that the table forgot would never judge."""
    from outgate.policy.order import RULES

    modules = {
        path.stem for path in (ROOT / "milter/outgate/policy/rules").glob("[a-z]*.py")
    }

    assert {rule.reason.value.replace("-", "_") for rule in RULES} == modules
