"""Windows to choose from: those that a file offers, the customary ones, and one made from the values.

Only numpy is needed here; what a window does is in `dicomlab.voi`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from types import MappingProxyType
from typing import Any, TypeAlias, cast

import numpy as np
import numpy.typing as npt

from dicomlab.errors import WindowError
from dicomlab.voi import AnyWindow, VoiFunction, VoiLut, Window, apply_window

__all__ = [
    "SUV_WINDOW",
    "WINDOWS",
    "AnyWindow",
    "VoiFunction",
    "Window",
    "WindowLike",
    "apply_window",
    "auto_window",
    "file_windows",
    "named_windows",
    "resolve_window",
    "shown_inverted",
    "window_attrs",
    "windows_from_attrs",
    "with_window_lists",
]

# 0.1 % of this many values is 262: enough for a steady percentile, and sorting them takes a few milliseconds.
_SAMPLE = 1 << 18

WindowLike: TypeAlias = AnyWindow | str | tuple[float, float]


def auto_window(values: npt.ArrayLike) -> Window:
    """Return a window that spans the 0.1 to 99.9 percentile of the values.

    NaN and infinities do not count, nor does a lone lowest value far from all others (the padding outside a
    round field of view). Of a huge array an even, always equal, sample is taken. The function is
    ``LINEAR_EXACT``, so that parametric maps whose range is below 1 are possible; a constant array gets the
    width 1 around its value. False and True are always black and white.
    """
    array = np.asarray(values)
    if array.dtype == np.bool_:
        return Window(0.5, 1.0, "LINEAR_EXACT", "auto")
    # `flat` reads a view of a huge or flipped array without copying the whole of it.
    sample = np.asarray(array.flat[:: _stride(array.shape)], dtype=np.float64)
    sample = np.sort(sample[np.isfinite(sample)])
    if sample.size == 0:
        return Window(0.0, 1.0, "LINEAR_EXACT", "auto")
    sample = _without_padding(sample)
    low, high = (float(v) for v in np.percentile(sample, (0.1, 99.9)))
    if low == high:  # Fewer than 0.1 % of the voxels differ, as in a mask of something small.
        low, high = float(sample[0]), float(sample[-1])
    width = high - low
    if not (0 < width < math.inf):
        return Window(low, 1.0, "LINEAR_EXACT", "auto")
    return Window(low + width / 2, width, "LINEAR_EXACT", "auto")


def _stride(shape: tuple[int, ...]) -> int:
    """Return a step through the flattened array that visits every row and column about equally often."""
    stride = -(-math.prod(shape) // _SAMPLE) or 1
    while stride > 1 and any(math.gcd(stride, n) > 1 for n in shape if n > 1):
        stride += 1
    return stride


def _without_padding(ordered: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the sorted values without a lone lowest one that is far below a crowd of others."""
    rest = ordered[np.searchsorted(ordered, ordered[0], side="right") :]
    # A mask or a label image has a few values, each of which counts, the background too.
    if rest.size == 0 or np.count_nonzero(np.diff(rest)) < 32:
        return ordered
    low, high = np.percentile(rest, (0.1, 99.9))
    return rest if rest[0] - ordered[0] > 0.1 * (high - low) else ordered


def _presets(**widths_levels: tuple[float, float]) -> Mapping[str, Window]:
    names = {key.replace("_", " "): pair for key, pair in widths_levels.items()}
    return MappingProxyType({name: Window(c, w, explanation=name) for name, (w, c) in names.items()})


WINDOWS: Mapping[str, Mapping[str, Window]] = MappingProxyType(
    {
        # width, level, in HU
        "CT": _presets(
            soft_tissue=(400, 40),
            lung=(1500, -600),
            bone=(2500, 480),
            brain=(80, 40),
            liver=(150, 90),
            mediastinum=(350, 50),
            stroke=(40, 40),
            subdural=(150, 70),
        ),
        # Bq/ml depends on dose, weight and decay: no fixed window is right for it.
        "PT": _presets(),
    }
)
"""Customary windows: ``WINDOWS["CT"]["lung"]``. Those of CT are in HU."""


