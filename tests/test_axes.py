"""Extra axes: found where they make a full product, labelled with real values, and refused with what is missing otherwise."""

import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.uid import generate_uid
from support import datasets, truth, write

from dicomlab import DicomLabError, DicomLabWarning, find_series, load_volume
from dicomlab.errors import FaultError, UnsupportedError

SLICES = 6


def steps(*changes: dict[str, Any], offset: int = 1000) -> list[Dataset]:
    """The MR of the phantom once a step, each with its attributes; the values of step k are larger by k x `offset`."""
    found = []
    for k, change in enumerate(changes):
        for number, one in enumerate(datasets("MR")):
            one.SOPInstanceUID = one.file_meta.MediaStorageSOPInstanceUID = generate_uid()
            one.InstanceNumber = k * SLICES + number + 1
            for keyword, value in change.items():
                setattr(one, keyword, value(number) if callable(value) else value)
            pixels = np.frombuffer(one.PixelData, "<u2") + k * offset
            one.BitsStored, one.HighBit = 16, 15
            one.PixelData = pixels.astype("<u2").tobytes()
            found.append(one)
    return found


def loaded(folder: Path, sets: Sequence[Dataset], **options: Any) -> Any:
    rng = np.random.default_rng(0)
    return load_volume(write(folder, [sets[k] for k in rng.permutation(len(sets))]), **options)


def check(volume: Any, order: Sequence[int]) -> None:
    """Step `order[k]` of what was written is step k of the volume (its extra axes flattened)."""
    expected = truth("MR").values.astype(np.int64)
    found = volume.values.reshape(-1, *expected.shape)
    assert len(found) == len(order)
    for k, step in enumerate(order):
        np.testing.assert_array_equal(found[k], expected + step * 1000)
    np.testing.assert_allclose(volume.dicom.affine, truth("MR").affine, atol=1e-3)


def test_echoes_are_an_axis_in_milliseconds(tmp_path: Path) -> None:
    volume = loaded(tmp_path, steps({"EchoTime": "80"}, {"EchoTime": "10.5"}))
    assert volume.dims == ("echo_time", "slice", "row", "column")
    assert volume.echo_time.values.tolist() == [10.5, 80.0]
    assert volume.echo_time.attrs["units"] == "ms"
    assert "(0018,0081)" in volume.echo_time.attrs["source"]
    check(volume, [1, 0])


def test_two_attributes_that_vary_together_make_one_axis_that_knows_both(tmp_path: Path) -> None:
    volume = loaded(
        tmp_path, steps({"EchoTime": "10", "FlipAngle": "5"}, {"EchoTime": "20", "FlipAngle": "9"})
    )
    assert volume.dims[0] == "echo_time"
    assert volume.flip_angle.values.tolist() == [5.0, 9.0]
    check(volume, [0, 1])


def test_two_attributes_that_vary_freely_make_two_axes(tmp_path: Path) -> None:
    sets = steps(*({"InversionTime": i, "FlipAngle": f} for i in ("300", "50") for f in ("5", "9", "2")))
    volume = loaded(tmp_path, sets)
    assert volume.dims[:2] == ("inversion_time", "flip_angle")
    assert volume.flip_angle.values.tolist() == [2.0, 5.0, 9.0]
    assert volume.shape[:2] == (2, 3)
    check(volume, [5, 3, 4, 2, 0, 1])


def test_temporal_positions_are_labelled_with_the_seconds_of_their_acquisition(tmp_path: Path) -> None:
    def clock(start: float) -> Callable[[int], str]:
        return lambda number: f"1000{start + 0.1 * ((number * 2) % SLICES):09.6f}"

    volume = loaded(
        tmp_path,
        steps(*({"TemporalPositionIdentifier": k + 1, "AcquisitionTime": clock(2.5 * k)} for k in (0, 1, 2))),
    )
    assert volume.dims[0] == "time"
    np.testing.assert_allclose(volume.time, [0, 2.5, 5.0])
    assert volume.time.attrs["units"] == "s"
    check(volume, [0, 1, 2])


