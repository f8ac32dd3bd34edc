"""From headers to how their pixels are read: `stored_image`, and `stored_images` of many at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from dicomlab.errors import DicomLabError, UnsupportedError
from dicomlab.read import codecs
from dicomlab.read.alike import Headers
from dicomlab.read.colour import palette
from dicomlab.read.elements import Attributes
from dicomlab.read.headers import Instance
from dicomlab.read.pixelrules import FLOATS, photometric_of, why_unsupported
from dicomlab.read.stored import StoredImage

__all__ = ["check_supported", "stored_image", "stored_images"]


def check_supported(instance: Instance) -> None:
    """Refuse what `stored_image` could not read, before anything is read.

    Raises
    ------
    UnsupportedError
        The transfer syntax, or a bit or colour layout that DICOM retired or never had.
    DicomLabError
        The palette is broken.
    """
    stored_image(instance)


def stored_images(instances: Sequence[Instance]) -> list[StoredImage | DicomLabError]:
    """`stored_image` of every instance, or why there is none.

    What headers say alike is looked up once.
    """
    found: list[StoredImage | DicomLabError | None] = [None] * len(instances)
    # What the description depends on beside the header.
    kinds: dict[tuple[object, ...], list[int]] = {}
    for k, instance in enumerate(instances):
        span = instance.pixels
        said = None if span is None else (span.keyword, span.length is None)
        kinds.setdefault((said, instance.transfer_syntax), []).append(k)
    for places in kinds.values():
        first = instances[places[0]]

        def describe(header: Attributes, like: Instance = first) -> StoredImage | None:
            try:
                return stored_image(Instance(like.file, header.levels[0], like.pixels, like.transfer_syntax))
            except DicomLabError:
                return None  # the message names the file

        members = [instances[k] for k in places]
        for k, image in zip(places, Headers(members).each(describe), strict=True):
            try:
                found[k] = stored_image(instances[k]) if image is None else image.of(instances[k])
            except DicomLabError as problem:
                found[k] = problem
    return cast("list[StoredImage | DicomLabError]", found)


def stored_image(instance: Instance) -> StoredImage:
    """How to read the pixels of an instance; nothing is read yet.

    Raises
    ------
    UnsupportedError, DicomLabError
        As `check_supported`.
    """
    reason = why_unsupported(instance)
    if reason:
        raise UnsupportedError(f"{instance.file}: {reason}")
    span = instance.pixels
    floating = span is not None and span.keyword in FLOATS
    bits = FLOATS[span.keyword] if span is not None and floating else 0
    allocated = bits or instance.integer("BitsAllocated", 0)
    photometric = photometric_of(instance)
    wanted = codecs.Wanted(
        instance.integer("Rows", 0),
        instance.integer("Columns", 0),
        instance.integer("SamplesPerPixel", 1),
        allocated,
        bits or instance.integer("BitsStored", allocated),
        not floating and instance.integer("PixelRepresentation", 0) == 1,
        photometric,
    )
    extended = instance.value("ExtendedOffsetTable")
    return StoredImage(
        instance.file,
        str(instance.transfer_syntax),
        instance.frames,
        span,
        wanted,
        instance.integer("PlanarConfiguration", 0) == 1,
        floating,
        palette(instance) if photometric == "PALETTE COLOR" else None,
        extended if isinstance(extended, bytes) else b"",
    )
