"""Mosaics and grids: every tile where nibabel, dcm2niix and the protocol of the scanner say."""

import gzip
import json
import warnings
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from support import SHARED, shared_data

from dicomlab.errors import DicomLabError, GeometryError, UnsupportedError
from dicomlab.phantom.csa import csa_image_header
from dicomlab.read.diffusion import diffusion
from dicomlab.read.elements import Attributes
from dicomlab.read.headers import read_instance
from dicomlab.read.mosaic import Mosaic, mosaic
from dicomlab.read.sources import list_files

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # nibabel calls its own DICOM readers experimental
    import nibabel.nicom
    from nibabel.nicom.dicomwrappers import MosaicWrapper

real = pytest.mark.skipif(not (SHARED / "truth.json").is_file(), reason=f"no real DICOM at {SHARED}")

COSINES = np.array([0.6, 0.8, 0, -0.8 * 0.28, 0.6 * 0.28, -0.96])
NORMAL = np.cross(COSINES[:3], COSINES[3:])
FIRST, STEP, COUNT, ROWS, COLUMNS = np.array([-70.5, 31.25, 12.0]), 3.6, 7, 20, 12
SPACING = [2.5, 1.5]


def _positions(sign: int) -> npt.NDArray[np.float64]:
    return FIRST + np.arange(COUNT)[:, None] * sign * STEP * NORMAL


def _siemens(sign: int = 1, **csa: list[str]) -> Dataset:
    """Mosaic of 7 tiles, 3 across, whose slices follow each other along the image's normal or against it."""
    dataset = Dataset()
    dataset.Modality = "MR"
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "M", "ND", "MOSAIC"]
    dataset.Rows, dataset.Columns = 3 * ROWS, 3 * COLUMNS
    dataset.PixelSpacing = SPACING
    dataset.SpacingBetweenSlices = STEP
    dataset.ImageOrientationPatient = COSINES.tolist()
    # Centre of the first tile, in Siemens' sense the pixel at half its size; the same of the picture; and back to its corner.
    centre = FIRST + COSINES[:3] * SPACING[1] * COLUMNS / 2 + COSINES[3:] * SPACING[0] * ROWS / 2
    corner = centre - COSINES[:3] * SPACING[1] * 3 * COLUMNS / 2 - COSINES[3:] * SPACING[0] * 3 * ROWS / 2
    dataset.ImagePositionPatient = corner.tolist()
    values = {
        "NumberOfImagesInMosaic": [str(COUNT)],
        "SliceNormalVector": [f"{sign * number:.8f}" for number in NORMAL],
        "MosaicRefAcqTimes": [f"{10.0 * k}" for k in range(COUNT)],
    }
    block = dataset.private_block(0x0029, "SIEMENS CSA HEADER", create=True)
    block.add_new(0x10, "OB", csa_image_header(values | csa))
    return dataset


def _anonymised(dataset: Dataset, protocol: str = "", *, count: bool = True) -> Dataset:
    """Without the CSA image header; with the number of tiles, and with the series header if there is a protocol."""
    dataset.remove_private_tags()
    if count:
        dataset.private_block(0x0019, "SIEMENS MR HEADER", create=True).add_new(0x0A, "US", COUNT)
    if protocol:
        block = dataset.private_block(0x0029, "SIEMENS CSA HEADER", create=True)
        block.add_new(0x20, "OB", csa_image_header({"MrPhoenixProtocol": [protocol]}))
    return dataset


def _protocol(centres: npt.NDArray[np.float64]) -> str:
    lines = [f"sSliceArray.lSize = {len(centres)}"]
    for k, centre in enumerate(centres):
        lines += [
            f"sSliceArray.asSlice[{k}].sPosition.d{axis} = {number:.8f}"
            for axis, number in zip(("Sag", "Cor", "Tra"), centre, strict=True)
        ]
    return "\n".join(lines) + "\n"


def _of(dataset: Dataset) -> Mosaic:
    found = mosaic(Attributes.of(dataset))
    assert found is not None
    return found


