"""From closed contours in the patient to masks, and back: `from_polygon`, `from_contours`, `to_contours`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt
import xarray as xr

from dicomlab.errors import DicomLabError, GeometryError
from dicomlab.geometry import AXES, Geometry
from dicomlab.masks import check_mask, mask_like, parts
from dicomlab.segment import borders
from dicomlab.segment.outlines import Outlines, Planes
from dicomlab.segment.scanlines import fill
from dicomlab.segment.slabs import Slab, Sweep, plane_slab, slabs_of

__all__ = ["Holes", "Rule", "borders_of", "fill_outlines", "from_contours", "from_polygon", "to_contours"]

FloatArray = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

Rule: TypeAlias = Literal["evenodd", "union"]
Holes: TypeAlias = Literal["xor", "keyhole"]


def from_polygon(volume: xr.DataArray, points: npt.ArrayLike, *, name: str | None = None) -> xr.DataArray:
    """Mask of the voxels of one plane whose centres lie inside a polygon.

    Parameters
    ----------
    volume
        Gives the grid.
    points
        Shape ``(n, 3)``: corners in LPS mm, in order; the last is joined to the first. They lie in one plane, at any angle. It
        takes one voxel of each line of voxels along the axis that it cuts most squarely: of a plane along the slices these
        are voxels of the slice that it runs through, at most half a step from its centres.
    name
        What the mask is called.

    Returns
    -------
    xarray.DataArray
        bool, on the grid of `volume`. Centres are looked at along the normal of the polygon; one on an edge counts as for
        `from_contours`. Where the polygon crosses itself, what it goes round twice is outside.

    Raises
    ------
    GeometryError
        The points lie in no one plane, or their plane runs beside the volume; the message says how far.
    DicomLabError
        Fewer than three points, or such that enclose nothing.

    Examples
    --------
    >>> import numpy as np
    >>> from dicomlab import make_volume
    >>> ct = make_volume(np.zeros((3, 4, 5)), affine=np.diag([5.0, 2.0, 1.0, 1.0])[[2, 1, 0, 3]])
    >>> mask = from_polygon(ct, [[0.5, -1, 6], [3.5, -1, 6], [3.5, 3, 6], [0.5, 3, 6]])
    >>> np.argwhere(mask.values).tolist()               # slice, row, column
    [[1, 0, 1], [1, 0, 2], [1, 0, 3], [1, 1, 1], [1, 1, 2], [1, 1, 3]]
    """
    geometry = Geometry.from_volume(volume)
    outlines = Outlines.of([points])
    if not len(outlines):
        raise DicomLabError(
            f"a polygon has three corners or more, and an area; found {len(np.asarray(points))} points that enclose nothing"
        )
    planes = Planes.of(outlines, geometry)
    slab = plane_slab(float(planes.heights[0]), planes.normal, geometry, np.zeros(1, np.intp))
    _check_beside(slab, planes, geometry)
    return _as_mask(volume, _filled(geometry, outlines, planes, [slab], "evenodd"), name)


def _check_beside(slab: Slab, planes: Planes, geometry: Geometry) -> None:
    """Refuse a plane that holds no voxel of the volume."""
    leans = planes.normal @ geometry.direction
    spans = [
        np.array([lean * x.min(), lean * x.max()]) for lean, x in zip(leans, geometry.positions, strict=True)
    ]
    low, high = sum(span.min() for span in spans), sum(span.max() for span in spans)
    beside = max(float(slab.low.min()) - high, low - float(slab.high.max()))
    if beside >= 0:
        off = max(planes.heights[0] - high, low - planes.heights[0])
        raise GeometryError(
            f"the plane of the polygon runs {off:.3f} mm beside the voxel centres of the volume, more than half a step: it "
            f"lies at {planes.heights[0]:.3f} mm along its normal, the centres from {low:.3f} to {high:.3f} mm. Points are "
            "LPS mm (volume.dicom.lps makes them of voxel indices)."
        )


def from_contours(
    volume: xr.DataArray,
    contours: Iterable[npt.ArrayLike],
    *,
    rule: Rule = "evenodd",
    thickness: float | Sequence[float] | None = None,
    name: str | None = None,
) -> xr.DataArray:
    """Mask of the voxels whose centres lie inside closed planar contours, on any grid.

    Parameters
    ----------
    volume
        Gives the grid. Its slices may be uneven, tilted, oblique to the contours, nearer together or wider apart.
    contours
        Arrays of shape ``(n, 3)``: points in LPS mm, in order; the last is joined to the first. All in parallel planes. Those
        without an inside (fewer than three points, lines) hold no voxel.
    rule
        What contours in one plane make together. ``"evenodd"``: what lies inside an odd number of them, so that a contour in
        another is a hole, and one in a hole an island. ``"union"``: what lies inside any. Keyholes work with both.
    thickness
        mm that a contour stands for, half of it on either side of its plane; one for all or one for each. None: where all
        contours lie on slices of `volume` (within a tenth of a step), each fills its slice and nothing else; where they do not,
        it is the median distance between their planes, or a voxel where there is but one.
    name
        What the mask is called.

    Returns
    -------
    xarray.DataArray
        bool, on the grid of `volume`. Nothing of contours beyond it.

    Raises
    ------
    GeometryError
        A contour lies in no one plane, or contours are not parallel; the message says by how much.
    DicomLabError
        What was given are no contours; a rule that does not exist; a thickness that is none.

    Notes
    -----
    Contours stand for slabs, as in planning systems: between two planes the nearer one holds, and the halves meet (without
    `thickness`, up to one and a half times the usual distance, so that a plane left out stays empty). A voxel in a slab is
    looked at along the normal of the contours. A centre on an edge is inside where the contour's inside lies towards rising
    column positions of the volume (in mm; on an edge that runs along these, rising row positions), within a millionth of a mm;
    a face of a slab belongs to what lies above it. So contours that share an edge share no voxel, and leave none between.

    Examples
    --------
    >>> import numpy as np
    >>> from dicomlab import make_volume
    >>> ct = make_volume(np.zeros((3, 9, 9)), affine=np.diag([5.0, 1.0, 1.0, 1.0])[[2, 1, 0, 3]])
    >>> square = np.array([[-1, -1, 0], [1, -1, 0], [1, 1, 0], [-1, 1, 0]])
    >>> ring = from_contours(ct, [3.5 * square + [4, 4, 5], 1.5 * square + [4, 4, 5]])
    >>> ring.values.sum(axis=(1, 2)).tolist()           # 7 x 7 without 3 x 3
    [0, 40, 0]
    """
    geometry = Geometry.from_volume(volume)
    outlines = Outlines.of(_listed(contours))
    thick = None if thickness is None else _thick(thickness, outlines, contours)
    return _as_mask(volume, fill_outlines(geometry, outlines, rule, thick), name)


def _listed(contours: Any) -> list[Any]:
    if isinstance(contours, (str, bytes)) or not isinstance(contours, Iterable):
        raise DicomLabError(f"contours are a list of arrays of shape (n, 3); found {type(contours).__name__}")
    if isinstance(contours, np.ndarray) and contours.ndim == 2:
        raise DicomLabError("contours are a list of arrays of shape (n, 3); found one array: [contour]")
    if isinstance(contours, dict):
        raise DicomLabError(
            f"the contours of one structure are a list; found those of several by name: contours[{next(iter(contours), '')!r}]"
        )
    return list(contours)


def _thick(thickness: Any, outlines: Outlines, contours: Any) -> FloatArray:
    given = np.asarray(thickness, dtype=np.float64)
    if not (np.isfinite(given) & (given > 0)).all() or given.shape not in ((), (len(contours),)):
        raise DicomLabError(
            f"thickness= is mm, more than 0, one number or one for each of the {len(contours)} contours; found {thickness!r}"
        )
    return np.full(len(outlines), given) if not given.ndim else given[outlines.numbers]


def fill_outlines(
    geometry: Geometry, outlines: Outlines, rule: Rule = "evenodd", thickness: FloatArray | None = None
) -> Bools:
    """As `from_contours`: shape ``(slice, row, column)``; one thickness for each outline."""
    if rule not in ("evenodd", "union"):
        raise DicomLabError(f"rule= is 'evenodd' or 'union'; found {rule!r}")
    if not len(outlines) or 0 in geometry.shape:
        return np.zeros(geometry.shape, bool)
    planes = Planes.of(outlines, geometry)
    return _filled(geometry, outlines, planes, slabs_of(outlines, planes, geometry, thickness), rule)


def _filled(
    geometry: Geometry, outlines: Outlines, planes: Planes, slabs: Iterable[Slab], rule: Rule
) -> Bools:
    sweep = Sweep.of(geometry, planes)
    shape = [n for k, n in enumerate(geometry.shape) if k != sweep.axis]
    made = np.zeros((shape[0] * shape[1], geometry.shape[sweep.axis]), bool)
    for slab in slabs:
        lines = sweep.lines(slab)
        if not lines.number.size:
            continue
        polygons = [outlines.one(k) @ sweep.across.T for k in slab.contours.tolist()]
        for group in [polygons] if rule == "evenodd" else [[one] for one in polygons]:
            fill(made, sweep.x, lines, group)
    if not np.array_equal(sweep.order, np.arange(sweep.order.size)):
        made = made[:, np.argsort(sweep.order)]
    found: Bools = np.moveaxis(made.reshape(*shape, -1), 2, sweep.axis)
    return np.ascontiguousarray(found)


def _as_mask(volume: xr.DataArray, values: Bools, name: str | None) -> xr.DataArray:
    """On the grid of a volume, with those of slice, row and column that it has, in its order."""
    here = volume.isel({dim: 0 for dim in volume.dims if dim not in AXES}, drop=True)
    picked = values[tuple(slice(None) if axis in here.dims else 0 for axis in AXES)]
    had = [axis for axis in AXES if axis in here.dims]
    return mask_like(here, picked.transpose([had.index(str(dim)) for dim in here.dims]), name=name)


def to_contours(mask: xr.DataArray, *, holes: Holes = "xor") -> dict[str, list[FloatArray]]:
    """Closed planar contours around each label of a mask, along the edges of its pixels, slice by slice.

    `from_contours` makes exactly the mask of them again, on its grid; their areas are those of the pixels. None crosses itself.

    Parameters
    ----------
    mask
        Any mask without further axes; fractions count from 0.5 on. Slices may be uneven, tilted or oblique.
    holes
        ``"xor"``: a hole is a contour of its own, in the other turn. ``"keyhole"``: it is joined to the border around it by a
        cut without width, so that each piece is one contour.

    Returns
    -------
    dict of str to list of numpy.ndarray
        By the name of each label: arrays of shape ``(n, 3)``, LPS mm, in the order of slices. Only corners at which a border
        turns; the first is not repeated. A label without voxels has none.

    Raises
    ------
    GeometryError
        Rows or columns neither rise nor fall, the size of a lone pixel is not known, or two slices lie at one position.
    DicomLabError
        No mask, one with further axes, or two labels of one name.

    Examples
    --------
    >>> import numpy as np
    >>> from dicomlab import make_volume
    >>> from dicomlab.masks import mask_like
    >>> ct = make_volume(np.zeros((2, 3, 3)), affine=np.diag([5.0, 1.0, 1.0, 1.0])[[2, 1, 0, 3]])
    >>> dot = mask_like(ct, np.arange(18).reshape(2, 3, 3) == 13, name="dot")
    >>> to_contours(dot)
    {'dot': [array([[0.5, 0.5, 5. ],
           [1.5, 0.5, 5. ],
           [1.5, 1.5, 5. ],
           [0.5, 1.5, 5. ]])]}
    """
    found: dict[str, list[FloatArray]] = {}
    for label, traced in borders_of(mask, holes):
        if label.name in found:
            raise DicomLabError(
                f"two labels are called {label.name!r}; mask.dicom.with_labels gives them names that tell them apart"
            )
        found[label.name] = [points for _, points in traced]
    return found


def borders_of(mask: xr.DataArray, holes: Holes) -> Iterator[tuple[Any, Iterator[tuple[int, FloatArray]]]]:
    """Each label, and its contours as `to_contours` makes them, with the slice of each."""
    check_mask(mask)
    if holes not in ("xor", "keyhole"):
        raise DicomLabError(f"holes= is 'xor' or 'keyhole'; found {holes!r}")
    if further := [str(dim) for dim in mask.dims if dim not in (*AXES, "segment")]:
        raise DicomLabError(
            f"contours lie in space alone; this mask has {', '.join(further)}, too. Pick one: mask.isel({further[0]}=0)"
        )
    geometry = Geometry.from_volume(mask)
    edges = [_edges(geometry, axis) for axis in (1, 2)]
    levels, times = np.unique(geometry.slice, return_counts=True)
    if (times > 1).any() or not np.isfinite(levels).all():
        raise GeometryError(
            "two slices of this mask lie at one position, or at none; contours say by their position what they belong to. "
            "Keep one of them: mask.drop_duplicates('slice')"
        )
    for part in parts(mask):
        one = part.mask.expand_dims([axis for axis in AXES if axis not in part.mask.dims]).transpose(*AXES)
        yield part.label, _traced(np.asarray(one.values), geometry, edges, holes)


def _traced(
    values: Bools, geometry: Geometry, edges: Sequence[FloatArray], holes: Holes
) -> Iterator[tuple[int, FloatArray]]:
    for k, plane in enumerate(values):
        rows, columns = np.flatnonzero(plane.any(axis=1)), np.flatnonzero(plane.any(axis=0))
        if not rows.size:
            continue
        some = plane[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        width = some.shape[1] + 1
        every = borders.loops(some)
        for loop in borders.joined(every, width) if holes == "keyhole" else every:
            y, x = np.divmod(borders.thinned(np.array(loop), width), width)
            along = [np.full(y.size, geometry.slice[k]), edges[0][rows[0] + y], edges[1][columns[0] + x]]
            yield k, np.stack(along, axis=1) @ geometry.direction.T


def _edges(geometry: Geometry, axis: int) -> FloatArray:
    """Where pixels end along rows or columns, mm: half way between their centres."""
    name, x, lone = AXES[axis], geometry.positions[axis], geometry.lone_steps[axis]
    if x.size == 1:
        if not np.isfinite(lone) or lone == 0:
            raise GeometryError(
                f"there is only one {name}, and nothing says how large its pixels are along it. mask.isel({name}=[k]) instead "
                "of an integer keeps the step of the mask it is cut from."
            )
        around: FloatArray = x[0] + np.array([-0.5, 0.5]) * lone
        return around
    gaps = np.diff(x)
    if not (np.all(gaps > 0) or np.all(gaps < 0)):
        raise GeometryError(
            f"the {name} positions neither rise nor fall, so nothing says where pixels end. Sort them: mask.sortby({name!r})"
        )
    middle = (x[1:] + x[:-1]) / 2
    return np.concatenate([[x[0] - gaps[0] / 2], middle, [x[-1] + gaps[-1] / 2]])
