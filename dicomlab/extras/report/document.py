"""From a table of measurements to a report: `to_sr`."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import xarray as xr
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code as Coded
from pydicom.uid import generate_uid

from dicomlab.errors import DicomLabError
from dicomlab.export.origin import Origin
from dicomlab.export.subject import subject_of
from dicomlab.extras.report.concepts import COLUMNS, Number, coded, numbers
from dicomlab.extras.report.drawn import drawn_groups
from dicomlab.extras.report.segments import Segments
from dicomlab.masks import Label, labels_of
from dicomlab.optional import optional
from dicomlab.read.picking import Source, find_stack
from dicomlab.read.stacks import Stack
from dicomlab.warn import quiet
from dicomlab.writing import written

if TYPE_CHECKING:
    import highdicom as hd
    import pandas as pd

    from dicomlab.view.rois import Rois

__all__ = ["save_sr", "to_sr"]

_DEVICE = "2.25.266871519038142086204586424911486716041"
"""Device Observer UID (121012, DCM) of dicomlab, whatever computer it runs on."""

_PROCEDURES = {
    "CT": Coded("25045-6", "LN", "CT unspecified body region"),
    "MR": Coded("25056-3", "LN", "MRI unspecified body region"),
    "PT": Coded("44136-0", "LN", "PET unspecified body region"),
}
_PROCEDURE = Coded("363679005", "SCT", "Imaging procedure")
_ANATOMY = ("91723000", "123037004", "113343008")
"""Categories (SNOMED CT) of what is a place itself, so that left and right are said of it."""


def to_sr(
    stats: pd.DataFrame | None = None,
    *,
    source: Source,
    segmentation: Dataset | str | os.PathLike[str] | None = None,
    rois: Rois | None = None,
    labels: xr.DataArray | Iterable[Label] | None = None,
    observer: str | None = None,
    description: str = "Measurements",
    series_number: int = 1,
    progress: bool = True,
) -> hd.sr.Comprehensive3DSR:
    """A measurement report (TID 1500) of a table with one row for each label, ready to be saved or sent.

    Each label is a measurement group with its finding, its category and, where the finding is a place, left or right. Numbers
    are those of the table, exactly. Patient and study are those of `source`; a report of nobody is not written.

    Parameters
    ----------
    stats
        As of ``region_stats``: index or column ``name`` with the names of labels. Of the columns these are written: ``ml``,
        ``diameter_axial_mm``, ``diameter_3d_mm``, ``surface_crofton_mm2``, ``surface_mesh_mm2``, ``sphericity``; ``mean``,
        ``sd``, ``min``, ``max``, ``median`` in the ``units`` of the row. What is absent or NaN is left out.
    source
        The series, stack, folder or file that was measured.
    segmentation
        The Segmentation object that has the labels, of the same study: each group then refers to the segment of its name, and
        takes finding and codes from there. Without it, the report names the images as its evidence.
    rois
        Measurements drawn in a browser (``browser.rois``): groups of their own, with their points in LPS mm.
    labels
        A mask, or labels, that have the codes of these names; else `dicomlab.masks.find_term` is asked.
    observer
        Name of the person who measured, for instance ``"Doe^Jane"``; the program is always named.
    description
        Series Description (0008,103E).
    series_number
        Series Number (0020,0011).
    progress
        Show a bar when reading headers takes longer than a second.

    Returns
    -------
    highdicom.sr.Comprehensive3DSR
        A `pydicom.Dataset` with UIDs of its own, complete, not verified.

    Raises
    ------
    MissingDependencyError
        highdicom is not installed.
    DicomLabError
        There is nothing to report, or several steps at once; a label has no segment of its name, or several; the
        Segmentation is of another study.

    References
    ----------
    PS3.16 TID 1500 "Measurement Report", TID 1411, TID 1410, TID 1501, TID 300; PS3.3 A.35.13 "Comprehensive 3D SR IOD".

    Examples
    --------
    >>> import highdicom
    >>> import pandas as pd
    >>> from dicomlab import phantom
    >>> study = phantom.write_study(tmp_path / "study", coarser=8)
    >>> stats = pd.DataFrame({"ml": [1503.2], "mean": [58.1], "units": ["HU"]}, index=["liver"])
    >>> save_sr(to_sr(stats, source=study.ct.folder), tmp_path / "report.dcm")
    >>> [group] = highdicom.sr.srread(tmp_path / "report.dcm").content.get_image_measurement_groups()
    >>> group.finding_type.meaning, [found.value for found in group.get_measurements()]
    ('Liver', [1503.2, 58.1])
    """
    optional("highdicom", purpose="A structured report", extra="seg")
    from highdicom.sr import (
        Comprehensive3DSR,
        DeviceObserverIdentifyingAttributes,
        MeasurementReport,
        ObservationContext,
        ObserverContext,
        PersonObserverIdentifyingAttributes,
    )

    stack, _ = find_stack(source, progress=progress)
    origin = Origin(stack, (), "", progress)
    evidence = _evidence(origin)
    modality = stack.instances[0].modality
    held = None if segmentation is None else Segments(_dataset(segmentation), evidence[0])
    groups = [] if stats is None else _label_groups(stats, held, _named(labels), stack, modality)
    if rois is not None:
        groups += drawn_groups(rois, modality)
    if not groups:
        raise DicomLabError(
            "a report of measurements was asked for; found neither a row of stats nor a measurement in rois"
        )
    with quiet():
        who = None
        if observer:
            who = ObserverContext(codes.DCM.Person, PersonObserverIdentifyingAttributes(name=observer))
        device = DeviceObserverIdentifyingAttributes(
            uid=_DEVICE, name="dicomlab", model_name="dicomlab", manufacturer_name="dicomlab"
        )
        context = ObservationContext(
            observer_person_context=who,
            observer_device_context=ObserverContext(codes.DCM.Device, device),
        )
        content = MeasurementReport(
            observation_context=context,
            procedure_reported=_procedure(origin.first, modality),
            imaging_measurements=groups,
            title=codes.DCM.ImagingMeasurementReport,
        )
        report = Comprehensive3DSR(
            evidence=[*evidence, *([held.dataset] if held else [])],
            content=content,
            series_instance_uid=generate_uid(prefix=None),
            series_number=series_number,
            sop_instance_uid=generate_uid(prefix=None),
            instance_number=1,
            manufacturer="dicomlab",
            is_complete=True,
            manufacturer_model_name="dicomlab",
            software_versions=version("dicomlab"),
            specific_character_set="ISO_IR 192",
            series_description=description[:64],
        )
    return report


def save_sr(
    report: hd.sr.Comprehensive3DSR, path: str | os.PathLike[str], *, overwrite: bool = False
) -> None:
    """Write a report to a file ``.dcm``, there whole or not at all.

    Raises
    ------
    OverwriteError
        Something is there already.
    DicomLabError
        The path has another ending, or its folder is not there.
    """
    with written(path, overwrite=overwrite, suffixes=(".dcm",)) as part:
        report.save_as(part, enforce_file_format=True)


def _dataset(given: Dataset | str | os.PathLike[str]) -> Dataset:
    return given if isinstance(given, Dataset) else dcmread(given, stop_before_pixels=True)


def _evidence(origin: Origin) -> list[Dataset]:
    """The images that were measured, as far as a report needs them; the first with patient and study."""
    subject, found = subject_of(origin), []
    for instance in origin.stack.instances:
        one = Dataset()
        one.update(subject)
        one.SOPClassUID, one.SOPInstanceUID = instance.text("SOPClassUID"), instance.text("SOPInstanceUID")
        one.SeriesInstanceUID = origin.stack.uid
        found.append(one)
    return found


def _procedure(first: Dataset, modality: str) -> Coded:
    """Procedure Reported: what the images say, else the modality."""
    for item in first.get("ProcedureCodeSequence") or ():
        told = (item.get("CodeValue"), item.get("CodingSchemeDesignator"), item.get("CodeMeaning"))
        if all(told):
            return Coded(*(str(one) for one in told))
    return _PROCEDURES.get(modality, _PROCEDURE)


def _named(labels: xr.DataArray | Iterable[Label] | None) -> dict[str, Label]:
    every = labels_of(labels) if isinstance(labels, xr.DataArray) else labels or ()
    return {one.name: one for one in every}


def _label_groups(
    stats: pd.DataFrame,
    held: Segments | None,
    known: Mapping[str, Label],
    stack: Stack,
    modality: str,
) -> list[Any]:
    if not set(COLUMNS) & set(stats.columns):
        raise DicomLabError(
            f"a table with some of the columns {', '.join(COLUMNS)} was asked for; found "
            f"{', '.join(map(str, stats.columns)) or 'no column'}"
        )
    if stats.index.nlevels > 1 and "name" not in stats.columns:
        levels = [str(name) for name in stats.index.names]
        raise DicomLabError(
            f"a report is of one step; the rows of this table are told apart by {', '.join(levels)}. Choose one: "
            f"stats.xs(stats.index[0][1:], level={levels[1:]})"
        )
    names = [str(name) for name in (stats["name"] if "name" in stats.columns else stats.index)]
    made = []
    for name, row in zip(names, stats.to_dict("records"), strict=True):
        found = list(numbers({str(key): value for key, value in row.items()}, modality))
        label = known.get(name) or Label(1, name)
        made.append(_group(name, found, label, held, stack))
    return made


def _group(name: str, found: Sequence[Number], label: Label, held: Segments | None, stack: Stack) -> Any:
    """Measurements of one label: of a segment (TID 1411), else of the evidence as a whole (TID 1501)."""
    from highdicom.sr import (
        AlgorithmIdentification,
        FindingSite,
        Measurement,
        MeasurementsAndQualitativeEvaluations,
        TrackingIdentifier,
        VolumetricROIMeasurementsAndQualitativeEvaluations,
    )

    segment = held.find(name) if held else None
    about = label if segment is None else segment.label
    place = segment.place if segment else None
    if place is None and about.category and about.category.value in _ANATOMY and about.side:
        place = about.type
    sites = (
        [FindingSite(coded(place), laterality=coded(about.side) if about.side else None)] if place else None
    )
    told: dict[str, Any] = {
        "tracking_identifier": TrackingIdentifier(
            uid=(segment and segment.tracking_uid) or generate_uid(prefix=None),
            identifier=(segment and segment.tracking_id) or name,
        ),
        "finding_category": about.category and coded(about.category),
        "finding_type": about.type and coded(about.type),
        "finding_sites": sites,
        "algorithm_id": AlgorithmIdentification("dicomlab", version("dicomlab")),
        "measurements": [
            Measurement(
                name=one.name, value=one.value, unit=one.unit, derivation=one.derivation, method=one.method
            )
            for one in found
        ],
    }
    if segment is not None:
        return VolumetricROIMeasurementsAndQualitativeEvaluations(
            referenced_segment=segment.reference(stack.uid), **told
        )
    return MeasurementsAndQualitativeEvaluations(**told)