def test_temporal_positions_without_a_clock_are_numbers_and_no_time(tmp_path: Path) -> None:
    volume = loaded(tmp_path, steps(*({"TemporalPositionIdentifier": k} for k in (3, 1, 2))))
    assert volume.dims[0] == "temporal_position"
    assert volume.temporal_position.values.tolist() == [1, 2, 3]
    assert "units" not in volume.temporal_position.attrs
    check(volume, [1, 2, 0])


def test_acquisition_times_alone_order_the_images_of_each_position(tmp_path: Path) -> None:
    # Slices are taken one after the other, so no time is shared by two of them.
    volume = loaded(
        tmp_path,
        steps(
            *({"AcquisitionTime": lambda n, k=k: f"10{k:02}{n:02}.5", "InstanceNumber": 1} for k in (3, 1, 2))
        ),
    )
    assert volume.dims[0] == "time"
    np.testing.assert_allclose(volume.time, [0, 60, 120])
    check(volume, [1, 2, 0])


def test_midnight_between_two_times_does_not_turn_them_round(tmp_path: Path) -> None:
    late = {"AcquisitionDate": "20240228", "AcquisitionTime": "235959"}
    early = {"AcquisitionDate": "20240229", "AcquisitionTime": "000004"}
    volume = loaded(tmp_path, steps(early, late))
    np.testing.assert_allclose(volume.time, [0, 5])
    check(volume, [1, 0])


def test_trigger_times_are_a_time_in_seconds(tmp_path: Path) -> None:
    volume = loaded(tmp_path, steps(*({"TriggerTime": str(t)} for t in (300, 20, 160))))
    np.testing.assert_allclose(volume.time, [0.02, 0.16, 0.3])
    assert volume.time.attrs["source"].startswith("Trigger Time")
    check(volume, [1, 2, 0])


def test_slices_taken_at_other_times_than_the_label_of_their_step_keep_their_own(tmp_path: Path) -> None:
    def trigger(step: int) -> Callable[[int], str]:
        return lambda number: str(20 + 100 * step + 7 * number + step * number)

    volume = loaded(tmp_path, steps(*({"TriggerTime": trigger(k)} for k in range(3))))
    np.testing.assert_allclose(volume.time, [0.02, 0.12, 0.22])
    assert volume.slice_time.dims == ("time", "slice")
    expected = [[float(trigger(k)(n)) / 1000 for n in range(SLICES)] for k in range(3)]
    np.testing.assert_allclose(volume.slice_time, expected, atol=1e-6)
    check(volume, [0, 1, 2])
    even = loaded(tmp_path / "even", steps(*({"TriggerTime": str(t)} for t in (20, 160))))
    assert "slice_time" not in even.coords


def test_slice_times_count_from_where_their_axis_does(tmp_path: Path) -> None:
    volume = loaded(
        tmp_path,
        steps(*({"AcquisitionTime": lambda n, k=k: f"10{k:02}{(5 * n) % 6:02}.5"} for k in (1, 2, 3))),
    )
    np.testing.assert_allclose(volume.time, [0, 60, 120])
    np.testing.assert_allclose(
        volume.slice_time, [[60 * k + (5 * n) % 6 for n in range(SLICES)] for k in range(3)]
    )


def test_b_values_keep_the_order_of_acquisition_and_repeats(tmp_path: Path) -> None:
    vectors = {"x": [1.0, 0, 0], "y": [0, 0.6, 0.8]}
    plan = [("0", None), ("1000", "x"), ("0", None), ("1000", "y")]
    sets = steps(*({"DiffusionBValue": float(b)} for b, _ in plan))
    for k, (_, vector) in enumerate(plan):
        for one in sets[k * SLICES : (k + 1) * SLICES]:
            if vector:
                one.DiffusionGradientOrientation = vectors[vector]
    volume = loaded(tmp_path, sets)
    assert volume.dims[0] == "b_value"
    assert volume.b_value.values.tolist() == [0, 1000, 0, 1000]
    found = np.stack([volume[f"b_vector_{axis}"] for axis in "xyz"], axis=1)
    np.testing.assert_allclose(found[[1, 3]], [vectors["x"], vectors["y"]])
    assert np.isnan(found[[0, 2]]).all()
    check(volume, [0, 1, 2, 3])


