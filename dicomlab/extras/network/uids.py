"""UIDs that come from elsewhere: only what is one may become the name of a file."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["is_uid"]

_UID: Final = re.compile(r"[0-9]+(?:\.[0-9]+)+", re.ASCII)


def is_uid(text: str) -> bool:
    """Whether a text is digits and dots, 64 characters at most (PS3.5 section 9.1), leading zeros forgiven.

    >>> is_uid("1.2.840.10008.1.1"), is_uid("../1.2"), is_uid("1..2"), is_uid("")
    (True, False, False, False)
    """
    return len(text) <= 64 and _UID.fullmatch(text) is not None
