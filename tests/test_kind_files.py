"""The written kinds are what they claim: judged by dciodvfy, highdicom, nibabel, dcm2niix, DCMTK and an oracle on pydicom.

Nothing here reads with dicomlab.
"""

from __future__ import annotations

import hashlib
import pickle
import re
import shutil
import subprocess
import sys
import warnings
import zipfile
from functools import cache
from pathlib import Path

import numpy as np
import pydicom
import pytest

from dicomlab import phantom
from tests.kinds.judge import Verdict, judge
from tests.kinds.peers import (
    Answer,
    Volume,
    from_nifti,
    read_dcm2niix,
    read_highdicom,
    read_simpleitk,
    regular,
)

with warnings.catch_warnings():
    warnings.simplefilter(
        "ignore"
    )  # nibabel says that it reads Siemens time series only; that is what it is asked for
    from nibabel.nicom import dicomwrappers

ALL = {**phantom.KINDS, **phantom.FAULTS}
WRONG_BY_DESIGN = {
    "cosines_off",
    "cosines_broken",
    "truncated_file",
    "rescale_zero",
    "rescale_nan",
    "rescale_text",
    "decimal_commas",
}
"""Faults that break the rules of the standard which dciodvfy knows."""
NOT_FOR_DCIODVFY = {"deflated", "zip_archive", "dose"}
"""It reads no deflated data sets, and an assertion of its own stops it at 32 bits; `dose_absolute` is `dose` in 16 bits."""

needs_dciodvfy = pytest.mark.skipif(
    shutil.which("dciodvfy") is None,
    reason="dciodvfy (package dicom3tools) is not on PATH: the DICOM validity of the phantom is NOT checked",
)


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """Return a function that writes a kind once."""
    return cache(lambda name: phantom.write_kind(name, tmp_path_factory.mktemp("kinds") / name))


def files(sample):
    return [file for file in sorted(sample.folder.rglob("*")) if file.is_file() and file.name != "DICOMDIR"]


def complaints(file):
    found = subprocess.run(["dciodvfy", str(file)], capture_output=True, text=True, check=False)
    said = (found.stdout + found.stderr).splitlines()
    assert any(re.match(r"\w*(Image|RTDose|Map)\w*$", line) for line in said), (
        f"dciodvfy did not know {file}: {said}"
    )
    return {line for line in said if line.startswith("Error")}


@needs_dciodvfy
@pytest.mark.parametrize("name", sorted(set(ALL) - WRONG_BY_DESIGN - NOT_FOR_DCIODVFY))
def test_dciodvfy_finds_no_error(written, name):
    assert {file.name: complaints(file) for file in files(written(name)) if complaints(file)} == {}


@needs_dciodvfy
@pytest.mark.parametrize("name", sorted(WRONG_BY_DESIGN - {"truncated_file"}))
def test_dciodvfy_sees_the_fault(written, name):
    assert all(complaints(file) for file in files(written(name)))


def test_there_are_twenty_five_ordinary_kinds_and_no_name_twice():
    assert len(phantom.KINDS) == 25
    assert not set(phantom.KINDS) & set(phantom.FAULTS)
    for name, kind in ALL.items():
        assert kind.name == name
    assert len({kind.title for kind in ALL.values()}) == len(ALL)


def test_an_unknown_kind_is_an_error_that_lists_the_known_ones(tmp_path):
    with pytest.raises(KeyError, match=r"no kind is called 'nonsense'.*gantry_tilt"):
        phantom.write_kind("nonsense", tmp_path)


def test_a_sample_cannot_be_changed_and_survives_pickling(written):
    sample = written("two_stacks")
    for array in (sample.values, sample.origins, sample.row_step, sample.parts[0].values):
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 0
    again = pickle.loads(pickle.dumps(sample))
    np.testing.assert_array_equal(again.values, sample.values)
    np.testing.assert_array_equal(again.parts[0].lps([1, 2, 3]), sample.parts[0].lps([1, 2, 3]))


def test_a_sample_refuses_values_that_do_not_fit_its_axes(written):
    sample = written("dynamic")
    with pytest.raises(ValueError, match="do not fit"):
        phantom.Sample(sample.folder, sample.values, sample.origins, sample.row_step, sample.column_step)


