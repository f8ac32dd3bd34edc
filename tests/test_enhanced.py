"""Enhanced multi-frame objects: shuffled, oblique, rescaled per frame, unlike spacings; every voxel as highdicom has it."""

import copy
from pathlib import Path

import highdicom as hd
import numpy as np
import pydicom
import pytest

import dicomlab as dl
from dicomlab import DicomLabWarning, phantom
from dicomlab.errors import AmbiguousSourceError, FaultError, GeometryError


def only_file(folder: Path) -> Path:
    (file,) = folder.iterdir()
    return file


@pytest.mark.parametrize("kind", ["enhanced_ct", "enhanced_pet", "legacy_converted_ct"])
def test_every_voxel_equals_highdicom_in_value_and_place(tmp_path: Path, kind: str) -> None:
    phantom.write_kind(kind, tmp_path)
    volume = dl.load_volume(tmp_path)
    other = hd.imread(only_file(tmp_path)).get_volume(apply_real_world_transform=False)
    index = np.stack(np.meshgrid(*map(np.arange, volume.shape), indexing="ij"), -1).reshape(-1, 3)
    theirs = np.rint(other.map_reference_to_indices(volume.dicom.lps(index))).astype(int)
    np.testing.assert_allclose(other.map_indices_to_reference(theirs), volume.dicom.lps(index), atol=1e-6)
    np.testing.assert_allclose(volume.values.ravel(), other.array[tuple(theirs.T)], rtol=1e-6)


def test_the_case_is_as_hard_as_it_claims(tmp_path: Path) -> None:
    phantom.write_kind("enhanced_ct", tmp_path)
    header = pydicom.dcmread(only_file(tmp_path), stop_before_pixels=True)
    frames = header.PerFrameFunctionalGroupsSequence
    positions = np.array([f.PlanePositionSequence[0].ImagePositionPatient for f in frames], float)
    shared = header.SharedFunctionalGroupsSequence[0]
    cosines = np.array(shared.PlaneOrientationSequence[0].ImageOrientationPatient, float)
    heights = positions @ np.cross(cosines[:3], cosines[3:])
    assert len(set(np.sign(np.diff(heights)))) == 2, "shuffled"
    assert np.abs(cosines).min() > 0.01, "doubly oblique"
    assert len({float(f.PixelValueTransformationSequence[0].RescaleSlope) for f in frames}) > 1
    rows, columns = shared.PixelMeasuresSequence[0].PixelSpacing
    assert abs(rows - columns) > 0.1


def test_the_order_in_which_frames_are_stored_changes_nothing(tmp_path: Path) -> None:
    phantom.write_kind("enhanced_mr", tmp_path / "one")
    header = pydicom.dcmread(only_file(tmp_path / "one"))
    order = np.random.default_rng(4).permutation(len(header.PerFrameFunctionalGroupsSequence))
    frames = np.frombuffer(header.PixelData, np.uint16).reshape(len(order), -1)
    header.PixelData = frames[order].tobytes()
    header.PerFrameFunctionalGroupsSequence = [header.PerFrameFunctionalGroupsSequence[k] for k in order]
    (tmp_path / "other").mkdir()
    header.save_as(tmp_path / "other" / "shuffled")
    assert dl.load_volume(tmp_path / "one").identical(dl.load_volume(tmp_path / "other"))


def test_an_object_split_into_a_concatenation_is_one_volume(tmp_path: Path) -> None:
    phantom.write_kind("enhanced_ct", tmp_path / "one")
    whole = dl.load_volume(tmp_path / "one")
    (tmp_path / "parts").mkdir()
    header = pydicom.dcmread(only_file(tmp_path / "one"))
    groups = list(header.PerFrameFunctionalGroupsSequence)
    size = len(header.PixelData) // len(groups)
    for part, (start, stop) in enumerate([(0, 4), (4, len(groups))]):
        piece = copy.deepcopy(header)
        piece.SOPInstanceUID = pydicom.uid.generate_uid()
        piece.InConcatenationNumber, piece.ConcatenationFrameOffsetNumber = part + 1, start
        piece.NumberOfFrames = stop - start
        piece.PerFrameFunctionalGroupsSequence = groups[start:stop]
        piece.PixelData = header.PixelData[start * size : stop * size]
        piece["PixelData"].VR = "OW"
        piece.save_as(tmp_path / "parts" / f"part{part}", implicit_vr=False, little_endian=True)
    again = dl.load_volume(tmp_path / "parts")
    np.testing.assert_array_equal(again.values, whole.values)
    np.testing.assert_array_equal(again.dicom.affine, whole.dicom.affine)


