"""Left and right, head and foot: letters inside a body are read in every picture, however the patient lay and was imaged."""

from __future__ import annotations

import contextlib
from typing import Any

import letters
import numpy as np
import pytest
from letters import ALL, SETS, SIDES, UPRIGHT, Acquisition

import dicomlab as dl
from dicomlab.view.scene import panes


@pytest.fixture(scope="module", params=ALL, ids=lambda one: one.name)
def imaged(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    acquisition: Acquisition = request.param
    leans = pytest.warns(dl.DicomLabWarning, match="gantry_tilt")
    with leans if acquisition.lean else contextlib.nullcontext():
        volume = dl.load_volume(acquisition.write(tmp_path_factory.mktemp("letters") / "series"))
    browser = dl.browse(volume, height=240)
    browser.interpolation = "nearest"
    yield acquisition, browser
    browser.close()


def test_letters_are_read_upright_at_their_sides_of_every_plane(imaged: Any) -> None:
    acquisition, browser = imaged
    browser.panes = "single"
    for plane, (at, _, _, names) in SETS.items():
        browser.plane, browser.position = plane, list(at)
        seen = letters.values_of(browser.picture(300, 280))
        sides = dict(zip(SIDES[plane], ("left", "right", "top", "bottom"), strict=True))
        assert letters.sides_of(seen, names) == {name: sides[name] for name in names}
        if acquisition in UPRIGHT:
            letters.read_letters(seen, names)


@pytest.mark.parametrize("turned", [False, True])
def test_every_pixel_holds_what_the_formula_says_of_its_place(imaged: Any, turned: bool) -> None:
    """The plane that a pane claims to show is taken at its word: so the probe, the crosshair and measurements are true."""
    acquisition, browser = imaged
    browser.panes, browser.plane, browser.position = "planes", "axial", [18.0, 18.0, -22.0]
    if turned:
        a, b = np.cos(0.35), np.sin(0.35)
        turn = np.array([[1, 0, 0], [0, a, -b], [0, b, a]]) @ [[a, 0, b], [0, 1, 0], [-b, 0, a]]
        browser._turn = turn.ravel().tolist()
    try:
        picture = browser.picture(520, 300)
        found = panes(browser.scene, browser._basis, browser._sources[0].grid(0), 520, 300)
    finally:
        browser._turn = np.eye(3).ravel().tolist()
    assert [pane.name for pane in found] == ["axial", "sagittal", "coronal"]
    reach = letters.reach_of(acquisition)
    shown: set[int] = set()
    for pane in found:
        plane = pane.plane
        right, down = plane.pixel * np.array(plane.right), plane.pixel * np.array(plane.down)
        seen = letters.values_of(
            picture[pane.top : pane.top + plane.height, pane.left : pane.left + plane.width]
        )
        seen = seen[::2, ::3]
        here, sure = letters.expected_values(np.array(plane.origin), 3 * right, 2 * down, seen.shape, reach)
        assert np.array_equal(seen[sure], here[sure])
        shown |= set(here[sure].tolist())
        if not turned:
            r, d = letters.axes_on_screen(acquisition, pane.name)
            np.testing.assert_allclose(plane.right, r, atol=1e-6)
            np.testing.assert_allclose(plane.down, d, atol=1e-6)
    assert len(shown) > 3, "or this shows nothing"
