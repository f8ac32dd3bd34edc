"""The tables of PS3.3 that say which modules an object is made of, and which attributes a module: `modules.txt`, read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.resources import files

__all__ = ["FRAMES", "Iod", "Line", "Module", "Tables", "tables_of_standard"]

FRAMES = ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence")
"""Where functional groups are."""


@dataclass(frozen=True, slots=True)
class Iod:
    """One information object: its name, section, SOP Class UIDs and modules as (usage, key); F before a usage: a macro."""

    name: str
    section: str
    uids: tuple[str, ...]
    modules: list[tuple[str, str]] = field(default_factory=list)


@dataclass(slots=True)
class Module:
    """A module or functional group macro; `places` is filled when first asked for."""

    name: str
    section: str
    content: list[Line] = field(default_factory=list)
    places: dict[str, list[tuple[str, tuple[str, ...]]]] | None = None


@dataclass(slots=True)
class Line:
    """An attribute of a module: what its items hold is `content`, or the set of that number in `shared`."""

    keyword: str
    type: str
    shared: str = ""
    content: list[Line] = field(default_factory=list)


class Tables:
    """`modules.txt`, read."""

    def __init__(self, text: str) -> None:
        self.iods: list[Iod] = []
        self.modules: dict[str, Module] = {}
        self.sets: dict[str, list[Line]] = {}
        nest: list[list[Line]] = []
        for line in text.splitlines():
            word, _, rest = line.strip().partition(" ")
            if not word or word.startswith("#"):
                continue
            if word == "iod":
                name, section, uids = rest.split(" | ")
                self.iods.append(Iod(name, section, tuple(uids.split())))
                nest = []
            elif word in ("module", "group"):
                key, name, section = rest.split(" | ")
                module = Module(name, section)
                self.modules[word + key] = module
                nest = [module.content]
            elif word == "set":
                nest = [self.sets.setdefault(rest, [])]
            elif not nest:
                self.iods[-1].modules.append((word, rest))
            else:
                type_, _, shared = rest.partition(" ")
                new = Line(word, type_, shared[1:])
                del nest[len(line) - len(line.lstrip()) + 1 :]
                nest[-1].append(new)
                nest.append(new.content)
        self.of_uid = {uid: iod for iod in self.iods for uid in iod.uids}
        self.of_name = {iod.name: iod for iod in self.iods}
        self._holders: dict[str, set[str]] = {}

    def with_keyword(self, iod: Iod, keyword: str) -> list[tuple[str, str]]:
        """(usage, key) of the modules of `iod` that have an attribute somewhere."""
        if not self._holders:
            for name, module in self.modules.items():
                for held in self.places(module):
                    self._holders.setdefault(held, set()).add(name)
        holders = self._holders.get(keyword)
        if holders is None:
            return []
        everywhere = [*iod.modules, ("M", "file-meta")]
        return [
            (use, key) for use, key in everywhere if ("group" if use[0] == "F" else "module") + key in holders
        ]

    def module(self, usage: str, key: str) -> Module:
        """The module, or for usages with an F the macro, of this key."""
        return self.modules[("group" if usage[0] == "F" else "module") + key]

    def places(self, module: Module) -> dict[str, list[tuple[str, tuple[str, ...]]]]:
        """Keyword -> (type, sequences around), everywhere in `module`."""
        if module.places is None:
            found: dict[str, list[tuple[str, tuple[str, ...]]]] = {}
            for keyword, type_, path in self._walk(module.content, ()):
                found.setdefault(keyword, []).append((type_, path))
            module.places = found
        return module.places

    def _walk(self, lines: list[Line], path: tuple[str, ...]) -> Iterator[tuple[str, str, tuple[str, ...]]]:
        for line in lines:
            yield line.keyword, line.type, path
            inner = self.sets[line.shared] if line.shared else line.content
            if inner:
                yield from self._walk(inner, (*path, line.keyword))


@lru_cache(1)
def tables_of_standard() -> Tables:
    """The tables, read once."""
    return Tables((files("dicomlab.dictionary") / "modules.txt").read_text(encoding="utf-8"))
