"""Names of labels in and beside a NIfTI file.

The standard has no place for them. TotalSegmentator writes a table of names and colours, that of Connectome Workbench, as an
extension of the header; it is read and written here. Codes, which it has no place for, are in a comment. ITK-SNAP takes a text
file.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from dicomlab.errors import DicomLabError
from dicomlab.extras.nifti.standard import nibabel
from dicomlab.masks import Label
from dicomlab.masks.form import HIGHEST
from dicomlab.warn import warn_user

__all__ = ["read_labels", "snap_table", "write_labels"]

_TABLE, _COMMENT = 0, 6
"""Codes of extensions: the table has that of TotalSegmentator (in Connectome Workbench it is 30); a comment."""
_INTENT = "label"
_STRANGE = (
    AttributeError,
    DicomLabError,
    ElementTree.ParseError,
    KeyError,
    RecursionError,
    TypeError,
    ValueError,
)
"""What damaged XML, damaged JSON and labels that are none raise."""
_LONGEST = 1 << 24
"""Bytes of a table of names; what is longer is none."""


def write_labels(image: Any, labels: Sequence[Label]) -> None:
    """Let an image say what its labels are."""
    extension = nibabel().nifti1.Nifti1Extension
    rows = "".join(
        f'<Label Key="{one.value}" Red="{red / 255:.6g}" Green="{green / 255:.6g}" Blue="{blue / 255:.6g}" Alpha="1">'
        f"{escape(_plain(one.name))}</Label>"
        for one in labels
        for red, green, blue in (one.rgb,)
    )
    table = (
        '<?xml version="1.0" encoding="UTF-8"?><CaretExtension><VolumeInformation Index="0"><LabelTable>'
        f"{rows}</LabelTable><VolumeType>Label</VolumeType></VolumeInformation></CaretExtension>"
    )
    told = json.dumps({"dicomlab": {"labels": [one.to_json() for one in labels]}})
    image.header.extensions.append(extension(_TABLE, table.encode("utf-8")))
    image.header.extensions.append(extension(_COMMENT, told.encode("ascii")))
    image.header.set_intent(_INTENT)


def read_labels(image: Any) -> list[Label]:
    """What an image says that its labels are; none where it says nothing, or nothing that can be understood."""
    found: list[Label] = []
    for one in getattr(image.header, "extensions", ()):
        text = _text(one)
        try:
            if text.startswith('{"dicomlab"'):
                return [Label.from_json(label) for label in json.loads(text)["dicomlab"]["labels"]]
            if "<LabelTable" in text and not found:
                found = _of_table(text)
        except _STRANGE as problem:
            warn_user(
                f"this NIfTI says what its labels are in a way that cannot be understood ({type(problem).__name__}); "
                "names={1: 'liver'} names them"
            )
    return found


def _text(extension: Any) -> str:
    content = getattr(extension, "content", None)
    if content is None:  # nibabel before 5.3
        content = extension.get_content()
    if isinstance(content, str):
        content = content.encode()
    if not isinstance(content, bytes) or len(content) > _LONGEST:
        return ""
    return content.strip(b"\0 \r\n").decode("utf-8", "replace")


def _of_table(text: str) -> list[Label]:
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise ValueError("a table of names defines nothing")
    found = {}
    for row in ElementTree.fromstring(text.encode("utf-8")).iter("Label"):
        value, name = int(row.get("Key", "")), " ".join((row.text or "").split())
        if 0 < value <= HIGHEST and name:
            parts = [float(row.get(part, "nan")) for part in ("Red", "Green", "Blue")]
            colour = (
                "#" + "".join(f"{round(255 * x):02x}" for x in parts)
                if all(0 <= x <= 1 for x in parts)
                else None
            )
            found[value] = Label(value, name.replace("_", " "), colour)
    return [found[value] for value in sorted(found)]


def snap_table(labels: Sequence[Label]) -> str:
    """A label description file of ITK-SNAP: number, colour, opacity, two flags of visibility, name."""
    lines = [
        "# ITK-SnAP Label Description File",
        "# IDX -R- -G- -B- -A- VIS MSH LABEL",
        '0 0 0 0 0 0 0 "Clear Label"',
    ]
    for one in labels:
        name = _plain(one.name).replace('"', "'")
        lines.append(f'{one.value} {one.rgb[0]} {one.rgb[1]} {one.rgb[2]} 1 1 1 "{name}"')
    return "\n".join(lines) + "\n"


def _plain(name: str) -> str:
    """The name in one line, without what no XML can hold."""
    return "".join(c if c.isprintable() else " " for c in name)
