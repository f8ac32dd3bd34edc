"""Short free text that displays cannot do without: shown, but for the words that may say who the patient is.

A Series Description is what tells the series of a study apart, and sometimes holds a name. So it is compared, word by word,
with the names, numbers, institutions and dates of its own header; and what looks like a date, a time, a long number or an
address is masked in any case.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from typing import TypeAlias

from dicomlab.privacy.rule import IS_CLEANED
from dicomlab.privacy.shown import MASK, identity_shown
from dicomlab.privacy.table import listed
from dicomlab.privacy.vocabulary import is_plain

__all__ = [
    "NAMING",
    "Identity",
    "cleaned",
    "identity_in",
    "may_name",
    "shown",
    "shown_value",
    "without_names",
]

Identity: TypeAlias = frozenset[str]
"""Words that say who the patient is, folded: lower case, without accents, without what stands between letters and digits."""

NAMING = listed(
    """
    AccessionNumber AdmissionID ClinicalTrialProtocolID ClinicalTrialSiteID ClinicalTrialSiteName ClinicalTrialSponsorName
    ClinicalTrialSubjectID ClinicalTrialSubjectReadingID CurrentPatientLocation DeviceSerialNumber
    FillerOrderNumberImagingServiceRequest
    FillerOrderNumberImagingServiceRequestRetired InstitutionAddress InstitutionName InstitutionalDepartmentName
    IssuerOfPatientID MedicalRecordLocator OtherPatientIDs PatientAddress PatientBirthDateInAlternativeCalendar PatientID
    PatientInstitutionResidence PatientTelephoneNumbers PerformedProcedureStepID PerformedStationAETitle PerformedStationName
    PersonAddress PersonTelephoneNumbers PlacerOrderNumberImagingServiceRequest PlacerOrderNumberImagingServiceRequestRetired
    ReferringPhysicianAddress ReferringPhysicianTelephoneNumbers RequestedProcedureID RequestingService ScheduledProcedureStepID
    ScheduledStationAETitle ScheduledStationName ServiceEpisodeID StationName StudyID VerifyingOrganization
    """
)
"""Attributes whose words are looked for, beside all names of persons and all dates."""

_WORD = re.compile(r"[^\W_]+")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = r"(?:jan|feb|m[aä]r|apr|ma[iy]|jun|jul|aug|sep|o[ck]t|nov|de[cz])[a-zä]*"
_ALWAYS = re.compile(
    r"\S+@\S+"  # mail
    r"|[^\W_]*\d{6,}[^\W_]*"  # numbers of patients and orders, dates without separators
    r"|(?<![\d.])(?:\d{1,2}([./-])\d{1,2}\1(?:\d{4}|\d\d)|\d{4}([./-])\d{1,2}\2\d{1,2})(?![\d.]*\d)"
    rf"|(?<!\d)\d{{1,2}}[\s./-]*{_MONTH}[\s.,/-]*(?:19|20)\d\d(?!\d)"
    rf"|(?<![^\W_]){_MONTH}[\s.,/-]*(?:\d{{1,2}}[\s.,/-]+)?(?:19|20)\d\d(?!\d)"
    r"|(?<!\d)\d{1,2}:\d\d(?::\d\d(?:\.\d+)?)?(?!\d)",
    re.IGNORECASE,
)

_PARTICLES = listed("da de del den der des di dos dr el fur herr la le mr mrs ms st und van von")
"""Short words of names and institutions that name nobody."""

_LEAST = 5
"""Letters of words that were joined to be found: of 1.25, nobody is to be number 125."""


def identity_in(values: Iterable[tuple[str, str, str]]) -> Identity:
    """The words of a header that say who the patient is.

    Parameters
    ----------
    values
        Keyword, VR and text of each attribute; those that name nobody are left out here.
    """
    found: set[str] = set()
    for keyword, vr, text in values:
        if vr in ("DA", "DT"):
            for date in text.split("\\"):
                found |= _spellings(date)
        elif vr == "PN":
            for spelling in (text, _without_umlauts(text)):
                words = _folded_words(spelling)
                # A single letter is an initial, and is the T of T1, too; in other scripts it may be a whole name.
                found.update(word for word in words if len(word) > 1 or not word.isascii())
        elif keyword in NAMING:
            for value in text.split("\\"):
                words = _folded_words(value)
                found.update(word for word in (*words, "".join(words)) if len(word) > 2)
    return frozenset(word for word in found - _PARTICLES if not is_plain(word))


def shown(text: str, identity: Identity | None) -> str:
    """`text` as a display shows it: `cleaned`, or as it stands within `show_identity`."""
    return text if identity_shown() else cleaned(text, identity)


def shown_value(keyword: str, text: str, identity: Identity | None) -> str:
    """The text of an attribute that `is_identifying` does not mask, as a table of its header shows it.

    Names get into attributes where nobody expects them: those of the header itself are masked wherever they stand.
    """
    if keyword in IS_CLEANED:
        return shown(text, identity)
    return text if identity is None else without_names(text, identity)


def cleaned(text: str, identity: Identity | None) -> str:
    """`text` with `MASK` for each word that is one of `identity`, or looks like a date, a time, a long number or an address.

    Parameters
    ----------
    identity
        As `identity_in` returns it; None where nobody knows: then every word is masked that does not belong to the trade.

    Examples
    --------
    >>> who = identity_in([("PatientName", "PN", "Müller^Anna"), ("PatientBirthDate", "DA", "19610203")])
    >>> cleaned("T2 ax MUELLER, born 3.2.61", who)
    'T2 ax •••, born •••'
    """
    return _masked(text, [*_named(text, identity), *(match.span() for match in _ALWAYS.finditer(text))])


def without_names(text: str, identity: Identity | None) -> str:
    """`text` with `MASK` for each word that is one of `identity`: for names of files, which are long numbers by nature."""
    return text if identity_shown() else _masked(text, _named(text, identity))


Span: TypeAlias = tuple[int, int]


def _named(text: str, identity: Identity | None) -> list[Span]:
    """Where words of `identity` are."""
    if identity is None:
        return [match.span() for match in _WORD.finditer(text) if not _is_harmless(_folded(match.group()))]
    masked = []
    spans = [match.span() for match in _WORD.finditer(text)]
    words = [_folded(text[start:stop]) for start, stop in spans]
    for first, (start, _) in enumerate(spans):
        joined = ""
        for word, (_, stop) in zip(words[first:], spans[first:], strict=True):
            joined += word
            if joined in identity and (joined == word or len(joined) >= _LEAST):
                masked.append((start, stop))
    for word, span in zip(words, spans, strict=True):
        if not is_plain(word) and any(_is_long(name) and name in word for name in identity):
            masked.append(span)
    return masked


def _masked(text: str, masked: list[Span]) -> str:
    parts, done = [], 0
    for start, stop in sorted(masked):
        if start >= done:
            parts += [text[done:start], MASK]
        done = max(done, stop)
    return "".join([*parts, text[done:]])


def may_name(text: str) -> bool:
    """Whether a text holds anything that has to be compared with the header's identity."""
    words = _folded_words(text)
    numbers = sum(sign.isdigit() for sign in text)
    return numbers >= _LEAST or not all(map(_is_harmless, words))


