"""From a PET volume in Bq/ml to SUV, with the factors that reading left in its attributes."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from dicomlab.errors import SuvError, WindowError
from dicomlab.warn import warn_user
from dicomlab.windowing import Window, windows_from_attrs

__all__ = ["to_suv"]


def to_suv(volume: xr.DataArray, kind: str = "bw") -> xr.DataArray:
    """Standardized uptake values of a PET volume, float32 in g/ml (``"bsa"``: cm2/ml), on the same grid.

    Windows of the file are scaled along. Where the headers had to be read against the letter (a dose in MBq, say), a
    warning says so.

    Parameters
    ----------
    volume
        As `dicomlab.load_volume` returns it, or a part of it, in the unit of its files (Bq/ml, g/ml, counts of Philips).
    kind
        ``"bw"``, ``"lbm"``, ``"lbmjames128"``, ``"lbmjanma"``, ``"bsa"`` or ``"ibw"``: the terms of SUV Type (0054,1006).

    Raises
    ------
    SuvError
        The volume has no factor for this kind of SUV; the message names the attribute that is missing or wrong.

    Warns
    -----
    DicomLabWarning
        Something was assumed; the sentence is in ``attrs["suv_assumed"]`` too.

    References
    ----------
    PS3.3 C.8.9.1.1.3 "Units", C.8.9.1 "SUV Type"; "SUV" in ``docs/conventions.md``.
    """
    attrs = dict(volume.attrs)
    kind, units = kind.lower(), f"SUV{kind.lower()}"
    if attrs.get("units") == units:
        return volume
    factor = attrs.get(f"suv_{kind}_factor")
    if factor is None:
        raise SuvError(_why_not(attrs, kind))
    scale: Any = float(factor)
    if "suv_slice_mm" in attrs:
        scale = scale * _slice_correction(volume)
    found: xr.DataArray = (volume.astype(np.float64) * scale).transpose(*volume.dims).astype(np.float32)
    sentences = _said(attrs, "suv_assumed", kind)
    warn_user(*(f"SUV: {sentence}." for sentence in sentences))
    assumed = "\n".join(sentences)
    windows = _scaled_windows(attrs, scale) if isinstance(scale, float) else {}
    for name in [name for name in attrs if str(name).startswith("suv_") or name in _WINDOW]:
        del attrs[name]
    factors = f"{scale:g}" if isinstance(scale, float) else "a factor by slice"
    before = f"; before: {attrs['value_transform']}" if "value_transform" in attrs else ""
    attrs["value_transform"] = f"SUV: values × {factors}, by dose and body, decay corrected{before}"
    attrs |= {"units": units, **windows, **({"suv_assumed": assumed} if assumed else {})}
    found.attrs = attrs
    return found


_WINDOW = ("WindowCenter", "WindowWidth", "WindowCenterWidthExplanation", "VOILUTFunction", "VOILUTs")


def _said(attrs: dict[Any, Any], name: str, kind: str) -> list[str]:
    """Sentences of an attribute of lines ``kinds: sentence`` that concern `kind`."""
    lines = (line.partition(": ") for line in str(attrs.get(name, "")).splitlines())
    return [sentence for kinds, _, sentence in lines if kind in kinds.split(", ")]


def _why_not(attrs: dict[Any, Any], kind: str) -> str:
    units = str(attrs.get("units", "")) or "no unit"
    offered = [
        str(name)[4:-7] for name in attrs if str(name).startswith("suv_") and str(name).endswith("_factor")
    ]
    reasons = _said(attrs, "suv_missing", kind)
    if reasons:
        others = f" There is a factor for {', '.join(offered)}." if offered else ""
        return f"SUV ({kind}) cannot be computed: {'; '.join(reasons)}. The volume stays in {units}.{others}"
    if units.startswith("SUV"):
        return f"SUV{kind} was asked for and the values are {units}: convert the volume that was loaded, not its SUV."
    if offered:
        return f"there is no kind of SUV called {kind!r}; this volume has {', '.join(offered)}."
    return (
        f"SUV ({kind}) needs a PET volume from load_volume, whose attributes hold the factors; this one has none "
        f"(values: {units})."
    )


def _slice_correction(volume: xr.DataArray) -> xr.DataArray:
    """What each slice's factor is multiplied by, found by its position."""
    if "slice" not in volume.coords:
        raise SuvError(
            "the factor differs from slice to slice, and this array does not know its slice positions any more."
        )
    known = np.atleast_1d(np.asarray(volume.attrs["suv_slice_mm"], np.float64))
    corrections = np.atleast_1d(np.asarray(volume.attrs["suv_slice_correction"], np.float64))
    positions = volume.coords["slice"]
    apart = np.abs(positions.values[..., np.newaxis] - known)
    near = np.min(np.diff(np.sort(known)), initial=np.inf) / 4
    if not np.all(apart.min(axis=-1) <= min(near, 1.0)):
        raise SuvError(
            "the factor differs from slice to slice, and some slices are not where one was acquired; call .dicom.suv() before "
            "resampling."
        )
    return xr.DataArray(corrections[apart.argmin(axis=-1)], dims=positions.dims)


def _scaled_windows(attrs: dict[Any, Any], scale: float) -> dict[str, Any]:
    """The file's windows for the scaled values, painting every pixel as before."""
    scaled = []
    for window in windows_from_attrs(attrs):
        if not isinstance(window, Window):
            continue  # a table for whole numbers of the old unit has no like in fractions
        center, width, function = window.center, window.width, window.function
        if function == "LINEAR":  # its halves (C.11.2.1.2.1) are in the old unit; LINEAR_EXACT has none
            center, width, function = center - 0.5, width - 1, "LINEAR_EXACT"
        try:
            scaled.append(Window(center * scale, width * scale, function, window.explanation))
        except WindowError:  # a LINEAR window of width 1 is a threshold, which LINEAR_EXACT cannot say
            continue
    if not scaled:
        return {}
    found: dict[str, Any] = {
        "WindowCenter": [window.center for window in scaled],
        "WindowWidth": [window.width for window in scaled],
        "VOILUTFunction": scaled[0].function
        if len({window.function for window in scaled}) == 1
        else "\\".join(window.function for window in scaled),
    }
    if any(window.explanation for window in scaled):
        found["WindowCenterWidthExplanation"] = "\\".join(window.explanation for window in scaled)
    return found
