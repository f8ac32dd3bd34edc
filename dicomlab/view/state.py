"""What is to be seen, decided without a screen: planes, letters, first slice, first window.

A plane is named after the patient plane nearest to it, whatever way the images were acquired, and laid out as
radiologists hang it: patient right on the left, head up, anterior up in axial and on the left in sagittal.
"""

from __future__ import annotations

import operator
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import permutations
from typing import Literal, TypeAlias, cast, get_args

import numpy as np
import numpy.typing as npt
import xarray as xr

from dicomlab.affine import plane_of
from dicomlab.errors import GeometryError
from dicomlab.geometry import AXES
from dicomlab.view.grid import Grid
from dicomlab.windowing import AnyWindow, WindowLike, resolve_window, shown_inverted

__all__ = [
    "PLANES",
    "Interpolation",
    "PlaneName",
    "PlaneView",
    "SliceState",
    "acquisition_plane",
    "choose_index",
    "choose_view",
    "finest_pixel",
    "initial_state",
    "patient_side",
    "plane_axes",
    "plane_views",
    "position_letters",
]

PlaneName: TypeAlias = Literal["axial", "sagittal", "coronal"]
PLANES: tuple[PlaneName, ...] = get_args(PlaneName)
Interpolation: TypeAlias = Literal["nearest", "linear"]
_Floats: TypeAlias = npt.NDArray[np.float64]
_Vector: TypeAlias = tuple[float, float, float]

# The patient axis (0 L, 1 P, 2 H of LPS) that a plane cuts, and the way its screen axes point: (axis, sign).
_LAYOUT: Mapping[PlaneName, tuple[int, tuple[int, int], tuple[int, int]]] = {
    "axial": (2, (1, 1), (0, 1)),  # down: posterior, right: left
    "sagittal": (0, (2, -1), (1, 1)),  # down: foot, right: posterior
    "coronal": (1, (2, -1), (0, 1)),  # down: foot, right: left
}

# Directions closer than 5 degrees to an axis get no further letter: nobody tilts a head by less on purpose.
_LETTER_THRESHOLD = float(np.sin(np.radians(5)))


@dataclass(frozen=True)
class PlaneView:
    """How one family of parallel planes of a volume lies on the screen.

    Parameters
    ----------
    name
        The patient plane nearest to it.
    axis, down, right
        Voxel axes (0 slice, 1 row, 2 column): the one that is cut, the one that runs mainly down the screen
        and the one that runs mainly to the right.
    down_vector, right_vector
        LPS unit vectors of the screen axes, at right angles. A position is on the screen at their dot
        products with it, in mm.
    matrix
        ``((down·d_down, down·d_right), (right·d_down, right·d_right))`` with d the direction of a voxel axis:
        from coordinates along the two voxel axes to mm on the screen. Diagonal ±1 unless the gantry was
        tilted.
    shift
        mm on the screen (down, right) per mm along the cut axis: 0 unless the gantry was tilted.
    letters
        Patient directions at the (left, right, top, bottom) edge.
    """

    name: PlaneName
    axis: int
    down: int
    right: int
    down_vector: _Vector
    right_vector: _Vector
    matrix: tuple[tuple[float, float], tuple[float, float]]
    shift: tuple[float, float]
    letters: tuple[str, str, str, str]

    def cut(self, grid: Grid, index: int) -> npt.NDArray[np.generic]:
        """Return one plane as a (down axis, right axis) array in index order, not yet flipped."""
        plane = grid.values.isel({AXES[self.axis]: index}).load()
        return np.asarray(plane.transpose(AXES[self.down], AXES[self.right]).values)

    def flips(self, grid: Grid) -> tuple[bool, bool]:
        """Return whether rising indexes run (up, left) on the screen, against the screen's axes."""
        falling = [line.size > 1 and bool(line[-1] < line[0]) for line in grid.axes]
        return (self.matrix[0][0] < 0) != falling[self.down], (self.matrix[1][1] < 0) != falling[self.right]

    def screen(self, grid: Grid, coordinates: npt.ArrayLike) -> tuple[float, float]:
        """Return where (slice, row, column) coordinates in mm are on the screen: (down, right) in mm."""
        lps = grid.direction @ np.asarray(coordinates, dtype=np.float64)
        return float(np.dot(self.down_vector, lps)), float(np.dot(self.right_vector, lps))

    def coordinates(
        self, grid: Grid, index: int, down_mm: _Floats, right_mm: _Floats
    ) -> tuple[_Floats, _Floats]:
        """Return the coordinates in mm along the down and the right voxel axis of places on the screen."""
        (a, b), (c, d) = self.matrix
        at = float(grid.axes[self.axis][index])
        down_mm, right_mm = down_mm - self.shift[0] * at, right_mm - self.shift[1] * at
        if b == 0 and c == 0:  # No tilt: each axis by itself, and no rounding from the other.
            return down_mm / a, right_mm / d
        determinant = a * d - b * c
        return (d * down_mm - b * right_mm) / determinant, (a * right_mm - c * down_mm) / determinant

    def extent(self, grid: Grid, index: int) -> tuple[float, float, float, float]:
        """Return the borders (top, bottom, left, right) in mm on the screen of all voxels of one plane."""
        (a, b), (c, d) = self.matrix
        at = float(grid.axes[self.axis][index])
        ends_down = grid.edges(self.down)[[0, -1]][:, None]
        ends_right = grid.edges(self.right)[[0, -1]][None, :]
        down = a * ends_down + b * ends_right + self.shift[0] * at
        right = c * ends_down + d * ends_right + self.shift[1] * at
        return float(down.min()), float(down.max()), float(right.min()), float(right.max())


