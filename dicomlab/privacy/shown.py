"""Whether identity is shown: off, but within `show_identity`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar

__all__ = ["MASK", "NOTE", "as_now", "identity_shown", "show_identity"]

MASK = "•••"
"""What stands in place of a masked value, or of a masked word."""

NOTE = f"{MASK} may say who the patient is: a cell within `with dicomlab.show_identity():` shows it"
"""What a display says below texts of which something is masked."""

_shown: ContextVar[bool] = ContextVar("dicomlab_identity_shown", default=False)


@contextmanager
def show_identity() -> Iterator[None]:
    """Show names, IDs, dates and institutions inside the block.

    What is made or displayed in the block shows them: reprs, tables, errors, widgets, also what a widget made there says later.
    Other threads go on masking, but for those that dicomlab starts for the block; so do other tasks, but for those begun in it.
    A notebook that is saved with such outputs holds the identity.

    Examples
    --------
    >>> from dicomlab.privacy import is_identifying
    >>> with show_identity():
    ...     is_identifying("PatientName", "PN")
    False
    """
    with _set(True):
        yield


def identity_shown() -> bool:
    """Whether the code runs inside `show_identity`."""
    return _shown.get()


def as_now() -> Callable[[], AbstractContextManager[None]]:
    """What makes blocks in which identity is shown, or masked, as it is now: for what is asked of a thing later.

    Examples
    --------
    >>> with show_identity():
    ...     as_made = as_now()
    >>> with as_made():
    ...     identity_shown()
    True
    >>> identity_shown()
    False
    """
    now = _shown.get()
    return lambda: _set(now)


@contextmanager
def _set(value: bool) -> Iterator[None]:
    # Set back by value, not by token: a generator may be closed in another context than it began in.
    before = _shown.get()
    _shown.set(value)
    try:
        yield
    finally:
        _shown.set(before)
