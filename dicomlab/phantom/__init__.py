"""A body that never was: valid DICOM series of a thorax and upper abdomen whose every value and millimetre is known.

>>> import tempfile
>>> from dicomlab import phantom
>>> series = phantom.write_ct(tempfile.mkdtemp(), shape=(8, 30, 40))
>>> series.truth.values.shape, series.truth.units
((8, 30, 40), 'HU')

The truth at any patient position (LPS mm), without a file:

>>> phantom.body.hu([[-82, -14, -62], [60, -50, -70]]).tolist()  # the liver's lesion; gas in the stomach
[20.0, -1000.0]

`ct_truth` -> `ct_datasets` -> `write_datasets` are the three steps of `write_ct`, for variants. Small series of every
ordinary kind, and with every ordinary fault, are written by `write_kind`: `KINDS` and `FAULTS` list them.
"""

from dicomlab.phantom import body
from dicomlab.phantom.dicom import CT_PET_FRAME, MR_FRAME, ct_datasets, mr_datasets, pet_datasets
from dicomlab.phantom.grid import ORIENTATIONS
from dicomlab.phantom.kinds import FAULTS, KINDS, Kind, Sample, write_kind
from dicomlab.phantom.study import (
    PhantomSeries,
    PhantomStudy,
    write_ct,
    write_datasets,
    write_mr,
    write_pet,
    write_study,
)
from dicomlab.phantom.truth import Truth, ct_truth, mr_truth, pet_truth

__all__ = [
    "CT_PET_FRAME",
    "FAULTS",
    "KINDS",
    "MR_FRAME",
    "ORIENTATIONS",
    "Kind",
    "PhantomSeries",
    "PhantomStudy",
    "Sample",
    "Truth",
    "body",
    "ct_datasets",
    "ct_truth",
    "mr_datasets",
    "mr_truth",
    "pet_datasets",
    "pet_truth",
    "write_ct",
    "write_datasets",
    "write_kind",
    "write_mr",
    "write_pet",
    "write_study",
]
