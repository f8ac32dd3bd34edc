"""A patient who is in every attribute of Table E.1-1, and whatever displays say, as text to look for the patient in.

Each value planted is a token of its own: texts hold ``ZQX`` and a number, dates lie in years without images, times have a
fraction that no other number has.
"""

from __future__ import annotations

import base64
import contextlib
import datetime
import io
import logging
import re
import struct
import traceback
import warnings
import zlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pydicom
import xarray as xr
from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import generate_uid

from dicomlab.privacy.rule import _ALSO, IS_CLEANED
from dicomlab.privacy.table import ACTIONS, CURVES

TOKEN = re.compile(r"zqx\d{4}", re.IGNORECASE)
DEVICE = "2.25.777123777123"
"""UID of a device: the one UID that is masked."""
AGE = "093Y"

# These sequences hold links or trees whose items are judged one by one; what may stand in them is planted, codes are not.
_TREES = {"ContentSequence", "AcquisitionContextSequence", "GraphicAnnotationSequence"}
_LINKS = {
    "ReferencedImageSequence",
    "SourceImageSequence",
    "ReferencedStudySequence",
    "ReferencedPerformedProcedureStepSequence",
}
# Shown by decision (docs/privacy.md), planted elsewhere, or a picture.
_APART = {
    *IS_CLEANED,
    "PatientSex",
    "PatientSize",
    "PatientWeight",
    "OverlayComments",
    "OverlayData",
    "IconImageSequence",
}

KEYWORDS = sorted(
    keyword
    for keyword in {*ACTIONS, *_ALSO} - CURVES - _APART
    if (tag_for_keyword(keyword) or 0) >> 16 >= 8 and keyword != "DeviceUID"
)
"""What is planted at the top of a data set; the rest of the table is of messages, repeats in groups, or is new to pydicom."""


class Patient:
    """Gives tokens, and knows which were given for which attribute."""

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}
        """Keyword by token in lower case."""
        self.dates: dict[str, str] = {}
        self.times: dict[str, str] = {}
        self._known: dict[str, Any] = {}

    def known(self, keyword: str, vr: str) -> Any:
        """The one value that all files have for an attribute; None where its VR can hold no token."""
        if keyword not in self._known:
            self._known[keyword] = self._value(keyword, vr)
        return self._known[keyword]

    def text(self, keyword: str) -> str:
        token = f"ZQX{len(self.texts):04d}"
        self.texts[token.lower()] = keyword
        return token

    def date(self, keyword: str) -> str:
        day = datetime.date(1902, 1, 2) + datetime.timedelta(17 * len(self.dates))
        self.dates[day.strftime("%Y%m%d")] = keyword
        return day.strftime("%Y%m%d")

    def time(self, keyword: str) -> str:
        fraction = f"{913000 + len(self.times):06d}"
        self.times[f".{fraction}"] = keyword
        return f"{len(self.times) % 24:02d}3117.{fraction}"

    def _value(self, keyword: str, vr: str) -> Any:
        if vr in ("LO", "SH", "LT", "ST", "UT", "UC", "AE", "CS"):
            return self.text(keyword)
        if vr == "PN":
            return f"{self.text(keyword)}^{self.text(keyword)}"
        if vr == "UR":
            return f"https://{self.text(keyword).lower()}.example/"
        if vr == "DA":
            return self.date(keyword)
        if vr == "TM":
            return self.time(keyword)
        if vr == "DT":
            return self.date(keyword) + self.time(keyword)
        if vr == "AS":
            return AGE
        if vr == "SQ":
            return Sequence([self._item(keyword)])
        if vr in ("OB", "UN"):
            return self.text(keyword).encode() + b"\0"
        return None

    def _item(self, keyword: str) -> Dataset:
        item = Dataset()
        if keyword in _LINKS:
            item.ReferencedSOPClassUID = "1.2.840.10008.5.1.4.1.1.2"
            item.ReferencedSOPInstanceUID = generate_uid(entropy_srcs=[keyword])
        elif keyword == "GraphicAnnotationSequence":
            text = Dataset()
            text.UnformattedTextValue = self.text("UnformattedTextValue")
            item.TextObjectSequence = [text]
        elif keyword in _TREES:
            item.ValueType = "TEXT"
            item.TextValue, item.PersonName = self.text("TextValue"), self.text("PersonName")
            item.DateTime = self.date("DateTime") + self.time("DateTime")
            if keyword == "ContentSequence":
                deeper = Dataset()
                deeper.ValueType, deeper.TextValue = "TEXT", self.text("TextValue")
                item.ContentSequence = [deeper]
        else:
            item.CodeValue, item.CodeMeaning = self.text(keyword), self.text(keyword)
            item.PatientName, item.PatientID = self.text(keyword), self.text(keyword)
        return item

    def found_in(self, text: str) -> dict[str, str]:
        """Tokens of the patient in a text, with the attributes that they stand for."""
        found = {token: self.texts.get(token, "?") for token in map(str.lower, TOKEN.findall(text))}
        for known in (self.dates, self.times):
            for token, keyword in known.items():
                spelled = {
                    token,
                    f"{token[:4]}-{token[4:6]}-{token[6:]}",
                    f"{token[6:]}.{token[4:6]}.{token[:4]}",
                }
                if any(one in text for one in (spelled if token[0] != "." else {token})):
                    found[token] = keyword
        if DEVICE in text:
            found[DEVICE] = "DeviceUID"
        if re.search(rf"(?<![\w+/=]){AGE}(?![\w+/=])", text):  # it may be in base64 by chance
            found[AGE] = "PatientAge"
        return found


