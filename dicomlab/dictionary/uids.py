"""UIDs: what the standard's own mean, and what can be read off one that it does not know."""

from __future__ import annotations

import re

from pydicom.uid import UID

from dicomlab.dictionary.carried import UIDS
from dicomlab.dictionary.explanation import Explanation
from dicomlab.dictionary.modules import iod_modules, iod_of
from dicomlab.dictionary.words import words_of

__all__ = ["explain_uid"]

_ABOUT = (
    "A UID names one thing for ever: a kind of object, an encoding, a study, a series, an image. Its numbers mean nothing but "
    "to the one who made it; only the root at its beginning is registered."
)

# Who makes UIDs under a root. Longest first decides.
_ROOTS = {
    "1.2.840.10008": "the DICOM standard itself",
    "1.2.840.113619": "GE Healthcare",
    "1.2.840.113654.2": "research projects that de-identify with CTP and the like",
    "1.2.840.113704": "Philips (formerly Elscint, Picker)",
    "1.3.12.2.1107": "Siemens Healthineers",
    "1.3.46.670589": "Philips",
    "1.2.392.200036.9116": "Canon Medical (formerly Toshiba)",
    "1.2.392.200036.9107": "Konica Minolta",
    "1.2.392.200036.9125": "Fujifilm",
    "1.2.392.200036": "a Japanese manufacturer",
    "1.2.156.112605": "United Imaging",
    "1.2.276.0.7230010.3": "OFFIS: made by DCMTK, or by programs that use it",
    "1.2.40.0.13.1": "dcm4che",
    "1.2.826.0.1.3680043.2.1143": "GDCM, or programs that use it",
    "1.2.826.0.1.3680043.8.498": "pydicom",
    "1.2.826.0.1.3680043.10.511.3": "highdicom",
    "1.2.826.0.1.3680043": "somebody with a free root from Medical Connections",
    "1.3.6.1.4.1.14519.5.2.1": "The Cancer Imaging Archive",
    "1.3.6.1.4.1.5962": "David Clunie's tools",
    "1.3.6.1.4.1": "an organisation with a private enterprise number of IANA",
    "2.25": "anybody: the number behind it is a UUID, written in decimal",
    "1.2.840": "an organisation in the USA",
    "1.2.276": "an organisation in Germany",
    "1.2.392": "an organisation in Japan",
    "1.2.156": "an organisation in China",
    "1.2.826": "an organisation in the United Kingdom",
}

_USAGES = {"M": "mandatory", "C": "conditional", "U": "optional"}

_KINDS = {
    "Transfer Syntax": (
        "transfer syntax",
        "how a data set is written as bytes",
        "PS3.5 section 10 and annex A",
    ),
    "SOP Class": ("SOP class", "a kind of object, and what can be done with it", "PS3.4"),
    "Meta SOP Class": ("SOP class", "a group of SOP classes", "PS3.4"),
    "Well-known frame of reference": (
        "frame of reference",
        "a coordinate system that everybody shares, so positions in it can be compared between patients",
        "PS3.3 section C.7.4.1",
    ),
    "Synchronization Frame of Reference": (
        "frame of reference",
        "a clock that everybody shares",
        "PS3.3 C.7.4.2",
    ),
    "Well-known SOP Instance": ("SOP instance", "one object that exists once and for all", "PS3.4"),
    "Coding Scheme": ("coding scheme", "a system of codes", "PS3.16 section 8"),
    "LDAP OID": ("LDAP object", "a part of the configuration of a network", "PS3.15 annex H"),
}


def explain_uid(uid: str) -> Explanation:
    """What a UID means: the standard's own by name, others by their root."""
    if uid in UIDS:
        return _known(uid)
    facts = [("belongs to", root)] if (root := _root(uid)) else []
    if problems := _problems(uid):
        facts.append(("not allowed", problems))
    says = _ABOUT
    if uid.startswith("1.2.840.10008."):
        says = f"It has the root of the standard, but PS3.6 has no such UID, or pydicom's copy is older than it. {_ABOUT}"
    elif uid.startswith("2.25.") and not problems:
        number = int(uid[5:])
        if number >> 128 == 0:
            digits = f"{number:032x}"
            parts = (digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:])
            facts.append(("UUID", "-".join(parts)))
    return Explanation(
        kind="UID",
        name="A UID that the standard does not name",
        uid=uid,
        says=says,
        trap="It names a study, a series or an image as surely as a name names a patient: Table E.1-1 of PS3.15 replaces "
        "instance UIDs, the same by the same, so that links hold.",
        facts=tuple(facts),
        sections=("PS3.5 section 9", "PS3.6 annex A"),
    )


def _known(uid: str) -> Explanation:
    name, type_, info, retired, keyword = UIDS[uid]
    kind, means, section = _KINDS.get(type_, ("UID", type_, ""))
    words = words_of(keyword or name)
    facts = [("what it is", f"{type_}: {means}" if means != type_ else type_)]
    if kind == "transfer syntax":
        facts += _encoding(UID(uid))
    sections = ["PS3.6 annex A", section]
    if kind == "SOP class" and (iod := iod_of(uid)):
        sections.append(f"PS3.3 {iod.section}")
        facts.append(("object", f"{iod.name} IOD"))
        for usage in "MCU":
            if names := iod_modules(iod, usage):
                facts.append((_USAGES[usage], names))
    if info:
        facts.append(("note", info))
    return Explanation(
        kind=kind,
        name=name,
        keyword=keyword,
        uid=uid,
        says=words.says,
        trap=words.trap,
        facts=tuple(facts),
        sections=tuple(filter(None, sections)),
        related=words.related,
        retired=bool(retired),
        replaced_by=words.replaced_by,
    )


def _encoding(uid: UID) -> list[tuple[str, str]]:
    """What pydicom knows of a transfer syntax."""
    try:
        vr = "not written: the reader needs a dictionary" if uid.is_implicit_VR else "written beside each tag"
        order = "little endian" if uid.is_little_endian else "big endian"
        if uid.is_encapsulated:
            pixels = "compressed, in fragments (encapsulated)"
        elif uid.is_deflated:
            pixels = "plain; the whole data set is deflated"
        else:
            pixels = "plain numbers (native)"
    except ValueError:
        return []
    return [("VR", vr), ("byte order", order), ("pixel data", pixels)]


def _root(uid: str) -> str:
    """Who makes UIDs with the root of this one."""
    for root in sorted(_ROOTS, key=len, reverse=True):
        if uid == root or uid.startswith(f"{root}."):
            return f"{root}: {_ROOTS[root]}"
    return ""


def _problems(uid: str) -> str:
    found = []
    if len(uid) > 64:
        found.append(f"{len(uid)} characters, and 64 is the most")
    if re.search(r"(^|\.)0\d", uid):
        found.append("a part that begins with 0")
    if not re.match(r"[0-2]\.", uid):
        found.append("it must begin with 0, 1 or 2")
    return "; ".join(found)
