"""Stored values of a frame, whatever its layout: against values made here, DCMTK, and references of real files."""

import hashlib
import json
import pickle
import subprocess
import zipfile
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pydicom
import pytest
from pixels import dataset, fragments, image, instance, needs_dcmtk, save, scene
from pydicom import uid
from support import SHARED, datasets, shared_data, truth

from dicomlab import find_series, load_volume
from dicomlab.errors import DicomLabError, FaultError, NotDicomError, UnsupportedError
from dicomlab.read.headers import read_instance
from dicomlab.read.images import check_supported, stored_image
from dicomlab.read.sources import expand, list_all

NATIVE = [
    uid.ImplicitVRLittleEndian,
    uid.ExplicitVRLittleEndian,
    uid.ExplicitVRBigEndian,
    uid.DeflatedExplicitVRLittleEndian,
]
DEFLATED_FRAME = "1.2.840.10008.1.2.8.1"
ENCAPSULATED_NATIVE = "1.2.840.10008.1.2.1.98"


def _write(path: Path, ds: pydicom.Dataset, syntax: str) -> Path:
    """Native pixels in any uncompressed syntax; big endian swaps what its VR says it swaps."""
    if syntax == uid.ExplicitVRBigEndian:
        width = 2 if ds["PixelData"].VR == "OW" and ds.BitsAllocated < 16 else ds.BitsAllocated // 8
        swapped = np.frombuffer(ds.PixelData, f"<u{width}").astype(f">u{width}").tobytes()
        vr = ds["PixelData"].VR
        ds.PixelData = swapped
        ds["PixelData"].VR = vr
    return save(path, ds, syntax)


# -- native ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("syntax", NATIVE)
@pytest.mark.parametrize("dtype", ["u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8"])
def test_every_width_and_sign_reads_in_every_uncompressed_syntax(
    tmp_path: Path, syntax: str, dtype: str
) -> None:
    limits = np.iinfo(dtype)
    frames = np.random.default_rng(0).integers(limits.min, limits.max, (3, 5, 7), dtype, endpoint=True)
    stored = image(_write(tmp_path / "a", dataset(frames, frames=3), syntax))
    assert (stored.frames, stored.shape, stored.dtype) == (3, (5, 7), np.dtype(dtype))
    assert stored.lacking == 0
    for k in range(3):
        assert stored.read(k).dtype.isnative
        np.testing.assert_array_equal(stored.read(k), frames[k])


@pytest.mark.parametrize("vr", ["OB", "OW"])
@pytest.mark.parametrize("syntax", NATIVE)
def test_bytes_of_frames_with_odd_sizes_change_places_in_big_endian_words_alone(
    tmp_path: Path, syntax: str, vr: str
) -> None:
    frames = np.arange(75, dtype=np.uint8).reshape(3, 5, 5)
    ds = dataset(frames, frames=3)
    ds["PixelData"].VR = vr
    stored = image(_write(tmp_path / "a", ds, syntax))
    for k in range(3):
        np.testing.assert_array_equal(stored.read(k), frames[k])


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("bits", [1, 7, 10, 12, 15, 16])
def test_junk_above_bits_stored_never_reaches_a_value(tmp_path: Path, bits: int, signed: bool) -> None:
    cells = np.arange(65536, dtype=np.uint16).reshape(256, 256)
    ds = dataset(cells, BitsStored=bits, PixelRepresentation=int(signed))
    ours = image(save(tmp_path / "a", ds)).read()
    # The oracle works on one number at a time: the lowest bits, with the weight of the highest negative if signed.
    low = cells.astype(int) % (1 << bits)
    expected = np.where(signed & (low >= 1 << bits - 1), low - (1 << bits), low)
    np.testing.assert_array_equal(ours, expected)


