"""Attributes: facts of pydicom's dictionaries, modules of the standard's tables, and our words, put together."""

from __future__ import annotations

from dicomlab.dictionary.entries import Entry, creators_of, entry_of, shown_tag
from dicomlab.dictionary.explanation import Explanation, Place
from dicomlab.dictionary.modules import MAIN, SHORT, Role, all_sop_classes, roles
from dicomlab.dictionary.profile import privacy_of
from dicomlab.dictionary.vr import CHOICES, VRS, Vr, vm_means, vr_means
from dicomlab.dictionary.words import words_of

__all__ = ["explain_attribute", "explain_vr", "places_of"]

_PER_OBJECT = 3
"""Places of one attribute in one object that are told when nobody asked for that object."""

_CREATORS = 15
"""Creators of a private attribute that are named."""

_KINDS = {
    "group length": (
        "How many bytes the rest of this group has. Only groups 0 and 2 still have one: there it says where the group ends.",
        "After an edit it is wrong. In other groups it is retired; skip it.",
        ("PS3.5 section 7.2",),
    ),
    "private creator": (
        "Reserves a block of 256 private attributes and says whose they are: (gggg,0010) reserves (gggg,1000) to (gggg,10FF), "
        "(gggg,0011) the next, and so on.",
        "The same private attribute can be in another block in the next file: look for the creator, not for the number.",
        ("PS3.5 section 7.8.1",),
    ),
    "private": (
        "A private attribute: its group is odd, and a manufacturer decides what it means. The Private Creator of its block "
        "says which one.",
        "It may hold anything, names too, and de-identification removes it unless it is known to be safe. What is needed to "
        "use the pixels should never be only here, and sometimes is.",
        ("PS3.5 section 7.8",),
    ),
    "unknown": (
        "The data dictionary has no such attribute: the tag is wrong, newer than pydicom's dictionary, or damage in the file.",
        "",
        ("PS3.6",),
    ),
}


def explain_attribute(tag: int, *, sop_class: str | None = None, creator: str = "") -> Explanation:
    """The attribute with this tag; never fails for a tag."""
    entry = entry_of(tag, creator)
    if entry.kind not in ("standard", "repeating"):
        return _special(entry)
    words = words_of(entry.keyword)
    places = places_of(entry, sop_class)
    facts = []
    if entry.kind == "repeating":
        facts.append(
            (
                "repeats",
                f"{entry.pattern}: the digits marked x count repetitions, even numbers from 00 to 1E in a group",
            )
            if entry.pattern[3:5] == "xx"
            else ("repeats", f"{entry.pattern}: the digits marked x count repetitions")
        )
    if sop_class is not None and not places:
        facts.append(("module", "none of that object: a reader of it need not expect this attribute"))
    return Explanation(
        kind="attribute of a repeating group" if entry.kind == "repeating" else "attribute",
        name=entry.name or "(no name)",
        keyword=entry.keyword,
        tag=entry.pattern if entry.kind == "repeating" else shown_tag(entry.tag),
        vr=entry.vr,
        vr_means=vr_means(entry.vr),
        vm=entry.vm,
        vm_means=vm_means(entry.vm, entry.vr),
        unit=words.unit,
        says=words.says,
        trap=words.trap,
        places=places,
        facts=tuple(facts),
        sections=_sections(entry, places),
        related=words.related,
        retired=entry.retired,
        replaced_by=words.replaced_by,
        privacy=privacy_of(entry.keyword),
    )


