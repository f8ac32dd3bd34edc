"""Images without a place in the patient: mm where the standard gives them, the plane they hold in, and pixels otherwise."""

from __future__ import annotations

import base64
import io
import re
import warnings
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pydicom
import pytest
import xarray as xr
from flat_support import instances, item, picture, save
from pydicom.dataset import Dataset
from support import SHARED, shared_data

import dicomlab
from dicomlab import find_series, load_volume
from dicomlab.errors import DicomLabError, DicomLabWarning, FaultError, GeometryError, UnsupportedError
from dicomlab.flat import ImagePlane, make_flat
from dicomlab.read.elements import Attributes
from dicomlab.read.flat_layout import flat_key, is_flat_instance
from dicomlab.read.nuclear import nm_positions, nuclear_axes
from dicomlab.read.projection import image_plane, one_plane

GREY = np.arange(4 * 6, dtype=np.uint16).reshape(4, 6)


def plane_of(**attributes: Any) -> ImagePlane:
    return image_plane(Attributes.of(item(**attributes)))


def load(path: Path, made: Dataset) -> xr.DataArray:
    return load_volume(save(path / "image.dcm", made), progress=False)


# PS3.3 10.7.1: attributes -> the plane, and the mm that hold there
PLANES = [
    ({"ImagerPixelSpacing": [0.2, 0.1]}, "detector", (0.2, 0.1)),
    ({"ImagerPixelSpacing": [0.2, 0.1], "PixelSpacing": [0.2, 0.1]}, "detector", (0.2, 0.1)),
    # the same number with other digits is no calibration
    (
        {"ImagerPixelSpacing": [0.143, 0.143], "PixelSpacing": ["0.1430001", "0.143"]},
        "detector",
        (0.143, 0.143),
    ),
    ({"ImagerPixelSpacing": [0.2, 0.1], "PixelSpacing": [0.18, 0.09]}, "calibrated", (0.18, 0.09)),
    (
        {
            "ImagerPixelSpacing": [0.2, 0.2],
            "PixelSpacing": [0.2, 0.2],
            "PixelSpacingCalibrationType": "FIDUCIAL",
        },
        "calibrated",
        (0.2, 0.2),
    ),
    ({"PixelSpacing": [0.2, 0.1], "PixelSpacingCalibrationType": "GEOMETRY"}, "calibrated", (0.2, 0.1)),
    ({"PixelSpacing": [0.2, 0.1]}, "stated", (0.2, 0.1)),
    ({"NominalScannedPixelSpacing": [0.17, 0.17]}, "scanned", (0.17, 0.17)),
    (
        {"ImagerPixelSpacing": [0.2, 0.1], "EstimatedRadiographicMagnificationFactor": 1.25},
        "detector",
        (0.2, 0.1),
    ),
    ({}, "pixels", None),
    ({"ImagerPixelSpacing": [0, 0]}, "pixels", None),
    ({"PixelSpacing": [0.2, -0.1]}, "pixels", None),
    (
        {"FramePixelDataPropertiesSequence": [item(ImagerPixelSpacing=[0.3, 0.3])]},
        "detector",
        (0.3, 0.3),
    ),
]


@pytest.mark.parametrize(("attributes", "name", "spacing"), PLANES)
def test_the_attributes_decide_in_which_plane_the_millimetres_hold(
    attributes: dict[str, Any], name: str, spacing: tuple[float, float] | None
) -> None:
    plane = plane_of(**attributes)
    assert (plane.name, plane.pixel_spacing) == (name, spacing)
    assert plane.units == ("pixel" if spacing is None else "mm")
    keywords = [k for k in attributes if k.endswith("Spacing")]
    for keyword in keywords if spacing is not None else []:
        tag = pydicom.datadict.tag_for_keyword(keyword)
        assert tag is not None
        assert f"({tag >> 16:04X},{tag & 0xFFFF:04X})" in plane.explanation


def test_a_magnification_factor_is_told_and_never_applied() -> None:
    plane = plane_of(ImagerPixelSpacing=[0.2, 0.2], EstimatedRadiographicMagnificationFactor=1.25)
    assert plane.pixel_spacing == (0.2, 0.2)
    assert "1.25" in plane.explanation
    assert "not applied" in plane.explanation


