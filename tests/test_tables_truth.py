"""Header tables have what others find: dcmdump of DCMTK, and pydicom's own walk; on phantoms and on real files."""

import re
import shutil
import subprocess
from pathlib import Path

import pydicom
import pytest
from support import datasets, shared_data, write

import dicomlab
from dicomlab import DicomLabError, header_table
from dicomlab.phantom.kinds import KINDS

_LINE = re.compile(r"^\s*\(([0-9a-f]{4},[0-9a-f]{4})\) (\w\w|\?\?) (.*?)\s+#\s*(u/l|\d+),\s*(\d+)")

_PADS = re.compile(r"\s*\\\s*")


def dumped(file: Path) -> list[tuple[str, str, int, str]]:
    """Tag, VR, number of values and value of every element, as dcmdump has them."""
    program = shutil.which("dcmdump")
    if program is None:
        pytest.skip("no dcmdump (DCMTK) here")
    done = subprocess.run(
        [program, "-q", "+L", "+R", "64", "-Un", str(file)], capture_output=True, check=True, timeout=60
    )
    found = []
    for line in done.stdout.decode("latin-1").splitlines():
        row = _LINE.match(line)
        if row is None or row[1].startswith("fffe"):
            continue
        if line.startswith("(") and row[1] >= "7fe0,0008":
            break  # pixel data, and what pads the end of the file
        found.append((f"({row[1]})", row[2], int(row[5]), row[3]))
    return found


def compared(file: Path) -> int:
    """How many rows were compared with dcmdump's."""
    expected = dumped(file)
    with dicomlab.show_identity():
        table = header_table(file).to_dataframe(longest=1 << 20)
    assert list(table.tag) == [tag for tag, *_ in expected]
    # Lengths of private groups (retired) are UL to dcmdump, and nothing to the dictionary of pydicom. What dcmdump does not
    # know, or leaves open, pydicom has from its dictionary.
    open_vrs = ("??", "ox", "px", "xs", "lt", "up")
    pairs = [pair for pair in zip(table.vr, expected, strict=True) if not pair[1][0].endswith(",0000)")]
    vrs = [(tag, ours, vr) for ours, (tag, vr, *_) in pairs]
    assert [row for row in vrs if row[1] != row[2] and row[2] not in open_vrs] == []
    for (tag, vr, count, value), vm, text in zip(expected, table.vm, table.value, strict=True):
        if tag.endswith(",0000)") or vr in ("OB", "OW", "UN", "SQ", "??", "ox", "OF", "OD", "OL"):
            continue
        if value.startswith("(no value"):
            assert text == "", tag
            continue
        assert vm == count, (tag, vm, count)
        if len(value) > 59:  # dcmdump shortens what is longer
            continue
        shown = value[1:-1] if value.startswith("[") else value
        if vr in ("CS", "SH", "LO", "IS", "AE", "UI", "DA", "TM"):
            said = text.partition(" (")[0] if vr == "UI" else text
            if not shown.startswith("="):  # the name of a UID
                assert _PADS.sub(r"\\", said) == _PADS.sub(r"\\", shown.strip()), tag
        elif vr in ("DS", "FD", "FL"):
            numbers = [[float(part) for part in told.split("\\")] for told in (text, shown)]
            assert numbers[0] == pytest.approx(numbers[1]), tag
        elif vr in ("US", "SS", "UL", "SL"):
            assert text == value, tag
    return len(table)


@pytest.mark.parametrize(
    "kind", ["axial_ct", "enhanced_mr", "pet_slopes", "two_stacks", "diffusion", "dose", "mosaic"]
)
def test_rows_of_phantoms_are_those_of_dcmdump(kind: str, tmp_path: Path) -> None:
    KINDS[kind].write(tmp_path)
    file = next(file for file in sorted(tmp_path.rglob("*")) if file.is_file())
    assert compared(file) > 40


def test_rows_of_the_small_series_are_those_of_dcmdump(tmp_path: Path) -> None:
    for modality in ("CT", "MR", "PT"):
        assert compared(sorted(write(tmp_path / modality, datasets(modality)).iterdir())[0]) > 40


REAL = [
    "ct-contrast-kits",
    "mr-fmri-philips",
    "rt-dicompyler",
    "seg-liver-dcmqi",
    "seg-highdicom-a",
    "pet-suv-headers-a",
    "enh-misc-a",
    "objects-misc-a",
]


@pytest.mark.parametrize("name", REAL)
def test_rows_of_real_files_are_those_of_dcmdump(name: str) -> None:
    try:
        folder = shared_data() / name
    except FileNotFoundError as problem:
        pytest.skip(str(problem))
    files = [file for file in sorted(folder.rglob("*")) if file.is_file() and is_dicom(file)][:4]
    assert files
    for file in files:
        assert compared(file) > 20


@pytest.mark.parametrize("name", ["charset-a", "broken-a", "xr-a", "us-a", "mr-ts-mosaic", *REAL])
def test_rows_of_real_files_are_those_of_pydicom(name: str) -> None:
    try:
        folder = shared_data() / name
    except FileNotFoundError as problem:
        pytest.skip(str(problem))
    for file in [file for file in sorted(folder.rglob("*")) if file.is_file() and is_dicom(file)][:12]:
        header = pydicom.dcmread(file, stop_before_pixels=True)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("warnings.warn", lambda *_, **__: None)
            expected = [(e.tag, e.VR, int(e.VM)) for e in (*header.file_meta.iterall(), *header.iterall())]
        table = header_table(file).to_dataframe()
        found = [
            (int(tag[1:5] + tag[6:10], 16), vr, vm)
            for tag, vr, vm in zip(table.tag, table.vr, table.vm, strict=True)
        ]
        assert found == expected, file.name


def is_dicom(file: Path) -> bool:
    """Whether a file begins as they do, and has something to read."""
    with file.open("rb") as stream:
        if stream.read(132)[128:] != b"DICM":
            return False
    try:
        header_table(file)
    except DicomLabError:
        return False
    return True
