"""What bits and codecs cost: figures against other decoders and own arithmetic."""

from __future__ import annotations

import importlib.util
import io
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from PIL import Image
from pydicom import uid
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from support import datasets
from test_dissect import file_of

import dicomlab
from dicomlab import phantom, teach
from dicomlab.errors import DicomLabError
from dicomlab.teach.compression import quantised
from dicomlab.teach.compression_still import difference_of, original_of, signed_colours
from dicomlab.teach.squeeze import LOSSY


@pytest.fixture(scope="module")
def image() -> Dataset:
    return phantom.ct_datasets(phantom.ct_truth(phantom.CT_PET_FRAME, (1, 96, 96), "axial"))[0]


@pytest.fixture(scope="module")
def explorer(image: Dataset) -> teach.CompressionExplorer:
    return teach.explore_compression(image)


def stored(image: Dataset) -> np.ndarray:
    return image.pixel_array.astype(np.int64)


def method(explorer: teach.CompressionExplorer, name: str) -> dict[str, Any]:
    return next(one for one in explorer.facts["methods"] if one["name"] == name)


def by_dcmtk(tool: str, stream: bytes, image: Dataset, syntax: str, folder: Path) -> np.ndarray:
    if shutil.which(tool) is None:
        pytest.skip(f"no {tool} here: nothing was compared with DCMTK")
    one = Dataset()
    for name in ("Rows", "Columns", "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation"):
        one.add(image[name])
    one.SamplesPerPixel, one.PhotometricInterpretation = 1, "MONOCHROME2"
    one.PixelData = encapsulate([stream])
    one["PixelData"].VR = "OB"
    one["PixelData"].is_undefined_length = True
    (folder / "in.dcm").write_bytes(file_of(one, syntax))
    subprocess.run([tool, str(folder / "in.dcm"), str(folder / "out.dcm")], check=True, capture_output=True)
    return pydicom.dcmread(folder / "out.dcm").pixel_array.astype(np.int64)


def by_pillow(stream: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(stream))).astype(np.int64)


def figures_of(difference: np.ndarray, bits: int) -> tuple[float, float, float]:
    rms = np.sqrt(np.mean(difference.astype(float) ** 2))
    return float(np.abs(difference).max()), float(rms), float(20 * np.log10((2**bits - 1) / rms))


def test_the_original_is_the_pixels(explorer: teach.CompressionExplorer, image: Dataset) -> None:
    assert np.array_equal(original_of(explorer.facts), stored(image))
    assert explorer.facts["bits"] == image.BitsStored
    assert (explorer.facts["slope"], explorer.facts["base"], explorer.facts["units"]) == (1, -1024, "HU")


def test_near_lossless_streams_are_what_dcmtk_decodes_and_keep_their_promise(
    explorer: teach.CompressionExplorer, image: Dataset, tmp_path: Path
) -> None:
    codec = LOSSY["JPEG-LS"]
    for variant in method(explorer, "JPEG-LS")["variants"]:
        stream = codec.encode(stored(image).astype(np.uint16), 12, variant["strength"])
        difference = by_dcmtk("dcmdjpls", stream, image, uid.JPEGLSNearLossless, tmp_path) - stored(image)
        assert figures_of(difference, 12) == pytest.approx((variant["max"], variant["rms"], variant["psnr"]))
        assert variant["max"] <= variant["strength"]
        assert variant["size"] == len(stream)


def test_jpeg_of_12_bits_is_what_dcmtk_decodes(
    explorer: teach.CompressionExplorer, image: Dataset, tmp_path: Path
) -> None:
    codec = LOSSY["JPEG, 12 bit"]
    for variant in method(explorer, "JPEG, 12 bit")["variants"][::2]:
        stream = codec.encode(stored(image).astype(np.uint16), 12, variant["strength"])
        difference = by_dcmtk("dcmdjpeg", stream, image, uid.JPEGExtended12Bit, tmp_path) - stored(image)
        most, rms, _ = figures_of(difference, 12)
        # Decoders of JPEG may round differently, by one.
        assert most == pytest.approx(variant["max"], abs=1)
        assert rms == pytest.approx(variant["rms"], rel=0.03)


