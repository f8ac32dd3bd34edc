"""The gallery of pitfalls: its figures by own arithmetic, its verdicts by another judge, its pictures and its bounds."""

from __future__ import annotations

import dataclasses
import html
import io
import itertools
import json
import re
import warnings
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from PIL import Image

import dicomlab as dl
from dicomlab.errors import DicomLabError
from dicomlab.findings import CODES
from dicomlab.phantom import FAULTS, KINDS, write_kind
from dicomlab.read import progress
from dicomlab.teach.pitfalls import GROUPS, PITFALLS, Card, Gallery, collection
from dicomlab.teach.pitfalls import others as others_room
from dicomlab.teach.pitfalls.measure import Off, Reading, far_off
from dicomlab.teach.pitfalls.others import Asked, Verdict, measured, plain_words
from dicomlab.teach.pitfalls.pictures import draw
from dicomlab.teach.pitfalls.readers import READERS, versions
from tests.kinds.pitfalls import from_page, page_rows

RARER = {
    "deflated",
    "rle",
    "real_world_slope",
    "real_world_lut",
    "parametric_map",
    "mosaic_ascending",
    "dose_absolute",
    "dose_descending",
    "slice_times",
    "inversion_times",
    "flip_angles",
    "dixon",
    "enhanced_diffusion",
    "enhanced_files",
    "us_cine",
    "xa_cine",
    "nm_static",
}
"""Forms among the FAULTS that are no faults, and have a pitfall of their kind already."""


@pytest.fixture(scope="module")
def cards() -> Gallery:
    return dl.teach.gallery(live=False, progress=False)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("pitfalls")


def headers(folder: Path, name: str) -> list[Any]:
    """What pydicom reads of a kind, from the lowest slice to the highest by z."""
    if not (folder / name).exists():
        write_kind(name, folder / name)
    found = [pydicom.dcmread(file) for file in sorted((folder / name).iterdir())]
    return sorted(found, key=lambda ds: float(ds.ImagePositionPatient[2]))


def place(ds: Any) -> Any:
    return np.array([float(v) for v in ds.ImagePositionPatient])


def normal(ds: Any) -> Any:
    cosines = np.array([float(v) for v in ds.ImageOrientationPatient])
    return np.cross(cosines[:3], cosines[3:])


def test_every_fault_of_the_phantom_has_a_card(cards: Gallery) -> None:
    assert set(FAULTS) - set(PITFALLS) == RARER
    assert [card.name for card in cards] == list(PITFALLS)
    assert set(PITFALLS) <= set(KINDS) | set(FAULTS)
    assert sum(len(members) for members in GROUPS.values()) == len(PITFALLS)


def test_every_naive_reading_goes_wrong(cards: Gallery) -> None:
    assert [card.name for card in cards if card.naive.state not in ("wrong", "refuses")] == []


def test_dicomlab_returns_the_truth_or_stops(cards: Gallery) -> None:
    kept = {"wandering_origin": 3.0}  # mm that "keep" accepts, and says so
    for card in cards:
        if card.name == "cosines_broken":
            assert card.ours.off.state == "refuses"
        elif card.name in kept:
            assert card.ours.off.mm == pytest.approx(kept[card.name], abs=1e-6)
        else:
            assert card.ours.off.state == "right", card.name
        if card.ours.choice is not None:
            assert card.ours.error, card.name
        assert set(card.ours.codes) <= set(CODES)


def test_a_finding_that_stops_comes_first(cards: Gallery) -> None:
    for card in cards:
        if card.ours.codes and card.ours.error:
            assert CODES[card.code].default == "raise", card.name


def test_the_lines_of_a_naive_reading_run_by_themselves(cards: Gallery, written: Path) -> None:
    for card in {card.pitfall.recipe: card for card in cards}.values():
        source = re.search(r"<pre>(.*?)</pre>", card.markup(), re.S)
        assert source
        space: dict[str, Any] = {"__name__": "a_notebook"}
        exec(html.unescape(source[1]), space)
        headers_of = written / card.name
        if not headers_of.exists():
            write_kind(card.name, headers_of)
        own = space[card.pitfall.recipe.__name__]
        told = []
        for recipe in (card.pitfall.recipe, own):
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    told.append(recipe(headers_of).values)
            except Exception as problem:
                told.append(np.array(repr(problem)))
        np.testing.assert_array_equal(*told)
        assert "NameError" not in str(told[1])


