"""From a mask to a DICOM Segmentation: `to_seg`, `save_seg`."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt
import xarray as xr
from pydicom.pixels.utils import pack_bits
from pydicom.uid import ExplicitVRLittleEndian, RLELossless, generate_uid

from dicomlab.errors import DicomLabError, UnsupportedError
from dicomlab.export.place import Placement, decimal, frame_uid
from dicomlab.extras.seg.describe import describe
from dicomlab.extras.seg.refer import find_origin, refer, stand_in
from dicomlab.geometry import AXES, Geometry
from dicomlab.masks import SEGMENT, Label, check_mask, labels_of, to_label_map, with_labels
from dicomlab.optional import optional
from dicomlab.read.picking import Source
from dicomlab.warn import warn_user
from dicomlab.writing import written

if TYPE_CHECKING:
    from highdicom.seg import Segmentation

__all__ = ["save_seg", "to_seg"]

Kind: TypeAlias = Literal["binary", "fractional", "labelmap"]
Algorithm: TypeAlias = Literal["MANUAL", "SEMIAUTOMATIC", "AUTOMATIC"]
Fractions: TypeAlias = Literal["PROBABILITY", "OCCUPANCY"]

_KINDS = ("binary", "fractional", "labelmap")


def to_seg(
    mask: xr.DataArray,
    name: str | Label | None = None,
    *,
    source: Source | None = None,
    kind: Kind | None = None,
    description: str | None = None,
    series_number: int = 1,
    algorithm_type: Algorithm = "SEMIAUTOMATIC",
    algorithm: str | None = None,
    fractions: Fractions | None = None,
    compress: bool = False,
    omit_empty: bool = True,
    progress: bool = True,
) -> Segmentation:
    """A DICOM Segmentation of a mask, each frame at its own patient position, to ``.save_as(path)``.

    Every position is written as it is, to the sixteen characters of a decimal string: oblique, uneven slices, a gantry tilt.
    Rows and columns that fall are turned around, as images have them. Names, colours and codes are those of the labels.

    Parameters
    ----------
    mask
        Any mask (`dicomlab.masks`), with dims slice, row, column in any order; axes that were picked away by an integer count
        as length 1. Fractions are from 0 to 1.
    name
        Names the label of a mask that has one; None keeps its name.
    source
        The series, stack, folder or file that the mask was made from. The segmentation then belongs to its patient and study,
        and each frame refers to the images that lie where it lies, or on both sides of it. None writes a study of nobody, and
        refers to nothing. Nothing of the patient is ever taken from anywhere else.
    kind
        ``"binary"``: a bit a voxel for each label, which may overlap, and which all programs read. ``"fractional"``: steps of
        1/255, to the nearest of which fractions are rounded. ``"labelmap"``: a number a voxel, small with many labels, a SOP
        Class of 2024 that few programs read yet. None takes fractional for fractions, else binary.
    description
        Series Description (0008,103E); None lists the labels.
    series_number
        Series Number (0020,0011).
    algorithm_type
        Segment Algorithm Type (0062,0008).
    algorithm
        Segment Algorithm Name (0062,0009): needed for ``"AUTOMATIC"``, ``"dicomlab"`` where nothing is said of a semiautomatic
        one; a manual one has none.
    fractions
        What they are, Segmentation Fractional Type (0062,0010); None for what a loaded mask says, else probability.
    compress
        RLE Lossless, of fractions and label maps.
    omit_empty
        Leave out frames in which a label has no voxel, as most programs do.
    progress
        Show a bar when reading the source takes longer than a second.

    Returns
    -------
    highdicom.seg.Segmentation
        A data set of pydicom.

    Raises
    ------
    MissingDependencyError
        highdicom is not installed.
    GeometryError
        The mask lies in another frame of reference than its source; positions are missing or not finite; rows or columns are
        uneven, or the step of a lone one, or of a lone slice, is unknown.
    UnsupportedError
        Further axes, such as time; labels that overlap in a label map.
    DicomLabError
        There is no label, fractions are not from 0 to 1, a name is too long, or options contradict one another.

    Warns
    -----
    DicomLabWarning
        A label has no code and is written as tissue; or numbers change, for segments that are not a label map count from 1 on.

    Notes
    -----
    A mask in a frame of reference that nobody named gets a UID made from what dicomlab calls that frame, so that
    `load_segmentation` with ``like=`` knows it again; other programs know of no image in it.

    References
    ----------
    PS3.3 A.51 "Segmentation IOD", C.8.20 "Segmentation", C.8.20.4 "Segment Description Macro".

    Examples
    --------
    >>> from dicomlab import load_segmentation, load_volume, phantom
    >>> study = phantom.write_study(tmp_path / "study", coarser=8)
    >>> ct = load_volume(study.ct.folder)
    >>> to_seg(ct > 300, "bone", source=study.ct.folder).save_as(tmp_path / "bone.dcm")
    >>> bone = load_segmentation(tmp_path / "bone.dcm", like=ct)
    >>> bone.dicom.labels.names, bool((bone.sel(segment=1) == (ct > 300)).all())
    (['bone'], True)
    """
    package = optional("highdicom", purpose="Writing segmentations", extra="seg")
    form = check_mask(mask)
    _refuse_further_axes(mask)
    mask = _named(mask, name)
    kind = _kind(kind, mask)
    if compress and kind == "binary":
        raise DicomLabError(
            "compress= makes fractions and label maps smaller; a binary segmentation has one bit a voxel, which RLE does not "
            "take. kind='labelmap' is smaller with many labels."
        )
    name_of_algorithm = _algorithm(algorithm_type, algorithm)
    mask = _upright(mask)
    geometry = Geometry.from_volume(mask)
    placement = Placement.of(geometry)
    origin = find_origin(source, geometry.frame_of_reference, progress)
    values, labels = _pixels(mask, form, kind)
    shape = (int(values.shape[1]), int(values.shape[2]))
    series_description = _described(labels, description)
    described = [describe(label, label.value) for label in labels]
    _warn_of_uncoded(labels)
    image = stand_in(origin, placement, shape, frame_uid(geometry.frame_of_reference))
    made = package.seg.Segmentation(
        source_images=[image],
        pixel_array=values,
        segmentation_type=kind.upper(),
        segment_descriptions=described,
        series_instance_uid=generate_uid(prefix=None),
        series_number=series_number,
        sop_instance_uid=generate_uid(prefix=None),
        instance_number=1,
        manufacturer="dicomlab",
        manufacturer_model_name="dicomlab",
        software_versions=version("dicomlab"),
        device_serial_number="0",
        fractional_type=fractions or mask.attrs.get("SegmentationFractionalType") or "PROBABILITY",
        content_label="SEGMENTATION",
        transfer_syntax_uid=RLELossless if compress else ExplicitVRLittleEndian,
        pixel_measures=package.PixelMeasuresSequence(placement.spacing, image.SliceThickness, placement.gap),
        plane_orientation=package.PlaneOrientationSequence("PATIENT", placement.cosines.tolist()),
        plane_positions=[
            package.PlanePositionSequence("PATIENT", [float(decimal(x)) for x in position])
            for position in placement.positions
        ],
        omit_empty_frames=omit_empty,
        specific_character_set="ISO_IR 192",
        series_description=series_description,
    )
    for segment in made.SegmentSequence:
        segment.SegmentAlgorithmType = algorithm_type
        if name_of_algorithm:
            segment.SegmentAlgorithmName = name_of_algorithm
    if kind == "binary" and shape[0] * shape[1] < 8:
        _pack_small_frames(made)
    refer(made, origin, placement, shape)
    # highdicom looks references up in tables, which are made of the data set as it is now.
    found: Segmentation = package.seg.Segmentation.from_dataset(made, copy=False)
    return found


def save_seg(
    mask: xr.DataArray,
    path: str | os.PathLike[str],
    name: str | Label | None = None,
    *,
    overwrite: bool = False,
    **options: Any,
) -> None:
    """Write a mask to a DICOM Segmentation; see `to_seg` for what is in it.

    Parameters
    ----------
    mask, name
        As for `to_seg`.
    path
        Ends with ``.dcm``. The file is there whole or not at all.
    overwrite
        Whether a file that is there already is replaced.
    options
        ``source=`` and all others of `to_seg`.

    Raises
    ------
    OverwriteError
        The file is there already.
    DicomLabError
        As `to_seg`; or the name does not end so, or the folder is not there.
    """
    with written(path, overwrite=overwrite, suffixes=(".dcm",)) as part:
        to_seg(mask, name, **options).save_as(part)


def _refuse_further_axes(mask: xr.DataArray) -> None:
    further = [str(dim) for dim in mask.dims if dim not in (*AXES, SEGMENT)]
    if further:
        picked = ", ".join(f"{dim}=0" for dim in further)
        raise UnsupportedError(
            f"a Segmentation has no axis {' or '.join(further)} beside its segments; write each step as a file of its own: "
            f"mask.isel({picked})"
        )
    if 0 in mask.shape:
        raise DicomLabError(f"this mask has no voxels; its shape is {mask.shape}")


def _named(mask: xr.DataArray, name: str | Label | None) -> xr.DataArray:
    if name is None:
        return mask
    count = len(labels_of(mask))
    if count > 1:
        raise DicomLabError(
            f"one name, {name!r}, was given for a mask that has {count} labels: mask.dicom.with_labels({{1: …, 2: …}}) names "
            "each, mask.dicom.label(…) is one of them"
        )
    return with_labels(mask, name)


def _kind(kind: str | None, mask: xr.DataArray) -> Kind:
    fractional = mask.dtype.kind == "f"
    if kind is None:
        return "fractional" if fractional else "binary"
    if kind not in _KINDS:
        raise DicomLabError(f"kind is one of {', '.join(_KINDS)}; found {kind!r}")
    if fractional and kind != "fractional":
        raise DicomLabError(
            f"kind={kind!r} was asked for; the mask holds fractions. (mask >= 0.5) says which voxels are in."
        )
    return kind  # type: ignore[return-value]


def _algorithm(kind: str, name: str | None) -> str | None:
    if kind not in ("MANUAL", "SEMIAUTOMATIC", "AUTOMATIC"):
        raise DicomLabError(f"algorithm_type is MANUAL, SEMIAUTOMATIC or AUTOMATIC; found {kind!r}")
    if kind == "MANUAL" and name:
        raise DicomLabError(f"what was drawn by hand has no algorithm; found algorithm={name!r}")
    if kind == "AUTOMATIC" and not name:
        raise DicomLabError("algorithm_type='AUTOMATIC' needs the name of what did it: algorithm='…'")
    if name and (len(name) > 64 or "\\" in name or not name.isprintable()):
        raise DicomLabError(
            f"the name of an algorithm has at most 64 printable characters and no backslash; found {name!r}"
        )
    return None if kind == "MANUAL" else name or "dicomlab"


def _upright(mask: xr.DataArray) -> xr.DataArray:
    """The mask with dims (segment, slice, row, column), its rows and columns ascending: the way images are stored."""
    lacking = [name for name in AXES if name not in mask.dims]
    mask = mask.expand_dims(lacking) if lacking else mask
    geometry = Geometry.from_volume(mask)
    falls = {
        name: slice(None, None, -1)
        for name, x, lone in zip(AXES, geometry.positions, geometry.lone_steps, strict=True)
        if name != "slice" and (x[-1] < x[0] if x.size > 1 else lone < 0)
    }
    return mask.isel(falls).transpose(..., *AXES)


def _pixels(mask: xr.DataArray, form: str, kind: Kind) -> tuple[npt.NDArray[Any], list[Label]]:
    """Pixels as highdicom takes them, and the labels under the numbers that they have there."""
    labels = list(labels_of(mask))
    if not labels:
        raise DicomLabError("this label map is 0 everywhere and names no label, so there is nothing to write")
    numbers = [label.value for label in labels]
    if len(set(numbers)) < len(numbers):
        raise DicomLabError(f"several segments have one number: {numbers}; assign_coords(segment=[1, 2, …])")
    if kind == "labelmap":
        return _label_map(mask)
    if form == "segments":
        order = np.argsort(numbers, kind="stable")
        values = np.asarray(mask.values)[order]
        if values.dtype.kind == "f":
            values = _checked(values)
        return np.moveaxis(values, 0, -1), _counted([labels[k] for k in order])
    values = np.asarray(mask.values)
    if form == "labels":
        table = np.zeros(max(numbers) + 1, np.uint8 if len(labels) < 256 else np.uint16)
        table[numbers] = np.arange(1, len(labels) + 1)
        values = table[values]
    return values, _counted(labels)


def _pack_small_frames(made: Segmentation) -> None:
    """Bits one after the other, over the borders of frames (PS3.5 8.1.1); highdicom (0.28) begins each small one anew."""
    bits = np.unpackbits(np.frombuffer(made.PixelData, np.uint8), bitorder="little")
    frames = bits[: 8 * int(made.NumberOfFrames)].reshape(-1, 8)[:, : made.Rows * made.Columns]
    made.PixelData = pack_bits(frames.ravel())


def _label_map(mask: xr.DataArray) -> tuple[npt.NDArray[Any], list[Label]]:
    made = to_label_map(mask)
    return np.asarray(made.values), list(labels_of(made))


def _checked(values: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    low, high = float(values.min()), float(values.max())
    if not (low >= 0 and high <= 1):  # NaN fails, too
        raise DicomLabError(
            f"fractions are from 0 to 1; found {low:.3g} to {high:.3g}. mask.clip(0, 1), or mask.fillna(0), mends them."
        )
    return values.astype(np.float32)


def _counted(labels: Sequence[Label]) -> list[Label]:
    """The labels under the numbers 1, 2, … (PS3.3 C.8.20.4)."""
    before = [label.value for label in labels]
    if before != list(range(1, len(labels) + 1)):
        warn_user(
            f"the labels {', '.join(map(str, before[:8]))}{' …' if len(before) > 8 else ''} become the segments 1 to "
            f"{len(before)}: but for label maps (kind='labelmap') segments count from 1 on. Names tell them apart."
        )
    return [replace(label, value=number) for number, label in enumerate(labels, start=1)]


def _warn_of_uncoded(labels: Sequence[Label]) -> None:
    names = [label.name for label in labels if not label.is_coded]
    if names:
        warn_user(
            f"nothing says what {', '.join(map(repr, names[:8]))}{' …' if len(names) > 8 else ''} is, so it is written as "
            "tissue. Call it as dicomlab.masks.terms() does: to_seg('liver'), mask.rename('liver'), .with_labels(…). "
            "What is not in that list: dicomlab.masks.Label(1, name, category=Code(…), type=Code(…)), or add_term."
        )


def _described(labels: Sequence[Label], description: str | None) -> str:
    if description is None:
        text = ", ".join(label.name for label in labels)
        return text if len(text) <= 64 else f"{text[:62]} …"
    if len(description) > 64 or "\\" in description or not description.isprintable():
        raise DicomLabError(
            f"a Series Description (0008,103E) has at most 64 printable characters and no backslash; found {description!r}"
        )
    return description
