"""The local archive and its client, each against DCMTK: an implementation that shares no code with ours."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydicom import dcmread
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian, RLELossless

import dicomlab as dl
from dicomlab import phantom
from dicomlab.extras.network import Archive, ArchiveError, LocalArchive, local_archive
from tests.network_support import HOST, answers, dcmqrscp, free_port, needs_dcmtk, run, same, storescp

pytestmark = needs_dcmtk


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """A small study, and its files by SOP Instance UID; treat it as read-only."""
    return phantom.write_study(tmp_path_factory.mktemp("study"), coarser=12)


@pytest.fixture(scope="module")
def headers(study):
    files = [*study.ct.files, *study.mr.files, *study.pet.files]
    return {str(one.SOPInstanceUID): one for one in map(dcmread, files)}


@pytest.fixture(scope="module")
def server(study):
    with local_archive(study.folder) as running:
        yield running


def of_modality(headers, modality):
    return [one for one in headers.values() if one.Modality == modality]


# The local archive, asked by DCMTK


def test_echoscu_hears_the_local_archive(server: LocalArchive) -> None:
    assert run("echoscu", "-aec", server.ae_title, HOST, server.port).returncode == 0


def test_echoscu_is_refused_under_another_title(server: LocalArchive) -> None:
    refused = run("echoscu", "-aec", "SOMEBODY", HOST, server.port)
    assert refused.returncode != 0
    assert "Called AE Title Not Recognized" in refused.stderr


def test_findscu_gets_the_study_as_its_files_have_it(server, headers, tmp_path: Path) -> None:
    keys = [
        "QueryRetrieveLevel=STUDY",
        "PatientName",
        "PatientID",
        "StudyDate",
        "StudyInstanceUID",
        "ModalitiesInStudy",
        "NumberOfStudyRelatedSeries",
        "NumberOfStudyRelatedInstances",
    ]
    (found,) = answers(server.port, server.ae_title, tmp_path / "a", *keys)
    any_header = next(iter(headers.values()))
    for keyword in ("PatientName", "PatientID", "StudyDate", "StudyInstanceUID"):
        assert found[keyword].value == any_header[keyword].value
    assert sorted(found.ModalitiesInStudy) == sorted({one.Modality for one in headers.values()})
    assert found.NumberOfStudyRelatedSeries == len({one.SeriesInstanceUID for one in headers.values()})
    assert found.NumberOfStudyRelatedInstances == len(headers)
    assert found.RetrieveAETitle == server.ae_title


def test_findscu_gets_each_series_and_each_image_once(server, headers, tmp_path: Path) -> None:
    uid = next(iter(headers.values())).StudyInstanceUID
    within = f"StudyInstanceUID={uid}"
    series = answers(
        server.port,
        server.ae_title,
        tmp_path / "series",
        "QueryRetrieveLevel=SERIES",
        within,
        "SeriesInstanceUID",
        "Modality",
        "NumberOfSeriesRelatedInstances",
    )
    assert {(one.Modality, one.NumberOfSeriesRelatedInstances) for one in series} == {
        (name, len(of_modality(headers, name))) for name in ("CT", "MR", "PT")
    }
    pet = of_modality(headers, "PT")[0].SeriesInstanceUID
    images = answers(
        server.port,
        server.ae_title,
        tmp_path / "images",
        "QueryRetrieveLevel=IMAGE",
        within,
        f"SeriesInstanceUID={pet}",
        "SOPInstanceUID",
        "InstanceNumber",
        "Rows",
    )
    assert sorted((one.SOPInstanceUID, one.InstanceNumber, one.Rows) for one in images) == sorted(
        (one.SOPInstanceUID, one.InstanceNumber, one.Rows) for one in of_modality(headers, "PT")
    )


@pytest.mark.parametrize(
    ("key", "count"),
    [
        ("PatientName=PHANTOM*", 1),
        ("PatientName=phantom^nem?", 1),
        ("PatientName=*^Nobody", 0),
        ("StudyDate=20240229", 1),
        ("StudyDate=20240101-20240228", 0),
        ("StudyDate=20240229-", 1),
        ("StudyDate=-20240229", 1),
        ("StudyTime=0945-1000", 1),
        ("StudyTime=1000-", 0),
        ("ModalitiesInStudy=PT", 1),
        ("ModalitiesInStudy=US", 0),
        ("ModalitiesInStudy=US\\CT", 1),
        ("StudyInstanceUID=1.2.3", 0),
        ("PatientID=PHANTOM-0001", 1),
        ("PatientID=PHANTOM-000", 0),
    ],
)
def test_findscu_finds_by_value_wildcard_range_and_list(server, tmp_path: Path, key: str, count: int) -> None:
    found = answers(server.port, server.ae_title, tmp_path / "a", "QueryRetrieveLevel=STUDY", key)
    assert len(found) == count


def test_findscu_is_told_when_a_level_or_a_unique_key_is_missing(server, tmp_path: Path) -> None:
    for key in ("QueryRetrieveLevel=SERIES", "QueryRetrieveLevel=FRAME"):
        asked = run(
            "findscu", "-v", "-S", "-aec", server.ae_title, "-k", key, "-k", "Modality", HOST, server.port
        )
        assert "DataSetDoesNotMatchSOPClass" in asked.stderr


def test_findscu_finds_patients_in_the_patient_root(server, tmp_path: Path) -> None:
    (found,) = answers(
        server.port,
        server.ae_title,
        tmp_path / "a",
        "QueryRetrieveLevel=PATIENT",
        "PatientID",
        "PatientSex",
        model="-P",
    )
    assert (found.PatientID, found.PatientSex) == ("PHANTOM-0001", "M")


def test_getscu_gets_every_element_and_pixel(server, headers, tmp_path: Path) -> None:
    ct = of_modality(headers, "CT")
    got = run(
        "getscu", "-S", "-aec", server.ae_title, "-od", tmp_path,
        "-k", "QueryRetrieveLevel=SERIES",
        "-k", f"StudyInstanceUID={ct[0].StudyInstanceUID}",
        "-k", f"SeriesInstanceUID={ct[0].SeriesInstanceUID}",
        HOST, server.port,
    )  # fmt: skip
    assert got.returncode == 0, got.stderr
    came = [dcmread(path) for path in tmp_path.iterdir()]
    assert len(came) == len(ct)
    assert all(same(one, headers[one.SOPInstanceUID]) for one in came)


def test_movescu_gets_a_study_over_its_own_port(study, headers, tmp_path: Path) -> None:
    port = free_port()
    with local_archive(study.folder, destinations={"MOVESCU": (HOST, port)}) as server:
        uid = next(iter(headers.values())).StudyInstanceUID
        moved = run(
            "movescu", "-S", "-aec", server.ae_title, "-aet", "MOVESCU", "-aem", "MOVESCU", "-od", tmp_path, "+P", port,
            "-k", "QueryRetrieveLevel=STUDY", "-k", f"StudyInstanceUID={uid}",
            HOST, server.port,
        )  # fmt: skip
        assert moved.returncode == 0, moved.stderr
        unknown = run(
            "movescu", "-v", "-S", "-aec", server.ae_title, "-aem", "NOWHERE",
            "-k", "QueryRetrieveLevel=STUDY", "-k", f"StudyInstanceUID={uid}",
            HOST, server.port,
        )  # fmt: skip
    came = [dcmread(path) for path in tmp_path.iterdir()]
    assert len(came) == len(headers)
    assert all(same(one, headers[one.SOPInstanceUID]) for one in came)
    assert "MoveDestinationUnknown" in unknown.stderr


def test_storescu_stores_what_is_then_found_and_equal(study, headers, tmp_path: Path) -> None:
    with local_archive(tmp_path / "archive") as server:
        sent = run("storescu", "-aec", server.ae_title, "+sd", HOST, server.port, study.mr.folder)
        assert sent.returncode == 0, sent.stderr
        assert len(server) == len(study.mr.files)
        (found,) = answers(
            server.port, server.ae_title, tmp_path / "a", "QueryRetrieveLevel=STUDY", "ModalitiesInStudy"
        )
    assert found.ModalitiesInStudy == "MR"
    came = sorted((tmp_path / "archive" / "received").iterdir())
    assert [path.stem for path in came] == sorted(
        str(one.SOPInstanceUID) for one in of_modality(headers, "MR")
    )
    assert all(same(dcmread(path), headers[path.stem]) for path in came)


def test_storescu_sends_twice_and_the_first_file_stays(study, tmp_path: Path) -> None:
    with local_archive(tmp_path / "archive") as server:
        send = ("storescu", "-aec", server.ae_title, HOST, server.port, study.mr.files[0])
        assert run(*send).returncode == 0
        (file,) = (tmp_path / "archive" / "received").iterdir()
        file.write_bytes(b"mine")
        assert run(*send).returncode == 0
        assert file.read_bytes() == b"mine"


def test_compressed_images_stay_compressed_for_who_asks_so_and_are_decompressed_for_others(
    tmp_path: Path,
) -> None:
    sample = phantom.write_kind("rle", tmp_path / "rle")
    files = sorted(path for path in (tmp_path / "rle").iterdir())
    original = {str(one.SOPInstanceUID): one for one in map(dcmread, files)}
    assert {one.file_meta.TransferSyntaxUID for one in original.values()} == {RLELossless}
    with local_archive(tmp_path / "rle") as server:
        uids = next(iter(original.values()))
        keys = [
            "-k", "QueryRetrieveLevel=SERIES",
            "-k", f"StudyInstanceUID={uids.StudyInstanceUID}",
            "-k", f"SeriesInstanceUID={uids.SeriesInstanceUID}",
        ]  # fmt: skip
        (tmp_path / "plain").mkdir()
        got = run(
            "getscu", "-S", "-aec", server.ae_title, "-od", tmp_path / "plain", *keys, HOST, server.port
        )
        assert got.returncode == 0, got.stderr
        archive = Archive(server.host, server.port, server.ae_title, timeout=10)
        series = archive.find("series", of=archive.find("study")[0])
        received = archive.get(series[0], tmp_path / "packed")
    plain = [dcmread(path) for path in (tmp_path / "plain").iterdir()]
    assert len(plain) == len(original)
    for one in plain:
        assert one.file_meta.TransferSyntaxUID == ExplicitVRLittleEndian
        assert (one.pixel_array == original[one.SOPInstanceUID].pixel_array).all()
    assert len(received.files) == len(original)
    for path in received.files:
        packed = dcmread(path)
        assert packed.file_meta.TransferSyntaxUID == RLELossless
        assert packed.PixelData == original[path.stem].PixelData
    assert (dl.load_volume(tmp_path / "packed").values == sample.values).all()


# Our client, answered by DCMTK


@pytest.fixture(scope="module")
def dcmtk_archive(study, tmp_path_factory):
    """DCMTK's archive with the study in it, and our client of it."""
    station = free_port()
    with dcmqrscp(tmp_path_factory.mktemp("dcmqrscp"), title="QR", stations={"STATION": station}) as port:
        archive = Archive(HOST, port, "QR", timeout=10)
        sent = archive.store(study.folder)
        assert not sent.failed
        yield archive, port, station, sent


