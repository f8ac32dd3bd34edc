"""Whether the files of a series are still what they were."""

from __future__ import annotations

import hashlib
import os
from dataclasses import replace
from typing import Any

from dicomlab.cohort.work import Source
from dicomlab.read.headers import Instance
from dicomlab.read.series import Series
from dicomlab.read.stacks import Stack

__all__ = ["for_elsewhere", "state_of"]


def state_of(source: Source) -> str | None:
    """A figure that changes when a file does; None where one is gone, or is not what was found.

    It is made of the Series Instance UID, and of each file its name, size, time of the last change (as `make` and `rsync`
    go by) and SOP Instance UID; of a stack, of its images; of what lies beside the series and counts: presentation states and
    files that claim to be one.
    """
    parts: list[object] = [source.uid]
    for instance in source.instances:
        file = instance.file
        try:
            status = os.stat(file.path)
        except OSError:
            return None
        if file.member is None and status.st_size != file.size:
            return None  # the headers, which were read before, may be those of another image
        parts.append(
            (file.name, file.size, status.st_size, status.st_mtime_ns, instance.text("SOPInstanceUID"))
        )
        parts += [(shown.file, str(shown.windows)) for shown in instance.presentations]
    if isinstance(source, Stack):
        parts += [plane.name for plane in source.planes]
        parts += [str(finding) for finding in source.series_findings]
    else:
        parts += [str(finding) for finding in source.extra_findings]
    return hashlib.sha256(repr(parts).encode("utf-8", "surrogatepass")).hexdigest()


def for_elsewhere(source: Source) -> Source:
    """The same source for another process or machine: nothing worked out yet, and paths that do not depend on where one is."""
    for instance in source.instances:
        header: Any = instance.header
        if getattr(header, "buffer", None) is not None:
            # pydicom holds on to the stream of a member of an archive, which is closed, and cannot be pickled.
            header.buffer = None
    if all(os.path.isabs(instance.file.location) for instance in source.instances):
        return replace(source)
    archives: dict[int, Any] = {}
    moved = {id(instance): _absolute(instance, archives) for instance in source.instances}
    if isinstance(source, Series):
        return replace(source, instances=tuple(moved[id(instance)] for instance in source.instances))
    return replace(source, planes=tuple(replace(p, instance=moved[id(p.instance)]) for p in source.planes))


def _absolute(instance: Instance, archives: dict[int, Any]) -> Instance:
    file = instance.file.absolute()
    if file.archive is not None:
        # All members of one share it.
        file.archive = archives.setdefault(id(instance.file.archive), file.archive)
    return Instance(file, instance.header, instance.pixels, instance.transfer_syntax, instance.presentations)
