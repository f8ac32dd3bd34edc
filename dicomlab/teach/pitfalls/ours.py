"""What dicomlab does on a pitfall, tried: what it says by default, what it offers, and how far that is from the truth."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from dicomlab.errors import DicomLabError
from dicomlab.findings import CODES, OnFault
from dicomlab.phantom import Sample
from dicomlab.read import find_series, load_volume
from dicomlab.teach.pitfalls.measure import Off, Reading
from dicomlab.teach.pitfalls.pitfall import Pitfall

__all__ = ["Ours", "try_ours"]


@dataclass(frozen=True, eq=False)
class Ours:
    """What dicomlab did.

    Parameters
    ----------
    loads
        Whether ``load_volume(folder)`` returns a volume.
    codes
        Codes of the findings that it told, or stopped for; those that stop come first.
    error, kind
        Its error, where it stops, and the name of its class.
    choice
        ``on_fault`` that loads it then; None where none does or none is needed.
    off
        How far all stacks, as loaded by default or by the choice, are from the truth.
    readings
        What was loaded, for the pictures; empty where nothing may be.
    """

    loads: bool
    codes: tuple[str, ...]
    error: str
    kind: str
    choice: OnFault
    off: Off
    readings: tuple[Reading, ...]


def try_ours(pitfall: Pitfall, sample: Sample) -> Ours:
    """Load what the phantom wrote, and compare it with the truth."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        error, kind, codes = "", "", _codes(sample.folder)
        try:
            load_volume(sample.folder)
        except DicomLabError as problem:
            error, kind = str(problem), type(problem).__name__
        choice = _choice(sample, codes) if error else None
        try:
            readings = _loaded(sample.folder, choice)
            off = pitfall.judge(sample, readings)
        except DicomLabError as problem:
            readings, off = [], Off("refuses", said=str(problem))
    return Ours(not error, codes, error, kind, choice, off, tuple(readings))


def _codes(folder: Path) -> tuple[str, ...]:
    """Codes of what is found on loading, in the order of `CODES`."""
    found = {finding.code for series in find_series(folder, progress=False) for finding in series.findings}
    for stack in _stacks(folder):
        try:
            found |= _told(load_volume(stack))
        except DicomLabError as problem:
            found |= {code for code in CODES if f"{code}:" in str(problem)}
    # What stops comes first.
    return tuple(
        sorted((code for code in CODES if code in found), key=lambda code: CODES[code].default != "raise")
    )


def _told(volume: xr.DataArray) -> set[str]:
    return {line.split(":")[0] for line in str(volume.attrs.get("findings", "")).splitlines()}


def _choice(sample: Sample, codes: Sequence[str]) -> OnFault:
    """What loads a series that stops: the first way on offer for each code that stops it."""
    stopping = [code for code in codes if CODES[code].default == "raise"]
    ways = {code: next((way for way in CODES[code].choices if way != "raise"), None) for code in stopping}
    offered: dict[str, Any] = {code: way for code, way in ways.items() if way is not None}
    return offered if offered and not sample.refused else None


def _stacks(folder: Path) -> list[Any]:
    return [stack for series in find_series(folder, progress=False) for stack in series.stacks]


def _loaded(folder: Path, choice: OnFault) -> list[Reading]:
    """All stacks of a folder, by the coordinates of their volumes alone."""
    readings = []
    for stack in _stacks(folder):
        volume = load_volume(stack, on_fault=choice)
        values = volume.transpose(..., "slice", "row", "column").values
        direction = np.asarray(volume.frame_of_reference.attrs["direction"]).reshape(3, 3)
        up, down, along = (np.atleast_1d(volume[name].values) for name in ("slice", "row", "column"))
        origins = up[:, None] * direction[:, 0] + down[0] * direction[:, 1] + along[0] * direction[:, 2]
        steps = [(x[1] - x[0]) * direction[:, k] for k, x in ((1, down), (2, along))]
        readings += [
            Reading(one, origins, steps[0], steps[1]) for one in values.reshape(-1, *values.shape[-3:])
        ]
    if not readings:
        load_volume(folder)  # says why
    return readings
