"""From planes to stacks: the parts of a series that make one array each, with their findings.

Slices are sorted by ``n . ImagePositionPatient`` and by nothing else: Instance Number, Slice Location and file names are
labels, not positions (PS3.3 C.7.6.2.1.1).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import cast

import numpy as np
import numpy.typing as npt

from dicomlab import affine
from dicomlab.errors import DicomLabError, GeometryError
from dicomlab.findings import Finding
from dicomlab.geometry import Geometry
from dicomlab.read.alike import Headers
from dicomlab.read.arrange import Arrangement, arrange
from dicomlab.read.axes import Axis, Dims
from dicomlab.read.faults import geometry_findings, header_findings, pixel_findings
from dicomlab.read.flat_layout import FlatLayout, is_flat_instance, lay_out_flat
from dicomlab.read.headers import Instance
from dicomlab.read.images import stored_images
from dicomlab.read.planes import Plane
from dicomlab.read.stored import StoredImage

__all__ = ["Stack", "plane_name"]

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Stack:
    """Planes of one series with one orientation, size and spacing: what becomes one volume.

    Parameters
    ----------
    planes
        Sorted by position along the slice normal, ascending; in the order found when they have no position.
    series_findings
        Findings of the series as a whole that concern these planes; `findings` has the others.
    """

    planes: tuple[Plane, ...]
    series_findings: tuple[Finding, ...] = field(default=(), repr=False)

    @staticmethod
    def of(headers: Headers) -> Stack:
        """The stack of planes whose headers were looked at already."""
        stack = Stack(tuple(cast("Sequence[Plane]", headers.members)))
        stack.__dict__["headers"] = headers
        return stack

    @cached_property
    def headers(self) -> Headers:
        """Headers of the planes."""
        return Headers(self.planes)

    @cached_property
    def instances(self) -> tuple[Instance, ...]:
        """The objects that hold the planes, each once."""
        return tuple({id(plane.instance): plane.instance for plane in self.planes}.values())

    @cached_property
    def images(self) -> tuple[tuple[Instance, StoredImage | DicomLabError], ...]:
        """The objects, and how the pixels of each are read, or why they cannot be."""
        return tuple(zip(self.instances, stored_images(self.instances), strict=True))

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of steps of each extra axis, slices, rows, columns; of images, rows, columns where no array can be made.

        Without slices when the images have no place in the patient by their nature.
        """
        try:
            if self.flat is not None:
                return (*self.flat.shape, *self.size)
            return (*self.arrangement.shape, *self.planes[0].shape)
        except DicomLabError:
            return (len(self.planes), *self.planes[0].shape)

    @property
    def size(self) -> tuple[int, int]:
        """Rows and columns: of a slide those of all its tiles together."""
        with suppress(DicomLabError):
            if self.flat is not None and self.flat.level is not None:
                return self.flat.level.size
        return self.planes[0].shape

    @cached_property
    def flat(self) -> FlatLayout | None:
        """How images lie that have no place in the patient by their nature; None for all others.

        Raises
        ------
        UnsupportedError, FaultError
            They contradict themselves.
        """
        return lay_out_flat(self.instances) if is_flat_instance(self.instances[0]) else None

    @property
    def names(self) -> set[str]:
        """Names of the files."""
        return {instance.file.name for instance in self.instances}

    @property
    def paths(self) -> tuple[Path, ...]:
        """Full path of each file, in the order of `instances`; of a member of an archive, that of the archive."""
        return tuple(instance.file.path for instance in self.instances)

    @property
    def uid(self) -> str:
        """Series Instance UID, or what comes nearest to it."""
        first = self.instances[0]
        return first.text("SeriesInstanceUID") or first.text("SOPInstanceUID") or first.file.name

    @property
    def arrangement(self) -> Arrangement:
        """The planes in the order of the array, with extra axes found.

        Raises
        ------
        GeometryError
            The planes carry no patient position.
        UnsupportedError
            Several lie at one position, and nothing separates them.
        """
        if isinstance(self._arranged, DicomLabError):
            raise self._arranged
        return self._arranged

    @cached_property
    def _arranged(self) -> Arrangement | DicomLabError:
        # Why there is none is worth as much as one, and is asked for as often.
        try:
            return arrange(self.headers)
        except DicomLabError as problem:
            return problem

    def arrange(self, dims: Dims = "auto") -> Arrangement:
        """`arrangement` with the extra axes that `dims` names."""
        return self.arrangement if isinstance(dims, str) and dims == "auto" else arrange(self.headers, dims)

    @property
    def axes(self) -> tuple[Axis, ...]:
        """Extra axes, outermost first."""
        return self.arrangement.axes

    @property
    def geometry(self) -> Geometry:
        """Positions of all voxels of the stack; raises as `arrangement`."""
        return self.geometry_of(self.arrangement)

    def geometry_of(self, arrangement: Arrangement) -> Geometry:
        """Positions of all voxels of an arrangement of this stack."""
        layout, first = arrangement.layout, arrangement.planes[0]
        rows, columns = first.shape
        spacing = first.pixel_spacing
        assert spacing is not None
        return Geometry(
            layout.direction,
            layout.along,
            layout.row + spacing[0] * np.arange(rows),
            layout.column + spacing[1] * np.arange(columns),
            first.text("FrameOfReferenceUID") or f"unknown:{self.uid}",
        )

    @cached_property
    def findings(self) -> tuple[Finding, ...]:
        """Everything odd about the stack that its headers say."""
        try:
            if self.flat is not None:
                found = (*pixel_findings(self.images), *header_findings(self.headers))
                return (*found, *self.flat.findings)
            return self._all_findings(self.arrangement)
        except DicomLabError:  # no geometry to be odd; `geometry` says why
            return (*pixel_findings(self.images), *header_findings(self.headers))

    def findings_of(self, dims: Dims) -> tuple[Finding, ...]:
        """`findings`, with those of the extra axes that `dims` names."""
        return self._all_findings(self.arrange(dims))

    def _all_findings(self, arrangement: Arrangement) -> tuple[Finding, ...]:
        return (
            *pixel_findings(self.images),
            *header_findings(self.headers),
            *arrangement.findings,
            *geometry_findings(arrangement.planes, arrangement.layout),
        )

    def without(self, names: Iterable[str]) -> Stack:
        """The stack without the files, or planes, of these names."""
        left_out = set(names)
        return Stack(
            tuple(p for p in self.planes if p.instance.file.name not in left_out and p.name not in left_out)
        )

    def first_of_each_instance(self) -> Stack:
        """The stack without files whose SOP Instance UID (0008,0018) another has already."""
        first: dict[str, Instance] = {}
        for instance in self.instances:
            first.setdefault(instance.text("SOPInstanceUID"), instance)
        taken = {id(instance) for instance in first.values()}
        return Stack(tuple(plane for plane in self.planes if id(plane.instance) in taken))

    @property
    def is_placed(self) -> bool:
        """Whether its planes have a place in the patient."""
        return all(plane.position is not None and plane.cosines is not None for plane in self.planes)

    def __len__(self) -> int:
        return len(self.planes)

    def __repr__(self) -> str:
        rows, columns = self.size
        extra = ""
        with suppress(DicomLabError):
            if self.flat is not None:
                extra = "".join(
                    f", {n} x {dim}" for n, dim in zip(self.flat.shape, self.flat.dims, strict=True)
                )
            else:
                extra = "".join(f", {axis.values.size} x {axis.name}" for axis in self.axes)
        return f"<Stack of {len(self.planes)} images, {rows} x {columns}, {plane_name(self)}{extra}>"


def plane_name(stack: Stack) -> str:
    """``"axial"``, ``"coronal"``, ``"sagittal"``, or ``"no patient position"``.

    Of images that have none by their nature: the name of their `dicomlab.flat.ImagePlane`.
    """
    with suppress(DicomLabError):
        if stack.flat is not None:
            return " ".join(filter(None, (stack.flat.plane.name, stack.flat.attrs.get("slide_image"))))
    first = stack.planes[0]
    cosines = first.cosines
    try:
        return (
            "no patient position"
            if cosines is None or first.position is None
            else affine.plane_of(affine.direction_from_cosines(cosines)[0])
        )
    except GeometryError:
        return "broken orientation"