def test_pixels_that_are_not_square_keep_their_shape_and_their_numbers(tmp_path: Path) -> None:
    image = load(tmp_path, picture("XA", GREY, PixelAspectRatio=[4, 3]))
    plane = image.dicom.image_plane
    assert plane.name == "pixels"
    assert plane.aspect == pytest.approx(4 / 3)
    np.testing.assert_array_equal(image.row, [0, 1, 2, 3])  # a row is still found by its number
    assert image.row.attrs["units"] == "pixel"


def test_frames_that_differ_in_their_spacing_have_no_common_millimetre() -> None:
    near, far = (plane_of(ImagerPixelSpacing=[x, x]) for x in (0.2, 0.3))
    assert one_plane([near, near]) == near
    mixed = one_plane([near, far])
    assert mixed.name == "pixels"
    assert "0.2 x 0.2" in mixed.explanation
    assert "0.3 x 0.3" in mixed.explanation


def test_a_radiograph_has_rows_and_columns_in_mm_at_the_detector(tmp_path: Path) -> None:
    image = load(tmp_path, picture("DX", GREY, ImagerPixelSpacing=[0.2, 0.1], ViewPosition="PA"))
    assert image.dims == ("row", "column")
    np.testing.assert_array_equal(image, GREY)
    np.testing.assert_allclose(image.row, [0, 0.2, 0.4, 0.6])
    np.testing.assert_allclose(image.column, np.arange(6) * 0.1)
    assert image.image_plane.item() == "detector"
    assert "frame_of_reference" not in image.coords
    assert image.attrs["ViewPosition"] == "PA"
    assert image.dicom.spacing == (0.2, 0.1)
    assert image[::2, 3:].dicom.spacing == (0.4, 0.1)
    assert image[1].dicom.spacing == (0.2, 0.1)


@pytest.mark.parametrize("ask", ["affine", "affine_ras", "origin", "direction", "plane", "geometry"])
def test_an_image_without_a_place_says_why_it_has_no(tmp_path: Path, ask: str) -> None:
    image = load(tmp_path, picture("DX", GREY, ImagerPixelSpacing=[0.2, 0.1]))
    with pytest.raises(GeometryError, match=r"no place in the patient.*Imager Pixel Spacing \(0018,1164\)"):
        getattr(image.dicom, ask)


def test_an_image_of_pixels_says_why_it_has_no_spacing(tmp_path: Path) -> None:
    image = load(tmp_path, picture("CR", GREY))
    with pytest.raises(GeometryError, match=r"neither Pixel Spacing \(0028,0030\)"):
        _ = image.dicom.spacing


def test_a_volume_has_no_image_plane() -> None:
    from dicomlab import make_volume

    volume = make_volume(np.zeros((2, 3, 4)), affine=np.eye(4))
    with pytest.raises(GeometryError, match="no coordinate image_plane"):
        _ = volume.dicom.image_plane


def test_a_flat_image_describes_itself(tmp_path: Path) -> None:
    image = load(tmp_path, picture("DX", GREY, ImagerPixelSpacing=[0.2, 0.1]))
    for text in (repr(image.dicom), image.dicom._repr_html_()):
        assert "4 × 6 (row, column)" in text
        assert "detector" in text
        assert "0.2 × 0.1 mm" in text


def test_a_flat_image_survives_a_netcdf_file(tmp_path: Path) -> None:
    pytest.importorskip("scipy")
    image = load(tmp_path, picture("DX", GREY, ImagerPixelSpacing=[0.2, 0.1]))
    image.rename("dx").to_netcdf(tmp_path / "image.nc", engine="scipy")
    with xr.open_dataarray(tmp_path / "image.nc", engine="scipy") as again:
        assert again.dicom.image_plane == image.dicom.image_plane
        assert again.dicom.spacing == image.dicom.spacing


def test_colours_lie_along_an_axis_of_their_own(tmp_path: Path) -> None:
    rgb = np.arange(4 * 6 * 3, dtype=np.uint8).reshape(4, 6, 3)
    image = load(tmp_path, picture("SC", rgb))
    assert image.dims == ("row", "column", "sample")
    np.testing.assert_array_equal(image.sel(sample="green"), rgb[..., 1])
    assert image.dtype == np.uint8