@pytest.mark.parametrize("sign", [1, -1])
def test_every_tile_is_at_its_place_whichever_way_the_slices_go(sign: int) -> None:
    found = _of(_siemens(sign))
    assert (found.count, found.rows, found.columns, found.across) == (COUNT, ROWS, COLUMNS, 3)
    assert [found.tile(k) for k in (0, 2, 3, 6)] == [(0, 0), (0, 24), (20, 0), (40, 0)]
    np.testing.assert_allclose(found.positions, _positions(sign), atol=1e-6)
    np.testing.assert_allclose(found.times, np.arange(COUNT) / 100)
    with pytest.raises(IndexError):
        found.tile(COUNT)


@pytest.mark.parametrize("sign", [1, -1])
def test_nibabel_puts_the_tiles_of_a_made_up_mosaic_at_the_same_places(sign: int) -> None:
    dataset = _siemens(sign)
    theirs = MosaicWrapper(dataset).affine
    expected = [(theirs @ [0, 0, k, 1])[:3] for k in range(COUNT)]
    np.testing.assert_allclose(_of(dataset).positions, expected, atol=1e-6)


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("reversed_protocol", [False, True])
@pytest.mark.parametrize("count", [False, True])
def test_the_protocol_places_the_tiles_where_the_image_header_is_gone(
    sign: int, reversed_protocol: bool, count: bool
) -> None:
    centres = _positions(sign) + COSINES[:3] * 9 + COSINES[3:] * 25
    protocol = _protocol(centres[::-1] if reversed_protocol else centres)
    dataset = _anonymised(_siemens(), protocol, count=count)
    np.testing.assert_allclose(_of(dataset).positions, _positions(sign), atol=1e-6)
    del dataset.SpacingBetweenSlices
    np.testing.assert_allclose(_of(dataset).positions, _positions(sign), atol=1e-6)


def test_a_protocol_that_is_not_of_these_tiles_tells_no_direction() -> None:
    places = _positions(1)
    lost = _protocol(places).replace("asSlice[6].sPosition.dTra", "asSlice[6].sPosition")
    for other in (_protocol(places + 40 * NORMAL), _protocol(FIRST + (places - FIRST) * 1.5), lost):
        with pytest.raises(GeometryError, match="SliceNormalVector"):
            mosaic(Attributes.of(_anonymised(_siemens(), other)))


def test_without_a_direction_it_is_refused_and_guessed_only_on_request() -> None:
    dataset = _anonymised(_siemens())
    with pytest.raises(GeometryError, match="whether the tiles go up or down"):
        mosaic(Attributes.of(dataset))
    guessed = mosaic(Attributes.of(dataset), usual_order=True)
    assert guessed is not None
    assert "guess" in guessed.order
    usual = 1 if NORMAL[np.argmax(np.abs(NORMAL))] > 0 else -1
    np.testing.assert_allclose(guessed.positions, _positions(usual), atol=1e-6)


@pytest.mark.parametrize(
    ("keyword", "named"),
    [
        ("ImagePositionPatient", "0020,0032"),
        ("ImageOrientationPatient", "0020,0037"),
        ("PixelSpacing", "0028,0030"),
        ("SpacingBetweenSlices", "0018,0088"),
    ],
)
def test_what_is_missing_is_named(keyword: str, named: str) -> None:
    dataset = _siemens()
    del dataset[keyword]
    with pytest.raises(GeometryError, match=named):
        mosaic(Attributes.of(dataset))


def test_a_mosaic_of_which_nothing_counts_the_tiles_is_refused() -> None:
    with pytest.raises(UnsupportedError, match=r"\(0019,xx0A\)"):
        mosaic(Attributes.of(_anonymised(_siemens(), count=False)))


