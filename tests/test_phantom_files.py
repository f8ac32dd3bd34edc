"""The files of the phantom: valid DICOM, the same bytes each time, no UID twice.

Validity is judged by dciodvfy, which shares no code with us.
"""

from __future__ import annotations

import hashlib
import itertools
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pydicom
import pytest

from dicomlab import phantom

WRITERS = {"CT": phantom.write_ct, "MR": phantom.write_mr, "PT": phantom.write_pet}
SMALL = (7, 30, 40)


def complaints(file):
    found = subprocess.run(["dciodvfy", str(file)], capture_output=True, text=True, check=False)
    said = found.stderr + found.stdout
    assert "Image" in said, f"dciodvfy did not recognise {file}: {said}"
    return [line for line in said.splitlines() if line.startswith("Error")]


needs_dciodvfy = pytest.mark.skipif(
    shutil.which("dciodvfy") is None,
    reason="dciodvfy (package dicom3tools) is not on PATH: the DICOM validity of the phantom is NOT checked",
)


@needs_dciodvfy
@pytest.mark.parametrize("syntax", ["explicit", "implicit"])
@pytest.mark.parametrize("modality", WRITERS)
def test_dciodvfy_finds_no_error_in_any_file_of_a_small_series(tmp_path, modality, syntax):
    series = WRITERS[modality](tmp_path, shape=SMALL, transfer_syntax=syntax)
    assert {str(file): complaints(file) for file in series.files} == {str(file): [] for file in series.files}


@needs_dciodvfy
@pytest.mark.parametrize("orientation", ["sagittal", "coronal", "oblique"])
def test_dciodvfy_finds_no_error_in_other_planes(tmp_path, orientation):
    for writer in WRITERS.values():
        series = writer(tmp_path, shape=(1, 8, 9), orientation=orientation)
        assert complaints(series.files[0]) == []


@needs_dciodvfy
@pytest.mark.parametrize("modality", WRITERS)
def test_dciodvfy_finds_no_error_in_the_default_study(phantom_study, modality):
    for file in {"CT": phantom_study.ct, "MR": phantom_study.mr, "PT": phantom_study.pet}[modality].files[
        ::6
    ]:
        assert complaints(file) == []


def test_dciodvfy_is_a_judge_that_can_say_no(tmp_path):
    if shutil.which("dciodvfy") is None:
        pytest.skip("dciodvfy (package dicom3tools) is not on PATH")
    series = phantom.write_ct(tmp_path, shape=(1, 8, 9))
    ds = pydicom.dcmread(series.files[0])
    del ds.RescaleSlope
    ds.save_as(series.files[0])
    assert complaints(series.files[0])


def hashes(folder):
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in sorted(folder.iterdir())}


@pytest.mark.parametrize("modality", WRITERS)
def test_writing_twice_gives_the_same_bytes(tmp_path, modality):
    for name in "ab":
        WRITERS[modality](tmp_path / name, shape=SMALL)
    assert hashes(tmp_path / "a") == hashes(tmp_path / "b")


def test_another_process_with_another_hash_seed_writes_the_same_bytes(tmp_path):
    phantom.write_pet(tmp_path / "a", shape=SMALL)
    code = f"from dicomlab import phantom; phantom.write_pet({str(tmp_path / 'b')!r}, shape={SMALL})"
    here = Path(__file__).parents[1]
    environment = {**os.environ, "PYTHONHASHSEED": "4711", "PYTHONPATH": str(here)}
    subprocess.run([sys.executable, "-c", code], check=True, env=environment, cwd=tmp_path)
    assert hashes(tmp_path / "a") == hashes(tmp_path / "b")


def test_both_transfer_syntaxes_hold_the_same_data(tmp_path):
    explicit = phantom.write_ct(tmp_path / "e", shape=SMALL)
    implicit = phantom.write_ct(tmp_path / "i", shape=SMALL, transfer_syntax="implicit")
    for a, b in zip(explicit.files, implicit.files, strict=True):
        one, two = pydicom.dcmread(a), pydicom.dcmread(b)
        assert one.file_meta.TransferSyntaxUID == pydicom.uid.ExplicitVRLittleEndian
        assert two.file_meta.TransferSyntaxUID == pydicom.uid.ImplicitVRLittleEndian
        assert (one.SOPInstanceUID, one.PixelData) == (two.SOPInstanceUID, two.PixelData)


def test_no_two_instances_share_a_uid_even_across_planes(tmp_path):
    files = []
    for k, (writer, orientation) in enumerate(itertools.product(WRITERS.values(), phantom.ORIENTATIONS)):
        files += writer(tmp_path / str(k), shape=(3, 8, 9), orientation=orientation).files
    headers = [pydicom.dcmread(file, stop_before_pixels=True) for file in files]
    assert len({ds.SOPInstanceUID for ds in headers}) == len(files)
    assert len({ds.SeriesInstanceUID for ds in headers}) == 12
    assert len({ds.StudyInstanceUID for ds in headers}) == 1


def test_the_study_fits_twenty_megabytes(phantom_study):
    assert sum(file.stat().st_size for file in phantom_study.folder.rglob("*") if file.is_file()) < 20e6


def test_a_coarser_study_has_fewer_slices_rows_and_columns(tmp_path):
    study = phantom.write_study(tmp_path, coarser=8)
    assert [s.truth.values.shape for s in (study.ct, study.mr, study.pet)] == [
        (10, 30, 34),
        (3, 27, 32),
        (8, 14, 16),
    ]
    assert [s.folder.name for s in (study.ct, study.mr, study.pet)] == ["CT", "MR", "PT"]
    assert all(file.is_file() for s in (study.ct, study.mr, study.pet) for file in s.files)
