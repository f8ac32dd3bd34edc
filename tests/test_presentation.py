"""Presentation states: their windows beside those of the images, written by highdicom and drawn by DCMTK."""

from __future__ import annotations

import shutil
import subprocess
import warnings
from pathlib import Path
from typing import Any

import highdicom as hd
import numpy as np
import pytest
from PIL import Image
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import generate_uid

import dicomlab as dl
from dicomlab.read.alike import Headers
from dicomlab.read.presentation import attach
from dicomlab.view.shade import grey
from dicomlab.windowing import file_windows
from tests import support

needs_dcmtk = pytest.mark.skipif(shutil.which("dcmp2pgm") is None, reason="needs DCMTK")


def rescale(slope: float, intercept: float, kind: str = "HU") -> hd.ModalityLUTTransformation:
    return hd.ModalityLUTTransformation(
        rescale_slope=float(slope), rescale_intercept=float(intercept), rescale_type=kind
    )


def window(
    center: Any, width: Any, explanation: Any = None, images: list[Dataset] | None = None, **more: Any
) -> hd.pr.SoftcopyVOILUTTransformation:
    references = None if images is None else hd.ReferencedImageSequence(images)
    return hd.pr.SoftcopyVOILUTTransformation(
        center, width, explanation, referenced_images=references, **more
    )


def table(first: int, entries: np.ndarray[Any, Any]) -> hd.pr.SoftcopyVOILUTTransformation:
    lut = hd.VOILUT(0, entries)
    # highdicom knows no values below zero.
    lut.add_new("LUTDescriptor", "SS", [entries.size, first, 8 * entries.itemsize])
    return hd.pr.SoftcopyVOILUTTransformation(voi_luts=[lut])