def test_a_name_that_is_nearly_one_is_offered() -> None:
    with pytest.raises(DicomLabError, match="did you mean 'geometry'"):
        dl.teach.gallery("geometri")
    with pytest.raises(DicomLabError, match="did you mean 'gantry_tilt'"):
        dl.teach.gallery("gantry tilt")


def test_a_card_has_no_tags_that_notebooks_style_themselves(cards: Gallery) -> None:
    assert not re.search(r"<d[ltd]\b", cards[0].markup())


# Errors in mm, each by the arithmetic of its own mistake.


def test_a_tilted_stack_that_is_squared_is_off_by_the_sum_of_its_steps(cards: Gallery, written: Path) -> None:
    slices = headers(written, "gantry_tilt")
    step = np.linalg.norm(place(slices[1]) - place(slices[0]))
    off = place(slices[0]) + 8 * step * normal(slices[0]) - place(slices[8])
    assert cards["gantry_tilt"].naive.mm == pytest.approx(np.linalg.norm(off), abs=1e-3)
    assert cards["tilt_untagged"].naive.mm == pytest.approx(cards["gantry_tilt"].naive.mm)


@pytest.mark.parametrize("name", ["missing_slice", "uneven_spacing"])
def test_a_gap_moves_all_slices_that_follow(cards: Gallery, written: Path, name: str) -> None:
    z = np.array([place(ds)[2] for ds in headers(written, name)])
    believed = z[0] + (z[1] - z[0]) * np.arange(len(z))
    assert cards[name].naive.mm == pytest.approx(np.abs(believed - z).max(), abs=1e-6)


def test_a_doubled_slice_pushes_the_others_up(cards: Gallery, written: Path) -> None:
    z = np.array([place(ds)[2] for ds in headers(written, "doubled_slice")])
    believed = z[0] + (z[1] - z[0]) * np.arange(len(z))
    assert cards["doubled_slice"].naive.mm == pytest.approx(np.abs(believed - z).max(), abs=1e-6)
    assert cards["doubled_slice"].naive.stray == 1


def test_a_spacing_tag_that_is_believed_adds_up(cards: Gallery) -> None:
    assert cards["spacing_contradicts"].naive.mm == pytest.approx(8 * 1.5, abs=1e-6)


def test_a_slice_beside_the_others_is_off_by_as_much(cards: Gallery) -> None:
    assert cards["wandering_origin"].naive.mm == pytest.approx(3.0, abs=1e-6)


def test_swapped_spacings_stretch_the_corner(cards: Gallery, written: Path) -> None:
    # By z: this series is numbered and stacked along its normal, which leans far from z.
    slices = headers(written, "oblique_mr")
    first = slices[0]
    r, c = np.array([float(v) for v in first.ImageOrientationPatient]).reshape(2, 3)
    down, along = (float(v) for v in first.PixelSpacing)
    step = np.linalg.norm(place(slices[1]) - place(first))
    worst = 0.0
    for k, ds in enumerate(slices):
        for i, j in itertools.product((0, ds.Rows - 1), (0, ds.Columns - 1)):
            true = place(ds) + i * down * c + j * along * r
            believed = place(first) + k * step * normal(first) + i * along * c + j * down * r
            worst = max(worst, float(np.linalg.norm(believed - true)))
    assert cards["oblique_mr"].naive.mm == pytest.approx(worst, abs=1e-3)


def test_files_in_the_order_of_their_names_are_off_by_their_way(cards: Gallery, written: Path) -> None:
    headers(written, "axial_ct")
    z = [float(pydicom.dcmread(f).ImagePositionPatient[2]) for f in sorted((written / "axial_ct").iterdir())]
    believed = z[0] + abs(z[1] - z[0]) * np.arange(len(z))
    assert cards["axial_ct"].naive.mm == pytest.approx(np.abs(believed - z).max(), abs=1e-6)


def test_time_points_that_are_stacked_are_off_by_whole_stacks(cards: Gallery, written: Path) -> None:
    slices = sorted(headers(written, "dynamic"), key=lambda ds: int(ds.InstanceNumber))
    step = np.linalg.norm(place(slices[1]) - place(slices[0]))
    believed = [place(slices[0]) + k * step * normal(slices[0]) for k in range(20)]
    worst = max(float(np.linalg.norm(b - place(ds))) for b, ds in zip(believed, slices, strict=True))
    assert cards["dynamic"].naive.mm == pytest.approx(worst, abs=1e-3)


# Errors in values.


