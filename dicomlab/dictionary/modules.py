"""Which module an attribute belongs to, and of what type it is there: `roles`.

An information object (IOD) of PS3.3 annex A is made of modules, a module of attributes, each with a type that says whether it
must be there. The tables are facts of the standard in a compact form, `modules.txt`; they are read when first asked for.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache

from pydicom.uid import UID

from dicomlab.dictionary.carried import UIDS
from dicomlab.dictionary.standard import FRAMES, Iod, Line, Module, Tables, tables_of_standard
from dicomlab.errors import DicomLabError

__all__ = [
    "MAIN",
    "SHORT",
    "TYPES",
    "USAGES",
    "Iod",
    "Role",
    "all_sop_classes",
    "iod_modules",
    "iod_of",
    "missing_roles",
    "roles",
    "sop_class_uid",
]

TYPES = {
    "1": "must be there, with a value",
    "1C": "must be there with a value if a condition holds",
    "2": "must be there, but may be empty when the value is unknown",
    "2C": "must be there if a condition holds, but may be empty",
    "3": "optional",
}
"""What the type of an attribute means, PS3.5 section 7.4."""

USAGES = {
    "M": "mandatory module",
    "C": "module that is there if a condition holds",
    "U": "module that a user may add",
}
"""What the usage of a module means, PS3.3 section A.1.3."""

SHORT = {
    "CT": "CTImageStorage",
    "MR": "MRImageStorage",
    "MRI": "MRImageStorage",
    "PT": "PositronEmissionTomographyImageStorage",
    "PET": "PositronEmissionTomographyImageStorage",
    "SEG": "SegmentationStorage",
    "ENHANCEDCT": "EnhancedCTImageStorage",
    "ENHANCEDMR": "EnhancedMRImageStorage",
    "ENHANCEDPET": "EnhancedPETImageStorage",
    "RTSTRUCT": "RTStructureSetStorage",
    "RTDOSE": "RTDoseStorage",
    "RTPLAN": "RTPlanStorage",
    "RTIMAGE": "RTImageStorage",
    "SC": "SecondaryCaptureImageStorage",
    "CR": "ComputedRadiographyImageStorage",
    "DX": "DigitalXRayImageStorageForPresentation",
    "MG": "DigitalMammographyXRayImageStorageForPresentation",
    "US": "UltrasoundImageStorage",
    "USMULTIFRAME": "UltrasoundMultiFrameImageStorage",
    "NM": "NuclearMedicineImageStorage",
    "XA": "XRayAngiographicImageStorage",
    "RF": "XRayRadiofluoroscopicImageStorage",
    "SR": "Comprehensive3DSRStorage",
    "PM": "ParametricMapStorage",
    "SM": "VLWholeSlideMicroscopyImageStorage",
}
"""Names that people have for the objects they meet, those of Modality mostly, and the keyword of their SOP Class."""

MAIN = (
    "CT",
    "MR",
    "PET",
    "SEG",
    "ENHANCEDCT",
    "ENHANCEDMR",
    "RTSTRUCT",
    "RTDOSE",
    "RTPLAN",
    "SC",
    "CR",
    "DX",
    "US",
    "USMULTIFRAME",
    "NM",
    "XA",
    "ENHANCEDPET",
    "SR",
    "PM",
    "MG",
)
"""The objects that are told of when nobody asked for one."""


@dataclass(frozen=True, slots=True)
class Role:
    """What an attribute is at one place of one kind of object.

    Parameters
    ----------
    iod
        Name of the information object, ``"CT Image"``.
    module
        Name of the module, or of the functional group macro, ``"Image Plane"``.
    section
        Section of PS3.3 that has its table, ``"C.7.6.2"``.
    usage
        ``"M"``, ``"C"`` or ``"U"``: the module must be there, must under a condition, may.
    type
        ``"1"``, ``"1C"``, ``"2"``, ``"2C"`` or ``"3"``, see `TYPES`.
    path
        Keywords of the sequences around the attribute, outermost first. What is in functional groups begins with
        ``PerFrameFunctionalGroupsSequence``; it may be in ``SharedFunctionalGroupsSequence`` as well.
    functional_group
        Whether `module` is a functional group macro.
    """

    iod: str
    module: str
    section: str
    usage: str
    type: str
    path: tuple[str, ...] = ()
    functional_group: bool = False

    def __str__(self) -> str:
        inside = f", in {self.where}" if self.path else ""
        return f"{self.module}, type {self.type}{inside}"

    @property
    def where(self) -> str:
        """The sequences around the attribute, as a reader says it; ``""`` at the top."""
        inner = self.path[1:] if self.functional_group else self.path
        return " › ".join((["the functional groups"] if self.functional_group else []) + list(inner))


def sop_class_uid(what: str) -> str:
    """The UID of a SOP Class that is named by UID, keyword, name, or as people call it (``"CT"``, ``"RTSTRUCT"``).

    Raises
    ------
    DicomLabError
        No SOP Class is named so; the message has those of similar names.
    """
    text = str(what).strip()
    if isinstance(what, UID) or re.fullmatch(r"[0-9.]+", text):  # of a file it may be anything
        return text
    plain = re.sub(r"[^a-z0-9]", "", text.lower())
    names = _sop_classes()
    for guess in (plain, f"{plain}storage", f"{plain}imagestorage"):
        if guess in names:
            return names[guess]
    near = get_close_matches(plain, names, 3, 0.6)
    hint = (
        f"did you mean {' or '.join(UID(names[name]).keyword for name in near)}"
        if near
        else f"for example {', '.join(MAIN[:8])} or a keyword such as CTImageStorage"
    )
    raise DicomLabError(f"no SOP Class is called {text[:80]!r}; {hint}?")


@lru_cache(1)
def _sop_classes() -> dict[str, str]:
    names: dict[str, str] = {}
    keywords: dict[str, str] = {}
    for uid, (name, kind, _, _, keyword) in UIDS.items():
        if kind == "SOP Class":
            keywords[keyword] = uid
            for text in (keyword, name):
                names.setdefault(re.sub(r"[^a-z0-9]", "", text.lower()), uid)
    # Presentation and processing forms share a table, so that neither is needed to be said.
    for name, keyword in SHORT.items():
        names[name.lower()] = keywords[keyword]
    return names


@lru_cache(512)
def iod_of(sop_class: str) -> Iod | None:
    """The information object of a SOP Class (named as `sop_class_uid` takes it); None when its tables are not here."""
    return tables_of_standard().of_uid.get(sop_class_uid(sop_class))


def all_sop_classes() -> tuple[str, ...]:
    """UIDs of all SOP Classes whose tables are here, one for each information object."""
    return tuple(iod.uids[0] for iod in tables_of_standard().iods)


def iod_modules(iod: Iod, usage: str) -> str:
    """Names of the modules of an object that are of this usage, then those of its functional groups, as one text."""
    tables = tables_of_standard()
    names: dict[bool, list[str]] = {False: [], True: []}
    for use, key in iod.modules:
        if use[-1] == usage:
            names[use[0] == "F"].append(tables.module(use, key).name)
    parts = [", ".join(names[False])]
    if names[True]:
        parts.append(f"functional groups: {', '.join(names[True])}")
    return "; ".join(filter(None, parts))


def roles(
    what: str | int | tuple[int, int], sop_class: str, *, path: Sequence[str] | None = None
) -> tuple[Role, ...]:
    """What an attribute is in one kind of object: its modules there, each with usage, type and place.

    Parameters
    ----------
    what
        Keyword or tag.
    sop_class
        UID, keyword or name of a SOP Class, or ``"CT"``, ``"RTSTRUCT"`` and the like.
    path
        Keywords of the sequences that the attribute is in: only roles at that place; ``()`` is the top of the data set. None:
        at all places.

    Returns
    -------
    tuple of Role
        The outermost place first, there mandatory modules before others and stricter types before others. Empty when the
        attribute belongs to no module of that object, when its tables are not here, or when there is no such SOP Class.

    References
    ----------
    DICOM PS3.3 annexes A and C; PS3.10 section 7.1 for group 2.

    Examples
    --------
    >>> print(*roles("PixelSpacing", "CT", path=()))
    Image Plane, type 1
    >>> print(roles(0x00280030, "EnhancedCTImageStorage")[0])
    Pixel Measures, type 1C, in the functional groups › PixelMeasuresSequence
    """
    keyword = what if isinstance(what, str) and what.isidentifier() else _keyword(what)
    try:
        iod = iod_of(sop_class)
    except DicomLabError:  # programs ask with what a file says
        return ()
    if not keyword or iod is None:
        return ()
    return _roles(iod.name, keyword, None if path is None else tuple(path))


def _keyword(what: str | int | tuple[int, int]) -> str:
    """The keyword of a tag, ``""`` when it has none."""
    from dicomlab.dictionary.entries import entry_of
    from dicomlab.dictionary.names import resolve

    tag = resolve(what).tag
    return "" if tag is None else entry_of(tag).keyword


@lru_cache(8192)
def _roles(name: str, keyword: str, path: tuple[str, ...] | None) -> tuple[Role, ...]:
    tables = tables_of_standard()
    iod = tables.of_name[name]
    if path and path[0] in FRAMES:
        path = (FRAMES[1], *path[1:])
    found = []
    for usage, key in tables.with_keyword(iod, keyword):
        module = tables.module(usage, key)
        group = usage[0] == "F"
        for type_, inner in tables.places(module).get(keyword, ()):
            place = (FRAMES[1], *inner) if group else inner
            if path is None or place == path:
                found.append(Role(iod.name, module.name, module.section, usage[-1], type_, place, group))
    order = list(TYPES)
    return tuple(
        sorted(found, key=lambda role: (len(role.path), "MCU".index(role.usage), order.index(role.type)))
    )


# What a node of a report must have depends on its value type: the tables list the attributes of all types together.
_TREE = "sr-document-content"
_OF_NODES = frozenset({"ValueType", "RelationshipType"})


def missing_roles(iod: Iod, path: tuple[str, ...]) -> dict[str, Role]:
    """Keyword -> role of what must be at a place: type 1 and 2 attributes of mandatory modules at the top, of all that there
    is in sequences."""
    tables = tables_of_standard()
    if path and path[0] in FRAMES:
        path = (FRAMES[1], *path[1:])
    needed: dict[str, Role] = {}
    for usage, key in iod.modules:
        group = usage[0] == "F"
        if group and (not path or path[0] != FRAMES[1]):
            continue
        if not path and usage != "M":
            continue
        inner = path[1:] if group else path
        module = tables.module(usage, key)
        for line in _lines_at(tables, module, inner):
            if key == _TREE and line.keyword not in _OF_NODES:
                continue
            if group and not inner and usage != "FM":
                continue
            if line.type in ("1", "2") and (
                line.keyword not in needed or needed[line.keyword].type > line.type
            ):
                needed[line.keyword] = Role(
                    iod.name, module.name, module.section, usage[-1], line.type, path, group
                )
    return needed


def _lines_at(tables: Tables, module: Module, path: tuple[str, ...]) -> list[Line]:
    lines = module.content
    for keyword in path:
        inside = [line for line in lines if line.keyword == keyword]
        if not inside:
            return []
        lines = tables.sets[inside[0].shared] if inside[0].shared else inside[0].content
    return lines