@pytest.mark.parametrize("name", ALL)
def test_writing_twice_gives_the_same_bytes(written, tmp_path, name):
    def hashes(folder):
        # a zip archive holds the time at which it was made
        found = {}
        for file in sorted(f for f in folder.rglob("*") if f.is_file()):
            if file.suffix == ".zip":
                with zipfile.ZipFile(file) as archive:
                    found.update({n: hashlib.sha256(archive.read(n)).hexdigest() for n in archive.namelist()})
            else:
                found[str(file.relative_to(folder))] = hashlib.sha256(file.read_bytes()).hexdigest()
        return found

    assert hashes(phantom.write_kind(name, tmp_path).folder) == hashes(written(name).folder)


def test_no_two_kinds_share_a_series_or_an_instance(written):
    series, instances = {}, {}
    for name in sorted(set(ALL) - {"zip_archive", "truncated_file"}):
        for file in files(written(name)):
            ds = pydicom.dcmread(file, force=True, stop_before_pixels=True)
            assert series.setdefault(ds.SeriesInstanceUID, name) == name
            assert instances.setdefault(ds.SOPInstanceUID, file) == file


# -- positions and values, by an oracle written from PS3.3 C.7.6.2.1.1, C.7.6.16 and C.11.1 ---------------------------------


def frames(file):
    """Return (values, origin, row step, column step) of every frame of a file, by pydicom and the standard alone."""
    ds = pydicom.dcmread(file, force=True)
    if "TransferSyntaxUID" not in ds.file_meta:
        ds.file_meta.TransferSyntaxUID = pydicom.uid.ImplicitVRLittleEndian
    stored = ds.pixel_array if "FloatPixelData" not in ds else ds.pixel_array.astype(float)
    shared = ds.get("SharedFunctionalGroupsSequence", [pydicom.Dataset()])[0]
    own = ds.get("PerFrameFunctionalGroupsSequence", [pydicom.Dataset()] * int(ds.get("NumberOfFrames") or 1))
    if "GridFrameOffsetVector" in ds:
        first = ds.GridFrameOffsetVector[0]
        base = 0.0 if first == 0 else first
        own = []
        for offset in ds.GridFrameOffsetVector:
            place = pydicom.Dataset()
            x, y, z = ds.ImagePositionPatient
            place.ImagePositionPatient = [x, y, float(z) + float(offset) - float(base)]
            own.append(pydicom.Dataset())
            own[-1].PlanePositionSequence = [place]

    def get(group, k, keyword, default=None):
        for level in (own[k], shared):
            if group in level:
                return getattr(level[group][0], keyword)
        return ds.get(keyword, default)

    for k, picture in enumerate(stored.reshape(len(own), *stored.shape[-2:])):
        cosines = np.array(get("PlaneOrientationSequence", k, "ImageOrientationPatient"), dtype=float)
        down, along = (float(v) for v in get("PixelMeasuresSequence", k, "PixelSpacing"))
        origin = np.array(get("PlanePositionSequence", k, "ImagePositionPatient"), dtype=float)
        mapping = shared.get("RealWorldValueMappingSequence") or ds.get("RealWorldValueMappingSequence")
        if "ModalityLUTSequence" in ds:
            item = ds.ModalityLUTSequence[0]
            values = np.frombuffer(item.LUTData, "<u2")[picture - item.LUTDescriptor[1]].astype(float)
        elif mapping and "RealWorldValueLUTData" in mapping[0]:
            values = np.array(mapping[0].RealWorldValueLUTData)[
                picture - mapping[0].RealWorldValueFirstValueMapped
            ]
        elif mapping:
            values = picture * mapping[0].RealWorldValueSlope + mapping[0].RealWorldValueIntercept
        elif "DoseGridScaling" in ds:
            values = picture * float(ds.DoseGridScaling)
        else:
            slope = get("PixelValueTransformationSequence", k, "RescaleSlope", 1)
            intercept = get("PixelValueTransformationSequence", k, "RescaleIntercept", 0)
            values = picture * float(slope) + float(intercept)
        yield values, origin, cosines[3:] * down, cosines[:3] * along


BY_ORACLE = sorted(
    set(ALL)
    - {"mosaic", "mosaic_ascending"}  # nibabel and dcm2niix know CSA headers
    - {"us_cine", "xa_cine", "nm_static"}  # no patient frame
    - {
        "decimal_commas",
        "rescale_nan",
        "rescale_text",
        "rescale_zero",
        "truncated_file",
        "undecodable",
        "zip_archive",
    }
    - {
        "cosines_off",
        "cosines_broken",
        "wandering_origin",
        "incomplete_4d",
    }  # the truth is not what the files say
)


