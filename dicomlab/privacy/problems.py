"""Errors of other libraries that quote values of a file."""

from __future__ import annotations

from dicomlab.privacy.shown import identity_shown

__all__ = ["cause_of", "problem_text"]

_SAFE = (OSError, MemoryError)
"""What these say comes from the system."""


def problem_text(problem: BaseException) -> str:
    """What may be told of an error met while values of a file were parsed: its type, and what it says if that is safe."""
    kind = type(problem).__name__
    return f"{kind}: {problem}" if identity_shown() or isinstance(problem, _SAFE) else kind


def cause_of(problem: BaseException) -> BaseException | None:
    """`problem` as the cause of an error: None, which hides it from tracebacks, where it may quote a value.

    For ``raise … from cause_of(problem)``.
    """
    return problem if identity_shown() or isinstance(problem, _SAFE) else None
