"""A bar for work that takes long."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

__all__ = ["progress_bar"]

_PROGRESS_AFTER = 1.0
"""Seconds after which a bar appears: a short scan shows nothing."""


def progress_bar(items: Sequence[Any], what: str, wanted: bool = True) -> Iterator[Any]:
    """`items`, with a bar when they take longer than a second."""
    from tqdm.auto import tqdm

    return iter(tqdm(items, desc=what, delay=_PROGRESS_AFTER, leave=False, disable=not wanted, unit="file"))