def test_one_slope_for_all_slices_is_off_by_the_difference_of_slopes(cards: Gallery, written: Path) -> None:
    slices = headers(written, "pet_slopes")
    slopes = [float(ds.RescaleSlope) for ds in slices]
    off = max(
        abs(slope - slopes[0]) * int(ds.pixel_array.max()) for slope, ds in zip(slopes, slices, strict=True)
    )
    assert cards["pet_slopes"].naive.value == pytest.approx(off, rel=1e-6)
    assert cards["pet_slopes"].units == "Bq/ml"


def test_a_table_that_is_left_out_is_off_by_what_it_says(cards: Gallery, written: Path) -> None:
    slices = headers(written, "modality_lut")
    table = np.frombuffer(slices[0].ModalityLUTSequence[0].LUTData, "<u2").astype(float)
    stored = np.array([ds.pixel_array for ds in slices])
    assert cards["modality_lut"].naive.value == pytest.approx(np.abs(table[stored] - stored).max())


def test_an_intercept_of_another_slice_is_off_by_it(cards: Gallery) -> None:
    assert cards["mixed_pixel_representation"].naive.value == pytest.approx(1024)


def test_a_turned_picture_is_off_by_more_than_its_contrast(cards: Gallery, written: Path) -> None:
    slices = headers(written, "monochrome1")
    hu = np.array([ds.pixel_array * float(ds.RescaleSlope) + float(ds.RescaleIntercept) for ds in slices])
    turned = hu.max(axis=(1, 2), keepdims=True) - hu
    assert cards["monochrome1"].naive.value == pytest.approx(np.abs(turned - hu).max())


def test_a_dose_without_its_scale_is_off_by_nearly_all(cards: Gallery, written: Path) -> None:
    write_kind("dose", written / "dose")
    (file,) = (written / "dose").iterdir()
    ds = pydicom.dcmread(file)
    stored = ds.pixel_array.astype(float)
    off = np.abs(stored - stored * float(ds.DoseGridScaling)).max()
    assert cards["dose"].naive.value == pytest.approx(off)


def test_a_slope_of_nan_leaves_no_numbers(cards: Gallery) -> None:
    assert cards["rescale_nan"].naive.value == np.inf
    assert "no numbers" in cards["rescale_nan"].naive.words()


# The measure itself, on a small stack made here.


def small() -> tuple[Any, Reading]:
    values = np.random.default_rng(0).integers(0, 1000, (3, 4, 5))
    steps = np.array([0.0, 2, 0]), np.array([1.0, 0, 0])
    origins = np.array([[0.0, 0, 0], [0, 0, 3], [0, 0, 6]])
    sample = dl.phantom.Sample(Path(), values.copy(), origins.copy(), *(s.copy() for s in steps))
    return sample, Reading(values, origins, *steps)


def turned(reading: Reading) -> Reading:
    """The same voxels, stored from the last row up and transposed."""
    values = reading.values[:, ::-1].transpose(0, 2, 1)
    origins = reading.origins + 3 * reading.row_step
    return Reading(values, origins, reading.column_step, -reading.row_step)


def test_an_array_may_be_stored_in_any_attitude_and_order() -> None:
    sample, reading = small()
    assert far_off(sample, [reading]).state == "right"
    assert far_off(sample, [turned(reading)]).state == "right"
    back = dataclasses.replace(reading, values=reading.values[::-1], origins=reading.origins[::-1])
    assert far_off(sample, [back]).state == "right"


def test_what_is_off_is_told_by_how_much() -> None:
    sample, reading = small()
    moved = dataclasses.replace(reading, origins=reading.origins + np.array([0, 0, 0.5]))
    assert far_off(sample, [moved]).mm == pytest.approx(0.5)
    assert far_off(sample, [moved]).state == "wrong"
    wider = dataclasses.replace(reading, column_step=reading.column_step * 1.1)
    assert far_off(sample, [wider]).mm == pytest.approx(0.1 * 4)  # five columns are four steps
    taller = dataclasses.replace(reading, row_step=reading.row_step * 1.1)
    assert far_off(sample, [taller]).mm == pytest.approx(0.2 * 3)
    brighter = dataclasses.replace(reading, values=reading.values * 2 + 7)
    assert far_off(sample, [brighter]).value == pytest.approx(reading.values.max() + 7)
    # A mirrored patient is never taken for a turned array.
    mirrored = dataclasses.replace(reading, values=reading.values[:, :, ::-1])
    assert far_off(sample, [mirrored]).mm == pytest.approx(4.0)


