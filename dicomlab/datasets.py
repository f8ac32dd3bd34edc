"""A Dataset where a volume is asked for: `take_one` says which of its variables may be meant."""

from __future__ import annotations

import xarray as xr

from dicomlab.errors import GeometryError

__all__ = ["NoVolumeError", "WrongDoor", "take_one"]


def take_one(dataset: xr.Dataset) -> str:
    """What to do instead, to somebody who gave a Dataset; it ends with an expression that is a volume."""
    names = [str(name) for name in dataset.data_vars]
    if not names:
        return "a volume was asked for; found a Dataset that holds no variable"
    more = f" and {len(names) - 10} more" if len(names) > 10 else ""
    return (
        f"a volume was asked for; found a Dataset, which holds {', '.join(names[:10])}{more}. Take the variable that is meant: "
        f"dataset[{names[0]!r}]"
    )


class WrongDoor:
    """``dataset.dicom``: a Dataset has no place in the patient, its variables have.

    Examples
    --------
    >>> import numpy as np
    >>> from dicomlab import make_volume
    >>> volume = make_volume(np.zeros((2, 3, 4)), affine=np.eye(4)[[2, 1, 0, 3]], name="ct")
    >>> volume.to_dataset().dicom
    <a volume was asked for; found a Dataset, which holds ct. Take the variable that is meant: dataset['ct']>
    """

    def __init__(self, dataset: xr.Dataset) -> None:
        self._dataset = dataset

    def __getattr__(self, name: str) -> object:
        if name.startswith("_"):  # asked for by Python and notebooks, not by the user
            raise AttributeError(name)
        raise NoVolumeError(take_one(self._dataset))

    def __repr__(self) -> str:
        return f"<{take_one(self._dataset)}>"


class NoVolumeError(GeometryError, AttributeError):
    """For who only asks whether there is such an attribute, it is an AttributeError."""
