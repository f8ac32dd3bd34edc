"""``volume.dicom``: out to other libraries and formats."""

from __future__ import annotations

import importlib
import os
from typing import TYPE_CHECKING, Any

from dicomlab.accessor.bound import Bound

if TYPE_CHECKING:
    import highdicom as hd
    import nibabel as nib
    import SimpleITK as sitk
    import trimesh
    from pydicom.dataset import Dataset

    from dicomlab.masks import Label
    from dicomlab.read.picking import Source
    from dicomlab.surfaces import Style

__all__ = ["Exchange"]


class Exchange(Bound):
    """What other libraries and formats take; see ``docs/exchange.md``. The way back is in `dicomlab.extras`."""

    def to_sitk(self) -> sitk.Image:
        """A `SimpleITK.Image`, LPS mm; see `dicomlab.extras.sitk.to_sitk`."""
        image: sitk.Image = _extra("sitk").to_sitk(self._volume)
        return image

    def to_nibabel(self) -> nib.nifti1.Nifti1Image:
        """A `nibabel.Nifti1Image`, RAS mm; see `dicomlab.extras.nifti.to_nibabel`."""
        image: nib.nifti1.Nifti1Image = _extra("nifti").to_nibabel(self._volume)
        return image

    def to_highdicom(self) -> hd.Volume:
        """A `highdicom.Volume`, LPS mm; see `dicomlab.extras.highdicom.to_highdicom`."""
        made: hd.Volume = _extra("highdicom").to_highdicom(self._volume)
        return made

    def to_seg(
        self, name: str | Label | None = None, *, source: Source | None = None, **options: Any
    ) -> hd.seg.Segmentation:
        """A mask as a DICOM Segmentation, to ``.save_as(path)``; see `dicomlab.extras.seg.to_seg`, also for ``options``."""
        made: hd.seg.Segmentation = _extra("seg").to_seg(self._volume, name, source=source, **options)
        return made

    def save_seg(
        self,
        path: str | os.PathLike[str],
        name: str | Label | None = None,
        *,
        source: Source | None = None,
        overwrite: bool = False,
        **options: Any,
    ) -> None:
        """Write a mask to a DICOM Segmentation, ``.dcm``; see `dicomlab.extras.seg.to_seg`, also for ``options``."""
        _extra("seg").save_seg(self._volume, path, name, source=source, overwrite=overwrite, **options)

    def save_nifti(
        self,
        path: str | os.PathLike[str],
        *,
        overwrite: bool = False,
        label_file: str | os.PathLike[str] | None = None,
    ) -> None:
        """Write a NIfTI file, ``.nii`` or ``.nii.gz``; see `dicomlab.extras.nifti.save_nifti`."""
        _extra("nifti").save_nifti(self._volume, path, overwrite=overwrite, label_file=label_file)

    def save_nrrd(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> None:
        """Write a NRRD file, ``.nrrd``; see `dicomlab.extras.nrrd.save_nrrd`."""
        _extra("nrrd").save_nrrd(self._volume, path, overwrite=overwrite)

    def save_ome_zarr(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> None:
        """Write an OME-Zarr, a folder ``.zarr``; see `dicomlab.extras.ome_zarr.save_ome_zarr`."""
        _extra("ome_zarr").save_ome_zarr(self._volume, path, overwrite=overwrite)

    def to_rtstruct(self, name: str | None = None, *, source: Any = None, **about: Any) -> Dataset:
        """A mask as a pydicom data set, an RT Structure Set; see `dicomlab.extras.rtstruct.to_rtstruct`."""
        made: Dataset = _extra("rtstruct").to_rtstruct(self._volume, name, source=source, **about)
        return made

    def save_rtstruct(
        self,
        path: str | os.PathLike[str],
        name: str | None = None,
        *,
        source: Any = None,
        overwrite: bool = False,
        **about: Any,
    ) -> None:
        """Write a mask as an RT Structure Set, ``.dcm``; see `dicomlab.extras.rtstruct.save_rtstruct`."""
        _extra("rtstruct").save_rtstruct(
            self._volume, path, name, source=source, overwrite=overwrite, **about
        )

    def to_mesh(
        self, *, label: int | str | None = None, style: Style = "midway", smooth_mm: float = 0.0
    ) -> trimesh.Trimesh:
        """The surface of one label of a mask, LPS mm; see `dicomlab.extras.mesh.to_mesh`."""
        made: trimesh.Trimesh = _extra("mesh").to_mesh(
            self._volume, label=label, style=style, smooth_mm=smooth_mm
        )
        return made

    def save_mesh(
        self,
        path: str | os.PathLike[str],
        *,
        label: int | str | None = None,
        style: Style = "midway",
        smooth_mm: float = 0.0,
        overwrite: bool = False,
    ) -> None:
        """Write surfaces of a mask, ``.stl``, ``.ply``, ``.obj``, ``.glb``, ``.gltf``; see `dicomlab.extras.mesh.save_mesh`."""
        _extra("mesh").save_mesh(
            self._volume, path, label=label, style=style, smooth_mm=smooth_mm, overwrite=overwrite
        )


def _extra(room: str) -> Any:
    # The rooms of `extras` stand on a higher floor, which opens when somebody goes there.
    return importlib.import_module(f"dicomlab.extras.{room}")