@pytest.mark.parametrize(
    ("csa", "message"),
    [
        ({"SliceNormalVector": ["1", "0", "0"]}, "degrees off"),
        ({"NumberOfImagesInMosaic": ["17"]}, "do not divide"),
        ({"NumberOfImagesInMosaic": ["100000"]}, "makes no sense"),
        ({"NumberOfImagesInMosaic": ["-4"]}, "makes no sense"),
    ],
)
def test_a_header_that_contradicts_itself_is_refused(csa: dict[str, list[str]], message: str) -> None:
    with pytest.raises(GeometryError, match=message):
        mosaic(Attributes.of(_siemens(**csa)))
    dataset = _siemens()
    dataset.private_block(0x0019, "SIEMENS MR HEADER", create=True).add_new(0x0A, "US", 9)
    with pytest.raises(GeometryError, match="differently"):
        mosaic(Attributes.of(dataset))


def test_ordinary_images_are_none_whatever_word_is_left_in_image_type() -> None:
    plain = _anonymised(_siemens(), count=False)
    plain.ImageType = ["ORIGINAL", "PRIMARY", "M"]
    assert mosaic(Attributes.of(plain)) is None
    assert mosaic(Attributes.of(Dataset())) is None
    split = _siemens()
    split.NumberOfFrames = 7
    assert mosaic(Attributes.of(split)) is None
    single = _anonymised(_siemens(), _protocol(_positions(1)), count=False)
    single.AcquisitionMatrix = [0, 60, 36, 0]  # the acquisition fills the picture: one slice
    assert mosaic(Attributes.of(single)) is None


def _grid(count: int = 5) -> Dataset:
    dataset = Dataset()
    dataset.Modality, dataset.ImageType = "MR", ["ORIGINAL", "PRIMARY", "M", "VFRAME"]
    dataset.Rows, dataset.Columns = 2 * ROWS, 3 * COLUMNS
    dataset.PixelSpacing, dataset.ImageOrientationPatient = SPACING, COSINES.tolist()
    items = []
    for k in range(count):
        item = Dataset()
        item.ImagePositionPatient = (FIRST + k * STEP * NORMAL).tolist()
        item.AcquisitionDate, item.AcquisitionTime = "20200101", f"1200{k * 7 % 5:02d}.500000"
        items.append(item)
    block = dataset.private_block(0x0065, "Image Private Header", create=True)
    block.add_new(0x50, "DS", str(count))
    block.add_new(0x51, "SQ", Sequence(items))
    return dataset


def test_a_grid_lists_its_tiles() -> None:
    found = _of(_grid())
    assert (found.rows, found.columns, found.across, found.maker) == (ROWS, COLUMNS, 3, "UIH")
    np.testing.assert_allclose(found.positions, _positions(1)[:5], atol=1e-6)
    np.testing.assert_allclose(found.times, [0, 2, 4, 1, 3], atol=1e-5)


def test_a_grid_without_its_list_or_with_a_wrong_one_is_refused() -> None:
    for change, message in (
        (lambda items, dataset: dataset.remove_private_tags(), "0065,xx51"),
        (lambda items, dataset: items.pop(), "5 tiles in this grid and 4 positions"),
        (lambda items, dataset: items[2].pop("ImagePositionPatient"), "1 of 5 tiles"),
        (
            lambda items, dataset: setattr(items[2], "ImageOrientationPatient", [1, 0, 0, 0, 1, 0]),
            "different",
        ),
    ):
        dataset = _grid()
        change(dataset[0x0065, 0x1051].value, dataset)
        with pytest.raises(DicomLabError, match=message):
            mosaic(Attributes.of(dataset))


