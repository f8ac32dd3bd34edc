"""One plane of a volume as a figure shows it: where its borders are, and its picture."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import cast

import numpy as np
import numpy.typing as npt

from dicomlab.view.grid import Grid
from dicomlab.view.plane import Plane, Vector, courses, dot
from dicomlab.view.sample import Interpolation, Values, sample
from dicomlab.view.scene import Basis, basis_of
from dicomlab.view.shade import grey
from dicomlab.view.state import PlaneName, choose_plane, choose_voxel, position_letters
from dicomlab.windowing import AnyWindow, WindowLike, resolve_window, shown_inverted

__all__ = ["Cut", "first_cut"]


@dataclass(frozen=True)
class Cut:
    """All that decides one picture of a figure.

    A cut along the slices is one of them. One across them goes through the centre of its voxel, at right angles to the slices:
    under a tilted gantry too, where the voxels of one row or column do not lie in such a plane.

    Parameters
    ----------
    grid
        The volume.
    name
        The patient plane nearest to it.
    voxel
        A voxel (slice, row, column) in whose centre it lies.
    window, invert
        From values to grey.
    interpolation
        Between voxels.
    """

    grid: Grid
    name: PlaneName
    voxel: tuple[int, int, int]
    window: AnyWindow
    invert: bool = False
    interpolation: Interpolation = "linear"

    @cached_property
    def basis(self) -> Basis:
        """Screen axes and cut axes of all planes of the volume."""
        return basis_of(self.grid)

    @property
    def axis(self) -> int:
        """The voxel axis that is cut: 0 slice, 1 row, 2 column."""
        return self.basis.axis[self.name]

    @property
    def index(self) -> int:
        """Index along this axis."""
        return self.voxel[self.axis]

    @property
    def right(self) -> Vector:
        """LPS unit vector to the right on the screen."""
        return self.basis.right[self.name]

    @property
    def down(self) -> Vector:
        """LPS unit vector down the screen."""
        return self.basis.down[self.name]

    @property
    def position(self) -> Vector:
        """LPS mm of the centre of the voxel."""
        return self._lps([float(line[k]) for line, k in zip(self.grid.axes, self.voxel, strict=True)])

    @property
    def mm(self) -> float:
        """How far from the origin of the patient the plane is, in mm along its normal."""
        return dot(self.basis.heading[self.name], self.position)

    @property
    def letters(self) -> tuple[str, str, str, str]:
        """Patient directions at the left, right, top and bottom edge (PS3.3 C.7.6.1.1.1)."""
        right, down = np.array(self.right), np.array(self.down)
        return (
            position_letters(-right),
            position_letters(right),
            position_letters(-down),
            position_letters(down),
        )

    @property
    def finest(self) -> float:
        """The pixel size in mm that loses no voxel: the finer of the two usual spacings."""
        spacings = [
            float(np.median(np.abs(np.diff(line))))
            for axis, line in enumerate(self.grid.axes)
            if axis != self.axis and line.size > 1
        ]
        return min(spacings, default=1.0)

    @property
    def leans(self) -> bool:
        """Whether the plane goes through several indices of the axis that it cuts: across the slices of a tilted gantry."""
        way = courses(self.grid, self.plane())[self.axis]
        return way.right != 0 or way.down != 0

    def extent(self, pixel: float | None = None) -> tuple[float, float, float, float]:
        """Return where the picture's edges are on the screen axes: top, bottom, left, right in mm.

        The numbers are projections of LPS positions on `down` and `right`; between them are whole numbers of pixels, of
        `pixel` mm, the `finest` if None.
        """
        side = self.finest if pixel is None else pixel
        plane = self.plane(side)
        top = dot(self.down, plane.origin) - side / 2
        left = dot(self.right, plane.origin) - side / 2
        return top, top + plane.height * side, left, left + plane.width * side

    def plane(self, pixel: float | None = None) -> Plane:
        """Return the plane that holds all voxels of the cut, in pixels of `pixel` mm, the `finest` if None."""
        side = self.finest if pixel is None else pixel
        ends: list[tuple[float, ...]] = []
        for axis, line in enumerate(self.grid.axes):
            edges = self.grid.edges(axis)
            ends.append(
                (float(line[self.index]),) if axis == self.axis else (float(edges[0]), float(edges[-1]))
            )
        corners = [self._lps(corner) for corner in product(*ends)]
        across = [dot(self.right, corner) for corner in corners]
        along = [dot(self.down, corner) for corner in corners]
        here = self.position
        x = min(across) + side / 2 - dot(self.right, here)
        y = min(along) + side / 2 - dot(self.down, here)
        origin = tuple(h + x * r + y * d for h, r, d in zip(here, self.right, self.down, strict=True))
        width = max(1, math.floor((max(across) - min(across)) / side + 0.5))
        height = max(1, math.floor((max(along) - min(along)) / side + 0.5))
        return Plane(cast(Vector, origin), self.right, self.down, side, width, height)

    def values(self, pixel: float | None = None) -> Values:
        """Return the values under each pixel, before windowing: float64 (height, width), NaN where no voxel is."""
        return sample(self.grid, self.plane(pixel), self.interpolation, coded=False)

    def picture(self, pixel: float | None = None) -> npt.NDArray[np.uint8]:
        """Return the picture as (height, width) grey."""
        return grey(self.values(pixel), self.window, self.invert)

    def _lps(self, mm: tuple[float, ...] | list[float]) -> Vector:
        x, y, z = (float(dot([float(d) for d in row], mm)) for row in self.grid.direction)
        return x, y, z


def first_cut(
    grid: Grid,
    plane: PlaneName | None = None,
    *,
    index: int | None = None,
    position: float | npt.ArrayLike | None = None,
    window: WindowLike | None = None,
    invert: bool | None = None,
    interpolation: Interpolation | None = None,
) -> Cut:
    """Return what is shown first: the middle slice, the file's window or an automatic one.

    Parameters
    ----------
    grid
        The volume.
    plane
        ``"axial"``, ``"sagittal"`` or ``"coronal"``; None for the plane the images were acquired in.
    index, position
        Another slice than the middle one, as in `choose_voxel`.
    window
        As in `dicomlab.windowing.resolve_window`; an automatic one is made from `Grid.sample`.
    invert
        Show low values white; None for what is customary for the volume (MONOCHROME1, PET).
    interpolation
        Between voxels; None for linear, and nearest in a mask, whose voxels are in or out and nothing between.

    Raises
    ------
    GeometryError
        The plane or slice is not in the volume.
    WindowError
        There is no such window.
    """
    name = choose_plane(grid, plane)
    return Cut(
        grid,
        name,
        choose_voxel(grid, basis_of(grid).axis[name], index, position),
        resolve_window(window, grid.attrs, grid.sample),
        shown_inverted(grid.attrs) if invert is None else invert,
        interpolation or ("nearest" if grid.is_mask else "linear"),
    )