def test_what_is_not_there_and_what_is_too_much_are_counted() -> None:
    sample, reading = small()
    fewer = dataclasses.replace(reading, values=reading.values[:2], origins=reading.origins[:2])
    off = far_off(sample, [fewer])
    assert (off.state, off.found, off.wanted) == ("partly", 2, 3)
    other = np.random.default_rng(1).integers(0, 1000, (1, 4, 5))
    more = dataclasses.replace(
        reading,
        values=np.concatenate([reading.values, other]),
        origins=np.concatenate([reading.origins, [[0, 0, 9]]]),
    )
    assert far_off(sample, [more]).stray == 1
    beside = dataclasses.replace(reading, values=other, origins=reading.origins[:1] + 50)
    assert far_off(sample, [reading, beside]).words() == "right"  # a further array does no harm
    assert far_off(sample, [beside]).found == 0


# What other readers make of it.


@pytest.mark.parametrize("tool", ["dcm2niix", "SimpleITK", "highdicom"])
def test_what_was_measured_is_what_another_judge_found(tool: str) -> None:
    # docs/kinds.md is computed by tests/kinds/judge.py, which looks voxels up at their places and shares no code with this.
    # The judge recognises no slice whose values are off, so that it sees less of an object with a rescale of its own per frame.
    for name, row in page_rows().items():
        if name not in PITFALLS or (tool, name) == ("SimpleITK", "enhanced_ct"):
            continue
        found, told = measured(name)[tool].off, from_page(row[tool])
        assert found.state == told.state, (name, found, row[tool])
        if told.mm:
            assert found.mm == pytest.approx(told.mm, rel=6e-3), name
        elif told.value:
            # It looks at 300 voxels, this at all of them.
            assert told.value <= found.value * (1 + 1e-3), name
            assert found.value < 1.2 * told.value, name


def test_what_was_measured_names_every_pitfall_and_no_machine() -> None:
    table = json.loads((Path(others_room.__file__).parent / "measured.json").read_text(encoding="utf-8"))
    assert list(table["pitfalls"]) == list(PITFALLS)
    text = json.dumps(table)
    assert not re.search(r"/(tmp|home|work|root)/|0x[0-9a-f]{6}", text)


def test_readers_that_are_here_say_what_was_measured() -> None:
    if not versions():
        pytest.skip("neither SimpleITK, dcm2niix nor highdicom is installed")
    names = ["gantry_tilt", "monochrome1", "incomplete_4d", "zip_archive"]
    for card in dl.teach.gallery(names, progress=False):
        for tool, verdict in card.others.items():
            assert verdict.live == (tool in versions())
            before = measured(card.name)[tool]
            if verdict.live and verdict.version == before.version:
                assert verdict.off.state == before.off.state, (card.name, tool)
                assert verdict.off.mm == pytest.approx(before.off.mm, rel=1e-4), (card.name, tool)
                assert verdict.off.value == pytest.approx(before.off.value, rel=1e-4), (card.name, tool)


def test_versions_are_those_of_what_is_installed() -> None:
    for tool, (packages, _) in READERS.items():
        try:
            expected = [version(package) for package in packages][0]  # noqa: RUF015  # each of them must be there
        except PackageNotFoundError:
            assert tool not in versions()
        else:
            assert versions()[tool] == expected


def test_a_reader_that_does_not_end_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if "SimpleITK" not in versions():
        pytest.skip("SimpleITK is not installed")
    monkeypatch.setattr(others_room, "_LIMIT", 0.0)
    pitfall = PITFALLS["axial_ct"]
    sample = write_kind("axial_ct", tmp_path / "axial_ct")
    with Asked({"axial_ct": sample.folder}, ["SimpleITK"]) as asked:
        off = asked.verdicts(pitfall, sample)["SimpleITK"].off
        process = asked._work["SimpleITK"]._process
    assert off.state == "refuses"
    assert "no answer" in off.said
    assert process is not None
    assert process.poll() is not None


def test_what_readers_say_is_shown_without_the_machine_it_was_said_on() -> None:
    said = (
        "RuntimeError: /opt/build/ITK/io.cxx:312: \n Image (0x5603cd6416a0) in /somewhere/x is broken"
        + "!" * 400
    )
    assert plain_words(said, "/somewhere/x").startswith("RuntimeError: Image in … is broken!")
    assert len(plain_words(said)) <= 300


# What is seen.