def test_values_pass_the_modality_lut_and_monochrome1_changes_none(tmp_path: Path) -> None:
    made = picture("CR", GREY, RescaleSlope=2, RescaleIntercept=-3, PhotometricInterpretation="MONOCHROME1")
    np.testing.assert_array_equal(load(tmp_path, made), GREY.astype(int) * 2 - 3)


def test_two_views_of_one_series_are_two_images(tmp_path: Path) -> None:
    for number in (1, 2):
        save(tmp_path / f"{number}.dcm", picture("DX", GREY, InstanceNumber=number))
    one, other = instances(tmp_path)
    assert flat_key(one) != flat_key(other)


def test_what_owes_a_position_and_has_none_is_no_flat_image(tmp_path: Path) -> None:
    kinds = {
        kind: instances(save(tmp_path / kind, picture(kind, GREY)))[0] for kind in ("CT", "CR", "SC", "US")
    }
    assert {kind for kind, one in kinds.items() if is_flat_instance(one)} == {"CR", "SC", "US"}
    placed = picture("SC", GREY, ImagePositionPatient=[0, 0, 0], ImageOrientationPatient=[1, 0, 0, 0, 1, 0])
    assert not is_flat_instance(instances(save(tmp_path / "placed", placed))[0])


def test_more_frames_than_bytes_are_refused_before_memory_is_asked_for(tmp_path: Path) -> None:
    made = picture("XA", GREY[None], frames=True, NumberOfFrames=2_000_000_000)
    with pytest.raises(FaultError, match="Number of Frames"):
        load(tmp_path, made)


def test_a_header_that_names_any_number_of_frames_is_listed_at_once(tmp_path: Path) -> None:
    made = picture("XA", GREY[None], frames=True, NumberOfFrames=2_000_000_000)
    del made.PixelData
    (series,) = find_series(save(tmp_path / "image.dcm", made), progress=False)
    assert "missing_pixel_data" in repr([finding.code for finding in series.findings])
    with pytest.raises(FaultError):
        load_volume(series, progress=False)


def test_frames_without_any_pixel_data_are_an_error_whatever_the_user_keeps(tmp_path: Path) -> None:
    made = picture("XA", FRAMES, frames=True, FrameTime=40)
    del made.PixelData
    path = save(tmp_path / "image.dcm", made)
    for on_fault in (None, "keep"):
        with pytest.raises(FaultError):
            load_volume(path, on_fault=on_fault, progress=False)


def test_a_frame_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FaultError):
        load(tmp_path, picture("XA", np.stack([GREY, GREY]), frames=True, NumberOfFrames=5))


def test_make_flat_refuses_what_is_no_image() -> None:
    plane = ImagePlane("pixels", "none")
    for shape, dims in (((3,), ()), ((2, 3, 4), ()), ((2, 3, 4, 2), ("time",))):
        with pytest.raises(GeometryError, match="shape"):
            make_flat(np.zeros(shape), plane=plane, dims=dims)
    with pytest.raises(GeometryError, match="image plane"):
        make_flat(np.zeros((3, 4)), plane=ImagePlane("patient", "no"))
    with pytest.raises(GeometryError, match="positive"):
        make_flat(np.zeros((3, 4)), plane=ImagePlane("detector", "no", (0.0, 1.0)))


# -- frames -----------------------------------------------------------------------------------------------------------

FRAMES = np.arange(5 * 4 * 6, dtype=np.uint8).reshape(5, 4, 6)
TIME, VECTOR = 0x00181063, 0x00181065

# attributes -> the axis, and its labels by PS3.3 C.7.6.5
AXES = [
    ({"FrameIncrementPointer": TIME, "FrameTime": 40}, "time", [0, 0.04, 0.08, 0.12, 0.16]),
    (
        {"FrameIncrementPointer": TIME, "FrameTime": 40, "FrameDelay": 1000},
        "time",
        [1, 1.04, 1.08, 1.12, 1.16],
    ),
    (
        {"FrameIncrementPointer": VECTOR, "FrameTimeVector": [0, 10, 20, 30, 40]},
        "time",
        [0, 0.01, 0.03, 0.06, 0.1],
    ),
    # what stands first belongs to no interval
    (
        {"FrameIncrementPointer": VECTOR, "FrameTimeVector": [99, 10, 20, 30, 40]},
        "time",
        [0, 0.01, 0.03, 0.06, 0.1],
    ),
    ({"FrameIncrementPointer": VECTOR, "FrameTimeVector": [0, 10, 20]}, "frame", [0, 1, 2, 3, 4]),
    ({"FrameTime": 40}, "time", [0, 0.04, 0.08, 0.12, 0.16]),
    ({"CineRate": 10}, "time", [0, 0.1, 0.2, 0.3, 0.4]),
    ({"RecommendedDisplayFrameRate": 10}, "frame", [0, 1, 2, 3, 4]),
    ({"FrameIncrementPointer": 0x00182001, "FrameTime": 40}, "frame", [0, 1, 2, 3, 4]),
    ({}, "frame", [0, 1, 2, 3, 4]),
]


