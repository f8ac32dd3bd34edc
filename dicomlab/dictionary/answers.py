"""`explain`: from what somebody typed to an explanation."""

from __future__ import annotations

from dicomlab.dictionary.attributes import explain_attribute, explain_vr
from dicomlab.dictionary.explanation import Explanation
from dicomlab.dictionary.glossary import explain_term
from dicomlab.dictionary.modules import sop_class_uid
from dicomlab.dictionary.names import resolve
from dicomlab.dictionary.uids import explain_uid

__all__ = ["explain"]


def explain(what: object, *, sop_class: str | None = None, creator: str = "") -> Explanation:
    """What an attribute, a UID or a value representation means; `dicomlab.explain` explains headers, too.

    Examples
    --------
    >>> explain("pixel spacing", sop_class="CT").places[0].type
    '1'
    """
    if sop_class is not None:
        sop_class = sop_class_uid(sop_class)
    meant = resolve(what)
    if meant.tag is not None:
        return explain_attribute(meant.tag, sop_class=sop_class, creator=creator or meant.creator)
    if meant.term:
        return explain_term(meant.term)
    return explain_uid(meant.uid) if meant.uid else explain_vr(meant.vr)
