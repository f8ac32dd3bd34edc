"""Which transfer syntaxes are proposed: the presentation contexts of storage."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import Final

from pydicom.uid import (
    JPEG2000,
    ExplicitVRLittleEndian,
    HTJ2KLossless,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLosslessSV1,
    JPEGLSLossless,
    JPEGLSNearLossless,
    RLELossless,
)

from dicomlab.extras.network.association import MOST_CONTEXTS, network

__all__ = ["PLAIN", "storage_contexts", "usual_classes"]

PLAIN: Final = (ExplicitVRLittleEndian, ImplicitVRLittleEndian)
COMPRESSED: Final = (
    JPEG2000Lossless,
    JPEG2000,
    JPEGLosslessSV1,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLSLossless,
    JPEGLSNearLossless,
    RLELossless,
    HTJ2KLossless,
)


def storage_contexts(classes: Iterable[str]) -> list[tuple[str, tuple[str, ...]]]:
    """Return a context for the plain transfer syntaxes of each class, and one for each compressed one while there is room.

    An archive takes one transfer syntax of each context: what is stored compressed needs a context of its own.
    """
    classes = list(classes)
    plain: list[tuple[str, tuple[str, ...]]] = [(one, PLAIN) for one in classes]
    packed = ((one, (syntax,)) for syntax in COMPRESSED for one in classes)
    return [*plain, *islice(packed, MOST_CONTEXTS - 1 - len(plain))]


def usual_classes() -> list[str]:
    """Return the usual SOP classes, for an archive that does not say which it has."""
    return [str(one.abstract_syntax) for one in network().StoragePresentationContexts]
