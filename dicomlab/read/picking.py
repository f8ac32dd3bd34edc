"""From what a user names to the one stack that is meant, or the list to choose from: `find_stack`."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any, TypeAlias, cast

from dicomlab.errors import AmbiguousSourceError, DicomLabError, NotDicomError
from dicomlab.findings import CODES, Finding, OnFault, choose
from dicomlab.read.find import find_series
from dicomlab.read.series import PathLike, Series, SeriesList
from dicomlab.read.stacks import Stack

__all__ = ["Source", "find_stack"]

Source: TypeAlias = "PathLike | Series | Stack | SeriesList | Iterable[PathLike]"

_LARGEST_ONLY = CODES["localizer_inside"].repair


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
            f"a source is a path, several paths, a Series or a Stack; found {type(source).__name__}"
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
            f"{len(images)} series of images in {series.source}; a volume is made of one. Pick it:\n{listing}\n"
            "  series = dicomlab.find_series(path), and series[0], for instance, in place of the path"
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
        "Give the one you mean in place of the series, for instance series.stacks[0]."
    )
