"""What a structure set holds: `Structures`, each a `Structure` with its `Contour` s."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, overload

import numpy as np
import numpy.typing as npt

from dicomlab import html
from dicomlab.errors import DicomLabError
from dicomlab.masks import Code

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["CLOSED", "Contour", "Structure", "Structures"]

FloatArray = npt.NDArray[np.float64]

CLOSED = ("CLOSED_PLANAR", "CLOSEDPLANAR_XOR", "INTERPOLATED_PLANAR")
"""Contour Geometric Types (3006,0042) that have an inside."""


@dataclass(frozen=True, eq=False)
class Contour:
    """One contour as it stands in the file.

    Parameters
    ----------
    points
        Shape ``(n, 3)``: Contour Data (3006,0050), LPS mm.
    kind
        Contour Geometric Type (3006,0042): ``"CLOSED_PLANAR"``, ``"POINT"`` …
    thickness
        mm that it stands for: Contour Slab Thickness (3006,0044), else Spacing Between Slices of the planes that it was drawn
        on (3006,004A); NaN where the file does not say.
    images
        SOP Instance UIDs of the images that it lies on, as far as the file names them.
    """

    points: FloatArray
    kind: str
    thickness: float = float("nan")
    images: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Structure:
    """One region of interest (ROI) of a structure set.

    Parameters
    ----------
    number, name
        ROI Number (3006,0022) and ROI Name (3006,0026).
    frame_of_reference
        Frame of Reference UID in which its contours lie; ``""`` where the file names none.
    contours
        All of them, closed or not, in the order of the file.
    colour
        ``"#rrggbb"`` of ROI Display Color (3006,002A); None where there is none.
    interpreted_type
        RT ROI Interpreted Type (3006,00A4): ``"ORGAN"``, ``"GTV"``, ``"EXTERNAL"`` …; ``""`` where nobody said.
    code
        RT ROI Identification Code (3006,0086).
    problems
        What is wrong with its contours, in sentences; a contour whose numbers cannot be read is not among `contours`.
    """

    number: int
    name: str
    frame_of_reference: str
    contours: tuple[Contour, ...] = field(default=(), repr=False)
    colour: str | None = None
    interpreted_type: str = ""
    code: Code | None = None
    problems: tuple[str, ...] = ()

    @property
    def closed(self) -> list[FloatArray]:
        """Points of the contours that have an inside, as `dicomlab.segment.from_contours` takes them."""
        return [one.points for one in self.contours if one.kind in CLOSED]

    @property
    def kinds(self) -> dict[str, int]:
        """How many contours there are of each Contour Geometric Type."""
        return dict(Counter(one.kind for one in self.contours))

    @property
    def extent(self) -> FloatArray:
        """Lowest and highest x, y, z of its points, LPS mm, shape ``(2, 3)``; NaN where it has none."""
        if not self.contours:
            return np.full((2, 3), np.nan)
        every = np.concatenate([one.points for one in self.contours])
        return np.stack([every.min(axis=0), every.max(axis=0)])


@dataclass(frozen=True, eq=False)
class Structures(Sequence[Structure]):
    """The structures of an RT Structure Set: a sequence, also by name; it shows itself as a table.

    Parameters
    ----------
    every
        In the order of their numbers.
    label, description
        Structure Set Label (3006,0002) and Series Description (0008,103E).
    referenced_series
        Series Instance UIDs of the images that were contoured, as far as the file names them.
    problems
        What is wrong with the set as a whole, in sentences.
    """

    every: tuple[Structure, ...]
    label: str = ""
    description: str = ""
    referenced_series: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()

    @overload
    def __getitem__(self, which: int | str) -> Structure: ...
    @overload
    def __getitem__(self, which: slice) -> Structures: ...
    def __getitem__(self, which: int | str | slice) -> Structure | Structures:
        if isinstance(which, slice):
            return Structures(self.every[which], self.label, self.description, self.referenced_series)
        if isinstance(which, str):
            found = [one for one in self.every if one.name == which]
            found = found or [one for one in self.every if one.name.casefold() == which.casefold()]
            if len(found) != 1:
                there = "several have that name" if found else "there are"
                raise DicomLabError(f"the structure {which!r} was asked for; {there}: {self._known}")
            return found[0]
        return self.every[which]

    def __len__(self) -> int:
        return len(self.every)

    def __iter__(self) -> Iterator[Structure]:
        return iter(self.every)

    @property
    def names(self) -> list[str]:
        """What they are called."""
        return [one.name for one in self.every]

    @property
    def _known(self) -> str:
        return ", ".join(f"{one.number} {one.name}" for one in self.every) or "none"

    def pick(self, wanted: Iterable[str | int]) -> list[Structure]:
        """Some of them, by ROI Name or ROI Number.

        Raises
        ------
        DicomLabError
            There is no such structure, or several have that name.
        """
        if isinstance(wanted, str):
            wanted = [wanted]
        found = []
        for which in wanted:
            if isinstance(which, str):
                found.append(self[which])
                continue
            numbered = [one for one in self.every if one.number == which]
            if len(numbered) != 1:
                raise DicomLabError(f"the ROI number {which!r} was asked for; there are: {self._known}")
            found.append(numbered[0])
        return found

    @cached_property
    def table(self) -> pd.DataFrame:
        """One row a structure: ``number, name, type, contours, points, kinds, planes``, ``x_min`` … ``z_max`` in mm, ``code``,
        ``colour``, ``frame_of_reference``.
        """
        import pandas as pd

        rows = []
        for one in self.every:
            low, high = one.extent
            box = {
                f"{axis}_{end}": mm[k]
                for k, axis in enumerate("xyz")
                for end, mm in (("min", low), ("max", high))
            }
            rows.append(
                {
                    "number": one.number,
                    "name": one.name,
                    "type": one.interpreted_type,
                    "contours": len(one.contours),
                    "points": sum(len(contour.points) for contour in one.contours),
                    "kinds": ", ".join(f"{count} {kind}" for kind, count in one.kinds.items()),
                    **box,
                    "code": str(one.code or ""),
                    "colour": one.colour or "",
                    "frame_of_reference": one.frame_of_reference,
                }
            )
        return pd.DataFrame(rows)

    @property
    def _told(self) -> list[str]:
        return [*self.problems, *(f"{one.name}: {problem}" for one in self.every for problem in one.problems)]

    def __repr__(self) -> str:
        lines = [
            f"<{len(self)} structure{'' if len(self) == 1 else 's'}"
            + f" of {self.label!r}" * bool(self.label)
        ]
        lines += [f"  {one.number} {one.name}: {_summary(one)}" for one in self.every]
        lines += [f"  ! {problem}" for problem in self._told[:20]]
        return "\n".join(lines) + ">"

    def _repr_html_(self) -> str:
        rows = []
        for one in self.every:
            # The pattern of a colour is checked when it is read.
            swatch = html.Markup(f'<span style="color:{one.colour}">■</span>') if one.colour else ""
            z = one.extent[:, 2]
            reach = "" if np.isnan(z[0]) else f"{z[0]:.2f} … {z[1]:.2f}"
            rows.append(
                [one.number, swatch, one.name, one.interpreted_type, _summary(one), reach, one.code or ""]
            )
        heads = ["", "", "structure", "type", "contours", "z (mm)", "code"]
        title = html.Markup(f'<div class="title">{html.escape(self.label or "Structure set")}</div>')
        told = [html.Markup(f'<div class="warn">{html.escape(one)}</div>') for one in self._told[:20]]
        return html.block(title, html.table(heads, rows, ["n", "", "", "", "", "", "w"]), *told)


def _summary(one: Structure) -> str:
    if not one.contours:
        return "no contour"
    kinds = one.kinds
    if set(kinds) == {"CLOSED_PLANAR"}:
        return f"{len(one.contours):,} contour{'' if len(one.contours) == 1 else 's'}"
    return ", ".join(f"{count:,} {kind or 'of no type'}" for kind, count in kinds.items())
