"""Checks of chapter 11: SUV, volumes and means, from the phantom's header and truth."""

from __future__ import annotations

import functools
import math
from datetime import datetime
from typing import Any, Final

from pydicom import Dataset

from dicomlab.phantom import pet_datasets
from dicomlab.phantom.body import TISSUES
from dicomlab.phantom.organs import LESION_RADII
from dicomlab.teach.exercises.answers import check, judged, number
from dicomlab.teach.exercises.lessons import pet
from dicomlab.teach.exercises.verdict import Check, Verdict

__all__ = ["CHECKS"]

_SHARE: Final = 0.3
_NODULE, _LUNG = TISSUES["nodule"][2], TISSUES["lung"][2]


@functools.cache
def _header() -> Dataset:
    return pet_datasets(pet())[0]


def _facts() -> tuple[float, float, float, float]:
    """Return seconds waited, dose (Bq), half life (s) and weight (kg) as the header has them."""
    header = _header()
    tracer = header.RadiopharmaceuticalInformationSequence[0]
    begin, injected = (
        datetime.strptime(str(one), "%H%M%S")
        for one in (header.SeriesTime, tracer.RadiopharmaceuticalStartTime)
    )
    return (
        (begin - injected).total_seconds(),
        float(tracer.RadionuclideTotalDose),
        float(tracer.RadionuclideHalfLife),
        float(header.PatientWeight),
    )


@check
def _waited(answer: Any) -> Verdict:
    found = number(answer, "a number of seconds")
    true = _facts()[0]
    header = _header()
    tracer = header.RadiopharmaceuticalInformationSequence[0]
    digits = int(header.SeriesTime) - int(tracer.RadiopharmaceuticalStartTime)
    return judged(
        found,
        true,
        within=0.5,
        good=f"{true / 60:.0f} minutes.",
        mistakes=[
            (
                digits,
                "times are no numbers: 100500 − 090000 is 10500, but from 9:00:00 to 10:05:00 it is less than that. "
                "Take them apart into hours, minutes and seconds.",
            ),
            (true / 60, "those are minutes; seconds are asked for."),
            (true / 3600, "those are hours; seconds are asked for."),
            (-true, "the other way round: the series began later."),
            (65 * 100, "minutes and hours have 60 parts, not 100."),
        ],
        otherwise="from 09:00:00 to 10:05:00.",
    )


@check
def _left(answer: Any) -> Verdict:
    found = number(answer, "an activity in Bq")
    wait, dose, half_life, _ = _facts()
    true = dose * 2 ** (-wait / half_life)
    return judged(
        found,
        true,
        within=true / 200,  # the idea is tested, not the arithmetic
        good=f"{100 * true / dose:.0f} % of the dose.",
        mistakes=[
            (
                dose * math.exp(-wait / half_life),
                "with e one needs the decay constant, ln 2 / half life: exp(−ln 2 · t / T). With 2 it is 2 ** (−t / T).",
            ),
            (dose * 2 ** (wait / half_life), "that grows. The sign of the exponent is negative."),
            (dose - true, "that is what has decayed; what is left is asked for."),
            (dose, "that is what was injected; some of it has decayed since."),
            (true / dose, "that is the share of the dose that is left; times the dose it is in Bq."),
            (true / 1e6, "that is in MBq; Bq are asked for."),
            (dose * (1 - wait / half_life / 2), "decay does not run along a straight line."),
            (dose * 2 ** (-half_life / wait), "time and half life are swapped."),
        ],
        otherwise="dose · 2 ** (−t / half life).",
    )


@check
def _factor(answer: Any) -> Verdict:
    found = number(answer, "a factor")
    wait, dose, half_life, weight = _facts()
    left = dose * 2 ** (-wait / half_life)
    true = weight * 1000 / left
    return judged(
        found,
        true,
        within=true / 200,
        good="the volume has it, too: attrs['suv_bw_factor'].",
        mistakes=[
            (weight / left, "the weight counts in grams: 1000 times as many as kg."),
            (
                weight * 1000 / dose,
                "the dose has to be taken at the start of the series, where the values are corrected to.",
            ),
            (
                weight / dose,
                "two things are off: grams, and the dose that is left at the start of the series.",
            ),
            (1 / true, "that is upside down: value · weight / activity."),
            (left / (weight * 1000), "that is upside down: value · weight / activity."),
            (
                weight * 1000 / (dose * math.exp(-wait / half_life)),
                "the decay is off: 2 ** (−t / T), or exp(−ln 2 · t / T).",
            ),
        ],
        otherwise="weight in grams, divided by the activity that is left, in Bq.",
    )


