"""Whether two volumes lie on one grid, and if not, in what they differ: `GridReport`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import xarray as xr

from dicomlab import html
from dicomlab.affine import evenness_tolerance, unevenness
from dicomlab.errors import GeometryError
from dicomlab.frames import BASIS_TOLERANCE
from dicomlab.geometry import AXES, FRAME, Geometry
from dicomlab.indexes import position_tolerance

__all__ = ["Aspect", "GridReport", "compare_grids"]

FloatArray = npt.NDArray[np.float64]

_RESAMPLE = "volume.dicom.resample_like(other)"
_REINDEX = "other.reindex_like(volume); arithmetic meets where both have voxels"
_STRIDES = (
    "volume.dicom.resample_like(other) makes values between; arithmetic takes the positions that both have"
)


@dataclass(frozen=True)
class Aspect:
    """One way in which two grids are alike or not.

    Parameters
    ----------
    name
        ``"frame of reference"``, ``"orientation"``, ``"spacing"`` or ``"positions"``.
    mine, theirs
        What each grid has.
    difference
        How far they are apart, in words; empty when they agree.
    mend
        What brings them together; empty when they agree.
    """

    name: str
    mine: str
    theirs: str
    difference: str = ""
    mend: str = ""


@dataclass(frozen=True)
class GridReport:
    """What two grids have in common; true when they are one, so that voxels may be compared one by one.

    Parameters
    ----------
    aspects
        Frame of reference, orientation, spacing and positions, in this order.
    distance
        The farthest that two voxels of equal index lie apart in mm; NaN where the frames or the shapes differ.

    Examples
    --------
    >>> import numpy as np
    >>> from dicomlab import make_volume
    >>> affine = np.diag([5.0, 0.9, 0.8, 1.0])[[2, 1, 0, 3]]
    >>> volume = make_volume(np.zeros((4, 5, 6)), affine=affine, frame_of_reference="1.2.3")
    >>> bool(volume.dicom.same_grid(volume))
    True
    >>> volume.dicom.same_grid(volume[1:])
    <two grids that differ in positions>
      frame of reference  the same
      orientation         the same
      spacing             the same
      positions           4 × 5 × 6 from (0, 0, 0) mm against 3 × 5 × 6 from (0, 0, 5) mm: slice 4 against 3 (parts of one ...
    """

    aspects: tuple[Aspect, ...]
    distance: float

    def __bool__(self) -> bool:
        return not self.differences

    @property
    def differences(self) -> tuple[Aspect, ...]:
        """The aspects in which the two differ; empty when the grids are one."""
        return tuple(aspect for aspect in self.aspects if aspect.difference)

    def __repr__(self) -> str:
        width = max(len(aspect.name) for aspect in self.aspects)
        return "\n".join([self._title(), *(f"  {a.name:{width}}  {_sentence(a)}" for a in self.aspects)])

    def _title(self) -> str:
        named = ", ".join(aspect.name for aspect in self.differences)
        return f"<two grids that differ in {named}>" if named else "<one grid>"

    def _repr_html_(self) -> str:
        rows = [(a.name, a.mine, a.theirs, a.difference or "the same", a.mend) for a in self.aspects]
        title = html.Markup(f'<div class="title">{html.escape(self._title().strip("<>").capitalize())}</div>')
        headers = ("", "this volume", "the other", "difference", "what brings them together")
        return html.block(title, html.table(headers, rows, ("", "w", "w", "w", "w")))


def _sentence(aspect: Aspect) -> str:
    if not aspect.difference:
        return "the same"
    return f"{aspect.mine} against {aspect.theirs}: {aspect.difference}; {aspect.mend}"


def compare_grids(mine: xr.DataArray, theirs: xr.DataArray | Geometry) -> GridReport:
    """In what two grids differ, by the tolerances of the guards.

    Raises
    ------
    GeometryError
        One of the two is no volume.
    """
    if not isinstance(theirs, (Geometry, xr.DataArray, xr.Dataset)):
        raise GeometryError(
            f"a volume or a Geometry to compare with was asked for; found {type(theirs).__name__}. make_volume gives an array "
            "and its affine the coordinates of a volume."
        )
    here = Geometry.from_volume(mine)
    there = theirs if isinstance(theirs, Geometry) else Geometry.from_volume(theirs)
    frame, orientation = _frame(here, there), _orientation(here, there)
    comparable = not (frame.difference or orientation.difference)
    pairs = list(zip(AXES, here.positions, there.positions, strict=True))
    nested = comparable and all(_on_grid(x, y, _tolerance(x, y)) for _, x, y in pairs)
    mend = _RESAMPLE
    if nested:
        strides = any(abs(a - b) > 1e-3 * min(a, b) for a, b in zip(here.spacing, there.spacing, strict=True))
        mend = _STRIDES if strides else _REINDEX
    distance = _distance(here, there) if not frame.difference else float("nan")
    if comparable:
        positions = _positions(here, there, _apart(pairs, nested), mend)
    elif orientation.difference:
        far = "shapes differ" if np.isnan(distance) else f"voxels of one index up to {distance:.3g} mm apart"
        positions = _positions(here, there, far, mend)
    else:
        positions = _positions(here, there, _apart(pairs, nested), frame.mend)
    return GridReport((frame, orientation, _spacing(here, there, mend), positions), distance)


def _tolerance(x: FloatArray, y: FloatArray) -> float:
    return min(position_tolerance(x), position_tolerance(y))


def _distance(here: Geometry, there: Geometry) -> float:
    """The farthest that two voxels of equal index lie apart, NaN where shapes differ."""
    if here.shape != there.shape or 0 in here.shape:
        return float("nan")
    ends = [_farthest(x, y) for x, y in zip(here.positions, there.positions, strict=True)]
    index = np.stack(np.meshgrid(*ends, indexing="ij"), axis=-1)
    return float(np.max(np.linalg.norm(here.lps(index) - there.lps(index), axis=-1)))


def _farthest(x: FloatArray, y: FloatArray) -> npt.NDArray[np.intp]:
    """Indices among which the largest distance is: the ends of even axes, else all, or 100 of very many."""
    if all(unevenness(axis) <= evenness_tolerance(axis) for axis in (x, y)):
        return np.array([0, x.size - 1])
    return np.unique(np.linspace(0, x.size - 1, min(x.size, 100)).astype(np.intp))


def _frame(here: Geometry, there: Geometry) -> Aspect:
    mine, theirs = here.frame_of_reference, there.frame_of_reference
    name = FRAME.replace("_", " ")
    if mine == theirs:
        return Aspect(name, mine, theirs)
    if any(uid.startswith("unknown:") for uid in (mine, theirs)):
        mend = "if both were made without moving the patient, say so: volume.dicom.assume_frame(other)"
        return Aspect(name, mine, theirs, "one that nobody named equals no other", mend)
    mend = "register them, then volume.dicom.transform(matrix, to=other); or assume_frame(other) if you know that they are one"
    return Aspect(name, mine, theirs, "millimetres mean different places", mend)


def _orientation(here: Geometry, there: Geometry) -> Aspect:
    def words(geometry: Geometry) -> str:
        tilt = f", tilted {geometry.tilt:.2f}°" if geometry.tilt > 0.005 else ""
        return f"{geometry.plane}{tilt}"

    if float(np.max(np.abs(here.direction - there.direction))) <= BASIS_TOLERANCE:
        return Aspect("orientation", words(here), words(there))
    turn = 0.0
    for mine, theirs in zip(here.direction.T, there.direction.T, strict=True):
        cosine = mine @ theirs / np.linalg.norm(mine) / np.linalg.norm(theirs)
        turn = max(turn, float(np.degrees(np.arccos(np.clip(cosine, -1, 1)))))
    return Aspect("orientation", words(here), words(there), f"an axis differs by {turn:.3g}°", _RESAMPLE)


def _spacing(here: Geometry, there: Geometry, mend: str) -> Aspect:
    def words(geometry: Geometry) -> str:
        steps = " × ".join("?" if np.isnan(s) else f"{s:.6g}" for s in geometry.spacing)
        return f"{steps} mm" + ("" if geometry.is_uniform else " (median, uneven)")

    parts = []
    leaning = np.abs(np.linalg.norm(here.direction, axis=0) - np.linalg.norm(there.direction, axis=0))
    for name, mine, theirs, x, y, lean in zip(
        AXES, here.spacing, there.spacing, here.positions, there.positions, leaning, strict=True
    ):
        if x.size == y.size and lean < BASIS_TOLERANCE and not _apart([(name, x, y)], nested=False):
            continue  # the same places, whatever rounding makes of their differences
        # Steps that differ, differ more the more of them there are: what counts is where the last voxel comes to lie.
        apart = abs(mine - theirs) * (max(min(x.size, y.size), 2) - 1)
        if apart > _tolerance(x, y):
            parts.append(f"{name} {mine - theirs:+.3g} mm")
    return Aspect("spacing", words(here), words(there), ", ".join(parts), mend if parts else "")


def _positions(here: Geometry, there: Geometry, difference: str, mend: str) -> Aspect:
    def words(geometry: Geometry) -> str:
        size = " × ".join(str(n) for n in geometry.shape)
        if 0 in geometry.shape:
            return f"{size}, no voxel"
        return f"{size} from ({', '.join(f'{mm:.6g}' for mm in geometry.origin + 0.0)}) mm"

    return Aspect("positions", words(here), words(there), difference, mend if difference else "")


def _apart(pairs: list[tuple[str, FloatArray, FloatArray]], nested: bool) -> str:
    """How far the positions along each axis are apart, as the guards compare them; empty where they agree."""
    parts = []
    for name, x, y in pairs:
        if x.size != y.size:
            parts.append(f"{name} {x.size} against {y.size}")
            continue
        if not x.size or np.max(np.abs(x - y)) <= _tolerance(x, y):
            continue
        if np.max(np.abs(np.sort(x) - np.sort(y))) <= _tolerance(x, y):
            parts.append(f"{name} in another order")
        else:
            parts.append(f"{name} up to {np.max(np.abs(x - y)):.3g} mm apart")
    return ", ".join(parts) + (" (parts of one grid)" if parts and nested else "")


def _on_grid(x: FloatArray, y: FloatArray, tolerance: float) -> bool:
    """Whether the positions of one axis continue those of the other, or are some of them."""
    few, many = sorted((x, y), key=len)
    if few.size == 0 or many.size < 2 or unevenness(many) > evenness_tolerance(many):
        return few.size > 0 and bool(np.isclose(few[:, None], many, rtol=0, atol=tolerance).any(axis=1).all())
    steps = (few - many[0]) / ((many[-1] - many[0]) / (many.size - 1))
    whole = np.abs(steps - np.rint(steps)) * abs(many[1] - many[0]) <= tolerance
    return bool(whole.all())
