"""Identity: what may not be shown unless somebody asks for it.

Displays mask what Table E.1-1 of PS3.15 (Basic Application Level Confidentiality Profile) treats: names, numbers, dates,
institutions, devices, free text. `show_identity` lifts the mask for a block of code. ``docs/privacy.md`` says what is masked,
what is not, and why. It is no de-identification: files stay as they are.
"""

from dicomlab.privacy.problems import cause_of, problem_text
from dicomlab.privacy.rule import IS_CLEANED, is_identifying
from dicomlab.privacy.shown import MASK, NOTE, as_now, identity_shown, show_identity
from dicomlab.privacy.words import Identity, cleaned, identity_in, may_name, shown, shown_value, without_names

__all__ = [
    "IS_CLEANED",
    "MASK",
    "NOTE",
    "Identity",
    "as_now",
    "cause_of",
    "cleaned",
    "identity_in",
    "identity_shown",
    "is_identifying",
    "may_name",
    "problem_text",
    "show_identity",
    "shown",
    "shown_value",
    "without_names",
]
