"""How a list of series words its facts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dicomlab import html
from dicomlab.findings import Finding

__all__ = ["findings_markup", "images_text", "size_text", "spacing_text"]


def images_text(facts: dict[str, Any]) -> str:
    """Number of images, and how the extra axes divide them."""
    return f"{facts['images']} ({facts['axes']})" if facts["axes"] else str(facts["images"])


def size_text(facts: dict[str, Any]) -> str:
    """Rows and columns."""
    return "" if facts["rows"] is None else f"{facts['rows']} × {facts['columns']}"


def spacing_text(facts: dict[str, Any], unit: bool = True) -> str:
    """Millimetres between slices, rows and columns."""
    if facts["row_spacing"] is None:
        return ""
    if facts["is_flat"]:
        return f"{facts['row_spacing']:.4g} × {facts['column_spacing']:.4g}" + (" mm" if unit else "")
    step = "?" if facts["slice_spacing"] is None else f"{facts['slice_spacing']:.4g}"
    return f"{step} × {facts['row_spacing']:.4g} × {facts['column_spacing']:.4g}" + (" mm" if unit else "")


def findings_markup(findings: Sequence[Finding], long: bool = False) -> html.Markup:
    """Codes, or sentences, coloured by whether they stop loading."""
    parts = []
    for finding in findings:
        kind = "stop" if finding.default == "raise" else "warn"
        title = html.escape(finding.explain())
        text = html.escape(str(finding) if long else finding.code)
        parts.append(f'<span class="{kind}" title="{title}">{text}</span>')
    if not parts:
        return html.Markup('<span class="soft">none</span>')
    return html.Markup(("<br>" if long else ", ").join(dict.fromkeys(parts)))
