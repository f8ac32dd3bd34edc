"""The whole body: `body`, and where a patient's head and left side are in a grid."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import xarray as xr

from dicomlab.geometry import Geometry
from dicomlab.masks import mask_like
from dicomlab.segment.connected import counted, labelled
from dicomlab.segment.counting import otsu_thresholds
from dicomlab.segment.steps import Array, Bools, check_count, check_volume, each_step
from dicomlab.volumes import attrs_of, make_volume

__all__ = ["SKIN", "Patient", "body", "body_of"]

SKIN = -500.0
"""HU half way from air to skin."""

_SHEET = 2.0
"""mm: what is thinner than twice this within a slice is a couch or a blanket, where a body is looked for."""


@dataclass(frozen=True)
class Patient:
    """How a patient lies in an array of (slices, rows, columns) along rising axes.

    Parameters
    ----------
    axis
        The axis nearest to the line from feet to head.
    head_last
        Whether indices along it rise towards the head.
    left
        mm towards the patient's left (LPS x) along each axis, per voxel; and of voxel 0.
    """

    axis: int
    head_last: bool
    left: tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], npt.NDArray[np.float64]]

    @classmethod
    def of(cls, volume: xr.DataArray) -> Patient:
        """How the patient lies in a volume."""
        geometry = Geometry.from_volume(volume)
        up = geometry.direction[2]
        axis = int(np.argmax(np.abs(up)))
        x, y, z = (geometry.direction[0, k] * np.sort(place) for k, place in enumerate(geometry.positions))
        return cls(axis, bool(up[axis] > 0), (x, y, z))

    def from_head(self, values: Array) -> Array:
        """A view of an array whose first axis runs from head to feet."""
        moved = np.moveaxis(values, self.axis, 0)
        return moved[::-1] if self.head_last else moved

    def mean_left(self, where: Bools) -> float:
        """Mean LPS x (mm) of the voxels of a mask."""
        total, count = 0.0, int(where.sum())
        for k in range(3):
            along = where.sum(axis=tuple(n for n in range(3) if n != k), dtype=np.int64)
            total += float(along @ self.left[k])
        return total / count

    def is_left_of(self, middle: float, shape: tuple[int, ...]) -> Bools:
        """Where LPS x is larger than `middle` mm."""
        a, b, c = self.left
        found: Bools = np.broadcast_to(a[:, None, None] + b[:, None] + c > middle, shape)
        return found


def body(volume: xr.DataArray, *, parts: int = 1) -> xr.DataArray:
    """Mask of the body: everything inside the skin, lungs and bowels too, without couch and air around.

    From where values change to those of air (-500 HU; in other units where otsu splits their logarithms) the largest thing that
    hangs together, with holes filled in each plane across the patient. It may be cut by the border of the volume.

    Parameters
    ----------
    volume
        A CT, or any volume in which air is dark; each step of further axes by itself. Slices may be uneven and tilted.
    parts
        How many things are kept, the largest; 2 for two legs.

    Raises
    ------
    DicomLabError
        Colour or complex values, or a number of parts that is none.
    """
    check_volume(volume, "body")
    check_count(parts, "parts=")
    patient, is_hu = Patient.of(volume), attrs_of(volume).get("units") == "HU"
    spacing = Geometry.from_volume(volume).spacing

    def work(values: Array) -> Bools:
        return body_of(values, patient, spacing, limit=SKIN if is_hu else _dark(values), parts=parts)

    return mask_like(volume, each_step(volume, work, dtype=np.bool_), name="body")


def _dark(values: Array) -> float:
    """The value that parts dark from bright on a logarithmic scale: tissues differ by factors, and air from all of them."""
    finite = values[np.isfinite(values)] if values.dtype.kind == "f" else values
    low = float(finite.min(initial=0)) if finite.size else 0.0
    if not finite.size or float(finite.max()) == low:
        return float("inf")
    grid = np.eye(4)[[2, 1, 0, 3]]
    shifted = np.log1p(values.astype(np.float32) - np.float32(low))
    split = otsu_thresholds(make_volume(shifted, affine=grid))[0]
    return float(np.expm1(split) + low)


def body_of(
    values: Array, patient: Patient, spacing: tuple[float, float, float], *, limit: float, parts: int = 1
) -> Bools:
    """The body in an array: see `body`."""
    import edt
    from fill_voids import fill

    solid = values >= limit
    across = spacing[1:]
    if np.isfinite(across).all() and max(across) <= 2 * _SHEET:
        # Thin sheets within a slice go, but what they hide of a body's own edge comes back.
        thick = np.empty_like(solid)
        for source, target in zip(solid, thick, strict=True):
            target[...] = edt.edtsq(source, anisotropy=across) > _SHEET**2
    else:
        thick = solid
    labels, count = labelled(thick, 6)
    sizes = counted(labels, count, np.ones(len(labels)))
    keep = np.zeros(count + 1, np.bool_)
    keep[np.argsort(-sizes[1:], kind="stable")[:parts] + 1] = True
    found = keep[labels]
    if thick is not solid:
        for plane, whole in zip(found, solid, strict=True):
            if plane.any():
                near = edt.edtsq(~plane, anisotropy=across) <= (2 * _SHEET) ** 2
                plane |= near & whole
    for plane in patient.from_head(found):
        if plane.any():
            plane[...] = fill(np.ascontiguousarray(plane))
    return found
