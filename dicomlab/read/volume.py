"""From a stack to a volume: `load_volume`, and its lazy twin `open_volume`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from typing import Any, TypeAlias, cast

import numpy as np
import numpy.typing as npt
import xarray as xr

from dicomlab.errors import DicomLabError, FaultError, GeometryError, UnsupportedError
from dicomlab.findings import Choice, Finding, OnFault, check_choices, choose
from dicomlab.geometry import AXES
from dicomlab.read.alike import Headers
from dicomlab.read.arrange import Arrangement
from dicomlab.read.attributes import volume_attrs
from dicomlab.read.axes import Dims
from dicomlab.read.dtypes import check_dtype
from dicomlab.read.faults import rescale_findings, undecodable_finding
from dicomlab.read.filling import Filling
from dicomlab.read.flat_layout import FlatLayout, lay_out_flat
from dicomlab.read.flat_volume import flat_image
from dicomlab.read.images import stored_image
from dicomlab.read.layout import lay_out
from dicomlab.read.lazy import Chunks, check_chunks, in_chunks
from dicomlab.read.modality import Transform, modality_transforms, real_world_names
from dicomlab.read.picking import Source, find_stack
from dicomlab.read.planes import Plane
from dicomlab.read.presentation import presentation_findings
from dicomlab.read.series import Series, SeriesList
from dicomlab.read.stacks import Stack
from dicomlab.volumes import make_volume
from dicomlab.warn import warn_user

__all__ = ["load_volume", "open_volume"]

_TAKES_PIXELS_AWAY = ("truncated_pixel_data", "missing_pixel_data", "undecodable_pixel_data")
_RESAMPLES = {"gantry_tilt", "missing_slice", "uneven_spacing"}
"""Faults that are repaired on a new grid."""

_SEGMENTATIONS = ("1.2.840.10008.5.1.4.1.1.66.4", "1.2.840.10008.5.1.4.1.1.66.7")
"""Segmentation Storage and Label Map Segmentation Storage."""

Kept: TypeAlias = "list[tuple[Finding, Choice]]"


@dataclass(frozen=True)
class _Asked:
    """How the user wants a volume; `resampled`: whether it may be put on a new grid."""

    dims: Dims
    values: str | None
    on_fault: OnFault
    dtype: np.dtype[Any] | None
    progress: bool
    lazy: bool = False
    resampled: bool = True


def load_volume(
    source: Source,
    *,
    dims: Dims = "auto",
    values: str | None = None,
    on_fault: OnFault = None,
    dtype: npt.DTypeLike | None = None,
    progress: bool = True,
) -> xr.DataArray:
    """Volume in real units, every voxel at its patient position.

    Parameters
    ----------
    source
        A folder, file, zip archive, DICOMDIR or list of files that hold **one** series; or a `Series` or one of its `stacks`.
    dims
        What separates several images at one position: ``"auto"`` finds it (time, b-value, echo time …); or names of such axes
        and keywords of attributes, such as ``["echo_time", "AcquisitionNumber"]``, outermost first.
    values
        None for the real values that the object means; ``"stored"`` for those before rescale; or the label of one of its Real
        World Value Mappings.
    on_fault
        What to do about findings: None takes each code's own default (a fault that would misplace or misvalue a voxel
        raises, others warn); ``"raise"``, ``"keep"`` or ``"repair"`` for all of them; or a mapping of codes to one of these,
        such as ``{"missing_slice": "raise"}``. `dicomlab.findings.CODES` lists them and what each choice means.
    dtype
        None for the smallest dtype that holds every value; or the one to have, such as ``"float32"``: each value is rounded
        once. One that could not hold all that the headers allow is refused. Colour images keep theirs.
    progress
        Show a bar when reading takes longer than a second.

    Returns
    -------
    xarray.DataArray
        Dims ``(…, slice, row, column)``: extra axes come first, labelled with their real values, each with its ``source``
        among the attributes; colour adds ``sample`` at the end. Slices ascend along *n = r x c*. Integers when every
        Rescale Slope and Intercept is one (an ordinary CT is int16 HU), else floats, unless `dtype` says otherwise.
        Coordinates in mm, see `Geometry`; ``attrs`` hold ``units``, the windows of the file and its findings. MONOCHROME1
        never changes a value.

    Raises
    ------
    NotDicomError
        No DICOM image is there.
    AmbiguousSourceError
        Several series, or a series of several stacks: the message lists them.
    DicomLabError
        The dtype could not hold the values, or an argument means nothing.
    UnsupportedError
        The data are sound, but no array can represent them: several images lie at a position and nothing separates them.
    GeometryError
        The images have no patient position.
    FaultError
        A finding stopped loading; its ``findings`` say which files.

    Warns
    -----
    DicomLabWarning
        A finding that is represented exactly, or was repaired.

    References
    ----------
    PS3.3 C.7.6.2 "Image Plane Module", C.7.6.16 "Multi-frame Functional Groups Module", C.11.1 "Modality LUT Module".

    Examples
    --------
    >>> from dicomlab import phantom
    >>> study = phantom.write_study(tmp_path, coarser=4)
    >>> volume = load_volume(study.ct.folder)
    >>> volume.dims, volume.attrs["units"]
    (('slice', 'row', 'column'), 'HU')
    """
    asked = _Asked(dims, values, on_fault, check_dtype(dtype), progress)
    volume, repaired = _volume(source, asked)
    return _regular(volume, repaired)


def open_volume(
    source: Source,
    *,
    dims: Dims = "auto",
    values: str | None = None,
    on_fault: OnFault = None,
    dtype: npt.DTypeLike | None = None,
    chunks: Chunks = None,
    progress: bool = True,
) -> xr.DataArray:
    """The volume that `load_volume` makes, with values that are read when they are looked at.

    Picking a part (``volume.isel(slice=3)``, ``volume.sel(slice=-20, method="nearest")``, ``volume[..., 10:20, 5]``) reads
    nothing; its ``.values`` read the planes that it touches, each once and no other file. Arithmetic reads at once, unless
    `chunks` make it wait. Nothing is kept: the next look reads again, and common operations (``where``, ``rolling``,
    ``to_dataframe``) may look several times. ``.load()`` first where the part fits in memory; values cannot be assigned before.

    Parameters
    ----------
    source, dims, values, on_fault, dtype, progress
        As of `load_volume`.
    chunks
        None for xarray's own lazy indexing, without dask. For dask arrays of whole planes: ``"auto"`` for as many a chunk as
        dask is configured for (128 MiB), ``{}`` for one (or those of one picture, in a mosaic), or sizes such as
        ``{"slice": 16}``; dims not named take one step.

    Returns
    -------
    xarray.DataArray
        As of `load_volume`: dims, coordinates, attributes, dtype and values are the same. It may be pickled, and read on any
        thread and in any process that finds the files.

    Raises
    ------
    DicomLabError
        As `load_volume`. To repair by resampling (``gantry_tilt``, ``missing_slice``, ``uneven_spacing``) takes `chunks`.
        When values are looked at, `FaultError`: an image cannot be decoded, which no header tells; or a file is gone, or has
        changed since the volume was opened.

    Warns
    -----
    DicomLabWarning
        As `load_volume`.

    Examples
    --------
    >>> from dicomlab import phantom
    >>> study = phantom.write_study(tmp_path, coarser=4)
    >>> volume = open_volume(study.ct.folder)
    >>> float(volume.isel(slice=3).mean()) == float(load_volume(study.ct.folder)[3].mean())   # reads one file
    True
    """
    check_chunks(chunks)
    asked = _Asked(
        dims, values, on_fault, check_dtype(dtype), progress, lazy=True, resampled=chunks is not None
    )
    volume, repaired = _volume(source, asked)
    return _regular(in_chunks(volume, chunks), repaired)


def _volume(source: Source, asked: _Asked) -> tuple[xr.DataArray, set[str]]:
    """The volume on the grid of its images, and the codes of what is yet to be repaired on a new grid."""
    on_fault, values = asked.on_fault, asked.values
    check_choices(on_fault)
    stack, series_findings = find_stack(source, on_fault=on_fault, progress=asked.progress)
    kinds = stack.headers.each(lambda header: header.top.text("SOPClassUID"))
    for plane, kind in zip(stack.planes, kinds, strict=True):
        if kind in _SEGMENTATIONS:
            raise UnsupportedError(
                f"{plane.instance.file} is a Segmentation: its frames are masks, not values. "
                "dicomlab.load_segmentation(path, like=volume) reads it (pip install 'dicomlab[seg]')."
            )
    for _, image in stack.images:
        if isinstance(image, DicomLabError):
            raise image
    if stack.flat is not None:
        if asked.dims != "auto":
            raise DicomLabError(
                f"dims={asked.dims!r} was asked for; an image without a place in the patient has the axes of its frames, here "
                f"{', '.join(stack.flat.dims) or 'none'}"
            )
        return _flat_image(stack, stack.flat, series_findings, asked), set()
    if not stack.is_placed:
        return _placeless_image(stack, series_findings, asked), set()
    kept = _act(series_findings, on_fault)
    if any(finding.code == "same_instance_differs" and choice == "repair" for finding, choice in kept):
        stack = stack.first_of_each_instance()
    arrangement, kept = _settle(stack, kept, asked.dims, on_fault)
    transforms = _transforms(arrangement.headers, values)
    if values is None:
        kept += _act(rescale_findings(arrangement.planes, transforms), on_fault)
    planes = arrangement.planes
    frames = [plane.frame + 1 for plane in planes]
    kept += _act(presentation_findings([plane.instance for plane in planes], transforms, frames), on_fault)
    filling = Filling(arrangement, transforms, asked.dtype, stack.images)
    if asked.lazy and isinstance(source, Stack | Series | SeriesList):
        for instance in stack.instances:  # which may have been listed long ago
            instance.file.check()
    array, failures = (filling.lazy(), {}) if asked.lazy else filling.read(asked.progress)
    if failures:
        kept += _act([undecodable_finding(failures)], on_fault)
        rest = stack.without(failures)
        if not rest.planes:
            raise FaultError("no image of this series can be decoded", [undecodable_finding(failures)])
        arrangement, more = _settle(rest, [], asked.dims, on_fault)
        kept += [one for one in more if one not in kept]
        filling = Filling(arrangement, _transforms(arrangement.headers, values), asked.dtype, stack.images)
        array, failures = filling.read(asked.progress)
        if failures:
            raise FaultError("some images could be read once, but not again", [undecodable_finding(failures)])
    repaired = {finding.code for finding, choice in kept if choice == "repair"} & _RESAMPLES
    if repaired and not asked.resampled:
        needed = "" if find_spec("dask") else " after pip install 'dicomlab[dask]'"
        raise DicomLabError(
            f"on_fault repairs {' and '.join(sorted(repaired))} on a new grid, which takes all values or dask: call "
            f"load_volume, or open_volume with chunks={{}}{needed}."
        )
    warn_user(*(finding.explain(choice) for finding, choice in kept))
    volume = make_volume(
        array,
        geometry=stack.geometry_of(arrangement),
        dims=(*(axis.name for axis in arrangement.axes), *AXES, *(("sample",) if filling.is_colour else ())),
        coords=filling.coordinates(),
        name=stack.planes[0].modality.lower() or None,
        attrs=volume_attrs(
            arrangement.planes,
            filling.transforms,
            _told(kept),
            arrangement.shape[-1],
        ),
    )
    if isinstance(array, xr.Variable):
        volume.encoding = array.encoding
    return volume, repaired


def _told(kept: Kept) -> list[Finding]:
    """Findings as a volume carries them: those that were repaired say so."""
    return [
        replace(finding, message=f"{finding.message} (repaired)") if choice == "repair" else finding
        for finding, choice in kept
    ]


def _flat_image(stack: Stack, flat: FlatLayout, findings: Sequence[Finding], asked: _Asked) -> xr.DataArray:
    """The image of a stack that has no place in the patient by its nature."""
    kept = _act([*findings, *stack.findings], asked.on_fault)
    lost = [finding for finding, _ in kept if finding.code in _TAKES_PIXELS_AWAY]
    if lost:
        raise FaultError(f"nothing of this image would be left: {lost[0]}", lost)
    transforms = _transforms(stack.headers, asked.values)
    if not stored_image(stack.instances[0]).is_colour:  # colours have neither rescale nor window
        if asked.values is None:
            kept += _act(rescale_findings(stack.planes, transforms), asked.on_fault)
        objects = [plane.instance for plane in stack.planes]
        frames = [plane.frame + 1 for plane in stack.planes]
        kept += _act(presentation_findings(objects, transforms, frames), asked.on_fault)
    image = flat_image(flat, stack.planes, transforms, _told(kept), dtype=asked.dtype, lazy=asked.lazy)
    warn_user(*(finding.explain(choice) for finding, choice in kept))
    return image


def _placeless_image(stack: Stack, findings: Sequence[Finding], asked: _Asked) -> xr.DataArray:
    """The image of an object that should have a place in the patient and has none, where the user wants it all the same."""
    try:
        lay_out(stack.planes)
    except GeometryError as problem:
        files = tuple(instance.file.name for instance in stack.instances)
        missing = Finding("position_missing", str(problem), files, float(len(stack.planes)), "images")
    else:
        raise DicomLabError(
            f"{stack.instances[0].file}: neither placed nor without a place"
        )  # is_placed forbids it
    if choose(asked.on_fault, missing) != "keep":
        raise GeometryError(missing.explain())
    if len(stack.instances) > 1:
        raise GeometryError(
            f"{missing.explain()} These are {len(stack.instances)} files, and nothing says how they lie to one another: load "
            f"one, for instance {files[0]}"
        )
    return _flat_image(stack, lay_out_flat(stack.instances), [*findings, missing], asked)


def _act(findings: Iterable[Finding], on_fault: OnFault) -> Kept:
    """Raise what the user wants neither kept nor repaired; the rest comes back with what was chosen."""
    chosen = [(finding, choose(on_fault, finding)) for finding in findings]
    stopping = [finding for finding, choice in chosen if choice == "raise"]
    if stopping:
        text = "\n".join(f"  {finding.explain()}" for finding in stopping)
        raise FaultError(f"this series would not load as it is:\n{text}", stopping)
    return chosen


def _settle(stack: Stack, kept: Kept, dims: Dims, on_fault: OnFault) -> tuple[Arrangement, Kept]:
    """The planes to load, and the findings kept, after `on_fault` had its say."""
    kept = kept + _act(stack.findings_of(dims), on_fault)
    useless = [name for finding, _ in kept if finding.code in _TAKES_PIXELS_AWAY for name in finding.files]
    if not useless:
        return stack.arrange(dims), kept
    rest = stack.without(useless)
    if not rest.planes:
        raise FaultError("no file of this series holds a whole image", [finding for finding, _ in kept])
    lost = [one for one in kept if one[0] not in stack.findings or one[0].code in _TAKES_PIXELS_AWAY]
    # What is left may have gaps that the whole series had not.
    more = [f for f in rest.findings_of(dims) if f.code not in _TAKES_PIXELS_AWAY]
    return rest.arrange(dims), lost + _act(more, on_fault)


def _transforms(headers: Headers, values: str | None) -> list[Transform]:
    """What makes the values of each plane; where some stay as they are stored, the volume has no unit."""
    first = next(iter(real_world_names(cast(Plane, headers.members[0]))), "")
    found = modality_transforms(headers, values, first)
    if len({transform.explicit for transform in found}) > 1:
        return [replace(transform, units="") for transform in found]
    return found


def _regular(volume: xr.DataArray, repaired: set[str]) -> xr.DataArray:
    """The volume on a regular grid, where the user asked to repair what makes it irregular."""
    if not repaired:
        return volume
    from dicomlab.regrid import rectify, regularize

    if "gantry_tilt" in repaired:
        volume = rectify(volume)
    if repaired & {"missing_slice", "uneven_spacing"}:
        volume = regularize(volume)
    return volume
