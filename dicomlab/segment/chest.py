"""Air in the body, in arrays: airways, lungs and gas. The rooms above give them a grid and names."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dicomlab.segment.connected import counted, labelled
from dicomlab.segment.distances import squared
from dicomlab.segment.growing import flood
from dicomlab.segment.patient import SKIN, Patient, body_of
from dicomlab.segment.steps import Array, Bools, Lengths, boxes

__all__ = ["Chest", "find_chest"]

AIRY = -450.0
"""HU half way from air to the cartilage of airways, and from lung tissue to muscle."""

_GAS = -900.0
"""Below it there is only gas, and very thin lung tissue."""

_VESSELS = 5.0
"""mm: half the width of vessels and nodules in the lung that count as part of it."""

_WINDPIPE = (30.0, 900.0)
"""mm² that the windpipe has across the patient."""

_LONG = 15.0
"""mm that it goes straight on for."""

_MOST_AIRWAYS = 150.0
"""ml: airways that are larger have leaked into a lung."""


@dataclass(frozen=True)
class Chest:
    """What was found of one step; bool arrays along rising axes."""

    body: Bools
    airways: Bools
    left: Bools
    right: Bools
    gas: Bools


def find_chest(values: Array, patient: Patient, known: Lengths, ml: Array) -> Chest:
    """Body, airways, lungs and other gas in HU values; `ml` of a voxel in each slice."""
    shape = values.shape
    whole = body_of(values, patient, known.spacing, limit=SKIN)
    nothing = np.zeros(shape, np.bool_)
    box = boxes(whole)
    if box is None:
        return Chest(whole, nothing, nothing, nothing, nothing)
    # All further work in the box of the body.
    hu, inner, ml = np.ascontiguousarray(values[box]), np.ascontiguousarray(whole[box]), ml[box[0]]
    near = Lengths(known.spacing, None if known.slices is None else known.slices[box[0]])
    lying = Patient(
        patient.axis,
        patient.head_last,
        (patient.left[0][box[0]], patient.left[1][box[1]], patient.left[2][box[2]]),
    )
    airy = (hu < AIRY) & inner
    pipes = _airways(hu, airy, lying, near, ml)
    left, right, pipes = _lungs(hu, airy, inner, pipes, lying, near, ml)
    # Gas and its edge, one voxel wide; what else is left at the surface of a lung is none.
    gas = (hu < SKIN) & inner & ~left & ~right
    gas |= pipes
    gas &= _beside(gas & (hu < _GAS)) | pipes
    out = [nothing.copy() for _ in range(4)]
    for target, part in zip(out, (pipes, left, right, gas), strict=True):
        target[box] = part
    return Chest(whole, *out)


def _airways(hu: Array, airy: Bools, patient: Patient, known: Lengths, ml: Array) -> Bools:
    """The part of the airways that is darker than any lung, from the windpipe down; nothing where none is found."""
    seed = _windpipe((hu < _GAS) & airy, patient, known)
    if seed is None:
        return np.zeros_like(airy)
    inside = np.where(airy, hu, np.int16(3000)) if hu.dtype.kind == "i" else np.where(airy, hu, 3000.0)
    best, size = None, 0.0
    for limit in (-950.0, -930.0, -910.0, -900.0, -880.0, -860.0):
        found = flood(inside, seed, None, limit, 6)
        now = float(found.sum(axis=(1, 2)) @ ml)
        # Where it leaks into a lung it grows at once.
        if now > _MOST_AIRWAYS or (best is not None and size > 5 and now > 1.5 * size):
            break
        best, size = found, now
    return np.zeros_like(airy) if best is None else best


def _windpipe(gas: Bools, patient: Patient, known: Lengths) -> Array | None:
    """A voxel of the windpipe, shape ``(1, 3)``: the first thing from the head down that is as wide, round and straight."""
    import cc3d

    planes = patient.from_head(gas)
    steps = [known.spacing[k] for k in range(3) if k != patient.axis]
    area = steps[0] * steps[1]
    deep = max(1, int(np.ceil(_LONG / known.spacing[patient.axis])))
    middle = np.array(gas.shape)[[k for k in range(3) if k != patient.axis]] / 2
    for k in range(max(1, len(planes) - deep)):
        if not planes[k].any():
            continue
        labels = cc3d.connected_components(np.ascontiguousarray(planes[k]).view(np.uint8), connectivity=4)
        found = cc3d.statistics(labels)
        good = []
        for n in range(1, len(found["voxel_counts"])):
            count, box = int(found["voxel_counts"][n]), found["bounding_boxes"][n]
            high, wide = ((s.stop - s.start) * step for s, step in zip(box, steps, strict=True))
            if not _WINDPIPE[0] <= count * area <= _WINDPIPE[1] or not 0.4 <= high / wide <= 2.5:
                continue
            if count * area < 0.5 * high * wide:
                continue
            at = np.argwhere(labels == n)
            nearest = at[np.argmin(((at - at.mean(axis=0)) ** 2).sum(axis=1))]
            # It goes on below, about where it was.
            column = planes[k : k + deep, nearest[0] - 1 : nearest[0] + 2, nearest[1] - 1 : nearest[1] + 2]
            if column.size and column.any(axis=(1, 2)).all():
                good.append((float((((nearest - middle) * steps) ** 2).sum()), nearest))
        if good:
            row, column_ = min(good, key=lambda one: one[0])[1]
            along = gas.shape[patient.axis] - 1 - k if patient.head_last else k
            return np.insert(np.array([[row, column_]]), patient.axis, along, axis=1)
    return None


def _lungs(
    hu: Array, airy: Bools, inner: Bools, pipes: Bools, patient: Patient, known: Lengths, ml: Array
) -> tuple[Bools, Bools, Bools]:
    """Left lung, right lung, and the airways out to their walls."""
    from fill_voids import fill

    nothing = np.zeros_like(airy)
    # One voxel around the airways, where their values pass into those of the wall, is theirs unless it touches a lung.
    near = _beside(pipes) if pipes.any() else pipes
    lungs, count = labelled(airy & ~near, 6)
    sizes = counted(lungs, count, ml)
    big = [n for n in range(1, count + 1) if sizes[n] > max(20.0, 0.05 * sizes[1:].max())]
    # Stomach and bowel hold gas, which is darker than the thinnest lung.
    big = [n for n in big if _GAS - 50 < float(np.median(hu[lungs == n])) < -500]
    table = np.zeros(count + 1, np.bool_)
    table[big] = True
    both = table[lungs]
    if pipes.any():
        shell = near & airy & ~pipes
        pipes = pipes | (shell & ~_beside(both))
    if not both.any():
        return nothing, nothing, pipes
    middle = patient.mean_left(pipes if pipes.any() else inner)
    side = patient.is_left_of(middle, both.shape)
    sides = [nothing.copy(), nothing.copy()]
    for n in big:
        one = lungs == n
        share = float((one & side).sum() / one.sum())
        if min(share, 1 - share) > 0.15:
            left, right = _halves(one, side, known)
            sides[0] |= left
            sides[1] |= right
        else:
            sides[0 if share > 0.5 else 1] |= one
    made = []
    for one, other in (sides, sides[::-1]):
        box = boxes(one)
        if box is None:
            made.append(nothing)
            continue
        closed = fill(np.ascontiguousarray(_closed(one, known)))
        made.append(np.asarray(closed, np.bool_) & inner & ~pipes & ~other)
    return made[0], made[1] & ~made[0], pipes


def _beside(values: Bools) -> Bools:
    """The voxels and their 26 neighbours."""
    out = values.copy()
    for axis in range(3):
        moved, before = np.moveaxis(out, axis, 0), np.moveaxis(out.copy(), axis, 0)
        moved[1:] |= before[:-1]
        moved[:-1] |= before[1:]
    return out


def _closed(values: Bools, known: Lengths) -> Bools:
    wide = squared(~values, known) <= np.float32(_VESSELS**2)
    found: Bools = squared(wide, known) > np.float32(_VESSELS**2)
    return found | values


def _halves(joined: Bools, side: Bools, known: Lengths) -> tuple[Bools, Bools]:
    """Two lungs that touch: parted where what is between them is narrowest, or in the middle where they do not part."""
    from skimage.segmentation import watershed

    depth = np.sqrt(squared(joined, known))
    for mm in (2.0, 4.0, 6.0, 9.0, 12.0):
        seeds, count = labelled(depth > mm, 6)
        if count < 2:
            continue
        sizes = counted(seeds, count, np.ones(len(seeds)))
        first, second = (int(n) for n in np.argsort(-sizes[1:])[:2] + 1)
        if sizes[second] > 0.25 * sizes[first]:
            marks = np.where(seeds == first, 1, np.where(seeds == second, 2, 0)).astype(np.int32)
            found = watershed(  # type: ignore[no-untyped-call]
                -depth, marks, mask=joined
            )
            one, two = found == 1, found == 2
            if float((one & side).sum() / one.sum()) < float((two & side).sum() / two.sum()):
                one, two = two, one
            return one, two
    return joined & side, joined & ~side
