"""Who a header is about, so that descriptions can be shown without saying it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any
from weakref import WeakKeyDictionary

from pydicom.datadict import dictionary_has_tag, dictionary_VR, keyword_for_tag
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset, FileDataset
from pydicom.tag import BaseTag

from dicomlab.errors import DicomLabError
from dicomlab.privacy.table import ACTIONS
from dicomlab.privacy.words import Identity, cleaned, identity_in, may_name, shown
from dicomlab.read.headers import Instance, read_front
from dicomlab.read.sources import FileRef
from dicomlab.warn import quiet

__all__ = ["clean_text", "identity_in_header", "identity_of", "shown_text"]

_LAST_GROUP = 0x0040
"""Patient, study, equipment and procedure stand in groups up to this one; functional groups and pixels behind it."""

_known: WeakKeyDictionary[Instance, Identity | None] = WeakKeyDictionary()


def shown_text(instance: Instance, keyword: str) -> str:
    """A short free text of a header, such as Series Description, as displays show it: see `dicomlab.privacy.words`."""
    text = instance.text(keyword)
    return shown(text, _identity_for(text, instance))


def clean_text(instance: Instance, keyword: str) -> str:
    """`shown_text`, masked also within `show_identity`: what travels with data goes where nobody knows of a block."""
    text = instance.text(keyword)
    return cleaned(text, _identity_for(text, instance))


def _identity_for(text: str, instance: Instance) -> Identity | None:
    """The identity that `text` is to be compared with; none where it says nothing but what all descriptions say."""
    return identity_of(instance) if may_name(text) else frozenset()


def identity_of(instance: Instance) -> Identity | None:
    """The words of the instance's header that say who the patient is; None where it cannot be read any more.

    Listing reads no names. So the file is opened for them, once, when a description is about to be shown.
    """
    if instance not in _known:
        _known[instance] = _read(instance.file)
    return _known[instance]


def identity_in_header(header: Dataset) -> Identity | None:
    """`dicomlab.privacy.identity_in` of a data set, and of the sequences in it that are about persons.

    None for a file without Patient's Name or Patient ID. Both have to be there, if empty (PS3.3 C.7.1.1): one that lacks them
    is damaged, or nobody knows who was taken out of where.
    """
    is_image = isinstance(header, FileDataset) and "DirectoryRecordSequence" not in header
    if is_image and not ("PatientName" in header and "PatientID" in header):
        return None
    try:
        return identity_in(_texts(header))
    except _UnknownError:
        return None


class _UnknownError(Exception):
    """A name or a number was read as something else, and its text is gone."""


def _read(file: FileRef) -> Identity | None:
    try:
        return identity_in_header(read_front(file, _LAST_GROUP))
    except (DicomLabError, OSError):  # gone, or changed: nothing to compare with
        return None


def _texts(header: Dataset) -> Iterator[tuple[str, str, str]]:
    for tag in list(header.keys()):
        if tag.group > _LAST_GROUP or tag.is_private or not dictionary_has_tag(tag):
            continue
        keyword, vr = keyword_for_tag(tag), dictionary_VR(tag)
        if vr == "SQ":
            # Of other sequences, such as links to images, there may be thousands.
            if keyword in ACTIONS or keyword == "DirectoryRecordSequence":
                for item in _items(header, tag):
                    yield from _texts(item)
        elif vr in _TEXT_VRS:
            yield keyword, vr, _text(header, tag, vr)


_TEXT_VRS = ("PN", "DA", "DT", "LO", "SH", "ST", "LT", "AE", "UC")


def _items(header: Dataset, tag: BaseTag) -> Sequence[Dataset]:
    try:
        with quiet():
            element = header[tag]
    except Exception:  # one that is broken does not hide the others
        return ()
    return element.value if element.VR == "SQ" else ()


def _text(header: Dataset, tag: BaseTag, vr: str) -> str:
    """What an element says, whatever VR a damaged file gives it."""
    raw = header.get_item(tag)
    try:
        with quiet():
            element = header[tag]
            value: Any = element.value
        if vr == element.VR:
            several = not isinstance(value, str) and hasattr(value, "__iter__") and vr != "PN"
            return "" if value is None else "\\".join(map(str, value)) if several else str(value)
    except Exception:
        value = None
    value = raw.value if isinstance(raw, RawDataElement) else value
    if value is None or isinstance(value, str | bytes):
        return value.decode("latin-1") if isinstance(value, bytes) else value or ""
    raise _UnknownError
