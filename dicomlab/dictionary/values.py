"""Values of a header as text: read without trust, masked where they identify somebody."""

from __future__ import annotations

import warnings
from typing import Any

from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset

from dicomlab.privacy import MASK, identity_shown, is_identifying

__all__ = ["element_of", "value_text"]

_LONGEST = 100
"""Characters of a value that are shown; the rest is counted."""


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


def value_text(element: DataElement) -> str:
    """The value of an element as one line."""
    if element.is_empty:
        return ""
    if is_identifying(element.keyword, element.VR, private=element.tag.is_private):
        return MASK
    if element.VR == "SQ":
        items = len(element.value)
        return "1 item" if items == 1 else f"{items} items, of which the first is told"
    value: Any = element.value
    if isinstance(value, bytes):
        return f"{len(value)} bytes"
    try:
        if hasattr(value, "__iter__") and not isinstance(value, str) and element.VR != "PN":
            text = "\\".join(str(item) for item in list(value)[:_LONGEST])
        else:
            text = str(value)
    except Exception:
        return "cannot be read"
    if "\0" in text and not identity_shown():
        return MASK  # a broken length swallowed the elements behind this one, whatever they are
    if element.VR == "UI" and getattr(value, "name", text) != text:
        text = f"{text} ({value.name})"
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}… ({len(text)} characters)"
