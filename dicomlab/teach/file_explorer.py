"""A file as bytes and as a table of tags, linked both ways."""

from __future__ import annotations

import json
from typing import Any, ClassVar

from pydicom.datadict import tag_for_keyword

from dicomlab.dictionary.words import words_of
from dicomlab.errors import DicomLabError
from dicomlab.teach.dissect import dissect, told, vr_of
from dicomlab.teach.explorer import Explorer
from dicomlab.teach.sources import opened

__all__ = ["FileExplorer", "explore_file"]

_LIMIT = 290_000
"""Most bytes of the facts."""
_WORDS = 40_000
"""Bytes of these that plain words may take."""
_ROWS = (1200, 900, 700, 500, 300)


def explore_file(source: Any) -> FileExplorer:
    """A file byte by byte: each belongs to a tag, a VR, a length or a value, and the table beside says to which.

    A click on a row shows its bytes, a click on a byte its row and what that byte says. Files that are broken show where.
    Values that identify a patient are hidden, byte by byte, unless this is called inside `dicomlab.show_identity`.

    Parameters
    ----------
    source
        Path of a file, its bytes, or a `pydicom.Dataset`, which is written to memory.

    Raises
    ------
    DicomLabError
        The source is none of these, or holds no byte.

    References
    ----------
    PS3.10 7.1 (file), PS3.5 7 (data set), A.4 (encapsulated pixel data).

    Examples
    --------
    >>> from dicomlab import phantom, teach
    >>> ct = phantom.write_ct(tmp_path, shape=(1, 16, 16)).files[0]
    >>> explorer = teach.explore_file(ct)
    >>> explorer.select("PixelSpacing")
    >>> explorer.selected["vr"], explorer.selected["length"], explorer.selected["text"]
    ('DS', 10, '21.0\\\\25.67')
    """
    with opened(source) as data:
        for most in _ROWS:
            found = dissect(data, vr_of, most)
            facts = told(found, _LIMIT - _WORDS, 2 * most + 2)  # a hidden row and the top level beside those
            facts["plain"] = _plain(facts["rows"])
            if len(json.dumps(facts)) <= _LIMIT:
                break
    rows = facts["rows"]
    first = next((k for k, row in enumerate(rows) if row[4] == "element"), 0)
    broken = next(
        (k for k, row in enumerate(rows) if any(one[0] == "stop" for one in row[12].get("notes", []))), first
    )
    return FileExplorer(facts=facts, state={"row": broken})


def _plain(rows: list[list[Any]]) -> dict[str, list[str]]:
    """What attributes are in plain words, and the trap, for as many as there is room for."""
    found: dict[str, list[str]] = {}
    room = _WORDS
    for keyword in dict.fromkeys(row[9] for row in rows):
        words = words_of(keyword)
        room -= len(json.dumps([keyword, words.says, words.trap])) if words.says else 0
        if words.says and room > 0:
            found[keyword] = [words.says, words.trap]
    return found


class FileExplorer(Explorer):
    """The explorer of a file; `explore_file` makes it."""

    title: ClassVar[str] = "A DICOM file, byte by byte"
    bundle: ClassVar[str] = "file"
    page_height: ClassVar[int] = 620

    @property
    def selected(self) -> dict[str, Any]:
        """The row that is chosen: where it begins and ends, tag, VR, length, value as text, notes."""
        rows = self.facts["rows"]
        row = rows[min(max(0, int(self.state.get("row", 0))), len(rows) - 1)]
        found = dict(zip(self.facts["fields"], row, strict=True))
        return {**found, **found.pop("more")}

    def select(self, what: str | int | tuple[int, int]) -> None:
        """Choose the first row of a keyword or a tag.

        Raises
        ------
        DicomLabError
            Nothing of that name or tag is in the file.
        """
        if isinstance(what, tuple):
            tag: int | None = what[0] << 16 | what[1]
        else:
            tag = tag_for_keyword(what) if isinstance(what, str) else what
        for index, row in enumerate(self.facts["rows"]):
            if row[6] == tag and tag is not None:
                self.state = {"row": index}
                return
        name = what if isinstance(what, str) else f"({(tag or 0) >> 16:04x},{(tag or 0) & 0xFFFF:04x})"
        raise DicomLabError(
            f"{name} was asked for, and this file has none. The table of the explorer lists what it has."
        )

    def still(self) -> bytes:
        """Return the bytes around the chosen row, in colour, and the table beside them as a PNG."""
        from dicomlab.teach.file_still import picture

        return picture(self.facts, self.state)

    def __repr__(self) -> str:
        size = self.facts["spaces"][0]["size"]
        return f"<FileExplorer: {size} bytes, {len(self.facts['rows'])} rows>"
