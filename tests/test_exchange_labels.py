"""Names of labels in NIfTI and NRRD: as dicomlab writes them, and as TotalSegmentator, ITK-SNAP and 3D Slicer write theirs."""

from __future__ import annotations

import tempfile
import warnings
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk
import xarray as xr
from exchange_support import UID, geometries, volume_on
from hypothesis import given, settings
from hypothesis import strategies as st

import dicomlab as dl
from dicomlab import DicomLabError, DicomLabWarning
from dicomlab.errors import OverwriteError, UnsupportedError
from dicomlab.extras.nifti import from_nibabel, load_nifti
from dicomlab.extras.nrrd import load_nrrd
from dicomlab.masks import Code, Label, labels_of, mask_like, stacked, with_labels

FAT = labels_of(
    mask_like(
        dl.make_volume(np.ones((1, 1, 1), bool), affine=np.eye(4)[[2, 1, 0, 3]]), [[[True]]], name="fat"
    )
)
NAMES = {
    1: "liver",
    2: Label(2, "left kidney", "#123456"),
    7: Label(7, "fat <brown> & co", None, FAT[0].category, Code("X1", "99ME", "Brown fat")),
}
FORMATS = [("x.nii", load_nifti), ("x.nii.gz", load_nifti), ("x.nrrd", load_nrrd)]


@pytest.fixture
def ct() -> xr.DataArray:
    affine = [[0, 0, 0.8, -100], [0, 0.9, 0, -120], [5, 0, 0, 40], [0, 0, 0, 1]]
    return dl.make_volume(
        np.arange(120).reshape(4, 5, 6) - 20, affine=affine, frame_of_reference=UID, units="HU"
    )


def labelled(ct: xr.DataArray, dtype: type = np.uint8) -> xr.DataArray:
    numbers = np.array([0, 1, 2, 7], dtype)[np.random.default_rng(0).integers(0, 4, ct.shape)]
    return mask_like(ct, numbers, labels=NAMES)


def save(volume: xr.DataArray, path: Path, **options: Any) -> Path:
    (volume.dicom.save_nrrd if path.suffix == ".nrrd" else volume.dicom.save_nifti)(path, **options)
    return path


@pytest.mark.parametrize(("name", "load"), FORMATS)
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int16])
def test_a_label_map_comes_back_with_names_colours_and_codes(
    name: str, load: Any, dtype: type, ct: xr.DataArray, tmp_path: Path
) -> None:
    mask = labelled(ct, dtype)
    again = load(save(mask, tmp_path / name), like=ct)
    assert again.dtype == dtype
    np.testing.assert_array_equal(again.values, mask.values)
    assert list(labels_of(again)) == list(labels_of(mask))
    assert again.dicom.frame_of_reference == UID
    assert again.dicom.units == ""
    assert (ct.where(again == 1).count() == (mask == 1).sum()).item()


@pytest.mark.parametrize(("name", "load"), FORMATS)
def test_a_mask_of_one_label_is_a_label_map_of_that_name(
    name: str, load: Any, ct: xr.DataArray, tmp_path: Path
) -> None:
    again = load(save(with_labels(ct > 50, "right lung"), tmp_path / name), like=ct)
    assert list(labels_of(again)) == [Label(1, "right lung")]
    np.testing.assert_array_equal(again.values == 1, ct.values > 50)


@pytest.mark.parametrize(("name", "load"), FORMATS)
def test_segments_become_a_label_map_unless_they_overlap(
    name: str, load: Any, ct: xr.DataArray, tmp_path: Path
) -> None:
    apart = stacked({"bone": ct > 80, "fat": ct < 0})
    again = load(save(apart, tmp_path / name), like=ct)
    np.testing.assert_array_equal(again.values, (ct.values > 80) + 2 * (ct.values < 0))
    assert labels_of(again).names == ["bone", "fat"]
    with pytest.raises(UnsupportedError, match=r"overlap.*to_label_maps\(mask\) makes 2 .*save_seg"):
        save(stacked({"bone": ct > 80, "body": ct > 0}), tmp_path / f"o{name}")
    assert not (tmp_path / f"o{name}").exists()


