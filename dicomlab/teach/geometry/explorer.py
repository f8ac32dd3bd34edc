"""The widget: slices in the patient, and the affine that says where each voxel is."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import xarray as xr

from dicomlab.geometry import Geometry
from dicomlab.read import Series, Stack
from dicomlab.teach.explorer import Explorer
from dicomlab.teach.geometry.figure import figure
from dicomlab.teach.geometry.planes import (
    SetPlane,
    Setting,
    findings_of,
    geometry_of,
    ordered,
    planes_of,
)
from dicomlab.teach.geometry.source import Start, start_of

__all__ = ["GeometryExplorer", "explore_geometry"]

FloatArray = npt.NDArray[np.float64]

_FIRST: dict[str, Any] = {
    "turns": [0.0, 0.0, 0.0],
    "fault": "none",
    "labels": "position",
    "order": "position",
    "system": "LPS",
    "view": [28.0, 18.0],
    "zoom": 1.0,
    "figure": True,
}


class GeometryExplorer(Explorer):
    """Slices in the patient, turned and moved by the attributes of the Image Plane module.

    Attributes
    ----------
    state
        ``iop`` and ``turns`` (degrees about x, y, z), ``ipp`` of the first slice, ``spacing`` (between rows, columns),
        ``step``, ``slices``, ``rows``, ``columns``, ``tilt``, ``fault``, ``labels``, ``order``, ``system``, ``voxel``,
        ``view``.
    """

    title: ClassVar[str] = "Geometry explorer"
    bundle: ClassVar[str] = "geometry"
    page_height: ClassVar[int] = 1130

    def __init__(self, start: Start) -> None:
        self._given = start.given
        middle = [start.state[name] // 2 for name in ("slices", "rows", "columns")]
        first = {"voxel": middle, **start.state}
        facts = {
            "title": start.title,
            "given": start.given.told() if start.given else None,
            "first": first,
            "figure": figure(start.at),
            "guessed": start.given is not None,
            "findings": list(start.findings),
            "notes": list(start.notes),
            "pictures": start.pictures,
        }
        super().__init__(facts=facts, state={**_FIRST, **first})

    @property
    def _setting(self) -> Setting:
        return Setting.of(self.state)

    @property
    def planes(self) -> list[SetPlane]:
        """The planes as they lie, in ascending order of n · IPP."""
        return planes_of(self._setting, self._given)

    @property
    def stack(self) -> list[SetPlane]:
        """The planes in the order that is chosen."""
        return ordered(self.planes, self._setting.order)

    @property
    def geometry(self) -> Geometry:
        """Where voxels are, as loading such files says; slices sorted by position, whatever order is chosen."""
        return geometry_of(self.planes, self._setting)

    @property
    def affine(self) -> FloatArray:
        """``(slice, row, column, 1)`` index to LPS mm, 4 × 4.

        Raises
        ------
        GeometryError
            Slices are uneven: no one affine places them.
        """
        return self.geometry.affine

    @property
    def affine_ras(self) -> FloatArray:
        """``(column, row, slice, 1)`` index to RAS mm, 4 × 4, as nibabel has it."""
        return self.geometry.affine_ras

    @property
    def findings(self) -> tuple[str, ...]:
        """What the reader would say of these planes."""
        return tuple(str(one) for one in findings_of(self.planes))

    def still(self) -> bytes:
        """Return slices in the patient and the affine as a PNG, for places without widgets."""
        from dicomlab.teach.geometry.still import draw

        return draw(self)

    def __repr__(self) -> str:
        s, r, c = self.geometry.shape
        return f"<GeometryExplorer {s} × {r} × {c}, {self.geometry.orientation}>"


def explore_geometry(
    source: xr.DataArray | Geometry | Series | Stack | str | os.PathLike[str] | Iterable[str] | None = None,
) -> GeometryExplorer:
    """Return a widget in which slices are turned and moved in the patient, with the affine filled in live.

    Parameters
    ----------
    source
        A series, stack or path, whose real positions it starts from; or a volume or `Geometry`. None for a made-up stack
        through a stylised patient.

    Raises
    ------
    GeometryError
        The source has no place in the patient.

    References
    ----------
    PS3.3 C.7.6.2.1.1 (Image Position and Image Orientation), equation C.7.6.2.1-1.

    Examples
    --------
    >>> explorer = dl.teach.explore_geometry()
    >>> explorer
    <GeometryExplorer 12 × 64 × 73, SPL>
    >>> explorer.state = {**explorer.state, "tilt": 15.0}
    >>> explorer.findings
    ('gantry_tilt: the slice axis is tilted by 15.00 degrees',)
    >>> explorer.affine[:3, 0].round(2)                    # one slice on: 25 mm up, and some to the back
    array([ 0. ,  6.7, 25. ])
    """
    return GeometryExplorer(start_of(source))