SUV_WINDOW = Window(2.5, 5, "LINEAR_EXACT", "SUV 0 to 5")
"""The customary window of SUV by weight or lean mass; offered for such values only, never for Bq/ml."""


def _is_suv(attrs: Mapping[str, Any]) -> bool:
    # SUV by body surface runs to some hundreds in cm2/ml.
    units = str(attrs.get("units", ""))
    return units.startswith("SUV") and units != "SUVbsa"


def window_attrs(windows: Iterable[AnyWindow]) -> dict[str, Any]:
    """Return the attributes of a volume that say which windows it offers, of types that netCDF can hold.

    Those of windows are as in DICOM, several texts apart by a backslash. VOI LUTs are lines of ``VOILUTs``,
    each after its place among all.
    """
    offered = list(windows)
    plain = [window for window in offered if isinstance(window, Window)]
    tables = [f"{place} {lut.to_text()}" for place, lut in enumerate(offered) if isinstance(lut, VoiLut)]
    attrs: dict[str, Any] = {}
    if plain:
        attrs["WindowCenter"] = [window.center for window in plain]
        attrs["WindowWidth"] = [window.width for window in plain]
        explanations = [window.explanation.replace("\\", "/") for window in plain]
        if any(explanations):
            attrs["WindowCenterWidthExplanation"] = "\\".join(explanations)
        functions = [window.function for window in plain]
        if set(functions) != {"LINEAR"}:
            attrs["VOILUTFunction"] = functions[0] if len(set(functions)) == 1 else "\\".join(functions)
    if tables:
        attrs["VOILUTs"] = "\n".join(tables)
    return attrs


def with_window_lists(attrs: Mapping[Any, Any]) -> dict[Any, Any]:
    """The same attributes; the number of a lone window, as it comes back from a netCDF file, is the list of one that it was."""
    lists = {
        name: [float(attrs[name])]
        for name in ("WindowCenter", "WindowWidth")
        if isinstance(attrs.get(name), (int, float, np.number))
    }
    return {**attrs, **lists}


def windows_from_attrs(attrs: Mapping[str, Any]) -> tuple[AnyWindow, ...]:
    """Return the windows that the file offers, in its order, from the attributes of a volume.

    What the standard does not allow (a missing number, a width of 0, an unknown function) is left out: a bad
    window hides no voxel and moves none, and the next best window is at hand.
    """
    centers, widths = _listed(attrs.get("WindowCenter")), _listed(attrs.get("WindowWidth"))
    explanations = _listed(attrs.get("WindowCenterWidthExplanation"))
    if len(explanations) == 1:  # A netCDF attribute is one string: DICOM's own separator divides it.
        explanations = str(explanations[0]).split("\\")
    explanations += [""] * (len(centers) - len(explanations))
    functions = str(attrs.get("VOILUTFunction") or "LINEAR").upper().split("\\")
    functions += functions[:1] * (len(centers) - len(functions))
    found: list[AnyWindow | None] = []
    for center, width, function, explanation in zip(centers, widths, functions, explanations, strict=False):
        try:
            found.append(Window(center, width, cast(VoiFunction, function.strip()), str(explanation)))
        except WindowError:
            found.append(None)  # keeps the places of the tables
    for line in str(attrs.get("VOILUTs") or "").splitlines():
        place, _, text = line.partition(" ")
        with suppress(WindowError, ValueError):
            found.insert(int(place), VoiLut.from_text(text))
    return tuple(window for window in found if window is not None)


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    if isinstance(value, str) or not isinstance(value, Iterable):
        return [value]
    return list(value)