def test_dcmqrscp_takes_every_file_of_a_folder(dcmtk_archive, headers) -> None:
    archive, *_, sent = dcmtk_archive
    assert archive.echo()
    assert len(sent.files) == len(headers)


def test_dcmqrscp_and_the_local_archive_answer_alike(dcmtk_archive, server, headers) -> None:
    theirs = dcmtk_archive[0]
    ours = Archive(server.host, server.port, server.ae_title, timeout=10)
    with dl.show_identity():
        studies = [one.find("study", PatientName="Phan*") for one in (theirs, ours)]
        columns = [
            "PatientName",
            "PatientID",
            "StudyDate",
            "StudyTime",
            "AccessionNumber",
            "StudyInstanceUID",
        ]
        a, b = (one.to_dataframe()[columns].to_dict("records") for one in studies)
        assert a == b
        assert a[0]["PatientName"] == "Phantom^Nemo"
        assert a[0]["StudyDate"] == "20240229"
        columns = ["Modality", "SeriesNumber", "SeriesInstanceUID", "StudyInstanceUID"]
        series = [one.find("series", of=found[0]) for one, found in zip((theirs, ours), studies, strict=True)]
        a, b = (one.to_dataframe()[columns].sort_values("Modality").to_dict("records") for one in series)
        assert a == b
        assert [row["Modality"] for row in a] == ["CT", "MR", "PT"]
        assert len(theirs.find("study", StudyDate="20240301-")) == 0
        ct = next(one for one in series[0] if one.header.Modality == "CT")
        images = theirs.find("image", of=ct)
        assert sorted(images.to_dataframe()["InstanceNumber"]) == sorted(
            int(one.InstanceNumber) for one in of_modality(headers, "CT")
        )


