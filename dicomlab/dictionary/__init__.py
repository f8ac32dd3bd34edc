"""What attributes, UIDs and value representations mean: facts of the standard, and plain words.

`explain` tells of one thing, or of a header attribute by attribute; `roles` says what an attribute is in one kind of object.
"""

from dicomlab.dictionary.answers import explain
from dicomlab.dictionary.explanation import Explanation, Place
from dicomlab.dictionary.header import HeaderExplanation, Note, Row
from dicomlab.dictionary.modules import Role, roles

__all__ = ["Explanation", "HeaderExplanation", "Note", "Place", "Role", "Row", "explain", "roles"]
