"""Siemens' CSA headers: what dicomlab reads equals what nibabel reads, and damage is survived."""

import gzip
import struct
import time
import warnings
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset
from support import SHARED, shared_data

from dicomlab.phantom.csa import csa_image_header
from dicomlab.read.csa import SERIES_HEADER, csa_header, csa_numbers, parse_csa, protocol_slices
from dicomlab.read.elements import Attributes

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # nibabel calls its own DICOM readers experimental
    import nibabel.nicom
    from nibabel.nicom import csareader

PEER_DATA = Path(nibabel.nicom.__file__).parent / "tests" / "data"
VALUES = {
    "NumberOfImagesInMosaic": ["36"],
    "SliceNormalVector": ["0.00000000", "-0.60000000", "0.80000000"],
    "ImaCoilString": ["T:HEA;HEP"],
    "MosaicRefAcqTimes": [f"{72.5 * k:.8f}" for k in range(36)],
    "B_value": [],
}


def _csa1(values: dict[str, list[str]]) -> bytes:
    """The older layout: no magic, and every length greater by the first element's number of items."""
    extra = len(next(iter(values.values())))
    data = struct.pack("<II", len(values), 77)
    for name, items in values.items():
        data += struct.pack("<64si4siii", name.encode(), len(items), b"LO", 19, len(items), 77)
        for text in items:
            raw = text.encode() + b"\0"
            data += struct.pack("<iiii", len(raw) + extra, 77, 77, 77) + raw + bytes(-len(raw) % 4)
    return data


def _with(element: int, data: bytes, creator: str = "SIEMENS CSA HEADER") -> Attributes:
    dataset = Dataset()
    if creator:
        dataset.private_block(0x0029, creator, create=True).add_new(element, "OB", data)
    else:
        dataset.add_new((0x0029, 0x1000 | element), "OB", data)
    return Attributes.of(dataset)


def _same_as_nibabel(data: bytes) -> int:
    """Number of elements with values, all equal to nibabel's."""
    theirs = {name: tag["items"] for name, tag in csareader.read(data)["tags"].items()}
    ours = parse_csa(data)
    assert set(ours) == set(theirs)
    for name, items in theirs.items():
        given = [item for item in items if item not in ("", b"")]
        assert len(ours[name]) == len(given), name
        for mine, item in zip(ours[name], given, strict=True):
            assert mine == item.strip() if isinstance(item, str) else float(mine) == pytest.approx(item), name
    return sum(bool(items) for items in ours.values())


def test_what_is_written_is_read_back_and_nibabel_reads_it_too() -> None:
    data = csa_image_header(VALUES)
    assert parse_csa(data) == VALUES
    assert csareader.read(data)["tags"]["MosaicRefAcqTimes"]["items"] == [72.5 * k for k in range(36)]
    assert _same_as_nibabel(data) == 4


def test_the_older_layout_is_read_as_nibabel_reads_it() -> None:
    values = {name: items for name, items in VALUES.items() if items}
    assert parse_csa(_csa1(values)) == values
    # nibabel takes the surplus from the second element, so it reads only what begins with an empty one: then there is none.
    for empty_first in ({"A": [], "B": []} | values, {"A": []} | {"B": [], **values}):
        assert parse_csa(_csa1(empty_first)) == empty_first
        assert _same_as_nibabel(_csa1(empty_first)) == 4


@pytest.mark.parametrize("name", ["csa2_b0.bin", "csa2_b1000.bin", "csa2_zero_len.bin.gz"])
def test_headers_of_scanners_that_nibabel_brings_are_read_as_it_reads_them(name: str) -> None:
    data = (PEER_DATA / name).read_bytes()
    assert _same_as_nibabel(gzip.decompress(data) if name.endswith("gz") else data) > 20


@pytest.mark.skipif(not (SHARED / "truth.json").is_file(), reason=f"no real DICOM at {SHARED}")
def test_headers_of_all_real_siemens_images_are_read_as_nibabel_reads_them() -> None:
    compared = 0
    for path in sorted(shared_data().rglob("*")):
        if path.is_dir() or not path.relative_to(shared_data()).parts[0].startswith("mr-"):
            continue
        try:
            dataset = pydicom.dcmread(path, stop_before_pixels=True)
        except pydicom.errors.InvalidDicomError:
            continue
        for element in (0x1010, 0x1020):
            raw = dataset.get((0x0029, element))
            if raw is not None and raw.value[:4] == b"SV10":
                compared += _same_as_nibabel(raw.value) > 10
    assert compared > 150


def test_it_is_found_by_its_creator_or_by_its_own_first_letters_alone() -> None:
    data = csa_image_header(VALUES)
    assert csa_header(_with(0x10, data)) == VALUES
    assert csa_header(_with(0x10, data, "SOMEBODY ELSE")) == {}
    assert csa_header(_with(0x10, data, "")) == VALUES  # anonymisers remove creators
    assert csa_header(_with(0x10, b"XX" + data, "")) == {}
    assert csa_header(Attributes.of(Dataset())) == {}


def test_damage_never_hangs_allocates_or_raises() -> None:
    whole = csa_image_header(VALUES)
    rng = np.random.default_rng(3)
    start = time.monotonic()
    for data in (whole, _csa1({"A": ["1", "2"], "B": ["x" * 50]})):
        for cut in range(len(data)):
            parse_csa(data[:cut])
        for _ in range(2000):
            broken = bytearray(data)
            for at in rng.integers(0, len(data), 4):
                broken[at] = rng.integers(0, 256)
            found = parse_csa(bytes(broken))
            assert sum(len(text) for items in found.values() for text in items) <= len(data)
    huge = bytearray(whole)
    huge[8:12] = struct.pack("<I", 0xFFFFFFFF)
    assert parse_csa(bytes(huge)) == {}
    assert time.monotonic() - start < 30


def test_a_header_that_breaks_off_yields_what_stands_before_the_break() -> None:
    data = csa_image_header(VALUES)
    found = parse_csa(data[: data.index(b"T:HEA")])
    assert found == {name: VALUES[name] for name in ("NumberOfImagesInMosaic", "SliceNormalVector")}


def test_numbers_are_numbers_or_nothing() -> None:
    header = {"good": ["1.5", "-2"], "text": ["1", "x"], "empty": [], "inf": ["inf"]}
    np.testing.assert_array_equal(csa_numbers(header, "good"), [1.5, -2])
    assert all(csa_numbers(header, name) is None for name in ("text", "empty", "inf", "absent"))


def test_slices_of_the_protocol_are_read_with_zeros_where_nothing_is_written() -> None:
    protocol = (
        "### ASCCONV BEGIN ###\nsSliceArray.lSize\t = \t3\nsSliceArray.asSlice[0].sPosition.dTra = -3.5\n"
    )
    protocol += (
        "sSliceArray.asSlice[2].sPosition.dCor = 1e1\nsSliceArray.asSlice[2].sPosition.dTra = 3.5\n### END"
    )
    header = _with(SERIES_HEADER, csa_image_header({"MrPhoenixProtocol": [protocol]}))
    np.testing.assert_array_equal(protocol_slices(header), [[0, 0, -3.5], [0, 0, 0], [0, 10, 3.5]])
    for broken in ("lSize = 9", "lSize = 999999", "nothing"):
        text = protocol.replace("lSize\t = \t3", broken)
        assert protocol_slices(_with(SERIES_HEADER, csa_image_header({"MrPhoenixProtocol": [text]}))) is None
