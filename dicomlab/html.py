"""Small pieces of HTML for notebook outputs: everything that comes from a file is escaped, colours follow the theme."""

from __future__ import annotations

import base64
import html as _html
from collections.abc import Iterable, Mapping, Sequence
from io import BytesIO

import numpy as np
import numpy.typing as npt

__all__ = ["Markup", "block", "card", "escape", "picture", "table"]


class Markup(str):
    """Text that is HTML already and must not be escaped again. Never made from the content of a file."""

    __slots__ = ()


def escape(value: object) -> Markup:
    """`value` as HTML text; `Markup` passes through."""
    return value if isinstance(value, Markup) else Markup(_html.escape(str(value), quote=True))


# All colours are made of the text around them: whoever shows an output knows whether its ground is light or dark, the system
# below does not. Jupyter's theme variables come first.
_STYLE = """
.dicomlab{--dl-soft:var(--jp-ui-font-color2,color-mix(in srgb,currentColor 68%,transparent));
--dl-line:var(--jp-border-color2,color-mix(in srgb,currentColor 20%,transparent));
--dl-shade:var(--jp-layout-color2,color-mix(in srgb,currentColor 6%,transparent));
--dl-warn:color-mix(in srgb,currentColor 35%,#d18a00);--dl-stop:color-mix(in srgb,currentColor 25%,#e5484d);
--dl-good:color-mix(in srgb,currentColor 25%,#2b9348);
color:var(--jp-ui-font-color1,inherit);font:13px/1.45 var(--jp-ui-font-family,system-ui,sans-serif);
max-width:100%;overflow-x:auto}
.dicomlab table{border-collapse:collapse;margin:.3em 0;font:inherit;color:inherit;font-variant-numeric:tabular-nums}
.dicomlab th,.dicomlab td{padding:.25em .8em .25em 0;border-bottom:1px solid var(--dl-line);text-align:left;
vertical-align:top;white-space:nowrap;color:inherit}
.dicomlab th{font-weight:600;color:var(--dl-soft)}
.dicomlab td.n,.dicomlab th.n{text-align:right}
.dicomlab.dicomlab :is(th,td):not(.n){text-align:left}
.dicomlab td.w{white-space:normal;overflow-wrap:anywhere;max-width:34em}
.dicomlab .title{font-weight:600;margin:.2em 0}
.dicomlab .soft{color:var(--dl-soft)} .dicomlab .warn{color:var(--dl-warn)} .dicomlab .stop{color:var(--dl-stop)}
.dicomlab .good{color:var(--dl-good)}
.dicomlab .row{display:flex;gap:1.2em;align-items:flex-start;flex-wrap:wrap}
.dicomlab img{background:#000;image-rendering:auto;border-radius:3px}
.dicomlab details{margin:.3em 0} .dicomlab summary{cursor:pointer;color:var(--dl-soft)}
.dicomlab input[type=search]{font:inherit;color:inherit;background:var(--dl-shade);border:1px solid var(--dl-line);
border-radius:4px;padding:.25em .6em;width:22em;max-width:90%}
.dicomlab .scroll{max-height:26em;overflow:auto}
.dicomlab .scroll th{position:sticky;top:0;background:var(--dl-shade);backdrop-filter:blur(14px)}
"""


def block(*parts: Markup) -> str:
    """One output: `parts` in the common style."""
    return f'<div class="dicomlab"><style>{_STYLE}</style>{"".join(parts)}</div>'


def table(headers: Sequence[str], rows: Iterable[Sequence[object]], classes: Sequence[str] = ()) -> Markup:
    """A table; cells are escaped unless `Markup`. `classes` gives one class per column (``"n"`` number, ``"w"`` wide)."""
    kinds = [*classes, *[""] * (len(headers) - len(classes))]

    def cells(tag: str, values: Sequence[object]) -> str:
        pairs = zip(values, kinds, strict=True)
        return "".join(f'<{tag} class="{kind}">{escape(value)}</{tag}>' for value, kind in pairs)

    body = "".join(f"<tr>{cells('td', row)}</tr>" for row in rows)
    return Markup(f"<table><thead><tr>{cells('th', headers)}</tr></thead><tbody>{body}</tbody></table>")


def card(title: object, facts: Mapping[str, object], image: Markup | None = None) -> Markup:
    """A titled list of facts, with a picture beside it."""
    rows = "".join(
        f'<tr><th>{escape(name)}</th><td class="w">{escape(value)}</td></tr>' for name, value in facts.items()
    )
    beside = f'<div class="row">{image or ""}<table>{rows}</table></div>'
    return Markup(f'<div class="title">{escape(title)}</div>{beside}')


def picture(grey: npt.NDArray[np.uint8], alt: str, width: int, height: int) -> Markup:
    """An image of shape ``(rows, columns)``, 8 bit, shown `width` x `height` CSS pixels."""
    from PIL import Image

    buffer = BytesIO()
    Image.fromarray(np.ascontiguousarray(grey)).save(buffer, "PNG")
    data = base64.b64encode(buffer.getvalue()).decode("ascii")
    return Markup(
        f'<img alt="{escape(alt)}" width="{width}" height="{height}" src="data:image/png;base64,{data}">'
    )
