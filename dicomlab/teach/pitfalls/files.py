"""Pitfalls of files: damage, old forms, and folders that are none."""

from __future__ import annotations

from typing import Final

from dicomlab.teach.pitfalls import naive
from dicomlab.teach.pitfalls.pitfall import Pitfall

__all__ = ["FILES"]

FILES: Final = (
    Pitfall(
        "truncated_file",
        "A file ends too early",
        "One file is 500 bytes shorter than its pixels. Some readers fill the rest with zeros and say nothing.",
        "A disk that was full, a copy that was stopped.",
        naive.by_number,
        "front",
    ),
    Pitfall(
        "undecodable",
        "A compressed picture is damaged",
        "Thirty-eight bytes of one JPEG-LS picture are zeros, the head of its frame among them.",
        "Bit rot, a bad transfer. Uncompressed, it would be a streak; compressed, the slice is lost.",
        naive.by_number,
        "front",
    ),
    Pitfall(
        "decimal_commas",
        "Decimal commas",
        "Positions and spacing are written 5,3 instead of 5.3. DICOM knows no comma (PS3.5 6.2).",
        "Software that asked its computer how people write numbers there.",
        naive.by_number,
        "front",
    ),
    Pitfall(
        "no_preamble",
        "No preamble, no “DICM”",
        "The files begin with the data set itself: no 128 bytes, no letters, no word on the transfer syntax.",
        "Old archives, and programs that stream data sets to disk as they came from the network.",
        naive.by_number,
        "front",
    ),
    Pitfall(
        "big_endian",
        "The bytes are the other way round",
        "The files are in the retired transfer syntax Explicit VR Big Endian. Each number has its high byte first.",
        "Workstations of the nineties, and whatever was archived from them.",
        naive.plain_words,
    ),
    Pitfall(
        "jpeg_ls",
        "Compressed pixels need a codec",
        "Pixel Data holds JPEG-LS streams, not numbers. Without a decoder nothing can be read, however well the header is.",
        "Most archives compress without loss. Which decoder a package brings is a question of how it was installed.",
        naive.plain_words,
    ),
    Pitfall(
        "dicomdir",
        "A medium with its index",
        "Beside the images lies a DICOMDIR (PS3.3 F): a DICOM file without pixels that lists the others.",
        "Every CD that a patient is given.",
        naive.by_number,
        "front",
    ),
    Pitfall(
        "zip_archive",
        "A folder in a zip archive",
        "The series is inside one zip file.",
        "How images travel by mail and download.",
        naive.by_number,
        "front",
    ),
)
"""In the order of the gallery."""
