"""Pitfalls of value: numbers that do not mean what they seem to (PS3.3 C.7.6.3, C.11.1)."""

from __future__ import annotations

from typing import Final

from dicomlab.teach.pitfalls import naive
from dicomlab.teach.pitfalls.pitfall import Pitfall

__all__ = ["VALUES"]

VALUES: Final = (
    Pitfall(
        "pet_slopes",
        "Each slice has a slope of its own",
        "Rescale Slope (0028,1053) differs from slice to slice: the whole range of 16 bits is used for each.",
        "PET. Whoever takes the slope of the first slice for all measures an activity that no slice has.",
        naive.by_height,
    ),
    Pitfall(
        "rescale_zero",
        "Rescale Slope is 0",
        "Multiplied by the slope, every voxel is the intercept: the picture is gone. Errors are counted from the stored "
        "values, as nobody knows the true ones.",
        "An empty field of a conversion program, written as a number.",
        naive.by_height,
    ),
    Pitfall(
        "rescale_nan",
        "Rescale Slope is not a number",
        "The attribute holds NaN, which a decimal string must not (PS3.5 6.2) and Python reads gladly.",
        "A division by zero in software that wrote its result without looking.",
        naive.by_height,
    ),
    Pitfall(
        "rescale_text",
        "Rescale Slope is a word",
        "The attribute says “one”.",
        "A form filled in by hand, a template that was never replaced.",
        naive.by_height,
    ),
    Pitfall(
        "modality_lut",
        "A table instead of a line",
        "Stored values mean what a Modality LUT Sequence (0028,3000) says; there is no Rescale Slope, and no straight line "
        "comes near.",
        "Digitised film, some ultrasound and MR. Rare, so that most readers have never met one.",
        naive.by_height,
    ),
    Pitfall(
        "monochrome1",
        "Shown inverted, not stored inverted",
        "Photometric Interpretation is MONOCHROME1: low values are shown bright. The values themselves are what they are.",
        "Radiographs, and some CT and PET. The usual line “if MONOCHROME1: max - array” mends the picture and breaks the "
        "measurement.",
        naive.shown_values,
    ),
    Pitfall(
        "mixed_photometric_interpretation",
        "One slice is shown the other way round",
        "One slice of nine is MONOCHROME1, the others MONOCHROME2. All hold the same Hounsfield units.",
        "Series put together from two sources, or touched by a program that inverts for display.",
        naive.shown_values,
        "slice",
        3,
    ),
    Pitfall(
        "mixed_pixel_representation",
        "Signed and unsigned slices",
        "Every other slice stores signed numbers with intercept 0, the others unsigned ones with intercept -1024. Each is "
        "right by itself.",
        "Lossless recompression and some archives choose the form slice by slice.",
        naive.by_height,
        "slice",
        4,
    ),
    Pitfall(
        "high_bits",
        "There is something above the value",
        "Twelve bits of sixteen are the value; the four above hold something else and must be taken off before the sign is "
        "read (PS3.5 8.1.1).",
        "Old scanners kept overlays in the unused bits.",
        naive.plain_words,
    ),
    Pitfall(
        "dose",
        "A scale that is no rescale",
        "RT Dose has neither Rescale Slope nor Intercept: Dose Grid Scaling (3004,000E) turns stored numbers into gray.",
        "Radiotherapy. Read as a picture, a dose of 30 Gy is a number in the millions.",
        naive.frames_of_dose,
    ),
)
"""In the order of the gallery."""