@pytest.mark.parametrize(("attributes", "dim", "labels"), AXES)
def test_frames_follow_each_other_in_time_where_the_file_says_so(
    tmp_path: Path, attributes: dict[str, Any], dim: str, labels: list[float]
) -> None:
    image = load(tmp_path, picture("XA", FRAMES, frames=True, **attributes))
    assert image.dims == (dim, "row", "column")
    np.testing.assert_allclose(image[dim], labels)
    np.testing.assert_array_equal(image, FRAMES)
    assert image[dim].attrs["source"]


def nuclear(**attributes: Any) -> Attributes:
    return Attributes.of(item(Modality="NM", **attributes))


def test_nuclear_frames_form_the_axes_that_their_vectors_number() -> None:
    window = [
        item(
            EnergyWindowName=name,
            EnergyWindowRangeSequence=[item(EnergyWindowLowerLimit=low, EnergyWindowUpperLimit=high)],
        )
        for name, low, high in (("Tc99m", 126, 154), ("scatter", 100, 120))
    ]
    views = [
        item(ViewCodeSequence=[item(CodeMeaning=meaning)], StartAngle=angle)
        for meaning, angle in (("anterior", 180), ("posterior", 0))
    ]
    # frames in no order: window, detector, view
    listed = [(w, d, v) for v in (2, 1, 3) for d in (2, 1) for w in (1, 2)]
    found = nuclear_axes(
        nuclear(
            EnergyWindowVector=[w for w, _, _ in listed],
            DetectorVector=[d for _, d, _ in listed],
            AngularViewVector=[v for _, _, v in listed],
            EnergyWindowInformationSequence=window,
            DetectorInformationSequence=views,
            RotationInformationSequence=[item(StartAngle=0, AngularStep=5, RotationDirection="CW")],
        ),
        12,
    )
    assert found is not None
    assert found.dims == ("energy_window", "detector", "angular_view")
    assert found.shape == (2, 2, 3)
    expected = [(w, d, v) for w in (1, 2) for d in (1, 2) for v in (1, 2, 3)]
    assert [listed[k] for k in found.order] == expected
    assert found.coords["energy_window"].values.tolist() == ["Tc99m", "scatter"]
    assert found.coords["energy_lower"].values.tolist() == [126, 100]
    assert found.coords["energy_upper"].values.tolist() == [154, 120]
    assert found.coords["view"].values.tolist() == ["anterior", "posterior"]
    # clockwise: angles fall; each detector starts where it stands
    assert found.coords["angle"].dims == ("detector", "angular_view")
    np.testing.assert_allclose(found.coords["angle"], [[180, 175, 170], [0, 355, 350]])


def test_dynamic_nuclear_frames_stand_along_time_through_all_phases() -> None:
    found = nuclear_axes(
        nuclear(
            PhaseVector=[1, 1, 1, 2, 2],
            TimeSliceVector=[1, 2, 3, 1, 2],
            PhaseInformationSequence=[
                item(PhaseDelay=0, ActualFrameDuration=1000, PauseBetweenFrames=100, NumberOfFramesInPhase=3),
                item(
                    PhaseDelay=500, ActualFrameDuration=10000, PauseBetweenFrames=0, NumberOfFramesInPhase=2
                ),
            ],
        ),
        5,
    )
    assert found is not None
    assert found.dims == ("time",)
    # three frames of 1 s with 0.1 s between, 0.5 s of pause, then frames of 10 s
    np.testing.assert_allclose(found.coords["time"], [0, 1.1, 2.2, 3.7, 13.7])
    assert found.coords["phase"].values.tolist() == [1, 1, 1, 2, 2]


