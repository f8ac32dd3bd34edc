"""A file cut into its bytes' parts: every byte once, and in the places where pydicom and DCMTK see them."""

from __future__ import annotations

import re
import shutil
import struct
import subprocess
import warnings
import zlib
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom import uid
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate, encapsulate_extended
from pydicom.filewriter import dcmwrite
from support import SHARED, datasets, shared_data

from dicomlab import phantom
from dicomlab.teach.dissect import UNDEFINED, Dissected, Node, dissect, parts, vr_of
from dicomlab.teach.sources import written


def cut(data: bytes) -> Dissected:
    return dissect(data, vr_of)


def covers_each_byte_once(found: Dissected) -> None:
    for space in found.spaces:
        at = 0
        for node in space.nodes:
            for part in parts(node):
                assert part.start == at < part.end, (node, part)
                at = part.end
            assert node.end == at
        assert at == len(space.data)


def file_of(dataset: Dataset, syntax: str = uid.ExplicitVRLittleEndian, **more: Any) -> bytes:
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = uid.UID(syntax)
    meta.MediaStorageSOPClassUID = uid.CTImageStorage
    meta.MediaStorageSOPInstanceUID = uid.UID("1.2.3")
    dataset.file_meta = meta
    out = BytesIO()
    dcmwrite(out, dataset, enforce_file_format=True, **more)
    return out.getvalue()


def nested() -> Dataset:
    """A data set with sequences in sequences, private elements and an empty value."""
    inner = Dataset()
    inner.CodeValue = "113100"
    inner.CodeMeaning = "odd"
    outer = Dataset()
    outer.PurposeOfReferenceCodeSequence = [inner, Dataset()]
    outer.ReferencedSOPInstanceUID = "1.2.3.4"
    one = Dataset()
    one.SpecificCharacterSet = "ISO_IR 100"
    one.Modality = "CT"
    one.PatientName = "Doe^Jane"
    one.SourceImageSequence = [outer, outer]
    one.PixelSpacing = [0.75, 0.5]
    one.Rows = 3
    block = one.private_block(0x0009, "dicomlab test", create=True)
    block.add_new(0x01, "UL", 7)
    block.add_new(0x02, "SQ", [inner])
    return one


def seen_by_pydicom(data: bytes) -> list[tuple[int, int, int]]:
    """Tag, where the value begins, and its length: of the elements of group 2 and of the top level."""
    read = pydicom.dcmread(BytesIO(data), force=True, defer_size=None)
    found = []
    for dataset in (read.file_meta, read):
        for tag in sorted(dataset.keys()):
            raw = dataset._dict[tag]  # as it stood in the file: get_item would parse it
            if isinstance(raw, RawDataElement):
                found.append((int(raw.tag), raw.value_tell, raw.length))
    return found


def seen_here(data: bytes) -> list[tuple[int, int, int]]:
    nodes = cut(data).spaces[0].nodes
    return [(node.tag, node.value_start, node.length) for node in nodes if node.depth == 0 and node.tag >= 0]


SYNTAXES = {
    "explicit": (uid.ExplicitVRLittleEndian, {}),
    "implicit": (uid.ImplicitVRLittleEndian, {}),
    "big": (uid.ExplicitVRBigEndian, {}),
}


@pytest.mark.parametrize("name", SYNTAXES)
def test_values_begin_where_pydicom_finds_them(name: str) -> None:
    data = file_of(nested(), SYNTAXES[name][0])
    covers_each_byte_once(cut(data))
    theirs, ours = seen_by_pydicom(data), seen_here(data)
    # pydicom parses group 2 and undefined lengths at once, and remembers no place of these.
    assert len(theirs) > 8
    assert set(theirs) <= set(ours)


def tree_of(nodes: list[Node]) -> list[tuple[int, int, str, int]]:
    """Depth, tag, VR, length of what has a tag, delimiters left out."""
    return [
        (
            node.depth,
            node.tag,
            node.vr if node.kind in ("element", "sequence", "pixels") else "na",
            node.length,
        )
        for node in nodes
        if node.tag >= 0 and node.kind not in ("item_end", "sequence_end")
    ]


