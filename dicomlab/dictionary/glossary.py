"""Words of the field that are no name of the standard, "affine" or "LPS", from `glossary.txt`: `terms`, `explain_term`."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files

from dicomlab.dictionary.explanation import Explanation
from dicomlab.dictionary.words import Words, parse

__all__ = ["explain_term", "terms"]


@lru_cache(1)
def terms() -> Mapping[str, Words]:
    """Word, in each way to write it, -> what we say of it."""
    text = (files("dicomlab.dictionary") / "glossary.txt").read_text(encoding="utf-8")
    return {word: words for words in parse(text, "glossary") for word in words.keyword.split(", ")}


def explain_term(word: str) -> Explanation:
    """What a word of `terms` means, and which attributes hold it."""
    words = terms()[word]
    return Explanation(
        kind="word of the field", name=word, says=words.says, trap=words.trap, related=words.related
    )
