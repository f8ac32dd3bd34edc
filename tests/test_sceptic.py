"""What a sceptical reader broke: steps that positions lack, twins that differ, clocks that lie, slices a few µm apart."""

import copy
from pathlib import Path

import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.tag import Tag
from pydicom.uid import generate_uid
from support import datasets, truth, write

from dicomlab import find_series, load_volume
from dicomlab.errors import AmbiguousSourceError, DicomLabError, FaultError
from dicomlab.read.stored import StoredImage

SLICES = 6


def _steps(count: int) -> list[list[Dataset]]:
    """`count` repetitions of one small series, each with pixels of its own; nothing but these tells them apart."""
    repeated = []
    for step in range(count):
        one = copy.deepcopy(datasets("MR"))
        for number, ds in enumerate(one):
            ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = generate_uid()
            ds.InstanceNumber = step * SLICES + number + 1
            ds.PixelData = np.full((ds.Rows, ds.Columns), 100 * (step + 1) + number, "<u2").tobytes()
            for keyword in ("AcquisitionTime", "AcquisitionDate", "AcquisitionNumber", "EchoTime"):
                if keyword in ds:
                    delattr(ds, keyword)
        repeated.append(one)
    return repeated


def _with_holes(**labels: list) -> list[Dataset]:
    """Three steps, of which the lower three positions lack the first and the upper three the last."""
    steps = _steps(3)
    for step, one in enumerate(steps):
        for ds in one:
            for keyword, values in labels.items():
                setattr(ds, keyword, values[step])
    return [*steps[0][3:], *steps[1], *steps[2][:3]]


@pytest.mark.parametrize(
    "labels",
    [
        {"TemporalPositionIdentifier": [1, 2, 3], "AcquisitionTime": ["100000", "100010", "100020"]},
        {"AcquisitionTime": ["100000", "100010", "100020"], "AcquisitionDate": ["20200101"] * 3},
        {"EchoTime": [5, 15, 25]},
    ],
)
def test_positions_that_lack_different_steps_are_never_matched_by_their_rank(
    tmp_path: Path, labels: dict[str, list]
) -> None:
    folder = write(tmp_path, _with_holes(**labels))
    with pytest.raises(FaultError, match="6 of the images are missing") as caught:
        load_volume(folder)
    assert "2020" not in str(caught.value)
    with pytest.warns(UserWarning, match="steps that lack images are left out"):
        whole = load_volume(folder, on_fault="repair")
    assert sorted(np.unique(whole.values)) == [200 + k for k in range(SLICES)]


@pytest.mark.parametrize("name", ["echo_time", "EchoTime"])
def test_an_axis_asked_for_by_name_mixes_no_steps_either(tmp_path: Path, name: str) -> None:
    with pytest.raises(
        DicomLabError, match=r"6 of the images are missing: 3 image\(s\) of \w+ 5, 3 image\(s\) of \w+ 25"
    ):
        load_volume(write(tmp_path, _with_holes(EchoTime=[5, 15, 25])), dims=[name])


def test_trigger_times_that_differ_by_rounding_are_still_matched_by_rank(tmp_path: Path) -> None:
    steps = _steps(3)
    for step, one in enumerate(steps):
        for number, ds in enumerate(one):
            ds.TriggerTime = [0, 33, 66 + number % 2][step]
    volume = load_volume(write(tmp_path, [ds for one in steps for ds in one]))
    np.testing.assert_array_equal(
        volume.values[:, :, 0, 0] // 100, np.repeat([[1], [2], [3]], SLICES, axis=1)
    )


