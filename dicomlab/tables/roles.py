"""The module that an attribute belongs to: asked of the room that knows the standard's tables."""

from __future__ import annotations

import importlib
import importlib.util
from functools import cache
from typing import Any

__all__ = ["module_of"]


@cache
def _dictionary() -> Any:
    found = importlib.util.find_spec("dicomlab.dictionary")
    return None if found is None else importlib.import_module("dicomlab.dictionary")


@cache
def module_of(tag: int, sop_class: str) -> str:
    """Module or functional group macro of the attribute in this SOP class, ``""`` where that is not known (PS3.3 A)."""
    room = _dictionary()
    if room is None or tag >> 16 & 1 or not sop_class:
        return ""
    return ", ".join(dict.fromkeys(role.module for role in room.roles(tag, sop_class)))