def test_stacks_of_one_object_are_never_one_array(tmp_path: Path) -> None:
    sample = phantom.write_kind("two_stacks", tmp_path)
    with pytest.raises(AmbiguousSourceError, match="2 stacks"):
        dl.load_volume(tmp_path)
    (series,) = dl.find_series(tmp_path)
    for stack, truth in zip(series.stacks, sample.stacks, strict=True):
        volume = dl.load_volume(stack)
        np.testing.assert_array_equal(volume.values, truth.values)
        np.testing.assert_allclose(volume.dicom.affine, truth.affine, atol=1e-6)


def test_groups_for_fewer_frames_than_there_are_place_none_of_the_rest(tmp_path: Path) -> None:
    phantom.write_kind("enhanced_ct", tmp_path)
    file = only_file(tmp_path)
    header = pydicom.dcmread(file)
    del header.PerFrameFunctionalGroupsSequence[-2:]
    header.save_as(file)
    (series,) = dl.find_series(tmp_path)
    assert sorted(len(stack) for stack in series.stacks) == [2, header.NumberOfFrames - 2]
    placeless = min(series.stacks, key=len)
    with pytest.raises(GeometryError, match="functional groups for"):
        dl.load_volume(placeless)


def test_an_absurd_number_of_frames_neither_hangs_nor_fills_the_memory(tmp_path: Path) -> None:
    phantom.write_kind("enhanced_ct", tmp_path)
    file = only_file(tmp_path)
    header = pydicom.dcmread(file)
    header.NumberOfFrames = 2_000_000_000
    header.save_as(file)
    (series,) = dl.find_series(tmp_path)
    assert any(finding.code == "truncated_pixel_data" for finding in series.findings)
    with pytest.raises(dl.DicomLabError):
        dl.load_volume(tmp_path, on_fault="keep")


def test_frames_missing_from_the_pixel_data_are_told_and_the_others_load_when_asked(tmp_path: Path) -> None:
    sample = phantom.write_kind("legacy_converted_ct", tmp_path)
    file = only_file(tmp_path)
    header = pydicom.dcmread(file)
    frame = header.Rows * header.Columns * 2
    data = file.read_bytes()
    file.write_bytes(data[: -frame - frame // 2])
    with pytest.raises(FaultError, match="truncated_pixel_data") as caught:
        dl.load_volume(tmp_path)
    (finding,) = caught.value.findings
    last = [f"{file.name} frame {header.NumberOfFrames - 1}", f"{file.name} frame {header.NumberOfFrames}"]
    assert list(finding.files) == last
    with pytest.warns(DicomLabWarning):
        rest = dl.load_volume(tmp_path, on_fault="keep")
    groups = header.PerFrameFunctionalGroupsSequence[:-2]
    heights = sorted(float(g.PlanePositionSequence[0].ImagePositionPatient[2]) for g in groups)
    np.testing.assert_allclose(rest.slice, heights, atol=1e-6)
    whole = {round(z, 4): k for k, z in enumerate(sample.origins[:, 2])}
    for k, z in enumerate(rest.slice.values):
        np.testing.assert_array_equal(rest.values[k], sample.values[whole[round(float(z), 4)]])


def test_a_slope_that_cannot_be_used_takes_the_unit_from_the_whole_volume(tmp_path: Path) -> None:
    phantom.write_kind("axial_ct", tmp_path)
    file = sorted(tmp_path.iterdir())[2]
    one = pydicom.dcmread(file)
    one.RescaleSlope = "0"
    one.save_as(file)
    with pytest.raises(FaultError, match="rescale_unusable: 1 of"):
        dl.load_volume(tmp_path)
    with pytest.warns(DicomLabWarning, match="the volume has no unit"):
        volume = dl.load_volume(tmp_path, on_fault={"rescale_unusable": "keep"})
    assert volume.attrs["units"] == ""
    index = int(np.argmin(np.abs(volume.slice.values - float(one.ImagePositionPatient[2]))))
    np.testing.assert_array_equal(volume.values[index], one.pixel_array)


def test_no_finding_is_made_of_a_sound_enhanced_object(
    tmp_path: Path, recwarn: pytest.WarningsRecorder
) -> None:
    phantom.write_kind("enhanced_pet", tmp_path)
    dl.load_volume(tmp_path)
    assert not [w for w in recwarn if issubclass(w.category, DicomLabWarning)]
