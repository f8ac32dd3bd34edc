"""The still picture of the explorer of a file: the table, the bytes, and the element that is chosen."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from typing import Any

from dicomlab.teach.dissect import LAYOUTS, UNDEFINED
from dicomlab.teach.still import FAINT, HUES, TEXT, Sheet, blended

__all__ = ["name_of_row", "picture", "tone_of", "value_start"]

_LINES = 18
_WHITE = (255, 255, 255)
_KINDS = {
    "preamble": "Preamble",
    "prefix": "Prefix",
    "deflated": "Deflated data set",
    "rest": "Bytes outside",
    "offsets": "Basic Offset Table",
    "fragment": "Fragment",
    "item": "Item",
    "item_end": "End of the item",
    "sequence_end": "End of the sequence",
    "hidden": "More rows, not listed",
}
_VALUES = {
    **dict.fromkeys(("preamble", "hidden"), "outside"),
    **dict.fromkeys(("fragment", "deflated"), "fragment"),
    **{kind: kind for kind in ("prefix", "offsets", "rest")},
}
_ITEMS = frozenset(("item", "item_end", "sequence_end", "offsets", "fragment"))


def tone_of(kind: str, part: str) -> str:
    """The colour of a part of a row of this kind, by name; `toneOf` of js/shared/bytes.js says the same."""
    if part == "value":
        return _VALUES.get(kind, "value")
    return "item" if part == "tag" and kind in _ITEMS else part


def value_start(row: Mapping[str, Any]) -> int:
    """Where the value of a row begins."""
    return min(int(row["end"]), int(row["start"]) + sum(size for _, size in LAYOUTS[row["layout"]]))


def name_of_row(row: Mapping[str, Any]) -> str:
    """The name of a row, as short as it goes."""
    more = row["more"]
    return str(
        _KINDS.get(row["kind"])
        or row["keyword"]
        or more.get("name")
        or ("Private element" if more.get("owner") else "Unknown")
    )


def picture(facts: Mapping[str, Any], state: Mapping[str, Any]) -> bytes:
    """A PNG of the explorer as it stands."""
    rows = [dict(zip(facts["fields"], row, strict=True)) for row in facts["rows"]]
    chosen = min(max(0, int(state.get("row", 0))), len(rows) - 1)
    sheet = Sheet(1180, 40 + 20 * _LINES + 90)
    sheet.text(12, 16, facts["syntax"]["name"] or "No transfer syntax is stated", FAINT)
    sheet.text(600, 16, f"{facts['spaces'][0]['size']:,} bytes", FAINT)
    _table(sheet, rows, chosen)
    _bytes(
        sheet,
        facts["spaces"][rows[chosen]["space"]],
        [row for row in rows if row["space"] == rows[chosen]["space"]],
        rows[chosen],
    )
    _chosen(sheet, rows[chosen], 40 + 20 * _LINES + 14)
    return sheet.png()


def _table(sheet: Sheet, rows: list[dict[str, Any]], chosen: int) -> None:
    first = max(0, min(chosen - _LINES // 3, len(rows) - _LINES))
    for line, row in enumerate(rows[first : first + _LINES]):
        y = 46 + 20 * line
        if first + line == chosen:
            sheet.box(8, y, 580, 20, blended(HUES["tag"], _WHITE, 0.16))
        indent = 12 * min(6, row["depth"])
        tone = HUES["item"] if row["kind"] in _ITEMS else HUES["tag"]
        if row["tag"] >= 0:
            sheet.text(
                12 + indent,
                y,
                f"({row['tag'] >> 16:04x},{row['tag'] & 0xFFFF:04x})",
                blended(tone, TEXT, 0.72),
            )
        stop = any(note[0] in ("stop", "warn") for note in row["more"].get("notes", []))
        name = ("! " if stop else "") + name_of_row(row)
        sheet.text(104 + indent, y, name, HUES["rest"] if stop else TEXT, most=206 - indent)
        sheet.text(
            318,
            y,
            row["vr"][:2] if row["kind"] in ("element", "sequence", "pixels") else "",
            blended(HUES["vr"], TEXT, 0.72),
        )
        length = (
            "undef."
            if row["length"] == UNDEFINED
            else str(row["length"] if row["layout"] != "raw" else row["end"] - row["start"])
        )
        sheet.text(345, y, length.rjust(8), blended(HUES["length"], TEXT, 0.72))
        sheet.text(416, y, row["text"], blended(HUES["value"], TEXT, 0.68), most=170)


def _lines(space: Mapping[str, Any], start: int) -> Iterator[tuple[int, bytes]]:
    """Lines of bytes from the one that holds `start` on, as far as they are here."""
    for first, text in space["chunks"]:
        data = base64.b64decode(text)
        for at in range(0, len(data), 16):
            if first + at + 16 > start:
                yield first + at, data[at : at + 16]


def _bytes(
    sheet: Sheet, space: Mapping[str, Any], rows: list[dict[str, Any]], chosen: dict[str, Any]
) -> None:
    hidden = space["hidden"]
    before = 16 * min(4, chosen["start"] // 16)
    index = 0
    for line, (at, data) in enumerate(_lines(space, chosen["start"] // 16 * 16 - before)):
        if line >= _LINES:
            break
        y = 46 + 20 * line
        sheet.text(600, y, f"{at:08x}", FAINT, 11)
        for k, value in enumerate(data):
            place = at + k
            while index + 1 < len(rows) and rows[index]["end"] <= place:
                index += 1
            row = rows[index]
            hue = HUES[tone_of(row["kind"], _part(row, place))]
            x = 672 + 22.5 * k + (6 if k > 7 else 0)
            away = any(a <= place < b for a, b in hidden)
            on = row is chosen
            ground = blended(FAINT if away else hue, _WHITE, 0.36 if on else 0.12)
            ink = FAINT if away else blended(hue, TEXT, 0.4 if on else 0.66)
            sheet.box(x, y, 22.5, 18, ground)
            sheet.text(x + 4, y, "••" if away else f"{value:02x}", ink)
            letter = "•" if away else chr(value) if 31 < value < 127 else "·"
            sheet.box(1046 + 7.6 * k, y, 7.6, 18, ground)
            sheet.text(1046.2 + 7.6 * k, y, letter, ink)


def _part(row: Mapping[str, Any], place: int) -> str:
    at = row["start"]
    for name, size in LAYOUTS[row["layout"]]:
        at += size
        if place < at:
            return name
    return "value"


def _chosen(sheet: Sheet, row: dict[str, Any], y: float) -> None:
    sheet.line(12, y - 10, 1156)
    sheet.text(
        12, y + 8, f"{name_of_row(row)}, bytes {row['start']} to {row['end'] - 1}", bold=True, most=1150
    )
    x: float = 12
    at = row["start"]
    says = {
        "tag": f"({row['tag'] >> 16:04x},{row['tag'] & 0xFFFF:04x})",
        "vr": row["vr"],
        "reserved": "00 00",
    }
    says["length"] = "undefined" if row["length"] == UNDEFINED else str(row["length"])
    for name, size in LAYOUTS[row["layout"]]:
        if at < row["end"]:
            x = _block(
                sheet,
                x,
                y + 32,
                f"{'VR' if name == 'vr' else name} {says[name]}",
                HUES[tone_of(row["kind"], name)],
            )
        at += size
    if at < row["end"] or row["layout"] == "raw":
        _block(sheet, x, y + 32, f"value {row['text']}", HUES[tone_of(row["kind"], "value")])
    for note in row["more"].get("notes", [])[:1]:
        sheet.text(12, y + 58, note[1], HUES["rest"], most=1150)


def _block(sheet: Sheet, x: float, y: float, text: str, hue: tuple[int, int, int]) -> float:
    text = text if len(text) < 100 else text[:99] + "…"
    width = 7.23 * len(text) + 16
    sheet.box(x, y, width, 22, blended(hue, _WHITE, 0.16))
    sheet.text(x + 8, y, text, blended(hue, TEXT, 0.6))
    return x + width + 5
