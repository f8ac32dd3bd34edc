"""Checks of chapter 0: what a DICOM file is."""

from __future__ import annotations

from typing import Any, Final

from dicomlab.teach.exercises.verdict import Check, Verdict, right, wrong

__all__ = ["CHECKS"]


def _letters(answer: Any) -> Verdict:
    text = answer.decode("latin-1") if isinstance(answer, bytes) else answer
    if not isinstance(text, str):
        return wrong(
            f"four letters are asked for, as text or bytes; this is of type {type(answer).__name__}."
        )
    if text == "DICM":
        return right("those four bytes are how a reader knows the file (PS3.10 section 7.1).")
    if text.upper() in ("DICM", "DICOM"):
        return wrong("nearly: four bytes, all capitals. Read bytes 128 to 131 of the file and compare.")
    return wrong("they are bytes 128 to 131 of the file, after the preamble.")


CHECKS: Final[dict[int, Check]] = {0: _letters}