@pytest.mark.parametrize("name", BY_ORACLE)
def test_every_true_slice_is_in_the_files_once_at_its_place_and_nothing_else_is(written, name):
    sample = written(name)
    found = [frame for file in files(sample) for frame in frames(file)]
    left = len(found)
    for stack in sample.stacks:
        for index in np.ndindex(stack.values.shape[:-2]):
            same = [
                values
                for values, origin, row_step, column_step in found
                if np.allclose(origin, stack.origins[index[-1]], atol=1e-5)
                and np.allclose(row_step, stack.row_step, atol=1e-6)
                and np.allclose(column_step, stack.column_step, atol=1e-6)
                and values.shape == stack.values[index].shape
                and np.allclose(values, stack.values[index], rtol=1e-9)
            ]
            copies = 2 if name == "doubled_slice" and index[-1] == 4 else 1
            assert len(same) == copies, (index, len(same))
            left -= copies
    assert left == (1 if name == "doubled_slice_differs" else 0)


@pytest.mark.parametrize("name", ALL)
def test_slices_ascend_along_the_normal_and_no_two_spacings_are_alike(written, name):
    for stack in written(name).stacks:
        if np.isnan(stack.origins).any():
            continue
        normal = np.cross(stack.column_step, stack.row_step)
        gaps = np.diff(stack.origins @ normal / np.linalg.norm(normal))
        assert np.all(gaps > 0)
        spacings = [np.linalg.norm(stack.row_step), np.linalg.norm(stack.column_step), *gaps[:1]]
        assert np.min(np.abs(np.diff(sorted(spacings)))) > 0.2, spacings


@pytest.mark.parametrize("name", ALL)
def test_a_voxel_is_hardly_ever_taken_for_its_neighbour(written, name):
    values = written(name).values.astype(float)
    for axis in range(values.ndim):
        if values.shape[axis] > 1:
            # Air and clipped noise make some alike; a reader that is one voxel off must be wrong in most of 300 samples.
            alike = np.mean(np.diff(values, axis=axis) == 0)
            assert alike < 0.25, axis


# -- other readers, on the kinds that they know -------------------------------------------------------------------------

HIGHDICOM = [
    "enhanced_ct",
    "enhanced_pet",
    "legacy_converted_ct",
    "modality_lut",
    "pet_slopes",
    "parametric_map",
]
SIMPLEITK = [
    "axial_ct",
    "sagittal_mr",
    "oblique_mr",
    "feet_first_prone",
    "high_bits",
    "jpeg_ls",
    "rle",
    "deflated",
]
DCM2NIIX = [
    "mosaic",
    "mosaic_ascending",
    "dynamic",
    "echoes_phases",
    "diffusion",
    "enhanced_mr",
    "cardiac_cine",
    "enhanced_diffusion",
]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("name", "reader"),
    [
        *((name, read_highdicom) for name in HIGHDICOM),
        *((name, read_simpleitk) for name in SIMPLEITK),
        *((name, read_dcm2niix) for name in DCM2NIIX),
    ],
)
def test_another_reader_finds_every_voxel_where_the_truth_has_it(written, name, reader):
    assert judge(written(name), Answer(reader(written(name).folder))) == Verdict("right")


def test_nibabel_reads_the_mosaic_by_its_csa_header(written):
    for name in ("mosaic", "mosaic_ascending"):
        sample = written(name)
        volumes = []
        for file in files(sample):
            image = dicomwrappers.wrapper_from_file(str(file))
            assert image.is_mosaic
            # nibabel's own order is (row, column, slice), in LPS
            volumes += regular(image.get_data().transpose(2, 0, 1), image.affine[:, [2, 0, 1, 3]])
        assert judge(sample, Answer(volumes)) == Verdict("right")


def test_the_mosaic_runs_against_the_normal_and_its_twin_along_it(written):
    for name, sign in (("mosaic", -1), ("mosaic_ascending", 1)):
        sample = written(name)
        image = dicomwrappers.wrapper_from_file(str(files(sample)[0]))
        normal = np.cross(sample.column_step, sample.row_step)
        assert np.sign(image.slice_normal @ normal) == sign


def gradients(sample):
    """Return the gradient directions, zeros where there is none."""
    return np.nan_to_num(np.stack([sample.beside[f"b_vector_{axis}"] for axis in "xyz"], axis=-1))


