"""What was done before, and may be taken for done: the function is what it was, and so are the files."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace

from dicomlab.cohort.fingerprint import Fingerprint
from dicomlab.cohort.kept import Kept, open_kept
from dicomlab.cohort.states import state_of
from dicomlab.cohort.work import Outcome, Source, failure
from dicomlab.errors import DicomLabError
from dicomlab.read.series import PathLike

__all__ = ["Memory", "remember"]


class Memory:
    """Outcomes of one task, kept in a file."""

    def __init__(self, kept: Kept, task: str) -> None:
        self._kept = kept
        self._task = task
        self._states: dict[int, str | None] = {}

    def recall(self, source: Source) -> Outcome | None:
        """What came out of a series that has not changed since; None where it is to be done."""
        state = self._states[id(source)] = state_of(source)
        return None if state is None else self._kept.outcome(self._task, state)

    def keep(self, source: Source, outcome: Outcome) -> Outcome:
        """Write down what came out, unless it failed; returns it as `recall` will."""
        if outcome.error is not None:
            return outcome
        state = self._states[id(source)]
        if state is None or state_of(source) != state:
            told = "not kept: files of this series changed after it was found; call find_series again"
            return replace(outcome, warnings="\n".join(filter(None, (outcome.warnings, told))))
        try:
            return self._kept.keep(self._task, state, source.uid, outcome)
        except DicomLabError as problem:
            return failure(problem, outcome.findings, outcome.warnings)


@contextmanager
def remember(path: PathLike, what: Callable[[], Fingerprint]) -> Iterator[Memory]:
    """The memory of a task in a file; `what` tells the fingerprint of the task as it is now.

    Data that the function itself changes while it runs (a list that it appends to, a counter) would make every call another
    task. So they are compared before and after, and what the function made of them counts as what they were; what somebody
    else made of them does not.
    """
    before = what()
    with open_kept(path) as kept:
        first = kept.first_of(before.code, before.data)
        try:
            yield Memory(kept, Fingerprint(before.code, first).key)
        finally:
            with suppress(DicomLabError):
                after = what()
                if after.code == before.code:
                    changed = [
                        (name, after.data[name], first[name])
                        for name in before.data.keys() & after.data.keys()
                        if after.data[name] != before.data[name]
                    ]
                    kept.note_became(before.code, changed)
