"""What fewer bits and lossy codecs do to an image: the picture, its difference, errors in its own units, sizes."""

from __future__ import annotations

import base64
import zlib
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import pandas as pd
from pydicom import uid
from pydicom.dataset import Dataset

from dicomlab.errors import DicomLabError
from dicomlab.teach.encodings import read_source
from dicomlab.teach.explorer import Explorer
from dicomlab.teach.squeeze import LOSSLESS, LOSSY, Lossy, Pixels, deflated_size, pixels_of, undone

__all__ = ["CompressionExplorer", "explore_compression", "quantised"]

Values = npt.NDArray[Any]
Whole = npt.NDArray[np.int64]

_SIDE = 224
"""Rows and columns that are taken from the middle of the image."""
_KEPT = (16, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2)
_WINDOWS = {"HU": (("Soft tissue", 40, 400), ("Lung", -600, 1500), ("Bone", 480, 2500))}


def explore_compression(source: Any = None, frame: int | None = None) -> CompressionExplorer:
    """What is lost when an image is stored in fewer bits or by a lossy codec, and what that saves.

    Sliders go from gentle to harsh; beside the original stand what is decoded and the difference. All variants are computed
    here, so that a page without a kernel has them, too.

    Parameters
    ----------
    source
        Path of a file, its bytes or a `pydicom.Dataset`: a grey image of at most 16 bits; None for a CT slice of the phantom.
        At most 224 x 224 pixels from its middle are taken.
    frame
        Which frame, from 0; the middle one if None.

    Raises
    ------
    DicomLabError
        The source cannot be read, is no grey image, or has no such frame.

    References
    ----------
    PS3.5 8.2 (codecs), PS3.3 C.7.6.1.1.5 (lossy image compression).

    Examples
    --------
    >>> from dicomlab import teach
    >>> explorer = teach.explore_compression()
    >>> figures = explorer.figures
    >>> figures[figures.method == "JPEG-LS"]["max_error"].tolist()
    [1.0, 2.0, 4.0, 8.0, 16.0, 32.0]
    >>> figures[figures.kind == "lossless"]["max_error"].tolist()
    [0.0, 0.0, 0.0, 0.0, 0.0]
    """
    dataset = read_source(source, _slice)
    pixels = pixels_of(dataset)
    frames = len(pixels.values)
    number = frames // 2 if frame is None else frame
    if not 0 <= number < frames:
        raise DicomLabError(f"Frame {frame} was asked for, and the image has the frames 0 to {frames - 1}.")
    plane = _cropped(pixels.values[number])
    low = min(0, int(plane.min()))
    original = plane.astype(np.int64) - low
    bits = max(2, min(16, pixels.stored), int(original.max()).bit_length())
    facts = {
        "rows": plane.shape[0],
        "columns": plane.shape[1],
        "aspect": _aspect(dataset),
        "bits": bits,
        "slope": pixels.slope,
        "base": pixels.slope * low + pixels.intercept,
        "units": pixels.units,
        "bytes": plane.nbytes,
        "original": _packed(original.astype("<u2")),
        "windows": [list(one) for one in _windows(original, pixels, low)],
        "methods": [
            _fewer_bits(original, bits, pixels.slope, plane.nbytes),
            *(
                _lossy(name, codec, original, bits, pixels.slope, plane.nbytes)
                for name, codec in LOSSY.items()
                if codec.bits >= bits or codec.bits == 8
            ),
            _lossless(plane, pixels.stored),
        ],
    }
    return CompressionExplorer(facts=facts, state={"method": "JPEG 2000", "step": 2})


class CompressionExplorer(Explorer):
    """The explorer of bits and codecs; `explore_compression` makes it."""

    title: ClassVar[str] = "Fewer bits, lossy codecs, and what they cost"
    bundle: ClassVar[str] = "compression"
    page_height: ClassVar[int] = 720

    @property
    def figures(self) -> pd.DataFrame:
        """A row for each variant: sizes in bytes, the ratio to native pixels, errors in the units of the image."""
        rows = [
            {
                "method": method["name"],
                "kind": method["kind"],
                "strength": variant["strength"],
                "bytes": variant["size"],
                "ratio": variant["ratio"],
                "max_error": variant["max"],
                "rms_error": variant["rms"],
                "psnr": variant["psnr"],
            }
            for method in self.facts["methods"]
            for variant in method["variants"]
        ]
        return pd.DataFrame(rows)

    def still(self) -> bytes:
        """Return original, decoded image and difference of the chosen variant as a PNG."""
        from dicomlab.teach.compression_still import picture

        return picture(self.facts, self.state)

    def __repr__(self) -> str:
        return f"<CompressionExplorer: {self.facts['rows']} x {self.facts['columns']} pixels, {len(self.figures)} variants>"


