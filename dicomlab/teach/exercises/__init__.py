"""Exercises of the course: `check_exercise` says what is off, not just no.

Each chapter's checks stand in a module of their own, ``chapter_00`` to ``chapter_14``: a mapping ``CHECKS`` from the number of
the exercise to its check.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

from dicomlab.errors import DicomLabError
from dicomlab.teach.exercises.course import TITLES
from dicomlab.teach.exercises.verdict import Check, Verdict

__all__ = ["Verdict", "check_exercise", "checks_of"]


def checks_of(chapter: int) -> Mapping[int, Check]:
    """Return the checks of a chapter by the number of the exercise."""
    checks: Mapping[int, Check] = importlib.import_module(
        f"dicomlab.teach.exercises.chapter_{chapter:02d}"
    ).CHECKS
    return checks


def check_exercise(number: str, answer: Any) -> Verdict:
    """Say whether an answer to an exercise is right, and if not, what is off.

    Parameters
    ----------
    number
        As the notebook names it: ``"05.2"`` is the second exercise of chapter 5; exercise 0 of each chapter warms up.
    answer
        Whatever the exercise asks for.

    Raises
    ------
    DicomLabError
        There is no such exercise.
    """
    chapter, _, exercise = str(number).partition(".")
    if chapter.isdecimal() and exercise.isdecimal() and int(chapter) in TITLES:
        checks = checks_of(int(chapter))
        if int(exercise) in checks:
            return checks[int(exercise)](answer)
        known = ", ".join(f"{int(chapter):02d}.{one}" for one in checks)
        raise DicomLabError(f"Exercise {number!r} was asked for; chapter {int(chapter)} has {known}.")
    raise DicomLabError(
        f"Exercise {number!r} was asked for; exercises are named by chapter and number, such as "
        f'"05.2"; there are chapters 00 to {max(TITLES):02d}.'
    )
