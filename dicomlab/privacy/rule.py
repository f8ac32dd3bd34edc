"""Which attributes are masked in displays: Table E.1-1, with what displays need besides."""

from __future__ import annotations

from dicomlab.privacy.shown import identity_shown
from dicomlab.privacy.table import ACTIONS, listed

__all__ = ["IS_CLEANED", "is_identifying"]

IS_CLEANED = listed(
    """
    SeriesDescription ContrastBolusAgent RequestedContrastAgent AcquisitionDeviceProcessingDescription ROIName StructureSetLabel
    """
)
"""Free text of the table without which a list of series, of contrast phases or of structures is useless: shown, but for the
words that name the patient (`dicomlab.privacy.shown`)."""

# Sequences of the table whose items are judged one by one instead: links between instances, the tree of a report, the graphics
# of a presentation state. Texts, names and dates in them are masked all the same.
_OPENED = listed(
    """
    AcquisitionContextSequence ContentSequence GraphicAnnotationSequence ReferencedImageSequence
    ReferencedPerformedProcedureStepSequence ReferencedStudySequence SourceImageSequence
    """
)

# Sex, size and weight name nobody, and uptake values are made of the last two.
_BODY = frozenset({"PatientSex", "PatientSize", "PatientWeight"})

# Beyond the table: names of stations and devices in other attributes, dates in other calendars, numbers of orders.
_ALSO = listed(
    """
    ContactDisplayName DeviceID DeviceUID FillerOrderNumberImagingServiceRequestRetired FillerOrderNumberProcedure ImageID
    OwnerID
    PatientBirthDateInAlternativeCalendar PatientDeathDateInAlternativeCalendar PlacerOrderNumberImagingServiceRequestRetired
    PlacerOrderNumberProcedure ReceivingApplicationEntityTitle SendingApplicationEntityTitle SourceApplicationEntityTitle
    """
)

# Dates and times date an examination, names name people, application entities machines, and long free text may say anything.
_VRS = frozenset({"PN", "DA", "DT", "TM", "LT", "ST", "UT", "UR", "AE"})

# UIDs tell series and images apart, and say of nobody who it is; that of a device says which it is.
_UIDS = frozenset(keyword for keyword, action in ACTIONS.items() if action == "U" or keyword.endswith("UID"))

_MASKED = (frozenset(ACTIONS) - IS_CLEANED - _OPENED - _BODY - _UIDS) | _ALSO

# Private attributes may hold anything; these hold no text.
_BARE_VRS = listed("US SS UL SL FL FD IS DS AT SQ UI UV SV")


def is_identifying(keyword: str, vr: str, *, private: bool = False) -> bool:
    """Whether a value must be masked now.

    Parameters
    ----------
    keyword
        PS3.6 keyword, ``""`` for private and unknown attributes.
    vr
        Value representation.
    private
        Private attributes may hold anything: their texts and undecoded bytes are masked.

    References
    ----------
    PS3.15 Table E.1-1 "Application Level Confidentiality Profile Attributes".
    """
    if identity_shown():
        return False
    if private or not keyword:
        return vr not in _BARE_VRS
    return vr in _VRS or keyword in _MASKED
