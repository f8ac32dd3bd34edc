"""Compressed frames: exact, and never a picture from a stream that is broken or is not what the header says."""

import io
import sys
import warnings
import zlib
from dataclasses import replace

import imagecodecs
import numpy as np
import pytest
from PIL import Image
from pixels import scene
from pydicom import uid

from dicomlab.read import codecs
from dicomlab.read.codecs import Wanted, decode
from dicomlab.read.rle import decode_rle
from dicomlab.read.streams import StreamError, read_jpeg

EOI = b"\xff\xd9"


def wanted(values: np.ndarray, stored: int, **changed) -> Wanted:
    samples = values.shape[2] if values.ndim == 3 else 1
    fields = {
        "rows": values.shape[0],
        "columns": values.shape[1],
        "samples": samples,
        "allocated": values.dtype.itemsize * 8,
        "stored": stored,
        "signed": values.dtype.kind == "i",
        "photometric": "MONOCHROME2" if samples == 1 else "RGB",
    }
    return Wanted(**(fields | changed))


def _lossless_jpeg(values: np.ndarray, bits: int) -> bytes:
    space = "RGB" if values.ndim == 3 else "GRAYSCALE"
    return imagecodecs.jpeg8_encode(
        values, lossless=True, bitspersample=bits, colorspace=space, outcolorspace=space
    )


def _lossy_jpeg(values: np.ndarray, bits: int) -> bytes:
    return imagecodecs.jpeg8_encode(values, 95, bitspersample=bits)


def _jpeg_ls(values: np.ndarray, bits: int) -> bytes:
    import jpeg_ls

    return bytes(
        jpeg_ls.encode_array(np.ascontiguousarray(values), interleave_mode=2 if values.ndim == 3 else 0)
    )


def _near(values: np.ndarray, bits: int) -> bytes:
    import jpeg_ls

    return bytes(jpeg_ls.encode_array(values, lossy_error=2))


def _j2k(values: np.ndarray, bits: int) -> bytes:
    return imagecodecs.jpeg2k_encode(values, codecformat="J2K", reversible=True, bitspersample=bits)


def _j2k_lossy(values: np.ndarray, bits: int) -> bytes:
    return imagecodecs.jpeg2k_encode(values, 60, codecformat="J2K", reversible=False, bitspersample=bits)


def _htj2k(values: np.ndarray, bits: int) -> bytes:
    return imagecodecs.htj2k_encode(values, reversible=True)


def _htj2k_lossy(values: np.ndarray, bits: int) -> bytes:
    return imagecodecs.htj2k_encode(values, 0.0005, reversible=False)


LOSSLESS = {
    uid.JPEGLossless: _lossless_jpeg,
    uid.JPEGLosslessSV1: _lossless_jpeg,
    uid.JPEGLSLossless: _jpeg_ls,
    uid.JPEG2000Lossless: _j2k,
    uid.HTJ2KLossless: _htj2k,
    uid.HTJ2KLosslessRPCL: _htj2k,
    uid.HTJ2K: _htj2k,
}
LOSSY = {
    uid.JPEGBaseline8Bit: _lossy_jpeg,
    uid.JPEGExtended12Bit: _lossy_jpeg,
    uid.JPEGLSNearLossless: _near,
    uid.JPEG2000: _j2k_lossy,
    uid.HTJ2K + ".lossy": _htj2k_lossy,
}


def _stream(syntax: str) -> tuple[bytes, str, Wanted]:
    """A small stream of any syntax: 8 bits for baseline, else 12."""
    bits = 8 if syntax == uid.JPEGBaseline8Bit else 12
    values = scene(bits=bits)
    data = (LOSSLESS | LOSSY)[syntax](values, bits)
    return data, syntax.removesuffix(".lossy"), wanted(values, bits)


