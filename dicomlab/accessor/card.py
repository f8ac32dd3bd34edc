"""``volume.dicom``: how it shows itself."""

from __future__ import annotations

from collections.abc import Hashable

import numpy as np
import numpy.typing as npt

from dicomlab import affine, html
from dicomlab.accessor.box import draw_box
from dicomlab.accessor.place import Place
from dicomlab.accessor.values import Values
from dicomlab.flat import is_flat
from dicomlab.geometry import AXES

__all__ = ["Card"]

FloatArray = npt.NDArray[np.float64]


class Card(Place, Values):
    """The facts of a volume as text and as HTML."""

    def _facts(self) -> dict[str, object]:
        geometry, volume = self.geometry, self._volume
        corners = geometry.lps([[0, 0, 0], [n - 1 for n in geometry.shape]])
        spacing = " × ".join("?" if np.isnan(s) else f"{s:.4g}" for s in geometry.spacing)
        gaps = np.abs(np.diff(geometry.slice))
        if not gaps.size:
            even = ", one"
        elif affine.unevenness(geometry.slice) <= affine.evenness_tolerance(geometry.slice):
            even = ", even"
        else:
            even = f", uneven: {gaps.min():.3f} to {gaps.max():.3f} mm apart"
        letters = geometry.orientation
        facts: dict[str, object] = {
            "size": " × ".join(str(n) for n in geometry.shape) + " (slice, row, column)",
            **{str(dim): self._steps(dim) for dim in volume.dims if dim not in (*AXES, "sample")},
            "spacing": f"{spacing} mm" + (", the median of the slices" if "uneven" in even else ""),
            "slices": f"{geometry.plane}{even}"
            + (f", tilted {geometry.tilt:.1f}°" if geometry.tilt > 0.1 else ""),
            "orientation": ", ".join(
                f"{axis} to {side}" for axis, side in zip(AXES, self._nearest(), strict=True)
            )
            + (" (oblique, nearest sides)" if letters == "oblique" else f" ({letters})"),
            "first voxel": _point(corners[0]),
            "last voxel": _point(corners[1]),
            "values": f"{volume.dtype}" + (f" in {self.units}" if self.units else ""),
            "windows": self._windows_text(),
            "frame of reference": geometry.frame_of_reference,
        }
        if self.findings:
            facts["findings"] = "; ".join(self.findings)
        if "resampled" in self._volume.attrs:
            facts["resampled"] = "; ".join(str(self._volume.attrs["resampled"]).splitlines())
        return facts

    def _flat_facts(self) -> dict[str, object]:
        """What is known of an image without a place in the patient; nothing of it is read."""
        image, plane = self._volume, self.image_plane
        sizes = " × ".join(str(n) for n in image.shape)
        facts: dict[str, object] = {
            "size": f"{sizes} ({', '.join(map(str, image.dims))})",
            **{str(dim): self._steps(dim) for dim in image.dims if dim not in ("row", "column", "sample")},
            "image plane": f"{plane.name}: {plane.explanation}",
        }
        if plane.pixel_spacing is not None:
            facts["spacing"] = " × ".join(f"{step:.4g}" for step in self.spacing) + " mm (row, column)"
        for number, region in enumerate(self.regions):
            facts[f"region {number}"] = str(region)
        facts["values"] = f"{image.dtype}" + (f" in {self.units}" if self.units else "")
        facts["windows"] = self._windows_text()
        if self.findings:
            facts["findings"] = "; ".join(self.findings)
        return facts

    def _windows_text(self) -> str:
        named = (f"{w.explanation + ' ' if w.explanation else ''}{w}" for w in self.windows)
        return ", ".join(named) or "none in the file"

    def _steps(self, dim: Hashable) -> str:
        """Labels of an extra axis, and which attribute of the files they come from."""
        if dim not in self._volume.coords:
            return f"{self._volume.sizes[dim]} steps"
        labels = self._volume.coords[dim]
        shown = [f"{v:g}" if isinstance(v, float) else str(v) for v in labels.values.tolist()]
        listed = ", ".join(shown) if len(shown) <= 6 else f"{shown[0]}, {shown[1]}, … {shown[-1]}"
        unit = f" {labels.attrs['units']}" if "units" in labels.attrs else ""
        source = (
            f", from {str(labels.attrs['source']).removeprefix('by ')}" if "source" in labels.attrs else ""
        )
        return f"{len(shown)} steps: {listed}{unit}{source}"

    def _nearest(self) -> str:
        return self.geometry.codes

    def _card(self) -> tuple[str, dict[str, object]]:
        if is_flat(self._volume):
            return "Image without a place in the patient", self._flat_facts()
        return "Volume in the patient (LPS, mm)", self._facts()

    def __repr__(self) -> str:
        title, facts = self._card()
        width = max(map(len, facts))
        return "\n".join(
            [
                f"<{title[0].lower()}{title[1:]}>",
                *(f"  {name:{width}}  {fact}" for name, fact in facts.items()),
            ]
        )

    def _repr_html_(self) -> str:
        box = None if is_flat(self._volume) else draw_box(self.geometry)
        return html.block(html.card(*self._card(), box))


def _point(lps: FloatArray) -> str:
    """A position as radiologists read it: millimetres towards named sides."""
    sides = (("L", "R"), ("P", "A"), ("S", "I"))
    return (
        ", ".join(
            f"{abs(v):.1f} {plus if v >= 0 else minus}" for v, (plus, minus) in zip(lps, sides, strict=True)
        )
        + " mm"
    )
