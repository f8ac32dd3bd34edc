"""Real series against reference figures made by three readers that share no code with dicomlab.

The data lie beside the project (``../shared/data``, or DICOMLAB_SHARED_DATA) and are no part of it. Where they are absent
these tests are skipped with that reason, and the summary of the run says so.
"""

import hashlib
import json
import warnings
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
import xarray as xr
from support import SHARED, shared_data

from dicomlab import DicomLabWarning, find_series, load_volume
from dicomlab.read.stacks import Stack

pytestmark = pytest.mark.skipif(
    not (SHARED / "truth.json").is_file(),
    reason=f"no real DICOM at {SHARED}: reference figures were not compared",
)

# Every series of the references. Name -> findings: irregular ones by the catalogue, a missing Frame of Reference UID by the
# files themselves.
FINDINGS = {
    "ct-head-phantom-philips/S2020": None,
    "ct-head-phantom-philips/S2010": None,
    "ct-tilt-ge-variable": {"gantry_tilt", "uneven_spacing"},
    "ct-contrast-kits": None,
    "mr-t1-sag-philips": None,
    "mr-positions-a/HFS": None,
    "mr-positions-a/HFP": None,
    "mr-pd-ge-oblique": {"rounded_positions", "uneven_spacing", "spacing_contradicts_positions"},
    "mr-dicom2nifti-a/fail_sliceincrement1": {"missing_slice", "frame_of_reference_missing"},
    "mr-dicom2nifti-a/ge_anat": {"frame_of_reference_missing"},
    "pet-nema-phantom-1": None,
    "mr-fieldmap-philips/classic": None,
    "mr-fieldmap-philips/enhanced": None,
    "mr-dwi-canon-ortho": None,
    "mr-fmri-mosaic-ax/axasc35": None,
    "mr-fmri-mosaic-ax/axdesc35": None,
    "mr-fmri-mosaic-ax/axint36": None,
    "mr-epi4d-ge/mr_0004": {"order_from_instance_number"},
    "mr-epi4d-ge/si_mr_0003": None,
    "mr-enh-xa30-a/5_T1": None,
    "mr-enh-xa30-a/7_fMRI": None,
    "mr-enh-philips-b0": None,
    "rt-dicompyler/rtdose": None,
}


def _truth() -> dict[str, Any]:
    return (
        json.loads((SHARED / "truth.json").read_text())["series"] if (SHARED / "truth.json").is_file() else {}
    )


def _stack(name: str) -> Stack:
    """The stack that a reference describes: of its series where that is named, of its number of images and size."""
    case = _truth()[name]
    *images, rows, columns = case["ref"]["shape"]
    return next(
        stack
        for series in find_series(shared_data() / (case.get("folder") or name.split("/")[0]), progress=False)
        for stack in series.stacks
        if case.get("series_instance_uid") in (None, series.uid)
        and len(stack) == np.prod(images)
        and stack.shape[-2:] == (rows, columns)
    )


@pytest.fixture(scope="module", params=sorted(FINDINGS))
def loaded(request: pytest.FixtureRequest) -> tuple[str, xr.DataArray, dict[str, Any], set[str]]:
    stack = _stack(request.param)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", DicomLabWarning)
        volume = load_volume(stack)
    codes = {str(w.message).split(":")[0] for w in caught if issubclass(w.category, DicomLabWarning)}
    return request.param, volume, _truth()[request.param]["ref"], codes


def test_values_equal_the_reference_to_the_last_bit(loaded) -> None:
    _, volume, ref, _ = loaded
    assert volume.size == np.prod(ref["shape"])  # several extra axes may stand as one in the reference
    assert list(volume.shape[-3:]) == ref["shape"][-3:]
    digest = hashlib.sha256(np.ascontiguousarray(volume.values.astype("<f4")).tobytes()).hexdigest()
    assert digest == ref["sha256_f32"]
    if ref["sha256_i32"]:
        assert volume.dtype.kind in "iu"
        assert hashlib.sha256(volume.values.astype("<i4").tobytes()).hexdigest() == ref["sha256_i32"]


