"""What the labels of a mask are: `Label`, and `Labels`, all of one mask."""

from __future__ import annotations

import colorsys
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias, overload

import numpy as np

from dicomlab import html
from dicomlab.errors import DicomLabError
from dicomlab.masks.form import HIGHEST
from dicomlab.masks.sizes import Size
from dicomlab.masks.terms import TISSUE, Code, find_side, find_term

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Label", "Labels", "Named", "first_colour"]

# Okabe and Ito: told apart by people with any colour vision, and on any grey.
_COLOURS = ("#d55e00", "#56b4e9", "#f0e442", "#009e73", "#cc79a7", "#e69f00", "#0072b2")


def first_colour(number: int) -> str:
    """``"#rrggbb"`` of the label of this number, of all from 0 on, that has no colour of its own."""
    if number < len(_COLOURS):
        return _COLOURS[number]
    # Steps of the golden ratio: no two hues are near for long.
    rgb = colorsys.hsv_to_rgb(number * 0.618034 % 1, 0.55 + 0.3 * (number % 2), 0.95)
    return "#" + "".join(f"{round(255 * x):02x}" for x in rgb)


@dataclass(frozen=True)
class Label:
    """One label of a mask.

    Parameters
    ----------
    value
        Its number: that of its voxels, or its Segment Number (0062,0004); 1 in a bool mask.
    name
        Segment Label (0062,0005).
    colour
        ``"#rrggbb"``; None for one that goes with the number.
    category, type, side
        Segmented Property Category, Type and its Modifier as codes; None for those of the term that has this name
        (`dicomlab.masks.find_term`), tissue where there is none.

    Examples
    --------
    >>> print(Label(1, "left kidney").type)
    Kidney (SCT 64033007)
    """

    value: int
    name: str
    colour: str | None = None
    category: Code | None = None
    type: Code | None = None
    side: Code | None = None

    def __post_init__(self) -> None:
        if isinstance(self.value, bool) or not isinstance(self.value, (int, np.integer)):
            raise DicomLabError(f"the number of a label is a whole number, found {self.value!r}")
        if not 0 < int(self.value) <= HIGHEST:
            raise DicomLabError(f"labels are numbered from 1 to {HIGHEST}, found {self.value}")
        if not isinstance(self.name, str) or not self.name.strip():
            raise DicomLabError(f"a label has a name, found {self.name!r}")
        if (self.category is None) != (self.type is None):
            raise DicomLabError(f"give both category= and type= of the label {self.name!r}, or neither")
        for code in (self.category, self.type, self.side):
            if code is not None and not isinstance(code, Code):
                raise DicomLabError(f"a code is a dicomlab.masks.Code, found {code!r}")
        colour = first_colour(int(self.value) - 1) if self.colour is None else self.colour
        if not re.fullmatch(r"#[0-9a-fA-F]{6}", str(colour)):
            raise DicomLabError(
                f"a colour is written '#rrggbb', like '#d55e00', found {colour!r}; matplotlib.colors.to_hex('red') writes one"
            )
        term = find_term(self.name) or TISSUE
        told = {
            "value": int(self.value),
            "name": self.name.strip(),
            "colour": colour.lower(),
            "category": self.category or term.category,
            "type": self.type or term.type,
            "side": self.side or (find_side(self.name) if self.type is None and term is not TISSUE else None),
        }
        for name, value in told.items():
            object.__setattr__(self, name, value)

    @property
    def is_coded(self) -> bool:
        """Whether its type says more than that it is tissue."""
        return self.type != TISSUE.type

    @property
    def rgb(self) -> tuple[int, int, int]:
        """Red, green, blue, 0 to 255."""
        assert self.colour is not None
        red, green, blue = (int(self.colour[k : k + 2], 16) for k in (1, 3, 5))
        return red, green, blue

    def to_json(self) -> dict[str, Any]:
        """What is kept with a mask."""
        codes = {key: getattr(self, key) for key in ("category", "type", "side")}
        told = {key: [c.value, c.scheme, c.meaning] for key, c in codes.items() if c is not None}
        return {"value": self.value, "name": self.name, "colour": self.colour, **told}

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> Label:
        """The label of what `to_json` made."""
        codes = {key: Code(*told[key]) for key in ("category", "type", "side") if told.get(key)}
        return cls(told["value"], told["name"], told.get("colour"), **codes)


Named: TypeAlias = str | Label


class Labels(Sequence[Label]):
    """The labels of a mask: a sequence, also by name; it shows itself as a table with the size of each."""

    def __init__(self, labels: Iterable[Label], measured: Callable[[], Mapping[int, Size]]) -> None:
        self._all, self._measured = tuple(labels), measured

    @overload
    def __getitem__(self, which: int | str) -> Label: ...
    @overload
    def __getitem__(self, which: slice) -> Labels: ...
    def __getitem__(self, which: int | str | slice) -> Label | Labels:
        if isinstance(which, slice):
            return Labels(self._all[which], self._measured)
        if isinstance(which, str):
            found = [one for one in self._all if one.name == which]
            found = found or [one for one in self._all if one.name.casefold() == which.casefold()]
            if len(found) != 1:
                known = ", ".join(one.name for one in self._all) or "none"
                raise DicomLabError(f"the label {which!r} was asked for; there are: {known}")
            return found[0]
        return self._all[which]

    def __len__(self) -> int:
        return len(self._all)

    def __iter__(self) -> Iterator[Label]:
        return iter(self._all)

    @property
    def names(self) -> list[str]:
        """What they are called."""
        return [one.name for one in self._all]

    @property
    def table(self) -> pd.DataFrame:
        """One row a label: ``value, name, voxels, ml, colour, category, type, side`` and the codes of the three.

        ``ml`` is NaN where the size of a voxel is not known. Fractions count from 0.5 on.
        """
        import pandas as pd

        found = self._measured()
        rows = []
        for one in self._all:
            size = found[one.value]
            row: dict[str, Any] = {"value": one.value, "name": one.name, "voxels": size.voxels, "ml": size.ml}
            codes = {"category": one.category, "type": one.type, "side": one.side}
            row |= {"colour": one.colour, **{k: c.meaning if c else "" for k, c in codes.items()}}
            row |= {f"{k}_code": f"{c.scheme} {c.value}" if c else "" for k, c in codes.items()}
            rows.append(row)
        return pd.DataFrame(rows, columns=_COLUMNS)

    def __repr__(self) -> str:
        return f"<{len(self)} label{'' if len(self) == 1 else 's'}" + "".join(
            f"\n  {one.value} {one.name}: {one.type}{f', {one.side.meaning}' if one.side else ''}"
            for one in self
        ).join(["", ">"])

    def _repr_html_(self) -> str:
        found = self._measured()
        rows = []
        for one in self._all:
            size = found[one.value]
            swatch = html.Markup(
                f'<span style="color:{one.colour}">■</span>'
            )  # the pattern of a colour is checked
            kind = str(one.type) + (f", {one.side.meaning}" if one.side else "")
            ml = "?" if np.isnan(size.ml) else f"{size.ml:,.2f}"
            rows.append([one.value, swatch, one.name, f"{size.voxels:,}", ml, str(one.category), kind])
        heads = ["", "", "label", "voxels", "ml", "category", "type"]
        return html.block(html.table(heads, rows, ["n", "", "", "n", "n", "w", "w"]))


_COLUMNS = [
    "value",
    "name",
    "voxels",
    "ml",
    "colour",
    "category",
    "type",
    "side",
    "category_code",
    "type_code",
    "side_code",
]