def _special(entry: Entry) -> Explanation:
    says, trap, sections = _KINDS[entry.kind]
    facts = []
    name = entry.name or ("Private attribute" if entry.kind == "private" else "Unknown attribute")
    if entry.creator:
        facts.append(("creator", entry.creator))
    if entry.kind == "private":
        known = creators_of(entry.tag)
        if entry.creator and entry.creator in known:
            facts.append(("known as", f"{entry.name or 'no name'}, from pydicom's private dictionary"))
        elif known:
            shown = [f"{whose}: {title or 'no name'}" for whose, title in sorted(known.items())]
            more = f", and {len(shown) - _CREATORS} more" if len(shown) > _CREATORS else ""
            facts.append(("known by", f"{'; '.join(shown[:_CREATORS])}{more}"))
        else:
            facts.append(("known by", "nobody in pydicom's private dictionary"))
    private = entry.tag.is_private
    return Explanation(
        kind={"private": "private attribute", "unknown": "unknown attribute"}.get(entry.kind, entry.kind),
        name=name,
        tag=shown_tag(entry.tag),
        vr=entry.vr,
        vr_means=vr_means(entry.vr) if entry.vr else "",
        vm=entry.vm,
        vm_means=vm_means(entry.vm, entry.vr),
        says=says,
        trap=trap,
        facts=tuple(facts),
        sections=sections,
        retired=entry.retired,
        privacy=privacy_of("", private=True) if private and entry.kind == "private" else "",
    )


def places_of(entry: Entry, sop_class: str | None) -> tuple[Place, ...]:
    """Its modules, alike ones of several objects together: in one object all, in the main ones the outermost."""
    if not entry.keyword:
        return ()
    if sop_class is not None:
        found = list(roles(entry.keyword, sop_class))
    else:
        found = _outermost(entry, MAIN) or _outermost(entry, all_sop_classes())
    grouped: dict[tuple[str, str, str, str], dict[str, str]] = {}
    for role in found:
        key = (role.module, role.section, role.type, role.where)
        grouped.setdefault(key, {}).setdefault(role.iod, role.usage)
    return tuple(Place(*key, tuple(objects.items())) for key, objects in grouped.items())


def _outermost(entry: Entry, sop_classes: tuple[str, ...]) -> list[Role]:
    found: list[Role] = []
    for name in sop_classes:
        mine = roles(entry.keyword, name)
        found += [role for role in mine if len(role.path) == len(mine[0].path)][:_PER_OBJECT]
    return found


def _sections(entry: Entry, places: tuple[Place, ...]) -> tuple[str, ...]:
    group = entry.tag.group
    if group == 0:
        own = "PS3.7 annex E"
    elif group == 2:
        own = "PS3.6 section 7"
    elif group == 4:
        own = "PS3.6 section 8"
    else:
        own = "PS3.6 section 6"
    found = [own]
    modules = list(dict.fromkeys(place.section for place in places))
    found += [section if section.startswith("PS3") else f"PS3.3 {section}" for section in modules[:4]]
    if entry.kind == "repeating":
        found.append("PS3.5 section 7.6")
    return (*found, "PS3.5 section 6.2")


def explain_vr(code: str) -> Explanation:
    """One of the 34 value representations."""
    vr: Vr = VRS[code]
    length = "4 bytes, after two reserved ones" if vr.long_length else "2 bytes, so 65534 at most"
    choices = [f"{name}: {text}" for name, text in CHOICES.items() if code in name.split(" or ")]
    several = "values follow one another" if _is_number(code) else "a backslash separates values"
    return Explanation(
        kind="value representation",
        name=vr.name,
        keyword=code,
        says=vr.says,
        trap=vr.trap,
        facts=tuple(
            (label, text)
            for label, text in (
                ("bytes", vr.bytes),
                ("length", vr.limit),
                ("padding", vr.padding or "none: the length is even anyway"),
                (
                    "several",
                    several if vr.several else "no: one value, a backslash or a byte in it is part of it",
                ),
                ("explicit VR", f"the length before the value has {length}"),
                ("choices", " ".join(choices)),
                ("also", f"what people call a kind of object: {SHORT[code]}" if code in SHORT else ""),
            )
            if text
        ),
        sections=("PS3.5 section 6.2, table 6.2-1", "PS3.5 section 7.1.2"),
    )


def _is_number(code: str) -> bool:
    return code in ("AT", "FL", "FD", "SL", "SS", "SV", "UL", "US", "UV")
