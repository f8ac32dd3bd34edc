"""Overlays: every point of bit planes that a test packed itself."""

from pathlib import Path

import numpy as np
import pytest
from pixels import dataset, instance, save, scene
from pydicom import uid
from pydicom.dataset import Dataset
from pydicom.tag import Tag
from support import SHARED, shared_data

from dicomlab.errors import DicomLabError, FaultError
from dicomlab.read.images import stored_image
from dicomlab.read.overlays import overlays


def _with_overlay(ds: Dataset, group: int, points: np.ndarray | None, vr: str = "OW", **more) -> Dataset:
    """Add an overlay, shape ``([frames,] rows, columns)``; None leaves the data out."""
    fields = {0x50: ("SS", [1, 1]), 0x40: ("CS", "G"), 0x100: ("US", 1), 0x102: ("US", 0)}
    if points is not None:
        rows, columns = points.shape[-2:]
        fields |= {0x10: ("US", rows), 0x11: ("US", columns)}
        if points.ndim == 3:
            fields[0x15] = ("IS", len(points))
        packed = np.packbits(points.ravel(), bitorder="little").tobytes()
        fields[0x3000] = (vr, packed + b"\0" * (len(packed) % 2))
    for name, value in more.items():
        fields[int(name[1:], 16)] = value
    for element, (kind, value) in fields.items():
        ds.add_new(Tag(group, element), kind, value)
    return ds


def _points(*shape: int) -> np.ndarray:
    return np.random.default_rng(7).random(shape) < 0.3


@pytest.mark.parametrize(
    "syntax", [uid.ImplicitVRLittleEndian, uid.ExplicitVRLittleEndian, uid.ExplicitVRBigEndian]
)
@pytest.mark.parametrize("vr", ["OB", "OW"])
@pytest.mark.parametrize("shape", [(8, 16), (5, 7), (3, 5, 7)])
def test_points_are_where_they_were_packed(
    tmp_path: Path, shape: tuple[int, ...], vr: str, syntax: str
) -> None:
    points = _points(*shape)
    ds = _with_overlay(dataset(scene()), 0x6002, points, vr)
    if syntax == uid.ExplicitVRBigEndian and vr == "OW":
        element = ds[0x6002, 0x3000]
        element.value = np.frombuffer(element.value, "<u2").astype(">u2").tobytes()
    (found,) = overlays(instance(save(tmp_path / "a", ds, syntax)))
    assert (found.group, found.embedded) == (0x6002, False)
    assert found.values.dtype == bool
    np.testing.assert_array_equal(found.values, points.reshape(-1, *shape[-2:]))


def test_origin_and_texts_are_those_of_the_file_and_texts_stay_out_of_the_repr(tmp_path: Path) -> None:
    more = {
        "x50": ("SS", [-3, 12]),
        "x51": ("US", 4),
        "x40": ("CS", "R"),
        "x1500": ("LO", "Label"),
        "x22": ("LO", "Doe^Jane"),
    }
    ds = _with_overlay(dataset(scene()), 0x6000, _points(4, 4), **more)
    _with_overlay(ds, 0x601E, _points(2, 3))
    first, second = overlays(instance(save(tmp_path / "a", ds)))
    assert (first.origin, first.first_frame, first.kind) == ((-4, 11), 3, "R")
    assert (first.label, first.description) == ("Label", "Doe^Jane")
    assert "Doe" not in repr(first)
    assert (second.group, second.origin, second.first_frame) == (0x601E, (0, 0), 0)


@pytest.mark.parametrize("position", [12, 13, 15])
@pytest.mark.parametrize("signed", [0, 1])
def test_an_overlay_in_unused_bits_comes_out_and_the_values_are_free_of_it(
    tmp_path: Path, position: int, signed: int
) -> None:
    values = np.stack([scene(9, 8, seed=k) for k in range(3)])
    points = _points(3, 9, 8)
    cells = values | (points.astype(np.uint16) << position)
    ds = dataset(cells, frames=3, BitsStored=12, PixelRepresentation=signed)
    place = {
        "x10": ("US", 9),
        "x11": ("US", 8),
        "x15": ("IS", 3),
        "x100": ("US", 16),
        "x102": ("US", position),
    }
    _with_overlay(ds, 0x6000, None, **place)
    found = instance(save(tmp_path / "a", ds))
    (overlay,) = overlays(found)
    assert overlay.embedded
    np.testing.assert_array_equal(overlay.values, points)
    expected = values.astype(int) - (4096 * (values > 2047) if signed else 0)
    np.testing.assert_array_equal([stored_image(found).read(k) for k in range(3)], expected)


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"x3000": ("OW", b"\1\2")}, "2 bytes where 8"),
        ({"x15": ("IS", 1000000)}, "bytes where"),
        ({"x10": ("US", 0)}, "neither rows"),
    ],
)
def test_broken_overlays_raise_and_name_their_file(tmp_path: Path, more, reason: str) -> None:
    ds = _with_overlay(dataset(scene()), 0x6000, _points(8, 8), **more)
    with pytest.raises(FaultError, match=rf"a: overlay \(6000,3000\).*{reason}"):
        overlays(instance(save(tmp_path / "a", ds)))


@pytest.mark.parametrize("position", [3, 16])
def test_an_overlay_in_bits_of_the_values_is_refused(tmp_path: Path, position: int) -> None:
    place = {"x10": ("US", 37), "x11": ("US", 41), "x102": ("US", position)}
    ds = _with_overlay(dataset(scene(), BitsStored=12), 0x6000, None, **place)
    with pytest.raises(DicomLabError, match=f"bit {position}"):
        overlays(instance(save(tmp_path / "a", ds)))


def test_an_image_without_overlays_has_none(tmp_path: Path) -> None:
    assert overlays(instance(save(tmp_path / "a", dataset(scene())))) == []


@pytest.mark.skipif(not (SHARED / "truth.json").is_file(), reason=f"no real DICOM at {SHARED}")
def test_a_real_overlay_that_reaches_beyond_its_image_is_read_whole() -> None:
    import pydicom

    path = shared_data() / "xr-a" / "OutOfBoundsOverlay.dcm"
    ds = pydicom.dcmread(path)
    found = overlays(instance(path))
    assert found
    for overlay in found:
        theirs = ds.overlay_array(overlay.group)
        np.testing.assert_array_equal(overlay.values.reshape(theirs.shape), theirs.astype(bool))