# -- exact ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("syntax", LOSSLESS)
@pytest.mark.parametrize("bits", [8, 12, 16])
def test_lossless_codecs_return_what_was_encoded(syntax: str, bits: int) -> None:
    values = scene(bits=bits)
    ours, _ = decode(LOSSLESS[syntax](values, bits), syntax, wanted(values, bits))
    assert ours.dtype == values.dtype
    np.testing.assert_array_equal(ours, values)


@pytest.mark.parametrize("syntax", LOSSLESS)
def test_lossless_colour_keeps_its_components_in_order(syntax: str) -> None:
    values = scene(bits=8, samples=3)
    ours, photometric = decode(LOSSLESS[syntax](values, 8), syntax, wanted(values, 8))
    assert photometric == "RGB"
    np.testing.assert_array_equal(ours, values)


@pytest.mark.parametrize("interleave", [0, 1, 2])
@pytest.mark.parametrize("shape", [(3, 41), (41, 3), (20, 17)])
def test_jpeg_ls_colour_is_the_same_in_every_interleave_mode(interleave: int, shape: tuple[int, ...]) -> None:
    import jpeg_ls

    values = scene(*shape, bits=8, samples=3)
    source = np.ascontiguousarray(np.moveaxis(values, -1, 0)) if interleave == 0 else values
    data = bytes(jpeg_ls.encode_array(source, interleave_mode=interleave))
    np.testing.assert_array_equal(decode(data, uid.JPEGLSLossless, wanted(values, 8))[0], values)


@pytest.mark.parametrize("syntax", [uid.JPEGLosslessSV1, uid.JPEGLSLossless])
@pytest.mark.parametrize("stored", [12, 16])
def test_streams_without_a_sign_take_that_of_the_header(syntax: str, stored: int) -> None:
    signed = scene(bits=stored).astype(np.int32) - (1 << stored - 1)
    coded = (signed & ((1 << stored) - 1)).astype(np.uint16)
    data = LOSSLESS[syntax](coded, stored)
    ours, _ = decode(data, syntax, wanted(signed.astype(np.int16), stored))
    np.testing.assert_array_equal(ours, signed)


@pytest.mark.parametrize("syntax", [uid.JPEG2000Lossless, uid.HTJ2KLossless])
def test_signed_jpeg_2000_keeps_its_sign(syntax: str) -> None:
    values = scene(bits=16).astype(np.int32) - 30000
    values = values.astype(np.int16)
    ours, _ = decode(LOSSLESS[syntax](values, 16), syntax, wanted(values, 16))
    assert ours.min() < -20000
    np.testing.assert_array_equal(ours, values)


def test_a_codestream_without_a_sign_under_a_header_with_one_is_twos_complement() -> None:
    signed = (scene(bits=16).astype(np.int32) - 30000).astype(np.int16)
    ours, _ = decode(_j2k(signed.view(np.uint16), 16), uid.JPEG2000Lossless, wanted(signed, 16))
    np.testing.assert_array_equal(ours, signed)


def test_negative_values_under_an_unsigned_header_raise() -> None:
    values = (scene(bits=12).astype(np.int16) - 2000).astype(np.int16)
    with pytest.raises(StreamError, match="negative"):
        decode(_j2k(values, 16), uid.JPEG2000Lossless, wanted(values, 16, signed=False))


def test_fewer_bits_than_the_header_with_a_sign_are_refused_only_where_they_are_ambiguous() -> None:
    values = scene(bits=12)
    said = wanted(values.astype(np.int16), 16)
    with pytest.raises(StreamError, match="do not tell"):
        decode(_lossless_jpeg(values, 12), uid.JPEGLosslessSV1, said)
    half = values // 2
    np.testing.assert_array_equal(decode(_lossless_jpeg(half, 12), uid.JPEGLosslessSV1, said)[0], half)


