"""Identity: what may not be shown unless somebody asks for it.

Displays mask names, numbers, dates and free text that can identify a patient, after PS3.15 Table E.1-1 (Basic Application
Level Confidentiality Profile). `show_identity` lifts the mask for a block of code.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

__all__ = ["MASK", "identity_shown", "is_identifying", "show_identity"]

MASK = "•••"
"""What stands in place of a masked value."""

_shown: ContextVar[bool] = ContextVar("dicomlab_identity_shown", default=False)

# Dates and times date an examination, names name people: whole VRs. Series Description and the like stay readable, since a
# list of series is useless without them; everything else that Table E.1-1 treats is named here.
_IDENTIFYING_VRS = frozenset({"PN", "DA", "DT", "TM"})
_IDENTIFYING = frozenset(
    [
        "AccessionNumber",
        "AcquisitionComments",
        "ActualHumanPerformersSequence",
        "AdditionalPatientHistory",
        "AdmissionID",
        "AdmittingDiagnosesDescription",
        "Allergies",
        "ClinicalTrialSiteName",
        "ClinicalTrialSubjectID",
        "ClinicalTrialSubjectReadingID",
        "ConfidentialityConstraintOnPatientDataDescription",
        "CountryOfResidence",
        "CurrentPatientLocation",
        "DerivationDescription",
        "DeviceSerialNumber",
        "DeviceUID",
        "EthnicGroup",
        "FillerOrderNumberImagingServiceRequest",
        "FrameComments",
        "GantryID",
        "ImageComments",
        "InstitutionAddress",
        "InstitutionCodeSequence",
        "InstitutionName",
        "InstitutionalDepartmentName",
        "InsurancePlanIdentification",
        "IssuerOfPatientID",
        "MedicalAlerts",
        "MedicalRecordLocator",
        "MilitaryRank",
        "Occupation",
        "OperatorIdentificationSequence",
        "OtherPatientIDs",
        "OtherPatientIDsSequence",
        "PatientAddress",
        "PatientAge",
        "PatientComments",
        "PatientID",
        "PatientInstitutionResidence",
        "PatientInsurancePlanCodeSequence",
        "PatientMotherBirthName",
        "PatientReligiousPreference",
        "PatientState",
        "PatientTelephoneNumbers",
        "PatientTelecomInformation",
        "PerformedLocation",
        "PerformedProcedureStepDescription",
        "PerformedProcedureStepID",
        "PerformedStationAETitle",
        "PerformedStationName",
        "PerformingPhysicianIdentificationSequence",
        "PhysiciansOfRecordIdentificationSequence",
        "PlacerOrderNumberImagingServiceRequest",
        "PlateID",
        "PregnancyStatus",
        "ProtocolName",
        "RegionOfResidence",
        "ReferringPhysicianAddress",
        "ReferringPhysicianTelephoneNumbers",
        "ReferringPhysicianIdentificationSequence",
        "RequestAttributesSequence",
        "RequestedProcedureComments",
        "RequestedProcedureDescription",
        "RequestedProcedureID",
        "RequestingService",
        "ResponsibleOrganization",
        "RetrieveAETitle",
        "ScheduledProcedureStepDescription",
        "ScheduledProcedureStepID",
        "ScheduledStationAETitle",
        "ScheduledStationName",
        "ServiceEpisodeDescription",
        "ServiceEpisodeID",
        "SmokingStatus",
        "SpecialNeeds",
        "StationAETitle",
        "StationName",
        "StudyComments",
        "StudyDescription",
        "StudyID",
        "StudyIDIssuer",
        "TextComments",
        "TextString",
        "TimezoneOffsetFromUTC",
        "VisitComments",
        "SourceApplicationEntityTitle",
        "SendingApplicationEntityTitle",
        "ReceivingApplicationEntityTitle",
    ]
)


@contextmanager
def show_identity() -> Iterator[None]:
    """Show names, IDs, dates and institutions inside the block.

    Examples
    --------
    >>> with show_identity():
    ...     is_identifying("PatientName", "PN")
    False
    """
    token = _shown.set(True)
    try:
        yield
    finally:
        _shown.reset(token)


def identity_shown() -> bool:
    """Whether the code runs inside `show_identity`."""
    return _shown.get()


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
    """
    if _shown.get():
        return False
    if private or not keyword:
        return vr not in ("US", "SS", "UL", "SL", "FL", "FD", "IS", "DS", "CS", "AT", "SQ", "UI", "UV", "SV")
    return vr in _IDENTIFYING_VRS or keyword in _IDENTIFYING