def test_every_slice_is_where_the_reference_says(loaded) -> None:
    _, volume, ref, _ = loaded
    first_voxels = volume.dicom.lps([[k, 0, 0] for k in range(volume.sizes["slice"])])
    if "ipp_per_k" in ref["info"]:
        # Irregular series have no affine that is right; 0.1 mm is what rounded positions deviate from a line.
        np.testing.assert_allclose(first_voxels, ref["info"]["ipp_per_k"], atol=0.1)
        np.testing.assert_allclose(
            first_voxels[[0, -1]], np.array(ref["info"]["ipp_per_k"])[[0, -1]], atol=0.01
        )
    else:
        origin, step = np.array(ref["affine"]["origin"]), np.array(ref["affine"]["col_k"])
        np.testing.assert_allclose(
            first_voxels, origin + step * np.arange(len(first_voxels))[:, None], atol=0.01
        )


def test_the_affine_is_right_to_a_hundredth_of_a_millimetre_at_the_far_corner(loaded) -> None:
    name, volume, ref, _ = loaded
    far = np.array(volume.shape[-3:]) - 1
    if not volume.dicom.is_uniform:
        assert FINDINGS[name], "an uneven series must be one that the catalogue calls irregular"
        return
    columns = [ref["affine"][key] for key in ("col_k", "col_j", "col_i")]
    expected = np.array(ref["affine"]["origin"]) + far @ np.array(columns)
    np.testing.assert_allclose((volume.dicom.affine @ [*far, 1])[:3], expected, atol=0.01)


def test_irregular_series_have_the_finding_and_regular_ones_have_none(loaded) -> None:
    name, _, _, codes = loaded
    assert codes == (FINDINGS[name] or set())


def test_no_series_of_the_references_is_left_out() -> None:
    assert set(FINDINGS) == {name for name, case in _truth().items() if "shape" in (case.get("ref") or {})}


def test_dcm2niix_agrees_voxel_by_voxel_where_the_catalogue_says_it_does(tmp_path: Path) -> None:
    import subprocess

    import dcm2niix

    for name in ("ct-contrast-kits", "mr-positions-a/HFP"):
        stack = _stack(name)
        source = tmp_path / name.replace("/", "-")
        source.mkdir()
        for instance in stack.instances:
            (source / Path(instance.file.name).name).symlink_to(instance.file.path)
        command = [dcm2niix.bin, "-z", "n", "-b", "n", "-f", "out", "-o", str(source), str(source)]
        subprocess.run(command, check=True, capture_output=True)
        image = nib.load(source / "out.nii")
        volume = load_volume(stack)
        # Each of dcm2niix's voxels, looked up at its patient position in ours.
        index = np.stack(np.meshgrid(*[np.arange(0, n, 7) for n in image.shape], indexing="ij"), -1).reshape(
            -1, 3
        )
        lps = nib.affines.apply_affine(image.affine, index) * [-1, -1, 1]
        ours = np.rint(volume.dicom.index(lps)).astype(int)
        assert np.abs(volume.dicom.index(lps) - ours).max() < 0.02
        np.testing.assert_array_equal(np.asarray(image.dataobj)[tuple(index.T)], volume.values[tuple(ours.T)])


def test_every_file_of_the_real_data_is_listed_or_skipped_with_a_reason() -> None:
    folder = shared_data()
    found = find_series(folder)
    listed = sum(len(series.instances) for series in found)
    files = sum(1 for path in folder.rglob("*") if path.is_file())
    assert listed + len(found.skipped) >= files  # zip members count too
    assert all(found.skipped.values())
    for page in (found._repr_html_(), *(series._repr_html_() for series in found[:40])):
        assert page.startswith('<div class="dicomlab">')