def test_bits_above_bits_stored_are_removed_from_lossless_streams_and_clipped_from_lossy_ones() -> None:
    values = scene(bits=12)
    junk = values | 0x9000
    np.testing.assert_array_equal(
        decode(_lossless_jpeg(junk, 16), uid.JPEGLosslessSV1, wanted(values, 12))[0], values
    )
    data = imagecodecs.jpeg8_encode(np.where(values > 2000, 1023, 0).astype(np.uint16), 50, bitspersample=12)
    raw = imagecodecs.jpeg8_decode(data)
    assert raw.max() > 1023, "the edge should overshoot"
    np.testing.assert_array_equal(
        decode(data, uid.JPEGExtended12Bit, wanted(values, 10))[0], np.minimum(raw, 1023)
    )


@pytest.mark.parametrize("kind", ["int8", "uint8", "int16", "uint16"])
@pytest.mark.parametrize("syntax", [uid.JPEG2000Lossless, uid.HTJ2KLossless])
def test_samples_of_either_sign_are_put_where_they_belong(syntax: str, kind: str) -> None:
    values = np.random.default_rng(4).integers(-90 if kind[0] == "i" else 0, 90, (30, 40)).astype(kind)
    encode = _j2k if syntax == uid.JPEG2000Lossless else _htj2k
    data = encode(values, values.itemsize * 8)
    for allocated in range(values.itemsize * 8, 33, 8):
        said = wanted(values, allocated, allocated=allocated, signed=kind[0] == "i")
        if allocated == 24:
            continue
        room = np.full(said.shape, 99, said.dtype)
        found, _ = decode(data, syntax, said, room)
        np.testing.assert_array_equal(found, values)
        assert np.shares_memory(found, room) == (allocated == values.itemsize * 8)


def test_htj2k_in_tiles_is_whole() -> None:
    values = scene(200, 180)
    data = imagecodecs.htj2k_encode(values, reversible=True, tile=(64, 50), tlm=True)
    room = np.zeros_like(values)
    np.testing.assert_array_equal(decode(data, uid.HTJ2KLossless, wanted(values, 16), room)[0], values)


def test_htj2k_equals_the_other_decoder() -> None:
    values = scene(200, 180)
    for data, limit in ((_htj2k(values, 12), 0), (_htj2k_lossy(values, 12), 1)):
        decoders = imagecodecs.htj2k_decode, imagecodecs.jpeg2k_decode  # OpenJPH, OpenJPEG
        ours, _ = decode(data, uid.HTJ2K, wanted(values, 16))
        for other in decoders:
            assert np.abs(ours.astype(int) - other(data)).max() <= limit
    assert np.abs(ours.astype(int) - values).max() > 0, "the second was to be lossy"


def test_htj2k_that_openjph_cannot_decode_raises(capfd) -> None:
    values, rng = scene(120, 130), np.random.default_rng(8)
    data = _htj2k(values, 12)
    start = data.index(b"\xff\x93") + 2
    before = sys.unraisablehook
    refused = missed = 0
    for _ in range(300):
        damaged = bytearray(data)
        at = int(rng.integers(start, len(data) - 2))
        damaged[at : at + 4] = rng.bytes(4)
        try:
            imagecodecs.jpeg2k_decode(bytes(damaged), numthreads=1)
        except imagecodecs.Jpeg2kError:
            refused += 1
            try:
                decode(bytes(damaged), uid.HTJ2K, wanted(values, 16))
            except StreamError:
                continue
            missed += 1
    # Most damage gives another picture with both; what OpenJPEG sees of it, the other sees but for a few in a hundred.
    assert refused > 40
    assert missed < refused / 5
    assert sys.unraisablehook is before
    capfd.readouterr()  # Cython prints what it loses


@pytest.mark.parametrize("syntax", [*LOSSLESS, *LOSSY])
def test_a_frame_is_the_same_in_an_array_that_is_given(syntax: str) -> None:
    data, syntax, said = _stream(syntax)
    values, _ = decode(data, syntax, said)
    room = np.full(said.shape, 99, said.dtype)
    found, _ = decode(data, syntax, said, room)
    np.testing.assert_array_equal(found, values)
    # What has another size or sign than the samples is not written to, or at least not what comes out.
    for other in (replace(said, allocated=32), replace(said, signed=True)):
        try:
            values, _ = decode(data, syntax, other)
        except StreamError:
            continue
        found, _ = decode(data, syntax, other, np.full(other.shape, 99, other.dtype))
        np.testing.assert_array_equal(found, values)


