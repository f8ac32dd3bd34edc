"""One pitfall tried out: what was wrong, how far off the naive reading is, what readers make of it."""

from __future__ import annotations

import base64
import inspect
import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import CodeType

import numpy as np

from dicomlab.html import Markup, block, escape, table
from dicomlab.phantom import FAULTS, KINDS, Sample
from dicomlab.teach.pitfalls import naive
from dicomlab.teach.pitfalls.catalogue import group_of
from dicomlab.teach.pitfalls.measure import Off, Reading
from dicomlab.teach.pitfalls.naive import Recipe
from dicomlab.teach.pitfalls.others import Verdict
from dicomlab.teach.pitfalls.ours import Ours, try_ours
from dicomlab.teach.pitfalls.pictures import draw
from dicomlab.teach.pitfalls.pitfall import Pitfall

__all__ = ["Card", "make_card"]

_STYLE = """
.dicomlab .pit{border:1px solid var(--dl-line);border-radius:6px;padding:.6em .9em;margin:.6em 0;max-width:62em}
.dicomlab .pit h4{margin:0 0 .3em;font-size:1.05em} .dicomlab .pit p{margin:.35em 0}
.dicomlab .pit img{display:block;width:100%;max-width:740px;height:auto;margin:.5em 0}
.dicomlab .pit .told{display:grid;grid-template-columns:max-content minmax(0,1fr);gap:.25em 1em;margin:.5em 0}
.dicomlab .pit .term{color:var(--dl-soft);white-space:nowrap} .dicomlab .pit .said{overflow-wrap:anywhere}
.dicomlab .pit pre{margin:.3em 0;padding:.5em .7em;background:var(--dl-shade);border-radius:4px;overflow-x:auto;
font:12px/1.5 var(--jp-code-font-family,ui-monospace,monospace);color:inherit;white-space:pre}
.dicomlab .pit code{font:12px/1.5 var(--jp-code-font-family,ui-monospace,monospace);background:none;color:inherit;padding:0}
"""


@dataclass(frozen=True, eq=False, repr=False)
class Card:
    """One pitfall, tried on files that the phantom wrote.

    Attributes
    ----------
    pitfall
        What is known of it beforehand: name, title, what is wrong, how it comes about.
    naive
        How far the naive reading is from the truth.
    units
        Unit of the values.
    ours
        What dicomlab did.
    others
        What other readers made of it, by name.
    picture
        Both readings beside each other, as PNG.
    """

    pitfall: Pitfall
    naive: Off
    units: str
    ours: Ours
    others: Mapping[str, Verdict]
    picture: bytes

    @property
    def name(self) -> str:
        """Of the kind of series: ``phantom.write_kind(name, folder)`` writes it."""
        return self.pitfall.name

    @property
    def group(self) -> str:
        """``"geometry"``, ``"order"``, ``"values"`` or ``"files"``."""
        return group_of(self.name)

    @property
    def code(self) -> str:
        """The finding that dicomlab reports, ``""`` where it has nothing to report."""
        return self.ours.codes[0] if self.ours.codes else ""

    def __repr__(self) -> str:
        return f"<Card {self.name}: naively {self.naive.words(self.units)}; dicomlab {self._did()}>"

    def _did(self) -> str:
        if not self.ours.error:
            return f"loads, says {', '.join(self.ours.codes)}" if self.ours.codes else "loads"
        return f"stops: {self.code or self.ours.kind}"

    def _repr_html_(self) -> str:
        return block(Markup(f"<style>{_STYLE}</style>"), self.markup())

    def markup(self) -> Markup:
        """The card as a part of an output; the gallery brings the style."""
        pit = self.pitfall
        data = base64.b64encode(self.picture).decode("ascii")
        kind = (KINDS.get(pit.name) or FAULTS[pit.name]).title
        alt = f"{pit.title}: on the left as read naively, on the right as it is."
        source = _source(pit.recipe)
        naive = (
            f'<span class="{_tone(self.naive)}">{escape(self.naive.words(self.units))}</span>'
            f"<details><summary>{escape(_summary(inspect.getdoc(pit.recipe)))}</summary>"
            f"<pre>{escape(source)}</pre></details>"
        )
        facts = [
            ("what is wrong", escape(pit.wrong)),
            ("how it comes about", escape(pit.life)),
            ("read naively", Markup(naive)),
            ("dicomlab", self._ours()),
            ("other readers", self._others()),
        ]
        # No <dl>: JupyterLab has rules of its own for <dt> and <dd>, which squeeze them.
        rows = "".join(
            f'<div class="term" role="term">{escape(term)}</div><div class="said" role="definition">{told}</div>'
            for term, told in facts
        )
        return Markup(
            f'<div class="pit" id="pit-{escape(pit.name)}"><h4>{escape(pit.title)}</h4>'
            f'<div class="soft">{escape(kind)} · <code>{escape(pit.name)}</code></div>'
            f'<img alt="{escape(alt)}" src="data:image/png;base64,{data}"><div class="told">{rows}</div></div>'
        )

    def _ours(self) -> Markup:
        ours = self.ours
        codes = ", ".join(f"<code>{escape(code)}</code>" for code in ours.codes)
        if not ours.error:
            told = f"loads{f', and says {codes}' if codes else ''}: "
        else:
            told = f'<span class="warn">stops</span>{f": {codes}" if codes else ""}'
            told += f"<details><summary>the error</summary><p>{escape(ours.error)}</p></details>"
            if ours.choice is None and ours.off.state == "refuses":
                return Markup(f"{told}no choice loads it: nobody knows what was meant.")
            told += (
                f"<code>on_fault={escape(ours.choice)}</code> loads it: "
                if ours.choice
                else "stack by stack it loads: "
            )
        return Markup(f'{told}<span class="{_tone(ours.off)}">{escape(ours.off.words(self.units))}</span>')

    def _others(self) -> Markup:
        if not self.others:
            return Markup('<span class="soft">not measured</span>')
        rows = [
            [
                Markup(f"{escape(tool)} <span class='soft'>{escape(one.version)}</span>"),
                Markup(f'<span class="{_tone(one.off)}">{escape(_short(one.off.words(self.units)))}</span>'),
                "now" if one.live else "measured earlier",
            ]
            for tool, one in sorted(self.others.items(), key=lambda item: item[0].casefold())
        ]
        return table(["reader", "makes of it", "asked"], rows, ("", "w", ""))