def test_jpeg_2000_is_what_pillow_decodes(explorer: teach.CompressionExplorer, image: Dataset) -> None:
    codec = LOSSY["JPEG 2000"]
    for variant in method(explorer, "JPEG 2000")["variants"]:
        stream = codec.encode(stored(image).astype(np.uint16), 12, variant["strength"])
        decoded = by_pillow(stream)
        # Pillow widens 12 bits to 16.
        decoded = decoded >> 4 if decoded.max() > 4095 else decoded
        most, rms, psnr = figures_of(decoded - stored(image), 12)
        assert most == pytest.approx(variant["max"], abs=1)
        assert rms == pytest.approx(variant["rms"], rel=0.01, abs=0.05)
        # What was aimed at is what came out, or better: the aim counts from the largest value that is there.
        assert psnr == pytest.approx(variant["strength"], abs=8)


def test_jpeg_of_8_bits_is_what_pillow_decodes_scaled_back(
    explorer: teach.CompressionExplorer, image: Dataset
) -> None:
    values = stored(image)
    low, high = values.min(), values.max()
    eight = np.rint((values - low) * (255 / (high - low))).astype(np.uint8)
    for variant in method(explorer, "JPEG, 8 bit")["variants"]:
        stream = LOSSY["JPEG, 8 bit"].encode(eight, 8, variant["strength"])
        back = np.rint(by_pillow(stream) * ((high - low) / 255)) + low
        most, rms, _ = figures_of(back - values, 12)
        assert most == pytest.approx(variant["max"], abs=(high - low) / 255 + 1)
        assert rms == pytest.approx(variant["rms"], rel=0.02)
    assert method(explorer, "JPEG, 8 bit")["narrowed"] == pytest.approx((high - low) / 255)


