"""From a stack to a volume: `load_volume`."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeAlias, cast

import numpy as np
import numpy.typing as npt
import xarray as xr

from dicomlab.errors import (
    AmbiguousSourceError,
    DicomLabError,
    DicomLabWarning,
    FaultError,
    NotDicomError,
    UnsupportedError,
)
from dicomlab.findings import Finding, OnFault, check_choices, choose
from dicomlab.geometry import make_volume
from dicomlab.read.attributes import volume_attrs
from dicomlab.read.elements import WARNINGS_LOCK
from dicomlab.read.headers import Instance
from dicomlab.read.pixels import (
    Transform,
    modality_transform,
    value_dtype,
)
from dicomlab.read.series import PathLike, Series, SeriesList, find_series, progress_bar
from dicomlab.read.stacks import Stack
from dicomlab.read.stored import StoredImage, stored_image

__all__ = ["Source", "find_stack", "load_volume"]

Source: TypeAlias = "PathLike | Series | Stack | SeriesList | Iterable[PathLike]"

_TAKES_PIXELS_AWAY = ("truncated_pixel_data", "missing_pixel_data")


def load_volume(source: Source, *, on_fault: OnFault = None, progress: bool = True) -> xr.DataArray:
    """Volume in real units, every voxel at its patient position.

    Parameters
    ----------
    source
        A folder, file, zip archive or list of files that hold **one** series; or a `Series` or one of its `stacks`.
    on_fault
        What to do about findings: None takes each code's own default (a fault that would misplace or misvalue a voxel
        raises, others warn); ``"raise"`` or ``"keep"`` for all of them; or a mapping of codes to either, such as
        ``{"missing_slice": "raise"}``. `dicomlab.findings.CODES` lists them.
    progress
        Show a bar when reading takes longer than a second.

    Returns
    -------
    xarray.DataArray
        Dims ``(slice, row, column)``; slices ascending along *n = r x c*. Integers when every Rescale Slope and Intercept is
        one (an ordinary CT is int16 HU), else float32. Coordinates in mm, see `dicomlab.geometry.Geometry`; ``attrs`` hold
        ``units``, the windows of the file and its findings. MONOCHROME1 never changes a value.

    Raises
    ------
    NotDicomError
        No DICOM image is there.
    AmbiguousSourceError
        Several series, or a series of several stacks: the message lists them.
    UnsupportedError
        The data are sound, but no volume can represent them yet (multi-frame, compressed, several images at a position).
    GeometryError
        The images have no patient position.
    FaultError
        A finding stopped loading; its ``findings`` say which files.

    Warns
    -----
    DicomLabWarning
        A finding that is represented exactly.

    References
    ----------
    PS3.3 C.7.6.2 "Image Plane Module", C.11.1 "Modality LUT Module".

    Examples
    --------
    >>> from dicomlab import phantom
    >>> study = phantom.write_study(tmp_path, coarser=4)
    >>> volume = load_volume(study.ct.folder)
    >>> volume.dims, volume.attrs["units"]
    (('slice', 'row', 'column'), 'HU')
    """
    check_choices(on_fault)
    stack, other_findings = find_stack(source, progress=progress)
    for instance in stack.instances:
        _check_is_slice(instance)
    stack, kept = _settle(stack, other_findings, on_fault)
    geometry = stack.geometry
    transforms = [modality_transform(instance) for instance in stack.instances]
    kept += _act(_rescale_findings(stack.instances, transforms), on_fault)
    _check_one_unit(stack.instances, transforms)
    values = _read_values(stack.instances, transforms, progress)
    with WARNINGS_LOCK:  # another thread that silences pydicom would silence these too
        for finding in kept:
            warnings.warn(finding.explain(kept=True), DicomLabWarning, stacklevel=2)
    attrs = volume_attrs(stack.instances, transforms, kept)
    return make_volume(
        values, geometry=geometry, name=stack.instances[0].modality.lower() or None, attrs=attrs
    )


def _check_is_slice(instance: Instance) -> StoredImage:
    """Refuse what is no plain grey slice."""
    reason = ""
    groups = ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence")
    kinds = [kind for kind in ("MOSAIC", "VFRAME") if kind in instance.texts("ImageType")]
    if instance.frames > 1 or any(keyword in instance.header for keyword in groups):
        reason = f"a multi-frame object ({instance.frames} frames), not read as a volume yet"
    elif kinds or instance.is_siemens_mosaic:
        reason = f"a mosaic ({kinds or 'Number of Images in Mosaic (0019,100A)'}): many slices tiled into one picture, not read yet"
    elif stored_image(instance).is_colour:
        reason = f"a colour image ({instance.text('PhotometricInterpretation')}), not read as a volume yet"
    if reason:
        raise UnsupportedError(f"{instance.file}: {reason}")
    return stored_image(instance)


def find_stack(source: Source, *, progress: bool = True) -> tuple[Stack, tuple[Finding, ...]]:
    """The one stack that `source` means, and findings of its series as a whole.

    Raises
    ------
    AmbiguousSourceError, NotDicomError, UnsupportedError
        As `load_volume`.
    """
    if isinstance(source, Stack):
        return source, source.series_findings
    if isinstance(source, Series):
        return _only_stack(source), source.extra_findings
    if isinstance(source, SeriesList):
        return find_stack(_only_series(source))
    if not isinstance(source, (str, os.PathLike)) and not _is_paths(source):
        raise DicomLabError(
            f"load_volume takes a path, several paths, a Series or a Stack; found {type(source).__name__}"
        )
    return find_stack(_only_series(find_series(cast("Any", source), progress=progress)))


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


def _only_stack(series: Series) -> Stack:
    if len(series.stacks) == 1:
        return series.stacks[0]
    if not series.stacks:
        raise NotDicomError(
            f"the series {series.description!r} ({series.modality}) holds no image; header_table shows what it is."
        )
    listing = "\n".join(f"  stacks[{k}]: {repr(stack).strip('<>')}" for k, stack in enumerate(series.stacks))
    raise AmbiguousSourceError(
        f"the series {series.description!r} holds {len(series.stacks)} stacks that differ in orientation, size, spacing or "
        f"frame of reference, and are never mixed into one array:\n{listing}\n"
        "Load the one you mean, for instance load_volume(series.stacks[0])."
    )


def _act(findings: Iterable[Finding], on_fault: OnFault) -> list[Finding]:
    """Raise what the user does not want kept; the rest comes back."""
    kept: list[Finding] = []
    stopping: list[Finding] = []
    for finding in findings:
        (kept if choose(on_fault, finding) == "keep" else stopping).append(finding)
    if stopping:
        text = "\n".join(f"  {finding.explain()}" for finding in stopping)
        raise FaultError(f"this series would not load as it is:\n{text}", stopping)
    return kept


def _settle(stack: Stack, others: Sequence[Finding], on_fault: OnFault) -> tuple[Stack, list[Finding]]:
    """The stack to load, and the findings kept, after `on_fault` had its say."""
    kept = _act([*others, *stack.findings], on_fault)
    useless = [name for finding in kept if finding.code in _TAKES_PIXELS_AWAY for name in finding.files]
    if not useless:
        return stack, kept
    rest = stack.without(useless)
    if not rest.instances:
        raise FaultError("no file of this series holds a whole image", kept)
    lost = [finding for finding in kept if finding in others or finding.code in _TAKES_PIXELS_AWAY]
    # What is left may have gaps that the whole series had not.
    return rest, lost + _act([f for f in rest.findings if f.code not in _TAKES_PIXELS_AWAY], on_fault)


def _rescale_findings(instances: Sequence[Instance], transforms: Sequence[Transform]) -> Iterable[Finding]:
    lacking = tuple(i.file.name for i, t in zip(instances, transforms, strict=True) if not t.explicit)
    if not lacking:
        return
    attributes = "Rescale Slope (0028,1053) and Intercept (0028,1052)"
    if any(t.explicit and not t.is_identity for t in transforms):
        yield Finding(
            "rescale_inconsistent",
            f"{len(lacking)} of {len(instances)} images lack {attributes}, which change the values of the others",
            lacking,
            float(len(lacking)),
            "slices",
        )
    elif instances[0].modality in ("CT", "PT"):
        wanted = "Hounsfield units" if instances[0].modality == "CT" else "an activity concentration"
        yield Finding(
            "rescale_missing",
            f"a {instances[0].modality} without {attributes}: stored values, perhaps not {wanted}",
            lacking,
        )


def _check_one_unit(instances: Sequence[Instance], transforms: Sequence[Transform]) -> None:
    units = sorted({transform.units for transform in transforms})
    if len(units) > 1:
        raise UnsupportedError(
            f"the images of this series have different units ({', '.join(unit or 'none' for unit in units)}, for instance "
            f"{instances[0].file}); one volume has one unit."
        )


def _read_values(
    instances: Sequence[Instance], transforms: Sequence[Transform], progress: bool
) -> npt.NDArray[Any]:
    first = instances[0]
    shape = (len(instances), first.integer("Rows", 0), first.integer("Columns", 0))
    # The headers were checked against the lengths of the files: this allocation is backed by bytes that exist.
    values = np.empty(shape, value_dtype(list(instances), list(transforms)))
    images = [stored_image(instance) for instance in instances]

    def read(k: int) -> None:
        transforms[k].apply(images[k].read(), values[k])

    # Two threads: one file is read while another is unpacked.
    with ThreadPoolExecutor(2) as pool:
        jobs = [pool.submit(read, k) for k in range(len(instances))]
        try:
            for job in progress_bar(jobs, "reading slices", progress):
                job.result()
        except BaseException:
            for job in jobs:
                job.cancel()
            raise
    return values