def plant(header: Dataset, patient: Patient, keep: frozenset[str] = frozenset()) -> None:
    """Put the patient into a data set: all of Table E.1-1 that fits, private elements, and a description that names him."""
    for keyword in KEYWORDS:
        vr = dictionary_VR(keyword)
        value = None if keyword in keep else patient.known(keyword, vr)
        if value is not None:
            setattr(header, keyword, value)
    header.DeviceUID = DEVICE
    deep = Dataset()
    for one, vrs in ((header, ("LO", "PN", "LT", "DA", "OB", "UN")), (deep, ("SH",))):
        block = one.private_block(0x0029, "ACME PRIVATE", create=True)
        for k, vr in enumerate(vrs, start=1):
            block.add_new(k, vr, patient.known(f"private {vr}", vr))
    deep.PatientName = patient.known("PatientName", "PN")
    header.private_block(0x0029, "ACME PRIVATE").add_new(0x10, "SQ", Sequence([deep]))
    if header.get("Rows"):
        _plant_overlay(header, patient)
    header.add_new(0x50000022, "LO", patient.known("CurveDescription", "LO"))
    header.add_new(0x50003000, "OB", patient.known("CurveData", "OB"))
    header.SeriesDescription = description(patient)
    for keyword in ("ContrastBolusAgent", "RequestedContrastAgent", "AcquisitionDeviceProcessingDescription"):
        setattr(header, keyword, f"agent {patient.known('PatientID', 'LO')}")


def description(patient: Patient) -> str:
    """What a careless hand types, in 64 characters."""
    family, given = patient.known("PatientName", "PN").split("^")
    born = patient.known("PatientBirthDate", "DA")
    place = patient.known("InstitutionName", "LO")
    return f"T1 {family}-{given.lower()} {patient.known('PatientID', 'LO')} *{born[6:]}.{born[4:6]}.{born[:4]} {place}"


def _plant_overlay(header: Dataset, patient: Patient) -> None:
    bits = np.packbits(
        np.eye(header.Rows, header.Columns, dtype=np.uint8).ravel(), bitorder="little"
    ).tobytes()
    for element, vr, value in (
        (0x0010, "US", header.Rows),
        (0x0011, "US", header.Columns),
        (0x0040, "CS", "G"),
        (0x0050, "SS", [1, 1]),
        (0x0100, "US", 1),
        (0x0102, "US", 0),
        (0x3000, "OB", bits + b"\0" * (len(bits) % 2)),
        (0x4000, "LT", patient.known("OverlayComments", "LT")),
    ):
        header.add_new(0x60000000 | element, vr, value)


def plant_files(folder: Path, patient: Patient) -> None:
    """Plant the patient in every DICOM file under a folder; a PET keeps the times that uptake is made of."""
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            header = pydicom.dcmread(path, force=True)
            plant(header, patient, CLOCKS if header.get("Modality") == "PT" else frozenset())
            header.file_meta.SourceApplicationEntityTitle = patient.known("StationAETitle", "AE")
            header.save_as(path)


CLOCKS = frozenset({"SeriesDate", "SeriesTime", "AcquisitionDate", "AcquisitionTime"})


# -- what displays say ---------------------------------------------------------------------------------------------------------


