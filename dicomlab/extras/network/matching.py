"""Whether an attribute matches what was asked for: the matching rules of queries, on plain text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

__all__ = ["attribute_matches", "fits"]

_WILD: Final = frozenset(["AE", "CS", "LO", "LT", "PN", "SH", "ST", "UC", "UR", "UT"])


def attribute_matches(asked: Sequence[str], have: Sequence[str], vr: str) -> bool:
    """Whether one of the values of an attribute matches one of those asked for.

    Parameters
    ----------
    asked
        Values of the key; none, or empty ones, match everything.
    have
        Values of the attribute, as texts; none where it is empty or absent.
    vr
        Value representation. UIDs are compared exactly, numbers as numbers; dates and times may be ranges, texts may hold
        ``*`` and ``?``; names of persons match in any case.

    References
    ----------
    PS3.4 C.2.2.2 "Attribute Matching".
    """
    wanted = [one for one in asked if one]
    if not wanted:
        return True
    return any(_matches(one, value, vr) for one in wanted for value in have)


def _matches(asked: str, value: str, vr: str) -> bool:
    if vr in ("DA", "TM"):
        return _in_range(asked, value, vr)
    if vr in ("IS", "DS"):
        try:
            return float(asked) == float(value)
        except ValueError:
            return asked.strip() == value.strip()
    if vr == "PN":
        asked, value = (name.rstrip("^=").casefold() for name in (asked, value))
    if vr in _WILD and ("*" in asked or "?" in asked):
        return fits(asked.strip(), value.strip())
    return asked.strip() == value.strip()


def _in_range(asked: str, value: str, vr: str) -> bool:
    """Whether a date or time is the one asked for, or within ``from-to``, both ends included, either may be open."""
    low, dash, high = asked.partition("-")
    have = _digits(value, vr, "0")
    if not have.strip("0") and not value.strip():
        return False
    if not dash:
        return _digits(asked, vr, "0") == have
    return (not low.strip() or _digits(low, vr, "0") <= have) and (
        not high.strip() or have <= _digits(high, vr, "9")
    )


def _digits(text: str, vr: str, fill: str) -> str:
    """A date as YYYYMMDD; a time as HHMMSSffffff, what is not said filled up: ``10`` is 10:00, as an end 10:59:59 and more."""
    return "".join(c for c in text if c.isdecimal()).ljust(8 if vr == "DA" else 12, fill)


def fits(pattern: str, text: str) -> bool:
    """Whether a text fits a pattern, ``*`` standing for any characters and ``?`` for one.

    Takes time by the product of both lengths at most, whatever the pattern: it goes back to the last star only.

    >>> fits("Ph*tom^?horax", "Phantom^Thorax"), fits("*a" * 30 + "b", "a" * 60)
    (True, False)
    """
    at = place = 0
    star = resumed = -1
    while place < len(text):
        if at < len(pattern) and pattern[at] == "*":
            star, resumed = at, place
            at += 1
        elif at < len(pattern) and pattern[at] in ("?", text[place]):
            at, place = at + 1, place + 1
        elif star >= 0:
            resumed += 1
            at, place = star + 1, resumed
        else:
            return False
    return all(c == "*" for c in pattern[at:])
