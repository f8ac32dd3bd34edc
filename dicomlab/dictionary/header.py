"""A header, attribute by attribute: `explain_header`."""

from __future__ import annotations

import re
from dataclasses import asdict
from itertools import count
from typing import TYPE_CHECKING, Any

from pydicom.dataset import Dataset

from dicomlab import html
from dicomlab.dictionary.carried import UIDS
from dicomlab.dictionary.modules import TYPES, iod_of
from dicomlab.dictionary.walk import Note, Row, Walk, class_of
from dicomlab.privacy import MASK, NOTE, Identity, without_names
from dicomlab.warn import quiet

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["HeaderExplanation", "Note", "Row", "explain_header"]


_numbers = count()


class HeaderExplanation:
    """A header as a table of explained attributes, with what is missing or odd in it.

    Values are masked like everywhere, see `dicomlab.show_identity`. Of a sequence the first item is told.

    Attributes
    ----------
    title
        What was explained.
    sop_class, iod
        Name of its SOP class, and of its information object when its tables are known.
    rows
        The attributes, as `Row`.
    notes
        What is missing, empty or odd, as `Note`.
    """

    def __init__(
        self, header: Dataset, title: str, *, identity: Identity | None, sop_class: str | None = None
    ) -> None:
        with quiet():  # pydicom warns of values by naming them
            self._tell(header, title, identity, sop_class)

    def _tell(self, header: Dataset, title: str, identity: Identity | None, sop_class: str | None) -> None:
        # File names and UIDs that are none may name the patient as well.
        self.title = without_names(title, identity) if title else "header"
        notes: list[Note] = []
        uid = sop_class or class_of(header)
        plain = not uid.strip("0123456789.")
        self.sop_class = UIDS[uid][0] if uid in UIDS else uid if plain else without_names(uid, identity)
        iod = iod_of(uid) if uid else None
        self.iod = iod.name if iod else ""
        if iod is None:
            what = self.sop_class or "none is named"
            notes.append(
                Note("unknown_class", f"modules and types of this SOP class are not known here ({what})")
            )
        walk = Walk(uid if iod else "", iod, notes, identity)
        rows = list(walk.rows(header))
        self.rows: tuple[Row, ...] = tuple(rows)
        self.notes: tuple[Note, ...] = tuple(sorted(notes, key=lambda note: _ORDER.index(note.code)))

    @property
    def table(self) -> pd.DataFrame:
        """Columns ``tag, keyword, name, vr, value, module, type, says, trap, depth``."""
        import pandas as pd

        return pd.DataFrame([asdict(row) for row in self.rows], columns=list(Row.__slots__))

    def to_dataframe(self) -> pd.DataFrame:
        """`table`."""
        return self.table

    def to_dict(self) -> dict[str, Any]:
        """All of it as plain lists, texts and dictionaries."""
        return {
            "title": self.title,
            "sop_class": self.sop_class,
            "iod": self.iod,
            "notes": [asdict(note) for note in self.notes],
            "rows": [asdict(row) for row in self.rows],
        }

    def __len__(self) -> int:
        return len(self.rows)

    def __repr__(self) -> str:
        lines = [f"{self.title}: {self.sop_class or 'no SOP class'}"]
        lines += [f"  ! {note}" for note in self.notes]
        for row in self.rows:
            role = f"  [{row.module}, {row.type}]" if row.type else ""
            indent = "  " * (row.depth + 1)
            lines.append(f"{indent}{row.tag} {row.vr} {row.keyword or row.name}: {row.value}{role}")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        escape, markup = html.escape, html.Markup
        name = f"dicomlab-explained-{next(_numbers)}"
        shown = []
        for row in self.rows:
            # Keywords may break where a new word begins.
            keyword = re.sub("(?<=[a-z])(?=[A-Z])", "<wbr>", escape(row.keyword or row.name))
            title = markup("&emsp;" * row.depth + keyword)
            type_ = (
                markup(f'<span title="{escape(TYPES[row.type])}">{escape(row.type)}</span>')
                if row.type
                else ""
            )
            said = row.says if row.keyword else f"{row.name}. {row.says}"
            words = markup(
                f'<details><summary>{escape(said)} <span class="warn">trap</span></summary>{escape(row.trap)}</details>'
                if row.trap
                else escape(said)
            )
            shown.append((row.tag, title, row.vr, row.value, row.module, type_, words))
        table = html.table(
            ["tag", "attribute", "VR", "value", "module", "type", "in plain words"],
            shown,
            ("", "", "", "w", "w", "", "w"),
        )
        # One inline handler without outer code, as in `dicomlab.header_table`.
        onsearch = (
            "const t=this.value.toLowerCase();for(const r of this.closest('.dicomlab').querySelectorAll('.scroll tbody tr'))"
            "r.hidden=!r.textContent.toLowerCase().includes(t)"
        )
        found = "".join(f"<li>{escape(note.message)}</li>" for note in self.notes)
        odd = f"<details open><summary>{len(self.notes)} to look at</summary><ul>{found}</ul></details>"
        mask = NOTE if MASK in table or MASK in self.title else ""
        return html.block(
            _STYLE,
            markup(
                f'<div class="title">{escape(self.title)} '
                f'<span class="soft">{escape(self.sop_class or "no SOP class")}</span></div>'
            ),
            markup(odd if self.notes else ""),
            markup(
                f'<label for="{name}" class="soft">search </label><input id="{name}" type="search" '
                f'placeholder="keyword, tag, module or words" oninput="{escape(onsearch)}">'
            ),
            markup(f'<div class="scroll dl-told">{table}</div><div class="soft">{escape(mask)}</div>'),
        )


_STYLE = html.Markup("""<style>
.dicomlab .dl-told{max-height:36em} .dicomlab .dl-told table{width:100%}
.dicomlab .dl-told td:nth-child(2){white-space:normal;overflow-wrap:anywhere;min-width:14em}
.dicomlab .dl-told td:nth-child(4){min-width:11em;max-width:18em} .dicomlab .dl-told td:nth-child(5){min-width:7em}
.dicomlab .dl-told td:nth-child(7){min-width:22em}
.dicomlab .dl-told details{margin:0} .dicomlab .dl-told summary{color:inherit;display:block}
.dicomlab .dl-told summary .warn{border-bottom:1px dotted} .dicomlab .dl-told details[open]{padding-bottom:.3em}
</style>""")

_ORDER = ["unknown_class", "missing", "empty", "count", "unreadable", "no_creator", "retired", "cut"]


def explain_header(
    header: Dataset, title: str = "", *, identity: Identity | None, sop_class: str | None = None
) -> HeaderExplanation:
    """A table of what is in `header`, explained for its own SOP class or for `sop_class` (a UID).

    Parameters
    ----------
    title
        What it is called: the name of its file.
    identity
        Words that say who the patient is, see `dicomlab.privacy.identity_in`: they are masked wherever they stand.
    """
    return HeaderExplanation(header, title, identity=identity, sop_class=sop_class)