def state(
    images: list[Dataset], *windows: Dataset, label: str = "KEY", modality: Any = None, **changes: Any
) -> Dataset:
    """A grayscale presentation state of `images`, by highdicom."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its own, about phantom descriptions
        made: Dataset = hd.pr.GrayscaleSoftcopyPresentationState(
            images,
            generate_uid(),
            99,
            generate_uid(),
            1,
            "dicomlab",
            "tests",
            "1",
            "1",
            label,
            modality_lut_transformation=modality,
            voi_lut_transformations=list(windows) or None,
        )
    for keyword, value in changes.items():
        setattr(made, keyword, value)
    return made


def write(folder: Path, images: list[Dataset], *states: Dataset) -> Path:
    support.write(folder, images)
    for number, one in enumerate(states):
        one.save_as(folder / f"state{number}.dcm", enforce_file_format=True)
    return folder


def names(folder: Path) -> list[str]:
    return list(file_windows(dl.load_volume(folder, progress=False).attrs))


def test_windows_of_a_presentation_state_come_after_those_of_the_file_under_its_label(tmp_path: Path) -> None:
    images = support.datasets("CT")
    folder = write(
        tmp_path,
        images,
        state(images, window([60, -500], [300, 900], ["LIVER <i>", "AIR"]), label="TUMOUR BOARD"),
    )
    volume = dl.load_volume(folder, progress=False)
    assert list(file_windows(volume.attrs))[-2:] == ["TUMOUR BOARD: LIVER <i>", "TUMOUR BOARD: AIR"]
    assert volume.dicom.windows[0].explanation == "SOFT TISSUE"
    assert volume.dicom.windows[-1] == dl.Window(-500, 900, explanation="TUMOUR BOARD: AIR")
    assert dl.browse(volume, window="tumour board: air").window.center == -500
    assert "<i>" not in volume.dicom._repr_html_()


def test_without_a_window_in_the_file_the_one_of_the_presentation_state_is_shown_first(
    tmp_path: Path,
) -> None:
    images = support.datasets("CT")
    for image in images:
        del image.WindowCenter, image.WindowWidth, image.WindowCenterWidthExplanation
    folder = write(tmp_path, images, state(images, window(60, 300)))
    volume = dl.load_volume(folder, progress=False)
    assert volume.dicom.windows == (dl.Window(60, 300, explanation="KEY"),)
    assert dl.browse(volume).window == dl.Window(60, 300)


def test_a_series_knows_its_presentation_states_and_others_have_none(tmp_path: Path) -> None:
    images = support.datasets("CT")
    others = support.datasets("MR")
    support.write(tmp_path / "mr", others)
    made = state(images, window(60, 300), label="KEY")
    write(tmp_path / "ct", images, made)
    found = {series.modality: series for series in dl.find_series(tmp_path, progress=False)}
    assert [len(found[name].presentations) for name in ("CT", "MR", "PR")] == [1, 0, 0]
    assert "KEY" in found["CT"]._repr_html_()
    assert "KEY" not in " ".join(file_windows(dl.load_volume(found["MR"], progress=False).attrs))
    stack = found["CT"].stacks[0]
    assert "KEY" in file_windows(dl.load_volume(stack, progress=False).attrs)


def test_of_windows_for_single_images_the_one_nearest_to_the_middle_is_offered(tmp_path: Path) -> None:
    images = support.datasets("CT")
    first, near, last = images[0], images[2], images[-1]
    folder = write(
        tmp_path,
        images,
        state(
            [first, near, last],
            window(1, 10, images=[first]),
            window([2, 22], [20, 220], images=[near]),
            window(3, 30, images=[last]),
        ),
    )
    assert names(folder)[-2:] == ["KEY (2)", "KEY (3)"]
    (presentation,) = dl.find_series(folder, progress=False)[0].presentations
    assert [w.center for w in presentation.windows] == [1, 2, 22, 3]
    assert presentation.windows_of(last.SOPInstanceUID)[0].width == 30
    assert presentation.windows_of(images[1].SOPInstanceUID) == ()


def test_a_label_from_a_file_is_shown_as_text(tmp_path: Path) -> None:
    images = support.datasets("CT")
    made = state(images, window(60, 300))
    made.add_new("ContentLabel", "LO", "<b>KEY\nTWO")
    (series,) = (
        s for s in dl.find_series(write(tmp_path, images, made), progress=False) if s.modality == "CT"
    )
    assert "<b>" not in series._repr_html_()
    assert file_windows(dl.load_volume(series, progress=False).attrs)["<b>KEY TWO"].width == 300


def test_frames_that_are_not_referred_to_have_no_window(tmp_path: Path) -> None:
    images = support.datasets("CT")
    made = state(images, window(60, 300))
    for one in made.ReferencedSeriesSequence[0].ReferencedImageSequence:
        one.ReferencedFrameNumber = [2, 3]
    folder = write(tmp_path, images, made)
    (presentation,) = dl.find_series(folder, progress=False)[0].presentations
    uid = images[0].SOPInstanceUID
    assert [len(presentation.windows_of(uid, frame)) for frame in (1, 2, 3, 4, None)] == [0, 1, 1, 0, 1]


@pytest.mark.parametrize("modality", [rescale(1, -1000), rescale(2, -1024), None])
def test_windows_for_values_of_another_modality_lut_are_a_finding_and_not_offered(
    tmp_path: Path, modality: Any
) -> None:
    images = support.datasets("CT")
    made = state(images, window(60, 300), modality=modality)
    if modality is None:
        del made.RescaleSlope, made.RescaleIntercept, made.RescaleType
    folder = write(tmp_path, images, made)
    with pytest.warns(dl.DicomLabWarning, match=r"presentation_differs: .*intercept -1024"):
        volume = dl.load_volume(folder, progress=False)
    assert "KEY" not in " ".join(file_windows(volume.attrs))
    with pytest.raises(dl.DicomLabError, match="presentation_differs"):
        dl.load_volume(folder, on_fault="raise", progress=False)


def test_what_is_not_applied_is_named(tmp_path: Path) -> None:
    images = support.datasets("CT")
    made = state(
        images,
        window(60, 300),
        ImageRotation=90,
        ImageHorizontalFlip="N",
        ShutterShape="RECTANGULAR",
        PresentationLUTShape="INVERSE",
        GraphicAnnotationSequence=Sequence([Dataset()]),
        MaskSubtractionSequence=Sequence([Dataset()]),
    )
    made.add_new((0x6000, 0x0010), "US", 5)
    made.ContentDescription = "for the board"
    (presentation,) = dl.find_series(write(tmp_path, images, made), progress=False)[0].presentations
    assert presentation.not_applied == (
        "annotations",
        "shutter",
        "rotation or flip",
        "mask subtraction",
        "overlays",
        "polarity (invert=True shows it)",
    )
    assert (presentation.label, presentation.description) == ("KEY", "for the board")


@pytest.mark.parametrize(
    ("photometric", "shape", "words"),
    [
        ("MONOCHROME2", "IDENTITY", ()),
        ("MONOCHROME1", "INVERSE", ()),
        ("MONOCHROME1", "IDENTITY", ("polarity (invert=False shows it)",)),
    ],
)
def test_polarity_is_that_of_the_presentation_state_and_not_of_the_image(
    tmp_path: Path, photometric: str, shape: str, words: tuple[str, ...]
) -> None:
    images = support.datasets("MR")
    for image in images:
        image.PhotometricInterpretation = photometric
    made = state(images, window(60, 300), PresentationLUTShape=shape)
    (presentation,) = dl.find_series(write(tmp_path, images, made), progress=False)[0].presentations
    assert presentation.not_applied == words


@pytest.mark.parametrize("kind", ["2", "3", "4", "5", "8", "77"])
def test_other_presentation_states_are_left_alone_with_a_reason(tmp_path: Path, kind: str) -> None:
    images = support.datasets("CT")
    made = state(images, window(60, 300), SOPClassUID=f"1.2.840.10008.5.1.4.1.1.11.{kind}")
    made.file_meta.MediaStorageSOPClassUID = made.SOPClassUID
    folder = write(tmp_path, images, made)
    (presentation,) = dl.find_series(folder, progress=False)[0].presentations
    assert presentation.windows == ()
    assert presentation.not_applied == ("anything: it is no grayscale presentation state",)
    assert "KEY" not in names(folder)


def test_the_newest_of_several_presentation_states_comes_first(tmp_path: Path) -> None:
    images = support.datasets("CT")
    states = [
        state(images, window(1, 9), label="OLD", PresentationCreationDate="20200101"),
        state(images, window(2, 9), label="NEW", PresentationCreationDate="20240101"),
        state(images, window(3, 9), label="MIDDLE", PresentationCreationDate="20220101"),
    ]
    assert names(write(tmp_path, images, *states))[-3:] == ["NEW", "MIDDLE", "OLD"]


@pytest.mark.parametrize("damage", ["nothing", "windows", "references", "cut"])
def test_a_damaged_presentation_state_hides_nothing_of_the_images(tmp_path: Path, damage: str) -> None:
    images = support.datasets("CT")
    made = state(images, window(60, 300))
    if damage == "windows":
        made.SoftcopyVOILUTSequence[0].WindowWidth = "0"
    elif damage == "references":
        del made.ReferencedSeriesSequence[0].ReferencedImageSequence[0].ReferencedSOPInstanceUID
        made.ReferencedSeriesSequence[0].ReferencedImageSequence = []
    folder = write(tmp_path, images, made)
    if damage == "cut":
        path = folder / "state0.dcm"
        path.write_bytes(path.read_bytes()[:1500])
    assert ("KEY" in names(folder)) == (damage == "nothing")
    assert dl.load_volume(folder, progress=False).shape == support.SMALL


def test_nothing_is_read_twice_where_there_is_no_presentation_state(tmp_path: Path) -> None:
    instances = dl.find_series(support.write(tmp_path, support.datasets("CT")), progress=False)[0].instances
    again = attach({"ct": list(range(len(instances)))}, Headers(instances))
    assert all(one is other for one, other in zip(again["ct"], instances, strict=True))


def drawn(folder: Path, image: Path, presentation: Path) -> np.ndarray[Any, Any]:
    """The picture that DCMTK draws of an image through a presentation state."""
    out = folder / "out.pgm"
    subprocess.run(
        ["dcmp2pgm", "-p", str(presentation), str(image), str(out)], check=True, capture_output=True
    )
    with Image.open(out) as picture:
        return np.asarray(picture)


@needs_dcmtk
@pytest.mark.parametrize(
    "transformation",
    [
        window(40, 400),
        window(-300.5, 1801.25),
        table(-900, (np.arange(1500) ** 2 // 60).astype(np.uint16)),
        table(-200, np.linspace(255, 0, 600).astype(np.uint8)),
    ],
    ids=["linear", "fractions", "16-bit table", "falling 8-bit table"],
)
def test_dcmtk_draws_the_same_picture_through_a_presentation_state(
    tmp_path: Path, transformation: Dataset
) -> None:
    images = support.datasets("CT")[3:4]
    made = state(images, transformation, PresentationLUTShape="IDENTITY")
    folder = write(tmp_path, images, made)
    (image,) = (path for path in folder.iterdir() if path.name != "state0.dcm")
    theirs = drawn(tmp_path, image, folder / "state0.dcm")
    volume = dl.load_volume(folder, progress=False)
    ours = grey(volume.values[0], file_windows(volume.attrs)["KEY"])
    assert np.ptp(ours) > 100
    assert np.abs(ours.astype(int) - theirs).max() <= 1


@needs_dcmtk
@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
@pytest.mark.parametrize("shape", ["IDENTITY", "INVERSE"])
def test_dcmtk_inverts_where_we_say_that_inverting_shows_it(
    tmp_path: Path, photometric: str, shape: str
) -> None:
    images = support.datasets("CT")[3:4]
    images[0].PhotometricInterpretation = photometric
    made = state(images, window(40, 400), PresentationLUTShape=shape)
    folder = write(tmp_path, images, made)
    (image,) = (path for path in folder.iterdir() if path.name != "state0.dcm")
    theirs = drawn(tmp_path, image, folder / "state0.dcm")
    volume = dl.load_volume(folder, progress=False)
    ours = grey(volume.values[0], file_windows(volume.attrs)["KEY"], invert=shape == "INVERSE")
    assert np.abs(ours.astype(int) - theirs).max() <= 1


@pytest.mark.skipif(
    not (support.SHARED / "truth.json").is_file(), reason=f"no real DICOM at {support.SHARED}"
)
def test_the_window_of_a_real_presentation_state_is_found() -> None:
    folder = support.shared_data() / "objects-misc-a" / "pr"
    (series,) = (one for one in dl.find_series(folder, progress=False) if one.modality == "CR")
    (presentation,) = series.presentations
    assert presentation.windows == (dl.Window(2048, 4096, explanation=presentation.label),)
    assert presentation.not_applied[0] == "annotations"
