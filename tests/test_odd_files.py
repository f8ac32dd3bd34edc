"""Files and images of other programs that would be misread, and folders that would be lost."""

from __future__ import annotations

import struct
from pathlib import Path

import nibabel
import numpy as np
import pytest
import SimpleITK as sitk

from dicomlab import DicomLabError, DicomLabWarning, load_volume, make_volume, write_series
from dicomlab.errors import UnsupportedError
from dicomlab.extras.nifti import load_nifti
from dicomlab.extras.nrrd import load_nrrd
from dicomlab.extras.ome_zarr import load_ome_zarr
from dicomlab.extras.sitk import from_sitk

UID = "1.2.826.0.1.3680043.8.498.1"
PLAIN = np.eye(4)[[2, 1, 0, 3]]


def numbered(dtype: str = "int16"):
    return make_volume(np.arange(24).reshape(2, 3, 4).astype(dtype), affine=PLAIN, frame_of_reference=UID)


@pytest.mark.parametrize("kind", [nibabel.Nifti1Image, nibabel.Nifti2Image])
def test_a_nifti_whose_values_begin_in_its_header_is_refused(tmp_path, kind):
    file = tmp_path / "a.nii"
    nibabel.save(kind(np.arange(24, dtype=np.int16).reshape(4, 3, 2), np.eye(4)), file)
    data = bytearray(file.read_bytes())
    if kind is nibabel.Nifti1Image:
        data[108:112] = struct.pack("<f", 0)
    else:
        data[168:176] = struct.pack("<q", 0)
    file.write_bytes(data)
    with pytest.raises(DicomLabError, match="header"):
        load_nifti(file)


def test_a_label_map_of_simpleitk_is_refused_before_it_ends_the_process():
    blocks = sitk.GetImageFromArray(np.pad(np.ones((2, 2, 2), np.uint8), 1))
    labels = sitk.LabelImageToLabelMap(blocks)
    with pytest.raises(UnsupportedError, match="Cast"):
        from_sitk(labels)
    assert from_sitk(sitk.Cast(labels, sitk.sitkUInt16)).values.sum() == 8


def test_a_chunk_that_was_lost_is_told_of(tmp_path):
    zeros = make_volume(np.zeros((2, 3, 4), np.int16), affine=PLAIN, frame_of_reference=UID)
    zeros.dicom.save_ome_zarr(tmp_path / "zeros.zarr")
    assert (load_ome_zarr(tmp_path / "zeros.zarr") == zeros).all()  # nothing is missing, so nothing is said
    numbered().dicom.save_ome_zarr(tmp_path / "a.zarr")
    (chunk,) = (p for p in (tmp_path / "a.zarr" / "0").rglob("*") if p.is_file() and p.name != "zarr.json")
    chunk.unlink()
    with pytest.warns(DicomLabWarning, match="1 of 1 chunks are not there"):
        load_ome_zarr(tmp_path / "a.zarr")


def test_numbered_files_of_others_are_not_overwritten(tmp_path: Path):
    folder = tmp_path / "theirs"
    folder.mkdir()
    precious = folder / "00001.dcm"
    precious.write_bytes(b"not ours")
    with pytest.raises(DicomLabError, match=r"00001\.dcm"):
        write_series(numbered(), folder, overwrite=True, progress=False)
    assert precious.read_bytes() == b"not ours"
    write_series(numbered(), tmp_path / "ours", progress=False)
    write_series(numbered() + 1, tmp_path / "ours", overwrite=True, progress=False)
    assert (load_volume(tmp_path / "ours") == numbered() + 1).all()


def test_one_large_whole_number_everywhere_is_written_as_near_as_it_can_be(tmp_path: Path):
    large = 2**57 + 7  # of which a decimal string is a little more
    volume = make_volume(np.full((2, 3, 4), large, np.uint64), affine=PLAIN, frame_of_reference=UID)
    with pytest.warns(DicomLabWarning, match="rounded by up to"):
        write_series(volume, tmp_path / "large", progress=False)
    again = load_volume(tmp_path / "large").astype(float)
    np.testing.assert_allclose(again, float(large), rtol=1e-8)


def test_labels_that_an_attribute_would_round_are_refused_by_highdicom():
    echoes = make_volume(
        np.zeros((2, 2, 3, 4)),
        affine=PLAIN,
        dims=("EchoNumbers", "slice", "row", "column"),
        coords={"EchoNumbers": [1.0, 1.5]},
    )
    with pytest.raises(UnsupportedError, match="EchoNumbers"):
        echoes.dicom.to_highdicom()
    assert echoes.assign_coords(EchoNumbers=[1, 2]).dicom.to_highdicom().channel_shape == (2,)


@pytest.mark.parametrize(("centering", "times"), [("node", [10, 12]), ("???", [10, 12]), ("cell", [11, 13])])
def test_an_axis_of_cells_in_a_nrrd_begins_at_the_border_of_the_first(tmp_path: Path, centering, times):
    file = tmp_path / "a.nrrd"
    file.write_bytes(
        b"NRRD0005\ntype: int16\ndimension: 4\nsizes: 4 3 2 2\nspace: left-posterior-superior\n"
        b"space directions: (1,0,0) (0,1,0) (0,0,1) none\nspace origin: (0,0,0)\nendian: little\nencoding: raw\n"
        b'labels: "" "" "" "time"\naxis mins: nan nan nan 10\nspacings: nan nan nan 2\n'
        + f"centerings: cell cell cell {centering}\n\n".encode()
        + bytes(96)
    )
    again = load_nrrd(file)
    assert again.time.values.tolist() == times
    assert again.dicom.origin.tolist() == [0, 0, 0]  # of the centre of the first voxel, whatever it is called