@pytest.mark.parametrize("name", ["siemens_dwi_0.dcm.gz", "siemens_dwi_1000.dcm.gz"])
def test_a_scanners_mosaic_and_its_gradient_are_where_nibabel_says(name: str) -> None:
    with gzip.open(Path(nibabel.nicom.__file__).parent / "tests" / "data" / name) as stream:
        dataset = pydicom.dcmread(stream, stop_before_pixels=True)
    theirs, found = MosaicWrapper(dataset), _of(dataset)
    assert found.count == theirs.n_mosaic
    expected = [(theirs.affine @ [0, 0, k, 1])[:3] for k in range(found.count)]
    np.testing.assert_allclose(found.positions, expected, atol=1e-3)
    weighting = diffusion(Attributes.of(dataset))
    assert weighting is not None
    if name.startswith("siemens_dwi_0"):
        assert (weighting.b_value, weighting.b_vector) == (0, None)
    else:
        assert weighting.b_value == 1000
        # nibabel takes the gradient from the b-matrix, in the axes of the voxels.
        gradient = theirs.rotation_matrix @ theirs.q_vector
        assert abs(weighting.b_vector @ gradient / np.linalg.norm(gradient)) > 0.999


def _real_mosaics(folder: Path) -> list[Mosaic]:
    instances = [read_instance(ref) for ref in list_files(folder, lambda *_: None) if _is_dicom(ref.path)]
    return [found for instance in instances if (found := mosaic(instance)) is not None]


def _is_dicom(path: Path) -> bool:
    with path.open("rb") as stream:
        return stream.read(132)[128:] == b"DICM"


@real
@pytest.mark.parametrize(
    "name",
    [
        "mr-fmri-mosaic-ax/axasc35",
        "mr-fmri-mosaic-ax/axdesc35",
        "mr-fmri-mosaic-ax/axint36",
        "mr-epi4d-ge/si_mr_0003",
        "mr-dti-uih-ap",
    ],
)
def test_real_tiles_are_where_the_reference_says(name: str) -> None:
    case = json.loads((SHARED / "truth.json").read_text())["series"][name]
    truth = case["ref"] if case.get("ref") else case["upstream_nifti"][0]
    times, slices = truth["shape"][:2]
    found = _real_mosaics(shared_data() / name)
    assert len(found) == times
    for one in found:
        assert [one.count, one.rows, one.columns] == truth["shape"][1:]
        expected = np.array(truth["affine"]["origin"]) + np.arange(slices)[:, None] * truth["affine"]["col_k"]
        np.testing.assert_allclose(one.positions, expected, atol=0.001)
        assert one.times is not None


@real
@pytest.mark.parametrize("form", ["siemens_fmri_mosaic", "siemens_dti_mosaic"])
def test_real_anonymised_mosaics_are_placed_on_the_slices_of_their_protocol(form: str) -> None:
    from dicomlab.read.csa import protocol_slices

    folder = shared_data() / "mr-dicom2nifti-a" / form
    for one in _real_mosaics(folder):
        planned = protocol_slices(Attributes.of(pydicom.dcmread(sorted(folder.glob("*.dcm"))[0])))
        assert planned is not None
        middle = one.positions + one.cosines[:3] * one.pixel_spacing[1] * one.columns / 2
        middle = middle + one.cosines[3:] * one.pixel_spacing[0] * one.rows / 2
        # These were stored from head to feet, the reverse of the protocol, as its ucImageNumbTra says as well.
        np.testing.assert_allclose(middle, planned[::-1], atol=0.01)


@real
def test_slice_times_equal_those_of_dcm2niix(tmp_path: Path) -> None:
    import subprocess

    import dcm2niix

    for name in ("mr-fmri-mosaic-ax/axint36", "mr-dti-uih-ap"):
        source, output = tmp_path / name.replace("/", "-"), tmp_path / ("out" + name.replace("/", "-"))
        source.mkdir()
        output.mkdir()
        for path in sorted((shared_data() / name).iterdir()):
            if path.is_file() and _is_dicom(path):
                (source / path.name).symlink_to(path)
        command = [dcm2niix.bin, "-z", "n", "-b", "y", "-f", "out", "-o", str(output), str(source)]
        subprocess.run(command, check=True, capture_output=True)
        expected = json.loads((output / "out.json").read_text())["SliceTiming"]
        found = _real_mosaics(source)[0].times
        assert found is not None
        # dcm2niix holds 135742.249 in single precision, which steps by 1/64.
        np.testing.assert_allclose(found, expected, atol=1 / 64)
        assert found.min() == 0
