"""dicomlab reads the 25 ordinary kinds of series, names their faults, and stands beside other readers as docs/kinds.md says."""

from __future__ import annotations

import dataclasses
import hashlib
import re
import warnings
from pathlib import Path

import numpy as np
import pytest

import dicomlab as dl
from dicomlab import DicomLabError, DicomLabWarning, phantom
from dicomlab.errors import FaultError
from dicomlab.findings import CODES
from tests.kinds.judge import Verdict, judge
from tests.kinds.peers import PEERS, Answer, of_dicomlab, version
from tests.kinds.table import PAGE, cell, faults_table, section, verdicts

NO_FRAME = ["us_cine", "xa_cine", "nm_static"]


def load(sample: phantom.Sample, on_fault=None) -> list:
    """Return what dicomlab makes of every stack of the series, or, when the user chooses, of the series."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DicomLabWarning)
        if on_fault is not None:
            return [dl.load_volume(sample.folder, on_fault=on_fault)]
        stacks = [stack for series in dl.find_series(sample.folder) for stack in series.stacks]
        return [dl.load_volume(stack) for stack in stacks]


def answer(arrays) -> Answer:
    return Answer([volume for array in arrays for volume in of_dicomlab(array)])


def codes(arrays) -> set[str]:
    """Return the codes of the findings that the volumes carry."""
    return {line.split(":")[0] for array in arrays for line in array.attrs.get("findings", "").splitlines()}


def check_labels(sample: phantom.Sample, array) -> None:
    extra = [str(dim) for dim in array.dims if dim not in ("slice", "row", "column")]
    assert sorted(extra) == sorted(sample.axes)
    for name, labels in {**sample.axes, **sample.beside}.items():
        if labels.dtype.kind in "iuf":
            np.testing.assert_allclose(array[name].values, labels, rtol=1e-6, atol=1e-6)
        else:
            assert sorted(array[name].values) == sorted(labels)


@pytest.mark.parametrize("name", phantom.KINDS)
def test_an_ordinary_kind_is_read_right(tmp_path: Path, name: str) -> None:
    sample = phantom.write_kind(name, tmp_path)
    arrays = load(sample)
    assert judge(sample, answer(arrays)) == Verdict("right")
    assert len(arrays) == len(sample.stacks)
    assert {array.attrs.get("units") or "" for array in arrays} == {sample.units}
    series = dl.find_series(tmp_path)
    assert codes(arrays) | {finding.code for one in series for finding in one.findings} == set(
        sample.findings
    )
    if sample.axes:
        check_labels(sample, arrays[0])


@pytest.mark.parametrize("name", phantom.KINDS)
def test_names_and_folders_of_files_change_nothing(tmp_path: Path, name: str) -> None:
    sample = phantom.write_kind(name, tmp_path / "written")
    before = load(sample)
    files = sorted(sample.folder.iterdir(), key=lambda file: hashlib.sha256(file.read_bytes()).digest())
    for number, file in enumerate(files):
        target = tmp_path / "moved" / "abc"[number % 3] / f"{number}"
        target.parent.mkdir(parents=True, exist_ok=True)
        file.rename(target)
    after = load(dataclasses.replace(sample, folder=tmp_path / "moved"))
    for one, other in zip(before, after, strict=True):
        for array in (one, other):
            array.attrs.pop("findings", None)  # they name files
        assert one.identical(other)


WITH_AXES = ["dynamic", "echoes_phases", "diffusion", "enhanced_mr", "mosaic", "cardiac_cine"]
WITH_AXES += [
    "slice_times",
    "inversion_times",
    "flip_angles",
    "dixon",
    "enhanced_diffusion",
    "enhanced_files",
]


@pytest.mark.parametrize("name", WITH_AXES)
def test_each_label_stands_at_its_own_values(tmp_path: Path, name: str) -> None:
    sample = phantom.write_kind(name, tmp_path)
    (array,) = load(sample)
    texts = {axis: list(labels) for axis, labels in sample.axes.items() if labels.dtype.kind == "U"}
    for axis, labels in texts.items():
        array = array.isel({axis: [list(array[axis].values).index(label) for label in labels]})
    array = array.transpose(*sample.axes, "slice", "row", "column")
    check_labels(sample, array)
    np.testing.assert_allclose(array.values, sample.values, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("name", phantom.FAULTS)
def test_a_fault_is_named_and_the_choice_is_the_users(tmp_path: Path, name: str) -> None:
    sample = phantom.write_kind(name, tmp_path)
    if sample.refused:
        for choice in (None, "keep"):
            with pytest.raises(DicomLabError):
                dl.load_volume(tmp_path, on_fault=choice)
        return
    assert set(sample.findings) <= set(CODES)
    if sample.choice is not None:
        with pytest.raises(DicomLabError, match=sample.findings[0]):
            dl.load_volume(tmp_path)
    arrays = load(sample, sample.choice)
    assert set(sample.findings) <= codes(arrays)
    if name in NO_FRAME:
        assert [array.sizes["row"] * array.sizes["column"] for array in arrays] == [24 * 30] * len(arrays)
        flat = np.concatenate([array.values.reshape(-1, 24, 30) for array in arrays])
        np.testing.assert_array_equal(flat, sample.values.reshape(-1, 24, 30))
        check_labels(sample, arrays[0])
        return
    if sample.axes:
        check_labels(sample, arrays[0])
    # A choice loads one stack, the largest.
    assert judge(dataclasses.replace(sample, parts=()), answer(arrays)) == Verdict("right")
    assert {array.attrs.get("units") or "" for array in arrays} == {sample.units}


@pytest.mark.parametrize("name", [name for name, kind in {**phantom.KINDS, **phantom.FAULTS}.items()])
def test_a_finding_has_the_size_that_the_phantom_gave_it(tmp_path: Path, name: str) -> None:
    sample = phantom.write_kind(name, tmp_path)
    found = {f.code: f for series in dl.find_series(sample.folder) for f in series.findings}
    if sample.findings and not set(sample.findings) & set(
        found
    ):  # some faults show only when values are read
        with pytest.raises(FaultError) as caught:
            load(sample)
        found = {f.code: f for f in caught.value.findings}
    for code, (size, unit) in sample.sizes.items():
        assert found[code].unit == unit
        assert found[code].size == pytest.approx(size, rel=0.01)
        assert found[code].files


def page_table() -> list[list[str]]:
    lines = [
        line for line in section(PAGE.read_text(encoding="utf-8"), "table").splitlines() if line[:1] == "|"
    ]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_the_page_lists_every_kind_and_every_reader() -> None:
    rows = page_table()
    assert rows[0][2:] == list(PEERS)
    assert [row[1] for row in rows[2:27]] == [kind.title for kind in phantom.KINDS.values()]


@pytest.mark.slow
def test_the_page_says_of_dicomlab_and_of_every_reader_installed_what_is_so() -> None:
    page = PAGE.read_text(encoding="utf-8")
    made_with = dict(re.findall(r"([\w-]+) ([\d.]+\d)(?:,|\.$)", section(page, "table").splitlines()[-1]))
    # A reader that is absent here, or of another version, is not asked: `make peers` brings them.
    peers = [peer for peer in PEERS if peer == "dicomlab" or version(peer) == made_with[peer]]
    assert {"dicomlab", "SimpleITK", "highdicom", "dcm2niix"} <= set(peers)
    found = verdicts(peers, list(phantom.KINDS))
    rows = page_table()
    for peer in peers:
        column = rows[0].index(peer)
        said = [row[column] for row in rows[2:27]]
        assert said == [cell(found[kind, peer]) for kind in phantom.KINDS], peer
        assert rows[27][column] == f"**{said.count('right')}**"
        assert rows[28][column] == f"**{sum(text.startswith('**wrong') for text in said)}**"


@pytest.mark.slow
def test_the_page_says_what_dicomlab_does_on_each_fault() -> None:
    assert section(PAGE.read_text(encoding="utf-8"), "faults").strip() == faults_table()
