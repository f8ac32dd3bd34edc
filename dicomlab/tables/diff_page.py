"""A comparison as HTML: signs and colours, what is new in a value, what is the same folded away."""

from __future__ import annotations

from difflib import SequenceMatcher
from typing import TYPE_CHECKING

from dicomlab import html
from dicomlab.privacy import MASK, NOTE
from dicomlab.tables.changes import SIGNS, Change
from dicomlab.tables.levels import tag_text
from dicomlab.tables.page import STYLE, bar, name_markup, value_markup
from dicomlab.tables.texts import Told

if TYPE_CHECKING:
    from dicomlab.tables.compare import HeaderComparison

__all__ = ["diff_page"]

_ROWS = 1000
_SAME_ROWS = 400
_LETTERS = 4
_INNER = 400
"""Characters of a value within which is looked for what differs."""

_STYLE = """
.dl-diff{--dl-cols:1.4em minmax(13em,3fr) 7.2em 2.2em minmax(8em,3fr) minmax(8em,3fr)}
.dl-diff .dl-key{padding-left:0}
.dl-sign{font-weight:700;text-align:center}
.dl-diff .dl-added{background:color-mix(in srgb,#2b9348 13%,transparent)}
.dl-diff .dl-removed{background:color-mix(in srgb,#e5484d 13%,transparent)}
.dl-diff .dl-changed{background:color-mix(in srgb,#d18a00 11%,transparent)}
.dl-diff ins{text-decoration:underline;text-underline-offset:2px;background:color-mix(in srgb,#2b9348 32%,transparent)}
.dl-diff del{text-decoration:line-through;background:color-mix(in srgb,#e5484d 30%,transparent)}
.dl-diff .dl-note{display:block;color:var(--dl-soft);font-size:12px}
"""


def diff_page(comparison: HeaderComparison) -> str:
    """The comparison as HTML, of bounded size."""
    found, same = comparison._found, comparison._same
    drawn = "".join(_row(change) for change in found[:_ROWS])
    if len(found) > _ROWS:
        drawn += (
            f'<div class="dl-more">{len(found) - _ROWS:,} more are not drawn: .to_dataframe() has all</div>'
        )
    if not found:
        drawn = '<div class="dl-more">no difference</div>'
    kept = "".join(_row(change) for change in same[:_SAME_ROWS])
    if comparison.unchanged > _SAME_ROWS:
        kept += f'<div class="dl-more">{comparison.unchanged - _SAME_ROWS:,} more are not drawn</div>'
    unchanged = (
        '<details class="dl-fold"><summary class="dl-row"><span class="dl-sign">=</span> '
        f'<span class="dl-key">{comparison.unchanged:,} elements are the same</span></summary>{kept}</details>'
        if comparison.unchanged
        else ""
    )
    names = ("", "keyword", "tag", "VR", "− before", "+ after")
    kinds = ("sign", "key", "tag", "vr", "before", "after")
    head = " ".join(f'<span class="dl-{kind}">{name}</span>' for kind, name in zip(kinds, names, strict=True))
    before, after = (html.escape(title) for title in comparison.titles)
    mask = f"{NOTE}. " if MASK in drawn or MASK in kept else ""
    note = f"{mask}+ added, − removed, ± changed, ≈ the same value written otherwise or under another VR."
    return html.block(
        html.Markup(
            f'<style>{STYLE}{_STYLE}</style><div class="dl-headers dl-diff">'
            f'<div class="title">{html.escape(comparison.summary)}</div><div class="soft">− {before}<br>+ {after}</div>'
            f'{bar()}<div class="dl-tree" role="group" tabindex="0" aria-label="differences">'
            f'<div class="dl-row dl-head" aria-hidden="true">{head}</div>{drawn}{unchanged}</div>'
            f'<div class="soft">{note}</div></div>'
        )
    )


def _row(change: Change) -> str:
    element, kind = change.element, change.kind
    before, after = change.texts()
    masked = change.masked and kind in ("changed", "respelled", "other VR")
    if masked:
        old, new = html.Markup(MASK), html.Markup(f"{MASK} changed" if kind == "changed" else MASK)
    elif kind == "changed" and not any(isinstance(e.value, Told) for e in (change.before, change.after) if e):
        old, new = _inner(before, after)
    else:
        old, new = value_markup(before), value_markup(after)
    shade = {"added": "added", "removed": "removed", "same": "same"}.get(kind, "changed")
    note = f'<span class="dl-note">{html.escape(change.note)}</span>' if change.note else ""
    said = "" if kind == "same" else f' aria-label="{kind}"'
    return (
        f'<div class="dl-row dl-{shade}" data-row><span class="dl-sign"{said}>{SIGNS[kind]}</span> '
        f'<span class="dl-key">{name_markup(change.path)}{note}</span> <span class="dl-tag">{tag_text(element.tag)}</span> '
        f'<span class="dl-vr">{html.escape(element.vr)}</span> <span class="dl-val">{old}</span> '
        f'<span class="dl-val">{new}</span></div>'
    )


def _inner(before: str, after: str) -> tuple[html.Markup, html.Markup]:
    """Both texts, with what differs marked."""
    if max(len(before), len(after)) > _INNER:
        return value_markup(before), value_markup(after)
    old, new = [], []
    i = k = 0
    for start, other, size in SequenceMatcher(None, before, after, autojunk=False).get_matching_blocks():
        at_end = (start, other) == (0, 0) or (start + size, other + size) == (len(before), len(after))
        if size < _LETTERS and not at_end:
            continue  # a few letters in common by chance: not to mark them helps nobody
        old += [_marked("del", before[i:start]), html.escape(before[start : start + size])]
        new += [_marked("ins", after[k:other]), html.escape(after[other : other + size])]
        i, k = start + size, other + size
    return html.Markup("".join(old)), html.Markup("".join(new))


def _marked(tag: str, text: str) -> html.Markup:
    return html.Markup(f"<{tag}>{html.escape(text)}</{tag}>" if text else "")
