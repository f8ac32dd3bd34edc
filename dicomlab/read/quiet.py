"""Silence while pydicom parses, as rooms of the corridor know it."""

from __future__ import annotations

from dicomlab.warn import quiet

__all__ = ["quiet"]