def test_dcm2niix_finds_the_b_values_and_the_gradients_in_patient_space(written, tmp_path):
    sample = written("diffusion")
    program = shutil.which("dcm2niix", path=str(Path(sys.executable).parent)) or "dcm2niix"
    subprocess.run([program, "-f", "dwi", "-o", tmp_path, sample.folder], check=True, capture_output=True)
    np.testing.assert_array_equal(np.loadtxt(tmp_path / "dwi.bval"), sample.axes["b_value"])
    vectors = np.loadtxt(tmp_path / "dwi.bvec").T
    # FSL's vectors are in the axes of the picture; these slices are axial, and dcm2niix turns rows round.
    np.testing.assert_allclose(vectors * (1, -1, 1), gradients(sample), atol=1e-5)


def test_dcmtk_decodes_the_compressed_kinds_and_stops_at_the_damaged_one(written, tmp_path):
    for name, program in (("jpeg_ls", "dcmdjpls"), ("rle", "dcmdrle"), ("undecodable", "dcmdjpls")):
        failed = []
        for file in files(written(name)):
            done = subprocess.run(
                [program, str(file), str(tmp_path / "raw")], capture_output=True, check=False
            )
            if done.returncode:
                failed.append(file.name)
                continue
            ds = pydicom.dcmread(tmp_path / "raw")
            k = int(ds.InstanceNumber) - 1
            if name != "undecodable":
                values = np.frombuffer(ds.PixelData, "<u2").reshape(ds.Rows, ds.Columns) - 1024.0
                np.testing.assert_array_equal(values, written(name).values[k])
        assert failed == (["IM0004"] if name == "undecodable" else [])


# -- labels, and what makes each fault a fault ---------------------------------------------------------------------------


def headers(sample):
    return [pydicom.dcmread(file) for file in files(sample)]


def test_labels_of_the_extra_axes_are_what_the_attributes_say(written):
    def seconds(text):
        return 3600 * int(text[:2]) + 60 * int(text[2:4]) + float(text[4:])

    times = sorted({seconds(ds.AcquisitionTime) for ds in headers(written("dynamic"))})
    np.testing.assert_allclose(np.subtract(times, times[0]), written("dynamic").axes["time"])
    assert {ds.TemporalPositionIdentifier for ds in headers(written("dynamic"))} == {1, 2, 3, 4}
    triggers = sorted({float(ds.TriggerTime) for ds in headers(written("cardiac_cine"))})
    np.testing.assert_allclose(np.divide(triggers, 1000), written("cardiac_cine").axes["time"])
    echoes = sorted({float(ds.EchoTime) for ds in headers(written("echoes_phases"))})
    np.testing.assert_allclose(echoes, written("echoes_phases").axes["echo_time"])
    (enhanced,) = headers(written("enhanced_mr"))
    groups = enhanced.PerFrameFunctionalGroupsSequence
    offsets = sorted({g.TemporalPositionSequence[0].TemporalPositionTimeOffset for g in groups})
    np.testing.assert_allclose(offsets, written("enhanced_mr").axes["time"])
    for ds in headers(written("diffusion")):
        repeat = (ds.InstanceNumber - 1) // 5
        assert ds.DiffusionBValue == written("diffusion").axes["b_value"][repeat]
        vector = ds.get("DiffusionGradientOrientation", [0, 0, 0])
        np.testing.assert_allclose(vector, gradients(written("diffusion"))[repeat])
        assert np.linalg.norm(vector) == pytest.approx(float(ds.DiffusionBValue > 0))


def test_frames_of_the_enhanced_ct_are_stored_out_of_order_with_slopes_of_their_own(written):
    (ds,) = headers(written("enhanced_ct"))
    groups = ds.PerFrameFunctionalGroupsSequence
    order = [g.FrameContentSequence[0].InStackPositionNumber for g in groups]
    assert sorted(order) == list(range(1, 10))
    assert order not in (sorted(order), sorted(order, reverse=True))
    assert len({float(g.PixelValueTransformationSequence[0].RescaleSlope) for g in groups}) == 3


