"""Rows as text and back: JSON, with marks for what JSON does not know. What comes back is never a program."""

from __future__ import annotations

import datetime
import json
import os
from typing import Any

import numpy as np
import pandas as pd

from dicomlab.cohort.rows import Row
from dicomlab.errors import DicomLabError

__all__ = ["rows_from_text", "rows_to_text"]

_MARK = "$"
"""Key of the one-item mapping that stands for something that is not of JSON."""

_LARGEST = 100_000
"""Elements of an array that is a result; more are a volume, and belong into a file of their own."""


def rows_to_text(rows: list[Row]) -> str:
    """Rows as JSON.

    Raises
    ------
    DicomLabError
        A value is no number, text, moment, or list, mapping or small array of them.
    """
    return json.dumps([{name: _encode(value, name) for name, value in row.items()} for row in rows])


def rows_from_text(text: str) -> list[Row]:
    """The rows again: paths are texts, tuples are lists, moments are those of pandas."""
    rows = json.loads(text)
    return [{str(name): _decode(value) for name, value in row.items()} for row in rows]


def _encode(value: Any, name: str) -> Any:
    if value is None or isinstance(value, (bool, int, float, str)):
        # Members of enumerations and the like are numbers and texts, too; as such they come back.
        return (
            value
            if value is None
            else next(k for k in (bool, int, float, str) if isinstance(value, k))(value)
        )
    if value is pd.NaT or value is pd.NA:
        return {_MARK: "NaT" if value is pd.NaT else "NA"}
    if isinstance(value, (datetime.datetime, datetime.date)):
        moment = pd.Timestamp(value)
        return {_MARK: "moment", "iso": moment.isoformat(), "unit": moment.unit, "zone": str(moment.tz or "")}
    if isinstance(value, datetime.timedelta):
        duration = pd.Timedelta(value)
        return {_MARK: "duration", "iso": duration.isoformat(), "unit": duration.unit}
    if isinstance(value, complex):
        return {_MARK: "complex", "parts": [value.real, value.imag]}
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if isinstance(value, (list, tuple)):
        return [_encode(item, name) for item in value]
    if isinstance(value, dict):
        pairs = [[str(key), _encode(item, name)] for key, item in value.items()]
        return {_MARK: "mapping", "pairs": pairs}
    if isinstance(value, np.ndarray) and value.dtype.kind in "biufU" and value.size <= _LARGEST:
        return {
            _MARK: "array",
            "dtype": value.dtype.str,
            "shape": value.shape,
            "values": value.ravel().tolist(),
        }
    what = type(value).__name__ + (f" of shape {value.shape}" if hasattr(value, "shape") else "")
    raise DicomLabError(
        f"results= keeps numbers, texts, moments, and lists, mappings and small arrays of them; {name} is a {what}. Save "
        "that in a file of its own (volume.to_zarr), and return its path"
    )


def _decode(value: Any) -> Any:
    if isinstance(value, list):
        return [_decode(item) for item in value]
    if not isinstance(value, dict):
        return value
    match value.get(_MARK):
        case "NaT":
            return pd.NaT
        case "NA":
            return pd.NA
        case "moment":
            moment = pd.Timestamp(value["iso"]).as_unit(value["unit"])
            return moment.tz_convert(value["zone"]) if value["zone"] else moment
        case "duration":
            return pd.Timedelta(value["iso"]).as_unit(value["unit"])
        case "complex":
            return complex(*value["parts"])
        case "mapping":
            return {key: _decode(item) for key, item in value["pairs"]}
        case "array":
            return np.array(value["values"], value["dtype"]).reshape(value["shape"])
    raise DicomLabError(
        f"a kept result holds a value of a kind that this version does not know: {value.get(_MARK)!r}"
    )