@check
def _mean(answer: Any) -> Verdict:
    found = number(answer, "a mean SUV")
    truth = pet()
    factor = truth.suvbw_per_bqml or 0.0
    values = truth.values * factor
    inside = values[truth.masks["lesion"]]
    true = float(inside.mean())
    return judged(
        found,
        true,
        within=0.05,
        good=f"{true:.2f}, and not 8: the border takes a part of it.",
        mistakes=[
            (
                float(values.mean()),
                "that is the mean of everything, air included: take the mask as an index.",
            ),
            (
                float((values * truth.masks["lesion"]).mean()),
                "voxels outside became 0 and were counted: take values[mask], not values · mask.",
            ),
            (true / factor, "that is in Bq/ml: measure in `suv`, not in `pet`."),
            (float(inside.max()), "that is SUVmax; the mean is asked for."),
            (float(sorted(inside)[len(inside) // 2]), "that is the median; the mean is asked for."),
            (float(inside.sum()), "that is the sum; the mean is asked for."),
            (TISSUES["lesion"][2], "that is the truth, which no measurement reaches here. Measure it."),
            (float(values[truth.masks["nodule"]].mean()), "that is the nodule; the lesion is asked for."),
        ],
        otherwise="suv.values[lesion.values] are the values inside; their mean().",
    )


@check
def _mixed(answer: Any) -> Verdict:
    found = number(answer, "an SUV")
    true = _SHARE * _NODULE + (1 - _SHARE) * _LUNG
    return judged(
        found,
        true,
        within=0.006,
        good="a third of what the nodule has, in a voxel that is its border.",
        mistakes=[
            ((1 - _SHARE) * _NODULE + _SHARE * _LUNG, "the shares are swapped: 30 % are nodule."),
            (_SHARE * _NODULE, "the lung takes up some of it, too: its 70 % are missing."),
            ((_NODULE + _LUNG) / 2, "that is half nodule and half lung; 30 % are nodule."),
            (_NODULE, "that is nodule alone; the voxel holds mostly lung."),
            (_LUNG, "that is lung alone; 30 % are nodule."),
            (_NODULE + _LUNG, "a voxel holds shares, not the sum of both."),
        ],
        otherwise="share · SUV of the one, plus share · SUV of the other.",
    )


@check
def _margin(answer: Any) -> Verdict:
    found = number(answer, "a difference in per cent")
    grown = math.prod(radius + 1 for radius in LESION_RADII) / math.prod(LESION_RADII)
    true = 100 * (grown - 1)
    return judged(
        found,
        true,
        within=0.1,
        good="about three times the 1 mm in 18.",
        mistakes=[
            (true / 100, "that is a share; times 100 for per cent."),
            (100 * grown, "that is the new volume in per cent of the old; how much more is asked for."),
            (grown, "that is how many times the old volume; how much more, in per cent, is asked for."),
            (100 / 18, "that is the radius. A volume grows in three directions."),
            (100 * ((19 / 18) ** 2 - 1), "that is an area. A volume grows in three directions."),
            (100 * (1 - 1 / grown), "that is relative to the new volume; the true one is the measure."),
            (
                4 / 3 * math.pi * (math.prod(r + 1 for r in LESION_RADII) - math.prod(LESION_RADII)) / 1000,
                "that is in ml; per cent of the true volume are asked for.",
            ),
        ],
        otherwise="21 · 17 · 19, divided by 20 · 16 · 18; 4/3 π cancels out.",
    )


CHECKS: Final[dict[int, Check]] = {
    0: _waited,
    1: _left,
    2: _factor,
    3: _mean,
    4: _mixed,
    5: _margin,
}
"""By number."""
