"""A volume as other libraries take it, one array and one affine, and back: `Bare`, `volume_of`.

What they cannot hold is refused here, with the reason and what mends it: uneven slices, a tilt that they would square, labels
that form no even series. ``docs/exchange.md`` has the table.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from dicomlab.datasets import take_one
from dicomlab.errors import DicomLabError, GeometryError, UnsupportedError
from dicomlab.flat import SAMPLES
from dicomlab.geometry import AXES, Geometry
from dicomlab.volumes import attrs_of, make_volume
from dicomlab.warn import warn_user

__all__ = ["Bare", "Further", "Labels", "corner_shift", "volume_of"]

FloatArray = npt.NDArray[np.float64]
Labels = Mapping[str, npt.ArrayLike | None]

_EVEN, _EVEN_TIMES = 1e-6, 0.01
"""Part of the step by which numbers along a further axis may lie beside an even series; clocks of scanners jitter."""

_SECONDS = {"s": 1, "": 1, "ms": 1000}
"""How many of a unit are a second."""


@dataclass(frozen=True)
class Further:
    """An axis beside slice, row and column.

    Parameters
    ----------
    name
        Name of the dimension.
    size
        Number of steps.
    start, step
        Numbers along it are ``start + step * k``; `step` is NaN where nobody knows them, 0 where there is only one.
    units
        Of these numbers.
    """

    name: str
    size: int
    start: float = 0.0
    step: float = float("nan")
    units: str = ""

    @property
    def is_numbered(self) -> bool:
        """Whether the numbers along the axis are known."""
        return not np.isnan(self.step)

    @classmethod
    def of(cls, volume: xr.DataArray, name: str, *, purpose: str, only_time: bool = False) -> Further:
        """The axis of a volume; without numbers where they form no even series, which is said. Times come in seconds.

        `only_time`: other axes have no numbers at all where it is written.

        Raises
        ------
        DicomLabError
            The axis is time and uneven, for other libraries would compute moments from a step; or in another unit.
        """
        size = volume.sizes[name]
        if name not in volume.coords:
            return cls(name, size)
        labels = np.asarray(volume.coords[name].values)
        units = str(volume.coords[name].attrs.get("units", ""))
        if (name == "time" or not only_time) and labels.dtype.kind in "iuf" and np.isfinite(labels).all():
            numbers = labels.astype(np.float64)
            step = (numbers[-1] - numbers[0]) / (size - 1) if size > 1 else 0.0
            off = float(np.max(np.abs(numbers - np.linspace(numbers[0], numbers[-1], size))))
            if size == 1 or (step > 0 and off <= (_EVEN_TIMES if name == "time" else _EVEN) * step):
                if name != "time":
                    return cls(name, size, float(numbers[0]), float(step), units)
                if units in _SECONDS:
                    return cls(
                        name, size, float(numbers[0]) / _SECONDS[units], float(step) / _SECONDS[units], "s"
                    )
                raise DicomLabError(f"{purpose} holds times in seconds; those of this volume are in {units}")
        shown = ", ".join(map(str, labels.tolist()[:6])) + (", …" if size > 6 else "")
        if name == "time":
            raise DicomLabError(
                f"{purpose} holds times as a first one and one step; these are no such series: {shown}. "
                'Keep them aside and write the volume without: volume.drop_vars("time").'
            )
        warn_user(
            f"{purpose} has no place for the labels of {name} ({shown}); give them back when you read: "
            f"labels={{{name!r}: […]}}"
        )
        return cls(name, size)


@dataclass(frozen=True, eq=False)
class Bare:
    """A volume without its coordinates.

    Parameters
    ----------
    values
        Axes ``(*further, slice, row, column)``, in colour with ``sample`` at the end; native byte order. Not copied where
        the dtype may stay.
    affine
        Shape ``(4, 4)``: ``(slice, row, column, 1)`` index to LPS mm.
    geometry
        Where the voxels are.
    names
        The further axes, in the order of `values`; time is the last of them.
    is_colour
        Whether the last axis holds red, green and blue.
    units
        Of the values.
    """

    values: npt.NDArray[Any]
    affine: FloatArray
    geometry: Geometry
    names: tuple[str, ...]
    is_colour: bool
    units: str

    @classmethod
    def of(
        cls, volume: xr.DataArray, *, purpose: str, dtypes: Collection[str], tilt: float | None = None
    ) -> Bare:
        """The volume as one array and one affine.

        Parameters
        ----------
        volume
            Dims slice, row, column and others, in any order.
        purpose
            What it is for: the subject of the sentence when it is refused.
        dtypes
            Names of the types of number that can be held. bool becomes uint8, and float16 float32, where they are not among
            them.
        tilt
            Degrees of gantry tilt up to which the slice axis counts as square to the slices; None takes any.

        Raises
        ------
        GeometryError
            The volume has no patient geometry or lacks an axis, its slices are uneven, or it is tilted by more than `tilt`.
        UnsupportedError
            The values are of another type.
        """
        if isinstance(volume, xr.Dataset):
            raise GeometryError(take_one(volume))
        geometry = Geometry.from_volume(volume)
        if any(name not in volume.dims for name in AXES) or volume.size == 0:
            raise GeometryError(
                f"{purpose} needs voxels along {', '.join(AXES)}; found {dict(volume.sizes)}. isel(slice=[k]) instead of an "
                "integer keeps the axis."
            )
        affine = geometry.affine
        if tilt is not None and geometry.tilt > tilt:
            raise GeometryError(
                f"{purpose} takes the slice axis to be perpendicular to the slices; here it is tilted by {geometry.tilt:.3g} "
                "degrees. volume.dicom.rectify() makes an upright grid by interpolation."
            )
        is_colour = _is_colour(volume)
        names = [str(dim) for dim in volume.dims if dim not in (*AXES, *(("sample",) if is_colour else ()))]
        names.sort(key=lambda name: name == "time")
        turned = volume.transpose(*names, *AXES, *(("sample",) if is_colour else ()))
        units = str(attrs_of(volume).get("units", ""))
        return cls(_held(turned.values, dtypes, purpose), affine, geometry, tuple(names), is_colour, units)


def _is_colour(volume: xr.DataArray) -> bool:
    return volume.sizes.get("sample") == len(SAMPLES) and (
        "sample" not in volume.coords or tuple(map(str, volume.coords["sample"].values)) == SAMPLES
    )


def _held(values: npt.NDArray[Any], dtypes: Collection[str], purpose: str) -> npt.NDArray[Any]:
    """The same values in a type of number among `dtypes`, native byte order."""
    dtype = values.dtype.newbyteorder("=")
    for name, wider in (("bool", np.uint8), ("float16", np.float32)):
        if dtype.name == name not in dtypes:
            dtype = np.dtype(wider)
    if dtype.name not in dtypes:
        raise UnsupportedError(
            f"{purpose} holds no {dtype} values; it holds {', '.join(dtypes)}. Convert them first: volume.astype(…)"
        )
    return values.astype(dtype, copy=False)


def volume_of(
    values: npt.NDArray[Any],
    affine: npt.ArrayLike,
    *,
    found: Sequence[Further] = (),
    labels: Labels | None = None,
    last: str | None = None,
    frame_of_reference: str | None = None,
    units: str | None = None,
    name: str | None = None,
    like: xr.DataArray | None = None,
    attrs: Mapping[str, Any] | None = None,
) -> xr.DataArray:
    """The volume of an array and an affine.

    Parameters
    ----------
    values
        Axes ``(*found, slice, row, column)``, with one more at the end if `last` names it.
    affine
        Shape ``(4, 4)``: ``(slice, row, column, 1)`` index to LPS mm.
    found
        What is known of the further axes, in the order of `values`.
    labels
        What the user knows of them, in the same order: names, and labels or None for the numbers that were found.
    last
        Dimension after columns; red, green and blue if it is ``"sample"``.
    frame_of_reference, units, name, attrs
        As for `make_volume`.
    like
        A volume that the array was made of, which gives what is not given here: its frame of reference, name and unit; and the
        windows and the modality that go with this unit.

    Raises
    ------
    GeometryError
        The affine is no grid of image planes, or `like` is no volume.
    DicomLabError
        `labels` do not fit, or `frame_of_reference` is no text.
    """
    if frame_of_reference is not None and not isinstance(frame_of_reference, str):
        raise DicomLabError(
            f"frame_of_reference= is a Frame of Reference UID (0020,0052), found {type(frame_of_reference).__name__}; "
            "like= takes a volume"
        )
    if like is not None:
        frame_of_reference = frame_of_reference or Geometry.from_volume(like).frame_of_reference
        name = name or (None if like.name is None else str(like.name))
        told = attrs_of(like)
        if units in (None, told.get("units")):
            kept = {key: told[key] for key in _GO_WITH_UNITS if key in told}
            units, attrs = kept.pop("units", units), kept | dict(attrs or {})
    if labels is not None and len(labels) != len(found):
        raise DicomLabError(
            f"labels= names {len(labels)} axes ({', '.join(labels) or 'none'}); beside slice, row and column there are "
            f"{len(found)}, of {', '.join(str(axis.size) for axis in found) or 'no'} steps"
        )
    given = dict(labels) if labels is not None else {axis.name: None for axis in found}
    coords: dict[str, Any] = {}
    for axis, (dim, these) in zip(found, given.items(), strict=True):
        if dim in (*AXES, last):
            raise DicomLabError(f"labels= names a further axis {dim!r}, which every volume has")
        if these is not None:
            listed = np.asarray(these)
            if listed.shape != (axis.size,):
                raise DicomLabError(
                    f"labels= has {listed.size} labels of shape {listed.shape} for {dim}, which has {axis.size} steps"
                )
            coords[dim] = (dim, listed)
        elif axis.is_numbered:
            coords[dim] = (
                dim,
                axis.start + axis.step * np.arange(axis.size),
                {"units": axis.units} if axis.units else {},
            )
    if last == "sample":
        coords["sample"] = ("sample", np.array(SAMPLES))
    return make_volume(
        values,
        affine=affine,
        frame_of_reference=frame_of_reference,
        units=units,
        name=name,
        attrs=attrs,
        dims=(*given, *AXES, *((last,) if last else ())),
        coords=coords,
    )


_GO_WITH_UNITS = (
    "units",
    "Modality",
    "PhotometricInterpretation",
    "WindowCenter",
    "WindowWidth",
    "WindowCenterWidthExplanation",
    "VOILUTFunction",
    "VOILUTs",
)
"""What is said of values, and holds for others of their kind."""


def corner_shift(one: npt.ArrayLike, other: npt.ArrayLike, shape: Sequence[int]) -> float:
    """How far (mm) two affines put a corner of a grid of this shape apart, at most; index order is that of the affines."""
    last = np.array(shape, dtype=np.float64) - 1
    corners = np.stack(np.meshgrid(*((0.0, n) for n in last), [1.0], indexing="ij"), axis=-1).reshape(-1, 4)
    apart = corners @ (np.asarray(one, np.float64) - np.asarray(other, np.float64)).T
    return float(np.max(np.linalg.norm(apart[:, :3], axis=1)))