@pytest.mark.parametrize("syntax", NATIVE)
@pytest.mark.parametrize("vr", ["OB", "OW"])
@pytest.mark.parametrize("size", [(8, 16), (5, 7), (3, 3)])
def test_single_bits_are_unpacked_where_frames_begin_inside_a_byte(
    tmp_path: Path, size: tuple[int, int], vr: str, syntax: str
) -> None:
    frames = np.random.default_rng(1).integers(0, 2, (5, *size), np.uint8)
    packed = np.packbits(frames.ravel(), bitorder="little").tobytes()
    ds = dataset(frames, frames=5, BitsAllocated=1, BitsStored=1)
    ds.PixelData = packed + b"\0" * (len(packed) % 2)
    ds["PixelData"].VR = vr
    stored = image(_write_bits(tmp_path / "a", ds, syntax))
    assert stored.dtype == np.uint8
    assert stored.expected_bytes == len(packed)
    for k in range(5):
        np.testing.assert_array_equal(stored.read(k), frames[k])


def _write_bits(path: Path, ds: pydicom.Dataset, syntax: str) -> Path:
    vr = ds["PixelData"].VR
    if syntax == uid.ExplicitVRBigEndian and vr == "OW":
        ds.PixelData = np.frombuffer(ds.PixelData, "<u2").astype(">u2").tobytes()
        ds["PixelData"].VR = vr
    return save(path, ds, syntax)


@pytest.mark.parametrize("syntax", NATIVE)
@pytest.mark.parametrize(("keyword", "dtype"), [("FloatPixelData", "f4"), ("DoubleFloatPixelData", "f8")])
def test_floats_come_out_bit_for_bit(tmp_path: Path, keyword: str, dtype: str, syntax: str) -> None:
    values = np.array([[0.1, -1e30, np.nan], [np.inf, 5e-324, -0.0]], dtype)
    ds = dataset(values)
    order = ">" if syntax == uid.ExplicitVRBigEndian else "<"
    setattr(ds, keyword, values.astype(order + dtype).tobytes())
    stored = image(save(tmp_path / "a", ds, syntax))
    assert stored.dtype == np.dtype(dtype)
    assert stored.read().tobytes() == values.tobytes()


@pytest.mark.parametrize("planar", [0, 1])
@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("syntax", NATIVE)
def test_colour_by_pixel_or_by_plane_is_rgb_by_pixel(
    tmp_path: Path, planar: int, bits: int, syntax: str
) -> None:
    frames = np.stack([scene(5, 7, bits, 3, seed) for seed in range(2)])
    ds = dataset(frames, frames=2, PlanarConfiguration=planar)
    if planar:
        data = np.ascontiguousarray(np.moveaxis(frames, -1, 1)).tobytes()
        ds.PixelData = data + b"\0" * (len(data) % 2)
        ds["PixelData"].VR = "OW"
    stored = image(_write(tmp_path / "a", ds, syntax))
    assert stored.shape == (5, 7, 3)
    for k in range(2):
        np.testing.assert_array_equal(stored.read(k), frames[k])


def test_pairs_of_ybr_full_422_share_their_chrominance(tmp_path: Path) -> None:
    full = scene(6, 8, 8, 3)
    full[:, 1::2, 1:] = full[:, ::2, 1:]
    packed = np.stack([full[:, ::2, 0], full[:, 1::2, 0], full[:, ::2, 1], full[:, ::2, 2]], -1)
    one = dataset(full, PhotometricInterpretation="YBR_FULL_422", PixelData=packed.tobytes())
    two = dataset(full, PhotometricInterpretation="YBR_FULL")
    stored = image(save(tmp_path / "a", one))
    assert stored.expected_bytes == 6 * 8 * 2
    np.testing.assert_array_equal(stored.read(), image(save(tmp_path / "b", two)).read())