def test_magnitude_and_phase_are_components(tmp_path: Path) -> None:
    kinds = (["ORIGINAL", "PRIMARY", "P", "ND"], ["ORIGINAL", "PRIMARY", "M", "ND"])
    volume = loaded(tmp_path, steps(*({"ImageType": kind} for kind in kinds)))
    assert volume.dims[0] == "component"
    assert volume.component.values.tolist() == ["magnitude", "phase"]
    check(volume, [1, 0])


def test_units_that_differ_along_an_axis_are_told_along_it(tmp_path: Path) -> None:
    sets = steps({"EchoTime": "1"}, {"EchoTime": "2", "RescaleType": "HZ"})
    for one in sets[SLICES:]:
        one.RescaleSlope, one.RescaleIntercept = "1", "0"
    for one in sets[:SLICES]:
        one.RescaleSlope, one.RescaleIntercept, one.RescaleType = "1", "0", "US"
    volume = loaded(tmp_path, sets)
    assert volume.units.dims == ("echo_time",)
    assert volume.units.values.tolist() == ["", "HZ"]
    assert volume.attrs["units"] == ""


def test_only_instance_numbers_order_the_images_and_say_so(tmp_path: Path) -> None:
    with pytest.warns(DicomLabWarning, match="order_from_instance_number: 3 images lie at each position"):
        volume = loaded(tmp_path, steps({}, {}, {}))
    assert volume.dims[0] == "repetition"
    assert volume.repetition.values.tolist() == [1, 2, 3]
    check(volume, [0, 1, 2])


def test_numbers_that_run_through_each_slice_are_no_order_of_volumes_unless_the_user_says_so(
    tmp_path: Path,
) -> None:
    sets = steps({}, {}, {})
    for number in range(SLICES):
        for k in range(3):
            sets[k * SLICES + number].InstanceNumber = 3 * number + k + 1
    with pytest.raises(FaultError, match="order_uncertain: 3 images lie at each position"):
        loaded(tmp_path, sets)
    with pytest.warns(DicomLabWarning, match="order_uncertain"):
        check(load_volume(tmp_path, on_fault={"order_uncertain": "keep"}), [0, 1, 2])
    check(load_volume(tmp_path, dims=["InstanceNumber"]), [0, 1, 2])


@pytest.mark.parametrize("name", ["time", "temporal_position", "b_value", "repetition", "echo_time"])
def test_a_named_axis_is_that_axis_or_refused(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "moments"
    loaded(folder, steps(*({"TemporalPositionIdentifier": k + 1} for k in range(3))))
    if name in ("temporal_position", "repetition"):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DicomLabWarning)
            volume = load_volume(folder, dims=[name])
        assert volume.dims[0] == name
        assert volume[name].values.tolist() == [1, 2, 3]
        check(volume, [0, 1, 2])
    else:
        with pytest.raises(DicomLabError, match=f"dims names '{name}'"):
            load_volume(folder, dims=[name])
    single = tmp_path / "single"
    with pytest.raises(DicomLabError, match="there is one at each position"):
        loaded(single, steps({}), dims=[name])


def test_the_unit_of_one_step_is_known_and_a_window_of_another_kind_is_not_offered(tmp_path: Path) -> None:
    kinds = (["ORIGINAL", "PRIMARY", "M", "ND"], ["ORIGINAL", "PRIMARY", "P", "ND"])
    sets = steps(*({"ImageType": kind} for kind in kinds))
    for k, one in enumerate(sets):
        phase = k >= SLICES
        one.RescaleSlope, one.RescaleIntercept, one.RescaleType = "1", "0", "mrad" if phase else "US"
        one.WindowCenter, one.WindowWidth = ("0", "6284") if phase else ("1070", "1860")
    volume = loaded(tmp_path, sets)
    assert not volume.dicom.windows
    assert volume.sel(component="phase").dicom.units == "mrad"
    assert volume.sel(component="magnitude").dicom.units == ""


def test_the_user_can_name_the_attribute(tmp_path: Path) -> None:
    sets = steps(*({"EchoTime": "10", "AcquisitionNumber": n, "ContentTime": f"1000{n:02}"} for n in (7, 5)))
    volume = loaded(tmp_path, sets, dims=["AcquisitionNumber"])
    assert volume.dims[0] == "AcquisitionNumber"
    assert volume.AcquisitionNumber.values.tolist() == [5, 7]
    check(volume, [1, 0])