def test_what_dcmqrscp_sends_is_what_was_stored(dcmtk_archive, headers, tmp_path: Path) -> None:
    archive = dcmtk_archive[0]
    study = archive.find("study")[0]
    received = archive.get(study, tmp_path / "got")
    assert len(received.files) == len(headers)
    assert not received.failed
    for path in received.files:
        one = dcmread(path)
        assert path == tmp_path / "got" / f"{one.SOPInstanceUID}.dcm"
        assert same(one, headers[path.stem])
    again = archive.get(study, tmp_path / "got")
    assert (len(again.files), len(again.already)) == (0, len(headers))
    (one,) = archive.get(
        archive.find("image", of=archive.find("series", of=study)[0])[0], tmp_path / "one"
    ).files
    assert same(dcmread(one), headers[one.stem])


def test_dcmqrscp_moves_a_series_to_a_local_archive(dcmtk_archive, headers, tmp_path: Path) -> None:
    archive, _, station, _ = dcmtk_archive
    series = archive.find("series", of=archive.find("study")[0], Modality="PT")
    with local_archive(tmp_path / "station", ae_title="STATION", port=station) as receiver:
        assert archive.move(series[0], "STATION") == len(of_modality(headers, "PT"))
        assert len(receiver) == len(of_modality(headers, "PT"))
    for path in (tmp_path / "station" / "received").iterdir():
        assert same(dcmread(path), headers[path.stem])
    with pytest.raises(ArchiveError, match="knows no such destination"):
        archive.move(series[0], "NOWHERE")