def test_nuclear_frames_that_form_no_full_product_are_refused_and_named() -> None:
    with pytest.raises(UnsupportedError, match=r"3 frames where 2 x 2 .*energy_window 2, detector 2"):
        nuclear_axes(nuclear(EnergyWindowVector=[1, 1, 2], DetectorVector=[1, 2, 1]), 3)
    with pytest.raises(UnsupportedError, match="frames 1 and 3 are both"):
        nuclear_axes(nuclear(EnergyWindowVector=[1, 2, 1]), 3)
    with pytest.raises(UnsupportedError, match="2 values for 3 frames"):
        nuclear_axes(nuclear(EnergyWindowVector=[1, 2]), 3)


def recon(step: float | None, **changes: Any) -> Attributes:
    detector = item(ImagePositionPatient=[-100, -90, 50], ImageOrientationPatient=[1, 0, 0, 0, 1, 0])
    attributes: dict[str, Any] = {
        "ImageType": ["ORIGINAL", "PRIMARY", "RECON TOMO", "EMISSION"],
        "SliceVector": [1, 2, 3],
        "DetectorInformationSequence": [detector],
        "SpacingBetweenSlices": step,
    }
    return nuclear(**(attributes | changes))


@pytest.mark.parametrize(("step", "z"), [(4.0, [50, 54, 58]), (-4.0, [50, 46, 42])])
def test_reconstructed_nuclear_slices_are_stacked_towards_the_sign_of_their_spacing(
    step: float, z: list[float]
) -> None:
    positions = nm_positions(recon(step), 3)
    assert positions is not None
    np.testing.assert_allclose(positions, [[-100, -90, height] for height in z])


def test_frames_of_one_reconstructed_slice_share_its_position() -> None:
    positions = nm_positions(recon(4.0, SliceVector=[3, 1, 3]), 3)
    assert positions is not None
    np.testing.assert_allclose(positions[:, 2], [58, 50, 58])


@pytest.mark.parametrize(
    "changes",
    [
        {"ImageType": ["ORIGINAL", "PRIMARY", "TOMO", "EMISSION"]},
        {"SpacingBetweenSlices": None},
        {"DetectorInformationSequence": [item(ImagePositionPatient=[0, 0, 0])]},
        {"SliceVector": [1, 2]},
    ],
)
def test_nuclear_frames_of_unknown_place_get_none(changes: dict[str, Any]) -> None:
    assert nm_positions(recon(4.0, **changes), 3) is None


def test_a_reconstructed_nuclear_image_is_a_volume_in_the_patient(tmp_path: Path) -> None:
    detector = item(ImagePositionPatient=[-100, -90, 50], ImageOrientationPatient=[1, 0, 0, 0, 1, 0])
    made = picture(
        "NM",
        FRAMES[:3],
        frames=True,
        ImageType=["ORIGINAL", "PRIMARY", "RECON TOMO", "EMISSION"],
        FrameIncrementPointer=0x00540080,
        SliceVector=[1, 2, 3],
        DetectorInformationSequence=[detector],
        SpacingBetweenSlices=-4,
        PixelSpacing=[2, 3],
        FrameOfReferenceUID="1.2.3.5",
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DicomLabWarning)
        volume = load(tmp_path, made)
    assert volume.dims == ("slice", "row", "column")
    np.testing.assert_allclose(volume.slice, [42, 46, 50])
    np.testing.assert_array_equal(volume, FRAMES[[2, 1, 0]])
    np.testing.assert_allclose(volume.dicom.lps([2, 1, 1]), [-97, -88, 50])


def test_a_gated_reconstruction_has_its_time_slots_and_windows_as_axes(tmp_path: Path) -> None:
    detector = item(ImagePositionPatient=[0, 0, 50], ImageOrientationPatient=[1, 0, 0, 0, 1, 0])
    stored = np.arange(12 * 4 * 6, dtype=np.uint16).reshape(12, 4, 6)
    made = picture(
        "NM",
        stored,
        frames=True,
        ImageType=["ORIGINAL", "PRIMARY", "RECON GATED TOMO", "EMISSION"],
        EnergyWindowVector=[1] * 6 + [2] * 6,
        TimeSlotVector=[1, 1, 1, 2, 2, 2] * 2,
        SliceVector=[1, 2, 3] * 4,
        DetectorInformationSequence=[detector],
        SpacingBetweenSlices=4,
        PixelSpacing=[2, 3],
        FrameOfReferenceUID="1.2.3.5",
    )
    volume = load(tmp_path, made)
    assert volume.dims == ("energy_window", "time_slot", "slice", "row", "column")
    np.testing.assert_array_equal(volume, stored.reshape(2, 2, 3, 4, 6))
    np.testing.assert_allclose(volume.slice, [50, 54, 58])


