"""The body of the phantom: organs where and as large as they should be, regions as formulas say.

Formulas are written out again here; nothing is taken from the room but positions and radii.
"""

from __future__ import annotations

import math

import numpy as np
import pytest

from dicomlab import phantom
from dicomlab.phantom.grid import plan
from dicomlab.phantom.organs import LESION_CENTRE, LESION_RADII, NODULE_CENTRE, NODULE_RADIUS
from dicomlab.phantom.truth import CENTRE, FIELD, noise


def series_of(study):
    return {"CT": study.ct, "MR": study.mr, "PT": study.pet}


def ml(truth, name):
    return truth.masks[name].sum() * abs(np.linalg.det(truth.affine[:3, :3])) / 1000


def lps(truth, k):
    """Return LPS mm of the voxels of slice `k`."""
    rows, columns = np.meshgrid(*(np.arange(n) for n in truth.values.shape[1:]), indexing="ij")
    index = np.stack([np.full_like(rows, k), rows, columns], axis=-1)
    return index @ truth.affine[:3, :3].T + truth.affine[:3, 3]


@pytest.mark.parametrize("modality", ["CT", "MR", "PT"])
def test_masks_of_lesion_and_nodule_hold_exactly_the_voxels_whose_centres_satisfy_the_formula(
    phantom_study, modality
):
    truth = series_of(phantom_study)[modality].truth
    for k in range(len(truth.values)):
        points = lps(truth, k)
        lesion = (((points - LESION_CENTRE) / LESION_RADII) ** 2).sum(axis=-1) <= 1
        nodule = ((points - NODULE_CENTRE) ** 2).sum(axis=-1) <= NODULE_RADIUS**2
        np.testing.assert_array_equal(truth.masks["lesion"][k], lesion)
        np.testing.assert_array_equal(truth.masks["nodule"][k], nodule)


def test_mask_volumes_come_to_the_analytic_millilitres(phantom_study):
    for series, tolerance in ((phantom_study.ct, 0.01), (phantom_study.mr, 0.02), (phantom_study.pet, 0.02)):
        assert series.truth.volumes_ml["lesion"] == pytest.approx(4 / 3 * math.pi * 20 * 16 * 18 / 1000)
        assert ml(series.truth, "lesion") == pytest.approx(series.truth.volumes_ml["lesion"], rel=tolerance)
    assert ml(phantom_study.ct.truth, "nodule") == pytest.approx(4 / 3 * math.pi * 7**3 / 1000, rel=0.05)


def test_organs_have_the_size_of_a_grown_up(phantom_study):
    for name, low, high in (("liver", 1200, 2000), ("lung_right", 1400, 2800), ("lung_left", 1200, 2600)):
        assert low < ml(phantom_study.ct.truth, name) < high
    for name, low, high in (
        ("heart", 400, 800),
        ("spleen", 80, 300),
        ("kidneys", 180, 400),
        ("aorta", 80, 250),
    ):
        assert low < ml(phantom_study.ct.truth, name) < high


@pytest.mark.parametrize(
    ("name", "radii", "holder"),
    [("lesion", LESION_RADII, "liver"), ("nodule", (NODULE_RADIUS,) * 3, "lung_left")],
)
def test_lesion_and_nodule_lie_wholly_inside_their_organ(name, radii, holder):
    angle, height = np.meshgrid(np.linspace(0, 2 * np.pi, 40), np.linspace(-1, 1, 21))
    ring = np.sqrt(1 - height**2)
    sphere = np.stack([ring * np.cos(angle), ring * np.sin(angle), height], axis=-1)
    centre = LESION_CENTRE if name == "lesion" else NODULE_CENTRE
    assert phantom.body.inside(centre + 0.999 * sphere * radii, name).all()
    assert not phantom.body.inside(centre + 1.001 * sphere * radii, name).any()
    assert phantom.body.inside(centre + 1.3 * sphere * radii, holder).all()


def test_left_and_right_head_and_foot_front_and_back_are_told_apart_by_the_organs(phantom_study):
    truth = phantom_study.ct.truth
    centre = {}
    for name, mask in truth.masks.items():
        middle = [
            np.average(np.arange(n), weights=mask.sum(axis=tuple({0, 1, 2} - {i})))
            for i, n in enumerate(mask.shape)
        ]
        centre[name] = (truth.affine @ [*middle, 1])[:3]
    left, back, head = 0, 1, 2
    assert centre["heart"][left] > 10
    assert centre["liver"][left] < -40
    assert centre["spleen"][left] > 60
    assert centre["stomach_air"][left] > 30
    assert centre["stomach_air"][back] < centre["stomach"][back] - 10
    assert centre["lung_right"][left] < 0 < centre["lung_left"][left]
    assert (
        centre["lung_right"][head] > centre["heart"][head] > centre["liver"][head] > centre["kidneys"][head]
    )
    assert centre["kidneys"][back] > 30
    spine = phantom.body.hu([[0, 52, 0], [0, 0, 0]])
    assert spine[0] > 200 > spine[1]