def test_rle_of_any_run_and_depth_is_undone() -> None:
    rng = np.random.default_rng(3)
    for length in (1, 2, 127, 128, 129, 1000):
        for plane in (bytes(length), rng.bytes(length), b"\x05" * (length - 1) + b"\x06"):
            packed = imagecodecs.packbits_encode(plane)
            packed += b"\0" * (len(packed) % 2)
            head = np.array([2, 64, 64 + len(packed), *[0] * 13], "<u4").tobytes()
            assert _unrle(head + packed + packed, length) == plane + plane


def _unrle(data: bytes, length: int) -> bytes:
    """The two planes of an RLE frame of two bytes a pixel."""
    samples = decode_rle(data, 1, length, 2)
    return (samples >> 8).astype(np.uint8).tobytes() + (samples & 255).astype(np.uint8).tobytes()


# -- broken off -----------------------------------------------------------------------------------------------------------


def test_htj2k_whose_tile_part_has_no_length_raises_when_it_is_cut(capfd) -> None:
    values = scene(64, 64)
    data = bytearray(_htj2k(values, 12))
    part = data.index(b"\xff\x90\0\x0a")
    data[part + 6 : part + 10] = bytes(4)
    said = wanted(values, 16)
    np.testing.assert_array_equal(decode(bytes(data), uid.HTJ2KLossless, said)[0], values)
    for lost in (1, 2, 5, 20, 100, 500):
        with pytest.raises(StreamError):
            decode(bytes(data[: -2 - lost] + EOI), uid.HTJ2KLossless, said)
    capfd.readouterr()


def test_lossless_jpeg_that_lacks_its_last_bytes_raises_whatever_its_last_values_are() -> None:
    rng = np.random.default_rng(7)
    down, across = np.mgrid[:32, :64]
    for number in range(600):
        values = np.round(1000 + 300 * np.sin(across / 9) + rng.normal(0, number % 13, across.shape)).astype(
            "u2"
        )
        if number % 5 == 0:
            values = (across * (number % 4) + down).astype("u2")  # the same difference everywhere
        data = _lossless_jpeg(values, 12)
        said = wanted(values, 12)
        np.testing.assert_array_equal(decode(data, uid.JPEGLosslessSV1, said)[0], values)
        for lost in (1, 2, int(rng.integers(3, 60))):
            try:
                found, _ = decode(data[: -2 - lost] + EOI, uid.JPEGLosslessSV1, said)
            except StreamError:
                continue
            np.testing.assert_array_equal(found, values)  # it was padding


@pytest.mark.parametrize("syntax", [*LOSSLESS, *LOSSY])
def test_a_stream_cut_at_any_length_raises(syntax: str) -> None:
    data, syntax, said = _stream(syntax)
    whole, _ = decode(data, syntax, said)
    end = data.rindex(EOI) + 2
    for length in range(end):
        with pytest.raises(StreamError):
            decode(data[:length], syntax, said)
    np.testing.assert_array_equal(decode(data[:end] + b"\0", syntax, said)[0], whole)


@pytest.mark.parametrize("syntax", [*LOSSLESS, *LOSSY])
def test_a_stream_cut_at_any_length_and_given_an_end_marker_raises_or_has_lost_nothing(syntax: str) -> None:
    data, syntax, said = _stream(syntax)
    whole, _ = decode(data, syntax, said)
    end = data.rindex(EOI)
    survived = []
    for length in range(2, end):
        try:
            ours, _ = decode(data[:length] + EOI, syntax, said)
        except StreamError:
            continue
        survived.append(length)
        if syntax in (uid.JPEGLSLossless, uid.JPEGLSNearLossless) and length == end - 1:
            # Where the last byte alone lacks, the low bits of the last sample may be zeros (see `_jpeg_ls`).
            ours.reshape(-1)[-1] = whole.reshape(-1)[-1]
        np.testing.assert_array_equal(ours, whole)
    assert all(length >= end - 2 for length in survived), "only padding may be lost"


