"""Diffusion weighting of an image: b-value, and the direction of the gradient in patient coordinates.

The standard has both (PS3.3 C.8.13.5.9 "MR Diffusion Macro"), and its attributes decide where they are. Makers have their own
elements besides, in frames of their own: Siemens and Philips in patient coordinates, UIH in the axes of the image, GE in the
logical axes of the gradients.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dicomlab.read.csa import csa_header, csa_numbers
from dicomlab.read.elements import Attributes
from dicomlab.read.labels import inside
from dicomlab.read.private import (
    GE_B_VALUE,
    GE_DIRECTIONS,
    GE_GRADIENT,
    PHILIPS_B_VALUE,
    PHILIPS_DIRECTIONALITY,
    PHILIPS_GRADIENT,
    SIEMENS_B_MATRIX,
    SIEMENS_B_VALUE,
    SIEMENS_DIRECTIONALITY,
    SIEMENS_GRADIENT,
    UIH_B_VALUE,
    UIH_GRADIENT,
    Private,
)

__all__ = ["KEYWORDS", "Diffusion", "diffusion"]

FloatArray = npt.NDArray[np.float64]

KEYWORDS = (
    "DiffusionBValue",
    "DiffusionGradientOrientation",
    "DiffusionDirectionality",
    "ImageComments",
    "InPlanePhaseEncodingDirection",
    "ImageOrientationPatient",
    "PatientPosition",
    "Manufacturer",
    "Modality",
    "ScanningSequence",
    "ScanOptions",
    "ImageType",
)
"""Attributes of the top level that are looked at here; those in functional groups come with their groups."""

_KINDS = {
    "NONE": "none",
    "ISOTROPIC": "isotropic",
    "DIRECTIONAL": "directional",
    "BMATRIX": "directional",
}
_MATRIX = tuple(f"DiffusionBValue{axes}" for axes in ("XX", "XY", "XZ", "YY", "YZ", "ZZ"))
_COMMENT = re.compile(r"b=\s*(\d{1,6}(?:\.\d{1,6})?)\s*\(([^)]{1,60})\)")
_MOST = 1e6
"""s/mm² beyond which no scanner goes; more is damage."""


@dataclass(frozen=True, eq=False)
class Diffusion:
    """How an image is weighted by diffusion.

    Parameters
    ----------
    b_value
        In s/mm².
    b_vector
        Unit vector of the gradient in LPS, shape ``(3,)``, whose sign means nothing; None without weighting, for an average
        over directions, and where its frame cannot be established.
    kind
        ``"none"``, ``"directional"``, ``"isotropic"``, or ``""`` when not known.
    source
        What told, for the user.
    stated
        The gradient as its maker states it where its frame cannot be established, shape ``(3,)``: it tells images apart and
        nothing else. None elsewhere.
    """

    b_value: float
    b_vector: FloatArray | None
    kind: str
    source: str
    stated: FloatArray | None = None


def diffusion(attributes: Attributes) -> Diffusion | None:
    """Diffusion weighting of one image or frame; None when nothing tells of any.

    Images without weighting in a series that has it may lack these attributes altogether: then the series must tell.
    """
    if attributes.text("Modality") not in ("MR", ""):
        return None
    for look in (_ge, _standard, _siemens, _philips, _uih, _canon):
        found = look(attributes)
        if found is not None and 0 <= found.b_value < _MOST:
            return found
    return None


def _result(
    b_value: float, vector: FloatArray | None, kind: str, source: str, stated: FloatArray | None = None
) -> Diffusion:
    """With what follows from the rest: no weighting, no direction; a direction, hence directional."""
    length = 0.0 if vector is None or vector.size != 3 else float(np.linalg.norm(vector))
    if b_value == 0 or kind in ("none", "isotropic") or not 1e-3 < length < 1e3:
        vector = None
    else:
        vector = np.asarray(vector) / length
    if b_value == 0:
        kind = "none"
    elif vector is not None:
        kind = "directional"
    return Diffusion(float(b_value), vector, "" if kind == "none" and b_value > 0 else kind, source, stated)


def _standard(attributes: Attributes) -> Diffusion | None:
    near = inside(attributes, "MRDiffusionSequence")
    b_value = near.number("DiffusionBValue")
    kind = _KINDS.get(near.text("DiffusionDirectionality"), "")
    if b_value is None:
        return _result(0.0, None, "none", "Diffusion Directionality (0018,9075)") if kind == "none" else None
    near = inside(near, "DiffusionGradientDirectionSequence")
    vector = near.numbers("DiffusionGradientOrientation")
    source = "Diffusion b-value (0018,9087)"
    known = vector is not None and vector.size == 3 and bool(np.any(vector))
    if known:
        source += " and Diffusion Gradient Orientation (0018,9089)"
    elif kind != "isotropic" and b_value > 0:
        within = inside(near, "DiffusionBMatrixSequence")
        cells = [within.number(keyword) for keyword in _MATRIX]
        numbers = [cell for cell in cells if cell is not None]
        if len(numbers) == 6:
            vector, source = _of_matrix(np.array(numbers)), f"{source} and its b-matrix (0018,9602..9607)"
        else:
            # Makers fill the standard's b-value in and leave the direction to their own elements.
            for look in (_siemens, _philips, _uih, _canon):
                own = look(attributes)
                if own is not None:
                    return _result(
                        b_value, own.b_vector, kind or own.kind, f"{source} and {own.source}", own.stated
                    )
    elif not kind and PHILIPS_DIRECTIONALITY.text(attributes).upper() == "I":
        kind = "isotropic"
    return _result(b_value, vector, kind, source)


def _siemens(attributes: Attributes) -> Diffusion | None:
    b_value, vector = SIEMENS_B_VALUE.number(attributes), SIEMENS_GRADIENT.numbers(attributes)
    kind, matrix = SIEMENS_DIRECTIONALITY.text(attributes), SIEMENS_B_MATRIX.numbers(attributes)
    source = f"{SIEMENS_B_VALUE} and {SIEMENS_GRADIENT} of SIEMENS MR HEADER"
    if b_value is None:
        header = csa_header(attributes)
        numbers = csa_numbers(header, "B_value")
        if numbers is None:
            return None
        b_value, vector = float(numbers[0]), csa_numbers(header, "DiffusionGradientDirection")
        kind = "".join(header.get("DiffusionDirectionality", [])[:1])
        matrix, source = (
            csa_numbers(header, "B_matrix"),
            "B_value and DiffusionGradientDirection in the CSA header",
        )
    if vector is None and matrix is not None and matrix.size == 6:
        vector, source = _of_matrix(matrix), source.replace("DiffusionGradientDirection", "B_matrix")
    return _result(b_value, vector, _KINDS.get(kind.upper(), ""), source)


def _philips(attributes: Attributes) -> Diffusion | None:
    b_value = PHILIPS_B_VALUE.number(attributes)
    if b_value is None:
        return None
    # "I" marks the average over directions, which has a b-value and whatever vector; the other letters are directions.
    kind = "isotropic" if PHILIPS_DIRECTIONALITY.text(attributes).upper() == "I" else ""
    return _result(
        b_value, _together(attributes, PHILIPS_GRADIENT), kind, "(2001,xx03) and (2005,xxB0..xxB2) of Philips"
    )


def _uih(attributes: Attributes) -> Diffusion | None:
    b_value = UIH_B_VALUE.number(attributes)
    if b_value is None:
        return None
    vector, axes = UIH_GRADIENT.numbers(attributes), _axes(attributes)
    if vector is not None and axes is None:
        return _result(
            b_value, None, "", f"{UIH_B_VALUE} of UIH; its vector is in axes that are not given", vector
        )
    turned = vector @ axes if vector is not None and axes is not None and vector.size == 3 else None
    return _result(b_value, turned, "", f"{UIH_B_VALUE} and {UIH_GRADIENT} of UIH, in the image's axes")


def _ge(attributes: Attributes) -> Diffusion | None:
    """GE's own elements, first: where gradients differ in strength, (0018,9087) is the strongest's in all images."""
    stated = GE_B_VALUE.number(attributes)
    vector = _together(attributes, GE_GRADIENT)
    directions = GE_DIRECTIONS.number(attributes)
    echo_planar = "EP" in attributes.texts("ScanningSequence") or "EPI" in attributes.text("ScanOptions")
    if stated is None or not echo_planar:
        return None  # these elements hold whatever else the user of another sequence set
    b_value = stated % 1e9  # newer software adds 10⁹ to mark what it means
    source = f"{GE_B_VALUE} and (0019,xxBB..xxBD) of GE"
    near = inside(attributes, "MRDiffusionSequence", "DiffusionGradientDirectionSequence")
    if near.numbers("DiffusionGradientOrientation") is not None:
        return None  # enhanced and newer objects say all in the standard's way
    length = 0.0 if vector is None else float(np.linalg.norm(vector))
    if vector is None or length < 1e-3:
        if directions and vector is not None and "DERIVED" not in attributes.texts("ImageType")[:1]:
            return _result(0.0, None, "none", f"{source}: no gradient was on")
        return _result(
            b_value, None, "isotropic" if directions == 0 and b_value else "", f"{GE_B_VALUE} of GE"
        )
    if 0.03 < length < 0.97:
        # Weaker gradients are shorter vectors, and b grows with the square of the gradient. GE states b in steps of 5.
        b_value = 5.0 * max(1, round(b_value * length**2 / 5))
    axes = _axes(attributes)
    axial = axes is not None and abs(axes[2, 2]) > np.sqrt(0.5)
    usual = (
        attributes.text("InPlanePhaseEncodingDirection") == "COL"
        and attributes.text("PatientPosition") == "HFS"
    )
    if axes is None or not axial or not usual:
        return _result(
            b_value,
            None,
            "directional",
            f"{source}; the vector is in the gradients' axes, which are known for head-first supine axial images with phase "
            "encoding along columns alone",
            vector,
        )
    # Frequency along the rows, phase along the columns, and the slice gradient against the normal of the image.
    return _result(b_value, (vector * [1, 1, -1]) @ axes, "directional", source)


def _canon(attributes: Attributes) -> Diffusion | None:
    """What Canon wrote into Image Comments before it used the standard's attribute: "b=1500(0.445,0.000,0.895)"."""
    if not attributes.text("Manufacturer").upper().startswith(("CANON", "TOSHIBA")):
        return None
    found = _COMMENT.search(attributes.text("ImageComments"))
    try:
        vector = np.array([float(number) for number in found[2].split(",")] if found else [])
    except ValueError:
        return None
    if not found or vector.size != 3 or not np.all(np.isfinite(vector)):
        return None
    # The vector turns with the phase encoding, whose polarity these objects do not tell.
    source = "Image Comments (0020,4000), whose vector's axes are not known"
    return _result(float(found[1]), None, "directional" if np.any(vector) else "", source, vector)


def _axes(attributes: Attributes) -> FloatArray | None:
    """Unit vectors along the rows, along the columns and of the normal of the image, shape ``(3, 3)``; or None."""
    cosines = attributes.numbers("ImageOrientationPatient")
    if cosines is None or cosines.size != 6:
        return None
    normal = np.cross(cosines[:3], cosines[3:])
    axes = np.stack([cosines[:3], cosines[3:], normal])
    return axes if np.allclose(axes @ axes.T, np.eye(3), atol=0.01) else None


def _together(attributes: Attributes, elements: tuple[Private, ...]) -> FloatArray | None:
    numbers = [element.number(attributes) for element in elements]
    known = [number for number in numbers if number is not None]
    return np.array(known) if len(known) == len(elements) else None


def _of_matrix(cells: FloatArray) -> FloatArray | None:
    """Direction of the strongest weighting in a b-matrix XX, XY, XZ, YY, YZ, ZZ; None when none stands out."""
    matrix = np.zeros((3, 3))
    matrix[np.triu_indices(3)] = cells
    strength, directions = np.linalg.eigh(matrix + np.triu(matrix, 1).T)
    return np.asarray(directions[:, 2]) if strength[2] > 2 * abs(strength[1]) else None
