"""Which descriptions of pixels (PS3.3 C.7.6.3, PS3.5 8) dicomlab reads, decided from the header alone."""

from __future__ import annotations

from pydicom import uid

from dicomlab.read import codecs
from dicomlab.read.headers import Instance

__all__ = ["CELLS", "DEFLATED_FRAME", "FLOATS", "NATIVE", "photometric_of", "why_unsupported"]

NATIVE = (
    uid.ImplicitVRLittleEndian,
    uid.ExplicitVRLittleEndian,
    uid.ExplicitVRBigEndian,
    uid.DeflatedExplicitVRLittleEndian,
)
_ENCAPSULATED_NATIVE = "1.2.840.10008.1.2.1.98"
DEFLATED_FRAME = "1.2.840.10008.1.2.8.1"
CELLS = (*NATIVE, _ENCAPSULATED_NATIVE, DEFLATED_FRAME, uid.RLELossless)
"""Transfer syntaxes that keep every bit of a pixel cell, those above Bits Stored too."""
_REFUSED = {
    ": it uses part 2 of JPEG 2000": (uid.JPEG2000MCLossless, uid.JPEG2000MC),
    ": its frames lie on a server": (
        uid.JPIPHTJ2KReferenced,
        "1.2.840.10008.1.2.4.94",
        "1.2.840.10008.1.2.4.95",
    ),
    ": it is a video": tuple(f"1.2.840.10008.1.2.4.{k}{f}" for k in range(100, 109) for f in ("", ".1")),
}
_COLOURS = {"RGB", "YBR_FULL", "YBR_FULL_422", "YBR_ICT", "YBR_RCT"}
_GREYS = {"MONOCHROME1", "MONOCHROME2", "PALETTE COLOR"}
FLOATS = {"FloatPixelData": 32, "DoubleFloatPixelData": 64}
"""Bits of pixel data that are floats, by keyword."""


def photometric_of(instance: Instance) -> str:
    """Photometric Interpretation (0028,0004), or what it must be where it is absent."""
    stated = instance.text("PhotometricInterpretation").upper()
    return stated or ("RGB" if instance.integer("SamplesPerPixel", 1) == 3 else "MONOCHROME2")


def why_unsupported(instance: Instance) -> str | None:
    """Why the pixels cannot be read, or None."""
    span, syntax = instance.pixels, instance.transfer_syntax
    if not syntax.is_valid:  # any text, anybody's
        return "its Transfer Syntax UID (0002,0010) is no UID"
    if syntax not in CELLS and syntax not in codecs.KNOWN:
        kind = next((kind for kind, syntaxes in _REFUSED.items() if syntax in syntaxes), "")
        return f"its transfer syntax {syntax} ({syntax.name}) is not read{kind}; `gdcmconv --raw` may write it uncompressed"
    if span is not None and (span.length is None) != (syntax not in NATIVE):
        has, kind = ("no length", "uncompressed") if span.length is None else ("a length", "compressed")
        return f"its pixel data have {has}, though its transfer syntax ({syntax.name}) is {kind}: nobody knows what they are"
    samples, photometric = instance.integer("SamplesPerPixel", 1), photometric_of(instance)
    if samples not in (1, 3):
        return f"Samples per Pixel (0028,0002) is {samples}; 1 and 3 are read"
    if photometric not in (_GREYS if samples == 1 else _COLOURS):
        return f"Photometric Interpretation (0028,0004) is {photometric[:16]!r} with {samples} sample(s) a pixel: not read"
    if photometric in ("YBR_ICT", "YBR_RCT") and syntax in CELLS:
        return f"Photometric Interpretation {photometric} exists in JPEG 2000 only, its transfer syntax is {syntax.name}"
    if instance.integer("Rows", 0) < 1 or instance.integer("Columns", 0) < 1:
        return "Rows (0028,0010) or Columns (0028,0011) is missing"
    if span is not None and span.keyword in FLOATS:
        if samples != 1 or photometric == "PALETTE COLOR" or syntax not in NATIVE:
            return f"{span.keyword} with colour or compression, which the standard does not have"
        return None
    allocated, stored = instance.integer("BitsAllocated", 0), instance.integer("BitsStored", 0)
    if allocated not in (1, 8, 16, 32, 64) or not 0 < stored <= allocated:
        return f"Bits Allocated {allocated} with Bits Stored {stored} is not read"
    if instance.integer("HighBit", stored - 1) != stored - 1:
        return f"High Bit {instance.integer('HighBit', -1)} with Bits Stored {stored}: a layout that DICOM retired"
    signed = instance.integer("PixelRepresentation", -1)
    if signed not in (0, 1):
        return "Pixel Representation (0028,0103) is missing: signed or unsigned values, nobody knows"
    if samples == 3 and (signed or allocated not in (8, 16)):
        return f"colour of {'signed ' if signed else ''}{allocated} bits a sample, which the standard does not have"
    if allocated == 1 and (signed or photometric == "PALETTE COLOR"):
        return "signed values or a palette with one bit a pixel, which the standard does not have"
    pairs = photometric == "YBR_FULL_422" and syntax in CELLS
    if pairs and (instance.integer("Columns", 0) % 2 or instance.integer("PlanarConfiguration", 0)):
        return (
            "YBR_FULL_422 with an odd number of columns or colour by plane, where its pairs have no meaning"
        )
    if pairs and syntax == uid.RLELossless:
        return "YBR_FULL_422 in RLE, which has no place for pairs"
    return None