def test_a_planar_nuclear_image_has_the_axes_of_its_vectors(tmp_path: Path) -> None:
    image = load(
        tmp_path,
        picture(
            "NM",
            FRAMES[:4],
            frames=True,
            EnergyWindowVector=[1, 2, 1, 2],
            DetectorVector=[1, 1, 2, 2],
            PixelSpacing=[2, 3],
        ),
    )
    assert image.dims == ("energy_window", "detector", "row", "column")
    np.testing.assert_array_equal(image.sel(energy_window=2, detector=1), FRAMES[1])
    np.testing.assert_array_equal(image.sel(energy_window=1, detector=2), FRAMES[2])
    assert image.image_plane.item() == "stated"


# -- pictures ---------------------------------------------------------------------------------------------------------


def test_a_flat_image_is_shown_in_true_proportions(tmp_path: Path) -> None:
    made = picture("DX", GREY, ImagerPixelSpacing=[0.2, 0.1], WindowCenter=12, WindowWidth=24)
    image = load(tmp_path, made)
    ax = dicomlab.show(image)
    (shown,) = ax.images
    # borders of the pixels in mm: half a pixel beyond the outer centres
    np.testing.assert_allclose(shown.get_extent(), (-0.05, 0.55, 0.7, -0.1))
    assert ax.get_aspect() == 1
    assert ax.get_xlabel() == "column (mm, detector)"
    expected = np.floor(np.clip((GREY - 11.5) / 23 + 0.5, 0, 1) * 255 + 0.5)  # PS3.3 C.11.2.1.2
    np.testing.assert_array_equal(shown.get_array(), expected)
    plt.close("all")


def test_monochrome1_is_shown_inverted_and_colours_as_they_are(tmp_path: Path) -> None:
    bright = load(
        tmp_path, picture("CR", GREY, PhotometricInterpretation="MONOCHROME1", PixelAspectRatio=[4, 3])
    )
    ax = dicomlab.show(bright, window=(12, 24))
    assert ax.images[0].get_array()[0, 0] == 255
    assert ax.get_aspect() == pytest.approx(4 / 3)
    rgb = np.arange(4 * 6 * 3, dtype=np.uint8).reshape(4, 6, 3)
    np.testing.assert_array_equal(
        dicomlab.show(load(tmp_path, picture("SC", rgb))).images[0].get_array(), rgb
    )
    plt.close("all")


def test_show_says_what_it_needs_of_a_flat_image(tmp_path: Path) -> None:
    cine = load(tmp_path, picture("XA", FRAMES, frames=True, FrameTime=40))
    with pytest.raises(GeometryError, match=r"isel\(time=0\)"):
        dicomlab.show(cine)
    with pytest.raises(GeometryError, match="leave out plane"):
        dicomlab.show(cine[0], plane="axial")
    for view in (dicomlab.orthoview, dicomlab.montage, dicomlab.browse):
        with pytest.raises(GeometryError, match="no place in the patient"):
            view(cine)
    with pytest.raises(DicomLabError, match="here time"):
        load_volume(tmp_path, dims=["EchoTime"], progress=False)


@pytest.mark.parametrize(
    ("kind", "attributes", "has"),
    [
        ("DX", {}, True),
        ("DX", {"BurnedInAnnotation": "YES"}, False),
        ("US", {}, False),
        ("SC", {}, False),
        ("US", {"BurnedInAnnotation": "NO"}, True),
    ],
)
def test_the_card_of_a_series_shows_no_picture_that_may_hold_a_name(
    tmp_path: Path, kind: str, attributes: dict[str, Any], has: bool
) -> None:
    (series,) = find_series(save(tmp_path / "a.dcm", picture(kind, GREY, **attributes)), progress=False)
    assert ("<img" in series._repr_html_()) is has


