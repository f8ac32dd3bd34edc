"""Direction cosines and affines: the arithmetic of PS3.3 C.7.6.2.1.1, in numpy alone.

Everything here speaks LPS millimetres (x to the patient's Left, y to the Posterior, z to the head, "Superior") and voxel
indices in the order ``(slice, row, column)``. The basis vectors are named as in the standard: *r* points along a row of
the image (the direction in which the **column** index grows, IOP[0:3]), *c* along a column (the **row** index grows,
IOP[3:6]), and *n = r x c*.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from dicomlab.errors import GeometryError

__all__ = [
    "COSINE_TOLERANCE",
    "ORTHONORMAL_LIMIT",
    "axis_codes",
    "direction_from_cosines",
    "evenness_tolerance",
    "faces",
    "index_of",
    "is_axis_aligned",
    "lps_to_ras",
    "plane_of",
    "position_at",
    "split_affine",
    "unevenness",
]

FloatArray = npt.NDArray[np.float64]

ORTHONORMAL_LIMIT = 1e-2
"""Cosines further than this from orthonormal are refused; nearer ones are mended (rounded text values)."""

COSINE_TOLERANCE = 1e-4
"""Row and column axes of an affine further than this from perpendicular are refused."""

# Letters for the positive and negative end of each LPS axis, in the S/I spelling of ITK and nibabel.
_AXIS_LETTERS = (("L", "R"), ("P", "A"), ("S", "I"))
_PLANES = ("sagittal", "coronal", "axial")


def direction_from_cosines(cosines: npt.ArrayLike) -> tuple[FloatArray, float]:
    """Direction matrix of an Image Orientation (Patient), and how far the cosines were from orthonormal.

    Parameters
    ----------
    cosines
        Shape ``(6,)``: *r* (IOP[0:3]) then *c* (IOP[3:6]), as in (0020,0037).

    Returns
    -------
    direction
        Shape ``(3, 3)``, orthonormal; its columns are the LPS unit vectors of slice (*n = r x c*), row (*c*) and
        column (*r*).
    deviation
        The largest of ``| |r| - 1 |``, ``| |c| - 1 |`` and ``|r . c|`` before mending; dimensionless.

    Raises
    ------
    GeometryError
        The six numbers are not finite or deviate from orthonormal by more than `ORTHONORMAL_LIMIT`.

    References
    ----------
    PS3.3 C.7.6.2.1.1 "Image Position and Image Orientation".

    Examples
    --------
    >>> direction, deviation = direction_from_cosines([1, 0, 0, 0, 1, 0])
    >>> direction[:, 0]                       # slices step towards the head
    array([0., 0., 1.])
    """
    values = np.asarray(cosines, dtype=np.float64)
    if values.shape != (6,) or not np.all(np.isfinite(values)):
        raise GeometryError(
            f"Image Orientation (Patient) (0020,0037) needs six finite numbers, found {np.asarray(cosines)!r}. "
            "Without them no voxel has a patient position."
        )
    r, c = values[:3], values[3:]
    norm_r, norm_c = float(np.linalg.norm(r)), float(np.linalg.norm(c))
    deviation = max(abs(norm_r - 1.0), abs(norm_c - 1.0), abs(float(r @ c)))
    if deviation > ORTHONORMAL_LIMIT:
        raise GeometryError(
            "Image Orientation (Patient) (0020,0037) must hold two perpendicular unit vectors, found "
            f"{values.tolist()}: off by {deviation:.3g} (limit {ORTHONORMAL_LIMIT:g})."
        )
    # Symmetric mending: both vectors give way equally, so the mended frame is the nearest orthonormal one.
    u, _, vt = np.linalg.svd(np.stack([r, c]), full_matrices=False)
    r, c = u @ vt
    # Adding zero turns -0.0 into 0.0, which would otherwise be printed at users.
    return np.stack([np.cross(r, c), c, r], axis=1) + 0.0, deviation


def split_affine(affine: npt.ArrayLike) -> tuple[FloatArray, tuple[float, float, float], FloatArray]:
    """Direction, steps and origin of an affine from ``(slice, row, column, 1)`` voxel indices to LPS mm.

    Returns
    -------
    direction
        Shape ``(3, 3)``, as of `direction_from_cosines`, but its first column is sheared where the slices are.
    steps
        Signed mm per slice, row and column; slices may run against *n*, the others give *r* and *c* their sign.
    origin
        Shape ``(3,)``: coordinates (slice, row, column) in mm of the first voxel.

    Raises
    ------
    GeometryError
        The matrix is no affine, is singular, or its row and column axes are not perpendicular.
    """
    matrix = np.asarray(affine, dtype=np.float64)
    if matrix.shape != (4, 4) or not np.all(np.isfinite(matrix)):
        raise GeometryError(
            f"an affine is a finite 4x4 matrix, found shape {matrix.shape}: {matrix.tolist()}"
        )
    if not np.allclose(matrix[3], [0, 0, 0, 1]):
        raise GeometryError(f"the last row of an affine is 0 0 0 1, found {matrix[3].tolist()}")
    lengths = np.linalg.norm(matrix[:3, :3], axis=0)
    if np.any(lengths == 0):
        raise GeometryError(
            f"the affine steps by 0 mm along {('slice', 'row', 'column')[int(np.argmin(lengths))]}"
        )
    c, r = matrix[:3, 1] / lengths[1], matrix[:3, 2] / lengths[2]
    if abs(float(r @ c)) > COSINE_TOLERANCE:
        raise GeometryError(
            f"the row and column axes of this affine are not perpendicular (cosine {float(r @ c):.3g}); "
            "a DICOM image cannot be sheared within its plane."
        )
    n = np.cross(r, c)
    rise = float(n @ matrix[:3, 0])  # mm that one slice advances along the normal; negative: towards -n
    if abs(rise) < 1e-6 * lengths[0]:
        raise GeometryError("the slices of this affine lie in one plane: it is singular")
    along = matrix[:3, 0] / rise
    if float(np.max(np.abs(along - n))) < 1e-9:
        along = n  # a shear of 1e-9 is rounding, not tilt
    direction = np.stack([along, c, r], axis=1) + 0.0
    origin = np.asarray(np.linalg.solve(direction, matrix[:3, 3]), dtype=np.float64)
    return direction, (rise, float(lengths[1]), float(lengths[2])), origin


def lps_to_ras(affine: npt.ArrayLike) -> FloatArray:
    """Affine from ``(column, row, slice)`` voxel indices to RAS mm (nibabel) of one from ``(slice, row, column)`` to LPS.

    Shape ``(4, 4)`` in and out: the first two world axes change sign and the index order is reversed.
    """
    matrix = np.asarray(affine, dtype=np.float64)
    return np.diag([-1.0, -1.0, 1.0, 1.0]) @ matrix[:, [2, 1, 0, 3]] + 0.0


def is_axis_aligned(direction: npt.ArrayLike, tolerance: float = 1e-3) -> bool:
    """Whether every basis vector lies within `tolerance` (of a unit vector's component) of a patient axis."""
    matrix = np.abs(np.asarray(direction, dtype=np.float64))
    return bool(np.allclose(np.sort(matrix, axis=0), np.array([[0.0], [0.0], [1.0]]), atol=tolerance))


def axis_codes(direction: npt.ArrayLike) -> str:
    """Three letters: towards which side of the patient slice, row and column indices grow.

    ``"SPL"`` is the ordinary axial series: slices towards Superior, rows towards Posterior, columns towards Left. Oblique
    directions take the nearest patient axis, each axis once.
    """
    matrix = np.array(direction, dtype=np.float64)
    letters = [""] * 3
    left = np.abs(matrix)
    for _ in range(3):  # the clearest axis chooses first, so that no patient axis is used twice
        world, axis = np.unravel_index(int(np.argmax(left)), left.shape)
        letters[axis] = _AXIS_LETTERS[world][0 if matrix[world, axis] > 0 else 1]
        left[world, :] = -1.0
        left[:, axis] = -1.0
    return "".join(letters)


def plane_of(direction: npt.ArrayLike) -> str:
    """``"axial"``, ``"sagittal"`` or ``"coronal"``: the patient plane nearest to the image plane."""
    matrix = np.asarray(direction, dtype=np.float64)
    normal = np.cross(matrix[:, 2], matrix[:, 1])
    return _PLANES[int(np.argmax(np.abs(normal)))]


def unevenness(positions: FloatArray) -> float:
    """Largest distance (mm) of a position from the even grid between the first and the last."""
    if positions.size < 3:
        return 0.0
    return float(np.max(np.abs(positions - np.linspace(positions[0], positions[-1], positions.size))))


def evenness_tolerance(positions: FloatArray) -> float:
    """`unevenness` (mm) up to which an axis counts as even: 0.01 mm, or 1 % of the step where that is more.

    Never more than a tenth of the step: under a microscope, 0.01 mm are several slices.
    """
    if positions.size < 3:
        return 0.0
    step = abs(float(positions[-1] - positions[0])) / (positions.size - 1)
    return min(max(0.01, 0.01 * step), 0.1 * step)


def _check_not_empty(positions: FloatArray) -> None:
    if not positions.size:
        raise GeometryError("a volume without voxels has no positions; the selection that made it was empty")


def _lone(step: float) -> float:
    """Step of an axis of one position: 1 mm where nobody knows, so that its only index, 0, and its position correspond."""
    return 1.0 if np.isnan(step) else step


def position_at(positions: FloatArray, index: FloatArray, lone_step: float) -> FloatArray:
    """Position at fractional indices, linear between neighbours and beyond the ends."""
    _check_not_empty(positions)
    if positions.size == 1:
        single: FloatArray = positions[0] + index * _lone(lone_step)
        return single
    low = np.clip(np.floor(index).astype(np.intp), 0, positions.size - 2)
    result: FloatArray = positions[low] + (index - low) * (positions[low + 1] - positions[low])
    return result


def index_of(positions: FloatArray, wanted: FloatArray, lone_step: float) -> FloatArray:
    """Inverse of `position_at` for ascending or descending positions."""
    _check_not_empty(positions)
    if positions.size == 1:
        single: FloatArray = (wanted - positions[0]) / _lone(lone_step)
        return single
    steps = np.diff(positions)
    if not (np.all(steps > 0) or np.all(steps < 0)):
        raise GeometryError(
            "index() needs positions that only rise or only fall; these do not (repeated or reordered slices). "
            "Sort the volume first: volume.sortby('slice')."
        )
    sign = 1.0 if steps[0] > 0 else -1.0
    low = np.clip(np.searchsorted(sign * positions, sign * wanted, side="right") - 1, 0, positions.size - 2)
    result: FloatArray = low + (wanted - positions[low]) / steps[low]
    return result


def faces(positions: FloatArray, lone_step: float, name: str) -> FloatArray:
    """Outer faces (mm) of the first and of the last voxel of an axis: half a step beyond their centres.

    Raises
    ------
    GeometryError
        There are no voxels along the axis `name`, some positions are NaN, or a lone one has no known step.
    """
    if positions.size == 1 and np.isnan(lone_step):
        raise GeometryError(
            f"nobody knows how far these voxels reach along {name}: there is only one {name}, and nothing says how far the "
            f"next would be. volume.isel({name}=[k]) instead of an integer keeps the step of the volume it is cut from."
        )
    if not np.isfinite(positions).all():
        raise GeometryError(f"nobody knows how far these voxels reach along {name}: some positions are NaN")
    _check_not_empty(positions)
    # Sorted, for shuffled slices fill the same box; and each once, for a slice picked twice is one.
    levels = np.unique(positions)
    first, last = (levels[1] - levels[0], levels[-1] - levels[-2]) if levels.size > 1 else (lone_step,) * 2
    first, last = np.nan_to_num(np.abs([first, last])) / 2
    ends = np.array([levels[0] - first, levels[-1] + last])
    falls = positions[-1] < positions[0] if positions.size > 1 else lone_step < 0
    return ends[::-1] if falls else ends
