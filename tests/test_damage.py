"""Damaged files: a volume, or an error of ours; never a crash, a hang or an error that names no file."""

import shutil
import warnings
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support import datasets, write

from dicomlab import DicomLabError, DicomLabWarning, find_series, header_table, load_volume

# One edit: where (a part of the header), and what happens there.
EDITS = st.tuples(
    st.floats(0, 1),
    st.one_of(
        st.tuples(st.just("write"), st.binary(min_size=1, max_size=4)),
        st.tuples(st.just("insert"), st.binary(min_size=1, max_size=5)),
        st.tuples(st.just("delete"), st.binary(min_size=1, max_size=5)),
        st.tuples(st.just("cut"), st.just(b"")),
    ),
)


def damage(data: bytes, edits: list[tuple[float, tuple[str, bytes]]]) -> bytes:
    """`data` after the edits."""
    for place, (kind, what) in edits:
        at = int(128 + place * (len(data) - 129)) if len(data) > 140 else 0
        if kind == "cut":
            data = data[:at]
        else:
            skip = 0 if kind == "insert" else len(what)
            data = data[:at] + (b"" if kind == "delete" else what) + data[at + skip :]
    return data


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    modality=st.sampled_from(["CT", "MR", "PT"]),
    edits=st.dictionaries(st.integers(0, 5), st.lists(EDITS, min_size=1, max_size=3), min_size=1, max_size=6),
)
@pytest.mark.slow
def test_damaged_series_load_or_are_refused_by_an_error_of_ours(
    tmp_path: Path, modality: str, edits: dict[int, list[tuple[float, tuple[str, bytes]]]]
) -> None:
    source = tmp_path / modality
    if not source.exists():
        write(source, datasets(modality))
    target = tmp_path / "damaged"
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir()
    for number, file in enumerate(sorted(source.iterdir())):
        (target / file.name).write_bytes(damage(file.read_bytes(), edits.get(number, [])))
    found = find_series(target)
    # Nothing lost: each of the six files is part of a series, or skipped with a reason.
    assert sum(len(series.instances) for series in found) + len(found.skipped) == 6
    assert "<table>" in found._repr_html_()
    refusals: list[str] = []
    for series in found:
        series._repr_html_()
        try:
            header_table(series)._repr_html_()
        except DicomLabError as problem:
            refusals.append(str(problem))
        for stack in series.stacks:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DicomLabWarning)
                try:
                    volume = load_volume(stack, on_fault="keep")
                except DicomLabError as problem:
                    refusals.append(str(problem))
                else:
                    # One that lost its position stands alone, without slices.
                    assert volume.sizes.get("slice", 1) <= 6
                    assert repr(volume.dicom)
    assert all(len(refusal) > 20 for refusal in refusals)