def plane_views(direction: npt.ArrayLike) -> dict[PlaneName, PlaneView]:
    """Return the axial, sagittal and coronal view of a volume.

    Parameters
    ----------
    direction
        (3, 3); the columns are the LPS vectors of the voxel axes slice, row, column. Oblique and tilted ones
        are welcome: each voxel axis is taken for the patient axis it is nearest to, no two for the same.

    References
    ----------
    PS3.3 C.7.6.2.1.1 (directions), C.7.6.1.1.1 (letters).
    """
    vectors = np.asarray(direction, dtype=np.float64).reshape(3, 3)
    return {
        name: _plane_view(name, vectors, (cut, down, right), (down_sign, right_sign))
        for name, (cut, (down, down_sign), (right, right_sign)) in plane_axes(vectors).items()
    }


def plane_axes(direction: npt.ArrayLike) -> dict[PlaneName, tuple[int, tuple[int, int], tuple[int, int]]]:
    """Return for each plane the voxel axis it cuts, and those that run down and to the right on the screen, with their signs.

    `direction` is (3, 3), as for `plane_views`.
    """
    vectors = np.asarray(direction, dtype=np.float64).reshape(3, 3)
    closeness = np.abs(vectors / np.linalg.norm(vectors, axis=0))
    # voxel_axis[p] is the voxel axis that runs along patient axis p. Slices are named by their normal, as in
    # `Geometry.plane`, and rows and columns share the two other planes. The first of equals wins (rounded, so
    # that a volume at exactly 45 degrees does not change its planes with the last bit).
    normal = _LAYOUT[cast(PlaneName, plane_of(vectors))][0]
    orders = [order for order in permutations(range(3)) if order[normal] == 0]
    voxel_axis = max(orders, key=lambda order: round(sum(closeness[range(3), order]), 6))

    def signed(patient: int, sign: int) -> tuple[int, int]:
        axis = voxel_axis[patient]
        return axis, sign if vectors[patient, axis] >= 0 else -sign

    return {
        name: (voxel_axis[cut], signed(*down), signed(*right)) for name, (cut, down, right) in _LAYOUT.items()
    }