@pytest.mark.parametrize(("name", "load"), FORMATS)
def test_numbers_that_nobody_named_are_numbers_until_somebody_names_them(
    name: str, load: Any, ct: xr.DataArray, tmp_path: Path
) -> None:
    plain = labelled(ct).drop_attrs()
    path = save(plain, tmp_path / name)
    image = nib.load(path) if load is load_nifti else None
    assert image is None or (len(image.header.extensions) == 0 and int(image.header["intent_code"]) == 0)
    assert labels_of(load(path, frame_of_reference=UID)).names == ["label 1", "label 2", "label 7"]
    named = load(path, like=ct, names={1: "spleen", 7: Label(7, "thing", "#010203")})
    assert labels_of(named).names == ["spleen", "label 2", "thing"]
    assert labels_of(named)["thing"].colour == "#010203"
    assert labels_of(load(path, like=ct, names=["spleen", "aorta"])).names == ["spleen", "aorta", "label 7"]
    assert labels_of(load(path, like=ct, names={}))[0].name == "label 1"
    assert load(path, like=ct).dicom.units == "HU"
    # Names of the user go before those of the file, and do not forget the others.
    path = save(labelled(ct), tmp_path / f"named{name}")
    assert labels_of(load(path, names={2: "spleen"})).names == ["liver", "spleen", "fat <brown> & co"]


@settings(max_examples=10, deadline=None)
@given(geometries(), st.sampled_from(["nii", "nrrd"]))
def test_labels_lie_where_they_lay_on_any_grid(geometry: Any, suffix: str) -> None:
    like = volume_on(geometry)
    mask = mask_like(
        like, np.random.default_rng(1).integers(0, 3, like.shape).astype(np.uint8), labels=["liver", "bone"]
    )
    with tempfile.TemporaryDirectory() as folder:
        path = save(mask, Path(folder) / f"x.{suffix}")
        again = load_nrrd(path, like=like) if suffix == "nrrd" else load_nifti(path, like=like)
    index = np.argwhere(again.values == 2)
    if index.size:
        mine = np.rint(mask.dicom.index(again.dicom.lps(index))).astype(int)
        assert (mask.values[tuple(mine.T)] == 2).all()
    assert int((again == 2).sum()) == int((mask == 2).sum())


# -- of and for other programs ----------------------------------------------------------------------------------------

AFFINE = np.diag([-0.8, -0.9, 5.0, 1.0])


def of_total_segmentator(values: np.ndarray, code: int = 0, rows: str | None = None) -> nib.Nifti1Image:
    """Return an image with names as TotalSegmentator 2 writes them: extension 0, a table of labels."""
    rows = rows or (
        '<Label Key="1" Red="1.0" Green="0.0" Blue="0.5" Alpha="1"><![CDATA[spleen]]></Label>\n'
        '<Label Key="2" Red="0.0" Green="1.0" Blue="0.0" Alpha="1"><![CDATA[kidney_right]]></Label>\n'
    )
    text = (
        '<?xml version="1.0" encoding="UTF-8"?> <CaretExtension>  <Date><![CDATA[2013-07-14T05:45:09]]></Date>   '
        f'<VolumeInformation Index="0">   <LabelTable>\n{rows}  </LabelTable>  <StudyMetaDataLinkSet>  '
        "</StudyMetaDataLinkSet>  <VolumeType><![CDATA[Label]]></VolumeType>   </VolumeInformation></CaretExtension>\n  "
    )
    image = nib.Nifti1Image(values, AFFINE)
    image.header.set_xyzt_units("mm")
    image.header.extensions.append(nib.nifti1.Nifti1Extension(code, text.encode()))
    return image


@pytest.mark.parametrize("code", [0, 30])
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_names_that_total_segmentator_wrote_are_read(code: int, dtype: type, tmp_path: Path) -> None:
    values = np.random.default_rng(0).integers(0, 3, (3, 4, 5)).astype(dtype)
    nib.save(of_total_segmentator(values, code), tmp_path / "seg.nii.gz")
    found = load_nifti(tmp_path / "seg.nii.gz")
    assert found.dtype == np.uint8
    spleen, kidney = labels_of(found)
    assert (spleen.name, spleen.colour) == ("spleen", "#ff0080")
    assert (kidney.name, kidney.type.meaning, kidney.side.meaning) == ("kidney right", "Kidney", "Right")
    np.testing.assert_array_equal(found.values, values.T)


