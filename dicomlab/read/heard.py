"""Errors that a library loses: what its callbacks raise goes to `sys.unraisablehook`, and it carries on with what it has."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

__all__ = ["heard"]


class _Here(threading.local):
    """What this thread listens for."""

    library: str = ""
    errors: list[str]
    handing_on = False


_HERE, _LOCK = _Here(), threading.Lock()
_listening = 0
_disturbed = 0
"""How often somebody else's hook was found in place of ours."""
_before: Callable[[sys.UnraisableHookArgs], object] = sys.__unraisablehook__


@contextmanager
def heard(library: str) -> Iterator[list[str]]:
    """While a library works on this thread: the errors that it loses.

    The hook of the interpreter is ours meanwhile; it hands on all that is not of this library on this thread.

    Parameters
    ----------
    library
        What the names of its functions begin with: ``"imagecodecs._htj2k."``.

    Yields
    ------
    list of str
        Filled until the end of the block; with a note of its own where somebody else set a hook, who may have heard instead.
    """
    global _listening, _disturbed, _before
    with _LOCK:
        if sys.unraisablehook is not _listen:
            _before, sys.unraisablehook = sys.unraisablehook, _listen
            _disturbed += _listening > 0
        _listening += 1
        before = _disturbed
    errors: list[str] = []
    _HERE.library, _HERE.errors = library, errors
    try:
        yield errors
    finally:
        _HERE.library = ""
        with _LOCK:
            _listening -= 1
            ours = sys.unraisablehook is _listen
            if not ours or _disturbed != before:
                errors.append("another hook was set meanwhile")
            if ours and not _listening:
                sys.unraisablehook = _before


def _listen(lost: sys.UnraisableHookArgs) -> None:
    if _HERE.library and str(lost.object).startswith(_HERE.library):
        _HERE.errors.append(str(lost.exc_value))
    elif not _HERE.handing_on:  # one that was set later may hand on to this one
        _HERE.handing_on = True
        try:
            _before(lost)
        finally:
            _HERE.handing_on = False
