"""Errors that a library loses are heard, and those of others go where they went."""

import gc
import sys
import threading

import pytest

from dicomlab.read.heard import heard


class _Loses:
    def __del__(self) -> None:
        raise RuntimeError("lost")


def _lose() -> None:
    lost = _Loses()
    del lost
    gc.collect()


def _say(name: str, message: str) -> None:
    """What Cython does with an error that its function cannot raise."""
    sys.unraisablehook(_Lost(name, RuntimeError(message)))  # type: ignore[arg-type]


class _Lost:
    def __init__(self, name: str, error: Exception) -> None:
        self.object, self.exc_value, self.exc_type = name, error, type(error)
        self.exc_traceback = self.err_msg = None


@pytest.fixture
def others(monkeypatch):
    found: list[str] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda lost: found.append(str(lost.exc_value)))
    return found


def test_errors_of_the_library_are_heard_and_others_handed_on(others) -> None:
    before = sys.unraisablehook
    with heard("codec.") as errors:
        _say("codec.decode", "broken")
        _lose()
    assert (errors, others) == (["broken"], ["lost"])
    assert sys.unraisablehook is before
    _say("codec.decode", "afterwards")
    assert others == ["lost", "afterwards"]


def test_each_thread_hears_its_own(others) -> None:
    before = sys.unraisablehook
    meeting, heard_there = threading.Barrier(2), []

    def work() -> None:
        with heard("codec.") as errors:
            meeting.wait(10)
            _say("codec.decode", "there")
            meeting.wait(10)
        heard_there.extend(errors)

    thread = threading.Thread(target=work)
    thread.start()
    with heard("codec.") as errors:
        meeting.wait(10)
        _say("codec.decode", "here")
        meeting.wait(10)
    thread.join()
    assert (errors, heard_there, others) == (["here"], ["there"], [])
    assert sys.unraisablehook is before


def test_a_hook_set_meanwhile_counts_as_an_error_and_stays(others) -> None:
    ours: list[str] = []

    def second(lost) -> None:
        ours.append(str(lost.exc_value))
        first(lost)

    with heard("codec.") as errors:
        first = sys.unraisablehook
        sys.unraisablehook = second
    assert errors == ["another hook was set meanwhile"]
    assert sys.unraisablehook is second
    # The next time it is the one before ours, though it hands on to ours: no endless circle.
    with heard("codec.") as errors:
        _lose()
        _say("codec.decode", "broken")
    assert errors == ["broken"]
    assert ours == ["lost"]


def test_a_hook_that_was_there_for_a_while_only_counts_as_an_error_too(others) -> None:
    with heard("codec.") as errors:
        sys.unraisablehook = lambda lost: None
        with heard("codec."):
            pass
    assert errors == ["another hook was set meanwhile"]
