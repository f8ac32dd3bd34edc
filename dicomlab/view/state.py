"""Which plane and which slice, decided without a screen; letters and sides of the patient.

A plane is named after the patient plane nearest to it, whatever way the images were acquired, and laid out as
radiologists hang it: patient right on the left, head up, anterior up in axial and on the left in sagittal.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Mapping
from itertools import permutations
from typing import Literal, TypeAlias, cast, get_args

import numpy as np
import numpy.typing as npt

from dicomlab.affine import plane_of
from dicomlab.errors import GeometryError
from dicomlab.geometry import AXES
from dicomlab.view.grid import Grid

__all__ = [
    "PLANES",
    "PlaneName",
    "acquisition_plane",
    "choose_plane",
    "choose_voxel",
    "patient_side",
    "plane_axes",
    "plane_text",
    "position_letters",
]

PlaneName: TypeAlias = Literal["axial", "sagittal", "coronal"]
PLANES: tuple[PlaneName, ...] = get_args(PlaneName)

# The patient axis (0 L, 1 P, 2 H of LPS) that a plane cuts, and the way its screen axes point: (axis, sign).
_LAYOUT: Mapping[PlaneName, tuple[int, tuple[int, int], tuple[int, int]]] = {
    "axial": (2, (1, 1), (0, 1)),  # down: posterior, right: left
    "sagittal": (0, (2, -1), (1, 1)),  # down: foot, right: posterior
    "coronal": (1, (2, -1), (0, 1)),  # down: foot, right: left
}

# Directions closer than 5 degrees to an axis get no further letter: nobody tilts a head by less on purpose.
_LETTER_THRESHOLD = float(np.sin(np.radians(5)))


def plane_axes(direction: npt.ArrayLike) -> dict[PlaneName, tuple[int, tuple[int, int], tuple[int, int]]]:
    """Return for each plane the voxel axis it cuts, and those that run down and to the right on the screen, with their signs.

    Parameters
    ----------
    direction
        (3, 3); the columns are the LPS vectors of the voxel axes slice, row, column. Oblique and tilted ones are welcome: each
        voxel axis is taken for the patient axis it is nearest to, no two for the same.

    References
    ----------
    PS3.3 C.7.6.2.1.1 (directions).
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


def plane_text(name: PlaneName, normal: npt.ArrayLike) -> str:
    """Return what a plane is called where it is shown: its name, or "oblique" and which plane is nearest.

    A plane is oblique where its normal has more than one letter (5 degrees and more), so that name and letters never
    disagree. Halfway between two planes neither is nearer.

    Parameters
    ----------
    name
        The plane of the volume that it is; nothing but what is written changes.
    normal
        LPS, of any length.
    """
    if len(position_letters(normal)) < 2:
        return name
    x = np.abs(np.asarray(normal, dtype=np.float64))
    x /= np.linalg.norm(x)
    nearest = x[_LAYOUT[name][0]]
    others = np.delete(x, _LAYOUT[name][0])
    return f"oblique, nearest {name}" if nearest > others.max() + 0.01 else "oblique"


def patient_side(vector: npt.ArrayLike, mm: float) -> str:
    """Return a distance along an LPS vector as text, with the side of the patient instead of a sign: "76.8 mm R"."""
    # Halves away from zero, as ``placeText`` in js/text.js: 12.25 mm on both sides of the patient is 12.3 mm there.
    tenths = math.floor(abs(float(mm)) * 10 + 0.500001)
    x = np.asarray(vector, dtype=np.float64)
    return f"{tenths / 10:.1f} mm {position_letters(-x if mm < 0 and tenths else x)}"


def acquisition_plane(grid: Grid) -> PlaneName:
    """Return the name of the plane of acquisition, or of that in which the only picture lies.

    The latter is that of a plane cut from a volume, or of a projection through all rows or columns.
    """
    cut = grid.missing[0] if grid.missing else 0
    if not grid.missing and grid.shape[0] > 1 and 1 in grid.shape:
        cut = grid.shape.index(1)
    return next(name for name, (axis, _, _) in plane_axes(grid.direction).items() if axis == cut)


def choose_plane(grid: Grid, plane: PlaneName | None) -> PlaneName:
    """Return the plane to show; None stands for the plane of acquisition or of the user's cut.

    Raises
    ------
    GeometryError
        There is no plane of that name, or a plane cut from a volume was asked to show another one.
    """
    own = acquisition_plane(grid)
    name = own if plane is None else plane
    if name not in PLANES:
        raise GeometryError(
            f"The plane {plane!r} was asked for; use {', '.join(map(repr, PLANES))} or None (as acquired)."
        )
    if len(grid.missing) > 1 or (grid.missing and name != own):
        axes = " and ".join(AXES[axis] for axis in grid.missing)
        raise GeometryError(
            f"The {name} plane was asked for; the volume was cut at one {axes}. Show it uncut."
        )
    return name


def choose_voxel(
    grid: Grid, axis: int, index: int | None = None, position: float | npt.ArrayLike | None = None
) -> tuple[int, int, int]:
    """Return the voxel (slice, row, column) that a plane goes through: the middle one if nothing is asked for.

    Parameters
    ----------
    grid
        The volume.
    axis
        The voxel axis that the plane cuts.
    index
        Voxel index along the cut axis, negative ones counted from the end.
    position
        A patient position (x, y, z) in LPS mm, or one number: mm along the cut axis. The nearest voxel is
        taken.

    Raises
    ------
    GeometryError
        Both are given, or the plane is outside the volume.
    """
    voxel = [size // 2 for size in grid.shape]
    count = grid.shape[axis]
    if position is not None:
        if index is not None:
            raise GeometryError("Both an index and a position were asked for; give one of them.")
        if np.ndim(position) == 0:
            along = float(cast(float, position))
        else:
            mm = grid.coordinates(position)
            voxel = [int(np.argmin(np.abs(line - at))) for line, at in zip(grid.axes, mm, strict=True)]
            along = float(mm[axis])
        voxel[axis] = grid.nearest_index(axis, along)
    elif index is not None:
        index = operator.index(index)  # Refuses 3.5 instead of showing slice 3.
        if not -count <= index < count:
            raise GeometryError(
                f"Index {index} along {AXES[axis]} was asked for; the volume has {count} there (0 to {count - 1})."
            )
        voxel[axis] = index % count
    return voxel[0], voxel[1], voxel[2]
