"""What keys and gestures of the viewer can be bound to; ``js/keymap.js`` has the usual map."""

from __future__ import annotations

import re
from collections.abc import Mapping

from dicomlab.errors import DicomLabError

__all__ = ["ACTIONS", "GESTURES", "TOOLS", "checked_keymap"]

TOOLS = (
    *("window", "pan", "zoom", "scroll", "crosshair"),
    *("ruler", "angle", "rectangle", "ellipse", "polygon", "freehand", "profile", "probe"),
    *("brush", "eraser", "lasso", "fill", "grow"),
)
"""What a drag can do."""

ACTIONS = (
    *("next", "previous", "next10", "previous10", "first", "last", "nextStep", "previousStep", "cine"),
    *("reset", "invert", "corners", "crosshair", "layout", "enlarge", "full", "save", "help", "firstWindow"),
    *("edit", "smaller", "larger", "ball", "nextLabel", "interpolate"),
    *("layers", "finish", "remove", "measured", "undo", "redo"),
    *(f"preset{number}" for number in range(1, 10)),
)
"""What a key can do; it can also choose a tool of the left button."""

_DRAGS = ("tool", *TOOLS)

GESTURES: Mapping[str, tuple[str, ...]] = {
    "LeftDrag": _DRAGS,
    "MiddleDrag": _DRAGS,
    "RightDrag": _DRAGS,
    "Wheel": ("scroll", "step", "zoom"),
    "Ctrl+Wheel": ("scroll", "step", "zoom"),
    "DoubleClick": ACTIONS,
    "Ctrl+DoubleClick": ACTIONS,
    "Shift+Move": ("crosshair",),
}
"""What the mouse does, and what each gesture can mean; "tool" is the one chosen in the toolbar."""

_KEY = re.compile(
    r"(Ctrl\+)?(Shift\+)?(Arrow(Up|Down|Left|Right)|Page(Up|Down)|Home|End|Enter|Escape|Tab|Insert|Delete|Backspace|F\d\d?"
    r"|[^A-Z\s]| )"
)


def checked_keymap(keymap: Mapping[str, str | None]) -> dict[str, str]:
    """Return what a user binds, None as "" (nothing), ready for JSON.

    Parameters
    ----------
    keymap
        Keys by the names of browsers (``"c"``, ``" "``, ``"ArrowUp"``, ``"Shift+ArrowUp"``, ``"Ctrl+k"``; letters small) and
        gestures (`GESTURES`), with what each shall do: one of `ACTIONS`, one of `TOOLS`, or None for nothing.

    Raises
    ------
    DicomLabError
        There is no such key or gesture, or it cannot be bound to that.
    """
    checked = {}
    for name, meaning in keymap.items():
        allowed = GESTURES.get(name, (*ACTIONS, *TOOLS))
        nearly = name.casefold() in map(str.casefold, GESTURES)
        if name not in GESTURES and (nearly or not _KEY.fullmatch(name)):
            raise DicomLabError(
                f"{name!r} was to be bound; a key is named as browsers do, letters small: 'c', ' ', 'ArrowUp', "
                f"'Shift+ArrowUp', 'Ctrl+k'. Gestures are {', '.join(GESTURES)}."
            )
        if meaning and meaning not in allowed:
            raise DicomLabError(
                f"{name!r} was to be bound to {meaning!r}; it can be bound to {', '.join(dict.fromkeys(allowed))}, "
                "or None for nothing."
            )
        checked[name] = meaning or ""
    return checked