def test_the_table_that_is_written_is_one_that_others_read(ct: xr.DataArray, tmp_path: Path) -> None:
    path = save(labelled(ct), tmp_path / "x.nii.gz")
    header = nib.load(path).header
    assert header.get_intent()[0] == "label"
    table = ElementTree.fromstring(header.extensions[0].get_content())
    rows = {int(row.get("Key")): row for row in table.iter("Label")}
    for one in labels_of(labelled(ct)):
        assert rows[one.value].text == one.name
        assert tuple(round(255 * float(rows[one.value].get(c))) for c in ("Red", "Green", "Blue")) == one.rgb
    np.testing.assert_array_equal(sitk.GetArrayFromImage(sitk.ReadImage(str(path))), labelled(ct).values)


@pytest.mark.parametrize(
    "rows",
    [
        '<Label Key="one">spleen</Label>',
        "<Label",
        "<!DOCTYPE x><Label/>",
        '<Label Key="1" Red="1"><Label Key="1"></LabelTable>',
    ],
)
def test_a_table_that_cannot_be_understood_is_told_and_left(rows: str) -> None:
    image = of_total_segmentator(np.ones((3, 4, 5), np.uint8), rows=rows)
    with pytest.warns(DicomLabWarning, match=r"names=\{1: 'liver'\} names them"):
        assert labels_of(from_nibabel(image)).names == ["label 1"]


@pytest.mark.parametrize(
    "comment",
    [
        b"",
        b"[]",
        b'[{"value": 0, "name": "x"}]',
        b'[["value"]]',
        b'{"value": 1}',
        b"[" * 100_000,
        b'[{"value": 1}',
    ],
)
def test_a_comment_that_somebody_damaged_is_told_and_left(comment: bytes) -> None:
    image = nib.Nifti1Image(np.ones((3, 4, 5), np.uint8), AFFINE)
    image.header.set_xyzt_units("mm")
    content = b'{"dicomlab": {"labels": ' + comment + b"}}"
    image.header.extensions.append(nib.nifti1.Nifti1Extension(6, content))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert labels_of(from_nibabel(image)).names == ["label 1"]
    assert [w.category for w in caught] == ([] if comment == b"[]" else [DicomLabWarning])


def test_a_resampled_label_map_is_a_plain_volume_and_names_for_it_are_refused() -> None:
    image = of_total_segmentator(np.full((3, 4, 5), 0.5, np.float32))
    assert from_nibabel(image).dtype == np.float32
    with pytest.raises(DicomLabError, match=r"no labels: 0\.5 to 0\.5"):
        from_nibabel(image, names={1: "liver"})
    high = nib.Nifti1Image(np.array([[[0.0, 1.0, 65_537.0]]], np.float32), np.eye(4))
    high.header.set_xyzt_units("mm")
    with pytest.raises(DicomLabError, match="0 to 65535"):
        from_nibabel(high, names={1: "liver"})


def test_itk_snap_gets_a_table_beside_the_file(ct: xr.DataArray, tmp_path: Path) -> None:
    save(labelled(ct), tmp_path / "x.nii", label_file=tmp_path / "x.txt")
    rows = [
        line.split(maxsplit=7) for line in (tmp_path / "x.txt").read_text().splitlines() if line[0] != "#"
    ]
    assert rows[0][7] == '"Clear Label"'
    for row, one in zip(rows[1:], labels_of(labelled(ct)), strict=True):
        assert [int(x) for x in row[:4]] == [one.value, *one.rgb]
        assert row[4:] == ["1", "1", "1", f'"{one.name}"']
    with pytest.raises(OverwriteError):
        save(labelled(ct), tmp_path / "y.nii", label_file=tmp_path / "x.txt")
    with pytest.raises(DicomLabError, match="numbers nobody named"):
        save(ct, tmp_path / "y.nii", label_file=tmp_path / "y.txt")
    assert sorted(file.name for file in tmp_path.iterdir()) == ["x.nii", "x.txt"]


def of_slicer(path: Path, values: np.ndarray, fields: dict[str, str]) -> Path:
    """Let ITK write a NRRD, as 3D Slicer does, with these fields; values (slice, row, column[, layer])."""
    image = sitk.GetImageFromArray(values, isVector=values.ndim == 4)
    image.SetSpacing((0.8, 0.9, 5.0))
    for key, value in fields.items():
        image.SetMetaData(key, value)
    sitk.WriteImage(image, str(path), useCompression=True)
    return path


