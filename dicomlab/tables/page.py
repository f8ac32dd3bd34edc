"""A header as HTML: a tree that folds by itself, a search field, private elements by creator.

Folding is `<details>`, which needs no script and is in reach of the keyboard. Searching is one inline handler, which knows
nothing but the text that it finds in the page: where scripts are taken out, everything is simply shown.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Final

from dicomlab import html
from dicomlab.privacy import MASK, NOTE, Identity
from dicomlab.tables.levels import Element, Level, is_creator, tag_text
from dicomlab.tables.paths import part_of
from dicomlab.tables.roles import module_of
from dicomlab.tables.rows import DEEPEST, Row, hides
from dicomlab.tables.texts import Told

if TYPE_CHECKING:
    from dicomlab.tables.header import HeaderTable

__all__ = ["HANDLERS", "STYLE", "bar", "header_page", "name_markup", "value_markup"]

_ROWS = 1200
"""Rows that are drawn at most."""
_ITEMS = (6, 4, 3)
"""Items of a long sequence that are drawn, by depth."""
_WORDS = re.compile(r"(?<=[a-z0-9\]])(?=[A-Z])|(?<=\.)(?=\w)")
_SHORT, _LONG = 110, 4000
"""Characters of a value that are seen at once, and when it is unfolded."""

# Every handler is one expression over the page around it. Nothing of a file is ever part of them.
_SEARCH = (
    "const root=this.closest('.dl-headers'),t=this.value.trim().toLowerCase();let n=0;"
    "const has=e=>e.dataset.item===undefined&&e.textContent.toLowerCase().includes(t);"
    "const go=(box,all)=>{let any=false;for(const e of box.children){"
    "if(e.matches('summary,.dl-head'))continue;let hit;"
    "if(e.matches('details.dl-fold')){"
    "if(t){if(e.dataset.was===undefined)e.dataset.was=e.open?1:0}"
    "else if(e.dataset.was!==undefined){e.open=e.dataset.was==='1';delete e.dataset.was}"
    "const own=has(e.firstElementChild),inner=go(e,all||(t&&own));hit=all||own||inner;"
    "if(t&&hit)e.open=true;if(own&&e.firstElementChild.dataset.row!==undefined)n++}"
    "else{const own=e.dataset.row===undefined?false:has(e);hit=!t||all||own;if(own)n++}"
    "e.hidden=!hit;any=any||hit}return any};"
    "go(root.querySelector('.dl-tree'),false);"
    "root.querySelector('.dl-count').textContent=t?n+(n===1?' row':' rows'):''"
)
_FOLD = "for(const d of this.closest('.dl-headers').querySelectorAll('.dl-tree details.dl-fold'))d.open={0}"
HANDLERS = {"search": _SEARCH, "open": _FOLD.format("true"), "close": _FOLD.format("false")}

STYLE: Final = """
.dl-headers{--dl-cols:minmax(13em,3fr) 7.2em 2.2em 3em minmax(9em,5fr) minmax(0,2fr)}
.dl-headers.dl-nomodule{--dl-cols:minmax(13em,3fr) 7.2em 2.2em 3em minmax(9em,6fr)}
.dl-headers.dl-varying{--dl-cols:minmax(13em,3fr) 7.2em minmax(9em,2fr) 4em minmax(6em,1.5fr) minmax(8em,3fr)}
.dicomlab .dl-bar[hidden]{display:flex!important;flex-wrap:wrap;gap:.5em;align-items:center;margin:.4em 0}
.dl-bar button{font:inherit;color:inherit;background:var(--dl-shade);border:1px solid var(--dl-line);border-radius:4px;
padding:.2em .7em;cursor:pointer}
.dl-bar button:hover{border-color:currentColor}
.dl-bar input[type=search]{width:20em;max-width:100%}
.dl-headers :focus-visible{outline:2px solid var(--jp-brand-color1,#2f7fd8);outline-offset:-1px;border-radius:3px}
.dl-tree{max-height:30em;overflow:auto;border:1px solid var(--dl-line);border-radius:4px}
.dl-row{display:grid;grid-template-columns:var(--dl-cols);gap:0 .8em;padding:.16em .6em;
border-bottom:1px solid var(--dl-line);
align-items:baseline}
.dl-row[hidden],.dl-fold[hidden],.dl-more[hidden]{display:none}
.dl-row>*{min-width:0;overflow-wrap:anywhere}
.dl-head>*{color:var(--dl-soft)}
.dl-row .dl-tag,.dl-row .dl-vr,.dl-row .dl-vm,.dl-row .dl-mod{color:var(--dl-soft)}
.dl-row .dl-tag{font-family:var(--jp-code-font-family,ui-monospace,Menlo,Consolas,monospace);font-size:12px;white-space:nowrap}
.dl-row .dl-vm{text-align:right}
.dl-row .dl-mod{font-size:12px}
.dl-head{position:sticky;top:0;z-index:1;font-weight:600;color:var(--dl-soft);background:var(--jp-layout-color1,Canvas)}
.dicomlab .dl-fold{margin:0}
.dl-fold>summary{list-style:none;color:inherit}
.dl-fold>summary::-webkit-details-marker{display:none}
.dl-fold>summary:hover{background:var(--dl-shade)}
.dl-fold>summary .dl-key{font-weight:600}
.dl-fold>summary .dl-key::before{content:"▸";position:absolute;margin-left:-1em;color:var(--dl-soft);font-weight:400}
.dl-fold[open]>summary .dl-key::before{content:"▾"}
.dl-key{padding-left:calc(1em + var(--d,0)*1.15em)}
.dl-item>summary .dl-key,.dl-private>summary .dl-key{font-weight:400;color:var(--dl-soft)}
.dl-more{padding:.25em .6em .25em calc(1.6em + var(--d,0)*1.15em);border-bottom:1px solid var(--dl-line);color:var(--dl-soft)}
.dl-differs{color:var(--dl-warn)} .dl-broken{color:var(--dl-stop)}
.dicomlab .dl-long{margin:0} .dl-long>summary{color:inherit}
.dl-long[open]>summary{color:var(--dl-soft)}
.dl-long>div{white-space:pre-wrap;max-height:14em;overflow:auto}
.dl-1{--d:1}.dl-2{--d:2}.dl-3{--d:3}.dl-4{--d:4}.dl-5{--d:5}.dl-6{--d:6}.dl-7{--d:7}.dl-8{--d:8}.dl-9{--d:9}
@media (scripting:none){.dicomlab .dl-bar[hidden]{display:none!important}}
"""


def header_page(table: HeaderTable) -> str:
    """The table as HTML, of bounded size."""
    pen = _Pen(table._sop_class, table._who)
    if table._picked is not None:
        body = pen.picked(table._picked)
    else:
        assert table._level is not None
        body = pen.level(table._level, "", 0, False)
    notes = []
    if MASK in body:
        notes.append(f"{NOTE}.")
    if pen.differing:
        notes.append(
            "What differs between files is told in colour, with the word; dicomlab.varying(…) says how."
        )
    if pen.left:
        notes.append(
            "Not everything is drawn: .to_dataframe() has all, .search('…') finds in all, .at('…Sequence[12]') opens an item."
        )
    modules = "" if pen.modules else " dl-nomodule"
    heads = ["keyword", "tag", "VR", "VM", "value", *(["module"] if pen.modules else [])]
    classes = ["key", "tag", "vr", "vm", "val", "mod"]
    head = " ".join(
        f'<span class="dl-{kind}">{name}</span>' for name, kind in zip(heads, classes, strict=False)
    )
    title = html.escape(table.title)
    return html.block(
        html.Markup(
            f'<style>{STYLE}</style><div class="dl-headers{modules}"><div class="title">{title}</div>{bar()}'
            f'<div class="dl-tree" role="group" tabindex="0" aria-label="{title}">'
            f'<div class="dl-row dl-head" aria-hidden="true">{head}</div>{body}</div>'
            f'<div class="soft">{html.escape(" ".join(notes))}</div></div>'
        )
    )


def bar(placeholder: str = "keyword, tag or value", *, fold: bool = True) -> html.Markup:
    """The search field, and buttons that fold and unfold.

    It is hidden, and our style sheet shows it: a notebook that is not trusted takes away both the sheet and what is run.
    """
    on = {name: html.escape(code) for name, code in HANDLERS.items()}
    buttons = (
        f'<button type="button" onclick="{on["open"]}">open all</button> '
        f'<button type="button" onclick="{on["close"]}">close all</button> '
    )
    return html.Markup(
        f'<div class="dl-bar" hidden><label class="soft">search <input type="search" placeholder="{placeholder}" '
        f'oninput="{on["search"]}"></label> {buttons if fold else ""}<span class="dl-count soft" role="status"></span></div>'
    )


def name_markup(name: str) -> html.Markup:
    """A keyword or path, which may break between its words."""
    return html.Markup(_WORDS.sub("<wbr>", html.escape(name)))


def value_markup(text: str) -> html.Markup:
    """A value, folded where it is long."""
    if len(text) <= _SHORT:
        return html.escape(text)
    more = "" if len(text) <= _LONG else f"… ({len(text):,} characters)"
    return html.Markup(
        f'<details class="dl-long"><summary>{html.escape(text[:_SHORT])}…</summary>'
        f"<div>{html.escape(text[:_LONG])}{more}</div></details>"
    )


class _Pen:
    """Draws rows until there are enough."""

    def __init__(self, sop_class: str, who: Identity | None = None) -> None:
        self._who = who
        self._sop_class = sop_class
        self._rows = 0
        self.left = False
        self.differing = False
        self.modules = False

    def level(self, level: Level, prefix: str, depth: int, hidden: bool) -> str:
        elements: list[Element] = []
        for element in level:
            if self._rows + len(elements) > _ROWS:
                self.left = True
                break
            elements.append(element)
        parts = []
        for private, group in groupby(
            elements, key=lambda e: (e.creator, e.tag >> 16) if e.is_private else None
        ):
            found = list(group)
            if private is None:
                parts += [self.element(element, prefix, depth, hidden) for element in found]
            else:
                parts.append(self._private(found, private[0], prefix, depth, hidden))
        if self._rows >= _ROWS and self.left:
            parts.append(_more("more elements are not drawn", depth))
        return "".join(parts)

    def _private(
        self, elements: Sequence[Element], creator: str, prefix: str, depth: int, hidden: bool
    ) -> str:
        inside = "".join(self.element(element, prefix, depth + 1, hidden) for element in elements)
        count = sum(not is_creator(element.tag) for element in elements)
        group = elements[0].tag >> 16
        who = f"private, {creator}" if creator else "private, nobody reserved this block"
        told = f"{count} element{'' if count == 1 else 's'}"
        summary = (
            f'<summary class="dl-row dl-{min(depth, 9)}"><span class="dl-key">{html.escape(who)}</span> '
            f'<span class="dl-tag">({group:04x},…)</span> <span></span> <span></span> <span>{told}</span></summary>'
        )
        return f'<details class="dl-fold dl-private" open>{summary}{inside}</details>'

    def element(self, element: Element, prefix: str, depth: int, hidden: bool) -> str:
        row = Row(element, prefix + part_of(element), depth, hidden, self._who)
        self._rows += 1
        cells = self._cells(row)
        if not element.items:
            return f'<div class="dl-row dl-{min(depth, 9)}" data-row>{cells}</div>'
        inside = self._items(row, element.items, hidden or hides(element))
        summary = f'<summary class="dl-row dl-{min(depth, 9)}" data-row>{cells}</summary>'
        return f'<details class="dl-fold" open>{summary}{inside}</details>'

    def _items(self, row: Row, items: Sequence[Level], hidden: bool) -> str:
        depth = row.depth + 1
        if depth > DEEPEST:
            self.left = True
            return _more(f"nested deeper than {DEEPEST} sequences: not followed", depth)
        most = _ITEMS[min(row.depth, len(_ITEMS) - 1)]
        shown = len(items) if len(items) <= most + 1 else most
        parts = []
        for k in range(shown):
            if self._rows >= _ROWS:
                shown = k
                break
            inside = self.level(items[k], f"{row.path}[{k}].", depth + 1, hidden)
            parts.append(
                f'<details class="dl-fold dl-item" open><summary class="dl-row dl-{min(depth, 9)}" data-item>'
                f'<span class="dl-key">item [{k}]</span> <span></span> <span></span> <span></span> <span></span></summary>'
                f"{inside}</details>"
            )
        if shown < len(items):
            self.left = True
            text = f"{len(items) - shown:,} more items are not drawn: .at({row.path + f'[{shown}]'!r}) opens the next"
            parts.append(_more(text, depth))
        return "".join(parts)

    def picked(self, found: Iterable[Row]) -> str:
        """Rows that were chosen, each with its path."""
        parts = []
        for k, row in enumerate(found):
            if k >= _ROWS:
                self.left = True
                parts.append(_more("more rows are not drawn", 0))
                break
            parts.append(f'<div class="dl-row" data-row>{self._cells(row, whole_path=True)}</div>')
        return "".join(parts) or _more("no row", 0)

    def _cells(self, row: Row, whole_path: bool = False) -> str:
        element = row.element
        label = row.path if whole_path and row.depth else element.label
        kind = ""
        if element.problem:
            kind = " dl-broken"
        elif isinstance(element.value, Told):
            self.differing, kind = True, " dl-differs"
        module = module_of(element.tag, self._sop_class, row.path)
        self.modules = self.modules or bool(module)
        last = f' <span class="dl-mod">{html.escape(module)}</span>' if module else ""
        return (
            f'<span class="dl-key">{name_markup(label)}</span> <span class="dl-tag">{tag_text(element.tag)}</span> '
            f'<span class="dl-vr">{html.escape(element.vr)}</span> '
            f'<span class="dl-vm">{"" if element.vm is None else element.vm}</span> '
            f'<span class="dl-val{kind}">{value_markup(row.text)}</span>{last}'
        )


def _more(text: str, depth: int) -> str:
    return f'<div class="dl-more dl-{min(depth, 9)}">{html.escape(text)}</div>'
