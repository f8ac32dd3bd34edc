"""What one written kind of series truly holds: values, and where they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["Sample"]

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False, repr=False)
class Sample:
    """A written series and its truth; where one series holds several stacks, the largest, and `parts` the others.

    Parameters
    ----------
    folder
        Where the files are.
    values
        True values in `units`, shape (..., slices, rows, columns); slices ascending along n = r x c. Read-only.
    origins
        LPS mm of the centre of each slice's first pixel, shape (slices, 3). NaN where there is no patient frame.
    row_step, column_step
        LPS mm from one voxel to the next when the row index grows (down a column), and when the column index grows
        (along a row); shape (3,).
    axes
        Labels of the extra axes of `values`, in their order: name -> (n,) numbers or texts.
    beside
        Labels that lie beside an extra axis and do not separate images, such as "b_vector" (n, 3).
    units
        Unit of the values, "" where the file names none.
    findings
        Codes of the findings that a reader should report (`dicomlab.findings.CODES`).
    sizes
        Their sizes, where known by construction: code -> (size, unit).
    choice
        What `on_fault` must be for the series to load as `values`; None for the default.
    refused
        Why no choice may load it; "" when it can be loaded.
    parts
        The other stacks of the series.
    """

    folder: Path
    values: npt.NDArray[Any]
    origins: FloatArray
    row_step: FloatArray
    column_step: FloatArray
    axes: Mapping[str, npt.NDArray[Any]] = field(default_factory=dict)
    beside: Mapping[str, npt.NDArray[Any]] = field(default_factory=dict)
    units: str = ""
    findings: tuple[str, ...] = ()
    sizes: Mapping[str, tuple[float, str]] = field(default_factory=dict)
    choice: str | Mapping[str, str] | None = None
    refused: str = ""
    parts: tuple[Sample, ...] = ()

    def __post_init__(self) -> None:
        arrays = (self.values, self.origins, self.row_step, self.column_step)
        for array in (*arrays, *self.axes.values(), *self.beside.values()):
            array.flags.writeable = False  # a truth that a test can change by accident is none
        lengths = tuple(len(labels) for labels in self.axes.values())
        if self.values.shape[:-2] != (*lengths, len(self.origins)):
            raise ValueError(
                f"values of shape {self.values.shape} do not fit axes of {lengths} labels and {len(self.origins)} slices"
            )

    @property
    def stacks(self) -> tuple[Sample, ...]:
        """Every stack of the series, the largest first."""
        return (self, *self.parts)

    @property
    def affine(self) -> FloatArray:
        """4x4 matrix, (slice, row, column, 1) index to LPS mm, from the first and the last slice; evenness is not checked."""
        found = np.eye(4)
        found[:3, 0] = (self.origins[-1] - self.origins[0]) / max(len(self.origins) - 1, 1)
        found[:3, 1], found[:3, 2], found[:3, 3] = self.row_step, self.column_step, self.origins[0]
        return found

    def lps(self, index: npt.ArrayLike) -> FloatArray:
        """LPS mm of voxels.

        Parameters
        ----------
        index
            Shape (..., 3), whole numbers: slice, row, column.
        """
        k, i, j = np.moveaxis(np.asarray(index, dtype=int), -1, 0)
        return np.asarray(
            self.origins[k] + i[..., None] * self.row_step + j[..., None] * self.column_step, dtype=float
        )

    def __repr__(self) -> str:
        size = " x ".join(map(str, self.values.shape))
        more = f" and {len(self.parts)} more" if self.parts else ""
        return f"<Sample {size}{more} in {self.folder}>"
