"""What all explorers are: a widget of a few facts and a small state, a still picture of it, a page of its own."""

from __future__ import annotations

import base64
import html
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, ClassVar

import traitlets

from dicomlab.view.asmade import AsMade
from dicomlab.view.module import packed_module, theme
from dicomlab.view.page import HtmlPage, json_in_html

__all__ = ["Explorer"]

_HERE = Path(__file__).parent

_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy"
 content="default-src 'none'; script-src 'unsafe-inline' blob:; style-src 'unsafe-inline'; img-src data: blob:">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<style>body {{ margin: 0; }}</style>
</head>
<body>
<div id="explorer"></div>
<noscript>This page needs JavaScript.</noscript>
<script type="application/json" id="traits">{traits}</script>
<script type="application/json" id="module">{module}</script>
<script type="module">
const json = (id) => JSON.parse(document.getElementById(id).textContent);
const traits = json("traits");
const url = URL.createObjectURL(new Blob([json("module")], {{ type: "text/javascript" }}));
const {{ default: make }} = await import(url);
const nothing = () => undefined;
const model = {{
  get: (name) => traits[name],
  set: (name, value) => void (traits[name] = value),
  save_changes: nothing, on: nothing, off: nothing, send: nothing,
}};
const widget = await make();
widget.render({{ model, el: document.getElementById("explorer") }});
</script>
</body>
</html>
"""


class Explorer(AsMade):
    """The base of the explorers: one subject to play with, in a notebook, as a still picture and as a page.

    Attributes
    ----------
    facts
        What Python says of the subject: JSON, small enough to be sent at once. A new one draws the explorer anew.
    state
        What is chosen in it, as JSON: can be read, set and observed.
    """

    title: ClassVar[str] = "Explorer"
    bundle: ClassVar[str] = ""
    """Name of the script in ``teach/bundles`` and of the style sheet in ``teach/styles`` (may be missing)."""
    page_height: ClassVar[int] = 560

    facts = traitlets.Dict().tag(sync=True)
    state = traitlets.Dict().tag(sync=True)

    def __init_subclass__(cls, **more: Any) -> None:
        if "bundle" in cls.__dict__:  # not again for the class that anywidget makes of each instance
            cls._esm = _module(cls.bundle)  # before traitlets looks at it
        super().__init_subclass__(**more)

    def still(self) -> bytes:
        """Return the explorer as it stands as a PNG, for places without widgets."""
        raise NotImplementedError  # each explorer draws its own; there is none of the base alone

    def to_html(self) -> HtmlPage:
        """Return the explorer as a page that needs no kernel and no network; ``.save(path)`` writes it."""
        return self._page(self.facts, self.state)

    def _page(self, facts: Mapping[str, Any], state: Mapping[str, Any]) -> HtmlPage:
        """A page of these facts and this state, which may say more than the widget's, as nobody answers there."""
        traits = {"facts": facts, "state": state}
        text = _PAGE.format(
            title=html.escape(self.title),
            traits=json_in_html(traits),
            module=json_in_html(_module(self.bundle)),
        )
        return HtmlPage(text, self.page_height)

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        bundle = super()._repr_mimebundle_(**kwargs)
        if bundle is None:
            return None
        data, metadata = bundle if isinstance(bundle, tuple) else (bundle, {})
        with self.as_made():
            picture = base64.b64encode(self.still()).decode("ascii")
        return {**data, "text/plain": repr(self), "image/png": picture}, metadata

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"


@cache
def _module(name: str) -> str:
    script = (_HERE / "bundles" / f"{name}.js").read_text(encoding="utf-8")
    own = _HERE / "styles" / f"{name}.css"
    styles = [theme(), (_HERE / "styles" / "all.css").read_text(encoding="utf-8")]
    if own.exists():
        styles.append(own.read_text(encoding="utf-8"))
    return packed_module(script, "\n".join(styles))
