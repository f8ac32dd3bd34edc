"""How labels travel with a mask: as ``attrs["labels"]``, or as coordinates along ``segment``."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from dicomlab.errors import DicomLabError
from dicomlab.masks.form import HIGHEST, SEGMENT, check_mask
from dicomlab.masks.labels import Label, Labels, Named
from dicomlab.masks.sizes import sizes
from dicomlab.masks.terms import Code

__all__ = ["labels_of", "segment_coords", "with_labels"]

_KEY = "labels"


def labels_of(mask: xr.DataArray) -> Labels:
    """The labels of a mask, in the order of their numbers; of a label map those that were named and those that occur.

    Names come from ``with_labels``, else from the coordinate ``label`` along ``segment``, the attributes ``flag_values`` and
    ``flag_meanings`` (CF conventions, 3.5), or the name of the array.

    Raises
    ------
    DicomLabError
        The values are no mask.
    """
    form = check_mask(mask)
    if form == "segments":
        found = _along_segments(mask)
    elif form == "bool":
        found = [_lone(mask)]
    else:
        named = {one.value: one for one in _kept(mask.attrs)} or _flags(mask.attrs)
        own = _own_name(mask) or "label"
        found = [
            named.get(value) or Label(value, f"{own} {value}")
            for value in sorted({*named, *(int(v) for v in present(mask))} - {0})
        ]
    return Labels(found, lambda: sizes(mask, [one.value for one in found]))


def with_labels(
    mask: xr.DataArray, labels: Named | Mapping[int, Named] | Iterable[Named] | None
) -> xr.DataArray:
    """The mask with its labels named, coloured and coded; values are not copied.

    Parameters
    ----------
    mask
        Any mask.
    labels
        Of a bool mask a name or a `Label`; else names or labels by number, or in the order of numbers from 1 on. Others that
        the mask has stay as they were. None forgets all.

    Raises
    ------
    DicomLabError
        The values are no mask; a bool mask was given several labels, or ``segment`` does not have that number.
    """
    form = check_mask(mask)
    if labels is None:
        given: dict[int, Label] = {}
    elif isinstance(labels, (str, Label)):
        given = {1: _label(1, labels)} if form != "segments" else {0: _label(1, labels)}
    elif isinstance(labels, Mapping):
        given = {int(value): _label(int(value), one) for value, one in labels.items()}
    else:
        listed = list(labels)
        given = {
            (one.value if isinstance(one, Label) else number): _label(
                one.value if isinstance(one, Label) else number, one
            )
            for number, one in enumerate(listed, start=1)
        }
    if form == "segments":
        return _on_segments(mask, given, forget=labels is None)
    if form == "bool":
        gone = [name for name in _COORDS if name in mask.coords]  # of a segment that was picked
        mask = mask.drop_vars(gone)
        if set(given) - {1}:
            raise DicomLabError(f"a mask of False and True has one label, found {sorted(given)}")
        made = mask.assign_attrs(
            {_KEY: json.dumps([one.to_json() for one in given.values()])} if given else {}
        )
        made.name = given[1].name if given else mask.name
        return made if given else made.drop_attrs(deep=False).assign_attrs(_without(mask.attrs))
    kept = {} if labels is None else {one.value: one for one in _kept(mask.attrs)} or _flags(mask.attrs)
    every = sorted((kept | given).values(), key=lambda one: one.value)
    made = mask.drop_attrs(deep=False).assign_attrs(_without(mask.attrs))
    return made.assign_attrs({_KEY: json.dumps([one.to_json() for one in every])})


def present(mask: xr.DataArray) -> npt.NDArray[np.intp]:
    """The numbers that occur in a label map; looked for part by part, as counting takes eight bytes a voxel."""
    if mask.chunks is not None:
        from dask.array import unique

        found: npt.NDArray[np.intp] = np.asarray(unique(mask.data).compute(), dtype=np.intp)
        return found
    values = np.asarray(mask.values)
    there = np.zeros(HIGHEST + 1, dtype=bool)
    for part in values if values.ndim > 2 else [values]:
        there[part.ravel()] = True
    return np.flatnonzero(there)


def _label(value: int, one: Named) -> Label:
    if isinstance(one, Label):
        return one if one.value == value else replace(one, value=value)
    return Label(value, one)


def _without(attrs: Mapping[Any, Any]) -> dict[Any, Any]:
    return {key: value for key, value in attrs.items() if key not in (_KEY, "flag_values", "flag_meanings")}


def _kept(attrs: Mapping[Any, Any]) -> list[Label]:
    text = attrs.get(_KEY)
    if not text:
        return []
    try:
        return [Label.from_json(one) for one in json.loads(text)]
    except (ValueError, TypeError, KeyError, AttributeError) as problem:
        raise DicomLabError(
            f"attrs['labels'] of the mask does not say what its labels are ({type(problem).__name__}); "
            "mask.dicom.with_labels({1: 'liver'}) says it anew"
        ) from problem


def _lone(mask: xr.DataArray) -> Label:
    """The label of a bool mask. One that was renamed, or made of a label map (``organs == 2``), is not what attributes say."""
    kept, own = _kept(mask.attrs), _own_name(mask)
    kept = (
        kept if [one.value for one in kept] == [1] else []
    )  # xarray keeps attributes, and these are those of the map
    if "label" in mask.coords and mask.coords["label"].ndim == 0:  # one segment, picked of several
        return _told(1, lambda name: str(mask.coords[name].values) if name in mask.coords else "")
    # What was combined of two masks has lost its name, and keeps the attributes of one of them.
    if kept and own == kept[0].name:
        return kept[0]
    return Label(1, own or "mask")


def _own_name(mask: xr.DataArray) -> str:
    """What the array is called; ``ct > 300`` still has the name of the CT, which is not its own."""
    name = str(mask.name or "")
    return "" if name.lower() in (str(mask.attrs.get("Modality", "")).lower(), "ct", "mr", "pt") else name


def _flags(attrs: Mapping[Any, Any]) -> dict[int, Label]:
    """Names of numbers, as the CF conventions write them (3.5 "Flags")."""
    values, meanings = np.atleast_1d(attrs.get("flag_values", ())), attrs.get("flag_meanings", "")
    names = meanings.split() if isinstance(meanings, str) else [str(one) for one in meanings]
    pairs = zip(values.tolist(), names, strict=False)
    return {
        int(value): Label(int(value), name.replace("_", " "))
        for value, name in pairs
        if 0 < int(value) <= HIGHEST
    }


_OF_CODES = ("category", "type", "side")
_COORDS = (
    "label",
    "colour",
    *_OF_CODES,
    *(f"{key}_{end}" for key in _OF_CODES for end in ("value", "scheme")),
)


def _along_segments(mask: xr.DataArray) -> list[Label]:
    count = mask.sizes[SEGMENT]
    numbers = [int(n) for n in mask.coords[SEGMENT].values] if SEGMENT in mask.coords else range(1, count + 1)

    def told(k: int, name: str) -> str:
        known = name in mask.coords and mask.coords[name].dims == (SEGMENT,)
        return str(mask.coords[name].values[k]) if known else ""

    return [_told(number, partial(told, k)) for k, number in enumerate(numbers)]


def _told(number: int, told: Callable[[str], str]) -> Label:
    """The label that coordinates tell of."""
    columns = {key: (told(f"{key}_value"), told(f"{key}_scheme"), told(key)) for key in _OF_CODES}
    codes = {key: Code(*parts) for key, parts in columns.items() if all(parts)}
    if ("category" in codes) != ("type" in codes):
        codes = {}
    return Label(number, told("label") or f"segment {number}", told("colour") or None, **codes)


def _on_segments(mask: xr.DataArray, given: Mapping[int, Label], *, forget: bool) -> xr.DataArray:
    if forget:
        return mask.drop_vars([name for name in _COORDS if name in mask.coords])
    known = _along_segments(mask)
    numbers = [one.value for one in known]
    if set(given) == {0}:  # one name for the one segment
        if len(known) != 1:
            raise DicomLabError(
                f"one label was given to {len(known)} segments; name them by number: {numbers}"
            )
        given = {numbers[0]: replace(given[0], value=numbers[0])}
    if strange := sorted(set(given) - set(numbers)):
        raise DicomLabError(f"there is no segment {strange[0]}; there are {numbers}")
    return mask.assign_coords(segment_coords([given.get(one.value, one) for one in known]))


def segment_coords(labels: Sequence[Label]) -> dict[str, Any]:
    """Coordinates along ``segment`` that say what each is."""
    about: dict[str, Any] = {
        SEGMENT: (
            SEGMENT,
            np.array([one.value for one in labels], np.int64),
            {"long_name": "Segment Number (0062,0004)"},
        ),
        "label": (SEGMENT, np.array([one.name for one in labels], dtype=str)),
        "colour": (SEGMENT, np.array([one.colour for one in labels], dtype=str)),
    }
    for key in _OF_CODES:
        codes: list[Code | None] = [getattr(one, key) for one in labels]
        if key == "side" and not any(codes):
            continue
        for end, field in (("", "meaning"), ("_value", "value"), ("_scheme", "scheme")):
            about[key + end] = (
                SEGMENT,
                np.array([getattr(c, field) if c else "" for c in codes], dtype=str),
            )
    return about
