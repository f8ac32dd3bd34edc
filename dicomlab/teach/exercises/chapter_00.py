"""Checks of chapter 0: what a DICOM file is."""

from __future__ import annotations

import struct
from typing import Any, Final

from dicomlab.teach.exercises.answers import check, judged, names, text, whole
from dicomlab.teach.exercises.lessons import as_file, ct_headers
from dicomlab.teach.exercises.verdict import Check, Verdict, right, wrong

__all__ = ["CHECKS"]

_BOX: Final = {"holiday.jpg": True, "ct.dcm": False, "REPORT": False, "1.2.3.4": True}
"""The files of exercise 4, and which of them are DICOM."""
_UIDS: Final = (
    "StudyInstanceUID",
    "SeriesInstanceUID",
    "FrameOfReferenceUID",
    "SOPInstanceUID",
    "SOPClassUID",
)


@check
def _letters(answer: Any) -> Verdict:
    if isinstance(answer, list | tuple) and len(answer) == 4 and all(isinstance(one, str) for one in answer):
        answer = "".join(answer)
    found = text(answer, "four letters").strip("\0 ")
    if found == "DICM":
        return right("those four bytes are how a reader knows the file (PS3.10 section 7.1).")
    if found.upper() in ("DICM", "DICOM"):
        return wrong("it is four bytes, all capitals. Read bytes 128 to 131 of the file and compare.")
    return wrong("they are bytes 128 to 131 of the file, after the preamble.")


@check
def _start(answer: Any) -> Verdict:
    found = whole(answer, "the place of a byte")
    length = struct.unpack("<I", as_file(ct_headers()[0])[140:144])[0]
    start = 144 + length
    return judged(
        found,
        start,
        within=0,
        good=f"{length} bytes of group 0002 follow byte 144, where the value of the group length ends.",
        mistakes=[
            (length, "that is the length alone: the place where counting begins has to be added."),
            (
                132 + length,
                "you count from the end of DICM. The length counts what follows its own element, 12 bytes on.",
            ),
            (
                140 + length,
                "you count from the first byte of the value. The length counts what follows its last one.",
            ),
            (12 + length, "you forgot the preamble and DICM, which come before the first element."),
            (
                128 + length,
                "you count from the end of the preamble. DICM and the element itself come next, 16 bytes.",
            ),
            (16 + length, "you forgot the preamble of 128 bytes."),
            (
                start - 1,
                "off by one: bytes are counted from 0, so the first byte after 144 + n bytes is number 144 + n.",
            ),
            (
                start + 1,
                "off by one: bytes are counted from 0, so the first byte after 144 + n bytes is number 144 + n.",
            ),
        ],
        otherwise=f"you are {abs(found - start):.6g} bytes {'too far' if found > start else 'short'}. "
        "At the right place stands b'\\x08\\x00', the group 0008 in little endian.",
    )


@check
def _syntax(answer: Any) -> Verdict:
    said = text(answer, "a UID")
    meta = ct_headers()[0].file_meta
    if said == meta.TransferSyntaxUID:
        return right(
            "Explicit VR Little Endian: every element says its own VR, least significant byte first."
        )
    if said.strip("\0 ") == meta.TransferSyntaxUID:
        return wrong(
            "that is it, with its padding. A UID of odd length gets a null byte in the file: strip it, or let pydicom do it."
        )
    if said == meta.TransferSyntaxUID.name:
        return wrong(
            "that is its name. The UID itself is asked for, digits and dots: what pydicom shows of it is looked up."
        )
    if said in (meta.MediaStorageSOPClassUID, meta.MediaStorageSOPClassUID.name):
        return wrong("that is the SOP Class: what the object is, not how it is encoded.")
    if said == meta.MediaStorageSOPInstanceUID:
        return wrong("that is the SOP Instance UID: which object this is, not how it is encoded.")
    if said == meta.ImplementationClassUID:
        return wrong("that is the Implementation Class UID: which software wrote the file.")
    if said == "1.2.840.10008.1.2":
        return wrong(
            "that is Implicit VR Little Endian, the default of the network; this file says something else."
        )
    return wrong("it is the value of (0002,0010) in the file meta information.")


@check
def _pixels(answer: Any) -> Verdict:
    found = whole(answer, "a number of bytes")
    header = ct_headers()[0]
    rows, columns = header.Rows, header.Columns
    size = rows * columns * 2
    return judged(
        found,
        size,
        within=0,
        good=f"{rows} rows × {columns} columns × 2 bytes: {100 * size // len(as_file(header))} % of the file.",
        mistakes=[
            (
                rows * columns,
                "that is the number of pixels. Each has 16 bits allocated, which are two bytes.",
            ),
            (rows * columns * 16, "those are bits: eight of them are a byte."),
            (
                rows * columns * 12 // 8,
                "12 bits are stored, but 16 are allocated: the file keeps two whole bytes a pixel.",
            ),
            (len(as_file(header)), "that is the whole file; its header is not pixels."),
            (size * len(ct_headers()), "those are the pixels of the whole series; one file holds one slice."),
            (size + 12, "you counted the 12 bytes of tag, VR and length, too; the value comes after them."),
            (size + 8, "you counted the header of the element, too; the value comes after it."),
        ],
        otherwise="it is the length of the value of (7FE0,0010): len(header.PixelData).",
    )


@check
def _impostors(answer: Any) -> Verdict:
    found = set(names(answer, "names of files"))
    wanted = {name for name, good in _BOX.items() if good}
    if found == wanted:
        return right("neither name nor ending tells, only the bytes.")
    if strangers := found - set(_BOX):
        return wrong(
            f"no file in the box is called {sorted(strangers)[0][:40]!r}; there are {', '.join(_BOX)}."
        )
    if "ct.dcm" in found:
        return wrong("ct.dcm has the right ending and the wrong bytes: look at bytes 128 to 131.")
    if "REPORT" in found:
        return wrong("REPORT comes close, but compare all four bytes: the prefix is DICM, not DICO.")
    return wrong(f"the bytes are right in {len(wanted)} of the files; you have {len(found)} of them.")


@check
def _differ(answer: Any) -> Verdict:
    found = set(names(answer, "keywords"))
    headers = ct_headers()[:2]
    wanted = {keyword for keyword in _UIDS if headers[0][keyword].value != headers[1][keyword].value}
    if found == wanted:
        return right(
            "each file is an instance of its own; all else about identity it shares with its neighbours."
        )
    if "SeriesInstanceUID" in found:
        return wrong("all slices of one run share the Series Instance UID: that is what makes them a series.")
    if "StudyInstanceUID" in found:
        return wrong("all series of one examination share the Study Instance UID.")
    if "FrameOfReferenceUID" in found:
        return wrong("one Frame of Reference UID: positions of all slices are meant in the same coordinates.")
    if "SOPClassUID" in found:
        return wrong("the SOP Class says what kind of object it is: all of them are CT images.")
    if not found <= set(_UIDS):
        return wrong(f"keywords out of {', '.join(_UIDS)} are asked for.")
    return wrong("compare files[0] with files[1], keyword by keyword; at least one UID differs.")


CHECKS: Final[dict[int, Check]] = {
    0: _letters,
    1: _start,
    2: _syntax,
    3: _pixels,
    4: _impostors,
    5: _differ,
}
"""By number."""