@pytest.mark.parametrize("syntax", NATIVE)
def test_native_pixels_cut_at_any_length_raise_and_name_the_file(tmp_path: Path, syntax: str) -> None:
    whole = save(tmp_path / "a", dataset(scene(6, 7)), syntax).read_bytes()
    path = tmp_path / "cut"
    for lost in range(3, 84, 5):
        path.write_bytes(whole[:-lost])
        if syntax == uid.DeflatedExplicitVRLittleEndian:
            with pytest.raises(NotDicomError, match=r"breaks off|broken"):
                image(path)
        else:
            with pytest.raises(FaultError, match=rf"cut: {84 - lost} bytes of pixel data where 84"):
                image(path).read()
            assert image(path).lacking == lost


def test_a_frame_before_the_break_is_whole_and_one_after_it_raises(tmp_path: Path) -> None:
    frames = np.stack([scene(6, 7, seed=k) for k in range(4)])
    path = save(tmp_path / "a", dataset(frames, frames=4))
    path.write_bytes(path.read_bytes()[:-100])
    stored = image(path)
    np.testing.assert_array_equal(stored.read(1), frames[1])
    for k in (2, 3):
        with pytest.raises(FaultError, match=f"frame {k}"):
            stored.read(k)
    for k in (-1, 4):
        with pytest.raises(DicomLabError, match="there is no frame"):
            stored.read(k)


