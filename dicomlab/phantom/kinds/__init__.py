"""The ordinary kinds of series (`KINDS`) and their ordinary faults and rarer forms (`FAULTS`), written with known truth."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

from dicomlab.phantom.kinds import dose, enhanced, faults, files, mosaic, places, rarer, repeats, stored
from dicomlab.phantom.kinds.sample import Sample

__all__ = ["FAULTS", "KINDS", "Kind", "Sample", "write_kind"]


@dataclass(frozen=True)
class Kind:
    """One kind of series.

    Parameters
    ----------
    name
        Key in `KINDS` or `FAULTS`.
    title
        What it is, in a few words.
    write
        Writes it into a folder, which is made when missing, and returns its truth.
    """

    name: str
    title: str
    write: Callable[[Path], Sample]


def _table(rows: list[tuple[str, Callable[[Path], Sample]]]) -> Mapping[str, Kind]:
    # The name of the kind is that of the function that writes it.
    return MappingProxyType({write.__name__: Kind(write.__name__, title, write) for title, write in rows})


KINDS: Final[Mapping[str, Kind]] = _table(
    [
        ("CT, file names and numbers in random order", places.axial_ct),
        ("sagittal MR numbered against the position", places.sagittal_mr),
        ("doubly oblique MR, row spacing ≠ column spacing", places.oblique_mr),
        ("CT feet first, prone", places.feet_first_prone),
        ("CT with tilted gantry", places.gantry_tilt),
        ("CT with a missing slice", places.missing_slice),
        ("CT with two slice spacings", places.uneven_spacing),
        ("CT with a doubled slice", places.doubled_slice),
        ("CT with its localizer in the series", places.localizer_inside),
        ("PET, rescale slope per slice", stored.pet_slopes),
        ("MR with Modality LUT", stored.modality_lut),
        ("MONOCHROME1 CT", stored.monochrome1),
        ("CT, signed 12 bits in 16, high bits not empty", stored.high_bits),
        ("CT, JPEG-LS", stored.jpeg_ls),
        ("dynamic MR (4-D), classic files", repeats.dynamic),
        ("MR echoes × magnitude and phase", repeats.echoes_phases),
        ("diffusion MR, b-values and gradients", repeats.diffusion),
        ("enhanced CT, oblique, frames shuffled, rescale per frame", enhanced.enhanced_ct),
        ("enhanced MR, 4-D", enhanced.enhanced_mr),
        ("enhanced PET", enhanced.enhanced_pet),
        ("legacy-converted enhanced CT", enhanced.legacy_converted_ct),
        ("enhanced MR with two stacks", enhanced.two_stacks),
        ("Siemens mosaic, reversed slice normal", mosaic.mosaic),
        ("RT dose", dose.dose),
        ("cardiac cine MR by trigger time", repeats.cardiac_cine),
    ]
)
"""The 25 ordinary kinds of series, by name."""

FAULTS: Final[Mapping[str, Kind]] = _table(
    [
        ("CT of a tilted gantry that does not say so", faults.tilt_untagged),
        ("CT of two frames of reference", faults.mixed_frame_of_reference),
        ("CT, signed and unsigned slices", faults.mixed_pixel_representation),
        ("CT, MONOCHROME1 and MONOCHROME2 slices", faults.mixed_photometric_interpretation),
        ("CT with a slice beside the others", faults.wandering_origin),
        ("CT, direction cosines 2e-3 from perpendicular", faults.cosines_off),
        ("CT, direction cosines 5e-2 from perpendicular", faults.cosines_broken),
        ("MR whose spacing tag contradicts its positions", faults.spacing_contradicts),
        ("CT with two different pictures at one position", faults.doubled_slice_differs),
        ("CT with a truncated file", files.truncated_file),
        ("CT with a damaged compressed picture", files.undecodable),
        ("CT with Rescale Slope 0", faults.rescale_zero),
        ("CT with Rescale Slope NaN", faults.rescale_nan),
        ("CT with Rescale Slope a word", faults.rescale_text),
        ("CT with decimal commas", files.decimal_commas),
        ("dynamic MR that lacks one image", faults.incomplete_4d),
        ("CT without preamble and meta header", files.no_preamble),
        ("CT, deflated", files.deflated),
        ("CT, big endian", files.big_endian),
        ("CT, run-length encoded", stored.rle),
        ("CT on a medium with DICOMDIR", files.dicomdir),
        ("CT in a zip archive", files.zip_archive),
        ("MR with real-world values by slope", rarer.real_world_slope),
        ("MR with real-world values by table", rarer.real_world_lut),
        ("parametric map of floats", rarer.parametric_map),
        ("Siemens mosaic, slices along r x c", mosaic.mosaic_ascending),
        ("RT dose, offsets are z", dose.dose_absolute),
        ("ultrasound cine", rarer.us_cine),
        ("angiographic cine", rarer.xa_cine),
        ("planar nuclear image, energy windows x detectors", rarer.nm_static),
    ]
)
"""Faults, and rarer forms of the kinds, by name."""


def write_kind(name: str, folder: str | os.PathLike[str]) -> Sample:
    """Write one of `KINDS` or `FAULTS` into a folder and return its truth.

    Parameters
    ----------
    name
        Key of `KINDS` or `FAULTS`.
    folder
        Made when missing; should be empty.

    Raises
    ------
    KeyError
        There is no such kind.

    Examples
    --------
    >>> from dicomlab import phantom
    >>> sample = phantom.write_kind("gantry_tilt", tmp_path)
    >>> sample.values.shape, sample.units, sample.findings
    ((9, 28, 36), 'HU', ('gantry_tilt',))
    >>> sample.lps([8, 0, 0]) - sample.lps([0, 0, 0])  # the table moved along z; the slices lean
    array([ 0.,  0., 40.])
    """
    kinds = {**KINDS, **FAULTS}
    if name not in kinds:
        raise KeyError(f"no kind is called {name!r}; there are {', '.join(kinds)}")
    return kinds[name].write(Path(folder))