def quantised(values: Whole, bits: int, kept: int) -> Whole:
    """Values of `bits` bits of which the lowest are forgotten; in their place stands the middle of what they could have been.

    Parameters
    ----------
    values
        Not negative.
    bits, kept
        Bits before and after.
    """
    if kept >= bits:
        return values
    step = 1 << bits - kept
    return values // step * step + step // 2


def _slice() -> Dataset:
    from dicomlab import phantom

    return phantom.ct_datasets(phantom.ct_truth(phantom.CT_PET_FRAME, (1, 256, 256), "axial"))[0]


def _cropped(plane: Values) -> Values:
    starts = [max(0, (size - _SIDE) // 2) for size in plane.shape]
    return np.ascontiguousarray(plane[starts[0] : starts[0] + _SIDE, starts[1] : starts[1] + _SIDE])


def _aspect(dataset: Dataset) -> float:
    try:
        rows, columns = (float(one) for one in dataset.PixelSpacing)
        ratio = rows / columns
    except (AttributeError, TypeError, ValueError, ZeroDivisionError):
        return 1.0
    return ratio if 0.1 < ratio < 10 else 1.0


def _windows(original: Whole, pixels: Pixels, low: int) -> list[tuple[str, float, float]]:
    real = pixels.slope * (np.array([original.min(), original.max()]) + low) + pixels.intercept
    whole = ("Whole range", float(real.mean()), max(1.0, float(np.ptp(real))))
    return [*_WINDOWS.get(pixels.units, ()), whole]


def _packed(values: Values) -> str:
    return base64.b64encode(zlib.compress(np.ascontiguousarray(values).tobytes(), 6)).decode("ascii")


def _told(
    strength: float | str, size: int, native: int, difference: Whole, bits: int, slope: float
) -> dict[str, Any]:
    """One variant: sizes and errors. PSNR counts from the largest value that the bits can have."""
    rms = float(np.sqrt(np.mean(difference.astype(np.float64) ** 2)))
    return {
        "strength": strength,
        "size": size,
        "ratio": native / size,
        "max": float(abs(slope) * np.abs(difference).max()),
        "rms": abs(slope) * rms,
        "psnr": None if rms == 0 else float(20 * np.log10(((1 << bits) - 1) / rms)),
    }


def _fewer_bits(original: Whole, bits: int, slope: float, native: int) -> dict[str, Any]:
    kept = (
        [one for one in _KEPT if one <= bits]
        if bits in _KEPT
        else [bits, *(one for one in _KEPT if one < bits)]
    )
    count = original.size
    variants = [
        _told(one, -(-count * one // 8), native, quantised(original, bits, one) - original, bits, slope)
        for one in kept
    ]
    return {
        "name": "Fewer bits",
        "kind": "bits",
        "strength": "bits kept",
        "unit": "",
        "syntax": "",
        "method": "",
        "variants": variants,
    }


def _lossy(name: str, codec: Lossy, original: Whole, bits: int, slope: float, native: int) -> dict[str, Any]:
    low, high = int(original.min()), max(int(original.max()), int(original.min()) + 1)
    narrow = codec.bits < bits
    variants = []
    for strength in codec.strengths:
        if narrow:
            top = (1 << codec.bits) - 1
            given = np.rint((original - low) * (top / (high - low))).astype(np.uint8)
        else:
            given = original.astype(np.uint8 if codec.bits == 8 else np.uint16)
        stream = codec.encode(given, bits if codec.bits > 8 else 8, strength)
        decoded = codec.decode(stream).astype(np.int64)
        if narrow:
            decoded = np.rint(decoded * ((high - low) / top)).astype(np.int64) + low
        difference = decoded - original
        one = _told(strength, len(stream), native, difference, bits, slope)
        variants.append({**one, "difference": _packed(difference.astype("<i2" if bits < 16 else "<i4"))})
    return {
        "name": name,
        "kind": "lossy",
        "strength": codec.strength,
        "unit": " dB" if codec.syntax == uid.JPEG2000 else "",
        "syntax": uid.UID(codec.syntax).name,
        "method": codec.method,
        "narrowed": (high - low) / ((1 << codec.bits) - 1) * abs(slope) if narrow else 0,
        "variants": variants,
    }


def _lossless(plane: Values, stored: int) -> dict[str, Any]:
    """Each is decoded again by the reader of dicomlab before it is called lossless."""
    variants = []
    for name, (syntax, encode) in LOSSLESS.items():
        stream = encode(plane, stored)
        difference = undone(stream, syntax, plane, stored).astype(np.int64) - plane.astype(np.int64)
        variants.append(_told(name, len(stream), plane.nbytes, difference, stored, 1.0))
    deflated = _told("Deflated", deflated_size(plane), plane.nbytes, np.zeros((1, 1), np.int64), stored, 1.0)
    return {
        "name": "Lossless",
        "kind": "lossless",
        "strength": "codec",
        "unit": "",
        "syntax": "",
        "method": "",
        "variants": [deflated, *variants],
    }