@pytest.mark.parametrize(
    ("point", "hu", "t1", "suv"),
    [
        ((0, -140, 0), -1000, 4, 0),  # air in front of the patient
        (LESION_CENTRE, 20, 240, 8),
        (NODULE_CENTRE, 30, 320, 5),
        ((-82, 45, -61), 60, 430, 2.2),  # liver
        ((27, 39, 20), 180, 110, 1.6),  # descending aorta
        ((0, 76, 0), 42, 300, 1.6),  # spinal cord
        ((0, 14, 120), -1000, 6, 0.05),  # windpipe
        ((160, 0, 0), -100, 900, 0.25),  # fat of the left flank
    ],
)
def test_known_places_have_known_values(point, hu, t1, suv):
    assert phantom.body.hu(point) == pytest.approx(hu)
    assert phantom.body.t1(point) == pytest.approx(t1)
    assert phantom.body.suv(point) == pytest.approx(suv)


def test_lungs_are_between_minus_850_and_minus_700_and_denser_at_the_back(phantom_study):
    truth = phantom_study.ct.truth
    lung = truth.masks["lung_right"]
    assert -860 < np.median(truth.values[lung]) < -760
    front, back = phantom.body.hu([[-70, -60, 60], [-70, 60, 60]])
    assert -860 < front < back - 20 < -720


def test_noise_has_the_strength_that_is_promised(phantom_study):
    ct = phantom_study.ct.truth
    difference = (ct.values - ct.noise_free)[ct.masks["liver"]]
    assert difference.std() == pytest.approx(9, rel=0.03)
    assert difference.mean() == pytest.approx(0, abs=0.1)
    mr = phantom_study.mr.truth
    assert (mr.values - mr.noise_free)[mr.masks["liver"]].std() == pytest.approx(12, rel=0.03)


def test_the_noise_generator_is_the_same_in_every_numpy():
    known = [1.0765059432051927, 1.6493280440848288, -1.8701158926936912, 1.5563508294085089]
    np.testing.assert_allclose(noise((1, 4), 1, 0)[0], known, rtol=1e-12)


def test_a_smaller_series_shows_the_same_body(phantom_study, tmp_path):
    small = phantom.write_ct(tmp_path, shape=(40, 60, 68)).truth
    for name in ("liver", "lung_left", "heart", "bone", "body"):
        assert ml(small, name) == pytest.approx(ml(phantom_study.ct.truth, name), rel=0.03)


@pytest.mark.parametrize("edge", [1.5, 6.0])
@pytest.mark.parametrize("orientation", ["axial", "oblique"])
def test_skipping_far_parts_of_the_body_changes_no_value(monkeypatch, orientation, edge):
    points = plan((16, 60, 70), orientation, FIELD, CENTRE).points(10)
    values, labels = phantom.body.sample(points, edge=edge)
    parts, middle, half = phantom.body._boxes()
    monkeypatch.setattr(phantom.body, "_boxes", lambda: (parts, middle, np.full_like(half, 1e6)))
    everything, same = phantom.body.sample(points, edge=edge)
    np.testing.assert_allclose(values, everything, atol=1e-9)
    np.testing.assert_array_equal(labels, same)


def test_points_of_any_shape_can_be_asked():
    points = np.array([LESION_CENTRE, NODULE_CENTRE, (0.0, -140.0, 0.0)])
    expected = [20.0, 30.0, -1000.0]
    np.testing.assert_allclose(phantom.body.hu(points), expected)
    np.testing.assert_allclose(phantom.body.hu(points[:, None, None]), np.reshape(expected, (3, 1, 1)))
    assert phantom.body.hu(points[0]).shape == ()


def test_a_sharp_edge_and_a_soft_edge_agree_away_from_surfaces():
    points = np.stack(np.meshgrid(np.arange(-160, 160, 7.0), np.arange(-110, 110, 7.0), [30.0]), axis=-1)[
        :, :, 0
    ]
    soft, labels = phantom.body.sample(points)
    sharp, same = phantom.body.sample(points, edge=0.0)
    np.testing.assert_array_equal(labels, same)
    assert np.mean(soft == sharp) > 0.6
    assert np.mean(soft == sharp) < 1
