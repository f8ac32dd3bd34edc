"""What `explain` gives back: facts and words about one thing of the standard, as text and as a card."""

from __future__ import annotations

import textwrap
from dataclasses import asdict, dataclass
from typing import Any

from dicomlab import html
from dicomlab.dictionary.modules import TYPES, USAGES

__all__ = ["Explanation", "Place"]

_SHOWN = 8
"""Places that are shown; `Explanation.places` has all."""

_OBJECTS = 9
"""Objects that are shown of one place."""

_WIDTH = 100
_LABEL = 13


@dataclass(frozen=True, slots=True)
class Place:
    """A module, or functional group macro, that an attribute belongs to, in the objects where it is the same.

    Parameters
    ----------
    module, section, type, where
        See `dicomlab.dictionary.Role`; `where` is ``""`` at the top of the data set.
    iods
        Names of the information objects, ``"CT Image"``, and the usage of the module there, ``"M"``, ``"C"`` or ``"U"``.
    """

    module: str
    section: str
    type: str
    where: str
    iods: tuple[tuple[str, str], ...]

    @property
    def objects(self) -> str:
        """The objects as one text; those where the module is not mandatory say so."""
        named = [name if usage == "M" else f"{name} ({usage})" for name, usage in self.iods]
        more = len(named) - _OBJECTS
        return ", ".join(named) if more <= 1 else f"{', '.join(named[:_OBJECTS])} and {more} more"


@dataclass(frozen=True)
class Explanation:
    """One attribute, UID, value representation or word of the field, explained.

    Parameters
    ----------
    kind
        ``"attribute"``, ``"private attribute"``, ``"transfer syntax"``, ``"SOP class"``, ``"value representation"``,
        ``"word of the field"`` …
    name, keyword
        As PS3.6 has them.
    tag
        ``"(0028,0030)"``, of an attribute.
    uid
        Of a UID.
    vr, vr_means
        Value representation, and what that is.
    vm, vm_means
        Value multiplicity, and how many values that allows.
    unit
        Unit of the value; ``""`` when it has none.
    says
        Plain words.
    trap
        The mistake that people make with it.
    places
        Its modules, with usage and type.
    facts
        More facts, as pairs of label and text.
    sections
        Sections of the standard.
    related
        Keywords to look at as well.
    retired
        Whether the standard has given it up.
    replaced_by
        What took its place.
    privacy
        What Table E.1-1 of PS3.15 does with it; ``""``: it is not in the table.
    """

    kind: str
    name: str
    keyword: str = ""
    tag: str = ""
    uid: str = ""
    vr: str = ""
    vr_means: str = ""
    vm: str = ""
    vm_means: str = ""
    unit: str = ""
    says: str = ""
    trap: str = ""
    places: tuple[Place, ...] = ()
    facts: tuple[tuple[str, str], ...] = ()
    sections: tuple[str, ...] = ()
    related: tuple[str, ...] = ()
    retired: bool = False
    replaced_by: tuple[str, ...] = ()
    privacy: str = ""

    def to_dict(self) -> dict[str, Any]:
        """All of it as plain lists, texts and dictionaries."""
        return asdict(self)

    @property
    def _marks(self) -> list[str]:
        marks = [self.tag or self.uid, self.keyword, self.vr, f"VM {self.vm}" if self.vm else "", self.unit]
        return [mark for mark in marks if mark]

    @property
    def _gone(self) -> str:
        if not self.retired:
            return ""
        instead = f" Instead: {', '.join(self.replaced_by)}." if self.replaced_by else ""
        return f"Retired: old files have it, new ones should not.{instead}"

    @property
    def _lines(self) -> list[tuple[str, str]]:
        """Label and text of all that is neither words nor places."""
        vm = f"{self.vm}: {self.vm_means}" if self.vm_means else self.vm
        lines = [
            ("value", f"{self.vr}, {self.vr_means}" if self.vr else ""),
            ("how many", vm),
            ("unit", self.unit),
            *self.facts,
            ("privacy", self.privacy),
            ("standard", "; ".join(self.sections)),
            ("see also", ", ".join(self.related)),
        ]
        return [(label, text) for label, text in lines if text]

    def __repr__(self) -> str:
        parts = [f"{self.name}  {'  '.join(self._marks)}".rstrip()]
        fill = textwrap.TextWrapper(_WIDTH, initial_indent="  ", subsequent_indent="  ")
        parts += [fill.fill(text) for text in (self._gone, self.says) if text]
        if self.trap:
            parts.append(fill.fill(f"Trap: {self.trap}"))
        modules = []
        for place in self.places[:_SHOWN]:
            inside = f", in {place.where}" if place.where else ""
            text = f"{place.module} ({place.section}), type {place.type}{inside}: {place.objects}"
            modules.append(("module", text))
        if self._more:
            modules.append(("", self._more))
        for label, text in [*self._lines, *modules]:
            wrap = textwrap.TextWrapper(
                _WIDTH, initial_indent=f"  {label:<{_LABEL}}", subsequent_indent=" " * (_LABEL + 2)
            )
            parts.append(wrap.fill(text))
        return "\n".join(parts)

    @property
    def _more(self) -> str:
        more = len(self.places) - _SHOWN
        return f"and {more} more place{'' if more == 1 else 's'}: see .places" if more > 0 else ""

    def _repr_html_(self) -> str:
        return html.block(_STYLE, card(self))