def _plane_view(
    name: PlaneName, vectors: _Floats, axes: tuple[int, int, int], signs: tuple[int, int]
) -> PlaneView:
    cut, down, right = axes
    down_vector, right_vector = vectors[:, down] * signs[0], vectors[:, right] * signs[1]
    # Under a tilted gantry only the slice axis is oblique to the others: the image axis stays where it is and
    # the slice axis is squared to it.
    if down == 0:
        right_vector = right_vector / np.linalg.norm(right_vector)
        down_vector = down_vector - np.dot(down_vector, right_vector) * right_vector
        down_vector = down_vector / np.linalg.norm(down_vector)
    else:
        down_vector = down_vector / np.linalg.norm(down_vector)
        right_vector = right_vector - np.dot(right_vector, down_vector) * down_vector
        right_vector = right_vector / np.linalg.norm(right_vector)
    screen = np.stack([down_vector, right_vector]) @ vectors
    # Dot products of unit vectors are 0 and 1 but for the last bits; those bits would blur voxel borders.
    whole = np.round(screen)
    screen = np.where(np.abs(screen - whole) < 1e-9, whole, screen) + 0.0
    letters = (
        position_letters(-right_vector),
        position_letters(right_vector),
        position_letters(-down_vector),
        position_letters(down_vector),
    )
    return PlaneView(
        name=name,
        axis=cut,
        down=down,
        right=right,
        down_vector=_vector(down_vector),
        right_vector=_vector(right_vector),
        matrix=(
            (float(screen[0, down]), float(screen[0, right])),
            (float(screen[1, down]), float(screen[1, right])),
        ),
        shift=(float(screen[0, cut]), float(screen[1, cut])),
        letters=letters,
    )


def _vector(array: _Floats) -> _Vector:
    x, y, z = (array + 0.0).tolist()
    return x, y, z


def position_letters(vector: npt.ArrayLike) -> str:
    """Return the patient direction of an LPS vector: "A", "AR", "ARH" … the largest component first.

    Components below 5 degrees are left out.

    References
    ----------
    PS3.3 C.7.6.1.1.1 Patient Orientation.
    """
    x = np.asarray(vector, dtype=np.float64)
    x = x / np.linalg.norm(x)
    letters = [("LPH" if value > 0 else "RAF")[axis] for axis, value in enumerate(x)]
    order = sorted(range(3), key=lambda axis: -round(abs(float(x[axis])), 6))
    return "".join(letters[axis] for axis in order if abs(x[axis]) > _LETTER_THRESHOLD)


def patient_side(vector: npt.ArrayLike, mm: float) -> str:
    """Return a distance along an LPS vector as text, with the side of the patient instead of a sign: "76.8 mm R"."""
    rounded = round(float(mm), 1)
    x = np.asarray(vector, dtype=np.float64)
    return f"{abs(rounded):.1f} mm {position_letters(x if rounded >= 0 else -x)}"


def acquisition_plane(grid: Grid) -> PlaneName:
    """Return the name of the plane of acquisition, or of that in which the only picture lies.

    The latter is that of a plane cut from a volume, or of a projection through all rows or columns.
    """
    cut = grid.missing[0] if grid.missing else 0
    if not grid.missing and grid.shape[0] > 1 and 1 in grid.shape:
        cut = grid.shape.index(1)
    return next(name for name, view in plane_views(grid.direction).items() if view.axis == cut)


def finest_pixel(grid: Grid, view: PlaneView) -> float:
    """Return the pixel size in mm that loses no voxel of a plane: the finer of its two usual spacings."""
    spacings = [
        float(np.median(np.abs(np.diff(grid.axes[axis])))) * abs(view.matrix[place][place])
        for place, axis in enumerate((view.down, view.right))
        if grid.axes[axis].size > 1
    ]
    return min(spacings, default=1.0)