TAGS = (
    "Segmentation.Status:inprogress|TerminologyEntry:Segmentation category and type - 3D Slicer General Anatomy list"
    "~SCT^123037004^Anatomical Structure~SCT^64033007^Kidney~SCT^7771000^Left~Anatomic codes - DICOM master list~^^~^^|"
)


def test_segments_of_slicer_are_a_label_map_with_its_names(tmp_path: Path) -> None:
    values = np.random.default_rng(0).integers(0, 3, (3, 4, 5)).astype(np.uint8)
    fields = {
        "Segment0_ID": "a",
        "Segment0_Name": "Nierchen",
        "Segment0_LabelValue": "1",
        "Segment0_Layer": "0",
    }
    fields |= {
        "Segment0_Color": "0.5 0.25 1",
        "Segment0_Tags": TAGS,
        "Segment1_LabelValue": "2",
        "Segment1_Name": "bone",
    }
    found = load_nrrd(of_slicer(tmp_path / "x.seg.nrrd", values, fields))
    np.testing.assert_array_equal(found.values, values)
    first, second = labels_of(found)
    assert (first.name, first.colour, first.side.meaning) == ("Nierchen", "#8040ff", "Left")
    assert (str(first.type), first.category.value) == ("Kidney (SCT 64033007)", "123037004")
    assert second == Label(2, "bone")
    assert found.dicom.spacing == pytest.approx((5.0, 0.9, 0.8))


def test_layers_of_slicer_may_overlap(tmp_path: Path) -> None:
    values = np.random.default_rng(0).integers(0, 3, (3, 4, 5, 2)).astype(np.uint8)
    fields = {}
    for k, (name, layer, value) in enumerate([("liver", 0, 1), ("bone", 0, 2), ("lesion", 1, 1)]):
        fields |= {
            f"Segment{k}_Name": name,
            f"Segment{k}_Layer": str(layer),
            f"Segment{k}_LabelValue": str(value),
        }
    found = load_nrrd(of_slicer(tmp_path / "x.seg.nrrd", values, fields))
    assert found.dims == ("segment", "slice", "row", "column")
    assert labels_of(found).names == ["liver", "bone", "lesion"]
    for k, wanted in enumerate([values[..., 0] == 1, values[..., 0] == 2, values[..., 1] == 1]):
        np.testing.assert_array_equal(found.values[k], wanted)


def test_segments_of_old_slicer_are_a_layer_each(tmp_path: Path) -> None:
    values = np.random.default_rng(0).integers(0, 2, (3, 4, 5, 2)).astype(np.uint8)
    fields = {"Segment0_Name": "liver", "Segment1_Name": "lesion"}
    found = load_nrrd(of_slicer(tmp_path / "x.seg.nrrd", values, fields))
    assert labels_of(found).names == ["liver", "lesion"]
    np.testing.assert_array_equal(found.values, np.moveaxis(values == 1, -1, 0))


def test_itk_reads_the_names_that_are_written_for_slicer(ct: xr.DataArray, tmp_path: Path) -> None:
    path = save(labelled(ct), tmp_path / "x.seg.nrrd")
    image = sitk.ReadImage(str(path))
    np.testing.assert_array_equal(sitk.GetArrayFromImage(image), labelled(ct).values)
    for k, one in enumerate(labels_of(labelled(ct))):
        assert image.GetMetaData(f"Segment{k}_Name") == one.name
        assert int(image.GetMetaData(f"Segment{k}_LabelValue")) == one.value
        colour = [round(255 * float(x)) for x in image.GetMetaData(f"Segment{k}_Color").split()]
        assert tuple(colour) == one.rgb
        tag = image.GetMetaData(f"Segment{k}_Tags")
        assert f"~{one.type.scheme}^{one.type.value}^{one.type.meaning}~" in tag


def test_names_beyond_ascii_are_told_where_they_do_not_fit(ct: xr.DataArray, tmp_path: Path) -> None:
    mask = with_labels(ct > 50, Label(1, "Größe", None, FAT[0].category, FAT[0].type))
    with pytest.warns(DicomLabWarning, match=r"'Größe' becomes 'Gr\?\?e'"):
        save(mask, tmp_path / "x.nrrd")
    assert labels_of(load_nifti(save(mask, tmp_path / "x.nii"))).names == ["Größe"]
