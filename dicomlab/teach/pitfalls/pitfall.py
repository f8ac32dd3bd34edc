"""What is known of a pitfall before anything is written or read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pydicom

from dicomlab.phantom import Sample
from dicomlab.teach.pitfalls.measure import Off, Reading, far_off
from dicomlab.teach.pitfalls.naive import Recipe

__all__ = ["Group", "Pitfall", "View"]

Group = Literal["geometry", "order", "values", "files"]
View = Literal["side", "front", "slice"]


@dataclass(frozen=True)
class Pitfall:
    """One way to misread a series.

    Parameters
    ----------
    name
        Of the kind of series: a key of `dicomlab.phantom.KINDS` or `FAULTS`.
    title
        The trap in one line.
    wrong
        What is wrong, or odd, about the files.
    life
        How that comes about in a hospital.
    recipe
        The naive reading.
    view
        What the pictures show: a cut from front to back, from side to side, or one slice.
    slice
        Number of the slice that is shown, for ``"slice"``.
    stated
        The truth to compare with has the positions that the files state, though nobody knows whether these are right.
    hidden
        What is wrong about an array of several of the true stacks though all its numbers agree; ``""`` where figures tell.
    """

    name: str
    title: str
    wrong: str
    life: str
    recipe: Recipe
    view: View = "slice"
    slice: int = 4
    stated: bool = False
    hidden: str = ""

    def truth(self, sample: Sample) -> Sample:
        """What readings are compared with: the truth of what was written, or what the files state."""
        if not self.stated:
            return sample
        normal = np.cross(sample.column_step, sample.row_step)
        stated = [
            np.array([float(v) for v in pydicom.dcmread(file, stop_before_pixels=True).ImagePositionPatient])
            for file in sample.folder.iterdir()
        ]
        return replace(sample, origins=np.array(sorted(stated, key=lambda place: float(place @ normal))))

    def judge(self, sample: Sample, readings: Sequence[Reading]) -> Off:
        """How far readings are from the truth of the pitfall (as `truth` returns it)."""
        off = far_off(sample, readings)
        hidden = bool(self.hidden) and off.state == "right" and off.mixed
        return replace(off, state="wrong", said=self.hidden) if hidden else off