def test_the_table_of_series_tells_the_spacing_at_the_detector(tmp_path: Path) -> None:
    save(tmp_path / "a.dcm", picture("DX", GREY, ImagerPixelSpacing=[0.2, 0.1]))
    series = find_series(tmp_path, progress=False)
    (row,) = series.table.to_dict("records")
    assert (row["row_spacing"], row["column_spacing"], row["plane"]) == (0.2, 0.1, "detector")
    assert "0.2 × 0.1 mm" in repr(series)
    assert "?" not in repr(series)


def test_a_multi_frame_picture_has_the_mm_of_its_functional_groups(tmp_path: Path) -> None:
    made = picture("SC", np.stack([GREY, GREY]), frames=True, SOPClassUID="1.2.840.10008.5.1.4.1.1.7.3")
    made.SharedFunctionalGroupsSequence = [item(PixelMeasuresSequence=[item(PixelSpacing=[0.3, 0.2])])]
    made.PerFrameFunctionalGroupsSequence = [Dataset(), Dataset()]
    image = load(tmp_path, made)
    assert image.image_plane.item() == "stated"
    assert (image.row[1].item(), image.column[1].item()) == (0.3, 0.2)


@pytest.mark.parametrize("bits", [8, 10, 12, 16])
def test_colour_of_any_depth_is_shown_in_full_brightness(tmp_path: Path, bits: int) -> None:
    most = (1 << bits) - 1
    colour = np.full((8, 8, 3), most, np.uint8 if bits == 8 else np.uint16)
    colour[:4] = most // 4
    made = picture("SC", colour, BitsStored=bits, HighBit=bits - 1, BurnedInAnnotation="NO")
    image = load(tmp_path, made)
    np.testing.assert_array_equal(image.values, colour)
    shown = dicomlab.show(image).get_images()[0].get_array()
    plt.close("all")
    assert (shown[0, 0, 0], shown[-1, 0, 0]) == (63, 255)
    html = find_series(tmp_path, progress=False)[0]._repr_html_()
    encoded = re.search(r"base64,([^\"]+)", html)
    assert encoded is not None
    thumbnail = plt.imread(io.BytesIO(base64.b64decode(encoded.group(1))))
    assert thumbnail.max() == 1


# -- real files -------------------------------------------------------------------------------------------------------

real = pytest.mark.skipif(not (SHARED / "unpack.py").is_file(), reason=f"no real DICOM at {SHARED}")


@real
@pytest.mark.parametrize(
    ("file", "name", "keyword"),
    [
        ("seg-highdicom-a/dx_image.dcm", "detector", "ImagerPixelSpacing"),
        ("objects-misc-a/pr/CR000000.dcm", "detector", "ImagerPixelSpacing"),
        ("xr-a/OutOfBoundsOverlay.dcm", "detector", "ImagerPixelSpacing"),
        ("xr-a/KarstenHilbertRF.dcm", "pixels", None),
        ("xr-a/CR-MONO1-10-chest", "pixels", None),
        ("ts-wg04-a/NM1_UNC", "stated", "PixelSpacing"),
    ],
)
def test_real_radiographs_measure_what_their_tags_say(file: str, name: str, keyword: str | None) -> None:
    path = shared_data() / file
    header = pydicom.dcmread(path, force=True)
    if "TransferSyntaxUID" not in getattr(header, "file_meta", {}):
        header.ensure_file_meta()
        header.file_meta.TransferSyntaxUID = pydicom.uid.ImplicitVRLittleEndian
    if not header.get("PixelData"):
        assert is_flat_instance(instances(path)[0])
        return
    image = load_volume(path, progress=False)
    assert image.image_plane.item() == name
    if keyword is not None:
        down, across = (float(x) for x in header[keyword].value)
        np.testing.assert_allclose(np.diff(image.row), down)
        np.testing.assert_allclose(np.diff(image.column), across)
    if header.file_meta.TransferSyntaxUID.is_compressed:
        return  # decoding has tests of its own
    slope, intercept = float(header.get("RescaleSlope", 1)), float(header.get("RescaleIntercept", 0))
    np.testing.assert_array_equal(image.squeeze(), header.pixel_array * slope + intercept)


@real
def test_a_real_angiography_runs_in_time() -> None:
    path = shared_data() / "xr-a" / "HasFragmentSequence.dcm"
    image = load_volume(path, progress=False)
    assert image.sizes == {"time": 96, "row": 512, "column": 512}
    np.testing.assert_allclose(image.time, np.arange(96) * 33 / 1000)
    assert image.image_plane.item() == "pixels"
