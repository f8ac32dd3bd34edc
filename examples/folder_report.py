"""One page about a folder: the table of its series, and a montage of each one that makes a volume.

    python examples/folder_report.py some/folder report.html

The page needs no network and names no patient.
"""

from __future__ import annotations

import argparse
import base64
import io
import warnings
from pathlib import Path

import matplotlib

matplotlib.use("Agg")  # no screen is needed

import matplotlib.pyplot as plt

import dicomlab as dl
from dicomlab.html import escape


def picture(stack: dl.Stack) -> str:
    """Montage of a stack as HTML, or the reason why there is none."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", dl.DicomLabWarning)  # findings are in the table already
            volume = dl.load_volume(stack, progress=False)
        if steps := [str(dim) for dim in volume.dims if dim not in ("slice", "row", "column", "sample")]:
            volume = volume.isel(dict.fromkeys(steps, 0))  # the first time, echo, b-value
        figure = dl.montage(volume, count=8)
    except dl.DicomLabError as reason:
        return f"<p>{escape(reason)}</p>"
    png = io.BytesIO()
    figure.savefig(png, dpi=80)
    plt.close(figure)
    return (
        f'<p><img alt="montage" src="data:image/png;base64,{base64.b64encode(png.getvalue()).decode()}"></p>'
    )


def main() -> None:
    """Write the page."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("page", type=Path)
    arguments = parser.parse_args()
    series = dl.find_series(arguments.folder)
    parts = ['<!doctype html><meta charset="utf-8"><title>Series</title>', series._repr_html_()]
    for one in series:
        parts.append(f"<h3>{escape(one.modality)} {escape(one.description)}</h3>")
        parts += [picture(stack) for stack in one.stacks]
    arguments.page.write_text("\n".join(parts), encoding="utf-8")


if __name__ == "__main__":
    main()