def test_fewer_bits_are_the_middles_of_their_steps(
    explorer: teach.CompressionExplorer, image: Dataset
) -> None:
    values = stored(image)
    for variant in method(explorer, "Fewer bits")["variants"]:
        kept = variant["strength"]
        shift = 12 - kept
        middle = (values >> shift << shift) + ((1 << shift) >> 1)
        assert np.array_equal(quantised(values, 12, kept), middle)
        assert len(np.unique(middle)) <= 2**kept
        if shift:
            assert figures_of(middle - values, 12) == pytest.approx(
                (variant["max"], variant["rms"], variant["psnr"])
            )
        assert variant["size"] == -(-values.size * kept // 8)
        assert variant["max"] <= (1 << shift) / 2


def test_lossless_codecs_lose_nothing(explorer: teach.CompressionExplorer) -> None:
    for variant in method(explorer, "Lossless")["variants"]:
        assert (variant["max"], variant["rms"], variant["psnr"]) == (0, 0, None)
        assert 1 < variant["ratio"] < 20


def test_harsher_is_smaller_and_worse(explorer: teach.CompressionExplorer) -> None:
    for one in explorer.facts["methods"]:
        if one["kind"] != "lossless":
            sizes, errors = ([variant[name] for variant in one["variants"]] for name in ("size", "rms"))
            assert sizes == sorted(sizes, reverse=True)
            assert errors == sorted(errors)


def test_the_difference_that_the_page_gets_has_the_errors_that_are_told(
    explorer: teach.CompressionExplorer,
) -> None:
    for one in explorer.facts["methods"]:
        for step, variant in enumerate(one["variants"]):
            difference = difference_of(explorer.facts, one, step)
            assert np.abs(difference).max() == variant["max"]
            assert np.sqrt((difference.astype(float) ** 2).mean()) == pytest.approx(variant["rms"])


@pytest.mark.parametrize("modality", ["MR", "PT"])
def test_signed_values_and_slopes_count_in_real_units(modality: str) -> None:
    one = datasets(modality)[0]
    explorer = teach.explore_compression(one)
    real = one.pixel_array.astype(float) * float(one.get("RescaleSlope", 1)) + float(
        one.get("RescaleIntercept", 0)
    )
    facts = explorer.facts
    assert facts["base"] + facts["slope"] * original_of(facts) == pytest.approx(real)
    step = facts["slope"] * 2 ** (facts["bits"] - 4)
    four = next(one for one in method(explorer, "Fewer bits")["variants"] if one["strength"] == 4)
    assert four["max"] <= step / 2 + 1e-9


def test_signed_pixels_keep_their_values() -> None:
    one = datasets()[0]
    values = (one.pixel_array.astype(np.int16) - 1000).astype("<i2")
    one.PixelRepresentation, one.BitsStored, one.HighBit = 1, 16, 15
    one.PixelData = values.tobytes()
    explorer = teach.explore_compression(one)
    assert explorer.facts["base"] + original_of(explorer.facts) == pytest.approx(values - 1024.0)
    assert {variant["max"] for variant in method(explorer, "Lossless")["variants"]} == {0}


def test_a_large_image_is_cut_to_its_middle_and_stays_small() -> None:
    rng = np.random.default_rng(4)
    one = datasets()[0]
    one.Rows, one.Columns = 300, 700
    values = rng.integers(0, 4096, (300, 700)).astype("<u2")
    one.PixelData = values.tobytes()
    explorer = teach.explore_compression(one)
    assert np.array_equal(original_of(explorer.facts), values[38:262, 238:462])
    # Noise is the worst case.
    assert len(json.dumps(explorer.facts)) < 3_000_000


def test_the_page_of_the_phantom_is_below_one_and_a_half_megabytes() -> None:
    assert len(json.dumps(teach.explore_compression().facts)) < 1_500_000


def test_a_volume_is_told_that_its_files_are_wanted(tmp_path: Path) -> None:
    volume = dicomlab.load_volume(phantom.write_ct(tmp_path, shape=(2, 16, 16)).folder)
    for explore in (teach.explore_compression, teach.explore_encodings, teach.explore_file):
        with pytest.raises(DicomLabError, match=r"read already\. Give one of the files"):
            explore(volume)


def test_a_frame_that_is_not_there_is_refused(image: Dataset) -> None:
    with pytest.raises(DicomLabError, match="the image has the frames 0 to 0"):
        teach.explore_compression(image, frame=3)


def test_figures_are_a_table_of_all_variants(explorer: teach.CompressionExplorer) -> None:
    figures = explorer.figures
    assert len(figures) == sum(len(one["variants"]) for one in explorer.facts["methods"])
    assert set(figures.columns) == {
        "method",
        "kind",
        "strength",
        "bytes",
        "ratio",
        "max_error",
        "rms_error",
        "psnr",
    }
    assert (figures["ratio"] * figures["bytes"]).tolist() == pytest.approx([96 * 96 * 2] * len(figures))


def test_the_still_picture_shows_original_decoded_and_difference(explorer: teach.CompressionExplorer) -> None:
    explorer.state = {"method": "Lossless", "step": 0}
    calm = np.asarray(Image.open(io.BytesIO(explorer.still())).convert("RGB"))
    explorer.state = {"method": "JPEG, 8 bit", "step": 5}
    harsh = np.asarray(Image.open(io.BytesIO(explorer.still())).convert("RGB"))
    orange = np.array([255, 150, 40])
    assert not (calm == orange).all(axis=2).any()
    assert (harsh == orange).all(axis=2).sum() > 1000


def test_the_committed_vectors_of_compression_are_fresh() -> None:
    folder = Path(__file__).parent / "js"
    spec = importlib.util.spec_from_file_location("make_squeeze_vectors", folder / "make_squeeze_vectors.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert json.loads((folder / "vectors" / "squeeze.json").read_text()) == json.loads(
        json.dumps(module.vectors())
    )


def test_a_signed_colour_is_dark_at_nothing_and_full_at_the_range() -> None:
    assert signed_colours(np.array([[0.0, 5, -5, 50, -50, 99]]), 50.0).tolist() == [
        [[22, 24, 28], [45, 37, 29], [27, 38, 51], [255, 150, 40], [70, 160, 255], [255, 150, 40]]
    ]
