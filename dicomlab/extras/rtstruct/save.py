"""From a mask to an RT Structure Set: `to_rtstruct`, `save_rtstruct`."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from datetime import datetime
from importlib.metadata import version
from typing import Literal, TypeAlias

import xarray as xr
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ImplicitVRLittleEndian, generate_uid

from dicomlab.errors import DicomLabError, GeometryError
from dicomlab.export.image import IMPLEMENTATION
from dicomlab.export.origin import Origin
from dicomlab.export.place import frame_uid
from dicomlab.export.subject import subject_of
from dicomlab.extras.rtstruct.images import Images
from dicomlab.extras.rtstruct.items import (
    ROI,
    contour_item,
    contoured_item,
    observation_item,
    planes_item,
    roi_item,
)
from dicomlab.extras.rtstruct.parse import RTSTRUCT
from dicomlab.geometry import Geometry
from dicomlab.masks import SEGMENT, Label, labels_of, with_labels
from dicomlab.read.picking import Source, find_stack
from dicomlab.read.progress import Progress
from dicomlab.segment.contours import borders_of
from dicomlab.writing import written

__all__ = ["save_rtstruct", "to_rtstruct"]

Holes: TypeAlias = Literal["xor", "keyhole", "closedplanar_xor"]
Algorithm: TypeAlias = Literal["", "AUTOMATIC", "SEMIAUTOMATIC", "MANUAL"]

_ALGORITHMS = ("", "AUTOMATIC", "SEMIAUTOMATIC", "MANUAL")


def to_rtstruct(
    mask: xr.DataArray,
    name: str | None = None,
    *,
    source: Source | None = None,
    holes: Holes = "xor",
    interpreted: Mapping[str, str] | None = None,
    algorithm: Algorithm = "",
    label: str = "dicomlab",
    description: str | None = None,
    series_number: int | None = None,
    progress: bool = True,
) -> Dataset:
    """A new RT Structure Set: each label of a mask as a structure, with its borders slice by slice, in LPS mm.

    Contours run along the edges of pixels (`dicomlab.segment.to_contours`), so that `load_rtstruct` on the same grid makes
    exactly the mask again, and areas are those of the pixels. Slices may be uneven, tilted or oblique.

    Parameters
    ----------
    mask
        Any mask without further axes; labels may overlap. Fractions count from 0.5 on. An empty label is a structure without
        contours.
    name
        What the one label of the mask is called; None keeps the names of labels.
    source
        The series, stack, folder or file of the images that were segmented. The structure set then belongs to their patient and
        study, and each contour names the images on whose plane it lies. None writes a study of nobody, without images; many
        planning systems do not take it.
    holes
        How holes are said. ``"xor"``: as contours of their own, CLOSED_PLANAR like all, as most programs write and read them.
        ``"closedplanar_xor"``: the same under the type that the standard has for it, CLOSEDPLANAR_XOR, which some programs do
        not know. ``"keyhole"``: joined to the border around them by a cut without width.
    interpreted
        RT ROI Interpreted Type by name of a label, for instance ``{"tumour": "GTV"}``. Others have that of the coordinate
        ``interpreted_type`` along ``segment``; EXTERNAL for the body, ORGAN for what is coded as anatomical structure; GTV,
        CTV or PTV where the name begins so; else none.
    algorithm
        ROI Generation Algorithm (3006,0036): ``"AUTOMATIC"``, ``"SEMIAUTOMATIC"``, ``"MANUAL"``, or empty.
    label, description, series_number
        Structure Set Label (3006,0002), Series Description (0008,103E), Series Number (0020,0011).
    progress
        Show a bar when it takes longer than a second.

    Returns
    -------
    pydicom.Dataset
        With file meta information; ``save_as`` writes it. In Implicit VR Little Endian, as contours of many points do not fit
        into the 64 kB of an explicit decimal string.

    Raises
    ------
    GeometryError
        Rows or columns neither rise nor fall, the size of a lone pixel is not known, or two slices lie at one position.
    DicomLabError
        No mask, or one with further axes; a name or a type that DICOM cannot hold; a source of which no stack can be made.

    Warns
    -----
    DicomLabWarning
        The mask lies in another frame of reference than `source`, or in one that nobody knows.

    References
    ----------
    PS3.3 A.19 "RT Structure Set IOD"; C.8.8.5, C.8.8.6 (with C.8.8.6.3 "Representing Inner and Outer Contours"), C.8.8.8.

    Examples
    --------
    >>> import numpy as np
    >>> from dicomlab import make_volume
    >>> from dicomlab.extras.rtstruct import load_contours
    >>> ct = make_volume(np.zeros((2, 9, 9)), affine=np.diag([5.0, 1.0, 1.0, 1.0])[[2, 1, 0, 3]], frame_of_reference="1.2.3")
    >>> load_contours(to_rtstruct(ct + ct.column > 3, "liver"))
    <1 structure of 'dicomlab'
      1 liver: 2 contours>
    """
    if holes not in ("xor", "keyhole", "closedplanar_xor"):
        raise DicomLabError(f"holes= is 'xor', 'keyhole' or 'closedplanar_xor'; found {holes!r}")
    if algorithm not in _ALGORITHMS:
        raise DicomLabError(f"algorithm= is one of {_ALGORITHMS}; found {algorithm!r}")
    mask = mask if name is None else _named(mask, name)
    geometry = Geometry.from_volume(mask)
    frame = frame_uid(geometry.frame_of_reference)
    rois = _rois(mask, interpreted or {}, algorithm, frame)
    origin = None
    if source is not None:
        origin = Origin(find_stack(source, progress=progress)[0], (), geometry.frame_of_reference, progress)
    images = Images.of(origin, geometry)
    _check_frame(geometry, origin)
    made = _about(origin, label, description, series_number, frame)
    made.ReferencedFrameOfReferenceSequence = [images.referenced(frame, made.StudyInstanceUID)]
    made.StructureSetROISequence = [roi_item(one) for one in rois]
    made.RTROIObservationsSequence = [observation_item(k, one) for k, one in enumerate(rois, start=1)]
    kind = "CLOSEDPLANAR_XOR" if holes == "closedplanar_xor" else "CLOSED_PLANAR"
    planes = planes_item(geometry)
    contoured = []
    with Progress(len(rois), "tracing borders", progress, "label") as bar:
        traced = borders_of(mask, "keyhole" if holes == "keyhole" else "xor")
        for one, (_, contours) in zip(rois, traced, strict=True):
            items = [
                contour_item(number, points, kind, images.on(k))
                for number, (k, points) in enumerate(contours, start=1)
            ]
            contoured.append(contoured_item(one, items, planes))
            bar.step()
    made.ROIContourSequence = contoured
    return made


def save_rtstruct(
    mask: xr.DataArray,
    path: str | os.PathLike[str],
    name: str | None = None,
    *,
    source: Source | None = None,
    holes: Holes = "xor",
    interpreted: Mapping[str, str] | None = None,
    algorithm: Algorithm = "",
    label: str = "dicomlab",
    description: str | None = None,
    series_number: int | None = None,
    overwrite: bool = False,
    progress: bool = True,
) -> None:
    """Write an RT Structure Set, ``.dcm``, whole or not at all; see `to_rtstruct`.

    Parameters
    ----------
    path
        Of the file, in a folder that is there.
    overwrite
        Whether a file that is there may be replaced.

    Raises
    ------
    OverwriteError
        The file is there, and `overwrite` is False.
    GeometryError, DicomLabError
        As `to_rtstruct`; or the path has another ending, or its folder is not there.
    """
    with written(path, overwrite=overwrite, suffixes=(".dcm",)) as part:
        made = to_rtstruct(
            mask,
            name,
            source=source,
            holes=holes,
            interpreted=interpreted,
            algorithm=algorithm,
            label=label,
            description=description,
            series_number=series_number,
            progress=progress,
        )
        made.save_as(part, enforce_file_format=True)


def _named(mask: xr.DataArray, name: str) -> xr.DataArray:
    every = labels_of(mask)
    if len(every) != 1:
        raise DicomLabError(
            f"name= is for a mask of one label; this one has {len(every)}: {', '.join(every.names)}. "
            "mask.dicom.with_labels names them."
        )
    return with_labels(mask, {every[0].value: name})


def _rois(mask: xr.DataArray, interpreted: Mapping[str, str], algorithm: str, frame: str) -> list[ROI]:
    every = labels_of(mask)
    if strange := sorted(set(interpreted) - set(every.names)):
        raise DicomLabError(f"interpreted= names {strange[0]!r}; there are: {', '.join(every.names)}")
    told = [""] * len(every)
    if "interpreted_type" in mask.coords and mask.coords["interpreted_type"].dims == (SEGMENT,):
        told = [str(one) for one in mask.coords["interpreted_type"].values]
    return [
        ROI(one, _checked_type(interpreted.get(one.name, own or _type_of(one)), one), algorithm, frame)
        for one, own in zip(every, told, strict=True)
    ]


_BODY, _ANATOMY = "38266002", "91723000"


def _type_of(label: Label) -> str:
    """RT ROI Interpreted Type as far as name and code say it."""
    word = label.name.upper()
    if word[:3] in ("GTV", "CTV", "PTV") and not word[3:4].isalpha():
        return word[:3]
    if label.type is not None and label.type.value == _BODY:
        return "EXTERNAL"
    return "ORGAN" if label.category is not None and label.category.value == _ANATOMY else ""


def _checked_type(kind: str, label: Label) -> str:
    if not re.fullmatch(r"[A-Z0-9 _]{0,16}", kind):
        raise DicomLabError(
            f"an RT ROI Interpreted Type is up to 16 capital letters, like 'ORGAN'; found {kind!r} for {label.name!r}"
        )
    return kind


def _check_frame(geometry: Geometry, origin: Origin | None) -> None:
    if origin is not None and not origin.shares_frame:
        theirs = origin.stack.planes[0].text("FrameOfReferenceUID") or "one that nobody named"
        raise GeometryError(
            f"the mask lies in the frame of reference {geometry.frame_of_reference}, the images of source= in {theirs}: their "
            "millimetres mean different places. Give the images that the mask was made of; or, if you know that both are one, "
            "mask.dicom.assume_frame(volume) first."
        )


def _about(
    origin: Origin | None, label: str, description: str | None, series_number: int | None, frame: str
) -> Dataset:
    """Everything but structures: whose, when, made by what (PS3.3 C.8.8.1 "RT Series", C.7.5.1, C.12.1)."""
    for text, most, what in (
        (label, 16, "Structure Set Label"),
        (description or "-", 64, "Series Description"),
    ):
        if not 0 < len(text) <= most or "\\" in text or not text.isprintable():
            raise DicomLabError(
                f"a {what} has 1 to {most} printable characters and no backslash; found {text!r}"
            )
    now = datetime.now()
    made = Dataset()
    made.update(subject_of(origin))
    made.SpecificCharacterSet = "ISO_IR 192"
    made.SOPClassUID = RTSTRUCT
    made.SOPInstanceUID = generate_uid(prefix=None)
    made.InstanceCreationDate = made.SeriesDate = made.StructureSetDate = now.strftime("%Y%m%d")
    made.InstanceCreationTime = made.SeriesTime = made.StructureSetTime = now.strftime("%H%M%S")
    made.Modality = "RTSTRUCT"
    made.SeriesInstanceUID = generate_uid(prefix=None)
    made.SeriesNumber = series_number
    made.SeriesDescription = description or "Structures"
    made.OperatorsName = None
    made.Manufacturer = made.ManufacturerModelName = "dicomlab"
    made.SoftwareVersions = version("dicomlab")
    made.FrameOfReferenceUID = frame
    made.PositionReferenceIndicator = None
    made.InstanceNumber = 1
    made.StructureSetLabel = label
    made.ApprovalStatus = "UNAPPROVED"
    meta = FileMetaDataset()
    meta.FileMetaInformationVersion = b"\x00\x01"
    meta.MediaStorageSOPClassUID = made.SOPClassUID
    meta.MediaStorageSOPInstanceUID = made.SOPInstanceUID
    meta.TransferSyntaxUID = ImplicitVRLittleEndian
    meta.ImplementationClassUID = IMPLEMENTATION
    meta.ImplementationVersionName = "DICOMLAB"
    made.file_meta = meta
    return made
