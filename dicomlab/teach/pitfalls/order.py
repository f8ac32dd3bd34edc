"""Pitfalls of order: which image comes after which, and along what."""

from __future__ import annotations

from typing import Final

from dicomlab.teach.pitfalls import naive
from dicomlab.teach.pitfalls.pitfall import Pitfall

__all__ = ["ORDER"]

ORDER: Final = (
    Pitfall(
        "axial_ct",
        "File names mean nothing",
        "Neither file names nor Instance Numbers follow the position. Image Position (Patient) (0020,0032) does, by what it "
        "means.",
        "Archives name files as they come in, exports number them anew, and networks deliver them in any order.",
        naive.by_file_name,
        "front",
    ),
    Pitfall(
        "sagittal_mr",
        "Instance Numbers run against the position",
        "Number 1 is the last slice. The standard gives Instance Number (0020,0013) no meaning in space.",
        "Interleaved acquisition, a scan from head to feet, sagittal slices from left to right: each maker counts as it likes.",
        naive.by_number,
        "front",
    ),
    Pitfall(
        "dynamic",
        "Four time points in one series",
        "Twenty images lie at five positions. Stacked by number they make a body four times as tall.",
        "Contrast passes through: the same slices are taken again and again, and stored one after the other.",
        naive.by_number,
        "side",
    ),
    Pitfall(
        "echoes_phases",
        "Echoes, each as magnitude and as phase",
        "Six images lie at each position: three echo times, two components. Phase has a rescale of its own.",
        "Field maps and susceptibility imaging store all that one sequence gives in one series.",
        naive.by_number,
        "front",
    ),
    Pitfall(
        "diffusion",
        "b-values and gradient directions",
        "Six images lie at each position; b-value and direction tell them apart, number and time only order them.",
        "Diffusion MR. Makers kept b-values in private attributes for years.",
        naive.by_number,
        "side",
    ),
    Pitfall(
        "cardiac_cine",
        "Phases of the heart",
        "Six phases at each of five slices, told apart by Trigger Time (0018,1060) alone. Acquisition Time tells slices "
        "apart, as each was taken in a breath-hold of its own.",
        "Cardiac MR. Sorted by Acquisition Time the film jumps through the body instead of beating.",
        naive.by_number,
        "side",
    ),
    Pitfall(
        "incomplete_4d",
        "One image of a time point is missing",
        "Nineteen images at five positions and four times: one slice of the third time point never came. No array holds that "
        "without a hole.",
        "A transfer that broke off, a scan that was stopped. Reshaping the list shifts everything after the gap.",
        naive.by_number,
        "side",
    ),
    Pitfall(
        "enhanced_ct",
        "Frames are stored in no order",
        "One file holds all slices as frames, shuffled, each with its own position and its own rescale in its functional "
        "groups (PS3.3 C.7.6.16).",
        "Frames may be stored as they were reconstructed; PS3.3 promises no order. The first frame is not the first slice.",
        naive.frames_in_order,
        "front",
    ),
    Pitfall(
        "enhanced_mr",
        "Frames of four time points, slices slowest",
        "Twenty frames in one file: all times of the first slice, then all of the second.",
        "Enhanced MR. Dimension Index Values (0020,9157) say which frame is which; a reshape does not.",
        naive.frames_in_order,
        "side",
    ),
    Pitfall(
        "two_stacks",
        "Two stacks in one file",
        "Six axial and four coronal frames in one object. Only Stack ID (0020,9056) and the orientation tell them apart.",
        "Enhanced MR lets a scanner store two planes of one run together.",
        naive.frames_in_order,
        "side",
    ),
)
"""In the order of the gallery."""
