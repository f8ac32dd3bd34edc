"""Whether the files of a series are still what they were."""

from __future__ import annotations

import hashlib
import os
from dataclasses import replace
from typing import Any

from dicomlab.cohort.work import Source
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
        if (status.st_size, status.st_mtime_ns) != file.state[:2]:
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
    """The same source for another process or machine: nothing worked out yet."""
    for instance in source.instances:
        header: Any = instance.header
        if getattr(header, "buffer", None) is not None:
            # pydicom holds on to the stream of a member of an archive, which is closed, and cannot be pickled.
            header.buffer = None
    return replace(source)
