"""Pictures made of tiles: Siemens mosaics and UIH grids, where a single-frame image holds all slices of a volume side by side.

The standard knows no such thing: by it (PS3.3 C.7.6.2) the picture is one plane, and its Image Position (Patient) belongs to no
slice. Siemens gives the position that a slice as large as the whole picture would have about the same centre as the first tile;
UIH lists the position of every tile.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dicomlab.errors import GeometryError, UnsupportedError
from dicomlab.read.csa import csa_header, csa_numbers, protocol_slices
from dicomlab.read.elements import Attributes
from dicomlab.read.labels import acquired, image_type
from dicomlab.read.private import SIEMENS_TILE_TIMES, SIEMENS_TILES, UIH_TILE_LIST, UIH_TILES

__all__ = ["KEYWORDS", "Mosaic", "mosaic", "needs_protocol"]

FloatArray = npt.NDArray[np.float64]

KEYWORDS = (
    "ImageType",
    "NumberOfFrames",
    "AcquisitionMatrix",
    "Rows",
    "Columns",
    "PixelSpacing",
    "ImagePositionPatient",
    "ImageOrientationPatient",
    "SpacingBetweenSlices",
)
"""Attributes of the standard that are looked at here."""

_MOST_TILES = 1 << 12
_FAR = 1e7
"""Millimetres from the origin beyond which there is no patient."""


@dataclass(frozen=True, eq=False)
class Mosaic:
    """How a picture divides into tiles, and where each lies.

    Parameters
    ----------
    count
        Tiles that hold a slice; the rest of the picture is empty.
    rows, columns
        Size of one tile in pixels.
    across
        Tiles in a row of the picture; tile ``k`` is number ``k % across`` in row ``k // across``.
    positions
        Centre of the first pixel of each tile in LPS mm, shape ``(count, 3)``, in the order of the tiles.
    cosines
        Image Orientation (Patient) (0020,0037), which all tiles share, shape ``(6,)``.
    pixel_spacing
        Millimetres between rows and between columns, shape ``(2,)``; None when not given.
    maker
        ``"Siemens"`` or ``"UIH"``.
    times
        Acquisition of each tile in seconds after that of the volume began, shape ``(count,)``; None when not given.
    order
        What told in which direction the tiles follow each other.
    """

    count: int
    rows: int
    columns: int
    across: int
    positions: FloatArray
    cosines: FloatArray
    pixel_spacing: FloatArray | None
    maker: str
    times: FloatArray | None = None
    order: str = ""

    def tile(self, k: int) -> tuple[int, int]:
        """First row and column of tile `k` in the picture.

        Raises
        ------
        IndexError
            There is no such tile.
        """
        if not 0 <= k < self.count:
            raise IndexError(f"tile {k} of {self.count}")
        return k // self.across * self.rows, k % self.across * self.columns


def mosaic(attributes: Attributes, *, usual_order: bool = False) -> Mosaic | None:
    """How the picture divides into tiles; None when it is an ordinary image.

    Parameters
    ----------
    usual_order
        Whether tiles whose direction is told nowhere are taken to follow Siemens' usual numbering: right to left, anterior to
        posterior, feet to head. The other order is in use too, so this is a guess that can mirror the volume.

    Raises
    ------
    UnsupportedError
        It is a mosaic, but nothing tells how many tiles it has.
    GeometryError
        It is a mosaic, but the tiles' position, direction or distance is not given or makes no sense.
    """
    if attributes.integer("NumberOfFrames", 1) > 1:
        return None  # scanners that split mosaics into frames leave the word MOSAIC in Image Type
    kind = image_type(attributes)
    return _siemens(attributes, kind, usual_order) or _uih(attributes, kind)


def needs_protocol(attributes: Attributes) -> bool:
    """Whether this is a Siemens mosaic that only the protocol in its large CSA series header (0029,xx20) can place."""
    if "MOSAIC" not in attributes.text("ImageType").upper() or attributes.integer("NumberOfFrames", 1) > 1:
        return False
    header = csa_header(attributes)
    return not header.get("SliceNormalVector") or not header.get("NumberOfImagesInMosaic")


def _siemens(attributes: Attributes, kind: list[str], usual_order: bool) -> Mosaic | None:
    header = csa_header(attributes)
    stated = [
        None if numbers is None else float(numbers[0])
        for numbers in (
            csa_numbers(header, "NumberOfImagesInMosaic"),
            SIEMENS_TILES.numbers(attributes),
        )
    ]
    known = {number for number in stated if number}
    if len(known) > 1:
        raise GeometryError(
            f"two private elements count the tiles of this mosaic differently: {sorted(known)}; export it again"
        )
    times = csa_numbers(header, "MosaicRefAcqTimes")
    if times is None:
        times = SIEMENS_TILE_TIMES.numbers(attributes)
    # What an acquisition matrix fills cannot be a picture of several tiles: the scanner has split it and left the word.
    if not known and ("MOSAIC" not in kind or _fills(attributes)):
        return None
    protocol = protocol_slices(attributes)
    if not known:
        # One time and one slice of the protocol a tile. Only Image Type says that there are tiles at all.
        known = {float(len(told)) for told in (times, protocol) if told is not None and len(told) > 1}
        if len(known) != 1:
            raise UnsupportedError(
                "Image Type says MOSAIC, and nothing tells how many tiles it has: neither the CSA header (0029,xx10) nor "
                "(0019,xx0A) is there, as anonymisers leave it; export it again with Siemens' private elements"
            )
    (number,) = known
    count = int(number)
    if count != number or not 1 <= count <= _MOST_TILES:
        raise GeometryError(
            f"the number of tiles of this mosaic is given as {number:g}, which makes no sense"
        )
    across = math.isqrt(count - 1) + 1
    rows, columns = _tile_size(attributes, count, across, across)
    cosines, normal = _direction(attributes)
    spacing = _spacing(attributes)
    whole = _position(attributes)
    if spacing is None or whole is None:
        missing = "Image Position (Patient) (0020,0032)" if whole is None else "Pixel Spacing (0028,0030)"
        raise GeometryError(
            f"a mosaic of {count} tiles without {missing}: no tile can be placed; export it again"
        )
    # The picture and the tile have one centre; going there and back moves the corner by half the difference of their sizes.
    first = (
        whole
        + cosines[:3] * spacing[1] * (across - 1) * columns / 2
        + cosines[3:] * spacing[0] * (across - 1) * rows / 2
    )
    step, order = (
        (0.0, "")
        if count == 1
        else _step(
            attributes, count, normal, csa_numbers(header, "SliceNormalVector"), protocol, whole, usual_order
        )
    )
    positions = first + np.arange(count)[:, None] * step * normal
    return Mosaic(
        count,
        rows,
        columns,
        across,
        positions,
        cosines,
        spacing,
        "Siemens",
        times / 1000 if times is not None and times.size == count else None,
        order,
    )


def _step(
    attributes: Attributes,
    count: int,
    normal: FloatArray,
    stated: FloatArray | None,
    protocol: FloatArray | None,
    whole: FloatArray,
    usual_order: bool,
) -> tuple[float, str]:
    """Millimetres from tile to tile along `normal`, negative against it, and what told the direction."""
    between = attributes.number("SpacingBetweenSlices")
    planned = None
    if protocol is not None and len(protocol) == count:
        along = protocol @ normal
        # Tiles keep the order of the protocol or the reverse of it; the position of the first tells which. What is not even, or
        # not as far apart as the header says, is no plan of these slices.
        for places in (along, along[::-1]):
            steps = np.diff(places)
            mean = float(steps.mean())
            even = float(np.abs(steps - mean).max()) < abs(mean) / 50
            agrees = not between or abs(abs(mean) - abs(between)) < abs(between) / 50
            if even and agrees and abs(places[0] - whole @ normal) < abs(mean) / 4:
                planned = mean
    distance = abs(between) if between else None if planned is None else abs(planned)
    if distance is None or distance > _FAR:
        raise GeometryError(
            f"a mosaic of {count} tiles without Spacing Between Slices (0018,0088): the distance of its slices is not known, "
            "and Slice Thickness does not tell it; export it again"
        )
    if stated is not None and stated.size == 3 and np.any(stated):
        cosine = float(stated @ normal / np.linalg.norm(stated))
        if abs(cosine) < 0.99:
            raise GeometryError(
                f"the CSA header's SliceNormalVector is {math.degrees(math.acos(abs(cosine))):.1f} degrees off the normal of "
                "Image Orientation (Patient) (0020,0037): one of them is wrong; export it again"
            )
        return math.copysign(distance, cosine), "SliceNormalVector in the CSA header"
    if planned is not None:
        return math.copysign(distance, planned), "slice positions of the protocol in the CSA header"
    if usual_order:
        return math.copysign(distance, normal[np.argmax(np.abs(normal))]), "Siemens' usual numbering, a guess"
    raise GeometryError(
        f"a mosaic of {count} tiles without SliceNormalVector: the CSA header (0029,xx10) is missing, so nothing tells whether "
        "the tiles go up or down; export it again with Siemens' private elements"
    )


def _uih(attributes: Attributes, kind: list[str]) -> Mosaic | None:
    stated = UIH_TILES.numbers(attributes)
    items = UIH_TILE_LIST.items(attributes)
    if "VFRAME" not in kind and len(items) < 2:
        return None
    if not items:
        raise UnsupportedError(
            "Image Type says VFRAME, a grid of tiles, and the list of them (0065,xx51) is missing, as anonymisers leave it; "
            "export it again with UIH's private elements"
        )
    count = len(items)
    if count > _MOST_TILES or (stated is not None and stated[0] != count):
        raise GeometryError(
            f"{'?' if stated is None else f'{stated[0]:g}'} tiles in this grid and {count} positions (0065,xx51); export again"
        )
    across = math.isqrt(count - 1) + 1
    rows, columns = _tile_size(attributes, count, -(-count // across), across)
    cosines, _ = _direction(attributes)
    tiles = [Attributes.of(item) for item in items]
    positions = [_position(tile) for tile in tiles]
    known = [position for position in positions if position is not None]
    if len(known) != count:
        raise GeometryError(
            f"{count - len(known)} of {count} tiles of this grid have no Image Position (Patient)"
        )
    for tile in tiles:
        own = tile.numbers("ImageOrientationPatient")
        if own is not None and (own.size != 6 or not np.allclose(own, cosines, atol=1e-3)):
            raise UnsupportedError(
                "the tiles of this grid lie in different directions; export it slice by slice"
            )
    moments = [acquired(tile) for tile in tiles]
    times = [moment for moment in moments if moment is not None]
    return Mosaic(
        count,
        rows,
        columns,
        across,
        np.array(known),
        cosines,
        _spacing(attributes),
        "UIH",
        np.array(times) - min(times) if len(times) == count else None,
        "positions in (0065,xx51)",
    )


def _fills(attributes: Attributes) -> bool:
    matrix = attributes.numbers("AcquisitionMatrix")
    return matrix is not None and 0 < attributes.integer("Rows", 0) <= float(np.max(matrix))


def _tile_size(attributes: Attributes, count: int, down: int, across: int) -> tuple[int, int]:
    rows, columns = attributes.integer("Rows", 0), attributes.integer("Columns", 0)
    if rows < down or columns < across or rows % down or columns % across:
        raise GeometryError(
            f"{rows} x {columns} pixels do not divide into {down} x {across} tiles for {count} slices"
        )
    return rows // down, columns // across


def _direction(attributes: Attributes) -> tuple[FloatArray, FloatArray]:
    """Image Orientation (Patient) (0020,0037) and the unit vector normal to it."""
    cosines = attributes.numbers("ImageOrientationPatient")
    if cosines is not None and cosines.size == 6:
        normal = np.cross(cosines[:3], cosines[3:])
        length = float(np.linalg.norm(normal))
        if abs(length - 1) < 0.01:
            return cosines, normal / length
    raise GeometryError(
        "a picture of tiles without a sound Image Orientation (Patient) (0020,0037): no tile can be placed; export it again"
    )


def _position(attributes: Attributes) -> FloatArray | None:
    numbers = attributes.numbers("ImagePositionPatient")
    return (
        numbers
        if numbers is not None and numbers.size == 3 and bool(np.all(np.abs(numbers) < _FAR))
        else None
    )


def _spacing(attributes: Attributes) -> FloatArray | None:
    numbers = attributes.numbers("PixelSpacing")
    return numbers if numbers is not None and numbers.size == 2 and bool(np.all(numbers > 0)) else None
