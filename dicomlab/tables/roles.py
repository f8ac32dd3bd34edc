"""The module that an attribute belongs to: asked of the room that knows the standard's tables."""

from __future__ import annotations

import re
from functools import lru_cache

from dicomlab.dictionary import roles

__all__ = ["module_of"]

_INDEX = re.compile(r"\[[^]]*\]")


def module_of(tag: int, sop_class: str, path: str) -> str:
    """Module or functional group macro of an attribute in this SOP class, ``""`` where that is not known (PS3.3 A).

    Parameters
    ----------
    path
        Where it stands: ``"PixelMeasuresSequence[0].PixelSpacing"``.
    """
    if tag >> 16 & 1 or not sop_class:
        return ""
    around = tuple(
        _INDEX.sub("", path).split(".")[:-1]
    )  # numbers of items say nothing about the place in the standard
    return _module(tag, sop_class, around)


@lru_cache(8192)
def _module(tag: int, sop_class: str, around: tuple[str, ...]) -> str:
    return next((role.module for role in roles(tag, sop_class, path=around)), "")