@pytest.mark.parametrize(
    "syntax", [uid.JPEGBaseline8Bit, uid.JPEGLosslessSV1, uid.JPEGLSLossless, uid.JPEG2000Lossless]
)
def test_a_piece_missing_from_the_middle_never_passes_for_the_whole(syntax: str) -> None:
    data, syntax, said = _stream(syntax)
    raised = 0
    for at in range(300, len(data) - 200, 7):
        try:
            decode(data[:at] + data[at + 150 :], syntax, said)
        except StreamError:
            raised += 1
    assert raised == len(range(300, len(data) - 200, 7))


def test_rle_cut_at_any_length_raises() -> None:
    values = scene()
    high, low = (values >> 8).astype(np.uint8).tobytes(), (values & 255).astype(np.uint8).tobytes()
    packed = [imagecodecs.packbits_encode(high), imagecodecs.packbits_encode(low)]
    head = np.array([2, 64, 64 + len(packed[0]), *[0] * 13], "<u4").tobytes()
    data = head + packed[0] + packed[1]
    assert _unrle(data, values.size) == high + low
    for length in range(len(data)):
        with pytest.raises(StreamError):
            _unrle(data[:length], values.size)


def test_deflated_frames_cut_at_any_length_or_of_another_size_raise() -> None:
    plain = scene().tobytes()
    deflate = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    data = deflate.compress(plain) + deflate.flush()
    assert codecs.deflated(data, len(plain)) == plain
    for length in range(len(data)):
        with pytest.raises(StreamError):
            codecs.deflated(data[:length], len(plain))
    for size in (len(plain) - 2, len(plain) + 2, 10):
        with pytest.raises(StreamError):
            codecs.deflated(data, size)


def test_a_lost_restart_interval_raises() -> None:
    stream = io.BytesIO()
    picture = scene(64, 64, bits=8)
    Image.fromarray(picture).save(stream, "JPEG", quality=90, restart_marker_rows=1)
    data = stream.getvalue()
    ends = read_jpeg(data).ends
    assert len(ends) == 8
    ours, _ = decode(data, uid.JPEGBaseline8Bit, wanted(picture, 8))
    np.testing.assert_array_equal(ours, np.asarray(Image.open(io.BytesIO(data))))
    with pytest.raises(StreamError, match="restart"):
        decode(data[: ends[3]] + data[ends[4] :], uid.JPEGBaseline8Bit, wanted(picture, 8))
    # An interval that is cut short keeps its marker.
    with pytest.raises(StreamError, match="incomplete"):
        decode(data[: ends[3] - 9] + data[ends[3] :], uid.JPEGBaseline8Bit, wanted(picture, 8))


def test_eight_lost_restart_intervals_raise_though_the_numbers_stay_in_turn() -> None:
    stream = io.BytesIO()
    picture = scene(160, 64, bits=8)
    Image.fromarray(picture).save(stream, "JPEG", quality=90, restart_marker_rows=1)
    data = stream.getvalue()
    ends = read_jpeg(data).ends
    assert len(ends) == 20
    with pytest.raises(StreamError, match="11 restart markers where 19"):
        decode(data[: ends[3]] + data[ends[11] :], uid.JPEGBaseline8Bit, wanted(picture, 8))


