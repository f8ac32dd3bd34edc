"""Laws that segmentation keeps, whatever the mask, the spacing and the order of the axes."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

import dicomlab as dl
from dicomlab import segment

few = settings(max_examples=8, deadline=None)
lengths = st.floats(0.3, 4)


@st.composite
def masks(draw: st.DrawFn) -> xr.DataArray:
    shape = draw(st.tuples(*[st.integers(1, 7)] * 3))
    spacing = draw(st.tuples(*[st.sampled_from([0.6, 1.0, 1.7, 3.0])] * 3))
    seed, share = draw(st.integers(0, 999)), draw(st.sampled_from([0.0, 0.2, 0.5, 0.8, 1.0]))
    values = np.random.default_rng(seed).random(shape) < share
    return dl.make_volume(values, affine=np.diag([*spacing, 1.0])[[2, 1, 0, 3]], frame_of_reference="1.2.3")


def within(a: xr.DataArray, b: xr.DataArray) -> bool:
    return bool((b | ~a).all())


@few
@given(masks(), lengths)
def test_erosion_and_opening_lie_within_the_mask_and_it_within_closing_and_dilation(
    mask: xr.DataArray, mm: float
) -> None:
    chain = [
        segment.erode(mask, mm),
        segment.opening(mask, mm),
        mask,
        segment.closing(mask, mm),
        segment.dilate(mask, mm),
    ]
    for a, b in pairwise(chain):
        assert within(a, b)
    assert segment.opening(mask, mm).equals(segment.dilate(segment.erode(mask, mm), mm))
    for verb in (segment.opening, segment.closing):
        assert verb(verb(mask, mm), mm).equals(verb(mask, mm))
    # What is dilated is what its complement loses.
    assert segment.dilate(mask, mm).equals(~segment.erode(~mask, mm))


@few
@given(masks())
def test_holes_filled_twice_are_filled_and_components_are_the_mask(mask: xr.DataArray) -> None:
    filled = segment.fill_holes(mask)
    assert within(mask, filled)
    assert segment.fill_holes(filled).equals(filled)
    assert within(filled, segment.fill_holes(mask, per_slice=True))
    found = segment.components(mask)
    assert ((found > 0) == mask).all()
    assert within(segment.largest_component(mask), mask)
    assert segment.remove_small(mask, ml=0).equals(mask)
    assert not segment.remove_small(mask, ml=1e6).any()


VERBS: dict[str, Callable[[xr.DataArray], xr.DataArray]] = {
    "dilate": lambda mask: segment.dilate(mask, 2),
    "opening": lambda mask: segment.opening(mask, 1),
    "fill_holes": segment.fill_holes,
    "distance": segment.distance,
    "smooth": lambda mask: segment.smooth(mask, 1),
    "remove_small": lambda mask: segment.remove_small(mask, ml=0.002),
    "between_slices": segment.between_slices,
    "largest_component": lambda mask: segment.largest_component(mask, connectivity=6),
    "components": segment.components,
    "split": lambda mask: segment.split(mask, 1),
}


@pytest.mark.parametrize("name", list(VERBS))
@few
@given(
    mask=masks(),
    flips=st.tuples(*[st.sampled_from([1, -1])] * 3),
    turn=st.permutations(["slice", "row", "column"]),
)
def test_the_order_in_which_voxels_are_kept_changes_nothing(
    name: str, mask: xr.DataArray, flips: tuple[int, int, int], turn: list[str]
) -> None:
    way = {
        dim: slice(None, None, step)
        for dim, step in zip(mask.dims, flips, strict=True)
        if mask.sizes[dim] > 1
    }
    first = VERBS[name](mask)
    found = VERBS[name](mask.isel(way).transpose(*turn))
    assert found.dims == tuple(turn)
    assert found.isel(way).transpose(*mask.dims).equals(first)


@settings(max_examples=4, deadline=None)
@given(masks())
def test_extra_axes_are_looked_at_step_by_step(mask: xr.DataArray) -> None:
    both = xr.concat([mask, ~mask], dim=xr.IndexVariable("time", [0.0, 2.0])).transpose(
        "row", "time", "slice", "column"
    )
    for name, verb in VERBS.items():
        found = verb(both)
        assert found.dims == both.dims, name
        for k, one in enumerate((mask, ~mask)):
            np.testing.assert_array_equal(
                found.isel(time=k).transpose(*mask.dims).values, verb(one).values, name
            )
        assert found.time.equals(both.time)


@few
@given(masks())
def test_one_slice_of_a_volume_is_a_mask_like_any_other(mask: xr.DataArray) -> None:
    flat = mask.isel(slice=0)
    for name in ("dilate", "fill_holes", "distance", "between_slices", "components"):
        found = VERBS[name](flat)
        assert found.dims == ("row", "column")
        assert found.equals(VERBS[name](mask.isel(slice=[0])).isel(slice=0)), name


@few
@given(masks(), lengths)
def test_labels_take_no_voxel_of_one_another(mask: xr.DataArray, mm: float) -> None:
    labels = segment.components(mask, connectivity=6)
    for verb in (segment.dilate, segment.closing):
        found = verb(labels, mm)
        assert (found.values[mask.values] == labels.values[mask.values]).all()
        assert within(found > 0, verb(mask, mm)) or verb is segment.closing
    assert segment.erode(labels, mm).equals(
        labels.where(segment.erode(labels, mm) > 0, 0).astype(labels.dtype)
    )
    assert segment.largest_component(labels, connectivity=6).equals(labels)
