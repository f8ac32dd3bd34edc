"""What a folder holds: `Series`, and the list of them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any, TypeAlias, overload

from dicomlab import html
from dicomlab.errors import DicomLabError
from dicomlab.findings import Finding
from dicomlab.privacy import MASK, NOTE
from dicomlab.read.attributes import thumbnail
from dicomlab.read.axes import Axis
from dicomlab.read.faults import stack_findings
from dicomlab.read.grouping import group_into_stacks
from dicomlab.read.headers import Instance
from dicomlab.read.identity import shown_text
from dicomlab.read.listing import findings_markup, images_text, size_text, spacing_text
from dicomlab.read.presentation import Presentation, presentations_of
from dicomlab.read.stacks import Stack, plane_name

if TYPE_CHECKING:
    import pandas as pd


__all__ = ["PathLike", "Series", "SeriesList"]

_NOTE = html.Markup(f'<div class="soft">{html.escape(NOTE)}</div>')

PathLike: TypeAlias = "str | os.PathLike[str]"

_FACTS = [
    "number",
    "modality",
    "description",
    "images",
    "axes",
    "rows",
    "columns",
    "plane",
    "slice_spacing",
    "row_spacing",
    "column_spacing",
    "stacks",
    "findings",
]


@dataclass(frozen=True, eq=False)
class Series:
    """Instances that share a Series Instance UID (0020,000E).

    Parameters
    ----------
    uid
        Series Instance UID; ``""`` when the files name none.
    instances
        In a fixed order that depends neither on file names nor on the order of reading.
    """

    uid: str
    instances: tuple[Instance, ...]
    extra_findings: tuple[Finding, ...] = field(default=(), repr=False)

    @property
    def modality(self) -> str:
        """Modality (0008,0060), for instance ``"CT"``."""
        return self.instances[0].modality

    @property
    def description(self) -> str:
        """Series Description (0008,103E), without words that may say who the patient is: see ``docs/privacy.md``."""
        return shown_text(self.instances[0], "SeriesDescription")

    @property
    def number(self) -> int | None:
        """Series Number (0020,0011)."""
        number = self.instances[0].number("SeriesNumber")
        return None if number is None else int(number)

    @cached_property
    def stacks(self) -> tuple[Stack, ...]:
        """Parts of the series that make one array each, the largest first; empty for objects that are no images."""
        stacks = group_into_stacks([i for i in self.instances if i.is_image])
        found = [tuple(f for f in self.extra_findings if stack.names & set(f.files)) for stack in stacks]
        return tuple(
            replace(stack, series_findings=own) if own else stack
            for stack, own in zip(stacks, found, strict=True)
        )

    @cached_property
    def findings(self) -> tuple[Finding, ...]:
        """Findings of all stacks."""
        beside = stack_findings([stack.planes for stack in self.stacks])
        return (*self.extra_findings, *beside, *(f for stack in self.stacks for f in stack.findings))

    @property
    def presentations(self) -> tuple[Presentation, ...]:
        """Presentation states found beside the series that refer to images of it."""
        return presentations_of(self.instances)

    @property
    def folder(self) -> str:
        """Folder, or archive, that holds all files of the series."""
        homes = {
            str(instance.file.path if instance.file.member else instance.file.path.parent)
            for instance in self.instances
        }
        return homes.pop() if len(homes) == 1 else os.path.commonpath(homes)

    @property
    def files(self) -> tuple[str, ...]:
        """Names of the files, relative to the folder listed, in the order of `instances`; `paths` are where they are."""
        return tuple(instance.file.name for instance in self.instances)

    @property
    def paths(self) -> tuple[Path, ...]:
        """Full path of each of the `files`; of a member of an archive, that of the archive."""
        return tuple(instance.file.path for instance in self.instances)

    def _facts(self) -> dict[str, Any]:
        """What the table of series says about this one."""
        facts: dict[str, Any] = {
            "number": self.number,
            "modality": self.modality,
            "description": self.description,
            "images": sum(len(stack) for stack in self.stacks),
            "axes": "",
            "rows": None,
            "columns": None,
            "plane": "",
            "slice_spacing": None,
            "is_flat": False,
            "row_spacing": None,
            "column_spacing": None,
            "stacks": len(self.stacks),
            "findings": "; ".join(dict.fromkeys(finding.code for finding in self.findings)),
        }
        if self.stacks:
            stack = self.stacks[0]
            facts["rows"], facts["columns"] = stack.size
            facts["plane"] = plane_name(stack)
            facts["axes"] = " × ".join(f"{count} {name}" for name, count in _steps(stack))
            facts["is_flat"], spacing = _flat_spacing(stack)
            if spacing is not None:
                facts["row_spacing"], facts["column_spacing"] = (float(x) for x in spacing)
            try:
                step = stack.geometry.spacing[0]
                facts["slice_spacing"] = step if step == step else None  # NaN for a single slice
            except DicomLabError:
                pass
        return facts

    def __repr__(self) -> str:
        return f"<Series {self.modality} {self.description!r}: {len(self.instances)} files, {len(self.stacks)} stack(s)>"

    def _repr_html_(self) -> str:
        facts = self._facts()
        shown = {
            "folder": self.folder,
            "modality": facts["modality"],
            "images": f"{facts['images']} in {len(self.instances)} files",
            **{axis.name: axis.explain() for axis in (_axes(self.stacks[0]) if self.stacks else ())},
            "size": size_text(facts),
            "plane": facts["plane"],
            "spacing": spacing_text(facts),
            "findings": findings_markup(self.findings, long=True),
        }
        if self.presentations:
            shown["presentations"] = "; ".join(repr(one).strip("<>") for one in self.presentations)
        if len(self.stacks) > 1:
            shown["stacks"] = "; ".join(repr(stack).strip("<>") for stack in self.stacks)
        card = html.card(self.description or "(no description)", shown, self._thumbnail())
        return html.block(card, _NOTE) if MASK in card else html.block(card)

    def _thumbnail(self) -> html.Markup | None:
        """The middle slice in its own window, or nothing where it cannot be decoded yet."""
        return thumbnail(self.stacks[0]) if self.stacks else None


def _steps(stack: Stack) -> list[tuple[str, int]]:
    """Names and lengths of the axes before slice, row and column."""
    try:
        if stack.flat is not None:
            return list(zip(stack.flat.dims, stack.flat.shape, strict=True))
    except DicomLabError:
        return []
    return [(axis.name, axis.values.size) for axis in _axes(stack)]


def _axes(stack: Stack) -> Sequence[Axis]:
    try:
        return () if stack.flat is not None else stack.axes
    except DicomLabError:
        return ()


def _flat_spacing(stack: Stack) -> tuple[bool, Sequence[float] | None]:
    """Whether a stack has no place in the patient by its nature, and its mm between rows and between columns."""
    try:
        if stack.flat is not None:
            return True, stack.flat.plane.pixel_spacing
    except DicomLabError:
        return True, None
    spacing = stack.planes[0].pixel_spacing
    return False, None if spacing is None else spacing.tolist()


def _last(source: str) -> str:
    """The name of a folder, without where it lies: pages are sent to others."""
    return PurePath(source).name or source


class SeriesList(Sequence[Series]):
    """The series found under a path, in the order of study and Series Number.

    Attributes
    ----------
    skipped : dict of str to str
        Every file not used, with the reason.
    """

    def __init__(self, series: Iterable[Series], skipped: dict[str, str], source: str) -> None:
        self._series = tuple(series)
        self.skipped = skipped
        self.source = source

    @overload
    def __getitem__(self, key: int) -> Series: ...
    @overload
    def __getitem__(self, key: slice) -> Sequence[Series]: ...
    def __getitem__(self, key: int | slice) -> Series | Sequence[Series]:
        """One series by its place in the list."""
        if not isinstance(key, (int, slice)):
            raise TypeError(
                f"a series is picked by its place in the list, series[0] to series[{len(self) - 1}], not by {key!r}; "
                "to choose by what it is: next(s for s in series if s.modality == 'CT')"
            )
        return self._series[key]

    def __len__(self) -> int:
        return len(self._series)

    @property
    def table(self) -> pd.DataFrame:
        """One row a series: modality, description, images, axes, size, plane, spacings (mm), findings, folder, uid."""
        import pandas as pd

        table = pd.DataFrame([series._facts() for series in self._series], columns=[*_FACTS])
        # Any name a disk may have: text types of pandas refuse what is no Unicode.
        table["folder"] = pd.Series([series.folder for series in self._series], dtype=object)
        table["uid"] = [series.uid for series in self._series]
        return table

    def __repr__(self) -> str:
        lines = [f"{len(self)} series in {self.source}, {len(self.skipped)} files skipped"]
        for number, series in enumerate(self._series):
            facts = series._facts()
            findings = f"  [{facts['findings']}]" if facts["findings"] else ""
            count = "" if facts["number"] is None else facts["number"]
            lines.append(
                f"  [{number}] {facts['modality']:4} {images_text(facts):>4} images  {size_text(facts):11}  "
                f"{spacing_text(facts):27} {count:>4} {facts['description'] or '(no description)'}{findings}"
            )
        if any(MASK in line for line in lines):
            lines.append(NOTE)
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        headers = [
            "",
            "no.",
            "modality",
            "description",
            "images",
            "size",
            "plane",
            "spacing (mm)",
            "findings",
        ]
        rows = []
        for number, series in enumerate(self._series):
            facts = series._facts()
            rows.append(
                [
                    number,
                    "" if facts["number"] is None else facts["number"],
                    facts["modality"],
                    facts["description"] or "(no description)",
                    images_text(facts) if series.stacks else f"{len(series.instances)} files, no image",
                    size_text(facts),
                    facts["plane"]
                    + (f" (+{len(series.stacks) - 1} stacks)" if len(series.stacks) > 1 else ""),
                    spacing_text(facts, unit=False),
                    findings_markup(series.findings),
                ]
            )
        parts = [
            html.Markup(f'<div class="title">{len(self)} series in {html.escape(_last(self.source))}</div>')
        ]
        parts.append(html.table(headers, rows, ("n", "n", "", "w", "n", "", "", "", "w")))
        if any(MASK in str(cell) for row in rows for cell in row):
            parts.append(_NOTE)
        if self.skipped:
            skipped = html.table(
                ["file", "why it was not used"], list(self.skipped.items())[:200], ("w", "w")
            )
            count = f"{len(self.skipped)} files were not used"
            parts.append(html.Markup(f"<details><summary>{count}</summary>{skipped}</details>"))
        return html.block(*parts)
