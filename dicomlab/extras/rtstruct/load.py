"""From a file to contours, and to masks on the grid of a volume: `load_contours`, `load_rtstruct`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias, cast

import numpy as np
import numpy.typing as npt
import xarray as xr
from pydicom.dataset import Dataset

from dicomlab.errors import (
    AmbiguousSourceError,
    DicomLabError,
    GeometryError,
    NotDicomError,
    UnsupportedError,
)
from dicomlab.export.place import frame_uid
from dicomlab.extras.rtstruct.parse import RTSTRUCT, parse
from dicomlab.extras.rtstruct.structures import CLOSED, Structure, Structures
from dicomlab.geometry import AXES, Geometry
from dicomlab.masks import SEGMENT, Code, Label, find_term, terms
from dicomlab.masks.form import HIGHEST
from dicomlab.masks.naming import segment_coords
from dicomlab.masks.terms import TISSUE
from dicomlab.read.find import find_series
from dicomlab.read.headers import read_header
from dicomlab.read.identity import shown_text
from dicomlab.read.progress import Progress
from dicomlab.read.series import PathLike, Series
from dicomlab.segment.contours import Rule, fill_outlines
from dicomlab.segment.crossing import count_crossing
from dicomlab.segment.outlines import Outlines, Planes
from dicomlab.segment.slabs import skips_slices
from dicomlab.warn import warn_user

__all__ = ["load_contours", "load_rtstruct"]

FloatArray = npt.NDArray[np.float64]
Source: TypeAlias = "PathLike | Iterable[PathLike] | Series | Dataset | Structures"

_LARGEST = 8 << 30
"""Bytes of masks that are made at most."""


def load_contours(source: Source, *, progress: bool = True) -> Structures:
    """Structures of an RT Structure Set: names, colours, types, and every contour in LPS mm.

    Parameters
    ----------
    source
        A file, folder, zip archive or list of files with **one** structure set, a `Series` of one, or its data set.
    progress
        Show a bar when it takes longer than a second.

    Returns
    -------
    Structures
        A sequence, also by name. What is damaged is told in `Structures.problems` and `Structure.problems`; a contour whose
        numbers cannot be read is left out there.

    Raises
    ------
    NotDicomError, AmbiguousSourceError
        There is no structure set, or more than one.

    References
    ----------
    PS3.3 C.8.8.5 "Structure Set Module", C.8.8.6 "ROI Contour Module", C.8.8.8 "RT ROI Observations Module".
    """
    if isinstance(source, Structures):
        return source
    return parse(source if isinstance(source, Dataset) else _only_set(source, progress), progress)


def _only_set(source: Any, progress: bool) -> Dataset:
    if isinstance(source, Series):
        instances = list(source.instances)
    else:
        instances = [
            one for series in find_series(cast("Any", source), progress=progress) for one in series.instances
        ]
    found = [one for one in instances if one.text("SOPClassUID") == RTSTRUCT]
    if len(found) == 1:
        return read_header(found[0].file)
    if found:
        names = "".join(
            f"\n  {one.file}: {shown_text(one, 'SeriesDescription') or 'no description'}"
            for one in found[:20]
        )
        raise AmbiguousSourceError(
            f"{len(found)} RT Structure Sets are there; one was asked for. Give its file, or its series "
            f"(find_series(path)[k]):{names}"
        )
    kinds = ", ".join(sorted({one.modality or "unknown" for one in instances})) or "no DICOM at all"
    raise NotDicomError(f"no RT Structure Set (RTSTRUCT) is there; found {kinds}. load_volume reads images.")


def load_rtstruct(
    source: Source,
    *,
    like: xr.DataArray,
    rois: Iterable[str | int] | None = None,
    rule: Rule = "evenodd",
    thickness: float | None = None,
    progress: bool = True,
) -> xr.DataArray:
    """Masks of the structures of an RT Structure Set on the grid of a volume.

    Parameters
    ----------
    source
        As for `load_contours`, or what it returned.
    like
        The volume whose grid the masks have: that of the images that were contoured, of a dose, any in the same frame of
        reference. `load_contours` gives the contours themselves, without a grid.
    rois
        ROI Names or Numbers; None takes all that have closed contours, and warns of the others.
    rule
        What contours in one plane make together, as for `dicomlab.segment.from_contours`: ``"evenodd"``, in which a contour
        inside another is a hole, or ``"union"``.
    thickness
        mm that a contour stands for. None: what the file says, as Contour Slab Thickness (3006,0044) or as the distance of
        the planes that it was drawn on (3006,004A). Where it says nothing, contours that lie on slices of `like` fill these
        alone, others reach half the distance between the planes of their structure.
    progress
        Show a bar when it takes longer than a second.

    Returns
    -------
    xarray.DataArray
        bool, dims ``(segment, slice, row, column)``: structures may overlap. Along ``segment``: its ROI Number (1, 2, … where
        those are no numbers for labels), ``label``, ``colour``, codes as in all masks, and ``interpreted_type``. Closed planar
        contours are filled, by the rules of `dicomlab.segment.from_contours`; points and open contours have no inside.

    Raises
    ------
    GeometryError
        `like` is in another frame of reference; or contours are not flat, or not parallel.
    DicomLabError
        There is no such structure; it is damaged; it has points or open contours alone; none has closed contours.
    UnsupportedError
        More than 8 GiB of masks.
    NotDicomError, AmbiguousSourceError
        As for `load_contours`.

    Warns
    -----
    DicomLabWarning
        The set is damaged, its structures are not; structures without closed contours are left out; parts lie outside of
        `like`; contours skip slices, or overlap in part.
    """
    every = load_contours(source, progress=progress)
    geometry = Geometry.from_volume(like)
    warn_user(*every.problems)
    chosen = _chosen(every, rois)
    _check_frames(chosen, geometry)
    size = len(chosen) * int(np.prod(geometry.shape))
    if size > _LARGEST:
        raise UnsupportedError(
            f"{len(chosen)} masks of {geometry.shape} voxels take {size / 2**30:.1f} GiB; rois= takes some of them at a time"
        )
    values = np.zeros((len(chosen), *geometry.shape), bool)
    outside, skipping, crossing = [], [], []
    distance = _usual_distance(every, geometry)
    with Progress(len(chosen), "filling contours", progress, "structure") as bar:
        for k, one in enumerate(chosen):
            outlines = Outlines.of(one.closed)
            thick = _thickness(one, outlines, thickness)
            if len(outlines):
                planes = _planes(one, outlines, geometry)
                if thick is None and skips_slices(planes, geometry):
                    skipping.append(one.name)
                elif thick is None and np.ptp(planes.heights) < 0.01 and not _is_on_slice(planes, geometry):
                    thick = np.full(len(outlines), distance) if np.isfinite(distance) else None
                values[k] = fill_outlines(geometry, outlines, rule, thick)
                if (
                    rule == "evenodd"
                    and "CLOSEDPLANAR_XOR" not in one.kinds
                    and count_crossing(outlines, planes)
                ):
                    crossing.append(one.name)
                if _reaches_out(outlines, geometry):
                    outside.append(one.name)
            bar.step()
    if skipping:
        warn_user(
            f"contours of {_listed(skipping)} lie on every second slice of like=, or fewer, and fill only these: the file does "
            "not say how thick they are. thickness= (mm) says it."
        )
    if crossing:
        warn_user(
            f"contours of {_listed(crossing)} overlap in part, or are there twice: what lies in two of them is left out, as "
            "of a hole. rule='union' takes it in."
        )
    if outside:
        warn_user(f"parts of {_listed(outside)} lie outside of like= and are left out")
    return _as_mask(like, geometry, values, chosen, every)


def _chosen(every: Structures, rois: Iterable[str | int] | None) -> list[Structure]:
    if rois is None:
        chosen = [one for one in every if one.closed or one.problems]
        if not chosen:
            raise DicomLabError(f"no structure has closed contours, so there is nothing to fill: {every!r}")
        if left := [one.name for one in every if one not in chosen]:
            warn_user(
                f"structures without closed contours are left out: {_listed(left)}; load_contours shows what they have"
            )
    else:
        chosen = every.pick(rois)
        if not chosen or len({id(one) for one in chosen}) < len(chosen):
            raise DicomLabError(f"rois= names structures, each once; found {len(chosen)}")
        for one in chosen:
            if one.contours and not one.closed:
                raise DicomLabError(
                    f"{one.name!r} has {_listed(list(one.kinds))} alone, which have no inside: load_contours gives them"
                )
    for one in chosen:
        if one.problems:
            raise DicomLabError(
                f"{one.name!r} is damaged: {'; '.join(one.problems)}. A mask of it would be wrong somewhere; rois= loads "
                f"others, load_contours(…)[{one.name!r}].closed has what could be read"
            )
    return chosen


def _check_frames(chosen: Sequence[Structure], geometry: Geometry) -> None:
    for one in chosen:
        if one.frame_of_reference in (geometry.frame_of_reference, frame_uid(geometry.frame_of_reference)):
            continue
        if not one.frame_of_reference:
            raise GeometryError(
                f"nothing in the file says in which frame of reference {one.name!r} lies. If it was drawn on these images, "
                f"fill it yourself: dicomlab.segment.from_contours(volume, load_contours(…)[{one.name!r}].closed)"
            )
        raise GeometryError(
            f"{one.name!r} is in the frame of reference {one.frame_of_reference}, like= in {geometry.frame_of_reference}: "
            "their millimetres mean different places. Register the images, then like=volume.dicom.transform(matrix, to=uid); "
            f"or, if you know that both are one, like=volume.dicom.assume_frame({one.frame_of_reference!r})"
        )


def _thickness(one: Structure, outlines: Outlines, thickness: float | None) -> FloatArray | None:
    if thickness is not None:
        if not np.isfinite(thickness) or thickness <= 0:
            raise DicomLabError(f"thickness= is mm, more than 0; found {thickness!r}")
        return np.full(len(outlines), float(thickness))
    told = np.array([contour.thickness for contour in one.contours if contour.kind in CLOSED])
    return told[outlines.numbers] if len(told) and np.isfinite(told).all() else None


def _planes(one: Structure, outlines: Outlines, geometry: Geometry) -> Planes:
    try:
        return Planes.of(outlines, geometry)
    except GeometryError as problem:
        raise GeometryError(f"{one.name!r} cannot be filled: {problem}") from problem


def _usual_distance(every: Structures, geometry: Geometry) -> float:
    """Distance between the planes of all structures that lie along the slices; NaN where there are no two."""
    normal = np.cross(geometry.direction[:, 2], geometry.direction[:, 1])
    heights = np.unique([round(float(points[0] @ normal), 2) for one in every for points in one.closed])
    return float(np.median(np.diff(heights))) if heights.size > 1 else float("nan")


def _is_on_slice(planes: Planes, geometry: Geometry) -> bool:
    return planes.are_slices and bool(np.abs(geometry.slice - planes.heights[0]).min() < 0.01)


def _reaches_out(outlines: Outlines, geometry: Geometry) -> bool:
    """Whether a point lies beyond the faces of a volume, by more than a hundredth of a voxel."""
    along = outlines.points @ np.linalg.inv(geometry.direction).T
    for mm, x, lone in zip(along.T, geometry.positions, geometry.lone_steps, strict=True):
        levels = np.unique(x)
        gaps = np.diff(levels) if levels.size > 1 else np.array([abs(lone)])
        if not np.isfinite(gaps).all():
            continue
        if mm.min() < levels[0] - 0.51 * gaps[0] or mm.max() > levels[-1] + 0.51 * gaps[-1]:
            return True
    return False


def _as_mask(
    like: xr.DataArray,
    geometry: Geometry,
    values: npt.NDArray[np.bool_],
    chosen: Sequence[Structure],
    every: Structures,
) -> xr.DataArray:
    numbers = [one.number for one in chosen]
    if not all(0 < number <= HIGHEST for number in numbers) or len(set(numbers)) < len(numbers):
        numbers = list(range(1, len(chosen) + 1))
    attrs = {"units": "", "Modality": "RTSTRUCT"}
    if every.description:
        attrs["SeriesDescription"] = every.description
    made = xr.DataArray(
        values, dims=(SEGMENT, *AXES), coords=geometry.coordinates(), name="segmentation", attrs=attrs
    )
    labels = [_label(number, one) for number, one in zip(numbers, chosen, strict=True)]
    types = np.array([one.interpreted_type for one in chosen], dtype=str)
    made = made.assign_coords({**segment_coords(labels), "interpreted_type": (SEGMENT, types)})
    return made.isel({axis: 0 for axis in AXES if axis not in like.dims})


def _label(number: int, one: Structure) -> Label:
    own = find_term(one.name)
    if one.code is None or (own is not None and own.type.value == one.code.value):
        return Label(number, one.name, one.colour)
    return Label(number, one.name, one.colour, _category(one, one.code), one.code)


def _category(one: Structure, code: Code) -> Code:
    """What kind of thing has this code: the file does not say, the short list of terms may."""
    for term in terms().values():
        if (term.type.value, term.type.scheme) == (code.value, code.scheme):
            return term.category
    alike = {"ORGAN": "liver", "EXTERNAL": "body", "GTV": "lesion"}.get(one.interpreted_type)
    known = find_term(alike) if alike else None
    return TISSUE.category if known is None else known.category


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")
