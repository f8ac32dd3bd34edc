"""The tables that pydicom carries: its dictionaries of attributes, private attributes and UIDs."""

from __future__ import annotations

from typing import cast

from pydicom import datadict as _datadict
from pydicom import uid as _uid

__all__ = ["ATTRIBUTES", "PRIVATE", "REPEATERS", "UIDS"]

_Row = tuple[str, str, str, str, str]

ATTRIBUTES = cast("dict[int, _Row]", vars(_datadict)["DicomDictionary"])
"""Tag -> VR, VM, name, ``"Retired"`` or ``""``, keyword."""

REPEATERS = cast("dict[str, _Row]", vars(_datadict)["RepeatersDictionary"])
"""The same for repeating groups and elements, by tags such as ``"60xx3000"``."""

PRIVATE = cast("dict[str, dict[str, tuple[str, str, str, str]]]", vars(_datadict)["private_dictionaries"])
"""Private Creator -> tag such as ``"0019xx0C"`` -> VR, VM, name, ``""``."""

UIDS = cast("dict[str, _Row]", vars(_uid)["UID_dictionary"])
"""UID -> name, kind, note, ``"Retired"`` or ``""``, keyword."""
