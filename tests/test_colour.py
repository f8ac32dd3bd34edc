"""Colour against oracles that work on one number at a time, written from PS3.3 C.7.6.3.1.2, C.7.6.3.1.5 and C.7.9.2."""

from fractions import Fraction
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from pixels import dataset, image, instance, save
from pydicom import uid
from pydicom.pixels import convert_color_space
from support import datasets, write

from dicomlab import load_volume
from dicomlab.errors import DicomLabError, UnsupportedError
from dicomlab.read.colour import ybr_to_rgb
from dicomlab.read.images import check_supported

RED, GREEN, BLUE = Fraction("0.299"), Fraction("0.587"), Fraction("0.114")


@cache
def _end(y: int, chroma: int, weight: Fraction, bits: int) -> Fraction:
    return y + 2 * (1 - weight) * (chroma - (1 << bits - 1))


def _rgb(y: int, cb: int, cr: int, bits: int) -> list[int]:
    """Exact inverse of Y = 0.299 R + 0.587 G + 0.114 B, Cb = (B - Y) / 2 (1 - 0.114), Cr = (R - Y) / 2 (1 - 0.299)."""
    red, blue = _end(y, cr, RED, bits), _end(y, cb, BLUE, bits)
    green = (y - RED * red - BLUE * blue) / GREEN
    return [min(max(int((value + Fraction(1, 2)) // 1), 0), (1 << bits) - 1) for value in (red, green, blue)]


def test_the_oracle_undoes_the_equations_of_the_standard_to_their_four_decimals() -> None:
    forward = [[RED, GREEN, BLUE], [-RED, -GREEN, 1 - BLUE], [1 - RED, -GREEN, -BLUE]]
    scale = [1, 2 * (1 - BLUE), 2 * (1 - RED)]
    printed = [[0.2990, 0.5870, 0.1140], [-0.1687, -0.3313, 0.5000], [0.5000, -0.4187, -0.0813]]
    for row, by, expected in zip(forward, scale, printed, strict=True):
        assert [round(float(value / by), 4) for value in row] == expected


def test_ybr_full_is_rgb_for_every_fifth_of_all_values(tmp_path: Path) -> None:
    steps = np.arange(0, 256, 5, dtype=np.uint8)
    grid = np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), -1).reshape(52, 52 * 52, 3)
    expected = np.array([_rgb(*(int(v) for v in triple), 8) for triple in grid.reshape(-1, 3)])
    ds = dataset(grid, PhotometricInterpretation="YBR_FULL")
    ours = image(save(tmp_path / "a", ds)).read()
    assert ours.size == 421_824
    assert np.count_nonzero(ours.reshape(-1, 3) != expected) == 0
    np.testing.assert_array_equal(convert_color_space(grid, "YBR_FULL", "RGB"), ours)


def test_ybr_of_sixteen_bits_is_exact_too() -> None:
    values = np.random.default_rng(0).integers(0, 65536, (3000, 3), np.uint16)
    values[:8] = [(y, b, r) for y in (0, 65535) for b in (0, 65535) for r in (0, 65535)]
    for bits in (12, 16):
        some = values >> 16 - bits
        expected = [_rgb(*(int(v) for v in triple), bits) for triple in some]
        np.testing.assert_array_equal(ybr_to_rgb(some, bits), expected)


# -- palettes -------------------------------------------------------------------------------------------------------------


def _palette(
    ds, tables, first: int, bits: int, *, packed: bool = True, entries: int | None = None, order: str = "<"
):
    for colour, table in zip(("Red", "Green", "Blue"), tables, strict=True):
        count = len(table) if entries is None else entries
        # US or SS as the pixels are signed, which makes the same bits.
        descriptor = [count % 65536, first % 65536, bits]
        if ds.PixelRepresentation:
            descriptor = [n - 65536 if n > 32767 else n for n in descriptor]
        setattr(ds, f"{colour}PaletteColorLookupTableDescriptor", descriptor)
        if bits == 8 and packed:
            raw = np.asarray(table, np.uint8).tobytes()
            raw += b"\0" * (len(raw) % 2)
            raw = np.frombuffer(raw, "<u2").astype(f"{order}u2").tobytes()
        else:
            raw = np.asarray(table, np.uint16).astype(f"{order}u2").tobytes()
        setattr(ds, f"{colour}PaletteColorLookupTableData", raw)
    return ds


@pytest.mark.parametrize(
    ("syntax", "entries", "first"),
    [
        *[
            (uid.ExplicitVRLittleEndian, *size)
            for size in ((65536, 0), (300, 500), (256, 65000), (257, 65535))
        ],
        (uid.ImplicitVRLittleEndian, 1000, 0),
        (uid.ExplicitVRBigEndian, 1001, 3),
    ],
)
@pytest.mark.parametrize("signed", [0, 1])
@pytest.mark.parametrize(("bits", "packed"), [(16, False), (8, True), (8, False)])
def test_all_stored_values_take_the_colour_of_their_entry(
    tmp_path: Path, signed: int, entries: int, first: int, bits: int, packed: bool, syntax: str
) -> None:
    stored = np.arange(65536, dtype=np.uint16).reshape(256, 256)
    rng = np.random.default_rng(entries)
    tables = rng.integers(0, 1 << bits, (3, entries))
    big = syntax == uid.ExplicitVRBigEndian
    cells = stored.astype(">u2" if big else "<u2").tobytes()
    ds = dataset(
        stored, PhotometricInterpretation="PALETTE COLOR", PixelRepresentation=signed, PixelData=cells
    )
    ds["PixelData"].VR = "OW"
    _palette(ds, tables, first, bits, packed=packed, order=">" if big else "<")
    ours = image(save(tmp_path / "a", ds, syntax))
    assert ours.dtype == (np.uint8 if bits == 8 else np.uint16)
    assert ours.shape == (256, 256, 3)
    # C.7.6.3.1.5: the first value and all below it take the first entry, the next one the second ..., all above the last.
    start = first - 65536 if signed and first > 32767 else first
    colours, expected = list(zip(*tables.tolist(), strict=True)), []
    for cell in range(65536):
        value = cell - 65536 if signed and cell > 32767 else cell
        entry = 0 if value <= start else min(value - start, entries - 1)
        expected.append(colours[entry])
    np.testing.assert_array_equal(ours.read().reshape(-1, 3), expected)


@pytest.mark.parametrize("scale", [256, 257])
def test_a_palette_of_8_bits_whose_entries_need_16_keeps_them(tmp_path: Path, scale: int) -> None:
    stored, grey = np.arange(256, dtype=np.uint8).reshape(16, 16), np.arange(256)
    ds = dataset(stored, PhotometricInterpretation="PALETTE COLOR")
    _palette(ds, [grey * scale, grey[::-1] * scale, grey * 0], 0, 8, packed=False)
    ours = image(save(tmp_path / "a", ds))
    assert ours.dtype == np.uint16
    assert ours.read()[..., 0].tolist() == (stored.astype(int) * scale).tolist()


def test_palettes_of_8_and_of_16_bits_make_no_volume(tmp_path: Path) -> None:
    series = datasets("MR")
    for k, ds in enumerate(series):
        ds.PhotometricInterpretation, ds.PixelRepresentation = "PALETTE COLOR", 0
        _palette(ds, np.full((3, 16), 200), 0, 8 if k else 16)
    with pytest.raises(UnsupportedError, match="8 and of 16 bits"):
        load_volume(write(tmp_path, series))


def _segments_oracle(data: list[int], bits: int) -> list[int]:
    """C.7.9.2, one segment after another."""
    out: list[int] = []
    at = 0

    def one(at: int) -> int:
        kind, length = data[at], data[at + 1]
        if kind == 0:
            out.extend(data[at + 2 : at + 2 + length])
            return at + 2 + length
        start, end = out[-1], data[at + 2]
        for k in range(1, length + 1):
            out.append(int(Fraction(start) + Fraction(end - start) * k / length + Fraction(1, 2)))
        return at + 3

    while at < len(data):
        if data[at] == 2:
            pieces = data[at + 2 : at + (6 if bits == 8 else 4)]
            place = sum(piece << bits * k for k, piece in enumerate(pieces)) * 8 // bits
            for _ in range(data[at + 1]):
                place = one(place)
            at += 2 + len(pieces)
        else:
            at = one(at)
    return out


@pytest.mark.parametrize("bits", [8, 16])
def test_segmented_palettes_unfold(tmp_path: Path, bits: int) -> None:
    high = 255 if bits == 8 else 60000
    offset = [6, 0, 0, 0] if bits == 8 else [12, 0]  # bytes: past the first discrete segment
    data = [0, 4, 1, 7, 3, 5, 1, 11, high, 1, 20, 0, 2, 2, *offset, 0, 1, 9]
    table = _segments_oracle(data, bits)
    assert len(table) == 4 + 11 + 20 + 31 + 1
    stored = np.arange(80, dtype=np.uint8).reshape(8, 10)
    ds = dataset(stored, PhotometricInterpretation="PALETTE COLOR")
    for colour in ("Red", "Green", "Blue"):
        setattr(ds, f"{colour}PaletteColorLookupTableDescriptor", [len(table), 0, bits])
        raw = np.array(data, f"<u{bits // 8}").tobytes()
        setattr(ds, f"Segmented{colour}PaletteColorLookupTableData", raw + b"\0" * (len(raw) % 2))
    ours = image(save(tmp_path / "a", ds)).read().reshape(-1, 3)
    np.testing.assert_array_equal(ours[:, 1], [table[min(k, len(table) - 1)] for k in range(80)])


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        (lambda ds: delattr(ds, "RedPaletteColorLookupTableDescriptor"), "Descriptor"),
        (
            lambda ds: delattr(ds, "BluePaletteColorLookupTableData"),
            "BluePaletteColorLookupTableData is missing",
        ),
        (lambda ds: setattr(ds, "GreenPaletteColorLookupTableDescriptor", [9, 0, 16]), "different sizes"),
        (lambda ds: setattr(ds, "RedPaletteColorLookupTableData", b"\1\2"), "1 entries where 20"),
    ],
)
def test_broken_palettes_are_refused(tmp_path: Path, broken, reason: str) -> None:
    ds = dataset(np.zeros((4, 4), np.uint8), PhotometricInterpretation="PALETTE COLOR")
    _palette(ds, np.ones((3, 20), int), 0, 16)
    broken(ds)
    with pytest.raises(DicomLabError, match=reason):
        check_supported(instance(save(tmp_path / "a", ds)))


@pytest.mark.parametrize(
    "data",
    [
        [0, 200, 1],
        [1, 5, 9],
        [2, 1, 0, 0],
        [7, 1, 1],
        [0, 1, 5, 2, 1, 0, 255],
        [0, 1, 5, 1],
        [0, 1, 1, 2, 9, 6, 0],
        [0, 0] * 20000 + [2, 20000, 0, 0] * 6000,
    ],
)
def test_segments_that_make_no_sense_are_refused(tmp_path: Path, data: list[int]) -> None:
    ds = dataset(np.zeros((4, 4), np.uint8), PhotometricInterpretation="PALETTE COLOR")
    for colour in ("Red", "Green", "Blue"):
        setattr(ds, f"{colour}PaletteColorLookupTableDescriptor", [100, 0, 16])
        setattr(ds, f"Segmented{colour}PaletteColorLookupTableData", np.array(data, "<u2").tobytes())
    with pytest.raises(DicomLabError, match="Palette"):
        check_supported(instance(save(tmp_path / "a", ds)))
