"""The walls of the house stand: the import contracts hold, and each of them is seen to fail once broken."""

from __future__ import annotations

import inspect
import json
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path
from types import ModuleType

import pytest

import dicomlab

ROOT = Path(__file__).resolve().parent.parent
CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
HEAVY = ["matplotlib", "skimage", "scipy", "ipywidgets", "anywidget", "IPython", "dask"]


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    """Check the import contracts of the copy of the project in `folder`."""
    program = "import sys; from importlinter.cli import lint_imports_command as lint; sys.exit(lint())"
    return subprocess.run(
        [sys.executable, "-c", program, "--no-cache", "--no-logo"],
        cwd=folder,
        capture_output=True,
        text=True,
        # Wide enough that the name of a contract is not broken over two lines.
        env={"COLUMNS": "200", "PYTHONPATH": str(folder), "PATH": ""},
        check=False,
    )


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """Return a copy of the package with its build metadata, for breaking."""
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    shutil.copytree(
        ROOT / "dicomlab", tmp_path / "dicomlab", ignore=shutil.ignore_patterns("__pycache__", "js")
    )
    return tmp_path


def test_every_wall_of_the_house_stands() -> None:
    result = lint(ROOT)
    assert result.returncode == 0, result.stdout
    assert f"Contracts: {len(CONTRACTS)} kept, 0 broken." in result.stdout


# contract, file to break, what is written at its end
BREAKS = [
    ("floors", "errors.py", "import dicomlab.read\n"),
    ("floors", "read/__init__.py", "def later() -> None:\n    import dicomlab.view\n"),
    ("floors", "cellar.py", "'''A room that nobody gave a floor.'''\n"),
    ("face", "accessor/place.py", "from dicomlab import __version__ as anything\n"),
    ("pydicom", "view/__init__.py", "import pydicom.tag\n"),
    ("pydicom", "errors.py", "import pydicom\n"),
    ("screen", "read/__init__.py", "def picture() -> None:\n    import matplotlib.pyplot\n"),
    ("screen", "errors.py", "from IPython.display import display\n"),
    ("screen", "errors.py", "import anywidget\n"),
    ("algorithms", "read/__init__.py", "import scipy.ndimage\n"),
    ("algorithms", "errors.py", "import skimage\n"),
]


@pytest.mark.parametrize(("contract", "file", "break_"), BREAKS)
def test_a_broken_wall_is_named(copy: Path, contract: str, file: str, break_: str) -> None:
    with (copy / "dicomlab" / file).open("a") as room:
        room.write("\n" + break_)
    result = lint(copy)
    broken = [line.split(" BROKEN")[0] for line in result.stdout.splitlines() if " BROKEN" in line]
    assert broken == [next(c["name"] for c in CONTRACTS if c["id"] == contract)], result.stdout
    assert result.returncode == 1


def test_each_contract_is_broken_once_by_these_tests() -> None:
    assert {contract["id"] for contract in CONTRACTS} == {contract for contract, _, _ in BREAKS}


def in_a_fresh_interpreter(program: str) -> object:
    result = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return json.loads(result.stdout)


def test_importing_dicomlab_brings_in_no_screen_and_no_algorithms() -> None:
    loaded = in_a_fresh_interpreter("import json, sys; import dicomlab; print(json.dumps(list(sys.modules)))")
    assert isinstance(loaded, list)
    assert "dicomlab" in loaded
    assert [name for name in HEAVY if name in loaded] == []


def test_a_public_name_is_there_when_it_is_the_first_one_asked_for() -> None:
    # Each name is asked for in a process of its own, forked before any room is loaded: an import that works only
    # after another one fails here.
    program = """if True:
        import json, os, sys, traceback, dicomlab
        missing = []
        for name in dicomlab.__all__:
            if not (child := os.fork()):
                try:
                    getattr(dicomlab, name)
                except BaseException:
                    traceback.print_exc()
                    os._exit(1)
                os._exit(0)
            if os.waitpid(child, 0)[1]:
                missing.append(name)
        print(json.dumps(missing))
    """
    assert in_a_fresh_interpreter(program) == []


def test_dir_lists_the_public_names() -> None:
    assert set(dicomlab.__all__) <= set(dir(dicomlab))
    assert sorted(set(dicomlab.__all__)) == sorted(dicomlab.__all__)


def test_an_unknown_public_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="load_volum"):
        _ = dicomlab.load_volum


def test_no_public_function_bears_the_name_of_a_module() -> None:
    # Importing `dicomlab.x` puts the module where the function was: `dicomlab.x()` would fail from then on.
    rooms = (ROOT / "dicomlab").iterdir()
    modules = {path.stem for path in rooms if path.suffix == ".py" or (path / "__init__.py").is_file()}
    for name in dicomlab.__all__:
        if name in modules:
            assert isinstance(getattr(dicomlab, name), ModuleType), name


def test_every_public_function_and_class_is_documented_and_typed() -> None:
    for name in dicomlab.__all__:
        thing = getattr(dicomlab, name)
        if not callable(thing):
            continue
        assert inspect.getdoc(thing), name
        if inspect.isfunction(thing):
            signature = inspect.signature(thing)
            assert signature.return_annotation is not inspect.Signature.empty, name
            for parameter in signature.parameters.values():
                assert parameter.annotation is not inspect.Parameter.empty, f"{name}({parameter.name})"


def test_the_wheel_carries_the_browser_bundle_and_not_its_sources(tmp_path: Path) -> None:
    program = "from hatchling.build import build_wheel; import sys; print(build_wheel(sys.argv[1]))"
    built = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    with zipfile.ZipFile(tmp_path / built.stdout.split()[-1]) as wheel:
        names = set(wheel.namelist())
    package = (path for path in (ROOT / "dicomlab").rglob("*") if path.is_file())
    files = {path.relative_to(ROOT).as_posix() for path in package if "__pycache__" not in path.parts}
    assert {"dicomlab/py.typed", "dicomlab/view/browser.js", "dicomlab/view/theme.css"} <= names
    assert {name for name in names if name.startswith("dicomlab/")} == {
        name for name in files if not name.startswith(("dicomlab/view/js/", "dicomlab/teach/js/"))
    }