_LINE = re.compile(r"^( *)\(([0-9a-f]{4}),([0-9a-f]{4})\) (\S\S) .*# *(u/l|\d+), *\d+ (.*)$")


def seen_by_dcmdump(path: Path) -> list[tuple[int, int, str, int]]:
    command = ["dcmdump", "--quiet", "--print-all", "--print-short", *("--max-read-length", "4"), str(path)]
    done = subprocess.run(command, capture_output=True, check=False)
    found = []
    # A text may have lines of its own.
    text = re.sub(r"[\r\n]+(?! *\([0-9a-f]{4},[0-9a-f]{4}\) )", " ", done.stdout.decode("latin-1"))
    for line in text.split("\n"):
        match = _LINE.match(line)
        if match is None:
            continue
        indent, group, element, vr, length, name = match.groups()
        if "Delimitation" in name:
            continue
        told = UNDEFINED if length == "u/l" else int(length)
        found.append((len(indent) // 2, int(group + element, 16), vr, told))
    return found


needs_dcmtk = pytest.mark.skipif(
    shutil.which("dcmdump") is None, reason="no dcmdump here: nothing was compared with DCMTK"
)


def same_tree(data: bytes, path: Path) -> None:
    theirs = seen_by_dcmdump(path)
    ours = [one for space in cut(data).spaces for one in tree_of(space.nodes)]
    assert len(theirs) > 5
    assert [one[:2] for one in ours] == [one[:2] for one in theirs]
    for mine, other in zip(ours, theirs, strict=True):
        # DCMTK pads odd lengths when it prints them.
        assert mine[3] + mine[3] % 2 == other[3] or UNDEFINED in (mine[3], other[3]), (mine, other)
        # It calls encapsulated pixels OB, and a UN of undefined length SQ, whatever the file says; items and what it
        # cannot tell have signs of its own.
        if other[2] not in _SIGNS and mine[2] not in ("", "na") and UNDEFINED not in (mine[3], other[3]):
            assert other[2] in mine[2].split(" or "), (mine, other)


_SIGNS = ("??", "xs", "ox", "lt", "pi", "na", "up")


@needs_dcmtk
@pytest.mark.parametrize("name", SYNTAXES)
def test_dcmdump_sees_the_same_elements_at_the_same_depth(name: str, tmp_path: Path) -> None:
    path = tmp_path / "one.dcm"
    path.write_bytes(file_of(nested(), SYNTAXES[name][0]))
    same_tree(path.read_bytes(), path)


@needs_dcmtk
@pytest.mark.parametrize("undefined", [False, True])
def test_sequences_of_defined_and_of_undefined_length_are_one_tree(undefined: bool, tmp_path: Path) -> None:
    one = nested()
    for element in one.iterall():
        if element.VR == "SQ":
            element.is_undefined_length = undefined
            for item in element.value:
                item.is_undefined_length_sequence_item = undefined
    path = tmp_path / "one.dcm"
    path.write_bytes(file_of(one))
    covers_each_byte_once(cut(path.read_bytes()))
    kinds = {node.kind for node in cut(path.read_bytes()).spaces[0].nodes}
    assert ("sequence_end" in kinds, "item_end" in kinds) == (undefined, undefined)
    same_tree(path.read_bytes(), path)


@needs_dcmtk
@pytest.mark.parametrize(
    "kind", ["enhanced_mr", "mosaic", "dose", "jpeg_ls", "rle", "big_endian", "deflated"]
)
def test_files_of_the_phantom_are_what_dcmdump_says(kind: str, tmp_path: Path) -> None:
    phantom.write_kind(kind, tmp_path)
    path = min(one for one in tmp_path.rglob("*") if one.is_file())
    covers_each_byte_once(cut(path.read_bytes()))
    same_tree(path.read_bytes(), path)


def test_kinds_of_the_phantom_are_cut_without_a_remainder(tmp_path: Path) -> None:
    for kind in ("high_bits", "jpeg_ls", "enhanced_pet", "mosaic", "dose", *_ODD):
        phantom.write_kind(kind, tmp_path / kind)
        broken = []
        for path in (one for one in (tmp_path / kind).rglob("*") if one.is_file()):
            found = cut(path.read_bytes())
            covers_each_byte_once(found)
            broken += [node for space in found.spaces for node in space.nodes if node.is_broken]
        # What the phantom writes is valid but for its faults: nothing else stops the walk.
        assert bool(broken) == (kind == "truncated_file"), kind


_ODD = (
    "truncated_file",
    "undecodable",
    "no_preamble",
    "deflated",
    "big_endian",
    "rle",
    "rescale_text",
    "us_cine",
    "nm_static",
)


@pytest.mark.skipif(
    not (SHARED / "unpack.py").is_file(), reason=f"no real DICOM at {SHARED}: real files were not cut"
)
def test_real_and_broken_files_are_cut_as_pydicom_and_dcmdump_do() -> None:
    sets = [
        "broken-a",
        "charset-a",
        "mr-ts-mosaic",
        "ts-wg04-a",
        "ts-htj2k",
        "us-a",
        "objects-misc-a",
        "seg-highdicom-a",
    ]
    compared = by_pydicom = 0
    for path in sorted(one for name in sets for one in (shared_data() / name).rglob("*") if one.is_file()):
        data = path.read_bytes()
        if path.suffix in (".json", ".png", ".nii") or not data or len(data) > 3_000_000:
            continue
        found = cut(data)
        covers_each_byte_once(found)
        broken = any(node.is_broken for space in found.spaces for node in space.nodes)
        if not broken and shutil.which("dcmdump"):
            same_tree(data, path)
            compared += 1
        # pydicom does not read the one whose UN of undefined length stands in big endian.
        if found.stated != uid.DeflatedExplicitVRLittleEndian and not path.name.startswith("GH177"):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                theirs = seen_by_pydicom(data)
            ours = set(seen_here(data))
            assert {one for one in theirs if one[2] != UNDEFINED} <= ours, path.name
            by_pydicom += len(theirs)
    assert by_pydicom > 2000
    assert compared > 60 or not shutil.which("dcmdump")


# What is broken, and where.


def notes(data: bytes, level: str = "") -> list[tuple[int, str]]:
    return [
        (node.start, note.text)
        for space in cut(data).spaces
        for node in space.nodes
        for note in node.notes
        if not level or note.level == level
    ]


def test_a_sound_file_has_no_notes() -> None:
    assert notes(file_of(nested())) == []
    assert notes(file_of(datasets()[0])) == []


def test_a_truncated_value_says_how_much_of_it_is_left() -> None:
    data = file_of(datasets()[0])[:-100]
    covers_each_byte_once(cut(data))
    (start, text) = notes(data, "stop")[0]
    pixels = datasets()[0].PixelData
    assert start == data.index(b"\xe0\x7f\x10\x00OW")
    assert text.startswith(f"It says {len(pixels)} bytes, and {len(pixels) - 100} are left")


def test_a_file_may_break_off_at_any_byte() -> None:
    data = file_of(nested())
    for size in range(1, len(data)):
        found = cut(data[:size])
        covers_each_byte_once(found)
        assert (
            size < 140
            or size in _ends(data)
            or any(node.notes for space in found.spaces for node in space.nodes)
        ), size


def _ends(data: bytes) -> set[int]:
    """Where elements of the top level end: a file that breaks off there looks whole."""
    return {node.start for node in cut(data).spaces[0].nodes if node.depth == 0}


def test_an_odd_length_is_told() -> None:
    data = file_of(nested()).replace(b"\x08\x00\x60\x00CS\x02\x00CT", b"\x08\x00\x60\x00CS\x03\x00CT ")
    assert [text for _, text in notes(data)] == [
        "Its length, 3, is odd; values are padded to even ones (PS3.5 7.1.1)."
    ]


def test_a_length_beyond_the_end_stops() -> None:
    data = file_of(nested())
    at = data.index(b"\x28\x00\x10\x00US")
    broken = data[: at + 6] + b"\xf0\xff" + data[at + 8 :]
    covers_each_byte_once(cut(broken))
    assert notes(broken, "stop")[0][0] == at


def test_a_wrong_vr_is_told_with_what_the_dictionary_says() -> None:
    data = file_of(nested()).replace(b"\x28\x00\x10\x00US", b"\x28\x00\x10\x00SS")
    assert [text for _, text in notes(data)] == ["Its VR is SS; the dictionary says US."]


def test_a_vr_that_nobody_knows_is_read_on() -> None:
    data = file_of(nested()).replace(b"\x28\x00\x10\x00US", b"\x28\x00\x10\x00QQ")
    found = cut(data)
    covers_each_byte_once(found)
    assert "are no VR of the standard" in notes(data)[0][1]
    assert not any(node.is_broken for node in found.spaces[0].nodes)


@pytest.mark.parametrize(("said", "written_as", "told"), [
    (uid.ExplicitVRLittleEndian, uid.ExplicitVRBigEndian, "big endian"),
    (uid.ExplicitVRBigEndian, uid.ExplicitVRLittleEndian, "little endian"),
    (uid.ExplicitVRLittleEndian, uid.ImplicitVRLittleEndian, "implicit VR"),
    (uid.ImplicitVRLittleEndian, uid.ExplicitVRLittleEndian, "explicit VR"),
])  # fmt: skip
def test_a_lie_about_the_transfer_syntax_is_seen_through(said: str, written_as: str, told: str) -> None:
    lie, truth = file_of(nested(), said), file_of(nested(), written_as)
    data = lie[: _start(lie)] + truth[_start(truth) :]
    covers_each_byte_once(cut(data))
    assert any(f"but the bytes are {told}" in text for _, text in notes(data))
    ours, theirs = (
        [(*one[:2], one[3]) for one in tree_of(cut(one).spaces[0].nodes) if one[1] >> 16 > 2]
        for one in (data, truth)
    )
    assert ours == theirs


def _start(data: bytes) -> int:
    """Where the data set begins, by the group length of group 2."""
    return 144 + struct.unpack_from("<I", data, 140)[0]


def test_no_preamble_and_no_group_2_are_told() -> None:
    data = file_of(nested())
    assert "There is no preamble" in notes(data[132:])[0][1]
    bare = data[_start(data) :]
    assert "No transfer syntax is stated; by its first bytes this is explicit VR little endian." in [
        t for _, t in notes(bare)
    ]
    without = data[:132] + bare
    assert "No group 2 follows" in notes(without)[0][1]
    for one in (data[132:], bare, without):
        covers_each_byte_once(cut(one))
        assert [n.tag for n in cut(one).spaces[0].nodes][-3:] == [n.tag for n in cut(data).spaces[0].nodes][
            -3:
        ]


def test_what_is_no_dicom_is_one_remainder_that_says_so() -> None:
    data = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 3
    covers_each_byte_once(cut(data))
    assert any("may not be DICOM" in text or "no VR" in text for _, text in notes(data))


def test_a_wrong_group_length_is_told_with_where_the_group_ends() -> None:
    data = file_of(nested())
    end = _start(data)
    wrong = data[:140] + struct.pack("<I", end - 144 + 8) + data[144:]
    assert notes(wrong) == [(132, f"It says that group 2 ends at byte {end + 8}; it ends at byte {end}.")]


def test_a_deflated_file_is_a_stream_and_what_it_inflates_to() -> None:
    plain = file_of(nested())
    deflated = file_of(nested(), uid.DeflatedExplicitVRLittleEndian)
    found = cut(deflated)
    covers_each_byte_once(found)
    assert [space.name for space in found.spaces] == ["file", "inflated"]
    assert bytes(found.spaces[1].data) == plain[_start(plain) :]
    broken = deflated[:-30]
    covers_each_byte_once(cut(broken))
    assert len(cut(broken).spaces[1].data) > 0
    assert any("cannot be inflated any further: the stream breaks off" in text for _, text in notes(broken))


def test_a_deflated_stream_with_the_head_of_zlib_is_read_and_told() -> None:
    plain = file_of(nested())
    deflated = file_of(nested(), uid.DeflatedExplicitVRLittleEndian)
    data = deflated[: _start(deflated)] + zlib.compress(plain[_start(plain) :])
    assert bytes(cut(data).spaces[1].data) == plain[_start(plain) :]
    assert "RFC 1950" in notes(data)[0][1]


def test_a_bomb_of_deflated_zeros_stays_small() -> None:
    squeeze = zlib.compressobj(9, zlib.DEFLATED, -15)
    zeros = b"".join(squeeze.compress(bytes(1 << 20)) for _ in range(100)) + squeeze.flush()
    deflated = file_of(nested(), uid.DeflatedExplicitVRLittleEndian)
    found = dissect(deflated[: _start(deflated)] + zeros, vr_of, 1000)
    assert len(found.spaces[1].data) <= 64_000_000
    assert len(found.spaces[1].nodes) < 3000


def test_a_private_element_without_its_creator_is_told() -> None:
    one = Dataset()
    one.add_new(0x00091001, "UL", 7)
    assert "No private creator reserves its block" in notes(file_of(one))[0][1]
    found = {node.tag: node.creator for node in cut(file_of(nested())).spaces[0].nodes}
    assert found[0x00091001] == "dicomlab test"


@pytest.mark.parametrize("little", [True, False])
def test_a_un_of_undefined_length_is_a_sequence_in_implicit_little_endian(little: bool) -> None:
    data = file_of(nested(), uid.ExplicitVRLittleEndian if little else uid.ExplicitVRBigEndian)
    end, order = _start(data), "<" if little else ">"
    inner = struct.pack("<HHI", 0x0028, 0x0010, 2) + b"\x07\0"
    items = struct.pack("<HHI", 0xFFFE, 0xE000, len(inner)) + inner + struct.pack("<HHI", 0xFFFE, 0xE0DD, 0)
    head = struct.pack(f"{order}HH2sHI", 0x0008, 0x0003, b"UN", 0, 0xFFFFFFFF)
    found = cut(data[:end] + head + items + data[end:])
    covers_each_byte_once(found)
    (rows,) = [node for node in found.spaces[0].nodes if node.tag == 0x00280010 and node.depth == 2]
    assert (rows.layout, rows.little, rows.length) == ("implicit", True, 2)
    assert not any(node.is_broken for node in found.spaces[0].nodes)


def test_elements_out_of_order_and_doubled_are_told() -> None:
    data = file_of(nested())
    rows = data[data.index(b"\x28\x00\x10\x00US") :][:10]
    assert notes(data + rows)[-1][1] == "It is out of order: tags ascend (PS3.5 7.1)."
    assert notes(data + 2 * rows)[-1][1] == "It is out of order: tags ascend (PS3.5 7.1)."
    at = data.index(rows)
    assert notes(data[:at] + rows + data[at:])[-1][1] == "It stands here a second time."


def test_group_lengths_beyond_group_2_are_elements_like_others() -> None:
    one = nested()
    data = file_of(one)
    at = _start(data)
    group = struct.pack("<HH2sHI", 8, 0, b"UL", 4, 100)
    found = {node.tag: node for node in cut(data[:at] + group + data[at:]).spaces[0].nodes}
    assert found[0x00080000].length == 4
    assert notes(data[:at] + group + data[at:]) == []


# Encapsulated pixel data.


FRAMES = [b"\xff\xd8\xff" + bytes([k]) * (11 + 6 * k) for k in range(3)]


def encapsulated(pixels: bytes, frames: int = 3) -> bytes:
    one = Dataset()
    one.Rows, one.Columns, one.BitsAllocated, one.SamplesPerPixel = 4, 4, 8, 1
    one.NumberOfFrames = frames
    one.PixelData = pixels
    one["PixelData"].VR = "OB"
    one["PixelData"].is_undefined_length = True
    return file_of(one, uid.JPEGBaseline8Bit)


@pytest.mark.parametrize("split", [1, 2])
@pytest.mark.parametrize("table", [False, True])
def test_fragments_belong_to_the_frames_that_pydicom_makes_of_them(split: int, table: bool) -> None:
    from dicomlab.teach.dissect.frames import find_frames

    data = encapsulated(encapsulate(FRAMES, fragments_per_frame=split, has_bot=table))
    space = cut(data).spaces[0]
    covers_each_byte_once(cut(data))
    frames = find_frames(space)
    assert len(frames.links) == (3 if table else 0)
    for frame in (1, 2, 3):
        own = [space.nodes[k] for k, number in frames.of_fragment.items() if number == frame]
        assert len(own) == split
        joined = b"".join(bytes(data[node.value_start : node.end]) for node in own)
        assert joined.rstrip(b"\0") == FRAMES[frame - 1].rstrip(b"\0")


def test_an_extended_offset_table_points_to_fragments() -> None:
    from dicomlab.teach.dissect.frames import find_frames

    pixels, offsets, lengths = encapsulate_extended(FRAMES)
    one = Dataset()
    one.NumberOfFrames = 3
    one.PixelData = pixels
    one["PixelData"].VR = "OB"
    one["PixelData"].is_undefined_length = True
    one.ExtendedOffsetTable, one.ExtendedOffsetTableLengths = offsets, lengths
    space = cut(file_of(one, uid.JPEGBaseline8Bit)).spaces[0]
    frames = find_frames(space)
    assert [link.frame for link in frames.links] == [1, 2, 3]
    assert [space.nodes[link.target].kind for link in frames.links] == ["fragment"] * 3
    assert {link.end - link.start for link in frames.links} == {8}


def test_an_offset_that_points_nowhere_is_told() -> None:
    data = bytearray(encapsulated(encapsulate(FRAMES)))
    at = data.index(b"\xfe\xff\x00\xe0\x0c\x00\x00\x00") + 12
    data[at] += 1
    from dicomlab.teach.dissect.frames import find_frames

    space = cut(bytes(data)).spaces[0]
    frames = find_frames(space)
    assert [link.target >= 0 for link in frames.links] == [True, False, True]
    told = [note.text for node in space.nodes for note in node.notes]
    assert len(told) == 1
    assert told[0].startswith("Offset 2 points to byte ")


def test_native_pixels_that_are_too_few_for_their_rows_are_told() -> None:
    from dicomlab.teach.dissect.frames import find_frames

    one = datasets()[0]
    one.Rows += 1
    space = cut(file_of(one)).spaces[0]
    find_frames(space)
    told = [note.text for node in space.nodes for note in node.notes]
    due = one.Rows * one.Columns * 2
    size = f"1 x {one.Rows} rows x {one.Columns} columns x 1 x 16 bits are {due} bytes"
    assert told == [f"{size}; the value has {len(one.PixelData)}."]


# Whatever the bytes are.


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_any_bytes_are_cut_into_parts_that_hold_each_once(data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from(["noise", "damaged"]))
    if kind == "noise":
        covers_each_byte_once(cut(data.draw(st.binary(min_size=1, max_size=600))))
        return
    sound = bytearray(file_of(nested(), data.draw(st.sampled_from([one for one, _ in SYNTAXES.values()]))))
    for _ in range(data.draw(st.integers(1, 4))):
        sound[data.draw(st.integers(0, len(sound) - 1))] = data.draw(st.integers(0, 255))
    covers_each_byte_once(cut(bytes(sound)))


def test_a_hundred_thousand_nested_items_end() -> None:
    head = file_of(Dataset())
    deep = (b"\x08\x00\x12\x21SQ\0\0\xff\xff\xff\xff" + b"\xfe\xff\x00\xe0\xff\xff\xff\xff") * 100_000
    found = dissect(head + deep, vr_of, 500)
    covers_each_byte_once(found)
    assert len(found.spaces[0].nodes) < 1500


def test_of_very_many_elements_only_the_first_are_kept_and_the_top_level() -> None:
    one = Dataset()
    items = []
    for number in range(3000):
        item = Dataset()
        item.ReferencedFrameNumber = number % 100
        items.append(item)
    one.SourceImageSequence = items
    one.Rows = 7
    found = dissect(file_of(one), vr_of, 400)
    covers_each_byte_once(found)
    nodes = found.spaces[0].nodes
    assert len(nodes) < 420
    hidden = [node for node in nodes if node.kind == "hidden"]
    assert len(hidden) == 1
    # All items and their elements, less those that are listed.
    assert hidden[0].count + sum(node.depth > 0 for node in nodes if node.kind != "hidden") == 6000
    assert nodes[-1].tag == 0x00280010


def test_writing_a_data_set_to_memory_leaves_it_as_it_was() -> None:
    one = datasets()[0]
    before = one.to_json()
    again = pydicom.dcmread(BytesIO(written(one)))
    assert one.to_json() == before
    assert (
        np.array_equal(again.pixel_array, one.pixel_array)
        if hasattr(one, "file_meta")
        else again.Rows == one.Rows
    )
