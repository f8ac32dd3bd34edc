"""From what a function returned to rows of a table."""

from __future__ import annotations

import dataclasses
import math
import sys
from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
import xarray as xr

from dicomlab.errors import DicomLabError

__all__ = ["OWN_COLUMNS", "Row", "rows_of"]

Row: TypeAlias = "dict[str, Any]"

_VOLUME = {"slice", "row", "column"}
"""Dimensions of a volume."""

_LARGEST = 1_000_000
"""Values of an array in a cell: a picture, or a profile."""

OWN_COLUMNS = ("series", "uid", "modality", "description", "findings", "warnings", "error")
"""Columns of the table that say what a row is about; a function cannot fill them."""


def rows_of(returned: object) -> list[Row]:
    """At least one row.

    Parameters
    ----------
    returned
        A mapping, dataclass instance, named tuple or pandas Series is one row; a list of them, or a DataFrame, several. None,
        an empty list and an empty DataFrame are one row without a value: the series stays in sight. Anything else is the value
        of the column ``result``.

    Raises
    ------
    DicomLabError
        A column would have one of the names `OWN_COLUMNS`; or a value is a volume, a figure or a generator.

    Examples
    --------
    >>> rows_of({"mean": np.float32(1.5)}), rows_of(7)
    ([{'mean': 1.5}], [{'result': 7}])
    """
    rows = [{name: _plain(value) for name, value in row.items()} for row in _rows(returned)] or [{}]
    for row in rows:
        for name, value in row.items():
            _check(value, name)
    taken = sorted({name for row in rows for name in row} & set(OWN_COLUMNS))
    if taken:
        raise DicomLabError(
            f"the function returned {', '.join(taken)}: the table has columns of its own of that name; choose another"
        )
    return rows


def _rows(returned: object) -> list[Row]:
    row = _row(returned)
    if row is not None:
        return [row]
    if isinstance(returned, pd.DataFrame):
        return _rows_of_frame(returned)
    if isinstance(returned, (list, tuple)):
        several = [row for item in returned if (row := _row(item)) is not None]
        if len(several) == len(returned):
            return several
    return [] if returned is None else [{"result": returned}]


def _row(value: object) -> Row | None:
    """A thing with named parts as a row; None for others."""
    if isinstance(value, pd.Series):
        value = value.to_dict()
    elif isinstance(value, tuple) and hasattr(value, "_asdict"):
        value = value._asdict()
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        value = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    return {str(name): part for name, part in value.items()} if isinstance(value, Mapping) else None


def _rows_of_frame(frame: pd.DataFrame) -> list[Row]:
    # An index that means something (the labels of a groupby) is a column like others; one that only counts is none.
    counts = frame.index.nlevels == 1 and frame.index.name is None and frame.index.dtype.kind in "iu"
    records = frame.reset_index(drop=counts).to_dict("records")
    return [{str(name): value for name, value in record.items()} for record in records]


def _check(value: object, name: str) -> None:
    """Refuse what would keep a whole volume in memory for a cell of a table, or has not run yet."""
    if isinstance(value, Iterator):
        raise DicomLabError(
            f"{name} is a {type(value).__name__}, of which nothing has run yet: return what it makes, for instance as a list"
        )
    if _is_picture(value):
        raise DicomLabError(
            f"{name} is a {type(value).__name__}, which holds on to what it shows: save it (figure.savefig, browser.to_html), "
            "and return its path"
        )
    if isinstance(value, Mapping):  # a Dataset, too
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        for item in value:
            _check(item, name)
    shape: tuple[int, ...] | None = getattr(value, "shape", None) if hasattr(value, "dtype") else None
    dims = value.dims if isinstance(value, (xr.DataArray, xr.Variable)) else ()
    if shape is not None and (set(dims) >= _VOLUME or math.prod(shape) > _LARGEST):
        raise DicomLabError(
            f"{name} is a {type(value).__name__} of shape {shape}: volumes are no cells of a table, they would all stay in "
            "memory. Save it in a file of its own (volume.to_zarr), and return its path"
        )


def _is_picture(value: object) -> bool:
    """Whether it is something of a screen; who has one has imported what draws it."""
    for module, kind in (("matplotlib.artist", "Artist"), ("ipywidgets", "Widget")):
        known = getattr(sys.modules.get(module), kind, None)
        if known is not None and isinstance(value, known):
            return True
    return False


def _plain(value: Any) -> Any:
    """Numbers, texts and moments as Python and pandas have them, out of numpy's and xarray's scalars; all else as it is."""
    if isinstance(value, (xr.DataArray, xr.Variable)) and value.ndim == 0:
        value = value.values
    if isinstance(value, np.ndarray) and value.ndim == 0:
        value = value[()]
    if isinstance(value, np.datetime64):
        return pd.Timestamp(value)
    if isinstance(value, np.timedelta64):
        return pd.Timedelta(value)
    return value.item() if isinstance(value, np.generic) else value