@pytest.mark.parametrize("syntax", [uid.JPEG2000Lossless, uid.HTJ2KLossless])
def test_a_lost_tile_raises(syntax: str) -> None:
    values = scene(64, 64, bits=8)
    stream = io.BytesIO()
    Image.fromarray(values).save(stream, "JPEG2000", tile_size=(32, 32), irreversible=False, no_jp2=True)
    data = stream.getvalue()
    if syntax == uid.HTJ2KLossless:
        data = imagecodecs.htj2k_encode(values, reversible=True, tile=(32, 32))
    np.testing.assert_array_equal(decode(data, syntax, wanted(values, 8))[0], values)
    starts = [at for at in range(len(data)) if data[at : at + 4] == b"\xff\x90\0\x0a"]
    assert len(starts) == 4
    for first, after in zip(starts, [*starts[1:], data.rindex(EOI)], strict=True):
        with pytest.raises(StreamError, match="3 of 4 tiles"):
            decode(data[:first] + data[after:], syntax, wanted(values, 8))


def test_any_flipped_bit_gives_a_picture_of_the_right_shape_or_an_error_of_ours() -> None:
    rng = np.random.default_rng(5)
    for syntax in [*LOSSLESS, *LOSSY]:
        data, syntax, said = _stream(syntax)
        for _ in range(60):
            damaged = bytearray(data)
            damaged[int(rng.integers(0, len(data)))] ^= 1 << int(rng.integers(0, 8))
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                try:
                    assert decode(bytes(damaged), syntax, said)[0].shape == said.shape
                except StreamError as problem:
                    assert str(problem)


# -- not what the header says ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("syntax", [*LOSSLESS, *LOSSY])
def test_a_size_or_depth_other_than_the_headers_raises_before_decoding(syntax: str) -> None:
    data, syntax, said = _stream(syntax)
    fields = {name: getattr(said, name) for name in said.__dataclass_fields__}
    for change in ({"rows": 36}, {"columns": 42}, {"samples": 3}):
        with pytest.raises(StreamError, match="the header says"):
            decode(data, syntax, Wanted(**(fields | change)))
    if said.stored > 8:
        with pytest.raises(StreamError, match="Bits Allocated is 8"):
            decode(data, syntax, Wanted(**(fields | {"allocated": 8, "stored": 8})))


@pytest.mark.parametrize("syntax", [uid.JPEGLosslessSV1, uid.JPEGLSLossless, uid.JPEG2000Lossless])
def test_a_stream_that_claims_gigabytes_is_refused_without_decoding(syntax: str, monkeypatch) -> None:
    data, syntax, said = _stream(syntax)
    if syntax == uid.JPEG2000Lossless:
        huge = data[:8] + b"\0\0\xff\xff\0\0\xff\xff" + data[16:]
    else:
        at = max(data.find(b"\xff\xc3"), data.find(b"\xff\xf7"))
        huge = data[: at + 5] + b"\xff\xff\xff\xff" + data[at + 9 :]
    for name in ("jpeg8_decode", "jpegls_decode", "jpeg2k_decode"):
        monkeypatch.setattr(imagecodecs, name, None)
    with pytest.raises(StreamError, match=r"65535|tiles"):
        decode(huge, syntax, said)


def test_a_stream_of_another_codec_is_named() -> None:
    for made, said, name in (
        (uid.JPEGLSLossless, uid.JPEGLosslessSV1, "JPEG-LS"),
        (uid.JPEGLosslessSV1, uid.JPEGBaseline8Bit, "lossless JPEG"),
        (uid.HTJ2KLossless, uid.JPEG2000, "HTJ2K"),
        (uid.JPEG2000Lossless, uid.JPEGLSLossless, "begin"),
    ):
        data, _, header = _stream(made)
        with pytest.raises(StreamError, match=name):
            decode(data, said, header)


def test_progressive_jpeg_is_no_baseline() -> None:
    stream = io.BytesIO()
    Image.fromarray(scene(bits=8)).save(stream, "JPEG", progressive=True)
    with pytest.raises(StreamError, match="progressive"):
        decode(stream.getvalue(), uid.JPEGBaseline8Bit, wanted(scene(bits=8), 8))


# -- colour ---------------------------------------------------------------------------------------------------------------