def test_a_picture_shows_that_the_naive_reading_is_another(cards: Gallery, tmp_path: Path) -> None:
    for name in (
        "gantry_tilt",
        "missing_slice",
        "monochrome1",
        "dynamic",
        "feet_first_prone",
        "rescale_text",
    ):
        sample = write_kind(name, tmp_path / name)
        values = sample.values.reshape(-1, *sample.values.shape[-3:])[0]
        true = Reading(values, sample.origins, sample.row_step, sample.column_step)
        pitfall = PITFALLS[name]
        alike = draw(sample, true, true, pitfall.view, pitfall.slice)
        assert cards[name].picture != alike, name
        assert unlike(cards[name].picture) > 2 * unlike(alike), name


def unlike(picture: bytes) -> float:
    """How much the two pictures differ, laid on each other where they fit best."""
    grey = np.asarray(Image.open(io.BytesIO(picture)).convert("L"), dtype=float)
    height, width = grey.shape
    left = grey[30 : height - 60, width // 8 : width // 2 - 30]
    shifts = range(width // 2 - 60, width // 2 + 30)
    there = (grey[30 : height - 60, width // 8 + s : width // 8 + s + left.shape[1]] for s in shifts)
    return min(float(np.abs(left - right).mean()) for right in there if right.shape == left.shape)


def test_a_card_says_all_of_it_and_nothing_live(cards: Gallery) -> None:
    page = cards._repr_html_()
    assert not re.search(r"<\s*(script|iframe|object|link)\b|<[^>]*\son\w+=", page, re.IGNORECASE)
    for card in cards:
        own = card._repr_html_()
        assert own.count("<img ") == 1
        assert card.pitfall.wrong[:20] in own
        assert "def " in own  # the naive reading, as it was run
        assert repr(card).startswith(f"<Card {card.name}: ")


def test_what_a_reader_says_is_never_markup(cards: Gallery) -> None:
    evil = "<img src=x onerror=alert(1)>"
    verdict = Verdict("SimpleITK", evil, Off("refuses", said=evil), live=True)
    card = dataclasses.replace(
        cards["axial_ct"],
        others={evil: verdict},
        naive=Off("refuses", said=evil),
        ours=dataclasses.replace(cards["axial_ct"].ours, error=evil),
    )
    assert evil not in card._repr_html_()
    assert "&lt;img src=x" in card._repr_html_()


def test_a_gallery_is_a_sequence_and_a_table(cards: Gallery) -> None:
    assert len(cards) == len(PITFALLS)
    assert isinstance(cards[0], Card)
    assert isinstance(cards[:2], Gallery)
    table = cards.to_dataframe()
    assert list(table.index) == [card.name for card in cards]
    assert table.loc["gantry_tilt", "naive_mm"] == cards["gantry_tilt"].naive.mm
    assert "gantry_tilt" in repr(cards)
    with pytest.raises(dl.DicomLabError, match="gantry_tilt"):
        cards["nothing"]


@pytest.mark.parametrize(
    "names", ["no_such_pitfall", 5, [None], ["gantry_tilt", 3], [b"gantry_tilt"], object(), "x" * 10_000]
)
def test_a_pitfall_that_is_none_is_told(names: Any) -> None:
    with pytest.raises(dl.DicomLabError) as told:
        dl.teach.gallery(names)
    assert len(str(told.value)) < 3000


def test_names_without_end_are_bounded() -> None:
    assert len(dl.teach.gallery(itertools.repeat("axial_ct"), live=False)) == 1
    assert len(dl.teach.gallery([], live=False)) == 0
    assert dl.teach.gallery([]).to_dataframe().empty


def test_a_group_is_all_of_its_pitfalls() -> None:
    from dicomlab.teach.pitfalls.collection import _chosen

    assert _chosen("values") == [one.name for one in GROUPS["values"]]
    assert _chosen(["files", "truncated_file"]) == [one.name for one in GROUPS["files"]]
    assert _chosen(None) == list(PITFALLS)


def test_a_bar_counts_from_the_first_file_that_is_written(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(progress, "_AFTER", -1.0)

    def stopped(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(collection, "make_card", stopped)
    with pytest.raises(KeyboardInterrupt):
        dl.teach.gallery("axial_ct", live=False)
    assert "pitfalls:  50%" in capsys.readouterr().err, "before a card is made"
    with pytest.raises(KeyboardInterrupt):
        dl.teach.gallery("axial_ct", live=False, progress=False)
    assert capsys.readouterr().err == ""
