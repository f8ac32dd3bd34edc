"""The still picture of the explorer of transfer syntaxes: one element in each, and the sizes of the files."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from dicomlab.teach.still import FAINT, HUES, TEXT, Sheet, blended

__all__ = ["picture"]

_WHITE = (255, 255, 255)
_WIDTH, _BYTES = 1080, 14


def picture(facts: Mapping[str, Any], state: Mapping[str, Any]) -> bytes:
    """A PNG of the explorer as it stands."""
    encodings, elements = facts["encodings"], facts["elements"]
    index = min(max(0, int(state.get("element", 0))), len(elements) - 1)
    one = elements[index]
    sheet = Sheet(_WIDTH, 60 + 34 * len(encodings) + 30 + 22 * len(encodings))
    tag = f"({one['tag'] >> 16:04x},{one['tag'] & 0xFFFF:04x})"
    x = sheet.text(12, 20, tag, blended(HUES["tag"], TEXT, 0.72))
    sheet.text(x + 10, 20, f"{one['keyword']}, {one['vr'] or 'no VR'}", bold=True)
    y = 56.0
    for encoding in encodings:
        sheet.text(12, y, encoding["name"])
        _blocks(sheet, encoding["elements"][index], y)
        y += 34
    sheet.line(12, y - 8, _WIDTH - 24)
    most = max(encoding["size"] for encoding in encodings)
    for encoding in encodings:
        y += 22
        sheet.text(12, y - 8, encoding["name"])
        x = 220
        for name, hue in (
            (("head", "tag"), ("pixels", "fragment")) if encoding["head"] else (("size", "offsets"),)
        ):
            width = 640 * encoding[name] / most
            sheet.box(x, y - 8, width, 13, blended(HUES[hue], _WHITE, 0.72))
            x += width
        sheet.text(880, y - 8, f"{encoding['size']:,} bytes".rjust(16), FAINT)
    return sheet.png()


def _blocks(sheet: Sheet, entry: Mapping[str, Any] | None, y: float) -> None:
    if entry is None:
        sheet.text(220, y, "not in this file", FAINT)
        return
    x = 220.0
    for tone, _, data, size, hidden, _ in entry["parts"]:
        own = base64.b64decode(data)[:_BYTES]
        text = " ".join("••" if hidden else f"{value:02x}" for value in own) + (
            " …" if size > len(own) else ""
        )
        width = 7.23 * len(text) + 12
        if x + width > _WIDTH - 12:
            sheet.text(x, y, "…", FAINT)
            return
        hue = FAINT if hidden else HUES[tone]
        sheet.box(x, y, width, 22, blended(hue, _WHITE, 0.16))
        sheet.text(x + 6, y, text, blended(hue, TEXT, 0.66))
        x += width + 4
