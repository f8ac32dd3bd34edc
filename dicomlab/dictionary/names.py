"""From what somebody typed to the thing of the standard that is meant: `resolve`."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from itertools import islice

from pydicom.dataelem import DataElement
from pydicom.tag import BaseTag, Tag

from dicomlab.dictionary.carried import ATTRIBUTES, REPEATERS, UIDS
from dicomlab.dictionary.glossary import terms
from dicomlab.dictionary.modules import SHORT
from dicomlab.dictionary.vr import VRS
from dicomlab.dictionary.words import all_words
from dicomlab.errors import DicomLabError

__all__ = ["Meant", "first_of", "resolve"]


_FORMS = 'give a keyword ("PixelSpacing"), a tag ("(0028,0030)"), a UID or a VR ("DS")'
_MOST = 5
"""Names that are offered."""


@dataclass(frozen=True, slots=True)
class Meant:
    """What was meant: an attribute (`tag`), a UID (`uid`), a value representation (`vr`) or a word of the field (`term`)."""

    tag: BaseTag | None = None
    uid: str = ""
    vr: str = ""
    term: str = ""
    creator: str = ""


def first_of(mask: str) -> BaseTag:
    """The first tag of a repeating entry: ``"60xx3000"`` -> (6000,3000)."""
    tags = (int(mask.lower().replace("x", digit), 16) for digit in "0123456789abcdef")
    return Tag(next(tag for tag in tags if tag not in ATTRIBUTES))


def plain(text: str) -> str:
    """`text` with nothing but small letters and digits, which is how names are compared."""
    return re.sub(r"[^a-z0-9]", "", text.lower())


# What people say, where the standard has another name for it.
_SPOKEN = {
    "bvalue": "DiffusionBValue",
    "bvector": "DiffusionGradientOrientation",
    "fa": "FlipAngle",
    "for": "FrameOfReferenceUID",
    "hounsfield": "RescaleIntercept",
    "hu": "RescaleIntercept",
    "intercept": "RescaleIntercept",
    "iop": "ImageOrientationPatient",
    "ipp": "ImagePositionPatient",
    "kernel": "ConvolutionKernel",
    "level": "WindowCenter",
    "mas": "Exposure",
    "mrn": "PatientID",
    "slicedistance": "SpacingBetweenSlices",
    "slicespacing": "SpacingBetweenSlices",
    "slope": "RescaleSlope",
    "spacing": "PixelSpacing",
    "suv": "SUVType",
    "te": "EchoTime",
    "thickness": "SliceThickness",
    "ti": "InversionTime",
    "tr": "RepetitionTime",
    "voxelsize": "PixelSpacing",
    "window": "WindowWidth",
    "windowlevel": "WindowCenter",
}


@lru_cache(1)
def _attributes() -> Mapping[str, BaseTag]:
    """Plain keyword or name -> tag. Keywords before names, what is in use before what is retired."""
    entries = [(Tag(tag), entry) for tag, entry in ATTRIBUTES.items()]
    entries += [(first_of(mask), entry) for mask, entry in REPEATERS.items()]
    found: dict[str, BaseTag] = {}
    for retired in (False, True):
        for column in (4, 2):
            for tag, entry in entries:
                if bool(entry[3]) == retired and entry[column]:
                    found.setdefault(plain(entry[column]), tag)
    return found


@lru_cache(1)
def _uids() -> Mapping[str, str]:
    """Plain keyword or name -> UID."""
    found: dict[str, str] = {}
    for retired in (False, True):
        for uid, (name, _, _, gone, keyword) in UIDS.items():
            if bool(gone) == retired:
                for text in filter(None, (keyword, name)):
                    found.setdefault(plain(text), uid)
    return found


@lru_cache(1)
def _terms() -> Mapping[str, str]:
    """Plain word of the field -> that word."""
    return {plain(word): word for word in terms()}


@lru_cache(1)
def _parts() -> Mapping[str, frozenset[str]]:
    """Keyword of what is in use -> words of its name; first what our words speak of most."""
    attributes = (*ATTRIBUTES.values(), *REPEATERS.values())
    names = {entry[4]: entry[2] for entry in attributes if entry[4] and not entry[3]}
    names |= {entry[4]: entry[0] for entry in UIDS.values() if entry[4] and not entry[3]}
    mentions = Counter(
        keyword for words in all_words().values() for keyword in (words.keyword, *words.related)
    )
    order = sorted(names, key=lambda keyword: (-mentions[keyword], len(keyword)))
    return {keyword: frozenset(re.findall(r"[a-z0-9]+", names[keyword].lower())) for keyword in order}


def resolve(what: object) -> Meant:
    """The attribute, UID or VR that `what` means.

    Raises
    ------
    DicomLabError
        Nothing is called so; the message has what is called similarly.
    """
    if isinstance(what, DataElement):
        return Meant(tag=what.tag, creator=str(getattr(what, "private_creator", "") or ""))
    if isinstance(what, bool):
        raise DicomLabError(
            f"an attribute was asked for, and {what} found: a tag is a number such as 0x00280030"
        )
    if isinstance(what, int):
        return Meant(tag=_tag(what, what))
    if isinstance(what, (tuple, list)):
        if len(what) == 2 and all(isinstance(half, int) and 0 <= half <= 0xFFFF for half in what):
            return Meant(tag=Tag(what[0], what[1]))
        raise DicomLabError(
            f"a tag as a pair is two numbers from 0 to 0xFFFF, (0x0028, 0x0030); found {_short(what)}"
        )
    if isinstance(what, str):
        return _resolve_text(what)
    raise DicomLabError(
        "explain takes a keyword, a name, a tag, a UID, a VR, or something that has a header (a file, a series, a pydicom "
        f"Dataset); found {type(what).__name__}"
    )


def _resolve_text(text: str) -> Meant:
    asked = text.strip()
    if not asked:
        raise DicomLabError(f"explain was asked for an empty text; {_FORMS}")
    if re.fullmatch(r"\d+(\.\d+)+\.?", asked):
        return Meant(uid=asked.rstrip("."))
    if tag := _tag_text(asked):
        return Meant(tag=tag)
    if asked in VRS or asked.upper() in VRS:
        return Meant(vr=asked.upper())
    key = plain(asked)
    key = plain(_SPOKEN.get(key, key))
    if key in (names := _attributes()):
        return Meant(tag=names[key])
    uids = _uids()
    for guess in (SHORT.get(key.upper(), ""), key, f"{key}storage"):
        if key and plain(guess) in uids:
            return Meant(uid=uids[plain(guess)])
    if key in (spelled := _terms()):
        return Meant(term=spelled[key])
    raise DicomLabError(f"nothing in DICOM is called {_short(asked)}; {_near(key)}")


def _tag_text(text: str) -> BaseTag | None:
    """The tag that `text` writes: ``(0028,0030)``, ``0028,0030``, ``00280030``, ``0x00280030``, ``(60xx,3000)``."""
    digit = "[0-9a-fA-FxX]"
    match = re.fullmatch(rf"\(?\s*(?:0[xX])?({digit}{{4}})\s*,\s*(?:0[xX])?({digit}{{4}})\s*\)?", text)
    match = match or re.fullmatch(rf"(?:0[xX])?({digit}{{4}})({digit}{{4}})", text)
    if match is None:
        return None
    digits = "".join(match.groups()).lower()
    if digits in REPEATERS:
        return first_of(digits)
    by_hand = {mask.lower(): mask for mask in REPEATERS}
    if digits in by_hand:
        return first_of(by_hand[digits])
    return Tag(int(digits.replace("x", "0"), 16)) if re.search(r"\d", digits) else None


def _tag(number: int, what: object) -> BaseTag:
    if not 0 <= number <= 0xFFFFFFFF:
        raise DicomLabError(f"a tag has 32 bits, 0x00280030; found {_short(what)}")
    return Tag(number)


def _short(what: object) -> str:
    text = repr(what)
    return text if len(text) <= 80 else f"{text[:80]}…"


def _near(key: str) -> str:
    """Names that hold the word `key`, or are similar to it."""
    shown: list[str] = []
    if key:
        shown += islice(
            (name for name, parts in _parts().items() if key in parts and key in name.lower()), _MOST
        )
        attributes, uids = _attributes(), _uids()
        # What begins like it: difflib measures length as well, and people stop typing early.
        begun = [name for name in attributes if name.startswith(key)] if len(key) >= 4 else []
        for name in (*get_close_matches(key[:80], attributes, 4, 0.75), *sorted(begun, key=len)[:3]):
            tag = attributes[name]
            entry = ATTRIBUTES.get(int(tag))
            shown.append(entry[4] or entry[2] if entry else name)
        near = get_close_matches(key[:80], uids, 2, 0.8 if shown else 0.7)
        shown += [UIDS[uids[name]][4] or UIDS[uids[name]][0] for name in near]
        shown += [_terms()[word] for word in get_close_matches(key[:80], _terms(), 1, 0.8)]
    if shown:
        return f"did you mean {', '.join(list(dict.fromkeys(shown))[:_MOST])}?"
    return _FORMS
