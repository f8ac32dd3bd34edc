"""Extra axes as the attributes of images that tell their steps apart: `Steps`."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr
from pydicom.dataset import Dataset

from dicomlab.errors import UnsupportedError
from dicomlab.export.place import decimal
from dicomlab.geometry import AXES
from dicomlab.volumes import attrs_of

__all__ = ["COMPONENT", "COMPONENTS", "Steps"]

COMPONENT = "component"
"""The axis of magnitude and phase, real and imaginary part."""

COMPONENTS = MappingProxyType({"magnitude": "M", "phase": "P", "real": "R", "imaginary": "I"})
"""Labels of the axis ``component``, and the value of Image Type that makers use for each."""


@dataclass(frozen=True)
class _Axis:
    """One meaning of an axis: the unit of its labels, what writes one of them, the modality that it belongs to."""

    units: str
    write: Callable[[Dataset, Any], None]
    modality: str = ""


def _decimal(keyword: str) -> Callable[[Dataset, Any], None]:
    return lambda image, label: setattr(image, keyword, decimal(label))


def _whole(keyword: str) -> Callable[[Dataset, Any], None]:
    def write(image: Dataset, label: Any) -> None:
        if float(label) != int(label):
            raise UnsupportedError(f"{keyword} is a whole number, found {label}")
        setattr(image, keyword, int(label))

    return write


def _time(image: Dataset, label: Any) -> None:
    offset = Dataset()
    offset.TemporalPositionTimeOffset = float(label)
    image.TemporalPositionSequence = [offset]


def _component(image: Dataset, label: Any) -> None:
    if label not in COMPONENTS:
        raise UnsupportedError(f"component is one of {', '.join(COMPONENTS)}, found {label!r}")
    image.ComplexImageComponent = str(label).upper()


def _b_value(image: Dataset, label: Any) -> None:
    image.DiffusionBValue = float(label)
    if label == 0:
        image.DiffusionDirectionality = "NONE"


_KNOWN: Mapping[str, _Axis] = MappingProxyType(
    {
        "component": _Axis("", _component, "MR"),
        "tube_voltage": _Axis("kV", _decimal("KVP")),
        "time": _Axis("s", _time),
        "temporal_position": _Axis("", _whole("TemporalPositionIdentifier")),
        "acquisition_number": _Axis("", _whole("AcquisitionNumber")),
        "b_value": _Axis("s/mm2", _b_value, "MR"),
        "echo_time": _Axis("ms", _decimal("EchoTime")),
        "inversion_time": _Axis("ms", _decimal("InversionTime")),
        "flip_angle": _Axis("degrees", _decimal("FlipAngle")),
    }
)
_VECTOR = tuple(f"b_vector_{axis}" for axis in "xyz")


class Steps:
    """The steps of the axes before slice, row and column.

    Parameters
    ----------
    volume
        Dims ``(…, slice, row, column)``.
    modality
        Of the series to be written.

    Raises
    ------
    UnsupportedError
        An axis has no meaning that attributes of ordinary images could tell, no labels, or labels that tell nothing apart.
    """

    def __init__(self, volume: xr.DataArray, modality: str) -> None:
        self.dims = tuple(str(dim) for dim in volume.dims if dim not in AXES)
        self.shape = tuple(volume.sizes[dim] for dim in self.dims)
        self._volume = volume
        self._units = attrs_of(volume).get("units") or ""
        for dim in self.dims:
            _check(volume, dim, modality)
        if {"time", "temporal_position"} <= {*self.dims}:
            raise UnsupportedError(
                "time and temporal_position are two axes here, and an image has one number for both"
            )
        self._modality = modality
        # What stands beside an axis, or is left of one that was picked away, is as true of the images.
        self._labels: dict[str, tuple[tuple[str, ...], npt.NDArray[Any]]] = {}
        for name, coordinate in volume.coords.items():
            dims = tuple(map(str, coordinate.dims))
            if name not in AXES and (dims == () or (len(dims) == 1 and dims[0] in self.dims)):
                self._labels[str(name)] = dims, np.asarray(coordinate.values)

    def labels(self, index: tuple[int, ...]) -> dict[str, Hashable]:
        """What is known of the steps at this index, axes that were picked away included."""
        at = dict(zip(self.dims, index, strict=True))
        return {
            name: (values[at[dims[0]]] if dims else values[()]).item()
            for name, (dims, values) in self._labels.items()
        }

    def units(self, index: tuple[int, ...]) -> str:
        """Unit of the values there."""
        along = self._volume.coords.get("units")
        if along is None or along.ndim != 1 or along.dims[0] not in self.dims:
            return str(self._units)
        return str(along.values[index[self.dims.index(str(along.dims[0]))]])

    def attributes(self, index: tuple[int, ...]) -> Dataset:
        """What the images of the steps at this index say of them."""
        image, labels = Dataset(), self.labels(index)
        for name, label in labels.items():
            known = _KNOWN.get(name)
            # A time that was picked away numbers nothing any more.
            lone = name not in self.dims and name in ("time", "temporal_position")
            if known and known.modality in ("", self._modality) and not lone and not _is_missing(label):
                known.write(image, label)
        vector = [labels.get(name) for name in _VECTOR]
        if "DiffusionBValue" in image and image.DiffusionBValue > 0 and not any(map(_is_missing, vector)):
            image.DiffusionDirectionality = "DIRECTIONAL"
            image.DiffusionGradientOrientation = vector
        if "time" in self.dims:
            moments = self._labels["time"][1]
            image.TemporalPositionIdentifier = 1 + int(np.sum(moments < labels["time"]))
            image.NumberOfTemporalPositions = moments.size
        if "echo_time" in self.dims:
            image.EchoNumbers = 1 + int(np.sum(self._labels["echo_time"][1] < labels["echo_time"]))
        return image


def _is_missing(label: Any) -> bool:
    return label is None or (isinstance(label, float) and math.isnan(label))


def _check(volume: xr.DataArray, dim: str, modality: str) -> None:
    known = _KNOWN.get(dim)
    if known is None:
        raise UnsupportedError(
            f"no attribute of an ordinary image tells the steps of the axis {dim!r}; those of {', '.join(_KNOWN)} have one. "
            f"Pick a step and write it as a series of its own, for instance volume.isel({dim}=0), or rename the axis to "
            "what it is."
        )
    if known.modality not in ("", modality):
        raise UnsupportedError(
            f"the axis {dim!r} is told by attributes of {known.modality} images alone, and this volume is {modality}: pick a "
            f"step and write it as a series of its own, for instance volume.isel({dim}=0)"
        )
    if dim not in volume.coords:
        raise UnsupportedError(
            f"the axis {dim!r} has no labels, so nothing would tell its steps apart: volume.assign_coords({dim}=[…])"
        )
    coordinate = volume.coords[dim]
    units = str(coordinate.attrs.get("units", known.units))
    if units != known.units:
        raise UnsupportedError(
            f"the labels of {dim!r} are in {units}; {known.units or 'no unit'} was expected. Convert them, and say so in "
            f"volume.{dim}.attrs['units']."
        )
    labels = coordinate.values
    if dim != "component" and labels.dtype.kind not in "iuf":
        raise UnsupportedError(
            f"the labels of {dim!r} are of type {labels.dtype}; numbers were expected, {known.units or 'without a unit'}"
        )
    if (
        dim == "b_value"
    ):  # repetitions are steps, in the order of acquisition; NaN is an image that tells nothing
        return
    if labels.dtype.kind == "f" and not np.all(np.isfinite(labels)):
        raise UnsupportedError(f"some labels of {dim!r} are not finite: nothing would tell those steps")
    if len(set(labels.tolist())) < labels.size:
        raise UnsupportedError(
            f"labels of {dim!r} repeat ({labels.tolist()[:6]} …), so nothing would tell those steps apart"
        )