def test_a_series_that_runs_past_midnight_without_dates_keeps_its_order(tmp_path: Path) -> None:
    steps = _steps(3)
    for time, one in zip(["235950", "000010", "000030"], steps, strict=True):
        for ds in one:
            ds.AcquisitionTime, ds.SeriesTime = time, "235940"
    volume = load_volume(write(tmp_path, [ds for one in steps for ds in one]))
    np.testing.assert_array_equal(volume.time, [0, 20, 40])
    np.testing.assert_array_equal(volume.values[:, 0, 0, 0] // 100, [1, 2, 3])


def test_a_clock_that_runs_backwards_at_some_positions_labels_no_steps(tmp_path: Path) -> None:
    steps = _steps(2)
    for step, one in enumerate(steps):
        for number, ds in enumerate(one):
            ds.TemporalPositionIdentifier = step + 1
            ds.AcquisitionTime = f"10{number:02d}{(step if number < 3 else 1 - step):02d}"
    volume = load_volume(write(tmp_path, [ds for one in steps for ds in one]))
    assert volume.dims[0] == "temporal_position"


def _enhanced(tmp_path: Path) -> Path:
    """Two moments at three positions, frames in disorder; only Dimension Index Values tell the moments apart."""
    ds = datasets("MR")[0]
    ds.SOPClassUID = ds.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.4.1"
    cosines, spacing = ds.ImageOrientationPatient, ds.PixelSpacing
    for keyword in ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "AcquisitionTime"):
        if keyword in ds:
            delattr(ds, keyword)
    del ds.SpacingBetweenSlices
    normal = np.cross(np.array(cosines[:3], float), np.array(cosines[3:], float))
    order = [(1, 2), (2, 1), (1, 1), (1, 3), (2, 3), (2, 2)]  # moment, position

    def item(**values: object) -> Sequence:
        inner = Dataset()
        for keyword, value in values.items():
            setattr(inner, keyword, value)
        return Sequence([inner])

    ds.DimensionIndexSequence = Sequence(
        [item(DimensionIndexPointer=Tag(k))[0] for k in ("TemporalPositionIndex", "InStackPositionNumber")]
    )
    shared = item(
        PixelMeasuresSequence=item(PixelSpacing=spacing),
        PlaneOrientationSequence=item(ImageOrientationPatient=cosines),
    )
    ds.SharedFunctionalGroupsSequence = shared
    ds.PerFrameFunctionalGroupsSequence = Sequence(
        [
            item(
                FrameContentSequence=item(DimensionIndexValues=list(pair)),
                PlanePositionSequence=item(
                    ImagePositionPatient=[round(x, 6) for x in 3.0 * pair[1] * normal]
                ),
            )[0]
            for pair in order
        ]
    )
    ds.NumberOfFrames = len(order)
    frames = [np.full((ds.Rows, ds.Columns), 10 * moment + place, "<u2") for moment, place in order]
    ds.PixelData = b"".join(frame.tobytes() for frame in frames)
    return write(tmp_path, [ds])


def test_dimension_index_values_order_frames_that_nothing_else_orders(tmp_path: Path) -> None:
    volume = load_volume(_enhanced(tmp_path))
    assert volume.dims[0] == "dimension_index"
    np.testing.assert_array_equal(volume.values[:, :, 0, 0], [[11, 12, 13], [21, 22, 23]])


@pytest.mark.parametrize("step", [0.004, 0.009])
def test_slices_of_microscopic_voxels_are_slices(tmp_path: Path, step: float) -> None:
    changed = datasets()
    for number, ds in enumerate(changed):
        ds.ImagePositionPatient = [0, 0, f"{number * step:.6f}"]
        ds.PixelSpacing = [step, step]
    volume = load_volume(write(tmp_path, changed))
    assert volume.shape == truth().values.shape
    np.testing.assert_allclose(volume.slice, np.arange(SLICES) * step, atol=1e-9)


def test_equal_pixels_that_mean_other_real_world_values_are_no_copies(tmp_path: Path) -> None:
    def mapping(slope: float) -> Sequence:
        one, unit = Dataset(), Dataset()
        one.RealWorldValueFirstValueMapped, one.RealWorldValueLastValueMapped = 0, 65535
        one.RealWorldValueSlope, one.RealWorldValueIntercept = slope, 0.0
        unit.CodeValue, unit.CodingSchemeDesignator, unit.CodeMeaning = "ms", "UCUM", "ms"
        one.MeasurementUnitsCodeSequence = Sequence([unit])
        return Sequence([one])

    changed = datasets("MR")
    twin = copy.deepcopy(changed[2])
    twin.SOPInstanceUID = twin.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    for ds in changed:
        ds.RealWorldValueMappingSequence = mapping(1.0)
    twin.RealWorldValueMappingSequence = mapping(3.0)
    with pytest.raises(FaultError, match="doubled_slice_differs"):
        load_volume(write(tmp_path, [*changed, twin]))


