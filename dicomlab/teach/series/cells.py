"""What the series explorer says of the images of a series: the grid of each stack, attributes of its cells, findings."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from pydicom.datadict import dictionary_description

from dicomlab.findings import CODES, Finding
from dicomlab.privacy import Identity, without_names
from dicomlab.privacy.words import may_name
from dicomlab.read import Series
from dicomlab.read.alike import Headers
from dicomlab.read.identity import identity_of
from dicomlab.read.labels import all_acquired
from dicomlab.read.stacks import Stack, plane_name
from dicomlab.teach.series.grid import Grid, grid_of
from dicomlab.teach.series.labels import FileNames, rounded, short

__all__ = ["detail_of", "findings_of", "stack_facts"]

_NUMBERS: Final = (
    "AcquisitionNumber",
    "TemporalPositionIdentifier",
    "EchoTime",
    "InversionTime",
    "FlipAngle",
    "TriggerTime",
    "DiffusionBValue",
    "SliceLocation",
    "RescaleSlope",
    "RescaleIntercept",
    "WindowCenter",
    "WindowWidth",
)
_TEXTS: Final = ("ImageType", "ComplexImageComponent", "PhotometricInterpretation")
_MOST_VALUES = 16_000
"""Values of attributes that one stack may have; those that hang on the slice or the step alone count little."""
_MOST_INSTANCES = 200
_MOST_NAMES = 1000


def detail_of(series: Series) -> dict[str, Any]:
    """Everything that is shown of one series."""
    names = FileNames(series.instances)
    grids = [grid_of(stack) for stack in series.stacks]
    return {
        "stacks": [stack_facts(stack, grid, names) for stack, grid in zip(series.stacks, grids, strict=True)],
        "findings": findings_of(series, grids, names),
        "instances": _instances(series, names),
    }


def _instances(series: Series, names: FileNames) -> list[dict[str, Any]]:
    some = series.instances[:_MOST_INSTANCES]
    return [
        {
            "name": names.shown(instance.file.name),
            "number": instance.integer("InstanceNumber", 0),
            "frames": instance.frames,
        }
        for instance in some
    ]


def stack_facts(stack: Stack, grid: Grid, names: FileNames) -> dict[str, Any]:
    """The grid of a stack, as JSON."""
    files = [names.rank[plane.instance.file.name] for plane in grid.planes]
    numbers = [plane.instance.integer("InstanceNumber", 0) for plane in grid.planes]
    rows, columns = stack.size
    return {
        "name": f"{len(stack)} images, {rows} × {columns}, {plane_name(stack)}",
        "heights": rounded(grid.heights),
        "ghosts": np.flatnonzero(grid.ghosts).tolist(),
        "steps": [short(without_names(step, _who(stack, step)), 60) for step in grid.steps],
        "axes": list(grid.axes),
        "row": grid.row.tolist(),
        "column": grid.column.tolist(),
        "file": files,
        "names": names.all(_MOST_NAMES),
        "number": numbers,
        "frame": [plane.frame + 1 for plane in grid.planes] if any(p.frame for p in grid.planes) else None,
        "attributes": _attributes(stack, grid),
        "note": short(names.hide(grid.note, [plane.name for plane in grid.planes]), 600) if grid.note else "",
    }


def _who(stack: Stack, step: str) -> Identity | None:
    """Whom a label might name; numbers with their unit name nobody, and no file is opened for them."""
    return identity_of(stack.instances[0]) if may_name(step) else frozenset()


def _attributes(stack: Stack, grid: Grid) -> list[dict[str, Any]]:
    """Attributes that vary within the stack; each as short as what it hangs on allows."""
    headers, left = stack.headers, _MOST_VALUES
    found: list[dict[str, Any]] = []
    columns: list[tuple[str, list[Any]]] = []
    vectors = headers.vectors("ImagePositionPatient", 3)
    if not np.isnan(vectors).any():
        places = [f"{x:.5g}, {y:.5g}, {z:.5g}" for x, y, z in vectors.tolist()]
        columns.append(("Image Position (Patient)", places))
    for keyword in _NUMBERS:
        values = headers.each(lambda header, keyword=keyword: header.number(keyword))  # type: ignore[misc]
        columns.append((_described(keyword), [None if v is None else rounded([v])[0] for v in values]))
    for keyword in _TEXTS:
        told = headers.texts(keyword)
        hidden = {text: without_names(text, identity_of(stack.instances[0])) for text in set(told)}
        columns.append((_described(keyword), [short(hidden[text], 60) for text in told]))
    columns.append(("Acquisition Time after the first (s)", _after(headers)))
    for name, values in columns:
        if len(set(values)) < 2:
            continue
        for hang, index in (("row", grid.row), ("column", grid.column)):
            by = _hangs_on(values, index)
            if by is not None:
                found.append({"name": name, "by": hang, "values": by})
                break
        else:
            if left >= len(values):
                left -= len(values)
                found.append({"name": name, "by": "plane", "values": values})
    return found


def _after(headers: Headers) -> list[float | None]:
    moments = all_acquired(headers)
    known = [m for m in moments if m is not None]
    first = min(known, default=0.0)
    return [None if m is None else rounded([round(m - first, 4)])[0] for m in moments]


def _hangs_on(values: Sequence[Any], index: Any) -> list[Any] | None:
    """Values by row or by column where these decide them; else None."""
    found: dict[int, Any] = {}
    for value, k in zip(values, index.tolist(), strict=True):
        if found.setdefault(k, value) != value:
            return None
    return [found.get(k) for k in range(int(index.max()) + 1)]


def _described(keyword: str) -> str:
    return dictionary_description(keyword)


def findings_of(series: Series, grids: Sequence[Grid], names: FileNames) -> list[dict[str, Any]]:
    """Findings in words, with the cells that they speak of: pairs of stack and plane."""
    at: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for s, grid in enumerate(grids):
        for k, plane in enumerate(grid.planes):
            for name in {plane.name, plane.instance.file.name}:
                at[name].append((s, k))
    found = []
    for finding in series.findings:
        cells = sorted({cell for name in finding.files for cell in at.get(name, ())})
        found.append(
            {
                "code": finding.code,
                "text": short(names.hide(finding.message, finding.files), 500),
                "stops": CODES[finding.code].default == "raise",
                "does": _does(finding),
                "cells": [list(cell) for cell in cells[:400]],
            }
        )
    return found[:40]


def _does(finding: Finding) -> str:
    code = CODES[finding.code]
    if code.default == "raise":
        ways = [f"{way}: {text}" for way, text in (("keep", code.keep), ("repair", code.repair)) if text]
        return f"Loading stops. On offer: {'; '.join(ways)}." if ways else "Loading stops."
    return f"As loaded, {code.repair if code.default == 'repair' else code.keep}."
