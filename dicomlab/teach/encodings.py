"""One data set in several transfer syntaxes, element by element beside each other."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from copy import deepcopy
from io import BytesIO
from typing import Any, ClassVar

import numpy as np
from pydicom import dcmread, uid
from pydicom.datadict import tag_for_keyword
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate

from dicomlab.errors import DicomLabError
from dicomlab.privacy import MASK
from dicomlab.read.progress import Progress
from dicomlab.teach.dissect import Node, Space, dissect, parts, vr_of
from dicomlab.teach.dissect.hidden import hidden_values, identity_of, texts_of_stream
from dicomlab.teach.dissect.words import decoded, encodings, keyword_of, name_of
from dicomlab.teach.explorer import Explorer
from dicomlab.teach.file_still import tone_of
from dicomlab.teach.sources import opened, written
from dicomlab.teach.squeeze import LOSSLESS, Pixels, pixels_of
from dicomlab.warn import quiet

__all__ = ["EncodingsExplorer", "explore_encodings", "read_source"]

_PLAIN = {
    "Implicit VR little endian": (
        uid.ImplicitVRLittleEndian,
        "No VR in the file: only a dictionary tells what a value is.",
    ),
    "Explicit VR little endian": (
        uid.ExplicitVRLittleEndian,
        "Two letters say what each value is. The usual one.",
    ),
    "Explicit VR big endian": (
        uid.ExplicitVRBigEndian,
        "The bytes of each number turned round; text is as it was. Retired.",
    ),
    "Deflated": (
        uid.DeflatedExplicitVRLittleEndian,
        "All that follows group 2 is one deflated stream; these are its bytes when it is inflated.",
    ),
}
_SQUEEZED = "As explicit VR little endian, but for Pixel Data: a fragment for each frame."
_WORDS = {"OW": 2, "OF": 4, "OL": 4, "OD": 8, "OV": 8}
_MOST = 32_000_000
_ELEMENTS, _PARTS, _BYTES = 220, 14, 12


def explore_encodings(source: Any = None, *, progress: bool = True) -> EncodingsExplorer:
    """The same data set in each transfer syntax: choose an element and see its bytes in all of them.

    Head and order of the bytes differ, the values do not: each file is written, read again by pydicom, and compared.
    Values that identify a patient are hidden unless this is called inside `dicomlab.show_identity`.

    Parameters
    ----------
    source
        Path of a file, its bytes or a `pydicom.Dataset`, a grey image; None for a slice of the phantom.
    progress
        Show a bar where it takes longer than a second.

    Raises
    ------
    DicomLabError
        The source cannot be read, or is no grey image of 8 or 16 bits.

    References
    ----------
    PS3.5 7.1, Annex A (transfer syntaxes).

    Examples
    --------
    >>> from dicomlab import teach
    >>> explorer = teach.explore_encodings()
    >>> explorer.select("Rows")
    >>> for name, data in explorer.bytes_of("Rows").items():
    ...     print(data.hex(" "), name)
    28 00 10 00 02 00 00 00 40 00 Implicit VR little endian
    28 00 10 00 55 53 02 00 40 00 Explicit VR little endian
    00 28 00 10 55 53 00 02 00 40 Explicit VR big endian
    28 00 10 00 55 53 02 00 40 00 Deflated
    28 00 10 00 55 53 02 00 40 00 RLE
    28 00 10 00 55 53 02 00 40 00 JPEG-LS
    28 00 10 00 55 53 02 00 40 00 JPEG 2000
    28 00 10 00 55 53 02 00 40 00 HTJ2K
    """
    dataset = read_source(source, _slice)
    pixels = pixels_of(dataset)
    if pixels.values.nbytes > _MOST:
        raise DicomLabError(
            f"Pixels of at most {_MOST / 1e6:.0f} MB can be written in all encodings; these take "
            f"{pixels.values.nbytes / 1e6:.0f} MB. Give an image of fewer frames."
        )
    told = []
    tables: list[dict[int, dict[str, Any]]] = []
    compared = _Compared(pixels)
    # Each is written, taken apart, and compared: a header of many frames makes each of them slow.
    with Progress(3 * (len(_PLAIN) + len(LOSSLESS)), "writing in all encodings", progress, "step") as bar:
        for name, syntax, about, data in _files(dataset, pixels):
            bar.step()
            space, table, sizes = _table(data)
            bar.step()
            tables.append(table)
            told.append({"name": name, "uid": str(syntax), "about": about, **sizes, "space": space.name})
            compared.add(data)
            bar.step()
    elements = _elements(tables, compared.differing)
    for one, table in zip(told, tables, strict=True):
        one["elements"] = [table.get(element["tag"]) for element in elements]
    first = next((k for k, element in enumerate(elements) if element["keyword"] == "Rows"), 0)
    facts = {"encodings": told, "elements": elements}
    return EncodingsExplorer(facts=facts, state={"element": first})


class EncodingsExplorer(Explorer):
    """The explorer of transfer syntaxes; `explore_encodings` makes it."""

    title: ClassVar[str] = "One data set in several transfer syntaxes"
    bundle: ClassVar[str] = "encodings"
    page_height: ClassVar[int] = 700

    def select(self, keyword: str) -> None:
        """Choose an element by its keyword.

        Raises
        ------
        DicomLabError
            The data set has none of that name.
        """
        self.state = {**self.state, "element": self._index(keyword)}

    def bytes_of(self, keyword: str) -> dict[str, bytes]:
        """The bytes of an element in each encoding: the first ones of long values, zeros where they are hidden."""
        index = self._index(keyword)
        found = {}
        for one in self.facts["encodings"]:
            entry = one["elements"][index]
            if entry:
                found[one["name"]] = b"".join(base64.b64decode(part[2]) for part in entry["parts"])
        return found

    def _index(self, keyword: str) -> int:
        tag = tag_for_keyword(keyword)
        for index, element in enumerate(self.facts["elements"]):
            if tag is not None and element["tag"] == tag:
                return index
        raise DicomLabError(
            f"{keyword} was asked for, and this data set has none. The list of the explorer says what it has."
        )

    def still(self) -> bytes:
        """Return the chosen element in each encoding, and the sizes of the files, as a PNG."""
        from dicomlab.teach.encodings_still import picture

        return picture(self.facts, self.state)

    def __repr__(self) -> str:
        return f"<EncodingsExplorer: {len(self.facts['elements'])} elements in {len(self.facts['encodings'])} encodings>"


def _slice() -> Dataset:
    from dicomlab import phantom

    return phantom.ct_datasets(phantom.ct_truth(phantom.CT_PET_FRAME, (1, 64, 64), "axial"))[0]


def read_source(source: Any, default: Callable[[], Dataset]) -> Dataset:
    """The data set of a path, of bytes, or itself; `default` where there is None.

    Raises
    ------
    DicomLabError
        It cannot be read.
    """
    if source is None:
        return default()
    if isinstance(source, Dataset):
        return source
    with opened(source) as data:
        try:
            with quiet():
                return dcmread(BytesIO(bytes(data)), force=True)
        except Exception as problem:  # pydicom raises what the bytes make it raise
            raise DicomLabError(
                f"The file cannot be read as a data set ({type(problem).__name__}); explore_file shows where it breaks."
            ) from None


def _files(dataset: Dataset, pixels: Pixels) -> Iterator[tuple[str, str, str, bytes]]:
    """Name, transfer syntax, a sentence, and the file in each encoding."""
    plain = _turned(dataset, _is_big(dataset))  # now all words are little endian
    plain["PixelData"] = DataElement(
        "PixelData", "OW" if pixels.values.itemsize > 1 else "OB", pixels.values.tobytes()
    )
    for name, (plainly, about) in _PLAIN.items():
        yield name, plainly, about, written(_turned(plain, plainly == uid.ExplicitVRBigEndian), plainly)
    for name, (syntax, encode) in LOSSLESS.items():
        one = deepcopy(plain)
        frames = [encode(frame, pixels.stored) for frame in pixels.values]
        element = DataElement("PixelData", "OB", encapsulate(frames))
        element.is_undefined_length = True
        one["PixelData"] = element
        yield name, syntax, _SQUEEZED, written(one, syntax)


def _is_big(dataset: Dataset) -> bool:
    syntax = dataset.file_meta.get("TransferSyntaxUID") if hasattr(dataset, "file_meta") else None
    return syntax is not None and not syntax.is_little_endian


def _turned(dataset: Dataset, turn: bool) -> Dataset:
    """A copy in which the words of O* values are turned round, which pydicom leaves to whoever writes."""
    changed = deepcopy(dataset)  # a plain copy would share its elements
    if turn:
        for tag, element in list(changed.items()):
            vr = element.VR or ""
            size = _WORDS.get(vr, 0)
            if size and (data := changed[tag].value):
                even = len(data) // size * size
                turned = np.frombuffer(data[:even], f"u{size}").byteswap().tobytes() + data[even:]
                changed[tag] = DataElement(tag, vr, turned)
    return changed


def _table(data: bytes) -> tuple[Space, dict[int, dict[str, Any]], dict[str, Any]]:
    """Where the data set stands, its elements by tag, and the sizes of the file."""
    found = dissect(data, vr_of)
    table: dict[int, dict[str, Any]] = {}
    identity = identity_of(found.spaces)
    for space in found.spaces:
        tops = [k for k, node in enumerate(space.nodes) if node.depth == 0]
        hidden = list(hidden_values(space, identity))
        codecs = encodings(space.value(0x00080005))
        for at, index in enumerate(tops):
            stop = tops[at + 1] if at + 1 < len(tops) else len(space.nodes)
            if space.nodes[index].tag < 0:
                continue  # preamble, prefix, the stream
            table[space.nodes[index].tag] = _entry(space, index, stop, hidden, codecs)
    pixels = found.data_set.top(0x7FE00010)
    head = pixels.start if pixels else len(found.data_set.data)
    rest = len(found.data_set.data) - head
    if len(found.spaces) > 1:  # what is deflated cannot be told apart
        return found.data_set, table, {"size": len(data), "head": 0, "pixels": 0}
    return found.data_set, table, {"size": len(data), "head": head, "pixels": rest}


def _entry(space: Space, index: int, stop: int, hidden: list[bool], codecs: list[str]) -> dict[str, Any]:
    """An element with all that it holds, part by part: tone, name, first bytes, size, whether hidden."""
    node = space.nodes[index]
    last = space.nodes[stop - 1]
    told: list[list[Any]] = []
    for number in range(index, stop):
        inner = space.nodes[number]
        for part in parts(inner):
            if len(told) < _PARTS:
                told.append(_part(space, inner, part.name, part.start, part.end, hidden[number]))
    text, count = "", 0
    if hidden[index]:
        text = MASK
    elif node.kind == "element":
        value = bytes(space.data[node.value_start : min(node.end, node.value_start + 512)])
        text, count = decoded(value, node.end - node.value_start, node, codecs)
    return {
        "start": node.start,
        "size": last.end - node.start,
        "vr": node.vr if node.layout != "implicit" else "",
        "meant": node.vr,
        "length": node.length,
        "big": not node.little,
        "text": text,
        "count": count,
        "parts": told,
        "more": sum(len(list(parts(one))) for one in space.nodes[index:stop]) - len(told),
    }


def _part(space: Space, node: Node, name: str, start: int, end: int, hide: bool) -> list[Any]:
    own = bytearray(space.data[start : min(end, start + _BYTES)])
    if name == "value":
        if hide:
            own = bytearray(len(own))
        for first, last in texts_of_stream(bytes(own)) if node.kind == "fragment" else []:
            own[first:last] = bytes(last - first)
    words = {"tag": keyword_of(node.tag), "vr": node.vr, "length": node.length}.get(name, node.kind)
    return [
        tone_of(node.kind, name),
        name,
        base64.b64encode(own).decode("ascii"),
        end - start,
        int(hide and name == "value"),
        words,
    ]


def _elements(tables: list[dict[int, dict[str, Any]]], differing: set[int]) -> list[dict[str, Any]]:
    tags = sorted({tag for table in tables for tag in table})
    kept = tags if len(tags) <= _ELEMENTS else [*tags[: _ELEMENTS - 1], tags[-1]]
    found = []
    for tag in kept:
        entry = next(table[tag] for table in tables if tag in table)
        keyword = keyword_of(tag)
        name = name_of(tag, "") or "Private element"
        found.append(
            {
                "tag": tag,
                "keyword": keyword or name,
                "name": name,
                "vr": entry["meant"],
                "same": tag not in differing,
            }
        )
    return found


class _Compared:
    """Tags whose values are not the same after writing in an encoding and reading again; group 2 does differ."""

    def __init__(self, pixels: Pixels) -> None:
        self._pixels = pixels
        self._first: Dataset | None = None
        self.differing: set[int] = set()

    def add(self, data: bytes) -> None:
        """Compare one more file with the first."""
        with quiet():
            again = dcmread(BytesIO(data))
            if not np.array_equal(pixels_of(again).values, self._pixels.values):
                self.differing.add(0x7FE00010)
            flat = _turned(again, True) if _is_big(again) else again
        if self._first is None:
            self._first = flat
            return
        for tag in {*self._first.keys(), *flat.keys()} - {0x7FE00010}:
            if not _same(self._first, flat, int(tag)):
                self.differing.add(int(tag))


def _same(one: Dataset, other: Dataset, tag: int) -> bool:
    try:
        return bool(one[tag].value == other[tag].value)
    except (KeyError, NotImplementedError, ValueError):
        return False