def test_an_image_reads_on_threads_in_other_processes_and_from_archives(tmp_path: Path) -> None:
    frames = np.stack([scene(6, 7, seed=k) for k in range(8)])
    path = save(tmp_path / "a", dataset(frames, frames=8))
    stored = pickle.loads(pickle.dumps(image(path)))
    with ThreadPoolExecutor(4) as pool:
        np.testing.assert_array_equal(list(pool.map(stored.read, range(8))), frames)
    coded = [imagecodecs.jpeg2k_encode(frame, codecformat="J2K", reversible=True) for frame in frames]
    packed = save(tmp_path / "b", dataset(frames, frames=8), uid.JPEG2000Lossless, fragments(*coded))
    with zipfile.ZipFile(tmp_path / "c.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(path, "a")
        archive.write(packed, "b")
    (archive,) = list_all([tmp_path / "c.zip"], lambda name, reason: pytest.fail(reason))
    members = list(expand(archive, lambda name, reason: pytest.fail(reason)))
    assert len(members) == 2
    for member in members:
        inside = pickle.loads(pickle.dumps(stored_image(read_instance(member))))
        with ThreadPoolExecutor(4) as pool:
            np.testing.assert_array_equal(list(pool.map(inside.read, range(8))), frames)


# -- encapsulated ---------------------------------------------------------------------------------------------------------


def _coded(count: int = 4) -> tuple[np.ndarray, list[bytes]]:
    frames = np.stack([scene(20, 17, seed=k) for k in range(count)])
    return frames, [imagecodecs.jpeg2k_encode(f, codecformat="J2K", reversible=True) for f in frames]


def _offsets(groups: list[list[bytes]]) -> list[int]:
    at, offsets = 0, []
    for group in groups:
        offsets.append(at)
        at += sum(8 + len(piece) + len(piece) % 2 for piece in group)
    return offsets


def _split(stream: bytes, parts: int) -> list[bytes]:
    step = max(2, len(stream) // parts // 2 * 2)
    pieces = [stream[k * step : (k + 1) * step] for k in range(parts - 1)]
    return [*pieces, stream[(parts - 1) * step :]]


def _check(path: Path, frames: np.ndarray) -> None:
    stored = image(path)
    for k in range(len(frames)):
        np.testing.assert_array_equal(stored.read(k), frames[k])


@pytest.mark.parametrize("table", ["basic", "extended", "none", "wrong"])
@pytest.mark.parametrize("parts", [1, 3])
def test_frames_are_found_by_any_table_or_by_what_they_begin_with(
    tmp_path: Path, table: str, parts: int
) -> None:
    frames, coded = _coded()
    groups = [_split(stream, parts) for stream in coded]
    offsets = _offsets(groups)
    ds = dataset(frames, frames=4)
    basic = b""
    if table == "basic":
        basic = np.array(offsets, "<u4").tobytes()
    elif table == "wrong":
        basic = np.array([offset + 2 for offset in offsets], "<u4").tobytes()
    elif table == "extended":
        ds.ExtendedOffsetTable = np.array(offsets, "<u8").tobytes()
        ds.ExtendedOffsetTableLengths = np.array([len(c) for c in coded], "<u8").tobytes()
    pieces = [piece for group in groups for piece in group]
    _check(save(tmp_path / "a", ds, uid.JPEG2000Lossless, fragments(*pieces, table=basic)), frames)


@pytest.mark.parametrize("said", [1, 3])
def test_more_frames_than_the_header_says_are_refused_and_not_dropped(tmp_path: Path, said: int) -> None:
    frames, coded = _coded(4)
    ds = dataset(frames, frames=4)
    ds.NumberOfFrames = said
    with pytest.raises(FaultError, match=r"4 frames, Number of Frames|4 fragments do not tell 3"):
        image(save(tmp_path / "a", ds, uid.JPEG2000Lossless, fragments(*coded))).read()


def test_fragments_without_table_or_signature_are_refused_where_they_do_not_tell_frames_apart(
    tmp_path: Path,
) -> None:
    frames = np.stack([scene(20, 17, seed=k) for k in range(2)])
    raw = [frame.tobytes() for frame in frames]
    ds = dataset(frames, frames=2)
    _check(save(tmp_path / "a", ds, ENCAPSULATED_NATIVE, fragments(*raw)), frames)
    thrice = [piece for one in raw for piece in _split(one, 3)]
    table = np.array([0, sum(8 + len(p) for p in thrice[:3])], "<u4").tobytes()
    _check(save(tmp_path / "b", ds, ENCAPSULATED_NATIVE, fragments(*thrice, table=table)), frames)
    with pytest.raises(FaultError, match="6 fragments do not tell 2 frames apart"):
        image(save(tmp_path / "c", ds, ENCAPSULATED_NATIVE, fragments(*thrice))).read()


def test_encapsulated_pixels_cut_at_any_length_raise(tmp_path: Path) -> None:
    frames, coded = _coded(1)
    whole = save(tmp_path / "a", dataset(frames[0]), uid.JPEG2000Lossless, fragments(*coded)).read_bytes()
    start = whole.index(b"\xe0\x7f\x10\x00OB") + 12
    path = tmp_path / "cut"
    for length in range(start, len(whole), 3):
        path.write_bytes(whole[:length])
        with pytest.raises(FaultError, match="cut: "):
            image(path).read()


def test_a_lost_frame_at_the_end_is_never_replaced_by_another(tmp_path: Path) -> None:
    frames, coded = _coded(4)
    groups = [_split(stream, 2) for stream in coded]
    pieces = [piece for group in groups for piece in group]
    whole = save(
        tmp_path / "a", dataset(frames, frames=4), uid.JPEG2000Lossless, fragments(*pieces)
    ).read_bytes()
    path = tmp_path / "cut"
    for lost in range(1, 1200, 17):
        path.write_bytes(whole[:-lost])
        for k in range(4):
            try:
                ours = image(path).read(k)
            except FaultError:
                continue
            np.testing.assert_array_equal(ours, frames[k])
            assert k < 3


@pytest.mark.parametrize("allocated", [1, 8, 16])
def test_deflated_frames_are_inflated_each_by_itself(tmp_path: Path, allocated: int) -> None:
    rng = np.random.default_rng(2)
    dtype = np.uint16 if allocated == 16 else np.uint8
    frames = rng.integers(0, 2 if allocated == 1 else 200, (3, 5, 7)).astype(dtype)
    coded = []
    for frame in frames:
        plain = np.packbits(frame.ravel(), bitorder="little") if allocated == 1 else frame
        deflate = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
        coded.append(deflate.compress(plain.tobytes()) + deflate.flush())
    ds = dataset(frames, frames=3, BitsAllocated=allocated, BitsStored=allocated)
    _check(save(tmp_path / "a", ds, DEFLATED_FRAME, fragments(*coded)), frames)


def test_a_few_bytes_that_claim_gigabytes_are_refused(tmp_path: Path) -> None:
    ds = dataset(scene(), Rows=65535, Columns=65535)
    for syntax in (uid.RLELossless, uid.JPEG2000Lossless, DEFLATED_FRAME):
        with pytest.raises(FaultError, match="claims 8191 MiB"):
            image(save(tmp_path / "a", ds, syntax, fragments(bytes(100)))).read()


@pytest.mark.parametrize("syntax", [uid.JPEG2000Lossless, uid.DeflatedExplicitVRLittleEndian])
def test_a_compressed_series_is_the_same_volume(tmp_path: Path, syntax: str) -> None:
    for k, ds in enumerate(datasets("MR")):
        values = np.frombuffer(ds.PixelData, "<i2" if ds.PixelRepresentation else "<u2")
        coded = imagecodecs.jpeg2k_encode(
            values.reshape(ds.Rows, ds.Columns), codecformat="J2K", reversible=True
        )
        save(tmp_path / str(k), ds, syntax, fragments(coded) if syntax == uid.JPEG2000Lossless else None)
    (series,) = find_series(tmp_path)
    np.testing.assert_allclose(load_volume(series).values, truth("MR").values, rtol=1e-6)
    assert "<img" in series._repr_html_(), "the thumbnail"


def test_a_compressed_slice_that_breaks_off_stops_the_volume(tmp_path: Path) -> None:
    for k, ds in enumerate(datasets()):
        values = np.frombuffer(ds.PixelData, "<i2" if ds.PixelRepresentation else "<u2")
        coded = imagecodecs.jpeg2k_encode(
            values.reshape(ds.Rows, ds.Columns), codecformat="J2K", reversible=True
        )
        save(tmp_path / str(k), ds, uid.JPEG2000Lossless, fragments(coded[: -60 if k == 3 else None]))
    with pytest.raises(FaultError, match="3: a tile-part of"):
        load_volume(tmp_path)


# -- refused --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"HighBit": 15, "BitsStored": 12}, "High Bit 15"),
        ({"BitsAllocated": 12, "BitsStored": 12}, "Bits Allocated 12"),
        ({"BitsAllocated": 24, "BitsStored": 24}, "Bits Allocated 24"),
        ({"BitsStored": 17}, "Bits Stored 17"),
        ({"SamplesPerPixel": 2}, "Samples per Pixel"),
        ({"SamplesPerPixel": 4, "PhotometricInterpretation": "CMYK"}, "Samples per Pixel"),
        ({"SamplesPerPixel": 3, "PhotometricInterpretation": "YBR_PARTIAL_420"}, "YBR_PARTIAL_420"),
        ({"SamplesPerPixel": 3, "PhotometricInterpretation": "YBR_PARTIAL_422"}, "YBR_PARTIAL_422"),
        ({"SamplesPerPixel": 3, "PhotometricInterpretation": "YBR_RCT"}, "JPEG 2000 only"),
        ({"SamplesPerPixel": 3, "PhotometricInterpretation": "YBR_FULL_422"}, "odd number"),
        ({"SamplesPerPixel": 3, "PhotometricInterpretation": "RGB", "PixelRepresentation": 1}, "signed"),
        ({"PhotometricInterpretation": "HSV"}, "HSV"),
        ({"PixelRepresentation": None}, "Pixel Representation"),
        ({"Rows": 0}, "Rows"),
    ],
)
def test_layouts_nobody_can_read_safely_are_refused_before_reading(
    tmp_path: Path, changed, reason: str
) -> None:
    with pytest.raises(UnsupportedError, match=reason) as caught:
        check_supported(instance(save(tmp_path / "name-of-file", dataset(scene(), **changed))))
    assert "name-of-file" in str(caught.value)


