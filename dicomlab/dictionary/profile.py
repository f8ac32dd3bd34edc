"""What de-identification does with an attribute: Table E.1-1 of PS3.15."""

from __future__ import annotations

from dicomlab.privacy.table import ACTIONS

__all__ = ["privacy_of"]

_MEANS = {
    "D": "replaced by a dummy value",
    "Z": "emptied, or replaced by a dummy value",
    "X": "removed",
    "K": "kept",
    "C": "cleaned",
    "U": "replaced by another UID, the same one everywhere",
    "U*": "replaced by another UID, the same one everywhere",
}


def privacy_of(keyword: str, *, private: bool = False) -> str:
    """What the Basic Application Level Confidentiality Profile does with an attribute; ``""``: it is not in the table."""
    action = "X" if private else ACTIONS.get(keyword, "")
    if not action:
        return ""
    means = [_MEANS[part] for part in action.split("/")]
    text = means[0] if len(means) == 1 else f"{', '.join(means[:-1])} or {means[-1]}, as its type allows"
    return f"may identify somebody: {text} in the Basic Profile (PS3.15 table E.1-1: {action})"