def test_dcmqrscp_does_not_answer_to_another_name(dcmtk_archive) -> None:
    port = dcmtk_archive[1]
    with pytest.raises(ArchiveError, match="which is not called NOBODY"):
        Archive(HOST, port, "NOBODY", timeout=5).echo()


def test_a_receiver_offers_no_search_and_the_error_says_so(tmp_path: Path) -> None:
    with storescp(tmp_path / "in") as port:
        archive = Archive(HOST, port, timeout=5)
        assert archive.echo()
        with pytest.raises(ArchiveError, match="accepted no presentation context: it does not offer"):
            archive.find("study")


def test_storescp_gets_implicit_and_explicit_files_as_they_are(study, headers, tmp_path: Path) -> None:
    implicit = phantom.write_ct(tmp_path / "implicit", shape=(3, 30, 34), transfer_syntax="implicit")
    with storescp(tmp_path / "in", "+xa") as port:
        sent = Archive(HOST, port, timeout=5).store([implicit.folder, study.mr.folder])
    assert len(sent.files) == 3 + len(study.mr.files)
    came = {str(one.SOPInstanceUID): one for one in (dcmread(path) for path in (tmp_path / "in").iterdir())}
    for file in (*implicit.files, *study.mr.files):
        one = dcmread(file)
        assert same(came[one.SOPInstanceUID], one)
    assert {one.file_meta.TransferSyntaxUID for one in came.values()} == {
        ExplicitVRLittleEndian,
        ImplicitVRLittleEndian,
    }


def test_files_that_a_receiver_does_not_take_are_named(study, tmp_path: Path) -> None:
    phantom.write_kind("rle", tmp_path / "rle")
    files = [study.mr.files[0], next((tmp_path / "rle").iterdir())]
    with storescp(tmp_path / "in") as port, pytest.warns(dl.DicomLabWarning, match="1 files were not stored"):
        sent = Archive(HOST, port, timeout=5).store(files)
    assert sent.files == (files[0],)
    assert "no presentation context" in sent.failed[files[1]]
