"""All pitfalls, by name and by group."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from dicomlab.teach.pitfalls.files import FILES
from dicomlab.teach.pitfalls.geometry import GEOMETRY
from dicomlab.teach.pitfalls.order import ORDER
from dicomlab.teach.pitfalls.pitfall import Group, Pitfall
from dicomlab.teach.pitfalls.values import VALUES

__all__ = ["GROUPS", "PITFALLS", "group_of"]

GROUPS: Final[Mapping[Group, tuple[Pitfall, ...]]] = MappingProxyType(
    {"geometry": GEOMETRY, "order": ORDER, "values": VALUES, "files": FILES}
)
"""Pitfalls by what goes wrong."""

PITFALLS: Final[Mapping[str, Pitfall]] = MappingProxyType(
    {pitfall.name: pitfall for group in GROUPS.values() for pitfall in group}
)
"""Pitfalls by the name of their kind of series."""


def group_of(name: str) -> Group:
    """Return the group that a pitfall is in."""
    return next(group for group, members in GROUPS.items() if any(one.name == name for one in members))
