"""What a check says: right, or what is off."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from dicomlab.html import Markup, block, escape

__all__ = ["Check", "Verdict", "right", "wrong"]


@dataclass(frozen=True, repr=False)
class Verdict:
    """The verdict on an answer; true where it is right.

    Attributes
    ----------
    right
        Whether the answer holds.
    text
        Why it does, or what is off and where to look.
    """

    right: bool
    text: str

    def __bool__(self) -> bool:
        return self.right

    def __repr__(self) -> str:
        return f"{'Right' if self.right else 'Not yet'}: {self.text}"

    def _repr_html_(self) -> str:
        mark, name = ("✓ Right:", "good") if self.right else ("✗ Not yet:", "stop")
        return block(Markup(f'<span class="{name}"><b>{mark}</b></span> {escape(self.text)}'))


Check = Callable[[Any], Verdict]
"""Looks at an answer of any type and never raises: what cannot be an answer is wrong, and it says why."""


def right(text: str) -> Verdict:
    """Return the verdict that an answer holds, and why."""
    return Verdict(True, text)


def wrong(text: str) -> Verdict:
    """Return the verdict that something is off, and what."""
    return Verdict(False, text)
