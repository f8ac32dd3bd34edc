"""A property that can be observed and linked like a trait, though its value is worked out from traits."""

from __future__ import annotations

from typing import TYPE_CHECKING

__all__ = ["observable"]

if TYPE_CHECKING:
    observable = property
else:
    import traitlets

    class observable(traitlets.TraitType):  # a decorator, as ``property``
        """As ``property``; the class that has it calls ``notify_change`` when what it is worked out from has changed."""

        def __init__(self, getter):
            super().__init__()
            self._getter, self._setter = getter, None
            self.__doc__ = getter.__doc__

        def setter(self, setter):
            """Set by this."""
            self._setter = setter
            return self

        def get(self, obj, cls=None):
            """What it is now."""
            return self._getter(obj)

        def set(self, obj, value):
            """Let the setter do it."""
            self._setter(obj, value)