def file_windows(attrs: Mapping[str, Any]) -> dict[str, AnyWindow]:
    """Return the windows that the file offers by name; one without an explanation is called "file window"."""
    named: dict[str, AnyWindow] = {}
    windows = windows_from_attrs(attrs)
    unnamed = [window for window in windows if not window.explanation]
    for window in windows:
        # Two windows of one name happen; the first keeps it, as the file puts the preferred one first.
        if window.explanation:
            named.setdefault(window.explanation, window)
        elif len(unnamed) == 1:
            named.setdefault("file window", window)
        else:
            number = 1 + sum(name.startswith("file window ") for name in named)
            named.setdefault(f"file window {number}", window)
    return named


def named_windows(attrs: Mapping[str, Any]) -> dict[str, AnyWindow]:
    """Return the windows that can be asked for by name: those of the file first, then the presets.

    The presets of CT are offered only for values in HU, that of SUV only for SUV. Of two equal names the
    file's keeps it; "BONE" and "bone" are not equal.
    """
    named = file_windows(attrs)
    if _is_suv(attrs):
        named.setdefault(SUV_WINDOW.explanation, SUV_WINDOW)
    modality = attrs.get("Modality")
    if modality != "CT" or attrs.get("units") == "HU":
        for name, window in WINDOWS.get(str(modality), {}).items():
            named.setdefault(name, window)
    return named


def resolve_window(
    window: WindowLike | None, attrs: Mapping[str, Any], values: Callable[[], npt.ArrayLike]
) -> AnyWindow:
    """Return the window meant by a name, a pair, a `Window`, a `VoiLut` or nothing.

    Parameters
    ----------
    window
        A `Window` or `VoiLut`; ``(center, width)``; a name: one of `named_windows` or ``"auto"``, in any case where only
        one is meant; or None for SUV 0 to 5 where values are SUV, else the file's first window and, where the file
        has none, the automatic one.
    attrs
        Attributes of the volume.
    values
        Gives the array in the units of the volume; called only when an automatic window needs it, as the
        values of a lazy volume are costly.

    Raises
    ------
    WindowError
        There is no window of that name or more than one, or the numbers are not allowed.
    """
    if isinstance(window, Window | VoiLut):
        return window
    if isinstance(window, str):
        found = _by_name(window.strip(), attrs)
        if found is not None:
            return found
    elif window is not None:
        try:
            center, width = window
        except (TypeError, ValueError):
            raise WindowError(
                f"A window is asked for as a name, a Window or a pair (center, width); found {window!r}."
            ) from None
        # A pair narrower than the standard's LINEAR allows can only mean the exact function.
        narrow = isinstance(width, int | float) and 0 < width < 1
        return Window(center, width, "LINEAR_EXACT" if narrow else "LINEAR")
    elif _is_suv(attrs):
        return SUV_WINDOW
    elif offered_by_file := windows_from_attrs(attrs):
        return offered_by_file[0]
    return auto_window(values())


def _by_name(name: str, attrs: Mapping[str, Any]) -> AnyWindow | None:
    """Return the window of a name, None for the automatic one; the exact spelling comes first."""
    named: dict[str, AnyWindow | None] = {"auto": None, **named_windows(attrs)}
    if name in named:
        return named[name]
    alike = [other for other in named if other.casefold() == name.casefold()]
    if len(alike) == 1:
        return named[alike[0]]
    own = file_windows(attrs)
    offered = ", ".join(
        repr(other) + (" (file)" if other in own else "") + (f" {window}" if window else "")
        for other, window in named.items()
        if other in alike or not alike
    )
    if alike:
        raise WindowError(
            f"A window named {name!r} was asked for, which may mean {offered}: write it as here."
        )
    raise WindowError(f"A window named {name!r} was asked for; this volume has: {offered}.")


def shown_inverted(attrs: Mapping[str, Any]) -> bool:
    """Return whether low values are shown white: MONOCHROME1 (PS3.3 C.7.6.3.1.2), and PET by custom."""
    return attrs.get("PhotometricInterpretation") == "MONOCHROME1" or attrs.get("Modality") == "PT"
