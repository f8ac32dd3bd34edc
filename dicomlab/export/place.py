"""Where images lie, as the attributes of Image Plane say it (PS3.3 C.7.6.2): `Placement`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from pydicom import config
from pydicom.dataset import Dataset
from pydicom.uid import UID, generate_uid
from pydicom.valuerep import format_number_as_ds

from dicomlab import affine
from dicomlab.errors import GeometryError
from dicomlab.geometry import Geometry

__all__ = ["NEAR", "Placement", "decimal", "frame_uid"]

FloatArray = npt.NDArray[np.float64]

NEAR = 1e-3
"""mm: rows and columns further from an even grid have no one spacing, and slices nearer to one another no order."""


def decimal(number: float) -> str:
    """A number as a decimal string of at most 16 characters (PS3.5 6.2 "DS")."""
    return str(format_number_as_ds(float(number) + 0.0))


def frame_uid(frame: str) -> UID:
    """A frame of reference as a file can name it: one that nobody named gets a UID made of what it is called here.

    So it equals no other, and what is written of one volume at several times lies in one frame.
    """
    found = UID(frame, config.IGNORE)
    return found if found.is_valid else generate_uid(entropy_srcs=["dicomlab", "frame of reference", frame])


@dataclass(frozen=True, eq=False)
class Placement:
    """Where the images of a volume lie, slice by slice.

    Parameters
    ----------
    cosines
        Shape ``(6,)``: Image Orientation (Patient) (0020,0037), along the order in which columns and rows are stored.
    spacing
        mm between rows, mm between columns, as in Pixel Spacing (0028,0030).
    positions
        Shape ``(slices, 3)``: LPS mm of the centre of each slice's first pixel.
    gap
        mm between neighbouring planes along their normal; None where it differs, or where nobody knows it.
    corners
        Shape ``(slices, 4, 3)``: LPS mm of the centres of each slice's four corner pixels.
    """

    cosines: FloatArray
    spacing: tuple[float, float]
    positions: FloatArray
    gap: float | None
    corners: FloatArray

    @property
    def normal(self) -> FloatArray:
        """Unit vector *n = r x c*."""
        return np.asarray(np.cross(self.cosines[:3], self.cosines[3:]))

    @classmethod
    def of(cls, geometry: Geometry) -> Placement:
        """Placement of a grid: uneven slices and a sheared slice axis are as they are, each image has its own position.

        Raises
        ------
        GeometryError
            Rows or columns are uneven, the spacing of a lone one is not known, two slices lie at one position, or a position is
            not finite.
        """
        if not all(np.all(np.isfinite(x)) for x in (*geometry.positions, geometry.direction)):
            raise GeometryError(
                "some positions of this volume are not finite, as after pad: nothing says where those voxels are"
            )
        if min(geometry.shape) == 0:
            raise GeometryError(f"a volume of shape {geometry.shape} has no voxel to write")
        down, across = (_step(geometry, axis) for axis in (1, 2))
        c, r = geometry.direction[:, 1] * np.sign(down), geometry.direction[:, 2] * np.sign(across)
        slices, rows, columns = geometry.shape
        positions = geometry.lps([[k, 0, 0] for k in range(slices)])
        corners = geometry.lps(
            [
                [[k, i, j] for i, j in ((0, 0), (0, columns - 1), (rows - 1, 0), (rows - 1, columns - 1))]
                for k in range(slices)
            ]
        )
        heights = np.sort(positions @ np.cross(r, c))
        gaps = np.diff(heights)
        if gaps.size and gaps.min() < NEAR:
            raise GeometryError(
                f"two slices of this volume lie {gaps.min():.2g} mm apart; a series has one image at a position. Keep one of "
                "them, or name what separates them with an axis of its own."
            )
        return cls(
            np.concatenate([r, c]), (abs(down), abs(across)), positions, _gap(geometry, heights), corners
        )

    def write(self, image: Dataset, k: int) -> None:
        """Say in an image where slice `k` lies."""
        image.ImagePositionPatient = [decimal(x) for x in self.positions[k]]
        image.ImageOrientationPatient = [decimal(x) for x in self.cosines]
        image.PixelSpacing = [decimal(x) for x in self.spacing]
        if self.gap is not None:
            image.SpacingBetweenSlices = decimal(self.gap)


def _step(geometry: Geometry, axis: int) -> float:
    """Signed mm from one row or column to the next."""
    name, x, lone = ("slice", "row", "column")[axis], geometry.positions[axis], geometry.lone_steps[axis]
    if x.size == 1:
        if not np.isfinite(lone) or lone == 0:
            raise GeometryError(
                f"there is only one {name}, and nothing says how large its pixels are along it: Pixel Spacing (0028,0030) "
                f"needs that. volume.isel({name}=[k]) instead of an integer keeps the step of the volume it is cut from."
            )
        return float(lone)
    off = affine.unevenness(x)
    if off > NEAR:
        raise GeometryError(
            f"the {name} positions are uneven, up to {off:.3g} mm from an even grid; an image has one Pixel Spacing "
            "(0028,0030)."
        )
    step = float(x[-1] - x[0]) / (x.size - 1)
    if abs(step) < 1e-9:
        raise GeometryError(f"all {name} positions are one")
    return step


def _gap(geometry: Geometry, heights: FloatArray) -> float | None:
    if heights.size == 1:
        lone = geometry.lone_steps[0]
        return abs(float(lone)) if np.isfinite(lone) and lone else None
    if affine.unevenness(heights) > affine.evenness_tolerance(heights):
        return None
    return round(float(heights[-1] - heights[0]) / (heights.size - 1), 9)