def test_named_axes_come_in_the_order_asked_for(tmp_path: Path) -> None:
    sets = steps(*({"EchoTime": e, "FlipAngle": f} for e in ("1", "2") for f in ("5", "9")))
    volume = loaded(tmp_path, sets, dims=["flip_angle", "echo_time"])
    assert volume.dims[:2] == ("flip_angle", "echo_time")
    check(volume, [0, 2, 1, 3])


@pytest.mark.parametrize(
    ("dims", "reason"),
    [
        (["EchoTme"], "neither a known axis"),
        (["flip_angle"], "separates no images"),
        ("time", "a list of names"),
        ([], "images lie at each position"),
    ],
)
def test_names_that_separate_nothing_are_refused(tmp_path: Path, dims: Any, reason: str) -> None:
    with pytest.raises(DicomLabError, match=reason):
        loaded(tmp_path, steps({"EchoTime": "10"}, {"EchoTime": "20"}), dims=dims)


def test_a_missing_image_is_named_and_its_step_is_left_out_when_asked(tmp_path: Path) -> None:
    sets = steps(*({"TemporalPositionIdentifier": k + 1} for k in range(4)))
    del sets[3 * SLICES + 2]
    with pytest.raises(
        FaultError, match=r"1 of the images are missing: 1 image.* of temporal_position 4"
    ) as caught:
        loaded(tmp_path, sets)
    (finding,) = caught.value.findings
    assert finding.code == "incomplete_steps"
    assert finding.size == 1
    assert len(finding.files) == SLICES - 1
    with pytest.warns(DicomLabWarning, match="incomplete_steps"):
        volume = load_volume(tmp_path, on_fault={"incomplete_steps": "repair"})
    assert volume.temporal_position.values.tolist() == [1, 2, 3]
    check(volume, [0, 1, 2])


def test_diffusion_images_and_a_map_made_of_them_are_two_stacks(tmp_path: Path) -> None:
    sets = steps(
        {"DiffusionBValue": 0.0, "ImageType": ["ORIGINAL", "PRIMARY", "DIFFUSION"]},
        {"DiffusionBValue": 900.0, "ImageType": ["ORIGINAL", "PRIMARY", "DIFFUSION"]},
        {"ImageType": ["DERIVED", "PRIMARY", "DIFFUSION", "ADC"]},
    )
    del sets[-1]  # the map lacks a slice: no full product
    (series,) = find_series(write(tmp_path, sets))
    assert sorted(len(stack) for stack in series.stacks) == [SLICES - 1, 2 * SLICES]
    largest = load_volume(series.stacks[0])
    assert largest.b_value.values.tolist() == [0, 900]
    check(largest, [0, 1])


def test_two_echoes_whose_slices_interleave_never_pass_for_one_fine_stack(tmp_path: Path) -> None:
    half = truth("MR").affine[:3, 0] / 2
    sets = steps({"EchoTime": "10"}, {"EchoTime": "20"})
    for one in sets[SLICES:]:
        one.ImagePositionPatient = [f"{v:.6f}" for v in np.array(one.ImagePositionPatient, float) + half]
    (series,) = find_series(write(tmp_path, sets))
    assert [len(stack) for stack in series.stacks] == [SLICES, SLICES]
    assert {load_volume(stack).shape for stack in series.stacks} == {(SLICES, 12, 10)}


def test_images_that_nothing_separates_everywhere_are_refused_with_what_differs(tmp_path: Path) -> None:
    sets = steps({}, {})
    for number, one in enumerate(sets):
        one.InstanceNumber = 1
        one.ImageComments = f"comment {number}"
    with pytest.raises(UnsupportedError, match=r"2 images lie at each position.*ImageComments"):
        loaded(tmp_path, sets)


def test_a_series_listed_twice_under_other_uids_loads_once(tmp_path: Path) -> None:
    sets = steps({}, {}, offset=0)
    for one in sets[SLICES:]:
        one.InstanceNumber -= SLICES
    with pytest.warns(DicomLabWarning, match="doubled_slice: 6 image"):
        volume = loaded(tmp_path, sets)
    assert volume.dims == ("slice", "row", "column")
    np.testing.assert_array_equal(volume.values, truth("MR").values)
