"""Whole-slide images: one level of the pyramid as one array, of which only the tiles that are looked at are decoded.

A level is one instance, or the parts of one concatenation (PS3.3 C.7.6.16.2.2.4). Its total pixel matrix is laid out in tiles,
either all of them in a fixed order (TILED_FULL) or each with its own position (TILED_SPARSE).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import xarray as xr

from dicomlab import affine
from dicomlab.errors import GeometryError, UnsupportedError
from dicomlab.findings import Finding
from dicomlab.flat import ImagePlane
from dicomlab.read.alike import Headers
from dicomlab.read.elements import Attributes
from dicomlab.read.headers import Instance

__all__ = ["Level", "is_slide", "lay_out_level", "level_key", "slide_flavour", "slide_plane"]

IntArray = npt.NDArray[np.int64]

_SLIDE = "1.2.840.10008.5.1.4.1.1.77.1.6"
_LONGEST = 1 << 22
"""Rows or columns of a slide: more than four million pixels of a glass 75 mm long are damage."""

_MOST_CELLS = 1 << 26
"""Cells between the edges of tiles, up to which overlaps are looked for: thousands of tiles that lie on no grid have more."""


@dataclass(frozen=True, eq=False)
class Level:
    """Where the tiles of one level lie.

    Parameters
    ----------
    size
        Rows and columns of the total pixel matrix.
    tile
        Rows and columns of a tile.
    top, left
        Zero-based row and column of the first pixel of every tile, shape ``(tiles,)``.
    path, plane
        Which optical path and focal plane each tile belongs to, zero-based.
    part, frame
        Which instance holds the tile, and as which of its frames.
    coords
        Labels of ``optical_path`` and ``focal_plane``; an axis of one label is left out.
    findings
        Tiles that are not there.
    """

    size: tuple[int, int]
    tile: tuple[int, int]
    top: IntArray
    left: IntArray
    path: IntArray
    plane: IntArray
    part: IntArray
    frame: IntArray
    coords: dict[str, xr.Variable]
    findings: tuple[Finding, ...] = ()


def is_slide(attributes: Attributes) -> bool:
    """Whether it is a whole-slide microscopy image; segmentations of one are not."""
    return attributes.text("SOPClassUID") == _SLIDE


def level_key(instance: Instance) -> str:
    """Instances of equal keys are parts of one level: those of one concatenation, else each its own."""
    whole = instance.text("ConcatenationUID")
    return whole or instance.text("SOPInstanceUID") or instance.file.name


def slide_plane(attributes: Attributes) -> ImagePlane:
    """The plane of a slide: mm along the total pixel matrix, and where its first pixel lies on the slide.

    References
    ----------
    PS3.3 C.8.12.2 "Slide Coordinates", C.8.12.4 "Whole Slide Microscopy Image", C.7.6.16.2.1 "Pixel Measures".
    """
    shared = attributes.items("SharedFunctionalGroupsSequence")
    measures = Attributes.of(*shared).items("PixelMeasuresSequence") if shared else []
    spacing = Attributes.of(*measures, *attributes.levels).numbers("PixelSpacing")
    flavour = slide_flavour(attributes)
    if spacing is None or spacing.size != 2 or not bool(np.all(spacing > 0)):
        return ImagePlane(
            "pixels", f"no mm: this {flavour} image of a slide has no Pixel Spacing (0028,0030)"
        )
    where = f"mm on the slide by Pixel Spacing (0028,0030), {spacing[0]:.4g} x {spacing[1]:.4g} mm"
    origin = _origin(attributes)
    cosines = attributes.numbers("ImageOrientationSlide")
    try:
        affine.direction_from_cosines(np.empty(0) if cosines is None else cosines)
    except GeometryError:
        cosines = None
    if origin is None or cosines is None:
        lacking = (
            "Total Pixel Matrix Origin Sequence (0048,0008)"
            if origin is None
            else "a sound Image Orientation (Slide) (0048,0102)"
        )
        where += f"; where on the slide it does not say: no {lacking}"
        origin = cosines = None
    return ImagePlane(
        "slide",
        where,
        (float(spacing[0]), float(spacing[1])),
        slide_origin=None if origin is None else tuple(origin),
        slide_cosines=None if cosines is None else tuple(float(x) for x in cosines),
    )


def _origin(attributes: Attributes) -> list[float] | None:
    items = attributes.items("TotalPixelMatrixOriginSequence")
    if not items:
        return None
    item = Attributes.of(items[0])
    x, y = item.number("XOffsetInSlideCoordinateSystem"), item.number("YOffsetInSlideCoordinateSystem")
    return None if x is None or y is None else [x, y]


def slide_flavour(attributes: Attributes) -> str:
    """Image Type value 3: ``"VOLUME"``, ``"THUMBNAIL"``, ``"OVERVIEW"`` or ``"LABEL"``; the last two may show names."""
    kinds = attributes.texts("ImageType")
    return kinds[2] if len(kinds) > 2 and kinds[2] else "whole-slide"


def lay_out_level(parts: Sequence[Instance]) -> Level:
    """Where every tile of a level lies.

    Parameters
    ----------
    parts
        The instance, or the parts of its concatenation in any order.

    Raises
    ------
    UnsupportedError
        The total pixel matrix is missing or does not fit the frames; a tile lies outside it.

    References
    ----------
    PS3.3 C.7.6.17.3 (TILED_FULL: columns run fastest, then rows, focal planes, optical paths), C.8.12.6.1 (TILED_SPARSE).
    """
    first = parts[0]
    size = first.integer("TotalPixelMatrixRows", 0), first.integer("TotalPixelMatrixColumns", 0)
    tile = first.integer("Rows", 0), first.integer("Columns", 0)
    if min(*size, *tile) < 1 or max(*size, *tile) > _LONGEST:
        raise UnsupportedError(
            f"{first.file}: a slide of no size, or an absurd one: Total Pixel Matrix Rows (0048,0007), Columns (0048,0006) say "
            f"{size[0]} x {size[1]}, its tiles {tile[0]} x {tile[1]}"
        )
    sparse = first.text("DimensionOrganizationType") != "TILED_FULL" and bool(
        first.items("PerFrameFunctionalGroupsSequence")
    )
    return _sparse(parts, size, tile) if sparse else _full(parts, size, tile)


def _full(parts: Sequence[Instance], size: tuple[int, int], tile: tuple[int, int]) -> Level:
    first = parts[0]
    down, across = -(-size[0] // tile[0]), -(-size[1] // tile[1])
    planes = max(1, first.integer("TotalPixelMatrixFocalPlanes", 1))
    paths = max(1, first.integer("NumberOfOpticalPaths", len(first.items("OpticalPathSequence")) or 1))
    offsets = [part.integer("ConcatenationFrameOffsetNumber", 0) for part in parts]
    part = np.concatenate([np.full(one.frames, k, np.int64) for k, one in enumerate(parts)])
    frame = np.concatenate([np.arange(one.frames, dtype=np.int64) for one in parts])
    number = frame + np.array(offsets, np.int64)[part]
    wanted = down * across * planes * paths
    if number.max() >= wanted or np.unique(number).size != number.size:
        raise UnsupportedError(
            f"{first.file}: TILED_FULL needs {wanted} frames ({down} x {across} tiles, {planes} focal planes, {paths} optical "
            f"paths), found frames up to number {number.max() + 1}, {number.size - np.unique(number).size} of them twice"
        )
    rest, column = np.divmod(number, across)
    rest, row = np.divmod(rest, down)
    path, plane = np.divmod(rest, planes)
    names = [Attributes.of(item).text("OpticalPathIdentifier") for item in first.items("OpticalPathSequence")]
    coords: dict[str, xr.Variable] = {}
    if paths > 1:
        sound = len(names) == paths and all(names) and len(set(names)) == paths
        coords["optical_path"] = _paths(names if sound else [str(k + 1) for k in range(paths)])
    if planes > 1:
        coords["focal_plane"] = _depths(_even_depths(first, planes))
    findings = _missing(first, wanted - number.size, wanted)
    return Level(size, tile, row * tile[0], column * tile[1], path, plane, part, frame, coords, findings)


def _sparse(parts: Sequence[Instance], size: tuple[int, int], tile: tuple[int, int]) -> Level:
    first = parts[0]
    shared = first.items("SharedFunctionalGroupsSequence")
    common = _path_of(Attributes.of(shared[0])) if shared else ""
    rows: list[tuple[int, int, float, str]] = []
    part: list[int] = []
    frame: list[int] = []
    for k, one in enumerate(parts):
        groups = one.items("PerFrameFunctionalGroupsSequence")
        if len(groups) != one.frames:
            raise UnsupportedError(
                f"{one.file}: {len(groups)} items of Per-frame Functional Groups Sequence (5200,9230) for {one.frames} frames: "
                "nobody knows where the tiles lie"
            )
        places = Headers([Attributes.of(group) for group in groups]).each(_tile_place)
        if None in places:
            raise UnsupportedError(
                f"{one.file}: frame {places.index(None) + 1} has no sound Plane Position (Slide) Sequence (0048,021A), so "
                "nobody knows where its tile lies"
            )
        rows += [(*place, name or common) for *place, name in places]  # type: ignore[misc]
        part += [k] * len(places)
        frame += range(len(places))
    top, left = (np.array([row[k] for row in rows], np.int64) for k in (0, 1))
    if top.min() < 0 or left.min() < 0 or top.max() >= size[0] or left.max() >= size[1]:
        raise UnsupportedError(
            f"{first.file}: a tile lies outside the total pixel matrix of {size[0]} x {size[1]} pixels"
        )
    depths, names = sorted({row[2] for row in rows}), sorted({row[3] for row in rows})
    plane = np.array([depths.index(row[2]) for row in rows], np.int64)
    path = np.array([names.index(row[3]) for row in rows], np.int64)
    coords: dict[str, xr.Variable] = {}
    if len(names) > 1:
        coords["optical_path"] = _paths(names)
    if len(depths) > 1:
        coords["focal_plane"] = _depths(np.array(depths))
    seen = len(set(zip(top.tolist(), left.tolist(), plane.tolist(), path.tolist(), strict=True)))
    if seen < len(rows):
        raise UnsupportedError(f"{first.file}: {len(rows) - seen} tiles lie where another one lies")
    height, width = np.minimum(tile[0], size[0] - top), np.minimum(tile[1], size[1] - left)
    whole = size[0] * size[1] * len(depths) * len(names)
    layers = path * len(depths) + plane
    own = [layers == layer for layer in np.unique(layers)]
    covered = sum(_covered(top[k], left[k], height[k], width[k]) for k in own)
    lacking = (whole - covered) / (tile[0] * tile[1])
    findings = _missing(first, lacking, whole / (tile[0] * tile[1]))
    return Level(size, tile, top, left, path, plane, np.array(part), np.array(frame), coords, findings)


def _covered(top: IntArray, left: IntArray, height: IntArray, width: IntArray) -> int:
    """Pixels of one layer that tiles cover: shifted tiles may overlap, and what two of them cover counts once."""
    rows, columns = np.unique([top, top + height]), np.unique([left, left + width])
    if rows.size * columns.size > _MOST_CELLS:
        return int((height * width).sum())
    seen = np.zeros((rows.size, columns.size), np.bool_)
    a, b = np.searchsorted(rows, [top, top + height])
    c, d = np.searchsorted(columns, [left, left + width])
    for k in range(top.size):
        seen[a[k] : b[k], c[k] : d[k]] = True
    return int(np.diff(rows) @ seen[:-1, :-1] @ np.diff(columns))


def _tile_place(group: Attributes) -> tuple[int, int, float, str] | None:
    """Row and column of the first pixel of a tile, from 0, its depth and its optical path; None where it has no place."""
    items = group.items("PlanePositionSlideSequence")
    if not items:
        return None
    place = Attributes.of(items[0])
    top = place.number("RowPositionInTotalImagePixelMatrix")
    left = place.number("ColumnPositionInTotalImagePixelMatrix")
    if top is None or left is None:
        return None
    depth = place.number("ZOffsetInSlideCoordinateSystem")
    return int(top) - 1, int(left) - 1, depth or 0.0, _path_of(group)


def _path_of(group: Attributes) -> str:
    items = group.items("OpticalPathIdentificationSequence")
    return Attributes.of(items[0]).text("OpticalPathIdentifier") if items else ""


def _paths(names: Sequence[str]) -> xr.Variable:
    return xr.Variable("optical_path", np.array(names), {"long_name": "Optical Path Identifier (0048,0106)"})


def _depths(depths: npt.NDArray[np.float64] | None) -> xr.Variable:
    said = {"units": "um", "long_name": "height of the focal plane above the slide"}
    if depths is None:
        raise UnsupportedError("several focal planes, and nothing says how far they are apart")
    return xr.Variable("focal_plane", depths, said)


def _even_depths(first: Instance, planes: int) -> npt.NDArray[np.float64] | None:
    """Heights in micrometres of focal planes that are all there: Z Offset is in um, Spacing Between Slices in mm."""
    shared = first.items("SharedFunctionalGroupsSequence")
    measures = Attributes.of(*shared).items("PixelMeasuresSequence") if shared else []
    step = Attributes.of(*measures).number("SpacingBetweenSlices") if measures else None
    if step is None:
        return None
    items = first.items("TotalPixelMatrixOriginSequence")
    start = Attributes.of(*items[:1]).number("ZOffsetInSlideCoordinateSystem") if items else None
    heights: npt.NDArray[np.float64] = (start or 0.0) + 1000 * step * np.arange(planes, dtype=np.float64)
    return heights


def _missing(first: Instance, lacking: float, wanted: float) -> tuple[Finding, ...]:
    if lacking <= 0:
        return ()
    padding = "white" if first.integer("SamplesPerPixel", 1) == 3 else "0"
    return (
        Finding(
            "missing_tiles",
            f"about {max(1, round(lacking))} of {round(wanted)} tiles of this slide are not there; their pixels are {padding}",
            (first.file.name,),
            float(lacking),
            "tiles",
        ),
    )
