"""Answers of any type, read with bounded work: what cannot be an answer is said in a sentence."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterable
from datetime import timedelta
from decimal import Decimal
from numbers import Real
from pathlib import PurePath
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr
from pydicom.multival import MultiValue

from dicomlab.teach.exercises.verdict import Check, Verdict, right, wrong

__all__ = [
    "Off",
    "check",
    "described",
    "differences",
    "judged",
    "millimetres",
    "names",
    "near",
    "number",
    "numbers",
    "rounded",
    "text",
    "whole",
]

Floats = npt.NDArray[np.float64]
_LISTS: Final = (list, tuple, range, MultiValue)
_ARRAYS: Final = (np.ndarray, np.generic, xr.DataArray, pd.Series, pd.Index)
_LONGEST: Final = 1000
"""No exercise asks for longer texts, nor for more names."""
_FEW: Final = 16
"""Longer arrays are not written down by hand, so nobody rounds them number by number."""


class Off(Exception):
    """An answer is not of the kind that is asked for; the message says what it is instead."""


def check(look: Callable[[Any], Verdict]) -> Check:
    """Return a check that never raises: `look` sees an answer that is there, and says `Off` of what cannot be one."""

    @functools.wraps(look)
    def checked(answer: Any) -> Verdict:
        if answer is None or answer is Ellipsis:
            return wrong("the answer is still missing. Put yours in place of None and run the cell again.")
        if callable(answer) and not isinstance(answer, _ARRAYS):
            return wrong("this is a function or a type, not what it returns: call it, with brackets, ().")
        try:
            return look(answer)
        except Off as off:
            return wrong(str(off))
        except Exception as error:  # the methods of an answer are somebody else's code
            return wrong(
                f"something of type {type(answer).__name__[:40]} cannot be read as an answer ({type(error).__name__})."
            )

    return checked


def described(answer: Any) -> str:
    """Return what an answer is, in a few words, however large it is."""
    if answer is None or isinstance(answer, bool):
        return f"{answer}"
    if isinstance(answer, str | bytes):
        kind = "the text" if isinstance(answer, str) else "the bytes"
        return f"{kind} {answer!r}" if len(answer) <= 40 else f"{kind} {answer[:40]!r} … ({len(answer)} long)"
    if isinstance(answer, Real | Decimal):
        try:
            return f"{float(answer):.6g}"
        except (OverflowError, ValueError):
            return "a very large number"
    if isinstance(answer, _ARRAYS):
        return f"an array of shape {answer.shape}"
    if isinstance(answer, list | tuple | set | frozenset | dict | MultiValue):
        kind = "list" if isinstance(answer, MultiValue) else type(answer).__name__[:40]
        return f"a {kind} of {len(answer)}"
    return f"something of type {type(answer).__name__[:40]}"


def number(answer: Any, what: str) -> float:
    """Return an answer that is one finite number; `what` says which one is asked for."""
    if isinstance(answer, bool | np.bool_):
        raise Off(f"{what} is asked for; this is {bool(answer)}, which answers yes or no.")
    if isinstance(answer, str | bytes):
        try:
            float(answer[:_LONGEST])
        except ValueError:
            raise Off(f"{what} is asked for, a number; this is {described(answer)}.") from None
        raise Off(f"this is text that looks like a number, {described(answer)}: float(…) makes it one.")
    if isinstance(answer, timedelta):
        raise Off(
            f"{what} is asked for; this is a timedelta: .total_seconds() makes a number of it, and .days has whole days."
        )
    if isinstance(answer, np.timedelta64):
        raise Off(
            f"{what} is asked for; this is a timedelta64: divided by np.timedelta64(1, 's') it is in seconds."
        )
    if isinstance(answer, _LISTS):
        if len(answer) == 1:
            raise Off("this is a list of one: take its item out, answer[0].")
        raise Off(f"{what} is asked for, one number; this is {described(answer)}.")
    if isinstance(answer, _ARRAYS):
        if answer.size != 1:
            raise Off(f"{what} is asked for, one number; this is {described(answer)}.")
        if np.ma.is_masked(answer):
            raise Off(f"{what} is asked for; this one is masked, so it holds nothing.")
        answer = np.asarray(answer).reshape(-1)[0]
        if isinstance(answer, np.bool_ | bool) or not isinstance(answer, Real | Decimal):
            raise Off(f"{what} is asked for, a number; this array holds {described(answer)}.")
    if not isinstance(answer, Real | Decimal):
        raise Off(f"{what} is asked for, a number; this is {described(answer)}.")
    try:
        found = float(answer)
    except OverflowError:
        raise Off(f"{what} is asked for; this number is larger than any float.") from None
    if not math.isfinite(found):
        raise Off(f"{what} is asked for; this is {found}. Something was divided by zero, or never filled.")
    return found


def whole(answer: Any, what: str) -> int:
    """Return an answer that is one whole number."""
    found = number(answer, what)
    if found != round(found):
        raise Off(f"{what} is asked for, a whole number; this is {found:.6g}.")
    return round(found)


def numbers(answer: Any, shape: tuple[int, ...], what: str) -> Floats:
    """Return an answer that is an array, or nested lists, of finite numbers of exactly this shape.

    Shapes are looked at before numbers, so that the work is that for `shape`, however large the answer is.
    """
    if isinstance(answer, str | bytes) or not isinstance(answer, (*_LISTS, *_ARRAYS)):
        raise Off(f"{what} is asked for, shape {_said(shape)}; this is {described(answer)}.")
    found = _shape(answer, len(shape))
    if found != shape:
        if len(shape) == 1 and found == (shape[0] + 1,) and _is_one(answer):
            raise Off(f"{what} is asked for; yours has {found[0]}: drop the 1 at the end.")
        raise Off(_of_shape(found, shape, what))
    filled = np.empty(shape)
    _fill(filled, answer, what)
    if not np.isfinite(filled).all():
        count = int(np.count_nonzero(~np.isfinite(filled)))
        raise Off(f"{count} of the {filled.size} numbers are not finite (NaN or infinite).")
    return filled


def _shape(answer: Any, depth: int) -> tuple[int, ...]:
    """Return the shape as the first items of nested lists have it; one more axis than `depth` is looked for, no deeper."""
    if isinstance(answer, _ARRAYS):
        return tuple(answer.shape)
    if not isinstance(answer, _LISTS) or depth < 0:
        return ()
    return (len(answer), *(_shape(answer[0], depth - 1) if len(answer) else ()))


def _fill(target: npt.NDArray[Any], answer: Any, what: str) -> None:
    if isinstance(answer, _ARRAYS):
        if tuple(answer.shape) != target.shape:
            raise Off(f"the rows of this list differ in length: {what} has shape {_said(target.shape)}.")
        if answer.dtype.kind not in "iufO":
            raise Off(f"{what} is asked for, numbers; this array holds {answer.dtype}.")
        if answer.dtype.kind == "O":
            for place, item in np.ndenumerate(np.asarray(answer)):
                target[place] = number(item, "a number at each place")
        elif isinstance(answer, np.ma.MaskedArray):
            target[...] = np.ma.filled(answer.astype(float), np.nan)
        else:
            target[...] = np.asarray(answer)
    elif target.ndim == 0:
        target[...] = number(answer, "a number at each place") if not _is_nan(answer) else np.nan
    else:
        if not isinstance(answer, _LISTS) or len(answer) != len(target):
            raise Off(f"the rows of this list differ in length: {what} has shape {_said(target.shape)}.")
        for k, item in enumerate(answer):
            _fill(target[k, ...], item, what)


def _is_one(answer: Any) -> bool:
    """Return whether a short list ends with the 1 that a 4 × 4 matrix wants behind a point, but for rounding."""
    item = np.asarray(answer).tolist()[-1] if isinstance(answer, _ARRAYS) else answer[-1]
    return isinstance(item, Real | Decimal) and near(float(item), 1, 1e-9)


def _is_nan(answer: Any) -> bool:
    return isinstance(answer, float) and not math.isfinite(answer)


def _of_shape(found: tuple[int, ...], shape: tuple[int, ...], what: str) -> str:
    start = f"{what} has shape {_said(shape)}; yours has {_said(found)}"
    if len(shape) > 1 and found == shape[::-1]:
        return f"{start}: its axes are in the opposite order, as in a transposed array."
    if len(shape) > 1 and sorted(found) == sorted(shape):
        return f"{start}: the axes are in another order."
    if len(found) == 1 and len(shape) > 1 and found[0] == math.prod(shape):
        return f"{start}: all numbers in one row. reshape gives it its axes."
    if tuple(n for n in found if n != 1) == shape:
        return f"{start}: an axis of length 1 is left over; squeeze() takes it away."
    # A point or a matrix has as many numbers as it has: nobody miscounts those by one.
    counted = math.prod(shape) > _FEW and len(found) == len(shape)
    if counted and all(abs(a - b) <= 1 for a, b in zip(found, shape, strict=True)):
        return f"{start}: off by one."
    return f"{start}."


def _said(shape: tuple[int, ...]) -> str:
    if not shape:
        return "() (a single thing)"
    return (
        f"({', '.join(map(str, shape[:8]))}{',' if len(shape) == 1 else ''}{', …' if len(shape) > 8 else ''})"
    )


def text(answer: Any, what: str) -> str:
    """Return an answer that is a text; bytes are read as ISO 8859-1."""
    if not isinstance(answer, str | bytes):
        raise Off(f"{what} is asked for, as text; this is {described(answer)}.")
    if len(answer) > _LONGEST:
        raise Off(f"{what} is asked for; this text is {len(answer)} characters long.")
    return answer.decode("latin-1") if isinstance(answer, bytes) else str(answer)


def names(answer: Any, what: str) -> list[str]:
    """Return an answer that is a collection of names; of a path it is the last part."""
    if isinstance(answer, str | bytes | PurePath):
        raise Off(f"{what} are asked for, as a list; this is a single one: put it into a list, […].")
    if isinstance(answer, dict) or not isinstance(answer, (*_LISTS, *_ARRAYS, set, frozenset)):
        raise Off(f"{what} are asked for, as a list; this is {described(answer)}.")
    if isinstance(answer, _ARRAYS):
        if answer.ndim != 1:
            raise Off(f"{what} are asked for, as a list; this is {described(answer)}.")
        size = int(answer.size)
    else:
        size = len(answer)
    if size > _LONGEST:
        raise Off(f"{what} are asked for; this list is {size} long.")
    items: Iterable[Any] = np.asarray(answer).tolist() if isinstance(answer, _ARRAYS) else answer
    return [item.name if isinstance(item, PurePath) else text(item, "a name") for item in items]


def near(found: Any, wanted: Any, within: float) -> bool:
    """Return whether both have one shape and differ nowhere by more than `within`."""
    a, b = np.asarray(found, dtype=float), np.asarray(wanted, dtype=float)
    return a.shape == b.shape and bool(np.all(np.abs(a - b) <= within))


def rounded(found: Any, wanted: Any, within: float) -> bool:
    """Return whether a number, or each of a few, is the wanted one with fewer digits: two at least, of the largest.

    What is whole needs no rounding, so a whole number that lies beside a whole one is a mistake.
    """
    a, b = np.asarray(found, dtype=float), np.asarray(wanted, dtype=float)
    if a.shape != b.shape or not 0 < b.size <= _FEW or within <= 0 or np.array_equal(b, np.rint(b)):
        return False
    unit = 10.0 ** (math.floor(math.log10(np.abs(b).max())) - 1)
    while unit > 2 * within:
        steps = a / unit
        if np.abs(steps - np.rint(steps)).max() < 1e-4 and np.abs(a - b).max() <= unit / 2:
            return True
        unit /= 10
    return False


def judged(
    found: Any,
    wanted: Any,
    *,
    within: float,
    good: str,
    mistakes: Iterable[tuple[Any, str]] = (),
    otherwise: str,
) -> Verdict:
    """Return the verdict on a number or an array.

    A right number with fewer digits than asked is told so. Where a mistake leads to that very number, both are said.

    Parameters
    ----------
    found, wanted
        The answer, as `number` or `numbers` read it, and the truth.
    within
        How far they may lie apart; an answer and what a mistake leads to, by no more than 1 % of that either.
    good
        What is said of a right answer.
    mistakes
        What typical mistakes lead to, and what is said of each.
    otherwise
        What is said of all other answers.
    """
    if near(found, wanted, within):
        return right(good)
    blunt = "right, but rounded: give more digits." if rounded(found, wanted, within) else ""
    for mistaken, name in mistakes:
        if near(found, mistaken, min(within, float(np.abs(mistaken).max()) / 100)):
            return wrong(f"{blunt} If you did not round: {name}" if blunt else name)
    return wrong(blunt or otherwise)


def millimetres(distance: float) -> str:
    """Return a distance in mm as one reads it: small ones with two digits, large ones whole.

    >>> millimetres(196.31), millimetres(0.1234)
    ('196 mm', '0.12 mm')
    """
    if distance >= 1e6:
        return "more than a kilometre"
    return f"{distance:.0f} mm" if distance >= 10 else f"{distance:.2g} mm"


def differences(found: Floats, wanted: Floats, within: float, axes: tuple[str, ...]) -> str:
    """Return how many numbers of an array differ, and where the first of them is."""
    off = np.abs(found - wanted) > within
    first = tuple(int(n) for n in np.argwhere(off)[0]) if off.any() else ()
    where = ", ".join(f"{axis} {n}" for axis, n in zip(axes, first, strict=False))
    count = int(np.count_nonzero(off))
    return f"{count} of {found.size} numbers differ" + (
        f"; at {where} yours is {found[first]:.6g}, which should be {wanted[first]:.6g}" if first else ""
    )
