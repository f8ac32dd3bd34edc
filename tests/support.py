"""What several tests need: small phantom series, changed at will, and the real data where they are."""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from pydicom.dataset import Dataset

from dicomlab import phantom
from dicomlab.errors import NotDicomError
from dicomlab.read.elements import Attributes
from dicomlab.read.headers import read_instance
from dicomlab.read.sources import FileRef, list_files

if TYPE_CHECKING:
    import highdicom as hd

SMALL = (6, 12, 10)
"""Shape of a series that costs a test next to nothing."""

SEGMENTS = ("Left kidney", "Right kidney", "Stone")
"""Labels of the segments that `write_seg` writes."""

SHARED = Path(os.environ.get("DICOMLAB_SHARED_DATA", Path(__file__).parents[2] / "shared" / "data"))
"""Real DICOM beside the project; nothing of it is part of the project."""


@cache
def _truths() -> dict[str, phantom.Truth]:
    return {
        "CT": phantom.ct_truth(phantom.CT_PET_FRAME, SMALL, "axial"),
        "MR": phantom.mr_truth(phantom.MR_FRAME, SMALL, "oblique"),
        "PT": phantom.pet_truth(phantom.CT_PET_FRAME, SMALL, "axial"),
    }


def truth(modality: str = "CT") -> phantom.Truth:
    """What a correct reader makes of `datasets(modality)`."""
    return _truths()[modality]


def datasets(modality: str = "CT") -> list[Dataset]:
    """Small series, sorted by position, made anew so that a test may change it."""
    make: dict[str, Callable[[phantom.Truth], list[Dataset]]] = {
        "CT": phantom.ct_datasets,
        "MR": phantom.mr_datasets,
        "PT": phantom.pet_datasets,
    }
    return make[modality](truth(modality))


def write(folder: Path, changed: list[Dataset]) -> Path:
    """Write datasets and return their folder."""
    phantom.write_datasets(folder, changed)
    return folder


@cache
def shared_data() -> Path:
    """Folder of the unpacked real data, unpacked once into a cache of this machine.

    Raises
    ------
    FileNotFoundError
        The data are not there.
    """
    if not (SHARED / "unpack.py").is_file():
        raise FileNotFoundError(f"no real data at {SHARED}")
    cache_folder = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "dicomlab-shared-data"
    cache_folder.mkdir(parents=True, exist_ok=True)
    spec = importlib.util.spec_from_file_location("dicomlab_unpack", SHARED / "unpack.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    argv, sys.argv = sys.argv, ["unpack.py", str(cache_folder)]
    try:
        spec.loader.exec_module(module)
    finally:
        sys.argv = argv
    return cache_folder


def frames_of(folder: Path) -> list[Attributes]:
    """Every image in a folder, and every frame of the enhanced ones, with their functional groups in front (not unfolded)."""
    found: list[Attributes] = []
    for ref in list_files(folder, lambda *_: None):
        try:
            instance = read_instance(ref)
        except NotDicomError:
            continue
        shared = instance.items("SharedFunctionalGroupsSequence")
        frames = instance.items("PerFrameFunctionalGroupsSequence")
        found += [Attributes.of(frame, *shared, instance.header) for frame in frames] or [instance]
    return found


def watch_opening(monkeypatch: pytest.MonkeyPatch, names: list[str]) -> None:
    """Note in `names` every file that is opened, in whichever way."""
    for method in ("open", "read_into", "head"):

        def watched(self: FileRef, *args: Any, plain: Callable[..., Any] = getattr(FileRef, method)) -> Any:  # noqa: B008
            names.append(self.name)
            return plain(self, *args)

        monkeypatch.setattr(FileRef, method, watched)


def write_seg(
    folder: Path, sources: list[Dataset], pixels: np.ndarray, kind: str = "BINARY", **options: Any
) -> tuple[Path, hd.seg.Segmentation]:
    """Let highdicom write a Segmentation of the source images: masks (slices, rows, columns, segments) or labels."""
    import highdicom as hd
    from highdicom.sr.coding import CodedConcept
    from pydicom.sr.codedict import codes

    descriptions = [
        hd.seg.SegmentDescription(
            segment_number=number,
            segment_label=SEGMENTS[number - 1],
            segmented_property_category=codes.SCT.Organ,
            segmented_property_type=CodedConcept("64033007", "SCT", "Kidney"),
            algorithm_type=hd.seg.SegmentAlgorithmTypeValues.MANUAL,
        )
        for number in range(1, (pixels.shape[-1] if pixels.ndim == 4 else int(pixels.max())) + 1)
    ]
    segmentation = hd.seg.Segmentation(
        source_images=sources,
        pixel_array=pixels,
        segmentation_type=kind,
        segment_descriptions=descriptions,
        series_instance_uid=hd.UID(),
        series_number=9,
        sop_instance_uid=hd.UID(),
        instance_number=1,
        manufacturer="dicomlab tests",
        manufacturer_model_name="none",
        software_versions="0",
        device_serial_number="0",
        **options,
    )
    folder.mkdir(exist_ok=True)
    segmentation.save_as(folder / "seg.dcm")
    return folder / "seg.dcm", segmentation