def _is_harmless(word: str) -> bool:
    return is_plain(word) or (word.isdecimal() and len(word) < 3)


def _is_long(word: str) -> bool:
    """Whether a word is looked for inside others: four letters, or two where a sign says more."""
    return len(word) >= (4 if word.isascii() else 2)


def _folded_words(text: str) -> list[str]:
    return [_folded(word) for word in _WORD.findall(text)]


def _folded(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text.casefold())
    return "".join(sign for sign in plain if not unicodedata.combining(sign))


_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ø": "oe", "å": "aa", "æ": "ae"})


def _without_umlauts(text: str) -> str:
    return unicodedata.normalize("NFC", text.casefold()).translate(_UMLAUTS)


def _spellings(date: str) -> set[str]:
    """A date (YYYYMMDD…) in the orders in which people write it, and its year."""
    if not re.match(r"(18|19|20)\d{6}", date):
        return set()
    year, month, day = date[:4], date[4:6], date[6:8]
    found = {year}
    for y in (year, year[2:]):
        for m, d in ((month, day), (month.lstrip("0"), day.lstrip("0"))):
            name = _MONTHS[int(month) - 1] if 1 <= int(month) <= 12 else m
            found |= {y + m + d, d + m + y, m + d + y, d + name + y, name + d + y, d + name, name + d}
    # Of three digits (1.1.05) too much would be one.
    return {spelling for spelling in found if len(spelling) > 3}
