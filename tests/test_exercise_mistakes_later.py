"""As test_exercise_mistakes, for chapters 8 to 13: typical mistakes, made on the written files, are called by their names."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom import DataElement, dcmread
from pydicom.uid import RLELossless

import dicomlab as dl
from dicomlab import segment
from dicomlab.teach import check_exercise
from dicomlab.teach.exercises import checks_of
from dicomlab.teach.exercises.chapter_12 import plant
from dicomlab.teach.exercises.lessons import CT_SHAPE, PET_SHAPE

Mistake = tuple[str, Any, str]
"""Exercise, answer, what the verdict says among other things."""


@pytest.fixture(scope="module")
def ct(tmp_path_factory: pytest.TempPathFactory) -> dl.phantom.PhantomSeries:
    return dl.phantom.write_ct(tmp_path_factory.mktemp("ct"), shape=CT_SHAPE)


def chapter_08(ct: dl.phantom.PhantomSeries, folder: Path) -> list[Mistake]:
    import imagecodecs

    one = dcmread(ct.files[20])
    pixels = one.pixel_array
    one.compress(RLELossless)
    data = one.PixelData
    exact, nearly = imagecodecs.jpegls_encode(pixels), imagecodecs.jpegls_encode(pixels, level=5)
    back = imagecodecs.jpegls_decode(nearly)
    return [
        ("08.0", b"\x00\xa8", "big endian"),
        ("08.0", b"168", "characters"),
        ("08.0", 168, "the number"),
        ("08.0", b"\xa8", "always has two"),
        ("08.0", "a8", "bytes are asked for"),
        ("08.1", len(data), "whole chain"),
        ("08.1", int.from_bytes(data[16:20], "little") + 8, "own header"),
        ("08.1", int.from_bytes(data[4:8], "little"), "offset table"),
        ("08.1", pixels.nbytes, "unpacked"),
        ("08.2", [254, 7, 2, 1, 2, 3, 128, 253, 0], "nothing is unpacked"),
        ("08.2", [7, 7, 1, 2, 3, 0, 0, 0], "too short"),
        ("08.2", [7] * 254, "an order, not a count"),
        ("08.2", [7, 7, 7, 1, 2, 3], "goes on after 128"),
        ("08.2", [7, 7, 7, 1, 2, 3, 0, 0, 0, 1], "number 9"),
        ("08.2", [7, 7, 7, 1, 2, 9, 0, 0, 0], "number 5"),
        ("08.2", [7, 7, 7, 1, 2, 3, 0, 0, 0], "the first 9 are right; number 9"),
        ("08.2", [7, 7, 7, 1, 2, 3, 0, 0, 0, 0, 0], "number 9, counted from 0, is too much"),
        ("08.3", len(exact) / pixels.nbytes, "other way round"),
        ("08.3", pixels.size / len(exact), "two bytes"),
        ("08.3", pixels.nbytes / len(nearly), "near-lossless"),
        ("08.3", 100 * len(exact) / pixels.nbytes, "per cent"),
        ("08.4", (back - pixels).max(), "gone round"),
        ("08.4", np.abs(back.astype(int) - pixels).mean(), "mean error"),
        ("08.4", 0, "with itself"),
        ("08.5", ["C"], "unpacked since"),
        ("08.5", ["B", "C"], "general"),
        ("08.5", ["B", "E"], "near is not the same"),
        ("08.5", list("ABCDE"), "uncompressed and says"),
        ("08.5", list("BCDE"), "Lossless Only"),
    ]


def chapter_09(ct: dl.phantom.PhantomSeries, folder: Path) -> list[Mistake]:
    volume = dl.load_volume(ct.folder)
    spacing = volume.dicom.spacing
    lesion, nodule = np.array([-81.75, -15, -61]), np.array([78, 8, 82])
    slices = volume.values.astype(float)[:, 72]
    index = np.stack(np.meshgrid(np.arange(31) + 0.5, 72, np.arange(192), indexing="ij"), axis=-1)
    off = (slices[:-1] + slices[1:]) / 2 - dl.phantom.body.hu(volume.dicom.lps(index[:, 0]))
    return [
        ("09.0", spacing[2] / spacing[0], "other way round"),
        ("09.0", spacing[0] / spacing[1], "front to back"),
        ("09.0", 1, "left picture"),
        ("09.0", spacing[0], "height in mm"),
        ("09.1", nodule - lesion, "lies *in* the plane"),
        ("09.1", [0, 0, 0], "no direction"),
        ("09.1", np.cross(nodule - lesion, [1, 0, 0]), "leans"),
        ("09.1", np.cross(nodule + lesion, [0, 0, 1]), "leaves the plane"),
        ("09.1", (1, 1), "(3,)"),
        ("09.2", -400, "half way"),
        ("09.2", 0.25 * 32 + 0.75 * -832, "weights are swapped"),
        ("09.2", 32, "nearest"),
        ("09.2", 32 + 0.25 * (32 + 832), "sign is off"),
        ("09.3", off.mean(), "cancel out"),
        ("09.3", np.abs(off).mean(), "mean distance"),
        ("09.3", (off**2).mean(), "mean square"),
        ("09.3", off.std(), "takes the mean off"),
        ("09.4", 31 * 5, "gaps"),
        ("09.4", 31 * 5 + 1, "centre to centre"),
        ("09.4", 32, "as before"),
        ("09.5", 9 / 4, "variances add up"),
        ("09.5", 18, "*sum*"),
        ("09.5", 9, "becomes less"),
        ("09.5", 81 / 4, "variance; its root"),
    ]


def chapter_10(ct: dl.phantom.PhantomSeries, folder: Path) -> list[Mistake]:
    written = dl.phantom.write_ct(folder / "ct", shape=(60, 120, 144))
    volume = dl.load_volume(written.folder)
    ml = math.prod(volume.dicom.spacing) / 1000
    air = segment.threshold(volume, None, -400)
    inside = air & segment.body(volume)
    left = segment.lungs(volume).values == 1
    seed = (-82, -14, -62)
    moved = np.roll(written.truth.masks["lesion"], 4, axis=1)
    return [
        ("10.0", ml * 1000, "mm³"),
        ("10.0", ml * 100, "three sides"),
        ("10.0", volume.dicom.spacing[1] * volume.dicom.spacing[2] / 1000, "area"),
        ("10.1", float(air.sum()) * ml, "the room"),
        ("10.1", float(inside.sum()) * ml, "gas in stomach"),
        ("10.1", float(left.sum()) * ml, "lung alone"),
        ("10.1", 3.77, "in litres"),
        ("10.1", 1000, "less than the lungs have"),
        ("10.2", 12 / 37, "Jaccard"),
        ("10.2", 12 / 49, "factor 2"),
        ("10.2", 12 / 25, "share of a"),
        ("10.2", 24 / 37, "not the union"),
        ("10.3", 400, "spongy"),
        ("10.3", 150, "contrast medium"),
        ("10.3", 0.915, "looks like a Dice"),
        ("10.3", 225, "one of 100"),
        ("10.4", segment.grow(volume, at=seed, low=-20, high=55), "leaked"),
        ("10.4", segment.threshold(volume, -20, 40), "no connection"),
        ("10.4", segment.grow(volume, at=seed, low=-20, high=30), "too little"),
        ("10.4", volume > 1e4, "empty"),
        ("10.4", moved, "wrong place"),
        ("10.4", volume > 500, "no voxel of the lesion"),
        ("10.4", volume.astype(float), "True and False"),
        ("10.4", written.truth.masks["lesion"].T, "on the grid"),
        ("10.5", 60, "every slice"),
        ("10.5", int(written.truth.masks["lesion"].sum()), "those are voxels"),
        ("10.5", 1, "one segment"),
    ]


def chapter_11(ct: dl.phantom.PhantomSeries, folder: Path) -> list[Mistake]:
    written = dl.phantom.write_pet(folder / "pet", shape=PET_SHAPE)
    pet = dl.load_volume(written.folder)
    suv = pet.dicom.suv().values
    lesion = written.truth.masks["lesion"]
    header = dcmread(written.files[0])
    tracer = header.RadiopharmaceuticalInformationSequence[0]
    times = [datetime.strptime(t, "%H%M%S") for t in (header.SeriesTime, tracer.RadiopharmaceuticalStartTime)]
    wait = (times[0] - times[1]).total_seconds()
    dose, half = float(tracer.RadionuclideTotalDose), float(tracer.RadionuclideHalfLife)
    left, grams = dose * 2 ** (-wait / half), float(header.PatientWeight) * 1000
    return [
        ("11.0", int(header.SeriesTime) - int(tracer.RadiopharmaceuticalStartTime), "times are no numbers"),
        ("11.0", wait / 60, "minutes"),
        ("11.0", -wait, "other way round"),
        ("11.1", dose * math.exp(-wait / half), "ln 2"),
        ("11.1", dose - left, "has decayed"),
        ("11.1", left / 1e6, "MBq"),
        ("11.1", 2 ** (-wait / half), "share of the dose"),
        ("11.1", dose * 2 ** (wait / half), "grows"),
        ("11.2", grams / 1000 / left, "grams"),
        ("11.2", grams / dose, "start of the series"),
        ("11.2", left / grams, "upside down"),
        ("11.3", suv.mean(), "air included"),
        ("11.3", (suv * lesion).mean(), "became 0"),
        ("11.3", suv[lesion].max(), "SUVmax"),
        ("11.3", pet.values[lesion].mean(), "Bq/ml"),
        ("11.3", 8, "the truth"),
        ("11.4", 0.7 * 5 + 0.3 * 0.45, "swapped"),
        ("11.4", 1.5, "missing"),
        ("11.4", 5, "nodule alone"),
        ("11.5", 100 / 18, "radius"),
        ("11.5", 17.75 / 100 + 1, "how many times"),
        ("11.5", 100 * ((19 / 18) ** 2 - 1), "area"),
    ]


def chapter_12(ct: dl.phantom.PhantomSeries, folder: Path) -> list[Mistake]:
    planted = dcmread(ct.files[0])
    plant(planted)

    def has(element: DataElement) -> bool:
        return "example" in str(element.value).lower()

    everyone = ["PatientName", "StudyDate", "InstitutionName", "AccessionNumber"]
    return [
        ("12.0", everyone[:1] + everyone[2:], "dates are in the table"),
        ("12.0", [*everyone, "KVP"], "nothing of the person"),
        ("12.0", ["PatientID"], "none of the eight"),
        ("12.0", "PatientName", "as a list"),
        ("12.1", 2, "capitals, too, and sequences"),
        ("12.1", 1, "first place"),
        ("12.1", sum(has(one) for one in planted), "the sequence was counted"),
        ("12.1", sum(has(one) and one.VR != "SQ" for one in planted), "inside a sequence"),
        (
            "12.1",
            sum("Example" in str(one.value) and one.VR != "SQ" for one in planted.iterall()),
            "in capitals",
        ),
        ("12.1", sum(map(has, planted.iterall())), "VR SQ"),
        ("12.2", "SOPClassUID", "given by the standard"),
        ("12.2", "StudyDate", "no UID"),
        ("12.2", "1.2.826.0.1.3680043.10.1.20240229.945", "the UID itself"),
        ("12.2", "SeriesInstanceUID", "no date in it"),
        ("12.3", 11, "index"),
        ("12.3", 5, "wrong end"),
        ("12.3", 17, "images 1 to 16"),
        ("12.4", [], "slice 12"),
        ("12.4", ["pixels", "private"], "private?"),
        ("12.4", ["comments"], "comments? "),
        ("12.4", ["comments"], "slice 12"),
        ("12.4", ["pixels", "face"], "none of names"),
        ("12.5", 20240314 - 20240229, "a hundred days"),
        ("12.5", 1234, "cancels out"),
        ("12.5", 13, "leap year"),
        ("12.5", timedelta(days=14), ".days"),
    ]


def chapter_13(ct: dl.phantom.PhantomSeries, folder: Path) -> list[Mistake]:
    def asked(name: str, day: str) -> dict[str, str]:
        return {"PatientName": name, "StudyDate": day}

    year = "20240101-20240630"
    return [
        ("13.0", "port", "nobody would have answered"),
        ("13.0", "own_title", "*we*"),
        ("13.0", "timeout", "in time"),
        ("13.1", 57, "whole study"),
        ("13.1", 26, "that is the CT"),
        ("13.1", 4, "Series Number"),
        ("13.2", asked("Ph", year), "just Ph"),
        ("13.2", asked("*Ph*", year), "Joseph"),
        ("13.2", asked("Ph%", year), "another language"),
        ("13.2", asked("Ph*", "2024-01-01/2024-06-30"), "without anything in between"),
        ("13.2", asked("Ph*", "202401*"), "no wildcards"),
        ("13.2", asked("Ph*", "20240101-20240631"), "June has 30"),
        ("13.2", asked("Ph*", "20240630-20240101"), "from comes first"),
        ("13.2", {"PatientName": "Ph*"}, "StudyDate is missing"),
        ("13.2", {**asked("Ph*", year), "Modality": "CT"}, "narrows it down"),
        ("13.2", "Ph*", "a dictionary"),
        ("13.3", 4095, "subtract the arrays first"),
        ("13.3", -5, "no sign"),
        ("13.3", 9, "same voxels"),
        ("13.4", "the caller's connection", "C-GET"),
        ("13.4", "the request", "no address"),
        ("13.4", "DNS", "one of"),
        ("13.5", (3, 57), "ask again"),
        ("13.5", (83, 4), "series come first"),
        ("13.5", (3, 83), "series of their own"),
    ]


CHAPTERS: dict[int, Callable[[dl.phantom.PhantomSeries, Path], list[Mistake]]] = {
    8: chapter_08,
    9: chapter_09,
    10: chapter_10,
    11: chapter_11,
    12: chapter_12,
    13: chapter_13,
}


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_typical_mistakes_are_called_by_their_names(
    chapter: int, ct: dl.phantom.PhantomSeries, tmp_path: Path
) -> None:
    mistakes = CHAPTERS[chapter](ct, tmp_path)
    said = [(number, words, check_exercise(number, answer)) for number, answer, words in mistakes]
    assert [(number, words, verdict) for number, words, verdict in said if verdict.right] == []
    assert [
        (number, words, verdict.text) for number, words, verdict in said if words not in verdict.text
    ] == []
    counts = [number for number, _, _ in mistakes]
    wanted = {f"{chapter:02d}.{n}" for n in checks_of(chapter)}
    assert {number for number in wanted if counts.count(number) >= 3} == wanted
