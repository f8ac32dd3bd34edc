"""From a stack to a volume: `load_volume`."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, TypeAlias, cast

import xarray as xr

from dicomlab.errors import (
    AmbiguousSourceError,
    DicomLabError,
    DicomLabWarning,
    FaultError,
    GeometryError,
    NotDicomError,
    UnsupportedError,
)
from dicomlab.findings import CODES, Choice, Finding, OnFault, check_choices, choose
from dicomlab.geometry import AXES
from dicomlab.read.alike import Headers
from dicomlab.read.arrange import Arrangement
from dicomlab.read.attributes import volume_attrs
from dicomlab.read.axes import Dims
from dicomlab.read.faults import rescale_findings, undecodable_finding
from dicomlab.read.filling import Filling
from dicomlab.read.flat_layout import FlatLayout, lay_out_flat
from dicomlab.read.flat_volume import load_flat
from dicomlab.read.layout import lay_out
from dicomlab.read.modality import Transform, modality_transforms, real_world_names
from dicomlab.read.planes import Plane
from dicomlab.read.presentation import presentation_findings
from dicomlab.read.quiet import WARNINGS_LOCK
from dicomlab.read.series import PathLike, Series, SeriesList, find_series
from dicomlab.read.stacks import Stack
from dicomlab.read.stored import stored_image
from dicomlab.volumes import make_volume

__all__ = ["Source", "find_stack", "load_volume"]

Source: TypeAlias = "PathLike | Series | Stack | SeriesList | Iterable[PathLike]"

_TAKES_PIXELS_AWAY = ("truncated_pixel_data", "missing_pixel_data", "undecodable_pixel_data")

_SEGMENTATIONS = ("1.2.840.10008.5.1.4.1.1.66.4", "1.2.840.10008.5.1.4.1.1.66.7")
"""Segmentation Storage and Label Map Segmentation Storage."""

Kept: TypeAlias = "list[tuple[Finding, Choice]]"


def load_volume(
    source: Source,
    *,
    dims: Dims = "auto",
    values: str | None = None,
    on_fault: OnFault = None,
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
    progress
        Show a bar when reading takes longer than a second.

    Returns
    -------
    xarray.DataArray
        Dims ``(…, slice, row, column)``: extra axes come first, labelled with their real values, each with its ``source``
        among the attributes; colour adds ``sample`` at the end. Slices ascend along *n = r x c*. Integers when every
        Rescale Slope and Intercept is one (an ordinary CT is int16 HU), else floats. Coordinates in mm, see `Geometry`;
        ``attrs`` hold ``units``, the windows of the file and its findings. MONOCHROME1 never changes a value.

    Raises
    ------
    NotDicomError
        No DICOM image is there.
    AmbiguousSourceError
        Several series, or a series of several stacks: the message lists them.
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
    check_choices(on_fault)
    stack, series_findings = find_stack(source, on_fault=on_fault, progress=progress)
    for (instance, image), kind in zip(
        stack.images, Headers(stack.instances).texts("SOPClassUID"), strict=True
    ):
        if kind in _SEGMENTATIONS:
            raise UnsupportedError(
                f"{instance.file} is a Segmentation: its frames are masks, not values. "
                "dicomlab.load_segmentation(path, like=volume) reads it (pip install 'dicomlab[seg]')."
            )
        if isinstance(image, DicomLabError):
            raise image
    if stack.flat is not None:
        if dims != "auto":
            raise DicomLabError(
                f"dims={dims!r} was asked for; an image without a place in the patient has the axes of its frames, here "
                f"{', '.join(stack.flat.dims) or 'none'}"
            )
        return _flat_image(stack, stack.flat, series_findings, values, on_fault)
    if not stack.is_placed:
        return _placeless_image(stack, series_findings, values, on_fault)
    kept = _act(series_findings, on_fault)
    if any(finding.code == "same_instance_differs" and choice == "repair" for finding, choice in kept):
        stack = stack.first_of_each_instance()
    arrangement, kept = _settle(stack, kept, dims, on_fault)
    transforms = _transforms(arrangement.planes, values)
    if values is None:
        kept += _act(rescale_findings(arrangement.planes, transforms), on_fault)
    planes = arrangement.planes
    frames = [plane.frame + 1 for plane in planes]
    kept += _act(presentation_findings([plane.instance for plane in planes], transforms, frames), on_fault)
    array = Filling(arrangement, transforms)
    failures = array.read(progress)
    if failures:
        kept += _act([undecodable_finding(failures)], on_fault)
        rest = stack.without(failures)
        if not rest.planes:
            raise FaultError("no image of this series can be decoded", [undecodable_finding(failures)])
        arrangement, more = _settle(rest, [], dims, on_fault)
        kept += [one for one in more if one not in kept]
        array = Filling(arrangement, _transforms(arrangement.planes, values))
        failures = array.read(progress)
        if failures:
            raise FaultError("some images could be read once, but not again", [undecodable_finding(failures)])
    _warn(kept, 3)
    volume = make_volume(
        array.values,
        geometry=stack.geometry_of(arrangement),
        dims=(*(axis.name for axis in arrangement.axes), *AXES, *(("sample",) if array.is_colour else ())),
        coords=array.coordinates(),
        name=stack.planes[0].modality.lower() or None,
        attrs=volume_attrs(
            arrangement.planes,
            array.transforms,
            _told(kept),
            arrangement.shape[-1],
        ),
    )
    return _regular(volume, {finding.code for finding, choice in kept if choice == "repair"})


def _told(kept: Kept) -> list[Finding]:
    """Findings as a volume carries them: those that were repaired say so."""
    return [
        replace(finding, message=f"{finding.message} (repaired)") if choice == "repair" else finding
        for finding, choice in kept
    ]


def _warn(kept: Kept, depth: int) -> None:
    with WARNINGS_LOCK:  # another thread that silences pydicom would silence these too
        for finding, choice in kept:
            warnings.warn(finding.explain(choice), DicomLabWarning, stacklevel=depth)


def _flat_image(
    stack: Stack,
    flat: FlatLayout,
    findings: Sequence[Finding],
    values: str | None,
    on_fault: OnFault,
    depth: int = 4,
) -> xr.DataArray:
    """The image of a stack that has no place in the patient by its nature."""
    kept = _act([*findings, *stack.findings], on_fault)
    lost = [finding for finding, _ in kept if finding.code in _TAKES_PIXELS_AWAY]
    if lost:
        raise FaultError(f"nothing of this image would be left: {lost[0]}", lost)
    transforms = _transforms(stack.planes, values)
    if not stored_image(stack.instances[0]).is_colour:  # colours have neither rescale nor window
        if values is None:
            kept += _act(rescale_findings(stack.planes, transforms), on_fault)
        objects = [plane.instance for plane in stack.planes]
        frames = [plane.frame + 1 for plane in stack.planes]
        kept += _act(presentation_findings(objects, transforms, frames), on_fault)
    image = load_flat(flat, stack.planes, transforms, _told(kept))
    _warn(kept, depth)
    return image


def _placeless_image(
    stack: Stack, findings: Sequence[Finding], values: str | None, on_fault: OnFault
) -> xr.DataArray:
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
    if choose(on_fault, missing) != "keep":
        raise GeometryError(missing.explain())
    if len(stack.instances) > 1:
        raise GeometryError(
            f"{missing.explain()} These are {len(stack.instances)} files, and nothing says how they lie to one another: load "
            f"one, for instance {files[0]}"
        )
    return _flat_image(stack, lay_out_flat(stack.instances), [*findings, missing], values, on_fault, 5)


def find_stack(
    source: Source, *, on_fault: OnFault = None, progress: bool = True
) -> tuple[Stack, tuple[Finding, ...]]:
    """The one stack that `source` means, and findings of its series as a whole.

    Raises
    ------
    AmbiguousSourceError, NotDicomError, UnsupportedError
        As `load_volume`.
    """
    if isinstance(source, Stack):
        return source, source.series_findings
    if isinstance(source, Series):
        return _only_stack(source, on_fault)
    if isinstance(source, SeriesList):
        return find_stack(_only_series(source), on_fault=on_fault)
    if not isinstance(source, (str, os.PathLike)) and not _is_paths(source):
        raise DicomLabError(
            f"load_volume takes a path, several paths, a Series or a Stack; found {type(source).__name__}"
        )
    found = find_series(cast("Any", source), progress=progress)
    return find_stack(_only_series(found), on_fault=on_fault)


def _is_paths(source: Any) -> bool:
    return isinstance(source, (list, tuple)) and all(isinstance(item, (str, os.PathLike)) for item in source)


def _only_series(series: SeriesList) -> Series:
    images = [one for one in series if one.stacks]
    if len(images) == 1:
        return images[0]
    if images:
        listing = "\n".join(f"  {line}" for line in repr(series).splitlines()[1:])
        raise AmbiguousSourceError(
            f"{len(images)} series of images in {series.source}; load_volume takes one. Pick it:\n{listing}\n"
            "  series = dicomlab.find_series(path); volume = dicomlab.load_volume(series[0])"
        )
    if len(series):
        kinds = ", ".join(sorted({one.modality or "unknown" for one in series}))
        raise NotDicomError(
            f"{series.source} holds DICOM, but no image (modality {kinds}). header_table shows what it is."
        )
    reasons = [f"{name}: {reason}" for name, reason in list(series.skipped.items())[:5]]
    more = f" and {len(series.skipped) - 5} more" if len(series.skipped) > 5 else ""
    detail = (
        f" Files found and why they were not used: {'; '.join(reasons)}{more}."
        if reasons
        else " It holds no file."
    )
    raise NotDicomError(f"no DICOM in {series.source}.{detail}")


def _only_stack(series: Series, on_fault: OnFault) -> tuple[Stack, tuple[Finding, ...]]:
    if len(series.stacks) == 1:
        return series.stacks[0], series.extra_findings
    if not series.stacks:
        raise NotDicomError(
            f"the series {series.description!r} ({series.modality}) holds no image; header_table shows what it is."
        )
    # What lies beside the volume can be left out when every other stack is such a thing, and the user says so.
    beside = [finding for finding in series.findings if CODES[finding.code].repair == _LARGEST_ONLY]
    explained = {name for finding in beside for name in finding.files}
    others = {plane.name for stack in series.stacks[1:] for plane in stack.planes}
    if beside and others <= explained and all(choose(on_fault, finding) == "repair" for finding in beside):
        return series.stacks[0], (*series.extra_findings, *beside)
    listing = "\n".join(
        f"  stacks[{k}]: {repr(stack).strip('<>')}; {len(stack.instances)} file(s), first {stack.instances[0].file}"
        for k, stack in enumerate(series.stacks[:20])
    )
    told = "".join(f"\n  {finding.explain()}" for finding in beside)
    raise AmbiguousSourceError(
        f"the series {series.description!r} holds {len(series.stacks)} stacks that differ in orientation, size, spacing, "
        f"kind or frame of reference, and are never mixed into one array:\n{listing}{told}\n"
        "Load the one you mean, for instance load_volume(series.stacks[0])."
    )


_LARGEST_ONLY = CODES["localizer_inside"].repair


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


def _transforms(planes: Sequence[Plane], values: str | None) -> list[Transform]:
    """What makes the values of each plane; where some stay as they are stored, the volume has no unit."""
    first = next(iter(real_world_names(planes[0])), "")
    found = modality_transforms(planes, values, first)
    if len({transform.explicit for transform in found}) > 1:
        return [replace(transform, units="") for transform in found]
    return found


def _regular(volume: xr.DataArray, repaired: set[str]) -> xr.DataArray:
    """The volume on a regular grid, where the user asked to repair what makes it irregular."""
    if not repaired & {"gantry_tilt", "missing_slice", "uneven_spacing"}:
        return volume
    from dicomlab.reslice import rectify, regularize

    if "gantry_tilt" in repaired:
        volume = rectify(volume)
    if repaired & {"missing_slice", "uneven_spacing"}:
        volume = regularize(volume)
    return volume
