"""What learners get wrong is called by its name: mistakes made on the written files, as a learner makes them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom import Dataset, Sequence, dcmread

import dicomlab as dl
from dicomlab.teach import check_exercise
from dicomlab.teach.exercises import checks_of
from dicomlab.teach.exercises.lessons import CT_SHAPE, MR_SHAPE, PET_SHAPE

Mistake = tuple[str, Any, str]
"""Exercise, answer, what the verdict says among other things."""


def floats(values: Any) -> np.ndarray[Any, Any]:
    return np.array([float(v) for v in values])


def stored(header: Dataset, order: str = "<u2") -> np.ndarray[Any, Any]:
    return np.frombuffer(header.PixelData, order).reshape(header.Rows, header.Columns)


def read_all(folder: Path) -> list[Dataset]:
    return [dcmread(file) for file in sorted(folder.iterdir())]


@pytest.fixture(scope="module")
def ct(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return dl.phantom.write_ct(tmp_path_factory.mktemp("ct"), shape=CT_SHAPE).folder


def chapter_00(ct: Path, folder: Path) -> list[Mistake]:
    data = sorted(ct.iterdir())[0].read_bytes()
    header = dcmread(sorted(ct.iterdir())[0])
    length = int.from_bytes(data[140:144], "little")
    meta = header.file_meta
    return [
        ("00.0", "DICOM", "all capitals"),
        ("00.0", b"dicm", "all capitals"),
        ("00.0", "TIFF", "128 to 131"),
        ("00.1", length, "length alone"),
        ("00.1", 132 + length, "end of DICM"),
        ("00.1", 12 + length, "forgot the preamble"),
        ("00.1", 145 + length, "off by one"),
        ("00.2", meta.MediaStorageSOPClassUID, "SOP Class"),
        ("00.2", "Explicit VR Little Endian", "its name"),
        ("00.2", "1.2.840.10008.1.2.1\0", "padding"),
        ("00.3", header.Rows * header.Columns, "number of pixels"),
        ("00.3", len(data), "whole file"),
        ("00.3", header.Rows * header.Columns * 12 / 8, "16 are allocated"),
        ("00.4", ["ct.dcm", "holiday.jpg", "1.2.3.4"], "right ending"),
        ("00.4", ["holiday.jpg", "1.2.3.4", Path("box/REPORT")], "DICO"),
        ("00.4", "holiday.jpg", "as a list"),
        ("00.5", ["SeriesInstanceUID", "SOPInstanceUID"], "makes them a series"),
        ("00.5", ["SOPInstanceUID", "FrameOfReferenceUID"], "same coordinates"),
        ("00.5", [], "at least one"),
    ]


def chapter_01(ct: Path, folder: Path) -> list[Mistake]:
    return [
        ("01.1", (0x50, 0x18), "swapped"),
        ("01.1", (18, 50), "decimal"),
        ("01.1", (28, 30), "PixelSpacing"),
        ("01.1", ("0018", "0050"), "int('0018', 16)"),
        ("01.1", "SliceThickness", "keyword"),
        ("01.2", "2.0", "text that looks like a number"),
        ("01.2", dcmread(next(ct.iterdir())).PixelSpacing, "a list of 2"),
        ("01.2", dcmread(next(ct.iterdir())).PixelSpacing[1], "second number"),
        ("01.3", 5, "even number"),
        ("01.3", 14, "whole element"),
        ("01.3", 8, "double"),
        ("01.4", 6586.2, "seconds"),
        ("01.4", 6586.2 / 3600, "hours"),
        ("01.4", 6586.2 * 60, "multiplied"),
        ("01.4", [Dataset()], "list of one"),
        ("01.4", Sequence([Dataset()]), "first item"),
        ("01.4", Dataset(), "whole data set"),
        ("01.5", 100500 - 90000, "as whole numbers"),
        ("01.5", 3900, "seconds"),
        ("01.5", -65, "turned round"),
        ("01.5", timedelta(minutes=65), ".total_seconds()"),
        ("01.5", np.timedelta64(65, "m"), "in seconds"),
        ("01.6", [(0x0010, 0x0021), (0x0028, 0x1053), (0x0008, 0x0060)], "other way round"),
        ("01.6", [(0x0010, 0x0021), (0x0028, 0x1053)], "odd element number"),
        ("01.6", [(0x0009, 0x1002), "(0019,100C)"], "1 more"),
        ("01.6", (0x0009, 0x1002), "single tag"),
        ("01.6", np.array([(0x0010, 0x0021), (0x0028, 0x1053), (0x0008, 0x0060)]), "other way round"),
    ]


def chapter_02(ct: Path, folder: Path) -> list[Mistake]:
    header = read_all(ct)[16]
    picture = stored(header)
    shape = picture.shape
    raw = np.frombuffer(
        dcmread(dl.phantom.write_kind("high_bits", folder / "hb").folder / "IM0005").PixelData, "<u2"
    )
    raw = raw.reshape(28, 36).copy()
    raw[0, 0] = 0xF800  # as the lesson does it
    low = (raw & 0xFFF).astype(int)
    size = 30 * 480 * 640 * 3
    return [
        ("02.1", size / 3, "three samples"),
        ("02.1", size * 8, "bits"),
        ("02.1", size / 30, "one frame"),
        ("02.1", size / 1e6, "megabytes"),
        ("02.2", stored(header, ">u2"), "bytes of each number are swapped"),
        ("02.2", picture.T, "opposite order"),
        ("02.2", picture.ravel(), "reshape"),
        ("02.2", picture.astype(int) - 1024, "Hounsfield"),
        ("02.2", picture.ravel().reshape(shape[::-1]).T, "transposing does not mend"),
        ("02.2", picture.astype(np.uint8), "lower byte"),
        ("02.3", picture[122, 80], "swapped"),
        ("02.3", picture[79, 121], "off by one"),
        ("02.3", picture[81, 123], "off by one"),
        ("02.3", int(picture[80, 122]) - 1024, "Hounsfield"),
        ("02.4", (0, 4095), "without sign"),
        ("02.4", (-2048, 2048), "off by one"),
        ("02.4", (2047, -2048), "smallest comes first"),
        ("02.4", [-32768, 32767], "16 bits"),
        ("02.5", raw, "upper four bits"),
        ("02.5", raw.view(np.int16), "taken for the sign"),
        ("02.5", raw & 0xFFF, "sign is missing"),
        ("02.5", np.where(low > 2048, low - 4096, low), "not >"),
        ("02.5", np.where(raw & 0xFFF >= 2048, (raw & 0xFFF) - 4096, raw & 0xFFF), "wrapped round"),
        ("02.6", 1, "colour by pixel"),
        ("02.6", 25, "off by one"),
        ("02.6", 48, "blue"),
    ]


def chapter_03(ct: Path, folder: Path) -> list[Mistake]:
    header = read_all(ct)[8]
    picture = stored(header)
    hu = picture.astype(int) - 1024
    pet = dl.phantom.write_pet(folder / "pet", shape=PET_SHAPE)
    files = [dcmread(file) for file in pet.files]
    highest = max(stored(one, "<i2").max() for one in files)
    true = max(stored(one, "<i2").max() * float(one.RescaleSlope) for one in files)
    return [
        ("03.1", picture, "not applied"),
        ("03.1", picture - np.uint16(1024), "wrapped round"),
        ("03.1", picture + 1024.0, "wrong sign"),
        ("03.1", hu.T, "opposite order"),
        ("03.2", 0, "Which stored number"),
        ("03.2", -1024, "wrong sign"),
        ("03.2", 24, "air"),
        ("03.3", hu[64:79, 70:85].mean(), "ends before"),
        ("03.3", hu[70:86, 64:80].mean(), "swapped"),
        ("03.3", picture[64:80, 70:86].mean(), "stored values"),
        ("03.3", hu[64:80, 70:86].std(), "standard deviation"),
        ("03.4", 9 / 256, "root"),
        ("03.4", 9, "one voxel"),
        ("03.4", 9 / 4, "16 × 16"),
        ("03.5", highest, "slope is missing"),
        ("03.5", highest * float(files[0].RescaleSlope), "first file"),
        ("03.5", true / 1000, "kBq/ml"),
        ("03.5", true * pet.truth.suvbw_per_bqml, "SUV"),
    ]


def chapter_04(ct: Path, folder: Path) -> list[Mistake]:
    hu = stored(read_all(ct)[19]).astype(int) - 1024
    loose, exactly = ((hu + 600.5) / 1499 + 0.5) * 255, ((hu + 600) / 1500 + 0.5) * 255
    grey = dl.apply_window(100, dl.Window(50, 400)) * 255
    exact = dl.apply_window(100, dl.Window(50, 400, "LINEAR_EXACT")) * 255
    return [
        ("04.1", (-150, 250), "LINEAR_EXACT"),
        ("04.1", (249, -150), "black comes first"),
        ("04.1", (-350, 450), "half of it"),
        ("04.1", (874, 1273), "stored values"),
        ("04.2", exact, "LINEAR_EXACT"),
        ("04.2", 255 - grey, "inverted"),
        ("04.2", grey / 255, "from 0 to 1"),
        ("04.3", loose.astype(int).astype(np.uint8), "wrapped round"),
        ("04.3", loose, "nothing is cut off"),
        ("04.3", np.clip(loose, 0, 255).astype(np.uint8), "not rounded"),
        ("04.3", np.rint(np.clip(exactly, 0, 255)).astype(np.uint8), "LINEAR_EXACT"),
        ("04.3", np.clip(exactly, 0, 255).astype(np.uint8), "two things are off"),
        ("04.3", np.rint(np.clip(loose, 0, 255)), "type is not"),
        ("04.3", np.clip(np.rint(loose) + 1, 0, 255).astype(np.uint8), "about one grey off"),
        ("04.3", np.clip(loose, 0, 255) / 255, "from 0 to 1"),
        ("04.3", np.clip(loose, 0, 255), "type is not"),
        ("04.3", 255 - np.rint(np.clip(loose, 0, 255)).astype(np.uint8), "inverted"),
        ("04.3", np.rint(np.clip(((hu + 1024.0 + 600.5) / 1499 + 0.5) * 255, 0, 255)), "stored values"),
        ("04.4", (-1000, 200), "black and white"),
        ("04.4", (1200, -400), "center first"),
        ("04.4", (-400, 600), "whole span"),
        ("04.5", 40, "HU"),
        ("04.5", 40 / 1500 * 255, "LINEAR_EXACT"),
        ("04.5", 40 / 1499, "times 255"),
        ("04.5", 7, "rounded"),
        ("04.6", grey, "MONOCHROME2"),
        ("04.6", -grey, "no sign"),
        ("04.6", 256 - grey, "255, not 256"),
    ]


def chapter_05(ct: Path, folder: Path) -> list[Mistake]:
    mr = dl.phantom.write_mr(folder / "mr", shape=MR_SHAPE)
    first, second, last = (dcmread(mr.files[k]) for k in (0, 1, -1))
    place, r, c = floats(first.ImagePositionPatient), *floats(first.ImageOrientationPatient).reshape(2, 3)
    down, along = floats(first.PixelSpacing)
    true = mr.truth.affine[:3] @ [MR_SHAPE[0] - 1, 20, 65, 1]  # the first file is the last slice along n
    n = np.cross(r, c)
    step = floats(second.ImagePositionPatient) - place
    affine = mr.truth.affine
    thick = affine.copy()
    thick[:3, 0] = n * float(first.SliceThickness)
    top = affine.copy()
    top[:3, 3] = place
    swapped = np.column_stack(
        [affine[:, 0], affine[:, 1] / down * along, affine[:, 2] / along * down, affine[:, 3]]
    )
    ras = dl.load_volume(mr.folder).dicom.affine_ras
    index = np.linalg.inv(affine) @ [-20.6, -13.7, 1.5, 1]
    mirrored = np.linalg.inv(affine) @ [20.6, 13.7, 1.5, 1]
    voxel = np.rint(index[:3])
    assert np.allclose(floats(last.ImagePositionPatient), affine[:3, 3])
    return [
        ("05.1", place + 65 * r * down + 20 * c * along, "spacing are swapped"),
        ("05.1", place + 20 * r * down + 65 * c * along, "r and c are swapped"),
        ("05.1", place + 20 * r * along + 65 * c * down, "index are swapped"),
        ("05.1", true - place, "Image Position is missing"),
        ("05.1", true + (r * along + c * down) / 2, "corner"),
        ("05.1", true * [-1, -1, 1], "RAS"),
        ("05.1", true - r * along - c * down, "off by one"),
        ("05.1", true / 10, "centimetres"),
        ("05.1", (affine @ [0, 20, 65, 1])[:3], "slice 0 of the explorer"),
        ("05.1", (affine @ [0, 20, 65, 1])[:3].round(1), "`files[0]`, its slice 15"),
        ("05.1", (affine @ [3, 20, 65, 1])[:3], "slice 3 of the explorer"),
        ("05.1", affine @ [15, 20, 65, 1], "drop the 1 at the end"),
        ("05.1", true + 196 * n, "196 mm from"),
        ("05.1", place + 65 * r + 20 * c, "Pixel Spacing is missing"),
        ("05.2", -n, "c × r"),
        ("05.2", [0, 0, 1], "patient's axis"),
        ("05.2", 3 * n, "length"),
        ("05.2", n * [-1, -1, 1], "RAS"),
        ("05.2", r * c, "number by number"),
        ("05.3", first.SliceThickness, "Slice Thickness"),
        ("05.3", n @ step, "sign"),
        ("05.3", abs(step[2]), "z alone"),
        ("05.3", np.linalg.norm(step) / 10, "centimetres"),
        ("05.4", thick, "Slice Thickness"),
        ("05.4", top, "start is wrong"),
        ("05.4", swapped, "spacing are swapped"),
        ("05.4", ras, "nibabel"),
        ("05.4", np.diag([-1, -1, 1, 1]) @ affine, "RAS"),
        ("05.4", affine.T, "transposed"),
        ("05.4", affine[:, [0, 2, 1, 3]], "row and column are swapped"),
        ("05.4", affine[:3], "shape (4, 4)"),
        ("05.4", affine + np.diag([0, 0, 0, 1]), "all else is right"),
        ("05.5", voxel[::-1], "(column, row, slice)"),
        ("05.5", index[:3].astype(int), "not rounded"),
        ("05.5", voxel + 1, "off by one"),
        ("05.5", np.rint(mirrored[:3]), "RAS"),
        ("05.5", index, "drop the 1 at the end"),
        ("05.5", index[:3], "np.rint"),
        ("05.5", index[:3].round(1), "np.rint"),
        ("05.6", 103 * along, "centre"),
        ("05.6", 104 * down, "swapped"),
        ("05.6", 88 * down, "height"),
    ]


def chapter_06(ct: Path, folder: Path) -> list[Mistake]:
    axial = dl.phantom.write_kind("axial_ct", folder / "axial")
    files = sorted(axial.folder.iterdir())
    headers = {file.name: dcmread(file) for file in files}
    by_number = sorted(headers, key=lambda name: int(headers[name].InstanceNumber))
    by_place = sorted(headers, key=lambda name: float(headers[name].ImagePositionPatient[2]))
    volumes = {
        order: np.stack([stored(headers[name]).astype(int) - 1024 for name in names])
        for order, names in {"name": list(headers), "number": by_number, "place": by_place}.items()
    }
    volume, first = dl.load_volume(ct), dcmread(next(ct.iterdir()))
    return [
        ("06.1", ["CT", "MR", "PT"], "all three"),
        ("06.1", ["MR", "CT"], "another machine"),
        ("06.1", "CT", "as a list"),
        ("06.2", by_number, "Instance Number"),
        ("06.2", list(headers), "by file name"),
        ("06.2", by_place[::-1], "head to the feet"),
        ("06.2", by_place[:-1], "all 9 names"),
        ("06.3", volumes["number"], "Instance Numbers"),
        ("06.3", volumes["name"], "file names"),
        ("06.3", volumes["name"] + 1024, "two things are off"),
        ("06.3", volumes["place"] + 1024, "stored values"),
        ("06.3", volumes["place"][::-1], "head to the feet"),
        ("06.3", np.moveaxis(volumes["place"], 0, -1), "another order"),
        ("06.4", (first.SliceThickness, *first.PixelSpacing), "Slice Thickness"),
        ("06.4", volume.dicom.spacing[::-1], "nibabel"),
        ("06.4", np.array(volume.dicom.spacing)[[0, 2, 1]], "row and column are swapped"),
        ("06.4", (volume.dicom.spacing[0], 7, 8), "only the slice is right"),
        ("06.4", (1, *volume.dicom.spacing[1:]), "row and column are right"),
        ("06.4", (7, 8, 9), "none is right"),
        ("06.5", volume.sel(slice=-73, row=61, column=-51, method="nearest"), "x and y are swapped"),
        ("06.5", volume.sel(slice=-73, row=51, column=-61, method="nearest").item(), "RAS"),
        ("06.5", volume.sel(slice=-73, row=-51, column=61, method="nearest").item() + 1024, "stored value"),
        ("06.6", 10, "how wide"),
        ("06.6", 4, "index"),
        ("06.6", -61, "below the gap"),
    ]


def chapter_07(ct: Path, folder: Path) -> list[Mistake]:
    enhanced = dl.phantom.write_kind("enhanced_ct", folder / "enhanced")
    header = dcmread(next(enhanced.folder.iterdir()))
    groups = header.PerFrameFunctionalGroupsSequence
    places = [floats(group.PlanePositionSequence[0].ImagePositionPatient) for group in groups]
    order = np.argsort([np.abs(enhanced.origins - place).sum(axis=1).argmin() for place in places])
    frames = header.pixel_array
    lines = [group.PixelValueTransformationSequence[0] for group in groups]
    dynamic = dl.phantom.write_kind("dynamic", folder / "dynamic")
    diffusion = dl.load_volume(dl.phantom.write_kind("diffusion", folder / "diffusion").folder)
    inside = diffusion.values[0] > 500
    s0, s1 = (diffusion.values[k][inside].mean() for k in (0, 3))
    return [
        ("07.1", places[3], "frame 4"),
        ("07.1", places[0], "first frame"),
        ("07.1", places[2] * [-1, -1, 1], "RAS"),
        ("07.2", order, "count from 0"),
        ("07.2", (order + 1)[::-1], "smallest comes first"),
        ("07.2", range(1, 10), "in which they are stored"),
        ("07.2", np.argsort(order) + 1, "rank"),
        ("07.3", frames[4], "stored values"),
        ("07.3", frames[4] * float(lines[0].RescaleSlope) + float(lines[0].RescaleIntercept), "of frame 1"),
        ("07.3", frames[5] * float(lines[5].RescaleSlope) + float(lines[5].RescaleIntercept), "frame 6"),
        ("07.3", frames, "shape (28, 36)"),
        ("07.4", (20, 24, 30), "in one row"),
        ("07.4", (5, 4, 24, 30), "time and slice are swapped"),
        ("07.4", (4, 5, 30, 24), "rows and columns are swapped"),
        ("07.4", (24, 30, 5, 4), "order is"),
        ("07.5", 2, "index"),
        ("07.5", 5000, "milliseconds"),
        ("07.5", dynamic.values.mean(axis=(1, 2, 3)).max(), "how high"),
        ("07.6", np.log10(s0 / s1) / 1000, "decimal logarithm"),
        ("07.6", np.log(s1 / s0) / 1000, "the sign"),
        ("07.6", np.log(s0 / s1), "divide by b"),
    ]


CHAPTERS: dict[int, Callable[[Path, Path], list[Mistake]]] = {
    0: chapter_00,
    1: chapter_01,
    2: chapter_02,
    3: chapter_03,
    4: chapter_04,
    5: chapter_05,
    6: chapter_06,
    7: chapter_07,
}


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_typical_mistakes_are_called_by_their_names(chapter: int, ct: Path, tmp_path: Path) -> None:
    mistakes = CHAPTERS[chapter](ct, tmp_path)
    said = [(number, words, check_exercise(number, answer)) for number, answer, words in mistakes]
    assert [(number, words, verdict) for number, words, verdict in said if verdict.right] == []
    assert [
        (number, words, verdict.text) for number, words, verdict in said if words not in verdict.text
    ] == []
    counts = [number for number, _, _ in mistakes]
    assert {f"{chapter:02d}.{n}": counts.count(f"{chapter:02d}.{n}") >= 3 for n in checks_of(chapter)} == {
        f"{chapter:02d}.{n}": True for n in checks_of(chapter)
    }