def said_by(act: Callable[[], Any]) -> str:
    """All that is said when something is done: its result in every form, warnings, log records, tracebacks, prints."""
    texts: list[str] = []
    records: list[logging.LogRecord] = []

    class Listen(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            records.append(record)

    listen, root, prints = Listen(level=0), logging.getLogger(), io.StringIO()
    root.addHandler(listen)
    try:
        with (
            warnings.catch_warnings(record=True) as told,
            contextlib.redirect_stdout(prints),
            contextlib.redirect_stderr(prints),
        ):
            warnings.simplefilter("always")
            try:
                texts += texts_of(act())
            except Exception:
                texts.append(traceback.format_exc())
    finally:
        root.removeHandler(listen)
    texts += [str(one.message) for one in told]
    texts += [f"{record.getMessage()} {record.exc_text or ''}" for record in records]
    return "\n".join([*texts, prints.getvalue()])


def texts_of(thing: Any, depth: int = 0) -> Iterator[str]:
    """Whatever a result can be seen as: repr, HTML, mime bundles, tables, state of widgets, files, chunks of pictures."""
    if depth > 5 or thing is None or isinstance(thing, (int, float, np.ndarray)):
        return
    if isinstance(thing, bytes):
        yield from _bytes_said(thing)
        return
    if isinstance(thing, str):
        yield thing
        yield from (text for data in _EMBEDDED.findall(thing) for text in _bytes_said(base64.b64decode(data)))
        return
    if isinstance(thing, Path):
        files = [path for path in sorted(thing.rglob("*")) if path.is_file()] if thing.is_dir() else [thing]
        yield from (text for path in files for text in _bytes_said(path.read_bytes()))
        return
    if isinstance(thing, BaseException):
        yield "".join(traceback.format_exception(thing))
        return
    if isinstance(thing, Mapping):
        yield repr(thing)
        for key, value in thing.items():
            yield from texts_of(key, depth + 1)
            yield from texts_of(value, depth + 1)
        return
    if isinstance(thing, (list, tuple, set, frozenset)):
        for one in thing:
            yield from texts_of(one, depth + 1)
    yield repr(thing)
    yield str(thing)
    for show in (
        "_repr_html_",
        "_repr_mimebundle_",
        "_repr_png_",
        "_repr_svg_",
        "to_html",
        "to_dataframe",
        "get_state",
    ):
        method = None if isinstance(thing, type) else getattr(thing, show, None)
        if callable(method) and not (show == "to_html" and isinstance(thing, pd.DataFrame)):
            yield from texts_of(method(), depth + 1)
    if isinstance(thing, (pd.DataFrame, pd.Series)):
        yield thing.to_csv()
        yield from texts_of(dict(thing.attrs), depth + 1)
    if isinstance(thing, (xr.DataArray, xr.Dataset)):
        yield str(thing.to_dict(data=False))
        yield str({name: coord.values.tolist() for name, coord in thing.coords.items()})
    if isinstance(thing, xr.DataTree):
        yield from (str(node.to_dataset().to_dict(data=False)) for node in thing.subtree)
    if hasattr(thing, "savefig"):
        yield from _figure_said(thing)
    elif hasattr(getattr(thing, "figure", None), "savefig"):
        yield from _figure_said(thing.figure)
    for name in (
        "table",
        "skipped",
        "findings",
        "stacks",
        "presentations",
        "title",
        "labels",
        "problems",
        "names",
    ):
        if not isinstance(thing, (type, pd.DataFrame, pd.Series, xr.DataArray, xr.Dataset)) and hasattr(
            thing, name
        ):
            yield from texts_of(getattr(thing, name), depth + 1)


_EMBEDDED = re.compile(r"data:[\w/+.-]+;base64,([A-Za-z0-9+/=]+)")


def _figure_said(figure: Any) -> Iterator[str]:
    for kind in ("png", "svg"):
        file = io.BytesIO()
        figure.savefig(file, format=kind)
        yield from _bytes_said(file.getvalue())


def _bytes_said(data: bytes) -> Iterator[str]:
    """Bytes as text, and what is packed in them: chunks of a PNG, base64 in a page."""
    text = data.decode("latin-1")
    yield text
    if data.startswith(b"\x89PNG"):
        place = 8
        while place + 8 <= len(data):
            length, kind = struct.unpack(">I4s", data[place : place + 8])
            chunk = data[place + 8 : place + 8 + length]
            if kind in (b"zTXt", b"iTXt"):
                packed = chunk.split(b"\0", 1)[1].lstrip(b"\0\1")
                with contextlib.suppress(zlib.error):
                    yield zlib.decompress(packed).decode("latin-1")
            place += length + 12
    elif len(text) < 4_000_000:
        yield from (
            part for found in _EMBEDDED.findall(text) for part in _bytes_said(base64.b64decode(found))
        )
