"""The ordinary kinds of series (`KINDS`) and their ordinary faults and rarer forms (`FAULTS`), written with known truth."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

from dicomlab.phantom.kinds import dose, enhanced, mosaic, places, repeats, stored
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
        ("CT, run-length encoded", stored.rle),
        ("Siemens mosaic, slices along r x c", mosaic.mosaic_ascending),
        ("RT dose, offsets are z", dose.dose_absolute),
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
