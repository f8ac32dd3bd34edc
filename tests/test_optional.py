"""A package that is missing: the line that installs it is the right one where one is."""

from pathlib import Path

import pytest

import dicomlab.optional
from dicomlab.errors import MissingDependencyError
from dicomlab.optional import optional

ROOT = Path(__file__).resolve().parent.parent


def asked(extra: str) -> str:
    with pytest.raises(MissingDependencyError) as error:
        optional("no_such_package.inside", purpose="This test", extra=extra)
    return str(error.value)


def test_a_package_that_is_there_is_brought() -> None:
    assert optional("pathlib", purpose="This test", extra="seg").Path is Path


def test_installed_by_pip_the_line_is_that_of_pip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dicomlab.optional, "_PROJECT", tmp_path)
    for extra in ("network", "mesh"):
        assert asked(extra) == (
            "This test needs the package no_such_package, which is not installed here. "
            f"Install it: pip install 'dicomlab[{extra}]'"
        )


def test_in_a_checkout_what_the_course_needs_is_brought_by_make_course() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    (brought,) = (line for line in makefile.splitlines() if line.startswith("COURSE := "))
    for extra in brought.partition("[")[2].rstrip("]").split(","):
        # JupyterLab is there, or nobody would ask from a chapter.
        if extra != "lab":
            assert "Install it: `make course` in this checkout" in asked(extra)
    assert "make course" not in asked("mesh")
    assert f"-m pip install -e '{ROOT}[mesh]' in this checkout" in asked("mesh")
