"""Values as the series explorer shows them: short, and masked where they may say who somebody is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from dicomlab.privacy import MASK, identity_shown, is_identifying
from dicomlab.read.headers import Instance

__all__ = ["FileNames", "masked", "rounded", "short"]

_MOST = 120


def masked(keyword: str, vr: str, value: object) -> str:
    """Return a value as text; `MASK` where it may identify a patient, ``""`` where there is none."""
    text = str(value) if value is not None else ""
    if not text:
        return ""
    return MASK if is_identifying(keyword, vr) else short(text)


def short(text: str, most: int = _MOST) -> str:
    """Return a text that is no longer than a line."""
    flat = " ".join(text.split())
    return flat if len(flat) <= most else f"{flat[: most - 1]}…"


def rounded(values: Any) -> list[float | None]:
    """Return numbers with six digits that count; None for what is no number."""
    found: list[float | None] = []
    for value in np.asarray(values, dtype=float).ravel():
        number = float(f"{value:.6g}") if np.isfinite(value) else None
        found.append(int(number) if number is not None and number == int(number) else number)
    return found


class FileNames:
    """Names of files, or, as names of files and folders often are those of patients, numbers in their place.

    Parameters
    ----------
    instances
        Of one series.
    """

    def __init__(self, instances: Sequence[Instance]) -> None:
        names = sorted(instance.file.name for instance in instances)
        self.rank = {name: k for k, name in enumerate(names)}
        self._shown = {
            name: short(name) if identity_shown() else f"file {k + 1}" for name, k in self.rank.items()
        }

    def shown(self, name: str) -> str:
        """Return what is shown of the name of a file, or of a frame of it."""
        if name in self._shown:
            return self._shown[name]
        for file, shown in self._shown.items():
            if name.startswith(f"{file} "):
                return shown + name[len(file) :]
        return name if identity_shown() else "a file"

    def all(self, most: int) -> list[str] | None:
        """Return the names in their order where they may be shown and are not too many."""
        return list(self._shown.values()) if identity_shown() and len(self._shown) <= most else None

    def hide(self, text: str, names: Sequence[str]) -> str:
        """Return a message in which the names of these files are shown as everywhere else."""
        for name in sorted(names, key=len, reverse=True):
            text = text.replace(name, self.shown(name))
        return text
