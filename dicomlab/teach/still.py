"""Drawing still pictures of the explorers: text in columns, in the colours of the parts."""

from __future__ import annotations

from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw, ImageFont

__all__ = ["FAINT", "HUES", "TEXT", "Sheet", "blended"]

SCALE = 2
TEXT, FAINT, LINE = (31, 35, 40), (89, 99, 110), (208, 215, 222)
HUES = {
    "tag": (33, 118, 217),
    "vr": (154, 79, 209),
    "length": (217, 123, 0),
    "value": (20, 151, 106),
    "item": (209, 61, 121),
    "fragment": (0, 149, 171),
    "offsets": (125, 143, 0),
    "prefix": (20, 151, 106),
    "reserved": (139, 148, 158),
    "outside": (139, 148, 158),
    "rest": (216, 54, 63),
}
"""The hues of styles/file.css."""

Colour = tuple[int, int, int]


def blended(hue: Colour, other: Colour, share: float) -> Colour:
    """So much of `hue` in `other`."""
    r, g, b = (round(a * share + c * (1 - share)) for a, c in zip(hue, other, strict=True))
    return r, g, b


class Sheet:
    """A white sheet, measured in CSS pixels and drawn twice as fine.

    Parameters
    ----------
    width, height
        In CSS pixels.
    """

    def __init__(self, width: int, height: int) -> None:
        self.image = Image.new("RGB", (width * SCALE, height * SCALE), (255, 255, 255))
        self._draw = ImageDraw.Draw(self.image)

    def text(
        self,
        x: float,
        y: float,
        text: str,
        colour: Colour = TEXT,
        size: int = 12,
        bold: bool = False,
        most: float = 0,
    ) -> float:
        """Write in a face of one width per letter, and return where the text ends; cut to `most` pixels."""
        font = _font(size, bold)
        step: float = font.getlength("0") / SCALE
        if most and len(text) * step > most:
            text = text[: max(0, int(most / step) - 1)] + "…"
        self._draw.text((x * SCALE, y * SCALE), text, colour, font, anchor="lm")
        return x + len(text) * step

    def box(self, x: float, y: float, width: float, height: float, colour: Colour) -> None:
        """Fill a rectangle; `y` is its middle."""
        top = y - height / 2
        self._draw.rectangle(
            [x * SCALE, top * SCALE, (x + width) * SCALE - 1, (top + height) * SCALE - 1], colour
        )

    def line(self, x: float, y: float, width: float) -> None:
        """A thin line to the right."""
        self._draw.line([x * SCALE, y * SCALE, (x + width) * SCALE, y * SCALE], LINE, SCALE)

    def paste(self, picture: Any, x: float, y: float, width: float, height: float) -> None:
        """Put an image of numbers, 8 bits, into a rectangle whose corner is given; its pixels stay squares."""
        image = Image.fromarray(picture).resize(
            (round(width * SCALE), round(height * SCALE)), Image.Resampling.NEAREST
        )
        self.image.paste(image, (round(x * SCALE), round(y * SCALE)))

    def png(self) -> bytes:
        """The picture, without any text of the file in its metadata."""
        out = BytesIO()
        self.image.save(out, "PNG", optimize=True)
        return out.getvalue()


@cache
def _font(size: int, bold: bool) -> Any:
    import matplotlib

    name = "DejaVuSansMono-Bold.ttf" if bold else "DejaVuSansMono.ttf"
    return ImageFont.truetype(str(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / name), size * SCALE)
