"""Values of a header as text: read without trust, masked where they identify somebody."""

from __future__ import annotations

from typing import Any

from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset

from dicomlab.privacy import MASK, Identity, identity_shown, is_identifying, shown_value

__all__ = ["element_of", "value_text"]

_LONGEST = 100
"""Characters of a value that are shown; the rest is counted."""


def element_of(dataset: Dataset, key: Any) -> DataElement | None:
    """One element of a data set; None when it is not there or pydicom cannot read it. Call it within `dicomlab.warn.quiet`."""
    try:
        element: DataElement = dataset[key]
        _ = element.VM, element.is_empty
        return element
    except Exception:  # pydicom parses on access and raises whatever a broken value makes it raise
        return None


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
        Of the header that the element is in, see `dicomlab.privacy.identity_in`.
    """
    if element.is_empty:
        return ""
    creator = element.tag.is_private_creator and element.VR == "LO"
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
    if element.VR == "UI":  # numbers in it are no dates
        text = text if name == text else f"{text} ({name})"
    else:
        text = shown_value(element.keyword, text, identity)
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}… ({len(text)} characters)"
