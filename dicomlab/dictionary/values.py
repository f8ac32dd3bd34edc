"""Values of a header as text: read without trust, masked where they identify somebody."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

from pydicom.datadict import dictionary_has_tag, dictionary_VR
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset, FileDataset

from dicomlab.privacy import MASK, Identity, identity_in, identity_shown, is_identifying, shown_value

__all__ = ["element_of", "identity_of", "value_text"]

_LONGEST = 100
"""Characters of a value that are shown; the rest is counted."""

_ITEMS = 4
_DEEPEST = 8
"""Items of a sequence, and sequences in sequences, that are searched for names."""


def element_of(dataset: Dataset, key: Any) -> DataElement | None:
    """One element of a data set; None when it is not there or pydicom cannot read it."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            element: DataElement = dataset[key]
            _ = element.VM, element.is_empty
            return element
    except Exception:  # pydicom parses on access and raises whatever a broken value makes it raise
        return None


def identity_of(header: Dataset) -> Identity | None:
    """Words of a header that say who the patient is (`dicomlab.privacy.identity_in`), wherever they stand in it.

    None for a file without Patient's Name or Patient ID: it is damaged, or nobody knows who was taken out of where.
    """
    if isinstance(header, FileDataset) and not ("PatientName" in header and "PatientID" in header):
        return None
    return identity_in(_texts(header, 0))


_TEXTS = frozenset(["PN", "DA", "DT", "LO", "SH", "ST", "LT", "AE", "UC"])


def _texts(dataset: Dataset, depth: int) -> Iterator[tuple[str, str, str]]:
    for tag in list(dataset.keys()):
        if tag.is_private or not dictionary_has_tag(tag):
            continue
        vr = dictionary_VR(tag)
        if vr != "SQ" and vr not in _TEXTS:
            continue
        element = element_of(dataset, tag)
        if element is None:
            continue
        if vr == "SQ" == element.VR and depth < _DEEPEST:
            # Persons are in few items; of frames and links there may be thousands.
            for item in element.value[:_ITEMS]:
                yield from _texts(item, depth + 1)
        elif vr in _TEXTS:
            yield element.keyword, vr, _joined(element)


def _joined(element: DataElement) -> str:
    value: Any = element.value
    if value is None:
        return ""
    several = hasattr(value, "__iter__") and not isinstance(value, (str, bytes)) and element.VR != "PN"
    return "\\".join(str(item) for item in list(value)[:_LONGEST]) if several else str(value)


def value_text(element: DataElement, identity: Identity | None) -> str:
    """The value of an element as one line; what says who the patient is, is masked.

    Parameters
    ----------
    identity
        Of the header that the element is in, see `identity_of`.
    """
    if element.is_empty:
        return ""
    creator = element.tag.is_private_creator
    if not creator and is_identifying(element.keyword, element.VR, private=element.tag.is_private):
        return MASK
    if element.VR == "SQ":
        items = len(element.value)
        return "1 item" if items == 1 else f"{items} items, of which the first is told"
    if isinstance(element.value, bytes):
        return f"{len(element.value)} bytes"
    try:
        text = _joined(element)
    except Exception:
        return "cannot be read"
    if "\0" in text and not identity_shown():
        return MASK  # a broken length swallowed the elements behind this one, whatever they are
    name = getattr(element.value, "name", text)
    if element.VR == "UI" and name != text:
        text = f"{text} ({name})"
    text = " ".join(shown_value(element.keyword, text, identity).split())
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}… ({len(text)} characters)"