_STYLE = html.Markup("""<style>
.dicomlab .dl-explained{max-width:58em;border:1px solid var(--dl-line);border-radius:8px;padding:.9em 1.2em}
.dicomlab .dl-explained .head{display:flex;flex-wrap:wrap;gap:.3em .6em;align-items:baseline}
.dicomlab .dl-explained .name{font-size:1.3em;font-weight:600;margin-right:.3em}
.dicomlab .dl-explained .mark{font-family:var(--jp-code-font-family,ui-monospace,monospace);font-size:.92em;
background:var(--dl-shade);border:1px solid var(--dl-line);border-radius:4px;padding:0 .45em;overflow-wrap:anywhere}
.dicomlab .dl-explained p{margin:.6em 0;max-width:48em}
.dicomlab .dl-explained .trap{border-left:3px solid var(--dl-warn);padding:.1em 0 .1em .8em}
.dicomlab .dl-explained .gone{border-left:3px solid var(--dl-stop);padding:.1em 0 .1em .8em}
.dicomlab .dl-explained .trap b{color:var(--dl-warn)} .dicomlab .dl-explained .gone b{color:var(--dl-stop)}
.dicomlab .dl-explained table{width:100%;margin:.5em 0}
.dicomlab .dl-explained th,.dicomlab .dl-explained td{white-space:normal}
.dicomlab .dl-explained tr:last-child th,.dicomlab .dl-explained tr:last-child td{border-bottom:0}
.dicomlab .dl-explained .facts th{width:6.5em;font-weight:400;white-space:nowrap}
.dicomlab .dl-explained .places th{border-bottom:1px solid var(--dl-line)}
.dicomlab .dl-explained .places{table-layout:fixed} .dicomlab .dl-explained .places th:first-child{width:44%}
.dicomlab .dl-explained .places th:nth-child(2){width:3.5em}
</style>""")


def card(explanation: Explanation) -> html.Markup:
    """The card of an explanation; everything in it is escaped."""
    escape, markup = html.escape, html.Markup
    marks = "".join(f'<span class="mark">{escape(mark)}</span>' for mark in explanation._marks)
    parts = [
        f'<div class="head"><span class="name">{escape(explanation.name)}</span>{marks}'
        f'<span class="soft">{escape(explanation.kind)}</span></div>'
    ]
    if explanation._gone:
        first, _, rest = explanation._gone.partition(":")
        parts.append(f'<p class="gone"><b>{escape(first)}</b>:{escape(rest)}</p>')
    if explanation.says:
        parts.append(f"<p>{escape(explanation.says)}</p>")
    if explanation.trap:
        parts.append(f'<p class="trap"><b>Trap.</b> {escape(explanation.trap)}</p>')
    rows = "".join(
        f"<tr><th>{escape(label)}</th><td>{escape(text)}</td></tr>" for label, text in explanation._lines
    )
    parts.append(f'<table class="facts">{rows}</table>')
    if explanation.places:
        parts.append('<table class="places">' + _places(explanation) + "</table>")
        notes = [
            f"type {name}: {TYPES[name]}"
            for name in dict.fromkeys(place.type for place in explanation.places)
        ]
        notes += [
            f"({usage}): {USAGES[usage]}"
            for usage in "CU"
            if any(usage == of for place in explanation.places[:_SHOWN] for _, of in place.iods)
        ]
        parts.append(
            f'<div class="soft">{escape("; ".join(filter(None, [*notes, explanation._more])))}</div>'
        )
    return markup(f'<div class="dl-explained">{"".join(parts)}</div>')


def _places(explanation: Explanation) -> str:
    escape = html.escape
    head = "".join(f"<th>{name}</th>" for name in ("module", "type", "of"))
    rows = [f"<thead><tr>{head}</tr></thead><tbody>"]
    for place in explanation.places[:_SHOWN]:
        where = f'<br><span class="soft">in {escape(place.where)}</span>' if place.where else ""
        rows.append(
            f'<tr><td>{escape(place.module)} <span class="soft">{escape(place.section)}</span>{where}</td>'
            f'<td class="type" title="{escape(TYPES[place.type])}">{escape(place.type)}</td>'
            f"<td>{escape(place.objects)}</td></tr>"
        )
    return "".join(rows) + "</tbody>"
