"""The series explorer as a picture: the tree as lines, the grid of the chosen stack with its line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from io import BytesIO
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch
from matplotlib.path import Path

__all__ = ["draw", "order_of"]

_INK, _SOFT, _BACK, _LINE, _WARN = "#1f2328", "#59636e", "#ffffff", "#0b69c7", "#9a6700"
_MOST_LINES = 26


def order_of(stack: Mapping[str, Any], order: str) -> list[int]:
    """Numbers of the images of a stack in the order of their files, of Instance Numbers, or of frames."""
    count = len(stack["row"])
    frames = stack["frame"] or [1] * count
    keys = {
        "file": lambda k: (stack["file"][k], frames[k]),
        "number": lambda k: (stack["number"][k], stack["file"][k], frames[k]),
    }
    return sorted(range(count), key=keys[order]) if order in keys else []


def draw(facts: Mapping[str, Any], state: Mapping[str, Any]) -> bytes:
    """Return tree and grid as a PNG."""
    figure = Figure(figsize=(9.6, 4.8), dpi=100, facecolor=_BACK)
    FigureCanvasAgg(figure)
    chosen = _whole(state.get("series"))
    chosen = chosen if 0 <= chosen < len(facts["series"]) else 0
    left = figure.add_axes((0.01, 0.02, 0.3, 0.96))
    left.axis("off")
    _write_tree(left, facts, chosen)
    detail = facts["series"][chosen]["detail"]
    if detail and detail["stacks"]:
        last = len(detail["stacks"]) - 1
        number = min(max(_whole(state.get("stack")), 0), last)
        tall = min(0.68, 0.12 + 0.07 * len(detail["stacks"][number]["steps"]))
        _draw_grid(
            figure.add_axes((0.5, 0.88 - tall, 0.48, tall)), detail["stacks"][number], detail, state, number
        )
    buffer = BytesIO()
    figure.savefig(buffer, format="png", metadata={"Software": None})
    return buffer.getvalue()


def _write_tree(ax: Any, facts: Mapping[str, Any], chosen: int) -> None:
    lines: list[tuple[int, str, bool]] = []
    for patient in facts["patients"]:
        lines.append((0, patient["name"], False))
        for study in patient["studies"]:
            lines.append((1, study["name"], False))
            for k in study["series"]:
                row = facts["series"][k]
                text = f"{row['modality']}  {row['description'] or '(no description)'}"
                lines.append((2, f"{text[:34]}  {row['images']}", k == chosen))
    shown = lines[:_MOST_LINES]
    if len(lines) > len(shown):
        shown.append((0, f"… and {len(lines) - len(shown)} more", False))
    for n, (depth, text, bold) in enumerate(shown):
        ax.text(
            0.03 * depth,
            0.98 - n * 0.036,
            text,
            fontsize=8,
            va="top",
            color=_LINE if bold else _INK,
            weight="bold" if bold else "normal",
            parse_math=False,
        )


def _draw_grid(
    ax: Any, stack: Mapping[str, Any], detail: Mapping[str, Any], state: Mapping[str, Any], number: int
) -> None:
    row, column = np.array(stack["row"]), np.array(stack["column"])
    rows, columns = len(stack["heights"]), len(stack["steps"])
    filled = np.full((columns, rows), np.nan)
    for r, c in zip(row.tolist(), column.tolist(), strict=True):
        filled[c, r] = 1.0
    ax.set_facecolor("#f6f8fa")
    ax.imshow(
        np.where(np.isnan(filled), np.nan, 0.5),
        cmap="Blues",
        vmin=0,
        vmax=1.6,
        aspect="auto",
        interpolation="nearest",
    )
    if rows <= 80 and columns <= 80:  # lines between cells
        ax.vlines(np.arange(rows - 1) + 0.5, -0.5, columns - 0.5, color=_BACK, linewidth=1)
        ax.hlines(np.arange(columns - 1) + 0.5, -0.5, rows - 0.5, color=_BACK, linewidth=1)
    for (r, c), count in Counter(zip(row.tolist(), column.tolist(), strict=True)).items():
        if count > 1:
            ax.text(r, c, f"×{count}", ha="center", va="center", fontsize=8, color=_WARN, weight="bold")
    holes = np.argwhere(np.isnan(filled))
    if len(holes):
        ax.plot(holes[:, 1], holes[:, 0], "x", color=_WARN, markersize=5)
    found = [k for one in detail["findings"] for s, k in one["cells"] if s == number]
    if found:
        ax.plot(row[found], column[found], "s", color=_WARN, fillstyle="none", markersize=9)
    line = order_of(stack, str(state.get("order") or "number"))
    if line:
        ax.add_patch(PathPatch(_thread(row[line], column[line]), fill=False, color=_LINE, linewidth=0.8))
        ax.plot(row[line[0]], column[line[0]], "o", color=_LINE, markersize=5)
    heights = stack["heights"]
    some = np.unique(np.linspace(0, rows - 1, min(rows, 7)).astype(int))
    ax.set_xticks(
        some, [f"{heights[k]:.4g}" if heights[k] is not None else str(k + 1) for k in some], fontsize=7
    )
    some = np.unique(np.linspace(0, columns - 1, min(columns, 10)).astype(int))
    ax.set_yticks(some, [_cut(stack["steps"][k]) for k in some], fontsize=7, parse_math=False)
    ax.set_xlabel("slice position (mm)", fontsize=8, color=_SOFT)
    ax.set_ylabel(" · ".join(stack["axes"]).replace("_", " "), fontsize=8, color=_SOFT)
    ax.set_title(stack["name"], fontsize=9, color=_INK, parse_math=False)
    codes = ", ".join(dict.fromkeys(one["code"] for one in detail["findings"]))
    if codes:
        ax.annotate(
            codes,
            (0, 0),
            (0, -42),
            xycoords="axes fraction",
            textcoords="offset points",
            fontsize=8,
            color=_WARN,
            parse_math=False,
        )
    for spine in ax.spines.values():
        spine.set_color("#d0d7de")


def _thread(x: npt.NDArray[np.intp], y: npt.NDArray[np.intp]) -> Path:
    """The line through cells; a jump over others of its line goes around them, forwards above, backwards below."""
    points, codes = [(float(x[0]), float(y[0]))], [Path.MOVETO]
    for k in range(1, len(x)):
        far = int(x[k]) - int(x[k - 1])
        if y[k] == y[k - 1] and abs(far) > 1:
            points.append(((x[k] + x[k - 1]) / 2, y[k] - np.sign(far) * min(0.9, abs(far) / 6)))
            codes += [Path.CURVE3, Path.CURVE3]
        else:
            codes.append(Path.LINETO)
        points.append((float(x[k]), float(y[k])))
    return Path(points, codes)


def _cut(label: str) -> str:
    return label if len(label) <= 32 else f"{label[:31]}…"


def _whole(value: object) -> int:
    return value if isinstance(value, int) else 0
