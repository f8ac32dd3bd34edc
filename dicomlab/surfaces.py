"""Surfaces of masks in the patient: closed meshes of triangles in LPS mm, whatever the grid.

A mesh file (`dicomlab.extras.mesh`) and the view in three dimensions (`dicomlab.extras.view3d`) are made of these.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, cast

import numpy as np
import numpy.typing as npt
import xarray as xr

from dicomlab.errors import DicomLabError, GeometryError
from dicomlab.geometry import AXES, Geometry
from dicomlab.masks import SEGMENT, Label, check_mask, labels_of, parts
from dicomlab.warn import warn_user

__all__ = ["Style", "Surface", "surfaces"]

FloatArray = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Style: TypeAlias = Literal["midway", "voxels"]

_CORNERS = ((0, 0), (1, 0), (1, 1), (0, 1))
"""Of a face of a voxel, one after the other."""


@dataclass(frozen=True, eq=False)
class Surface:
    """The closed surface of one label.

    Parameters
    ----------
    label
        What is inside.
    vertices
        LPS mm, shape ``(n, 3)``.
    faces
        Three vertices each, shape ``(m, 3)``, counter-clockwise as seen from outside.
    """

    label: Label
    vertices: FloatArray
    faces: npt.NDArray[np.int64]

    @property
    def ml(self) -> float:
        """Millilitres that it encloses."""
        return _enclosed(self.vertices, self.faces) / 1000

    @property
    def area(self) -> float:
        """mm² of all its triangles; of a surface in steps, as that of voxels, it is larger than that of the thing."""
        return float(np.linalg.norm(_crossed(self.vertices, self.faces), axis=1).sum()) / 2


def surfaces(
    mask: xr.DataArray,
    *,
    style: Style = "midway",
    smooth_mm: float = 0.0,
    label: int | str | None = None,
    voxels: int | None = None,
) -> list[Surface]:
    """The surface of each label of a mask, each closed, with outward faces.

    Parameters
    ----------
    mask
        Any mask, of one step; slices may be uneven, tilted, oblique, and axes may fall.
    style
        ``"midway"``: marching cubes, half way between voxel centres inside and outside. Edges and corners are cut off: a ball
        of 10 voxels radius loses 0.5 % of its volume, but thin and ragged things lose much, a single voxel 83 %. Every edge
        has two triangles; voxels that touch along an edge or at a corner only are apart. ``"voxels"``: the faces of the voxels.
        It encloses the volume of the mask, but has steps, which `smooth_mm` flattens; where voxels touch along an edge only,
        that edge has four triangles.
    smooth_mm
        Ripples shorter than this are flattened, for instance the steps of slices; 0 leaves them. What the whole encloses stays.
        Taubin's filter moves vertices, and takes none away. Three times the longest side of a voxel is a good beginning.
    label
        The name or number of one label; None for all that have voxels.
    voxels
        For looking only: of a label in a larger box, blocks of voxels are taken together until there are no more than these.

    Raises
    ------
    DicomLabError
        This is no mask, has no voxels in it or several steps; there is no such label; `smooth_mm` is no length.
    GeometryError
        The mask has no place in the patient, or nobody knows how far its voxels reach; slices are in no order.

    Warns
    -----
    DicomLabWarning
        Some labels have no voxels.

    Examples
    --------
    >>> import numpy as np
    >>> from dicomlab import make_volume
    >>> cube = make_volume(np.ones((2, 3, 4), bool), affine=np.diag([5.0, 1.0, 1.0, 1.0])[[2, 1, 0, 3]], name="liver")
    >>> found = surfaces(cube, style="voxels")[0]
    >>> found.label.name, round(found.ml, 6)
    ('liver', 0.12)
    """
    if style not in ("midway", "voxels"):
        raise DicomLabError(f"a surface has the style 'midway' or 'voxels'; found {style!r}")
    if not (math.isfinite(smooth_mm) and smooth_mm >= 0):
        raise DicomLabError(f"smooth_mm= is a length in mm, or 0; found {smooth_mm}")
    check_mask(mask)
    geometry = _ordered(mask)
    made, empty = [], []
    for one, inside, corner in _boxes(_one_step(mask), label):
        if not inside.any():
            empty.append(one.name)
            continue
        by = 1 if voxels is None else max(1, math.ceil((inside.size / max(1, voxels)) ** (1 / 3)))
        index, faces = _voxel_faces(inside) if style == "voxels" else _midway(inside, by)
        vertices = geometry.lps(index + corner)
        if _keeps_hands(geometry):
            faces = faces[:, ::-1]
        if smooth_mm:
            vertices = _smoothed(vertices, faces, smooth_mm)
        made.append(Surface(one, vertices, faces.astype(np.int64)))
    if not made:
        what = f"the label {empty[0]!r}" if len(empty) == 1 else "the mask"
        raise DicomLabError(f"a surface was asked for, and {what} has no voxels in it")
    if empty:
        warn_user(f"labels without voxels have no surface: {', '.join(empty)}")
    return made


# -- the voxels -------------------------------------------------------------------------------------------------------


def _one_step(mask: xr.DataArray) -> xr.DataArray:
    """The mask with dims (segment, slice, row, column), or without the first."""
    own = [SEGMENT] * (SEGMENT in mask.dims) + list(AXES)
    further = {str(dim): size for dim, size in mask.sizes.items() if dim not in own}
    if any(size > 1 for size in further.values()):
        raise DicomLabError(
            f"a surface is of one step; this mask has {further} beside slice, row and column: choose one, by isel"
        )
    mask = mask.isel(dict.fromkeys(further, 0))
    missing = [name for name in AXES if name not in mask.dims]
    return mask.expand_dims(missing).transpose(*own) if missing else mask.transpose(*own)


def _ordered(mask: xr.DataArray) -> Geometry:
    """The geometry of a mask whose voxels have faces."""
    geometry = Geometry.from_volume(mask)
    _ = geometry.corners  # tells what is missing where nobody knows how far voxels reach
    for name, positions in zip(AXES, geometry.positions, strict=True):
        steps = np.diff(positions)
        if not (np.all(steps > 0) or np.all(steps < 0)):
            raise GeometryError(
                f"a surface goes from each {name} to the next; these are in no order, or two are at one position. Sort them "
                f"first: mask.sortby({name!r})."
            )
    return geometry


def _boxes(
    mask: xr.DataArray, wanted: int | str | None
) -> Iterator[tuple[Label, Bools, npt.NDArray[np.int64]]]:
    """Each label, the smallest box around it, and the first index of the box."""
    every = labels_of(mask)
    chosen = [one for one in every if wanted is None or wanted in (one.value, one.name)]
    if not chosen and wanted is not None:
        known = ", ".join(f"{one.value} {one.name}" for one in every) or "none"
        raise DicomLabError(f"the label {wanted!r} was asked for; there are: {known}")
    if mask.dtype.kind in "iu":
        # All boxes in one pass, as there may be a hundred labels.
        from scipy.ndimage import find_objects

        values = np.asarray(mask.values)
        found = find_objects(values.astype(np.int32, copy=False) if values.dtype.kind == "i" else values)
        for one in chosen:
            box = found[one.value - 1] if one.value <= len(found) else None
            box = box or (slice(0, 0),) * 3
            yield one, values[box] == one.value, np.array([side.start for side in box])
        return
    for one, part in zip(every, parts(mask), strict=True):
        if one in chosen:
            values = np.asarray(part.mask.values)
            lines = [np.flatnonzero(values.any(axis=others)) for others in ((1, 2), (0, 2), (0, 1))]
            box = tuple(slice(at[0], at[-1] + 1) if at.size else slice(0, 0) for at in lines)
            yield one, values[box], np.array([side.start for side in box])


# -- from voxels to triangles, in fractional indices --------------------------------------------------------------------


def _midway(inside: Bools, by: int) -> tuple[FloatArray, npt.NDArray[np.int64]]:
    """Triangles between centres inside and outside, which run clockwise where (slice, row, column) is right-handed."""
    from skimage.measure import marching_cubes

    level, values = 0.5, inside.astype(np.float32)
    if by > 1:
        # Means of blocks; what is thinner than half a block must not be gone.
        values = np.pad(values, [(0, -size % by) for size in inside.shape])
        for axis in range(3):
            parts_of = (*values.shape[:axis], values.shape[axis] // by, by, *values.shape[axis + 1 :])
            values = values.reshape(parts_of).mean(axis=axis + 1)
        # Never a value that a block can have: a triangle there would have no size.
        level = min(0.5, 0.5 * float(values.max())) - 0.25 / by**3
    # Lorensen's cubes: voxels that touch along an edge stay apart, so that no edge ever has more than two triangles.
    padded = np.pad(values, 1)
    cubes: Callable[..., Any] = marching_cubes  # without types of its own
    vertices, faces, _, _ = cubes(padded, level, method="lorensen")
    return (vertices.astype(np.float64) - 1) * by + (by - 1) / 2, faces.astype(np.int64)


def _voxel_faces(inside: Bools) -> tuple[FloatArray, npt.NDArray[np.int64]]:
    """Two triangles for each face between a voxel inside and one outside; they run as those of `_midway`."""
    padded = np.pad(inside, 1)
    shape = tuple(size + 1 for size in padded.shape)
    numbers = []
    for axis in range(3):
        following = np.moveaxis(padded, axis, 0)
        for out, (here, there) in enumerate(
            ((following[1:], following[:-1]), (following[:-1], following[1:]))
        ):
            found = np.moveaxis(here & ~there, 0, axis)
            at = np.argwhere(found)
            at[:, axis] += 1
            first, second = (axis + 1) % 3, (axis + 2) % 3
            square = np.repeat(at[:, None], 4, axis=1)
            for k, (a, b) in enumerate(_CORNERS):
                square[:, k, first] += a
                square[:, k, second] += b
            corners = np.ravel_multi_index(tuple(np.moveaxis(square, -1, 0)), shape)
            numbers.append(corners if out == 0 else corners[:, ::-1])
    squares = np.concatenate(numbers)
    used, faces = np.unique(squares, return_inverse=True)
    faces = faces.reshape(squares.shape)
    vertices: FloatArray = np.stack(np.unravel_index(used, shape), axis=-1).astype(np.float64) - 1.5
    return vertices, np.concatenate([faces[:, [0, 1, 2]], faces[:, [0, 2, 3]]]).astype(np.int64)


# -- in the patient -----------------------------------------------------------------------------------------------------


def _keeps_hands(geometry: Geometry) -> bool:
    """Whether (slice, row, column) indices run right-handed in the patient."""
    falls = [
        (positions[-1] < positions[0]) if positions.size > 1 else lone < 0
        for positions, lone in zip(geometry.positions, geometry.lone_steps, strict=True)
    ]
    return bool((np.linalg.det(geometry.direction) > 0) != (sum(falls) % 2 == 1))


def _crossed(vertices: FloatArray, faces: npt.NDArray[np.int64]) -> FloatArray:
    """Outward normals of the triangles, twice as long as they have area."""
    a, b, c = (vertices[faces[:, k]] for k in range(3))
    return cast(FloatArray, np.cross(b - a, c - a))


def _enclosed(vertices: FloatArray, faces: npt.NDArray[np.int64]) -> float:
    """mm³ inside, by the divergence theorem; around the middle, so that no digits are lost far from the origin."""
    around = vertices - vertices.mean(axis=0)
    return float((around[faces[:, 0]] * _crossed(around, faces)).sum()) / 6


def _smoothed(vertices: FloatArray, faces: npt.NDArray[np.int64], shortest: float) -> FloatArray:
    """Vertices without ripples shorter than `shortest` mm, around the same volume.

    Taubin's filter (1995): a step towards the mean of the neighbours, then a longer one away from it, again and again, lets
    long waves pass as they are.
    """
    from scipy.sparse import coo_matrix, diags

    ends = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    edge = float(np.sqrt(np.square(vertices[ends[:, 0]] - vertices[ends[:, 1]]).sum(axis=1).mean()))
    # How much a wave of this length bends from one vertex to the next: its place in the spectrum of the mesh, 0 to 2.
    passed = (math.pi * edge / shortest) ** 2
    if passed >= 1:
        return vertices  # shorter than what the triangles can show
    ahead = 0.5
    back = 1 / (passed - 1 / ahead)
    stopped = min(1.5, 3 * passed)
    weaker = abs((1 - ahead * stopped) * (1 - back * stopped))
    rounds = min(200, max(5, math.ceil(math.log(0.1) / math.log(min(weaker, 0.99)))))
    near = coo_matrix((np.ones(len(ends)), (ends[:, 0], ends[:, 1])), shape=(len(vertices),) * 2).tocsr()
    near.data[:] = 1
    mean = diags(1 / np.maximum(np.asarray(near.sum(axis=1)).ravel(), 1)) @ near
    moved = vertices - vertices.mean(axis=0)
    for _ in range(rounds):
        for step in (ahead, back):
            moved = moved + step * (mean @ moved - moved)
    volume = _enclosed(vertices, faces)
    for _ in range(3):
        crossed = _crossed(moved, faces)
        normals = np.zeros_like(moved)
        for k in range(3):
            for axis in range(3):
                normals[:, axis] += np.bincount(faces[:, k], crossed[:, axis], len(moved))
        normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)
        area = float(np.linalg.norm(crossed, axis=1).sum()) / 2
        moved = moved + normals * ((volume - _enclosed(moved, faces)) / area)
    return cast(FloatArray, moved + vertices.mean(axis=0))
