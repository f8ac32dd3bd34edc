"""Everything that shows something, done to a study with a planted patient: what `test_privacy_audit` looks through.

Who adds a public name adds a line here: ``"name": lambda p: what it shows``; `p` is a `PlantedStudy`. A name that cannot show
anything of a patient goes into `SILENT`, with the reason. A test compares both with the public names.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import xarray as xr
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

import dicomlab as dl
from dicomlab import phantom
from tests.privacy_support import Patient, plant, plant_files


@dataclass
class PlantedStudy:
    """A CT, an MR and a PET of a planted patient, and what else hospitals keep about such a one."""

    home: Path
    patient: Patient = field(default_factory=Patient)

    def __post_init__(self) -> None:
        self.folder = self.home / "study"
        phantom.write_study(self.folder, coarser=16)
        plant_files(self.folder, self.patient)
        self.file = sorted(path for path in self.folder.rglob("*") if path.is_file())[0]
        self.broken = self._broken()

    @cached_property
    def series(self) -> dl.SeriesList:
        return dl.find_series(self.folder, progress=False)

    def one(self, modality: str) -> dl.Series:
        return next(one for one in self.series if one.modality == modality)

    @cached_property
    def header(self) -> Dataset:
        return pydicom.dcmread(self.file)

    @cached_property
    def ct(self) -> xr.DataArray:
        return dl.load_volume(self.one("CT"), progress=False)

    @cached_property
    def mr(self) -> xr.DataArray:
        return dl.load_volume(self.one("MR"), progress=False)

    @cached_property
    def pet(self) -> xr.DataArray:
        return dl.load_volume(self.one("PT"), progress=False)

    @cached_property
    def mask(self) -> xr.DataArray:
        return (self.ct > 100).dicom.with_labels(["bone"])

    @cached_property
    def seg(self) -> Path:
        return self._written("seg", self.mask.dicom.to_seg("bone", source=self.one("CT")), "SegmentLabel")

    @cached_property
    def rtstruct(self) -> Path:
        return self._written(
            "rtstruct", self.mask.dicom.to_rtstruct("bone", source=self.one("CT")), "ROIName"
        )

    def _written(self, name: str, made: Dataset, label: str) -> Path:
        """An object about the patient, whose labels name him."""
        family = self.patient.known("PatientName", "PN").split("^")[0]
        plant(made, self.patient)
        made.file_meta = getattr(made, "file_meta", None) or FileMetaDataset()
        made.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        for element in made.iterall():
            if element.keyword == label:
                element.value = f"bone {family}"
        made.StructureSetLabel = f"set {family}"[:16]
        path = self.home / name / "object"
        path.parent.mkdir()
        made.save_as(path, enforce_file_format=True)
        return path

    @cached_property
    def report(self) -> Path:
        """A structured report, which is text alone."""
        return self._plain("report", "1.2.840.10008.5.1.4.1.1.88.11", "SR")

    @cached_property
    def states(self) -> Path:
        """The CT with a presentation state beside it that names the patient."""
        folder = self.home / "states"
        folder.mkdir()
        images = [pydicom.dcmread(path) for path in self.one("CT").paths]
        for k, image in enumerate(images):
            image.save_as(folder / f"{k}")
        state = self._about("1.2.840.10008.5.1.4.1.1.11.1", "PR")
        family = self.patient.known("PatientName", "PN").split("^")[0]
        state.ContentLabel, state.ContentDescription = family, f"for {family}"
        shown = Dataset()
        shown.WindowCenter, shown.WindowWidth = 40, 400
        state.SoftcopyVOILUTSequence = [shown]
        refers, image = Dataset(), Dataset()
        refers.SeriesInstanceUID = images[0].SeriesInstanceUID
        image.ReferencedSOPClassUID, image.ReferencedSOPInstanceUID = (
            images[0].SOPClassUID,
            images[0].SOPInstanceUID,
        )
        refers.ReferencedImageSequence = [image]
        state.ReferencedSeriesSequence = [refers]
        state.RescaleIntercept, state.RescaleSlope, state.RescaleType = "-1024", "1", "HU"
        state.save_as(folder / "state", enforce_file_format=True)
        return folder

    def _about(self, sop_class: str, modality: str) -> Dataset:
        made = Dataset()
        made.file_meta = FileMetaDataset()
        made.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        made.file_meta.MediaStorageSOPClassUID = made.SOPClassUID = sop_class
        made.file_meta.MediaStorageSOPInstanceUID = made.SOPInstanceUID = generate_uid(
            entropy_srcs=[sop_class]
        )
        made.SeriesInstanceUID = generate_uid(entropy_srcs=[sop_class, "series"])
        made.StudyInstanceUID, made.Modality = self.header.StudyInstanceUID, modality
        plant(made, self.patient)
        return made

    def _plain(self, name: str, sop_class: str, modality: str) -> Path:
        path = self.home / name / "object"
        path.parent.mkdir()
        self._about(sop_class, modality).save_as(path, enforce_file_format=True)
        return path

    @cached_property
    def disc(self) -> Path:
        """A DICOMDIR whose records name the patient, and a file of his that is not there."""
        folder = self.home / "disc"
        folder.mkdir()
        index = self._about("1.2.840.10008.1.3.10", "")
        family = self.patient.known("PatientName", "PN").split("^")[0]
        record = Dataset()
        record.DirectoryRecordType = "PATIENT"
        plant(record, self.patient)
        lost = Dataset()
        lost.DirectoryRecordType, lost.ReferencedFileID = "IMAGE", ["IMAGES", family, "IM1"]
        index.DirectoryRecordSequence = [record, lost]
        index.save_as(folder / "DICOMDIR", enforce_file_format=True)
        return folder / "DICOMDIR"

    @cached_property
    def archive(self) -> Path:
        path = self.home / "study.zip"
        with zipfile.ZipFile(path, "w") as made:
            for one in (self.file, *self.broken):
                made.write(one, one.name)
        return path

    def _broken(self) -> list[Path]:
        """Files of the patient that are damaged in many ways, and one that is a letter about him."""
        folder = self.home / "broken"
        folder.mkdir()
        whole = self.file.read_bytes()
        rng = np.random.default_rng(8)
        made = {f"cut{k}": whole[: len(whole) * k // 12] for k in range(1, 12)}
        identity = whole.index(self.patient.known("PatientName", "PN").encode())
        for k, (vr, length) in enumerate(
            [
                (b"DS", 10),
                (b"US", 10),
                (b"SQ", 10),
                (b"UI", 10),
                (b"FD", 16),
                (b"ZZ", 10),
                (b"DA", 60),
                (b"IS", 4000),
                (b"PN", 9),
            ]
        ):
            made[f"vr{k}"] = whole[: identity - 4] + vr + length.to_bytes(2, "little") + whole[identity:]
        places = [place for place in range(140, len(whole) - 8, 2) if whole[place : place + 2].isupper()]
        for k in range(12):
            damaged = bytearray(whole)
            for place in rng.choice(places, 3):
                damaged[place + 2 : place + 4] = int(rng.integers(0, 1 << 16)).to_bytes(2, "little")
            made[f"length{k}"] = bytes(damaged)
        for k in range(8):
            damaged = bytearray(whole)
            for place in rng.choice(places, 3):
                damaged[place : place + 2] = [b"DS", b"US", b"IS", b"AT", b"FL", b"SQ", b"UI", b"TM"][
                    rng.integers(8)
                ]
            made[f"kind{k}"] = bytes(damaged)
        made["big"] = whole.replace(b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.2.2\0", 1)
        made["deflated"] = whole.replace(b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.2.1.99"[:20], 1)
        made["letter"] = f"Dear {self.patient.known('PatientName', 'PN')}".encode()
        made["headless"] = whole[132:]
        for keyword in (
            "PixelSpacing",
            "ImagePositionPatient",
            "Rows",
            "RescaleSlope",
            "WindowCenter",
        ):
            made[f"odd {keyword}"] = _with_text(
                whole, keyword, self.patient.known("PatientID", "LO").encode()
            )
        for name, data in made.items():
            (folder / name).write_bytes(data)
        return sorted(folder.iterdir())


def _with_text(whole: bytes, keyword: str, text: bytes) -> bytes:
    """A file whose attribute holds a text in place of a number."""
    tag = pydicom.tag.Tag(keyword)
    head = tag.group.to_bytes(2, "little") + tag.element.to_bytes(2, "little")
    place = whole.index(head)
    length = int.from_bytes(whole[place + 6 : place + 8], "little")
    return whole[: place + 8] + text[:length].ljust(length) + whole[place + 8 + length :]


def refused(act: Callable[[], Any]) -> Any:
    """What comes out, be it an error: of many acts in one display, each has its say."""
    try:
        return act()
    except Exception as problem:
        return problem


def each(things: Any, act: Callable[[Any], Any]) -> list[Any]:
    return [refused(lambda thing=thing: act(thing)) for thing in things]


def _fails(volume: Any) -> float:
    raise ValueError(f"of {volume.sizes['slice']} slices none will do")


def _exported(browser: Any, folder: Path) -> list[Any]:
    folder.mkdir(exist_ok=True)
    browser.to_html(folder / "page.html")
    browser.save_picture(folder / "picture.png")
    browser.save_run(folder / "run.gif")
    return [browser, browser.get_state(), folder]


def _explored(explorer: Any) -> list[Any]:
    """An explorer as it is saved with a notebook, as a page, and as a picture."""
    return [
        explorer,
        json.dumps([explorer.facts, explorer.state], default=str),
        explorer.still(),
        explorer.to_html(),
    ]


def _extras(p: PlantedStudy) -> list[Any]:
    folder = p.home / "extras"
    folder.mkdir(exist_ok=True)
    return [
        refused(lambda: p.ct.dicom.to_sitk()),
        refused(lambda: p.ct.dicom.to_nibabel().header),
        refused(lambda: p.ct.dicom.save_nifti(folder / "ct.nii")),
        refused(lambda: p.ct.dicom.save_nrrd(folder / "ct.nrrd")),
        refused(lambda: p.ct.dicom.save_ome_zarr(folder / "ct.zarr")),
        refused(lambda: p.ct.to_netcdf(folder / "ct.nc")),
        folder,
    ]


DISPLAYS: dict[str, Callable[[PlantedStudy], Any]] = {
    "find_series": lambda p: [p.series, *p.series, dl.find_series([*p.broken], progress=False)],
    "find_series: an archive": lambda p: dl.find_series(p.archive, progress=False),
    "find_series: a disc": lambda p: [
        dl.find_series(p.disc, progress=False),
        dl.find_series(p.disc.parent, progress=False),
    ],
    "find_series: presentation states": lambda p: list(dl.find_series(p.states, progress=False)),
    "find_series: broken files, one by one": lambda p: each(
        p.broken, lambda path: dl.find_series(path, progress=False)
    ),
    "load_volume": lambda p: [p.ct, p.mr, p.pet, p.ct.dicom],
    "load_volume: presentation states": lambda p: dl.load_volume(p.states, progress=False),
    "load_volume: broken files, one by one": lambda p: each(
        p.broken, lambda path: dl.load_volume(path, progress=False)
    ),
    "load_volume: what is no volume": lambda p: each(
        (p.folder, p.report, p.seg, p.rtstruct, p.disc, p.home / "broken"),
        lambda path: dl.load_volume(path, progress=False),
    ),
    "load_volume: dims of the user's choice": lambda p: each(
        (*p.header.keys(),),
        lambda tag: dl.load_volume(p.folder / "ct", dims=[pydicom.datadict.keyword_for_tag(tag)]),
    ),
    "open_volume": lambda p: [dl.open_volume(one, progress=False) for one in p.series],
    "open_volume: as a tree": lambda p: [
        xr.open_datatree(p.folder, engine="dicom"),
        xr.open_dataset(p.file, engine="dicom"),
    ],
    "open_volume: broken files in a tree": lambda p: xr.open_datatree(p.home / "broken", engine="dicom"),
    "load_overlays": lambda p: [dl.load_overlays(p.one("CT"))],
    "load_segmentation": lambda p: [dl.load_segmentation(p.seg), dl.load_segmentation(p.seg).dicom.labels],
    "load_segmentation: errors": lambda p: each((p.folder, p.report, p.broken[0]), dl.load_segmentation),
    "load_contours": lambda p: [dl.load_contours(p.rtstruct), *dl.load_contours(p.rtstruct).every],
    "load_contours: errors": lambda p: [
        *each((p.folder, p.report), dl.load_contours),
        refused(lambda: dl.load_contours(p.rtstruct)["spleen"]),
    ],
    "load_rtstruct": lambda p: dl.load_rtstruct(p.rtstruct, like=p.ct),
    "header_table": lambda p: [
        dl.header_table(one) for one in (p.file, p.header, p.report, p.seg, p.rtstruct, p.disc)
    ],
    "header_table: broken files": lambda p: each(p.broken[::2], dl.header_table),
    "header_table: errors": lambda p: [
        refused(lambda: dl.header_table(p.folder)),
        refused(lambda: dl.header_table(p.disc.parent)),
    ],
    "explain": lambda p: [
        *(dl.explain(one) for one in (p.file, p.header, p.report, p.seg, p.rtstruct, p.disc)),
        *(dl.explain(one) for one in p.series),
        dl.explain(p.header["PatientName"]),
    ],
    "explain: broken files": lambda p: each(p.broken[1::2], dl.explain),
    "explain: errors": lambda p: [refused(lambda: dl.explain(p.folder))],
    "compare_headers": lambda p: [
        dl.compare_headers(p.file, p.one("MR")),
        dl.compare_headers(p.file, Dataset()),
        dl.compare_headers(p.one("CT"), p.one("PT")),
    ],
    "varying": lambda p: [dl.varying(one) for one in p.series],
    "keyword_table": lambda p: dl.keyword_table(
        p.folder,
        ["PatientName", "SeriesDescription", "RequestAttributesSequence.CodeMeaning", "Rows", "StudyDate"],
    ),
    "Series": lambda p: [(one, one.findings, one.stacks, one.description) for one in p.series],
    "SeriesList": lambda p: [p.series.table, p.series.skipped, refused(lambda: p.series["CT"])],
    "Stack": lambda p: [one.stacks for one in p.series],
    "Finding": lambda p: [
        finding.explain() for one in dl.find_series(p.home / "broken") for finding in one.findings
    ],
    "Geometry": lambda p: [p.ct.dicom.geometry],
    "show": lambda p: [dl.show(p.ct), dl.show(p.pet), dl.show(p.ct, masks=p.mask)],
    "montage": lambda p: dl.montage(p.ct),
    "orthoview": lambda p: dl.orthoview(p.ct),
    "browse": lambda p: _exported(dl.browse(p.ct, masks=p.mask), p.home / "exported"),
    "SliceBrowser": lambda p: dl.SliceBrowser([p.mr]).get_state(),
    "compare": lambda p: _exported(dl.compare(p.ct, p.pet), p.home / "compared"),
    "link": lambda p: dl.link(dl.browse(p.ct), dl.browse(p.pet)),
    "Roi": lambda p: dl.browse(p.ct).rois,
    "region_stats": lambda p: dl.region_stats(p.ct, p.mask),
    "compare_masks": lambda p: dl.compare_masks(p.mask, p.mask),
    "map_series": lambda p: [
        dl.map_series(lambda v: float(v.mean()), p.series, results=p.home / "results.sqlite", progress=False),
        p.home / "results.sqlite",
        dl.map_series(_fails, p.series, progress=False),
        dl.map_series(_fails, p.home / "broken", progress=False),
    ],
    "write_series: errors": lambda p: [
        refused(lambda: dl.write_series(p.mask, p.home / "new", source=p.folder)),
        refused(lambda: dl.write_series(p.ct, p.home / "new", source=p.report)),
        refused(lambda: dl.write_series(p.ct, p.folder)),
        refused(lambda: len(dl.write_series(p.mr, p.home / "written", source=p.one("CT")))),
    ],
    "write_series": lambda p: dl.write_series(p.ct, p.home / "of nobody"),
    "resample": lambda p: p.ct.dicom.resample(spacing=20.0),
    "resample_like": lambda p: [dl.resample_like(p.pet, p.ct), refused(lambda: dl.resample_like(p.mr, p.ct))],
    "reslice": lambda p: dl.reslice(p.ct, "coronal"),
    "mip": lambda p: dl.mip(p.ct, axis="row"),
    "make_volume": lambda p: dl.make_volume(p.ct.values, geometry=p.ct.dicom.geometry),
    "volume.dicom": lambda p: [
        p.ct.dicom,
        p.ct.dicom.stats(p.mask),
        refused(lambda: p.pet.dicom.suv("bw")),
        p.ct.dicom.findings,
    ],
    "volume.dicom: other formats": _extras,
}
"""Display by name, each beginning with the public name that it is about."""

SILENT = {
    "WINDOWS": "a constant",
    "DicomLabError": "what it says is said by those who raise it",
    "DicomLabWarning": "as DicomLabError",
    "Window": "two numbers",
    "VoiLut": "numbers and the explanation of the makers",
    "apply_window": "gives numbers",
    "phantom": "knows no files but its own",
    "segment": "knows volumes alone, whose attributes are looked through",
    "show_identity": "shows what it is there to show",
    "teach": "has names of its own, see TEACH",
}
"""Public names that can show nothing of a patient, with the reason."""

TEACH: dict[str, Callable[[PlantedStudy], Any]] = {
    "explore_file": lambda p: each(
        (p.file, p.seg, p.report, *p.broken[::9]),
        lambda path: _explored(dl.teach.explore_file(path)),
    ),
    "explore_encodings": lambda p: _explored(dl.teach.explore_encodings(p.file)),
    "EncodingsExplorer": lambda p: dl.teach.explore_encodings(p.file),
    "explore_compression": lambda p: _explored(dl.teach.explore_compression(p.file)),
    "CompressionExplorer": lambda p: dl.teach.explore_compression(p.file),
    "explore_window": lambda p: _explored(dl.teach.explore_window(p.ct)),
    "WindowExplorer": lambda p: dl.teach.explore_window(p.pet),
    "explore_geometry": lambda p: _explored(dl.teach.explore_geometry(p.folder / "ct")),
    "GeometryExplorer": lambda p: dl.teach.explore_geometry(p.one("MR")),
    "FileExplorer": lambda p: dl.teach.explore_file(p.file),
    "explore_series": lambda p: [
        _explored(dl.teach.explore_series(p.folder)),
        refused(lambda: dl.teach.explore_series(p.report)),
    ],
}
"""As `DISPLAYS`, for the names of `dicomlab.teach`."""

TEACH_SILENT = {
    "Verdict": "says what the course says",
    "check_exercise": "says what the course says",
    "gallery": "shows what the phantom makes",
}
"""As `SILENT`, for the names of `dicomlab.teach`."""
