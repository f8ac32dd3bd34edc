"""Masks as meshes of triangles (``pip install 'dicomlab[mesh]'``): `to_mesh`, `to_scene`, `save_mesh`.

Meshes are trimesh's, in LPS mm: what ``volume.dicom.lps`` says of a voxel holds for the vertices around it. So are files STL,
PLY and OBJ, which say ``SPACE=LPS`` in their header or a comment, as 3D Slicer writes and reads it. A glTF is in metres, turned
as that format wants it.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from dicomlab.errors import DicomLabError
from dicomlab.optional import optional
from dicomlab.surfaces import Style, Surface, surfaces
from dicomlab.writing import written

if TYPE_CHECKING:
    import trimesh

__all__ = ["save_mesh", "to_mesh", "to_scene"]

_SUFFIXES = (".stl", ".ply", ".obj", ".glb", ".gltf")
_SAID = "dicomlab. SPACE=LPS. Unit mm"
"""What a file says of itself; 3D Slicer looks for ``SPACE=LPS`` in it."""


def to_mesh(
    mask: xr.DataArray, *, label: int | str | None = None, style: Style = "midway", smooth_mm: float = 0.0
) -> trimesh.Trimesh:
    """The surface of one label as a `trimesh.Trimesh`, LPS mm, closed, faces outwards.

    Parameters
    ----------
    mask
        Any mask, of one step; on any grid, also uneven, tilted or oblique.
    label
        The name or number of a label; None where there is only one.
    style, smooth_mm
        How it goes along the voxels: see `dicomlab.surfaces.surfaces`.

    Raises
    ------
    MissingDependencyError
        trimesh is not installed.
    DicomLabError
        There are several labels and none was chosen, or the one has no voxels.
    GeometryError
        The mask has no place in the patient, or nobody knows how far its voxels reach.

    Examples
    --------
    >>> import numpy as np
    >>> from dicomlab import make_volume
    >>> cube = make_volume(np.ones((2, 3, 4), bool), affine=np.diag([5.0, 1.0, 1.0, 1.0])[[2, 1, 0, 3]])
    >>> mesh = to_mesh(cube, style="voxels")
    >>> mesh.is_watertight, round(float(mesh.volume), 6), mesh.units
    (True, 120.0, 'mm')
    """
    package = _trimesh()
    found = _one(surfaces(mask, style=style, smooth_mm=smooth_mm, label=label))
    mesh: trimesh.Trimesh = _coloured(package, found)
    return mesh


def to_scene(
    mask: xr.DataArray, *, label: int | str | None = None, style: Style = "midway", smooth_mm: float = 0.0
) -> trimesh.Scene:
    """The surfaces of all labels as a `trimesh.Scene`, LPS mm: one mesh a label, by name, in its colour.

    Parameters
    ----------
    mask, label, style, smooth_mm
        As for `to_mesh`; None takes every label that has voxels.

    Raises
    ------
    MissingDependencyError, DicomLabError, GeometryError
        As `to_mesh`.

    Warns
    -----
    DicomLabWarning
        Some labels have no voxels.

    Examples
    --------
    >>> import numpy as np
    >>> from dicomlab import make_volume
    >>> organs = make_volume(np.array([[[1, 1, 2]]], np.uint8), affine=np.eye(4)[[2, 1, 0, 3]])
    >>> list(to_scene(organs.dicom.with_labels(["liver", "spleen"])).geometry)
    ['liver', 'spleen']
    """
    package = _trimesh()
    found = surfaces(mask, style=style, smooth_mm=smooth_mm, label=label)
    meshes = {name: _coloured(package, one) for name, one in _by_name(found).items()}
    scene: trimesh.Scene = _scene(package, meshes)
    return scene


def save_mesh(
    mask: xr.DataArray,
    path: str | os.PathLike[str],
    *,
    label: int | str | None = None,
    style: Style = "midway",
    smooth_mm: float = 0.0,
    overwrite: bool = False,
) -> None:
    """Write surfaces of a mask to a file, there whole or not at all.

    Parameters
    ----------
    mask, label, style, smooth_mm
        As for `to_scene`.
    path
        Its ending is the format. ``.stl`` and ``.ply`` (both binary) hold one label, ``.obj``, ``.glb`` and ``.gltf`` all, by
        name; all but STL have colours. STL, PLY, OBJ: LPS mm. glTF: metres, x to the patient's left, y to the head, z to
        the front, as its standard has it (+Y up, +Z the front of a thing).
    overwrite
        Whether a file that is there already may be replaced.

    Raises
    ------
    MissingDependencyError, GeometryError
        As `to_mesh`.
    OverwriteError
        Something is there already.
    DicomLabError
        As `to_mesh`; the ending is another one, or several labels were to go into STL or PLY.

    References
    ----------
    Khronos glTF 2.0, 3.4 "Coordinate System and Units".
    """
    package = _trimesh()
    with written(path, overwrite=overwrite, suffixes=_SUFFIXES) as part:
        suffix = part.suffix.lower()
        found = surfaces(mask, style=style, smooth_mm=smooth_mm, label=label)
        if suffix in (".stl", ".ply"):
            made = _one_mesh_file(package, _coloured(package, _one(found)), suffix)
        elif suffix == ".obj":
            made = _obj(package, found)
        else:
            made = _gltf(package, found, suffix)
        part.write_bytes(made)


def _trimesh() -> Any:
    return optional("trimesh", purpose="A mesh", extra="mesh")


def _one(found: list[Surface]) -> Surface:
    if len(found) > 1:
        names = ", ".join(one.label.name for one in found)
        raise DicomLabError(
            f"one mesh was asked for, and there are {len(found)} labels: {names}. Choose one by label=, or keep them apart: "
            "to_scene(mask), or a file .obj, .glb or .gltf."
        )
    return found[0]


def _by_name(found: list[Surface]) -> dict[str, Surface]:
    """Surfaces by names that fit on one line and are there once."""
    made: dict[str, Surface] = {}
    for one in found:
        name = " ".join("".join(c if c.isprintable() else " " for c in one.label.name).split())
        made[f"{name} {one.label.value}" if name in made else name] = one
    return made


def _coloured(package: Any, surface: Surface) -> Any:
    mesh = package.Trimesh(
        surface.vertices,
        surface.faces,
        process=False,
        vertex_colors=np.tile(np.array([*surface.label.rgb, 255], np.uint8), (len(surface.vertices), 1)),
        metadata={"name": surface.label.name},
    )
    mesh.units = "mm"
    return mesh


def _scene(package: Any, meshes: dict[str, Any]) -> Any:
    scene = package.Scene()
    for name, mesh in meshes.items():
        scene.add_geometry(mesh, geom_name=name, node_name=name)
    return scene


def _one_mesh_file(package: Any, mesh: Any, suffix: str) -> bytes:
    if suffix == ".stl":
        made: bytes = package.exchange.stl.export_stl(mesh)
        return _SAID.encode("ascii").ljust(80) + made[80:]
    made = package.exchange.ply.export_ply(mesh, include_attributes=False)
    first, rest = made.split(b"\nelement", 1)
    kept = b"\n".join(line for line in first.splitlines() if not line.startswith(b"comment"))
    name = mesh.metadata["name"].encode("ascii", "replace").decode("ascii")
    said = "".join(f"\ncomment {line}" for line in (_SAID, " ".join(f"label {name}".split())))
    return kept + said.encode("ascii") + b"\nelement" + rest


def _obj(package: Any, found: list[Surface]) -> bytes:
    scene = _scene(package, {name: _coloured(package, one) for name, one in _by_name(found).items()})
    text: str = package.exchange.obj.export_obj(
        scene, include_normals=False, include_texture=False, header=_SAID
    )
    return text.encode("utf-8")


def _gltf(package: Any, found: list[Surface], suffix: str) -> bytes:
    meshes = {}
    for name, one in _by_name(found).items():
        x, y, z = one.vertices.T / 1000
        mesh = package.Trimesh(np.stack([x, z, -y], axis=1), one.faces, process=False)
        share = np.array(one.label.rgb) / 255
        # The factor is of light; colours on screens are not (IEC 61966-2-1).
        light = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
        material = package.visual.material.PBRMaterial(
            name=name, baseColorFactor=[*light.tolist(), 1.0], metallicFactor=0.0, roughnessFactor=0.8
        )
        mesh.visual = package.visual.TextureVisuals(material=material)
        meshes[name] = mesh
    scene = _scene(package, meshes)
    scene.metadata["dicomlab"] = "metres; x: left, y: head, z: front of the patient"
    if suffix == ".glb":
        made: bytes = package.exchange.gltf.export_glb(scene, include_normals=True)
        return made
    files: dict[str, bytes] = package.exchange.gltf.export_gltf(
        scene, include_normals=True, embed_buffers=True
    )
    return files["model.gltf"]
