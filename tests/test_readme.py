"""What the README and the docs show is run, on the phantom."""

from __future__ import annotations

import re
from pathlib import Path

import matplotlib as mpl
import pytest

import dicomlab as dl

ROOT = Path(__file__).resolve().parent.parent


def test_the_examples_of_the_readme_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mpl.use("Agg")
    # The examples say "some/folder"; here it holds a study of one series, and one reads on in its names.
    monkeypatch.chdir(tmp_path)
    dl.phantom.write_ct(tmp_path / "some" / "folder", shape=(8, 30, 40))
    blocks = re.findall(
        r"^```python\n(.*?)^```", (ROOT / "README.md").read_text(encoding="utf-8"), flags=re.M | re.S
    )
    assert len(blocks) >= 3
    names: dict[str, object] = {}
    for block in blocks:
        exec(compile(block, "README.md", "exec"), names)
    volume = names["volume"]
    half = names["half"]
    assert half.dicom.spacing[0] == pytest.approx(2 * volume.dicom.spacing[0])
    assert half.dicom.spacing[1:] == pytest.approx(volume.dicom.spacing[1:])


@pytest.mark.parametrize(
    "page", ["README.md", "CONTRIBUTING.md", "docs/conventions.md", "docs/design.md", "docs/recipes.md"]
)
def test_the_links_between_documents_lead_somewhere(page: str) -> None:
    source = ROOT / page
    links = re.findall(r"\]\(([^)#]+)[^)]*\)", source.read_text(encoding="utf-8"))
    for link in links:
        if not link.startswith("https://"):
            assert (source.parent / link).exists(), link


def test_every_make_command_the_documents_name_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.M))
    for page in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md"):
        named = set(
            re.findall(r"(?:^|`)make ([a-z-]+)", (ROOT / page).read_text(encoding="utf-8"), flags=re.M)
        )
        assert named <= targets, page
