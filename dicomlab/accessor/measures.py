"""``volume.dicom``: tables of what lies in a mask."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import xarray as xr

from dicomlab.accessor.bound import Bound

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Measures"]


class Measures(Bound):
    """Statistics of labels; see `dicomlab.measure`."""

    def stats(
        self,
        mask: xr.DataArray,
        *,
        percentiles: Sequence[float] = (5, 25, 75, 95),
        surface: bool = True,
        mesh: bool = False,
        diameters: bool = True,
    ) -> pd.DataFrame:
        """One row a label of the mask: size, place, mean, percentiles, surface, diameters; see `dicomlab.region_stats`.

        Examples
        --------
        >>> from dicomlab import phantom
        >>> ct = phantom.ct_truth("1.2.3", (8, 32, 40), "axial").volume
        >>> ct.dicom.stats((ct > 300).rename("bone"))["units"]["bone"]
        'HU'
        """
        from dicomlab.measure import region_stats

        return region_stats(
            self._volume, mask, percentiles=percentiles, surface=surface, mesh=mesh, diameters=diameters
        )
