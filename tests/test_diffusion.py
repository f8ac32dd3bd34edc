"""Diffusion weighting: b-values and gradients as makers state them, in patient coordinates, equal to dcm2niix's."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np
import numpy.typing as npt
import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from support import SHARED, frames_of, shared_data

from dicomlab.phantom.csa import csa_image_header
from dicomlab.read.diffusion import Diffusion, diffusion
from dicomlab.read.elements import Attributes

real = pytest.mark.skipif(not (SHARED / "truth.json").is_file(), reason=f"no real DICOM at {SHARED}")

VECTOR = np.array([0.48, -0.6, 0.64])
TILT = np.radians(20)
OBLIQUE = [1, 0, 0, 0, float(np.cos(TILT)), float(np.sin(TILT))]


def _image(**attributes: object) -> Dataset:
    dataset = Dataset()
    dataset.Modality, dataset.ImageOrientationPatient = "MR", OBLIQUE
    dataset.PatientPosition, dataset.InPlanePhaseEncodingDirection = "HFS", "COL"
    dataset.ScanningSequence, dataset.ImageType = ["EP", "SE"], ["ORIGINAL", "PRIMARY", "OTHER"]
    for keyword, value in attributes.items():
        setattr(dataset, keyword, value)
    return dataset


def _private(
    group: int, creator: str, elements: dict[int, tuple[str, object]], **attributes: object
) -> Dataset:
    dataset = _image(**attributes)
    # Somebody else reserved the first block: elements are found by their creator, wherever it is.
    dataset.private_block(group, "SOMEBODY ELSE", create=True)
    block = dataset.private_block(group, creator, create=True)
    for element, (vr, value) in elements.items():
        block.add_new(element, vr, value)
    return dataset


def _merged(*datasets: Dataset) -> Dataset:
    whole = datasets[0]
    for dataset in datasets[1:]:
        whole.update(dataset)
    return whole


def _of(*levels: Dataset) -> Diffusion:
    found = diffusion(Attributes.of(*levels))
    assert found is not None
    return found


def _same_line(vector: npt.NDArray[np.float64] | None, expected: npt.NDArray[np.float64]) -> None:
    assert vector is not None
    assert np.linalg.norm(vector) == pytest.approx(1)
    assert abs(vector @ expected / np.linalg.norm(expected)) == pytest.approx(1, abs=1e-6)


def _ge(b: list[int], vector: list[str], directions: str = "6", **attributes: object) -> Dataset:
    gradient = {0xBB + k: ("DS", number) for k, number in enumerate(vector)}
    first = _private(0x0019, "GEMS_ACQU_01", gradient | {0xE0: ("DS", directions)}, **attributes)
    return _merged(first, _private(0x0043, "GEMS_PARM_01", {0x39: ("IS", b)}, **attributes))


def _philips(b: float, letter: str, vector: npt.NDArray[np.float64]) -> Dataset:
    first = _private(0x2001, "Philips Imaging DD 001", {0x03: ("FL", b), 0x04: ("CS", letter)})
    second = {0xB0 + k: ("FL", float(number)) for k, number in enumerate(vector)}
    return _merged(first, _private(0x2005, "Philips MR Imaging DD 001", second))


def _enhanced() -> Dataset:
    gradient, macro, frame = Dataset(), Dataset(), Dataset()
    gradient.DiffusionGradientOrientation = VECTOR.tolist()
    macro.DiffusionBValue, macro.DiffusionDirectionality = 1000.0, "DIRECTIONAL"
    macro.DiffusionGradientDirectionSequence = Sequence([gradient])
    frame.MRDiffusionSequence = Sequence([macro])
    return frame


DIRECTIONAL: dict[str, Callable[[], Dataset]] = {
    "standard": lambda: _image(DiffusionBValue=1000.0, DiffusionGradientOrientation=VECTOR.tolist()),
    "functional group": _enhanced,
    "b-matrix": lambda: _image(
        DiffusionBValue=1000.0,
        **{
            f"DiffusionBValue{'XYZ'[i]}{'XYZ'[j]}": 1000 * VECTOR[i] * VECTOR[j]
            for i in range(3)
            for j in range(i, 3)
        },
    ),
    "Siemens": lambda: _private(
        0x0019, "SIEMENS MR HEADER", {0x0C: ("IS", 1000), 0x0E: ("FD", VECTOR.tolist())}
    ),
    "Siemens, bytes": lambda: _private(
        0x0019, "SIEMENS MR HEADER", {0x0C: ("UN", b"1000"), 0x0E: ("UN", VECTOR.astype("<f8").tobytes())}
    ),
    "Siemens, b-matrix": lambda: _private(
        0x0019,
        "SIEMENS MR HEADER",
        {0x0C: ("IS", 1000), 0x27: ("FD", (1000 * np.outer(VECTOR, VECTOR))[np.triu_indices(3)].tolist())},
    ),
    "Siemens CSA": lambda: _private(
        0x0029,
        "SIEMENS CSA HEADER",
        {
            0x10: (
                "OB",
                csa_image_header(
                    {
                        "B_value": ["1000"],
                        "DiffusionDirectionality": ["DIRECTIONAL"],
                        "DiffusionGradientDirection": [f"{number:.8f}" for number in VECTOR],
                    }
                ),
            )
        },
    ),
    "Siemens, standard b-value": lambda: _private(
        0x0019,
        "SIEMENS MR HEADER",
        {0x0C: ("IS", 1000), 0x0E: ("FD", VECTOR.tolist())},
        DiffusionBValue=1000.0,
    ),
    "Philips": lambda: _philips(1000.0, "O", VECTOR),
}


@pytest.mark.parametrize("maker", sorted(DIRECTIONAL))
def test_a_gradient_in_patient_coordinates_is_taken_as_it_stands(maker: str) -> None:
    found = _of(DIRECTIONAL[maker]())
    assert found.b_value == 1000
    assert found.kind == "directional"
    _same_line(found.b_vector, VECTOR)


def _axes() -> npt.NDArray[np.float64]:
    rows, columns = np.array(OBLIQUE[:3]), np.array(OBLIQUE[3:])
    return np.stack([rows, columns, np.cross(rows, columns)])


def test_a_gradient_of_uih_is_in_the_axes_of_the_image() -> None:
    elements = {0x09: ("FD", 928.5), 0x37: ("FD", VECTOR.tolist())}
    found = _of(_private(0x0065, "Image Private Header", elements))
    assert found.b_value == 928.5
    _same_line(found.b_vector, VECTOR @ _axes())
    lost = _private(0x0065, "Image Private Header", elements)
    del lost.ImageOrientationPatient
    assert _of(lost).b_vector is None
    assert _of(lost).stated == pytest.approx(VECTOR)


def test_a_gradient_of_ge_is_in_the_axes_of_the_gradients_with_the_slice_reversed() -> None:
    found = _of(_ge([1000, 8, 0, 0], ["0.48", "-0.6", "0.64"]))
    assert found.b_value == 1000
    _same_line(found.b_vector, (VECTOR * [1, 1, -1]) @ _axes())


def test_the_marker_in_ges_b_value_is_taken_off() -> None:
    assert _of(_ge([1000000750, 8, 0, 0], ["1", "0", "0"])).b_value == 750


def test_a_shorter_vector_of_ge_means_a_lower_b_value() -> None:
    found = _of(
        _ge([3000, 8, 0, 0], [f"{number * np.sqrt(1 / 3):.6f}" for number in VECTOR], DiffusionBValue=3000.0)
    )
    assert found.b_value == 1000
    _same_line(found.b_vector, (VECTOR * [1, 1, -1]) @ _axes())


def test_ge_without_a_gradient_is_unweighted_among_directions_and_an_average_without_any() -> None:
    zero = ["0", "0", "0"]
    among, average = _of(_ge([900, 8, 0, 0], zero)), _of(_ge([900, 8, 0, 0], zero, "0"))
    assert (among.b_value, among.kind, among.b_vector) == (0, "none", None)
    assert (average.b_value, average.kind, average.b_vector) == (900, "isotropic", None)
    derived = _of(_ge([900, 8, 0, 0], zero, ImageType=["DERIVED", "SECONDARY", "OTHER"]))
    assert derived.b_value == 900


@pytest.mark.parametrize(
    "other",
    [
        {"InPlanePhaseEncodingDirection": "ROW"},
        {"PatientPosition": "FFS"},
        {"ImageOrientationPatient": [1, 0, 0, 0, 0, -1]},
    ],
)
def test_where_ges_axes_are_not_known_the_vector_is_withheld_and_that_is_said(
    other: dict[str, object],
) -> None:
    found = _of(_ge([1000, 8, 0, 0], ["0.48", "-0.6", "0.64"], **other))
    assert (found.b_value, found.kind, found.b_vector) == (1000, "directional", None)
    assert found.stated == pytest.approx(VECTOR)
    assert "axes" in found.source


def test_user_values_of_other_ge_sequences_are_no_diffusion() -> None:
    assert diffusion(Attributes.of(_ge([8, 8, 0, 0], ["3", "5", "1"], ScanningSequence="GR"))) is None


def test_averages_over_directions_have_no_vector_whatever_stands_there() -> None:
    for dataset in (
        _philips(1000.0, "I", VECTOR),
        _image(
            DiffusionBValue=1000.0,
            DiffusionDirectionality="ISOTROPIC",
            DiffusionGradientOrientation=[1.0, 0.0, 0.0],
        ),
    ):
        found = _of(dataset)
        assert (found.b_value, found.kind, found.b_vector) == (1000, "isotropic", None)


def test_unweighted_images_have_no_vector() -> None:
    for dataset in (
        _image(DiffusionBValue=0.0, DiffusionGradientOrientation=[1.0, 0.0, 0.0]),
        _image(DiffusionDirectionality="NONE"),
        _philips(0.0, "", VECTOR),
        _ge([0, 8, 0, 0], ["0", "0", "0"]),
    ):
        found = _of(dataset)
        assert (found.b_value, found.kind, found.b_vector) == (0, "none", None)


def test_a_comment_of_canon_gives_the_b_value_and_tells_images_apart() -> None:
    found = _of(_image(Manufacturer="CANON_MEC", ImageComments="b=1500(0.445,0.000,0.895)"))
    assert (found.b_value, found.b_vector) == (1500, None)
    assert found.stated == pytest.approx([0.445, 0, 0.895])
    assert diffusion(Attributes.of(_image(Manufacturer="OTHER", ImageComments="b=1500(0.4,0,0.9)"))) is None


def test_frames_without_a_word_on_diffusion_and_damage_yield_none() -> None:
    assert diffusion(Attributes.of(_image())) is None
    assert diffusion(Attributes.of(Dataset())) is None
    assert diffusion(Attributes.of(_image(DiffusionBValue=-5.0))) is None
    assert diffusion(Attributes.of(_image(DiffusionBValue=float("nan")))) is None
    assert diffusion(Attributes.of(_image(Modality="CT", DiffusionBValue=5.0))) is None
    broken = _private(0x0019, "SIEMENS MR HEADER", {0x0C: ("UN", b"10x0"), 0x0E: ("UN", b"1234567")})
    assert diffusion(Attributes.of(broken)) is None


@real
@pytest.mark.parametrize("name", ["mr-dti-uih-ap", "mr-dwi-canon-ortho"])
def test_real_gradients_equal_those_of_dcm2niix(name: str, tmp_path: Path) -> None:
    import dcm2niix

    source = tmp_path / "in"
    source.mkdir()
    for path in sorted((shared_data() / name).iterdir()):
        if path.is_file() and path.read_bytes()[128:132] == b"DICM":
            (source / path.name).symlink_to(path)
    command = [dcm2niix.bin, "-z", "n", "-b", "n", "-f", "out", "-o", str(tmp_path), str(source)]
    subprocess.run(command, check=True, capture_output=True)
    turn = nib.load(tmp_path / "out.nii").affine[:3, :3]
    turn = turn / np.linalg.norm(turn, axis=0)
    values, vectors = np.loadtxt(tmp_path / "out.bval"), np.loadtxt(tmp_path / "out.bvec").T
    # FSL's vectors are in the axes of the image, the first one reversed where these are right-handed; NIfTI's world is RAS.
    if np.linalg.det(turn) > 0:
        vectors = vectors * [-1, 1, 1]
    lps = vectors @ turn.T * [-1, -1, 1]
    found = [diffusion(frame) for frame in frames_of(source)]
    assert all(found)
    distinct = {
        (one.b_value, *(() if one.b_vector is None else one.b_vector.round(6)))
        for one in found
        if one is not None
    }
    assert len(distinct) == len(values)
    for value, vector in zip(values, lps, strict=True):
        alike = [one for one in found if one is not None and abs(one.b_value - value) <= 1]
        if np.linalg.norm(vector) < 0.5:
            assert any(one.b_vector is None for one in alike)
        else:
            cosines = [abs(one.b_vector @ vector) for one in alike if one.b_vector is not None]
            assert max(cosines) > 0.9999


@real
def test_derived_maps_of_a_real_series_are_no_directions() -> None:
    found = [diffusion(frame) for frame in frames_of(shared_data() / "mr-enh-xa30-a" / "12")]
    assert {(one.b_value, one.kind, one.b_vector) for one in found if one is not None} == {
        (2500, "isotropic", None)
    }
    assert len(found) == 39
