"""Tables of headers: `header_table`."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import count
from typing import TYPE_CHECKING, Any

from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue

from dicomlab import html
from dicomlab.privacy import MASK, Identity, identity_shown, is_identifying, shown_value
from dicomlab.read.find import find_series
from dicomlab.read.headers import read_header
from dicomlab.read.identity import identity_in_header
from dicomlab.read.quiet import quiet
from dicomlab.read.series import PathLike, Series, SeriesList
from dicomlab.read.stacks import Stack

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["HeaderTable", "header_table"]

_LONGEST = 120
"""Characters of a value that a table shows; the rest is counted."""

_numbers = count()


class HeaderTable:
    """Every attribute of one header, in file order: searchable in a notebook, a DataFrame with `.table`.

    Identifying values are masked, see `dicomlab.show_identity`.
    """

    def __init__(self, header: Dataset, title: str) -> None:
        self.title = title
        self._rows = list(_rows(header, 0, identity_in_header(header)))

    @property
    def table(self) -> pd.DataFrame:
        """Columns ``tag, keyword, vr, vm, value, depth``; ``depth`` counts the sequences around an attribute."""
        import pandas as pd

        return pd.DataFrame(self._rows, columns=["tag", "keyword", "vr", "vm", "value", "depth"])

    def search(self, text: str) -> pd.DataFrame:
        """The rows of `table` that hold `text` in tag, keyword or value, in any case."""
        table = self.table
        hit = table[["tag", "keyword", "value"]].apply(
            lambda column: column.str.contains(text, case=False, regex=False)
        )
        found: pd.DataFrame = table[hit.any(axis=1)]
        return found

    def __len__(self) -> int:
        return len(self._rows)

    def __repr__(self) -> str:
        lines = [self.title]
        lines += [
            f"{'  ' * depth}{tag} {vr} {keyword}: {value}" for tag, keyword, vr, _, value, depth in self._rows
        ]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        name = f"dicomlab-header-{next(_numbers)}"
        rows = [
            (tag, html.Markup("&emsp;" * depth + html.escape(keyword)), vr, vm, value)
            for tag, keyword, vr, vm, value, depth in self._rows
        ]
        # The filter is one inline handler without outer code: it works wherever the notebook is trusted, and where it is not
        # the whole table is simply shown.
        onsearch = (
            "const t=this.value.toLowerCase();for(const r of this.closest('.dicomlab').querySelectorAll('tbody tr'))"
            "r.hidden=!r.textContent.toLowerCase().includes(t)"
        )
        search = html.Markup(
            f'<label for="{name}" class="soft">search </label>'
            f'<input id="{name}" type="search" placeholder="keyword, tag or value" oninput="{html.escape(onsearch)}">'
        )
        note = "" if identity_shown() else f"{MASK} masked: wrap in dicomlab.show_identity() to see it"
        table = html.table(["tag", "keyword", "VR", "VM", "value"], rows, ("", "", "", "n", "w"))
        return html.block(
            html.Markup(f'<div class="title">{html.escape(self.title)}</div>'),
            search,
            html.Markup(f'<div class="scroll">{table}</div><div class="soft">{html.escape(note)}</div>'),
        )


def header_table(source: PathLike | Series | Stack | SeriesList | Dataset, *, index: int = 0) -> HeaderTable:
    """Searchable table of one header.

    Parameters
    ----------
    source
        A file, a folder or zip archive, a `Series` or `Stack`, or a `pydicom.Dataset`.
    index
        Which instance of a series or stack: 0 is the first, -1 the last.

    Raises
    ------
    DicomLabError
        Nothing to show: no DICOM, or no instance of that number.

    Examples
    --------
    >>> from dicomlab import phantom
    >>> study = phantom.write_study(tmp_path, coarser=4)
    >>> header_table(study.ct.folder).search("PixelSpacing").vr.item()
    'DS'
    """
    from dicomlab.errors import AmbiguousSourceError, DicomLabError, NotDicomError

    if isinstance(source, Dataset):
        return HeaderTable(source, "header")
    if not isinstance(source, (Series, Stack, SeriesList, str, os.PathLike)):
        raise DicomLabError(
            f"header_table takes a path, a Series, a Stack or a pydicom.Dataset; found {type(source).__name__}. Volumes carry "
            "no headers: take the table of the series that one was loaded from."
        )
    if not isinstance(source, (Series, Stack)):
        found = source if isinstance(source, SeriesList) else find_series(source)
        if len(found) != 1:
            if not found:
                reasons = "; ".join(f"{name}: {reason}" for name, reason in list(found.skipped.items())[:3])
                raise NotDicomError(f"no DICOM in {found.source}. {reasons}")
            raise AmbiguousSourceError(f"{len(found)} series are there, pick one of them:\n{found!r}")
        source = found[0]
    try:
        instance = source.instances[index]
    except IndexError:
        raise DicomLabError(
            f"there is no instance {index}; this series has {len(source.instances)}, from 0 to {len(source.instances) - 1}"
        ) from None
    position = index % len(source.instances)
    title = f"{instance.file.name} ({position + 1} of {len(source.instances)})"
    return HeaderTable(read_header(instance.file), title)


def _rows(
    dataset: Dataset, depth: int, who: Identity | None
) -> Iterator[tuple[str, str, str, str, str, int]]:
    meta = getattr(dataset, "file_meta", None)
    if depth == 0 and meta is not None:
        yield from _rows(meta, 0, who)
    for tag in sorted(dataset.keys()):
        try:
            with quiet():
                element: DataElement = dataset[tag]
                vm, value = str(element.VM), _value(element, who)
        except (
            Exception
        ) as problem:  # pydicom parses on access and raises whatever a broken value makes it raise
            yield (
                f"({tag.group:04x},{tag.element:04x})",
                "",
                "",
                "",
                f"cannot be read: {type(problem).__name__}",
                depth,
            )
            continue
        name = element.keyword or element.name
        shown = f"({tag.group:04x},{tag.element:04x})"
        yield shown, name, element.VR, vm, value, depth
        if element.VR == "SQ" and value != MASK:
            for item in element.value:
                yield from _rows(item, depth + 1, who)


def _value(element: DataElement, who: Identity | None) -> str:
    if element.is_empty:
        return ""
    if is_identifying(element.keyword, element.VR, private=element.tag.is_private):
        return MASK
    if element.VR == "SQ":
        items = len(element.value)
        return f"{items} item{'' if items == 1 else 's'}"
    value: Any = element.value
    if isinstance(value, bytes):
        return f"{len(value)} bytes"
    if hasattr(value, "__iter__") and not isinstance(value, str) and element.VR != "PN":
        text = "\\".join(str(item) for item in list(value)[:_LONGEST])
    else:
        text = str(value)
    values = [value] if isinstance(value, str) else value
    if (
        element.VR != "UI"
        and isinstance(values, list | MultiValue)
        and any(isinstance(v, str) for v in values)
    ):
        text = shown_value(element.keyword, text, who)
    if "\0" in text and not identity_shown():
        return MASK  # a broken length swallowed the elements behind this one, whatever they are
    if element.VR == "UI" and getattr(value, "name", text) != text:
        text = f"{text} ({value.name})"
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}… ({len(text)} characters)"
