"""Measurements drawn in a browser as groups of a report."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from pydicom.sr.codedict import codes
from pydicom.uid import generate_uid

from dicomlab.errors import DicomLabError
from dicomlab.extras.report.concepts import Number, coded, length, of_values
from dicomlab.masks import find_term
from dicomlab.view.measured import AREAS
from dicomlab.view.roi import Roi

if TYPE_CHECKING:
    from dicomlab.view.rois import Rois

__all__ = ["drawn_groups"]


def drawn_groups(rois: Rois, modality: str) -> list[Any]:
    """One group for each measurement, with its points in LPS mm: an area as TID 1410, all others as TID 1501.

    Raises
    ------
    DicomLabError
        The frame of reference is not known, so that the points would mean nothing.
    """
    frame = rois.frame_of_reference if len(rois) else ""
    if frame.startswith("unknown:"):
        raise DicomLabError(
            "points in a report need a Frame of Reference UID; the images of these measurements have none"
        )
    made = []
    for roi, row in zip(rois, rois.table.to_dict("records"), strict=True):
        told = {str(key): value for key, value in row.items()}
        found = [*_sizes(roi), *of_values(told, str(told.get("units") or ""), modality)]
        made.append(_group(roi, found, frame))
    return made


def _sizes(roi: Roi) -> list[Number]:
    made = []
    if roi.length is not None:
        made.append(length(roi.length, codes.SCT.Length))
    if roi.angle is not None:
        made.append(length(roi.angle, codes.SCT.Angle, codes.UCUM.Degree))
    if roi.area is not None:
        made.append(length(roi.area, codes.SCT.Area, codes.UCUM.SquareMillimeter))
    return made


def _group(roi: Roi, found: list[Number], frame: str) -> Any:
    from highdicom.sr import (
        CoordinatesForMeasurement3D,
        ImageRegion3D,
        Measurement,
        MeasurementsAndQualitativeEvaluations,
        PlanarROIMeasurementsAndQualitativeEvaluations,
        TrackingIdentifier,
    )

    term = find_term(roi.label) if roi.label else None
    told: dict[str, Any] = {
        "tracking_identifier": TrackingIdentifier(
            uid=generate_uid(prefix=None), identifier=roi.label or roi.kind
        )
    }
    if term:
        told["finding_type"] = coded(term.type)
        told["finding_category"] = coded(term.category)
    kind, points = _graphic(roi)
    is_area = roi.kind in AREAS
    where = None if is_area else [CoordinatesForMeasurement3D(kind, points, frame_of_reference_uid=frame)]
    told["measurements"] = [
        Measurement(
            name=one.name,
            value=one.value,
            unit=one.unit,
            derivation=one.derivation,
            referenced_coordinates=where,
        )
        for one in found
    ]
    if is_area:
        region = ImageRegion3D(kind, points, frame_of_reference_uid=frame)
        return PlanarROIMeasurementsAndQualitativeEvaluations(referenced_region=region, **told)
    return MeasurementsAndQualitativeEvaluations(**told)


def _graphic(roi: Roi) -> tuple[str, Any]:
    """Graphic Type and points of SCOORD3D (PS3.3 C.18.9.1.2)."""
    points = np.asarray(roi.points, dtype=np.float64)
    if roi.kind == "probe":
        return "POINT", points
    if roi.kind == "ellipse":
        # The major axis comes first.
        axes = [points[:2], points[2:]]
        axes.sort(key=lambda ends: -float(np.linalg.norm(ends[1] - ends[0])))
        return "ELLIPSE", np.concatenate(axes)
    if roi.kind in AREAS:
        return "POLYGON", np.concatenate([points, points[:1]])
    return "POLYLINE", points
