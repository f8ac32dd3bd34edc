"""Widgets that show or mask identity as when they were made, whenever and on whichever thread they are asked."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any

import anywidget

from dicomlab.privacy import as_now

__all__ = ["AsMade"]


class AsMade(anywidget.AnyWidget):
    """A widget for whose whole life `dicomlab.show_identity` holds, or does not, as it did when it was made.

    What its page asks, on a thread of its own, is answered so, and so is its picture made.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._as_made = as_now()
        super().__init__(*args, **kwargs)

    def as_made(self) -> AbstractContextManager[None]:
        """Return a block in which identity is shown, or masked, as when the widget was made."""
        return self._as_made()

    def _handle_msg(self, msg: Any) -> None:
        with self.as_made():
            super()._handle_msg(msg)

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]] | None:
        with self.as_made():
            shown: tuple[dict[str, Any], dict[str, Any]] | None = super()._repr_mimebundle_(**kwargs)
            return shown
