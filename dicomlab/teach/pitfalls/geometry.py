"""Pitfalls of place: slices that are not where the array says (PS3.3 C.7.6.2)."""

from __future__ import annotations

from typing import Final

from dicomlab.teach.pitfalls import naive
from dicomlab.teach.pitfalls.pitfall import Pitfall

__all__ = ["GEOMETRY"]

GEOMETRY: Final = (
    Pitfall(
        "gantry_tilt",
        "The gantry leans",
        "Slices lean, but follow one another along z, not along their normal: the stack is a sheared box, not an upright one. "
        "An affine of one step per axis, all square to each other, cannot say so.",
        "Heads are often scanned with the gantry tilted, so that the beam spares the eyes. The table moves along z all the "
        "same, and the slices lean.",
        naive.by_height,
        "side",
    ),
    Pitfall(
        "tilt_untagged",
        "The gantry leans and nobody says so",
        "Gantry/Detector Tilt (0018,1120) is absent. Only the positions know that the stack is sheared.",
        "De-identification, conversion and some scanners drop the attribute, or leave 0 in it. Whoever looks for the tag finds "
        "an upright stack.",
        naive.by_height,
        "side",
    ),
    Pitfall(
        "missing_slice",
        "A slice is missing",
        "One of nine slices never came. The others still have their positions, with one gap twice as wide.",
        "A transfer that broke off, an image somebody deleted, a disk that was full. No attribute counts the slices of a CT.",
        naive.by_height,
        "side",
    ),
    Pitfall(
        "uneven_spacing",
        "Slices are not equally far apart",
        "The lower slices are 3 mm apart and the upper ones 5 mm. One spacing is a fiction.",
        "Head protocols take thin slices through the skull base and thick ones above; two runs may be stored as one series.",
        naive.by_height,
        "side",
    ),
    Pitfall(
        "doubled_slice",
        "A slice is there twice",
        "Two instances, with different UIDs, hold the same picture at the same position.",
        "An image that was sent twice, or re-sent with a new UID after a correction. Whoever stacks files pushes all that "
        "follows one slice up.",
        naive.by_height,
        "side",
    ),
    Pitfall(
        "doubled_slice_differs",
        "Two different pictures of one place",
        "Two instances claim one position and show different things. At most one of them is the slice.",
        "The patient moved and the slice was repeated; a reconstruction with another kernel strayed into the series.",
        naive.by_height,
        "side",
    ),
    Pitfall(
        "localizer_inside",
        "The localizer is in the series",
        "One image of the series is a coronal overview of another size. It belongs to no stack of axial slices.",
        "Scanners put the planning image into the same series; it is usually the first.",
        naive.by_number,
        "side",
    ),
    Pitfall(
        "wandering_origin",
        "A slice lies beside the others",
        "One slice is shifted 3 mm within its own plane. It is at the right height, so a look at z finds nothing.",
        "The field of view was moved between two runs that were stored as one; software that rounds or rewrites positions.",
        naive.by_height,
        "front",
        stated=True,
    ),
    Pitfall(
        "cosines_off",
        "Row and column are not quite at right angles",
        "The direction cosines are 2e-3 from perpendicular. A cross product of them is no unit vector, and an affine "
        "made of them is slightly skewed.",
        "Cosines are written as decimal strings of 16 characters, sometimes rounded to a few digits, sometimes computed in "
        "single precision.",
        naive.by_height,
        "side",
    ),
    Pitfall(
        "cosines_broken",
        "Row and column are far from right angles",
        "The direction cosines are 5e-2 from perpendicular. PS3.3 C.7.6.2.1.1 asks for orthogonal ones; nobody can tell which "
        "of the two was meant.",
        "Software that turned one vector and forgot the other.",
        naive.by_height,
        "side",
    ),
    Pitfall(
        "spacing_contradicts",
        "The spacing tag contradicts the positions",
        "Spacing Between Slices (0018,0088) is 1.5 mm more than the positions say.",
        "Some makers write the gap between slices there, some the distance of their centres, some the value of the protocol "
        "before the images were interpolated. Slice Thickness is no better: slices may overlap or leave gaps.",
        naive.by_spacing_tag,
        "side",
    ),
    Pitfall(
        "mixed_frame_of_reference",
        "One slice comes from another frame of reference",
        "One slice names another Frame of Reference UID (0020,0052). Its millimetres are counted from another origin, so "
        "nothing says where it lies beside the others.",
        "The patient got up and was placed again; two examinations were merged under one Series Instance UID.",
        naive.by_height,
        "side",
        hidden="one slice of another frame stands among the others; by how much it is off, nobody can know",
    ),
    Pitfall(
        "feet_first_prone",
        "Feet first, face down",
        "Rows run to the patient's left, columns to the front, and the slice normal points to the feet. Row 0 is the back, and "
        "the numbers of the slices run the other way.",
        "A patient who cannot lie on the back, a biopsy, a barium study. Most viewers show rows as they are stored: "
        "the picture looks as usual, and only the letters at its edges tell.",
        naive.orientation_ignored,
        "slice",
    ),
    Pitfall(
        "oblique_mr",
        "Pixel Spacing is (row, column), not (x, y)",
        "Rows are further apart than columns, or nearer. Pixel Spacing (0028,0030) names the distance of rows first.",
        "Most images have square pixels, where the mistake shows nothing; it waits for the first that has not.",
        naive.spacing_swapped,
        "slice",
    ),
    Pitfall(
        "mosaic",
        "All slices in one picture",
        "Each file holds one picture in which seven slices are tiled. Image Position is that of the tiled picture, not of any "
        "slice in it.",
        "Siemens scanners stored functional MR this way for two decades: one file for each time point.",
        naive.by_number,
        "slice",
        0,
    ),
)
"""In the order of the gallery."""