def test_a_localizer_that_would_fit_in_is_no_slice(tmp_path: Path) -> None:
    changed = datasets()
    extra = copy.deepcopy(changed[-1])
    extra.SOPInstanceUID = extra.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    extra.ImageType = ["ORIGINAL", "PRIMARY", "LOCALIZER"]
    extra.ImagePositionPatient = [*extra.ImagePositionPatient[:2], extra.ImagePositionPatient[2] + 60]
    folder = write(tmp_path, [*changed, extra])
    with pytest.raises(AmbiguousSourceError, match=r"1 image\(s\), localizers, lie among"):
        load_volume(folder)
    with pytest.warns(UserWarning, match="localizer_inside"):
        volume = load_volume(folder, on_fault="repair")
    np.testing.assert_array_equal(volume.values, truth().values)


def test_two_studies_under_one_series_uid_are_two_series(tmp_path: Path) -> None:
    changed = datasets()
    for ds in changed[::2]:
        ds.StudyInstanceUID = "1.2.3.4"
    assert [len(series.instances) for series in find_series(write(tmp_path, changed))] == [3, 3]


def test_listing_an_incomplete_series_reads_no_pixels(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = _steps(3)
    for step, one in enumerate(steps):
        for ds in one:
            ds.TemporalPositionIdentifier = step + 1
    folder = write(tmp_path, [ds for one in steps for ds in one][:-1])
    read: list[object] = []
    monkeypatch.setattr(StoredImage, "read", lambda self, *_: read.append(self))
    table = find_series(folder).table
    assert table["findings"].tolist() == ["incomplete_steps"]
    assert not read


def test_images_without_a_position_do_not_call_themselves_axial(tmp_path: Path) -> None:
    changed = datasets()
    del changed[0].ImagePositionPatient
    assert "no patient position" in repr(find_series(write(tmp_path, changed))[0].stacks[1])


def test_dims_may_name_an_attribute_that_a_listing_does_not_read(tmp_path: Path) -> None:
    steps = _steps(2)
    for step, one in enumerate(steps):
        for ds in one:
            ds.ReconstructionDiameter = [300, 200][step]
            ds.PatientID = "SECRET" + str(step)
    folder = write(tmp_path, [ds for one in steps for ds in one])
    volume = load_volume(folder, dims=["ReconstructionDiameter"])
    np.testing.assert_array_equal(volume.ReconstructionDiameter, [200, 300])
    np.testing.assert_array_equal(volume.values[:, 0, 0, 0] // 100, [2, 1])
    with pytest.raises(DicomLabError, match="who the patient is") as caught:
        load_volume(folder, dims=["PatientID"])
    assert "SECRET" not in str(caught.value)


def test_dims_that_are_no_names_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DicomLabError, match="found 3"):
        load_volume(write(tmp_path, datasets("MR")), dims=3)


def test_an_image_that_misses_in_a_product_of_two_axes_is_named_and_its_step_can_be_left_out(
    tmp_path: Path,
) -> None:
    steps = _steps(6)
    for step, one in enumerate(steps):
        for ds in one:
            ds.TemporalPositionIdentifier, ds.EchoTime = step // 2 + 1, [4, 10][step % 2]
    folder = write(tmp_path, [ds for one in steps for ds in one][:-1])
    with pytest.raises(
        FaultError, match=r"1 of the images are missing, for instance that of echo_time 10, time 3 "
    ):
        load_volume(folder)
    with pytest.warns(UserWarning, match="steps that lack images are left out"):
        volume = load_volume(folder, on_fault="repair")
    np.testing.assert_array_equal(volume.echo_time, [4, 10])
    np.testing.assert_array_equal(volume.temporal_position, [1, 2])
    np.testing.assert_array_equal(volume.values[:, :, 0, 0, 0] // 100, [[1, 2], [3, 4]])


def test_repeats_of_a_b_value_at_two_moments_are_not_mixed(tmp_path: Path) -> None:
    steps = _steps(6)
    for step, one in enumerate(steps):
        for ds in one:
            ds.TemporalPositionIdentifier, ds.DiffusionBValue = step // 3 + 1, [0.0, 500.0, 1000.0][step % 3]
    steps[1], steps[4] = (
        steps[1][3:],
        steps[4][:3],
    )  # of b = 500 the lower half is of the second moment, the upper of the first
    with pytest.raises(
        FaultError, match="6 of the images are missing, for instance that of b_value 500, time"
    ):
        load_volume(write(tmp_path, [ds for one in steps for ds in one]))