@dataclass(frozen=True)
class SliceState:
    """All that decides one picture.

    Parameters
    ----------
    view
        The plane and its layout.
    index
        Which plane along ``view.axis``.
    window
        The window to look through.
    invert
        Show low values white.
    pixel_mm
        Side of a square pixel of the picture in mm.
    interpolation
        Between voxels: ``"linear"`` for grey, ``"nearest"`` for labels and for seeing the voxels themselves.
    """

    view: PlaneView
    index: int
    window: AnyWindow
    invert: bool = False
    pixel_mm: float = 1.0
    interpolation: Interpolation = "linear"


def choose_view(grid: Grid, plane: PlaneName | None) -> PlaneView:
    """Return the view of a plane by name; None stands for the plane of acquisition or of the user's cut.

    Raises
    ------
    GeometryError
        There is no plane of that name, or a plane cut from a volume was asked to show another one.
    """
    own = acquisition_plane(grid)
    views = plane_views(grid.direction)
    name = own if plane is None else plane
    if name not in views:
        raise GeometryError(
            f"The plane {plane!r} was asked for; use {', '.join(map(repr, PLANES))} or None (as acquired)."
        )
    if len(grid.missing) > 1 or (grid.missing and name != own):
        axes = " and ".join(AXES[axis] for axis in grid.missing)
        raise GeometryError(
            f"The {name} plane was asked for; the volume was cut at one {axes}. Show it uncut."
        )
    return views[name]


def choose_index(
    grid: Grid, view: PlaneView, index: int | None = None, position: float | npt.ArrayLike | None = None
) -> int:
    """Return which plane to show: the middle one if nothing is asked for.

    Parameters
    ----------
    grid, view
        The volume, and the plane's layout.
    index
        Voxel index along the cut axis, negative ones counted from the end.
    position
        A patient position (x, y, z) in LPS mm, or one number: mm along the cut axis. The nearest plane is
        taken.

    Raises
    ------
    GeometryError
        Both are given, or the plane is outside the volume.
    """
    count = grid.shape[view.axis]
    if position is not None:
        if index is not None:
            raise GeometryError("Both an index and a position were asked for; give one of them.")
        along = position if np.ndim(position) == 0 else grid.coordinates(position)[view.axis]
        return grid.nearest_index(view.axis, float(cast(float, along)))
    if index is None:
        return count // 2
    index = operator.index(index)  # Refuses 3.5 instead of showing slice 3.
    if not -count <= index < count:
        raise GeometryError(
            f"Index {index} along {AXES[view.axis]} was asked for; the volume has {count} there "
            f"(0 to {count - 1})."
        )
    return index % count


def initial_state(
    volume: xr.DataArray | Grid,
    plane: PlaneName | None = None,
    *,
    index: int | None = None,
    position: float | npt.ArrayLike | None = None,
    window: WindowLike | None = None,
    invert: bool | None = None,
    interpolation: Interpolation | None = None,
) -> SliceState:
    """Return what a viewer shows first: the middle slice, the file's window or an automatic one.

    Parameters
    ----------
    volume
        A volume or its grid.
    plane
        ``"axial"``, ``"sagittal"`` or ``"coronal"``; None for the plane the images were acquired in.
    index, position
        Another slice than the middle one, as in `choose_index`.
    window
        As in `dicomlab.windowing.resolve_window`; an automatic one is made from `Grid.sample`.
    invert
        Show low values white; None for what is customary for the volume (MONOCHROME1, PET).
    interpolation
        Between voxels; None for linear, and nearest in a mask, whose voxels are in or out and nothing between.
    """
    grid = volume if isinstance(volume, Grid) else Grid.from_volume(volume)
    view = choose_view(grid, plane)
    return SliceState(
        view=view,
        index=choose_index(grid, view, index, position),
        window=resolve_window(window, grid.attrs, grid.sample),
        invert=shown_inverted(grid.attrs) if invert is None else invert,
        pixel_mm=finest_pixel(grid, view),
        interpolation=interpolation or ("nearest" if grid.is_mask else "linear"),
    )