@pytest.mark.parametrize(
    ("syntax", "reason"),
    [
        ("1.2.840.10008.1.2.4.92", "part 2"),
        ("1.2.840.10008.1.2.4.93", "part 2"),
        ("1.2.840.10008.1.2.4.100", "video"),
        ("1.2.840.10008.1.2.4.94", "server"),
        ("1.2.3.4", "1.2.3.4"),
    ],
)
def test_syntaxes_without_a_decoder_are_refused_by_name(tmp_path: Path, syntax: str, reason: str) -> None:
    path = save(tmp_path / "a", dataset(scene()), syntax, fragments(b"\0\0"))
    with pytest.raises(UnsupportedError, match=reason):
        check_supported(instance(path))


def test_text_in_place_of_a_transfer_syntax_is_refused_and_not_repeated(tmp_path: Path) -> None:
    path = save(tmp_path / "a", dataset(scene()))
    path.write_bytes(path.read_bytes().replace(b"1.2.840.10008.1.2.1\0", b"Somebody^Else^Name\0\0", 1))
    with pytest.raises(UnsupportedError, match="is no UID") as caught:
        check_supported(instance(path))
    assert "Somebody" not in str(caught.value)


def test_encapsulated_pixels_under_a_native_syntax_are_refused_and_the_other_way(tmp_path: Path) -> None:
    inside = save(tmp_path / "a", dataset(scene()), uid.ExplicitVRLittleEndian, fragments(b"\0\0"))
    with pytest.raises(UnsupportedError, match="no length"):
        check_supported(instance(inside))
    ds = dataset(scene())
    ds.file_meta.TransferSyntaxUID = uid.ExplicitVRLittleEndian
    path = save(tmp_path / "b", ds)
    path.write_bytes(path.read_bytes().replace(b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.2.5\0"))
    with pytest.raises(UnsupportedError, match="a length"):
        check_supported(instance(path))


# -- other implementations ------------------------------------------------------------------------------------------------


def _dcmtk(*command: str | Path) -> None:
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@needs_dcmtk
@pytest.mark.parametrize(
    "tool",
    [
        ("dcmcrle",),
        ("dcmcjpeg", "+e1"),
        *[("dcmcjpeg", "+el", "+sv", str(k)) for k in range(1, 8)],
        ("dcmcjpls", "+el"),
        ("dcmconv", "+tb"),
        ("dcmconv", "+td"),
        ("dcmconv", "+ti"),
    ],
    ids=" ".join,
)
@pytest.mark.parametrize(
    ("bits", "signed", "samples"), [(8, 0, 1), (12, 0, 1), (16, 0, 1), (16, 1, 1), (8, 0, 3)]
)
def test_lossless_files_of_dcmtk_are_exact(
    tmp_path: Path, tool, bits: int, signed: int, samples: int
) -> None:
    frames = np.stack([scene(33, 30, bits, samples, seed) for seed in range(3)])
    if signed:
        frames = (frames.astype(np.int32) - 30000).astype(np.int16)
    plain = save(tmp_path / "plain", dataset(frames, frames=3, BitsStored=bits))
    _dcmtk(*tool, plain, tmp_path / "coded")
    assert pydicom.dcmread(tmp_path / "coded").file_meta.TransferSyntaxUID != uid.ExplicitVRLittleEndian
    _check(tmp_path / "coded", frames)


@needs_dcmtk
@pytest.mark.parametrize(
    ("tool", "bits", "samples"),
    [
        ("dcmcjpeg +eb", 8, 1),
        ("dcmcjpeg +ee", 8, 1),
        ("dcmcjpeg +ee", 12, 1),
        ("dcmcjpeg +eb +s4", 8, 3),
        ("dcmcjpeg +eb +s2", 8, 3),
        ("dcmcjpeg +eb +cr", 8, 3),
        ("dcmcjpls +en", 8, 1),
        ("dcmcjpls +en", 12, 1),
        ("dcmcjpls +en", 8, 3),
    ],
)
def test_lossy_files_are_within_one_of_dcmtk(tmp_path: Path, tool: str, bits: int, samples: int) -> None:
    picture = scene(64, 80, bits, samples)
    plain = save(tmp_path / "plain", dataset(picture, BitsStored=bits))
    _dcmtk(*tool.split(), plain, tmp_path / "coded")
    _dcmtk(tool.split()[0].replace("dcmc", "dcmd"), tmp_path / "coded", tmp_path / "decoded")
    theirs = pydicom.dcmread(tmp_path / "decoded")
    assert theirs.PhotometricInterpretation in ("RGB", "MONOCHROME2")
    ours = image(tmp_path / "coded").read().astype(int)
    assert np.abs(ours - image(tmp_path / "decoded").read()).max() <= 1
    assert np.abs(ours - picture).max() < (1 << bits) / 4, "the picture itself"


real = pytest.mark.skipif(
    not (SHARED / "truth.json").is_file(),
    reason=f"no real DICOM at {SHARED}: reference figures were not compared",
)


def _references() -> dict[str, dict[str, Any]]:
    if not (SHARED / "truth.json").is_file():
        return {}
    return json.loads((SHARED / "truth.json").read_text())["pixels"]


@real
def test_pixels_of_real_files_equal_their_references_to_the_last_bit() -> None:
    equal, without = 0, []
    for name, case in _references().items():
        path = shared_data() / name
        stored = image(path)
        frames = [stored.read(k) for k in range(stored.frames)]
        values = np.stack(frames) if stored.frames > 1 else frames[0]
        digest = case.get("pydicom", {}).get("sha256_i32")
        if digest is None:
            without.append(name)
        else:
            assert hashlib.sha256(values.astype("<i4").tobytes()).hexdigest() == digest, name
            equal += 1
    assert equal >= 48
    assert len(without) <= 6


@real
def test_real_single_bits_are_the_same_in_every_encoding() -> None:
    folder = shared_data() / "ts-htj2k"
    for plain, others in (
        ("liver", ["liver_deflate"]),
        ("liver_nonbyte_aligned", [f"liver_nonbyte_aligned_{k}" for k in ("deflate", "j2k", "rle")]),
    ):
        expected = image(folder / f"{plain}.dcm")
        for other in others:
            found = image(folder / f"{other}.dcm")
            assert found.frames == expected.frames == 3
            for k in range(3):
                np.testing.assert_array_equal(found.read(k), expected.read(k))


@real
@needs_dcmtk
def test_real_lossy_files_are_within_one_of_dcmtk(tmp_path: Path) -> None:
    for name in (
        "us-a/Issue16.dcm",
        "xr-a/HasFragmentSequence.dcm",
        "ts-wg04-a/MR1_JPLY",
        "ts-wg04-a/NM1_JPLY",
    ):
        _dcmtk("dcmdjpeg", shared_data() / name, tmp_path / "decoded")
        ours, theirs = image(shared_data() / name), image(tmp_path / "decoded")
        assert ours.frames == theirs.frames
        for k in range(0, ours.frames, 7):
            assert np.abs(ours.read(k).astype(int) - theirs.read(k)).max() <= 1


@real
def test_a_real_file_that_lacks_its_last_frame_raises_for_that_frame_alone() -> None:
    stored = image(shared_data() / "broken-a" / "emri_small_jpeg_2k_lossless_too_short.dcm")
    whole = image(shared_data() / "ts-htj2k" / "emri_small.dcm")
    for k in range(9):
        np.testing.assert_array_equal(stored.read(k), whole.read(k))
    with pytest.raises(FaultError, match="frame 9"):
        stored.read(9)