def _colour_jpeg(space: str, marked: bool) -> tuple[bytes, np.ndarray]:
    """JPEG of components that are stored as they are, named `space` if it is to be marked; and the components."""
    values = scene(48, 48, bits=8, samples=3)
    data = imagecodecs.jpeg8_encode(values, 100, colorspace=space, outcolorspace=space, subsampling="444")
    assert read_jpeg(data).adobe == (0 if space == "RGB" else None)
    if not marked:  # cut the marker segment out
        at = data.find(b"\xff\xee" if space == "RGB" else b"\xff\xe0")
        data = data[:at] + data[at + 2 + int.from_bytes(data[at + 2 : at + 4], "big") :]
    return data, values


@pytest.mark.parametrize(
    ("space", "marked", "said", "found"),
    [
        ("RGB", True, "RGB", "RGB"),
        ("RGB", True, "YBR_FULL_422", "RGB"),
        ("YCBCR", True, "YBR_FULL_422", "YBR_FULL"),
        ("YCBCR", True, "RGB", "YBR_FULL"),
        ("YCBCR", False, "RGB", "RGB"),
        ("YCBCR", False, "YBR_FULL_422", "YBR_FULL_422"),
        ("RGB", False, "RGB", "RGB"),
        ("RGB", False, "YBR_FULL", "YBR_FULL"),
    ],
)
def test_components_of_jpeg_are_never_converted_and_named_by_marker_then_header(
    space: str, marked: bool, said: str, found: str
) -> None:
    data, values = _colour_jpeg(space, marked)
    ours, photometric = decode(data, uid.JPEGBaseline8Bit, wanted(values, 8, photometric=said))
    assert photometric == found
    assert np.abs(ours.astype(int) - values).max() <= 3


@pytest.mark.parametrize(
    ("transform", "said", "fine"),
    [
        (True, "YBR_RCT", True),
        (True, "RGB", True),
        (True, "YBR_FULL", False),
        (False, "RGB", True),
        (False, "YBR_FULL", True),
        (False, "YBR_RCT", False),
    ],
)
def test_jpeg_2000_colour_is_refused_where_header_and_codestream_contradict(
    transform: bool, said: str, fine: bool
) -> None:
    values = scene(bits=8, samples=3)
    data = imagecodecs.jpeg2k_encode(values, codecformat="J2K", reversible=True, mct=transform)
    if fine:
        ours, photometric = decode(data, uid.JPEG2000Lossless, wanted(values, 8, photometric=said))
        assert photometric == ("YBR_FULL" if said == "YBR_FULL" else "RGB")
        np.testing.assert_array_equal(ours, values)
    else:
        with pytest.raises(StreamError, match="component transform"):
            decode(data, uid.JPEG2000Lossless, wanted(values, 8, photometric=said))


@pytest.mark.parametrize("said", ["YBR_ICT", "YBR_RCT"])
def test_colours_of_jpeg_2000_are_refused_in_other_streams_unless_their_markers_know_better(
    said: str,
) -> None:
    marked, values = _colour_jpeg("YCBCR", True)
    assert decode(marked, uid.JPEGBaseline8Bit, wanted(values, 8, photometric=said))[1] == "YBR_FULL"
    unmarked = {
        uid.JPEGBaseline8Bit: _colour_jpeg("YCBCR", False)[0],
        uid.JPEGLSLossless: imagecodecs.jpegls_encode(values),
    }
    for syntax, data in unmarked.items():
        with pytest.raises(StreamError, match=f"the header says {said}"):
            decode(data, syntax, wanted(values, 8, photometric=said))


def test_a_jp2_wrapping_is_taken_off() -> None:
    values = scene(bits=8)
    data = imagecodecs.jpeg2k_encode(values, codecformat="JP2", reversible=True)
    assert data[4:8] == b"jP  "
    np.testing.assert_array_equal(decode(data, uid.JPEG2000Lossless, wanted(values, 8))[0], values)
