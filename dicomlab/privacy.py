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

# Dates and times date an examination, names name people, and long free text may say anything: whole VRs. Series
# Description and the like stay readable, since a list of series is useless without them; everything else that Table E.1-1
# treats is named here.
_IDENTIFYING_VRS = frozenset({"PN", "DA", "DT", "TM", "LT", "ST", "UT", "UR"})
_IDENTIFYING = frozenset(
    [
        "AccessionNumber",
        "AcquisitionComments",
        "ActualHumanPerformersSequence",
        "AdditionalPatientHistory",
        "AdmissionID",
        "AdmittingDiagnosesDescription",
        "Allergies",
        "CameraOwnerName",
        "CassetteID",
        "ClinicalTrialCoordinatingCenterName",
        "ClinicalTrialProtocolEthicsCommitteeApprovalNumber",
        "ClinicalTrialProtocolEthicsCommitteeName",
        "ClinicalTrialProtocolID",
        "ClinicalTrialProtocolName",
        "ClinicalTrialSeriesID",
        "ClinicalTrialSiteID",
        "ClinicalTrialSiteName",
        "ClinicalTrialSponsorName",
        "ClinicalTrialSubjectID",
        "ClinicalTrialSubjectReadingID",
        "ClinicalTrialTimePointID",
        "ConfidentialityConstraintOnPatientDataDescription",
        "ContactDisplayName",
        "ContainerIdentifier",
        "CountryOfResidence",
        "CurrentPatientLocation",
        "DerivationDescription",
        "DetectorID",
        "DeviceID",
        "DeviceSerialNumber",
        "DeviceUID",
        "DischargeDiagnosisDescription",
        "EthnicGroup",
        "FillerOrderNumberImagingServiceRequest",
        "FillerOrderNumberImagingServiceRequestRetired",
        "FillerOrderNumberProcedure",
        "FrameComments",
        "GantryID",
        "GeneratorID",
        "HardcopyCreationDeviceID",
        "HumanPerformerOrganization",
        "ImageComments",
        "ImageID",
        "InstitutionAddress",
        "InstitutionCodeSequence",
        "InstitutionName",
        "InstitutionalDepartmentName",
        "InsurancePlanIdentification",
        "InterpretationID",
        "IssuerOfAdmissionID",
        "IssuerOfPatientID",
        "IssuerOfServiceEpisodeID",
        "LensSerialNumber",
        "MedicalAlerts",
        "MedicalRecordLocator",
        "MilitaryRank",
        "Occupation",
        "OperatorIdentificationSequence",
        "OrderCallbackPhoneNumber",
        "OrderEntererLocation",
        "OtherPatientIDs",
        "OtherPatientIDsSequence",
        "OwnerID",
        "PatientAddress",
        "PatientAge",
        "PatientBirthDateInAlternativeCalendar",
        "PatientComments",
        "PatientDeathDateInAlternativeCalendar",
        "PatientID",
        "PatientInstitutionResidence",
        "PatientInsurancePlanCodeSequence",
        "PatientMotherBirthName",
        "PatientReligiousPreference",
        "PatientState",
        "PatientTelecomInformation",
        "PatientTelephoneNumbers",
        "PatientTransportArrangements",
        "PerformedLocation",
        "PerformedProcedureStepDescription",
        "PerformedProcedureStepID",
        "PerformedStationAETitle",
        "PerformedStationName",
        "PerformingPhysicianIdentificationSequence",
        "PersonTelephoneNumbers",
        "PhysiciansOfRecordIdentificationSequence",
        "PlacerOrderNumberImagingServiceRequest",
        "PlacerOrderNumberImagingServiceRequestRetired",
        "PlacerOrderNumberProcedure",
        "PlateID",
        "PreMedication",
        "PregnancyStatus",
        "ProtocolName",
        "ReasonForStudy",
        "ReasonForTheImagingServiceRequest",
        "ReasonForTheRequestedProcedure",
        "ReasonForVisit",
        "ReceivingApplicationEntityTitle",
        "ReferringPhysicianAddress",
        "ReferringPhysicianIdentificationSequence",
        "ReferringPhysicianTelephoneNumbers",
        "RegionOfResidence",
        "RequestAttributesSequence",
        "RequestedProcedureComments",
        "RequestedProcedureDescription",
        "RequestedProcedureID",
        "RequestedProcedureLocation",
        "RequestingService",
        "ResponsibleOrganization",
        "ResultsID",
        "RetrieveAETitle",
        "ScheduledPatientInstitutionResidence",
        "ScheduledProcedureStepDescription",
        "ScheduledProcedureStepID",
        "ScheduledProcedureStepLocation",
        "ScheduledStationAETitle",
        "ScheduledStationName",
        "ScheduledStudyLocation",
        "SecondaryCaptureDeviceID",
        "SendingApplicationEntityTitle",
        "ServiceEpisodeDescription",
        "ServiceEpisodeID",
        "SlideIdentifier",
        "SmokingStatus",
        "SourceApplicationEntityTitle",
        "SourceSerialNumber",
        "SpecialNeeds",
        "SpecimenAccessionNumber",
        "SpecimenIdentifier",
        "StationAETitle",
        "StationName",
        "StudyComments",
        "StudyDescription",
        "StudyID",
        "StudyIDIssuer",
        "TelephoneNumberTrial",
        "TextComments",
        "TextString",
        "TimezoneOffsetFromUTC",
        "TopicAuthor",
        "VerifyingOrganization",
        "VisitComments",
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
