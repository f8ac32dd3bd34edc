"""A process with one tool and one job: `python -m benchmarks.worker TOOL JOB FOLDER`.

It answers each line on its standard input, with a line of JSON: to `run` what the work took, to `check` what came out.
"""

from __future__ import annotations

import gc
import hashlib
import json
import os
import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.readers import HIDDEN, READERS, NotThere

__all__ = ["main"]


def _cpu() -> float:
    """Seconds of CPU that this process and its ended children have used."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def _forget_peak() -> None:
    """Let the kernel count the peak of memory from here on; where it cannot, it is that of all runs."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return


def _peak() -> float:
    """MB of memory at the peak, of this process or of its largest child."""
    status = Path("/proc/self/status").read_text()
    own = int(status.split("VmHWM:")[1].split()[0])
    return max(own, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss) * 1024 / 1e6


def facts(result: Any) -> list[str]:
    """What can be compared between tools: a digest of each slice, or the number of files of each series."""
    if result is None:
        return []
    if isinstance(result, dict):
        return [str(count) for count in sorted(result.values(), reverse=True)]
    if isinstance(result, tempfile.TemporaryDirectory):
        import nibabel

        # NIfTI counts columns, rows (from the bottom), slices, times.
        image: Any = nibabel.load(next(Path(result.name).glob("*.nii")))
        result = np.asarray(image.dataobj).T[..., ::-1, :]
    array = np.asarray(result)
    planes = array.reshape(-1, *array.shape[-2:])
    return [
        hashlib.blake2b(plane.astype(np.float32).tobytes(), digest_size=8).hexdigest() for plane in planes
    ]


def main(tool: str, job: str, folder: str) -> None:
    """Answer until the input ends."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries print is no answer
    if tool == "dicomlab":
        sys.modules.update(dict.fromkeys(HIDDEN))  # type: ignore[arg-type]
    read = READERS[job][tool]
    for line in sys.stdin:
        gc.collect()
        _forget_peak()
        answer: dict[str, Any]
        cpu, start = _cpu(), time.perf_counter()
        try:
            result = read(Path(folder))
            wall = time.perf_counter() - start
            answer = {"wall": wall, "cpu": _cpu() - cpu, "peak": _peak()}
            if line.strip() == "check":
                answer = {"facts": facts(result)}
            del result
        except NotThere as reason:
            answer = {"reason": str(reason)}
        except Exception as problem:  # a tool that fails is a result
            answer = {"reason": f"{type(problem).__name__}: {problem}"}
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
