"""Coded terms for what is segmented: a short list by everyday name, which can be added to.

SNOMED CT codes as DICOM uses them: category (CID 7150), type (CID 7151 and those it includes), side (CID 244).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from dicomlab.errors import DicomLabError

__all__ = ["LEFT", "RIGHT", "TISSUE", "Code", "Term", "add_term", "find_term", "terms"]


@dataclass(frozen=True)
class Code:
    """A coded concept (PS3.3 8.8): Code Value, Coding Scheme Designator, Code Meaning."""

    value: str
    scheme: str
    meaning: str

    def __post_init__(self) -> None:
        for name, most in (("value", 64), ("scheme", 16), ("meaning", 64)):
            text = getattr(self, name)
            if not isinstance(text, str) or not text.strip() or len(text) > most:
                raise DicomLabError(f"the {name} of a code is text of 1 to {most} characters, found {text!r}")

    def __str__(self) -> str:
        return f"{self.meaning} ({self.scheme} {self.value})"


@dataclass(frozen=True)
class Term:
    """What can be segmented.

    Parameters
    ----------
    name
        What people call it.
    category
        Segmented Property Category (0062,0003), for instance anatomical structure.
    type
        Segmented Property Type (0062,000F), for instance liver.
    also
        Other names for it.
    """

    name: str
    category: Code
    type: Code
    also: tuple[str, ...] = ()


def _sct(value: str, meaning: str) -> Code:
    return Code(value, "SCT", meaning)


LEFT, RIGHT = _sct("7771000", "Left"), _sct("24028007", "Right")
"""Segmented Property Type Modifier (0062,0011) of one of a pair."""

_ANATOMY = _sct("91723000", "Anatomical Structure")
_ALTERED = _sct("49755003", "Morphologically Abnormal Structure")
_TISSUE = _sct("85756007", "Tissue")
_SUBSTANCE = _sct("91720002", "Body Substance")
_OBJECT = _sct("260787004", "Physical object")

TISSUE = Term("tissue", _TISSUE, _TISSUE)
"""What is said of a label that nobody coded."""

_LIST = (
    (
        _ANATOMY,
        (
            ("38266002", "Entire body", "body", "whole body", "patient"),
            ("69536005", "Head", "head"),
            ("45048000", "Neck", "neck"),
            ("816094009", "Thorax", "thorax", "chest"),
            ("818981001", "Abdomen", "abdomen"),
            ("12738006", "Brain", "brain"),
            ("113305005", "Cerebellum", "cerebellum"),
            ("5366008", "Hippocampus", "hippocampus"),
            ("42695009", "Thalamus", "thalamus"),
            ("68523003", "Cerebral white matter", "white matter"),
            ("389081007", "Gray matter", "grey matter", "gray matter"),
            ("2748008", "Spinal cord", "spinal cord", "cord"),
            ("81745001", "Eye", "eye"),
            ("18234004", "Optic nerve", "optic nerve"),
            ("45289007", "Parotid gland", "parotid", "parotid gland"),
            ("69748006", "Thyroid gland", "thyroid", "thyroid gland"),
            ("21974007", "Tongue", "tongue"),
            ("4596009", "Larynx", "larynx"),
            ("38199008", "Tooth", "tooth", "teeth"),
            ("39607008", "Lung", "lung", "lungs"),
            ("89187006", "Airway", "airways", "airway"),
            ("44567001", "Trachea", "trachea", "windpipe"),
            ("955009", "Bronchus", "bronchus", "bronchi"),
            ("80891009", "Heart", "heart"),
            ("82471001", "Left atrium", "left atrium", "atrium left"),
            ("73829009", "Right atrium", "right atrium", "atrium right"),
            ("87878005", "Left ventricle of heart", "left ventricle", "ventricle left", "lv"),
            ("53085002", "Right ventricle of heart", "right ventricle", "ventricle right", "rv"),
            ("41801008", "Coronary artery", "coronary artery", "coronary arteries"),
            ("15825003", "Aorta", "aorta"),
            ("81040000", "Pulmonary artery", "pulmonary artery", "pulmonary arteries"),
            ("48345005", "Superior vena cava", "superior vena cava", "svc"),
            ("64131007", "Inferior vena cava", "inferior vena cava", "ivc"),
            ("32764006", "Portal vein", "portal vein"),
            ("59820001", "Blood vessel", "vessels", "vessel", "blood vessel"),
            ("32849002", "Esophagus", "esophagus", "oesophagus", "gullet"),
            ("69695003", "Stomach", "stomach"),
            ("38848004", "Duodenum", "duodenum"),
            ("30315005", "Small intestine", "small bowel", "small intestine"),
            ("71854001", "Colon", "colon"),
            ("34402009", "Rectum", "rectum"),
            ("10200004", "Liver", "liver"),
            ("28231008", "Gallbladder", "gallbladder", "gall bladder"),
            ("78961009", "Spleen", "spleen"),
            ("15776009", "Pancreas", "pancreas"),
            ("64033007", "Kidney", "kidney", "kidneys"),
            ("23451007", "Adrenal gland", "adrenal gland", "adrenal", "adrenals"),
            ("87953007", "Ureter", "ureter"),
            ("89837001", "Urinary bladder", "urinary bladder", "bladder"),
            ("41216001", "Prostate", "prostate"),
            ("40689003", "Testis", "testis"),
            ("35039007", "Uterus", "uterus"),
            ("15497006", "Ovary", "ovary"),
            ("76752008", "Breast", "breast"),
            ("272673000", "Bone", "bone", "bones", "skeleton"),
            ("89546000", "Skull", "skull"),
            ("91609006", "Mandible", "mandible"),
            ("421060004", "Vertebral column", "spine", "vertebral column"),
            ("51282000", "Vertebra", "vertebra", "vertebrae"),
            ("54735007", "Sacrum", "sacrum"),
            ("113197003", "Rib", "rib", "ribs"),
            ("56873002", "Sternum", "sternum", "breastbone"),
            ("51299004", "Clavicle", "clavicle"),
            ("79601000", "Scapula", "scapula"),
            ("85050009", "Humerus", "humerus"),
            ("71341001", "Femur", "femur"),
            ("127954009", "Skeletal muscle", "skeletal muscle", "muscle"),
            ("39937001", "Skin", "skin"),
            ("59441001", "Lymph node", "lymph node", "lymph nodes"),
        ),
    ),
    (
        _TISSUE,
        (
            ("55603005", "Fat", "fat", "adipose tissue"),
            ("309312004", "Cartilage", "cartilage"),
        ),
    ),
    (
        _ALTERED,
        (
            ("52988006", "Lesion", "lesion", "lesions"),
            ("108369006", "Neoplasm", "tumour", "tumor", "neoplasm"),
            ("372087000", "Neoplasm, Primary", "primary tumour", "primary tumor", "gtv", "gtvp"),
            ("14799000", "Neoplasm, Secondary", "metastasis", "metastases"),
            ("4147007", "Mass", "mass"),
            ("27925004", "Nodule", "nodule", "nodules"),
            ("367643001", "Cyst", "cyst"),
            ("50960005", "Hemorrhage", "haemorrhage", "hemorrhage", "bleeding"),
            ("35566002", "Hematoma", "haematoma", "hematoma"),
            ("79654002", "Edema", "oedema", "edema"),
            ("6574001", "Necrosis", "necrosis"),
            ("60046008", "Pleural effusion", "pleural effusion", "effusion"),
        ),
    ),
    (
        _SUBSTANCE,
        (
            ("87612001", "Blood", "blood"),
            ("65216001", "Cerebrospinal Fluid", "cerebrospinal fluid", "csf"),
            ("32457005", "Body fluid", "fluid", "body fluid"),
            ("15158005", "Air", "air", "gas", "stomach air", "bowel gas"),
        ),
    ),
    (
        _OBJECT,
        (
            ("65818007", "Stent", "stent"),
            ("40388003", "Implant", "implant"),
        ),
    ),
)

_TERMS: dict[str, Term] = {}


def _plain(name: str) -> str:
    return " ".join(re.split(r"[\s_\-.,;:/()]+", name.casefold())).strip()


def add_term(term: Term) -> None:
    """Let labels of this name, or of its other names, have these codes from now on in this process.

    Examples
    --------
    >>> add_term(Term("optic chiasm", find_term("brain").category, Code("244453006", "SCT", "Optic chiasm")))
    >>> find_term("Optic_Chiasm").type.value
    '244453006'
    """
    for name in (term.name, *term.also):
        _TERMS[_plain(name)] = term


for _category, _terms in _LIST:
    for _value, _meaning, *_names in _terms:
        add_term(Term(_names[0], _category, _sct(_value, _meaning), tuple(_names[1:])))


def terms() -> dict[str, Term]:
    """All known terms by name, other names not among them."""
    return {term.name: term for term in _TERMS.values()}


def find_term(name: str) -> Term | None:
    """The term of this name, whatever its case, spaces, underscores and side (``"kidney_left"``); None when there is none.

    Examples
    --------
    >>> print(find_term("Left kidney").type)
    Kidney (SCT 64033007)
    """
    plain = _plain(name)
    return _TERMS.get(plain) or _TERMS.get(_split(plain)[0])


def find_side(name: str) -> Code | None:
    """Left or right, where the name says so and the term of this name does not."""
    plain = _plain(name)
    return None if plain in _TERMS else _split(plain)[1]


def _split(plain: str) -> tuple[str, Code | None]:
    words = plain.split()
    for word, side in (("left", LEFT), ("right", RIGHT)):
        if word in (words[:1] + words[-1:]) and len(words) > 1:
            words.remove(word)
            return " ".join(words), side
    return plain, None
