"""The xarray engine: ``xr.open_dataset(path, engine="dicom")`` is `open_volume` by xarray's own name.

``xr.open_datatree(path, engine="dicom")`` opens all that a folder holds, each series as a node.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import xarray as xr
from xarray.backends import BackendEntrypoint

from dicomlab.errors import DicomLabError

if TYPE_CHECKING:
    import numpy.typing as npt

    from dicomlab.findings import OnFault
    from dicomlab.read.axes import Dims
    from dicomlab.read.series import Series, SeriesList
    from dicomlab.read.stacks import Stack

__all__ = ["DicomBackend"]

_NAMELESS = "image"
"""Name of the values whose files name no modality."""


class DicomBackend(BackendEntrypoint):
    """One series of DICOM images as a dataset of one variable, named by its modality (``ct``, ``mr`` …); or all as a tree.

    Examples
    --------
    >>> import xarray as xr
    >>> from dicomlab import phantom
    >>> study = phantom.write_study(tmp_path, coarser=4)
    >>> xr.open_dataset(study.ct.folder, engine="dicom").ct.dims
    ('slice', 'row', 'column')
    >>> xr.open_dataarray(study.pet.folder, engine="dicom", chunks={}).attrs["units"]
    'Bq/ml'
    >>> tree = xr.open_datatree(study.folder, engine="dicom")
    >>> [node.path for node in tree.leaves]
    ['/patient1/study1/CT_2', '/patient1/study1/MR_3', '/patient1/study1/PT_4']
    """

    supports_groups = True
    description = "DICOM series as volumes in real units and patient millimetres (dicomlab)"

    def open_dataset(
        self,
        filename_or_obj: Any,
        *,
        drop_variables: str | Iterable[str] | None = None,
        dims: Dims = "auto",
        values: str | None = None,
        on_fault: OnFault = None,
        dtype: npt.DTypeLike | None = None,
        progress: bool = True,
    ) -> xr.Dataset:
        """Dataset of the volume that `open_volume` makes.

        Two things are xarray's own: what was read stays in memory, and ``chunks=`` of `xarray.open_dataset` takes what xarray
        takes, ignoring names that no dimension has.

        Parameters
        ----------
        filename_or_obj
            A folder, file, zip archive or DICOMDIR that holds **one** series; or a `Series` or one of its `stacks`.
        drop_variables
            Variables and coordinates to leave out.
        dims, values, on_fault, dtype, progress
            As of `open_volume`.

        Raises
        ------
        DicomLabError
            As `open_volume`; of several series, the message lists them.
        """
        from dicomlab.read import open_volume

        volume = open_volume(
            filename_or_obj, dims=dims, values=values, on_fault=on_fault, dtype=dtype, progress=progress
        )
        dataset = volume.to_dataset(name=volume.name or _NAMELESS)
        dropped = [drop_variables] if isinstance(drop_variables, str) else list(drop_variables or ())
        return dataset.drop_vars(dropped, errors="ignore")

    def open_datatree(self, filename_or_obj: Any, **options: Any) -> xr.DataTree:
        """Tree of all series of a source; see `open_groups_as_dict`."""
        return xr.DataTree.from_dict(self.open_groups_as_dict(filename_or_obj, **options))

    def open_groups_as_dict(
        self,
        filename_or_obj: Any,
        *,
        drop_variables: str | Iterable[str] | None = None,
        dims: Dims = "auto",
        values: str | None = None,
        on_fault: OnFault = None,
        dtype: npt.DTypeLike | None = None,
        progress: bool = True,
    ) -> dict[str, xr.Dataset]:
        """Dataset of every series of a source, by its path ``/patient1/study1/CT_2``: modality and Series Number.

        Names tell nothing of who the patient is. A node has the attributes ``SeriesInstanceUID``, ``SeriesDescription``,
        ``SeriesNumber`` and ``Modality`` of its series, that of a study ``StudyInstanceUID``. A series of several stacks has
        them as children, ``stack0`` …; one that cannot be opened is a node without data whose attribute ``error`` says why.

        Parameters
        ----------
        filename_or_obj
            A folder, file, zip archive or DICOMDIR; or a `SeriesList`, or a `Series`.
        drop_variables
            Variables and coordinates to leave out of every node.
        dims, values, on_fault, dtype, progress
            As of `open_volume`, for every series.

        Raises
        ------
        NotDicomError
            There is no DICOM at all.
        DicomLabError
            An argument means nothing.
        """
        from dicomlab.findings import check_choices
        from dicomlab.read.dtypes import check_dtype

        check_choices(on_fault)
        check_dtype(dtype)

        def opened(what: Series | Stack) -> xr.Dataset:
            try:
                return self.open_dataset(
                    what,
                    drop_variables=drop_variables,
                    dims=dims,
                    values=values,
                    on_fault=on_fault,
                    dtype=dtype,
                    progress=progress,
                )
            except DicomLabError as problem:
                return xr.Dataset(attrs={"error": str(problem)})

        groups = {"/": xr.Dataset()}
        for place, series in _placed(_all_series(filename_or_obj, progress)).items():
            for parent, attrs in _parents(place, series):
                groups.setdefault(parent, xr.Dataset(attrs=attrs))
            if len(series.stacks) > 1:
                groups[place] = xr.Dataset()
                groups |= {f"{place}/stack{k}": opened(stack) for k, stack in enumerate(series.stacks)}
            else:
                groups[place] = opened(series)
            groups[place].attrs |= _about(series)
        return groups

    def guess_can_open(self, filename_or_obj: Any) -> bool:
        """Whether it is one file with the preamble of DICOM (PS3.10 7.1); what a folder holds is not told by a glance."""
        if not isinstance(filename_or_obj, str | os.PathLike):
            return False
        try:
            with open(filename_or_obj, "rb") as stream:
                return stream.read(132)[128:] == b"DICM"
        except (OSError, ValueError):
            return False


def _all_series(source: Any, progress: bool) -> SeriesList:
    from dicomlab.read import Series, SeriesList, find_series
    from dicomlab.read.picking import find_stack

    if isinstance(source, Series):
        return SeriesList([source], {}, source.folder)
    found = source if isinstance(source, SeriesList) else find_series(source, progress=progress)
    if not len(found):
        find_stack(found)  # says why there is nothing
    return found


def _placed(found: SeriesList) -> dict[str, Series]:
    """Series by their path in the tree; patients and studies are numbered in the order of the list."""
    patients: dict[tuple[str, ...], int] = {}
    studies: dict[tuple[int, str], int] = {}
    placed: dict[str, Series] = {}
    for series in found:
        patient = patients.setdefault(_patient(series), len(patients) + 1)
        uid = series.instances[0].text("StudyInstanceUID")
        study = studies.setdefault((patient, uid), 1 + sum(owner == patient for owner, _ in studies))
        number = "" if series.number is None else f"_{series.number}"
        stem = f"/patient{patient}/study{study}/{re.sub(r'[^A-Za-z0-9]', '', series.modality) or 'unknown'}{number}"
        name, twins = stem, 1
        while name in placed:
            twins += 1
            name = f"{stem}_{twins}"
        placed[name] = series
    return placed


def _patient(series: Series) -> tuple[str, ...]:
    """What tells patients apart: two that have no Patient ID are one only within a study."""
    from dicomlab.read.elements import Attributes
    from dicomlab.read.headers import read_header

    first = series.instances[0]
    try:
        header: Attributes = Attributes.of(read_header(first.file))
    except DicomLabError:  # gone or changed since it was listed: its node will say so
        header = first
    known = header.text("PatientID"), header.text("IssuerOfPatientID")
    return known if known[0] else ("", first.text("StudyInstanceUID") or series.uid)


def _parents(place: str, series: Series) -> list[tuple[str, dict[str, Any]]]:
    patient, study, _ = place[1:].split("/")
    uid = series.instances[0].text("StudyInstanceUID")
    return [(f"/{patient}", {}), (f"/{patient}/{study}", {"StudyInstanceUID": uid} if uid else {})]


def _about(series: Series) -> dict[str, Any]:
    from dicomlab.read.identity import clean_text

    said = {
        "SeriesInstanceUID": series.uid,
        "SeriesDescription": clean_text(series.instances[0], "SeriesDescription"),
        "SeriesNumber": series.number,
        "Modality": series.modality,
    }
    return {name: value for name, value in said.items() if value not in (None, "")}
