"""The type that values are asked for in, and whether it can hold them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from dicomlab.errors import DicomLabError
from dicomlab.read.alike import Headers
from dicomlab.read.modality import Transform, value_dtype
from dicomlab.read.stored import StoredImage

__all__ = ["check_dtype", "dtype_of"]


def check_dtype(dtype: npt.DTypeLike | None) -> np.dtype[Any] | None:
    """The dtype that was asked for; None for the smallest exact one.

    Raises
    ------
    DicomLabError
        It is no type of whole or floating-point numbers.
    """
    if dtype is None:
        return None
    try:
        found = np.dtype(dtype)
    except TypeError as problem:
        raise DicomLabError(f"dtype={dtype!r} was asked for, and numpy knows no such type") from problem
    if found.kind not in "iuf":
        raise DicomLabError(
            f"dtype={found} was asked for; values are whole or floating-point numbers, 'int32' or 'float32' for instance"
        )
    return found


def dtype_of(
    headers: Headers,
    images: Sequence[StoredImage],
    transforms: Sequence[Transform],
    asked: np.dtype[Any] | None = None,
) -> np.dtype[Any]:
    """The dtype of the values of these planes: what was asked for, where it holds all that the headers allow.

    A float may round, once and at the end; but no value becomes infinite, and fractions never become whole numbers.

    Parameters
    ----------
    headers, images, transforms
        One of each a plane.
    asked
        None for `value_dtype`.

    Raises
    ------
    DicomLabError
        It could not hold them.
    """
    exact = value_dtype(headers, transforms)
    if asked is None or np.can_cast(exact, asked):
        return exact if asked is None else asked
    if asked.kind in "iu" and exact.kind == "f":
        raise DicomLabError(
            f"dtype={asked} was asked for; values of this series may be fractions or NaN, which whole numbers cannot hold. "
            "'float32' can."
        )
    ends = [t.value_range(*_stored_range(image)) for image, t in zip(images, transforms, strict=True)]
    low, high = min(low for low, _ in ends), max(high for _, high in ends)
    limits = np.iinfo(asked) if asked.kind in "iu" else np.finfo(asked)
    if not float(limits.min) <= low <= high <= float(limits.max):
        raise DicomLabError(
            f"dtype={asked} was asked for, which reaches from {limits.min} to {limits.max}; the headers of this series allow "
            f"values from {low:g} to {high:g}. Leave dtype out for the smallest one that holds them."
        )
    return asked


def _stored_range(image: StoredImage) -> tuple[float, float]:
    if image.dtype.kind == "f":
        limits = np.finfo(image.dtype)
        return float(limits.min), float(limits.max)
    half = 1 << image.bits_stored - 1
    return (-half, half - 1) if image.signed else (0, 2 * half - 1)