def test_each_fault_is_in_its_files(written):
    def values(name, keyword):
        return [ds.get(keyword) for ds in headers(written(name))]

    assert len({str(v) for v in values("mixed_frame_of_reference", "FrameOfReferenceUID")}) == 2
    assert set(values("mixed_pixel_representation", "PixelRepresentation")) == {0, 1}
    assert len(set(values("mixed_photometric_interpretation", "PhotometricInterpretation"))) == 2
    assert set(values("rescale_zero", "RescaleSlope")) == {0}
    assert all(np.isnan(v) for v in values("rescale_nan", "RescaleSlope"))
    assert len(values("incomplete_4d", "InstanceNumber")) == 4 * 5 - 1
    positions = [tuple(v) for v in values("doubled_slice_differs", "ImagePositionPatient")]
    assert len(positions) == len(set(positions)) + 1 == 10
    assert {float(v[0]) for v in values("wandering_origin", "ImagePositionPatient")} == {-143.75, -140.75}
    for name, off in (("cosines_off", 2e-3), ("cosines_broken", 5e-2)):
        cosines = np.array(values(name, "ImageOrientationPatient"), dtype=float).reshape(-1, 2, 3)
        np.testing.assert_allclose(np.sum(cosines[:, 0] * cosines[:, 1], axis=-1), off)
    step = written("spacing_contradicts").sizes["spacing_contradicts_positions"][0]
    gap = np.diff(written("spacing_contradicts").origins[:, 2])[0]
    assert {float(v) for v in values("spacing_contradicts", "SpacingBetweenSlices")} == {gap + step}
    assert all(b"\x28\x00\x53\x10DS\x04\x00one " in f.read_bytes() for f in files(written("rescale_text")))
    assert all(b"7,0\\8,5" in f.read_bytes() for f in files(written("decimal_commas")))
    short, whole = (files(written(name))[3].stat().st_size for name in ("truncated_file", "axial_ct"))
    assert whole - short == pytest.approx(500, abs=60)


def test_the_judge_can_say_wrong_by_how_many_millimetres_and_refuses_no_truth(written):
    sample = written("oblique_mr")
    true = Volume(sample.values, sample.origins, sample.row_step, sample.column_step)
    assert judge(sample, Answer([true])) == Verdict("right")
    turned = Volume(
        true.values[::-1, ::-1].transpose(0, 2, 1), true.origins[::-1], true.column_step, true.row_step
    )
    down = true.origins + (true.values.shape[1] - 1) * true.row_step
    assert judge(
        sample, Answer([Volume(turned.values, down[::-1], true.column_step, -true.row_step)])
    ) == Verdict("right")
    moved = Volume(true.values, true.origins + np.array([0.0, 3.0, 4.0]), true.row_step, true.column_step)
    assert judge(sample, Answer([moved])) == Verdict("wrong", "up to 5 mm")
    off = Volume(true.values + 2, true.origins, true.row_step, true.column_step)
    assert judge(sample, Answer([off])) == Verdict("wrong", "values off by up to 2")
    mirrored = Volume(true.values[:, :, ::-1], true.origins, true.row_step, true.column_step)
    width = 35 * np.linalg.norm(true.column_step)
    assert judge(sample, Answer([mirrored])) == Verdict("wrong", f"up to {width:.3g} mm")
    assert judge(sample, Answer([], "no")) == Verdict("refuses", "no")


def test_the_judge_asks_for_every_volume_in_order(written):
    sample = written("dynamic")
    volumes = [Volume(v, sample.origins, sample.row_step, sample.column_step) for v in sample.values]
    assert judge(sample, Answer(volumes)) == Verdict("right")
    assert judge(sample, Answer(volumes[:3])) == Verdict("partly", "3 of 4 volumes")
    assert judge(sample, Answer(volumes[::-1])) == Verdict("wrong", "volumes out of order along time")


def test_nifti_files_come_back_in_patient_coordinates(tmp_path):
    import nibabel

    values = np.arange(24).reshape(2, 3, 4)
    affine = np.array([[0, 0, -2.0, 10], [0, -3.0, 0, 20], [5.0, 0, 0, 30], [0, 0, 0, 1]])[:, [2, 1, 0, 3]]
    nibabel.save(nibabel.Nifti1Image(values.transpose(2, 1, 0).astype("f4"), affine), tmp_path / "x.nii")
    (volume,) = from_nifti(tmp_path)
    np.testing.assert_array_equal(volume.values, values)
    np.testing.assert_allclose(volume.origins[1], [-10, -20, 35])
    np.testing.assert_allclose(volume.column_step, [2, 0, 0])