def _source(recipe: Recipe) -> str:
    """What one can copy and run: imports, the lines of the naive reading, then those that it calls."""
    found = [recipe]
    for function in found:
        names = _names(function.__code__)
        more = [getattr(naive, name) for name in names if inspect.isfunction(getattr(naive, name, None))]
        found += [one for one in more if one not in found]
    lines = "\n\n\n".join(inspect.getsource(one).rstrip() for one in found)
    imports = [
        line for line in inspect.getsource(naive).splitlines() if line.startswith(("import ", "from "))
    ]
    needed = [line for line in imports if re.search(rf"\b{line.split()[-1]}\b", lines)]
    return "\n".join(needed) + f"\n\n\n{lines}"


def _names(code: CodeType) -> list[str]:
    """Names that a function calls, those in its comprehensions too."""
    inner = [one for one in code.co_consts if isinstance(one, CodeType)]
    return [*code.co_names, *(name for one in inner for name in _names(one))]


def _tone(off: Off) -> str:
    return {"right": "good", "wrong": "stop"}.get(off.state, "warn")


def _short(text: str, most: int = 160) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _summary(doc: str | None) -> str:
    return (doc or "").splitlines()[0]


def read_naively(pitfall: Pitfall, folder: Path) -> tuple[Reading | None, str]:
    """The naive reading of a folder, or why there is none."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return pitfall.recipe(folder), ""
        except Exception as problem:  # whatever a program that expects no fault runs into
            said = f"{type(problem).__name__}: {problem}".replace(str(folder), "…")
            return None, _short(" ".join(said.split()), 300)


def make_card(pitfall: Pitfall, sample: Sample, others: Mapping[str, Verdict]) -> Card:
    """Try a pitfall on what the phantom wrote.

    Parameters
    ----------
    pitfall
        Which.
    sample
        The truth of the folder that was written, as `Pitfall.truth` returns it.
    others
        What other readers made of the folder.
    """
    reading, said = read_naively(pitfall, sample.folder)
    naive = Off("refuses", said=said) if reading is None else pitfall.judge(sample, [reading])
    ours = try_ours(pitfall, sample)
    true = _truth(sample)
    picture = draw(sample, reading, true, pitfall.view, pitfall.slice, f"stops: {said}")
    return Card(pitfall, naive, sample.units, ours, others, picture)


def _truth(sample: Sample) -> Reading:
    """The first step of the largest stack, as the phantom knows it."""
    values = sample.values.reshape(-1, *sample.values.shape[-3:])[0]
    return Reading(np.asarray(values), sample.origins, sample.row_step, sample.column_step)
