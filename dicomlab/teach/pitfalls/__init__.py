"""The gallery of pitfalls: every fault that the phantom can make, read naively, by dicomlab and by others."""

from dicomlab.teach.pitfalls.card import Card
from dicomlab.teach.pitfalls.catalogue import GROUPS, PITFALLS
from dicomlab.teach.pitfalls.collection import Gallery, gallery

__all__ = ["GROUPS", "PITFALLS", "Card", "Gallery", "gallery"]
