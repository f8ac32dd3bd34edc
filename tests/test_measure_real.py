"""A real liver, segmented on a real CT: as SimpleITK measures it, which reads both files itself."""

import numpy as np
import pytest
import SimpleITK as sitk
from support import SHARED, shared_data

import dicomlab as dl

pytestmark = pytest.mark.skipif(
    not (SHARED / "truth.json").is_file(),
    reason=f"no real DICOM at {SHARED}: a real segmentation was not measured",
)


def test_a_segmented_liver_has_the_size_and_the_values_that_itk_finds() -> None:
    folder = shared_data() / "seg-liver-dcmqi"
    ct = dl.load_volume(folder / "ct", progress=False)
    row = ct.dicom.stats(dl.load_segmentation(folder / "liver.dcm", like=ct)).loc["Liver"]

    files = sitk.ImageSeriesReader.GetGDCMSeriesFileNames(str(folder / "ct"))
    image, labels = sitk.ReadImage(files), sitk.ReadImage(str(folder / "ref" / "liver_seg.nrrd"))
    assert labels.GetOrigin() == pytest.approx(image.GetOrigin(), abs=1e-4)
    assert labels.GetDirection() == pytest.approx(image.GetDirection(), abs=1e-4)
    found = sitk.LabelIntensityStatisticsImageFilter()
    found.ComputeFeretDiameterOn()
    # The two files agree on the place of voxels to the sixth digit, which ITK takes for two places.
    labels.CopyInformation(image)
    found.Execute(sitk.Cast(labels, sitk.sitkUInt8), image)
    (number,) = found.GetLabels()
    assert row["voxels"] == found.GetNumberOfPixels(number)
    assert row["ml"] == pytest.approx(found.GetPhysicalSize(number) / 1000, rel=1e-6)
    assert row[["x", "y", "z"]].tolist() == pytest.approx(found.GetCentroid(number), abs=1e-3)
    assert row["diameter_3d_mm"] == pytest.approx(found.GetFeretDiameter(number), rel=1e-6)
    assert (row["min"], row["max"]) == (found.GetMinimum(number), found.GetMaximum(number))
    assert row["mean"] == pytest.approx(found.GetMean(number))
    assert row["sd"] == pytest.approx(found.GetStandardDeviation(number), rel=1e-4)
    assert row["units"] == "HU"
    assert np.isfinite(row["surface_crofton_mm2"])
