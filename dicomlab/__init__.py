"""dicomlab: DICOM series as labelled xarray volumes in patient millimetres, browsed in a notebook.

>>> import dicomlab as dl
>>> volume = dl.load_volume("some/folder")       # doctest: +SKIP
>>> dl.browse(volume)                            # doctest: +SKIP
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from dicomlab import accessor as _accessor  # registers volume.dicom

if TYPE_CHECKING:
    import dicomlab.phantom as phantom
    import dicomlab.segment as segment
    import dicomlab.teach as teach
    from dicomlab.cohort import map_series
    from dicomlab.errors import DicomLabError, DicomLabWarning
    from dicomlab.export import write_series
    from dicomlab.extras.rtstruct import load_contours, load_rtstruct
    from dicomlab.extras.seg import load_segmentation
    from dicomlab.findings import Finding
    from dicomlab.geometry import Geometry
    from dicomlab.measure import compare_masks, region_stats
    from dicomlab.privacy import show_identity
    from dicomlab.read import Series, SeriesList, Stack, find_series, load_overlays, load_volume, open_volume
    from dicomlab.read.explained import explain
    from dicomlab.regrid import mip, resample, resample_like, reslice
    from dicomlab.tables import compare_headers, header_table, keyword_table, varying
    from dicomlab.view.browser import SliceBrowser, browse
    from dicomlab.view.compare import compare
    from dicomlab.view.link import link
    from dicomlab.view.roi import Roi
    from dicomlab.view.static import montage, orthoview, show
    from dicomlab.voi import VoiLut, Window, apply_window
    from dicomlab.volumes import make_volume
    from dicomlab.windowing import WINDOWS

__version__ = "0.1.0"

# Where each public name lives. Rooms load when a name is first used (PEP 562), so that `import dicomlab` costs little more
# than xarray and brings in no screen.
_HOMES = {
    "DicomLabError": "errors",
    "DicomLabWarning": "errors",
    "Finding": "findings",
    "Geometry": "geometry",
    "Roi": "view.roi",
    "Series": "read",
    "SeriesList": "read",
    "SliceBrowser": "view.browser",
    "Stack": "read",
    "VoiLut": "voi",
    "WINDOWS": "windowing",
    "Window": "voi",
    "apply_window": "voi",
    "browse": "view.browser",
    "compare": "view.compare",
    "compare_headers": "tables",
    "compare_masks": "measure",
    "explain": "read.explained",
    "find_series": "read",
    "header_table": "tables",
    "keyword_table": "tables",
    "link": "view.link",
    "load_segmentation": "extras.seg",
    "load_contours": "extras.rtstruct",
    "load_overlays": "read",
    "load_rtstruct": "extras.rtstruct",
    "load_volume": "read",
    "make_volume": "volumes",
    "map_series": "cohort",
    "mip": "regrid",
    "montage": "view.static",
    "open_volume": "read",
    "orthoview": "view.static",
    "phantom": "",
    "region_stats": "measure",
    "resample": "regrid",
    "resample_like": "regrid",
    "reslice": "regrid",
    "segment": "",
    "show": "view.static",
    "show_identity": "privacy",
    "teach": "",
    "varying": "tables",
    "write_series": "export",
}

__all__ = [
    "WINDOWS",
    "DicomLabError",
    "DicomLabWarning",
    "Finding",
    "Geometry",
    "Roi",
    "Series",
    "SeriesList",
    "SliceBrowser",
    "Stack",
    "VoiLut",
    "Window",
    "apply_window",
    "browse",
    "compare",
    "compare_headers",
    "compare_masks",
    "explain",
    "find_series",
    "header_table",
    "keyword_table",
    "link",
    "load_contours",
    "load_overlays",
    "load_rtstruct",
    "load_segmentation",
    "load_volume",
    "make_volume",
    "map_series",
    "mip",
    "montage",
    "open_volume",
    "orthoview",
    "phantom",
    "region_stats",
    "resample",
    "resample_like",
    "reslice",
    "segment",
    "show",
    "show_identity",
    "teach",
    "varying",
    "write_series",
]

# What people look for here: where it is instead.
_ELSEWHERE = {
    "load_nifti": "from dicomlab.extras.nifti import load_nifti",
    "from_nibabel": "from dicomlab.extras.nifti import from_nibabel",
    "load_nrrd": "from dicomlab.extras.nrrd import load_nrrd",
    "from_sitk": "from dicomlab.extras.sitk import from_sitk",
    "from_highdicom": "from dicomlab.extras.highdicom import from_highdicom",
    "to_sr": "from dicomlab.extras.report import to_sr",
    "save_sr": "from dicomlab.extras.report import save_sr",
    "mask_like": "from dicomlab.masks import mask_like",
    "with_labels": "from dicomlab.masks import with_labels",
    "load_ome_zarr": "from dicomlab.extras.ome_zarr import load_ome_zarr",
    **{
        verb: f"it is a verb of volumes, volume.dicom.{verb}(…)"
        for verb in ("average", "crop_to", "curved", "minip", "profile", "rectify", "regularize", "reorient")
    },
}

del _accessor


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        elsewhere = _ELSEWHERE.get(name, f"public names are {', '.join(__all__)}")
        raise AttributeError(f"module 'dicomlab' has no attribute {name!r}; {elsewhere}")
    home = _HOMES[name]
    value = (
        importlib.import_module(f"dicomlab.{name}")
        if not home
        else getattr(importlib.import_module(f"dicomlab.{home}"), name)
    )
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
