"""Our own words about attributes and UIDs, read from the text files in `texts`: `words_of`.

Each file is about one subject and reads like a glossary::

    PixelSpacing [mm]
      What it says, in plain words.
      ! The trap that people fall into.
      > RelatedKeyword OtherKeyword
      = KeywordThatReplacedIt
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

__all__ = ["Words", "all_words", "parse", "words_of"]


@dataclass(frozen=True, slots=True)
class Words:
    """What we say of one attribute or UID.

    Parameters
    ----------
    keyword
        Keyword of PS3.6.
    unit
        Unit of its value, ``""`` when it has none.
    says, trap
        Plain words; ``""`` when there are none.
    related
        Keywords of attributes to look at as well.
    replaced_by
        Of a retired one: keywords of what took its place.
    subject
        Name of the file.
    """

    keyword: str
    unit: str = ""
    says: str = ""
    trap: str = ""
    related: tuple[str, ...] = ()
    replaced_by: tuple[str, ...] = ()
    subject: str = ""


def words_of(keyword: str) -> Words:
    """What we say of `keyword`; empty words when nothing."""
    return all_words().get(keyword) or Words(keyword)


@lru_cache(1)
def all_words() -> Mapping[str, Words]:
    """Keyword -> words, of all files."""
    found: dict[str, Words] = {}
    for file in sorted((files("dicomlab.dictionary") / "texts").iterdir(), key=lambda file: file.name):
        if file.name.endswith(".txt"):
            for words in parse(file.read_text(encoding="utf-8"), file.name[:-4]):
                if words.keyword in found:
                    raise ValueError(
                        f"{words.keyword} is in {found[words.keyword].subject} and {words.subject}"
                    )
                found[words.keyword] = words
    return found


def parse(text: str, subject: str) -> Iterator[Words]:
    """The entries of a text, in its order."""
    keyword, parts = "", {" ": "", "!": "", ">": "", "=": ""}
    part = " "
    for line in [*text.splitlines(), "end"]:
        if not line.strip() or line.startswith("#"):
            continue
        if not line.startswith(" "):
            if keyword:
                name, _, unit = keyword.partition(" [")
                yield Words(
                    name,
                    unit.rstrip("]"),
                    parts[" "].strip(),
                    parts["!"].strip(),
                    tuple(parts[">"].split()),
                    tuple(parts["="].split()),
                    subject,
                )
            keyword, parts, part = line.strip(), dict.fromkeys(parts, ""), " "
            continue
        body = line.strip()
        if body[0] in "!>=" and body[1:2] == " ":
            part, body = body[0], body[2:]
        parts[part] += body + " "
