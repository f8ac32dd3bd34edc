"""A widget's script and style sheet as the one ES module that anywidget takes."""

from __future__ import annotations

import base64
import hashlib
import json
import zlib
from functools import cache
from pathlib import Path

__all__ = ["packed_module", "theme"]

# A notebook sends this with each widget, and keeps it with each where their state is saved; a page unpacks it once. The style
# sheet stands beside the viewer, in whichever document or shadow root that is.
_MODULE = """// dicomlab: a script made from dicomlab/*/js and its style sheet, deflated.
const packed = "{packed}";
const unpack = async () => {{
  const bytes = Uint8Array.from(atob(packed), (one) => one.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  const {{ script, styles }} = await new Response(stream).json();
  const url = URL.createObjectURL(new Blob([script], {{ type: "text/javascript" }}));
  const {{ default: make }} = await import(url);
  URL.revokeObjectURL(url);
  return {{ make, styles }};
}};
export default async () => {{
  const {{ make, styles }} = await (globalThis[Symbol.for("dicomlab.module/{name}")] ??= unpack());
  const widget = make();
  const render = (context) => {{
    const style = Object.assign(document.createElement("style"), {{ textContent: styles }});
    context.el.append(style);
    const end = widget.render(context);
    return () => {{
      end();
      style.remove();
    }};
  }};
  return {{ ...widget, render }};
}};
"""


def packed_module(script: str, styles: str) -> str:
    """Return both as one ES module, half as long as the script alone.

    Parameters
    ----------
    script
        An ES module that makes the widget by its default export, a function.
    styles
        Set beside each view, in whichever document or shadow root that is.
    """
    text = json.dumps({"script": script, "styles": styles}).encode()
    packed = base64.b64encode(zlib.compress(text, 9)).decode("ascii")
    return _MODULE.format(packed=packed, name=hashlib.sha256(text).hexdigest()[:12])


@cache
def theme() -> str:
    """Return the style sheet that all widgets share: colours, buttons, sliders."""
    return Path(__file__).with_name("theme.css").read_text(encoding="utf-8")
