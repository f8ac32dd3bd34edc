"""One image of a written series, attribute by attribute: `Images`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from datetime import datetime
from functools import cached_property
from importlib.metadata import version
from typing import Any

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian, generate_uid

from dicomlab.export.kinds import CAPTURE, PET, Kind, rescale_type, say_pet
from dicomlab.export.origin import Origin
from dicomlab.export.place import Placement, decimal
from dicomlab.export.steps import COMPONENT, COMPONENTS, Steps
from dicomlab.export.stored import Storing
from dicomlab.export.subject import subject_of
from dicomlab.read.planes import Plane
from dicomlab.voi import Window
from dicomlab.windowing import windows_from_attrs

__all__ = ["IMPLEMENTATION", "Images"]

IMPLEMENTATION = generate_uid(entropy_srcs=["dicomlab", "export", "implementation"])
"""Implementation Class UID (0002,0012) of every file that is written."""
_MODALITIES = ("CT", "MR", "PT", "NM", "US", "OCT", "OPT", "XA", "RF", "MG", "DX", "CR", "IVUS", "PX")
"""Modalities that a picture may come from; what is none of them (a dose, say) is written as OT, other."""


@dataclass(frozen=True, eq=False)
class Images:
    """All images of one series.

    Parameters
    ----------
    storings
        How values become stored numbers: one for all, or one for each component.
    attrs
        Of the volume: windows, polarity, how it was resampled.
    description, derivation, number
        As of `write_series`.
    """

    kind: Kind
    modality: str
    frame: UID
    placement: Placement
    steps: Steps
    storings: tuple[Storing, ...]
    origin: Origin | None
    _: KW_ONLY
    attrs: Mapping[Any, Any]
    description: str
    derivation: str
    number: int | None

    def image(
        self, number: int, place: tuple[int, ...], sources: Sequence[Plane], values: npt.NDArray[Any]
    ) -> Dataset:
        """The data set of one image, with its pixels.

        Parameters
        ----------
        number
            Instance Number.
        place
            Its step along each extra axis, and its slice.
        sources
            Images of the source that it comes from.
        values
            Shape ``(rows, columns)``.
        """
        image = Dataset()
        image.update(self._shared)
        self.kind.take(image, self.origin, sources)
        if "b_value" in self.steps.dims and self.kind is not PET:
            # Repetitions of a b-value are told apart by their order alone, and that is the one of the volume.
            for keyword in ("AcquisitionDate", "AcquisitionTime"):
                image.pop(keyword, None)
        own = self.steps.attributes(place[:-1])
        image.update(own)
        image.ImageType = [*self.kind.image_type, *self._component(own)]
        image.SOPInstanceUID = generate_uid(prefix=None)
        image.InstanceNumber = number
        self.placement.write(image, place[-1])
        image.SliceThickness = self._thickness(sources)
        if self.origin is not None and self.origin.is_lossy:
            image.LossyImageCompression = "01"
        self._refer(image, sources)
        storing = self._storing(place)
        self._value(image, place, storing)
        stored = storing.store(values)
        image.Rows, image.Columns = stored.shape
        image.add_new("PixelData", "OW" if stored.itemsize == 2 else "OB", _even(stored.tobytes()))
        image.file_meta = self._meta(image)
        return image

    @cached_property
    def _shared(self) -> Dataset:
        """What all images have in common."""
        now = datetime.now()
        image = Dataset()
        image.update(subject_of(self.origin))
        image.SpecificCharacterSet = "ISO_IR 192"
        image.SOPClassUID = self.kind.uid
        image.Modality = self.modality if self.modality in _MODALITIES else "OT"
        image.InstanceCreationDate = image.ContentDate = image.SeriesDate = now.strftime("%Y%m%d")
        image.InstanceCreationTime = image.ContentTime = image.SeriesTime = now.strftime("%H%M%S")
        image.Manufacturer = image.ManufacturerModelName = "dicomlab"
        image.SoftwareVersions = version("dicomlab")
        image.SeriesDescription = self.description
        image.SeriesInstanceUID = generate_uid(prefix=None)
        image.SeriesNumber = self.number
        image.FrameOfReferenceUID = self.frame
        image.PositionReferenceIndicator = None
        if self.kind is CAPTURE:
            image.ConversionType = "WSD"  # a workstation made them
        image.DerivationDescription = "; ".join(
            filter(None, (self.derivation, self._resampled, self._rounded))
        )[:1024]
        self._show(image)
        dtype = self.storings[0].dtype  # they have one
        bits = 8 * dtype.itemsize
        image.SamplesPerPixel = 1
        image.BitsAllocated = image.BitsStored = bits
        image.HighBit = bits - 1
        image.PixelRepresentation = int(dtype.kind == "i")
        return image

    @property
    def _resampled(self) -> str:
        return f"resampled: {self.attrs['resampled']}" if self.attrs.get("resampled") else ""

    @property
    def _rounded(self) -> str:
        error = max(storing.error for storing in self.storings)
        nan = next((storing.nan for storing in self.storings if storing.nan is not None), None)
        rounded = f"values rounded by up to {error:.3g}" if error else ""
        filled = f"NaN became {nan:g}" if nan is not None else ""
        return "; ".join(filter(None, ("written from an array by dicomlab", rounded, filled)))

    @cached_property
    def _keeps_slices(self) -> bool:
        return self.origin is not None and self.origin.holds(self.placement)

    def _thickness(self, sources: Sequence[Plane]) -> Any:
        """Slice Thickness of the source, where slices are those of the source; None where it may be another."""
        if self.origin is None or not self._keeps_slices:
            return None
        found = self.origin.agreed("SliceThickness", sources)
        return None if found is None else found.value

    @cached_property
    def _is_plain(self) -> bool:
        """Whether stored numbers are values without a unit: an MR image has no module that says more of them."""
        units = {self.steps.units(index) for index in np.ndindex(self.steps.shape)}
        return self.modality == "MR" and all(one.is_identity for one in self.storings) and units == {""}

    def _component(self, own: Dataset) -> list[str]:
        found = str(own.get("ComplexImageComponent", "")).lower()
        if found not in COMPONENTS:
            return []
        return [COMPONENTS[found]]

    def _refer(self, image: Dataset, sources: Sequence[Plane]) -> None:
        if self.origin is None:
            return
        images, series = self.origin.references(sources)
        if images:
            image.SourceImageSequence = images
        if series:
            image.ReferencedSeriesSequence = series

    def _storing(self, place: tuple[int, ...]) -> Storing:
        return self.storings[place[self.steps.dims.index(COMPONENT)] if len(self.storings) > 1 else 0]

    def _value(self, image: Dataset, place: tuple[int, ...], storing: Storing) -> None:
        """What stored numbers mean."""
        units = self.steps.units(place[:-1])
        slices, steps = len(self.placement.positions), int(np.prod(self.steps.shape))
        if self.kind is PET:
            say_pet(image, units, slices, steps, int(image.InstanceNumber))
        elif self._is_plain:
            return
        image.RescaleSlope, image.RescaleIntercept = storing.slope, storing.intercept
        if self.kind is not PET:
            image.RescaleType = rescale_type(units)

    def _show(self, image: Dataset) -> None:
        """Polarity, and the windows of the volume."""
        inverted = self.attrs.get("PhotometricInterpretation") == "MONOCHROME1" and self.kind is not PET
        image.PhotometricInterpretation = "MONOCHROME1" if inverted else "MONOCHROME2"
        windows = [window for window in windows_from_attrs(self.attrs) if isinstance(window, Window)]
        windows = [
            window for window in windows if window.function == windows[0].function
        ]  # an image has one function
        if not windows:
            return
        image.WindowCenter = [decimal(window.center) for window in windows]
        image.WindowWidth = [decimal(window.width) for window in windows]
        if any(window.explanation for window in windows):
            image.WindowCenterWidthExplanation = [
                window.explanation.replace("\\", "/")[:64] for window in windows
            ]
        if windows[0].function != "LINEAR":
            image.VOILUTFunction = windows[0].function

    @staticmethod
    def _meta(image: Dataset) -> FileMetaDataset:
        meta = FileMetaDataset()
        meta.FileMetaInformationVersion = b"\x00\x01"
        meta.MediaStorageSOPClassUID = image.SOPClassUID
        meta.MediaStorageSOPInstanceUID = image.SOPInstanceUID
        meta.TransferSyntaxUID = ExplicitVRLittleEndian
        meta.ImplementationClassUID = IMPLEMENTATION
        meta.ImplementationVersionName = "DICOMLAB"
        return meta


def _even(pixels: bytes) -> bytes:
    return pixels + b"\0" * (len(pixels) % 2)
