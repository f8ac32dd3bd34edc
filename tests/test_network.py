"""Talking to an archive: what is refused, what is masked, what bad peers cannot do. Truth by DCMTK is in test_network_dcmtk."""

from __future__ import annotations

import fnmatch
import logging
import re
import shutil
import signal
import socket
import struct
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom import dcmread
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian

import dicomlab as dl
from dicomlab import phantom
from dicomlab.errors import MissingDependencyError
from dicomlab.extras.network import Archive, ArchiveError, local_archive
from dicomlab.extras.network.matching import attribute_matches, fits
from tests.network_support import HOST, free_port, same

SECRETS = ("Phantom^Nemo", "PHANTOM-0001", "20240229", "FAKE0001", "19700101")


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return phantom.write_study(tmp_path_factory.mktemp("study"), coarser=12)


@pytest.fixture
def server(study):
    with local_archive(study.folder) as running:
        yield running


@pytest.fixture
def archive(server):
    return Archive(server.host, server.port, server.ae_title, timeout=5)


def assert_at_rest(port: int, before: set[threading.Thread]) -> None:
    """The port is free, and no thread of ours is left (they end within a second)."""
    with socket.socket() as one:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        one.bind((HOST, port))
    until = time.monotonic() + 5
    while set(threading.enumerate()) - before and time.monotonic() < until:
        time.sleep(0.05)
    assert set(threading.enumerate()) - before == set()


# Matching


@given(
    st.text("ab*?.[", max_size=8),
    st.text("ab.[", max_size=10),
)
def test_wildcards_fit_as_in_fnmatch(pattern: str, text: str) -> None:
    assert fits(pattern, text) == bool(re.match(fnmatch.translate(pattern.replace("[", "[[]")), text))


def test_a_pattern_of_many_stars_takes_no_time() -> None:
    start = time.perf_counter()
    assert not fits("*a" * 500 + "b", "a" * 1000)
    assert time.perf_counter() - start < 2


@pytest.mark.parametrize(
    ("asked", "have", "vr", "hit"),
    [
        ([], [], "LO", True),
        ([""], ["x"], "LO", True),
        (["x"], [], "LO", False),
        (["1.2", "1.3"], ["1.3"], "UI", True),
        (["1.*"], ["1.3"], "UI", False),
        (["20240101-20240131"], ["20240131"], "DA", True),
        (["20240101-20240131"], ["20240201"], "DA", False),
        (["-20240131"], [""], "DA", False),
        (["10-11"], ["115959.9"], "TM", True),
        (["10-11"], ["120000"], "TM", False),
        (["0930"], ["093000"], "TM", True),
        (["7"], ["07"], "IS", True),
        (["7"], ["8"], "IS", False),
        (["doe^j*"], ["Doe^Jane"], "PN", True),
        (["doe"], ["Doe^^"], "PN", True),
        (["abc"], ["ABC"], "LO", False),
        (["CT"], ["MR", "CT"], "CS", True),
    ],
)
def test_attributes_match_as_the_standard_says(asked, have, vr, hit) -> None:
    assert attribute_matches(asked, have, vr) is hit


# Asking


def test_a_study_comes_home_as_it_was(study, archive, tmp_path: Path) -> None:
    assert archive.echo() is True
    series = archive.find("series", of=archive.find("study")[0])
    assert series.to_dataframe()["NumberOfSeriesRelatedInstances"].tolist() == [
        len(study.ct.files),
        len(study.mr.files),
        len(study.pet.files),
    ]
    received = archive.get(series[:2], tmp_path / "got")
    assert {path.stem for path in received.files} == {
        str(dcmread(file).SOPInstanceUID) for file in (*study.ct.files, *study.mr.files)
    }
    by_uid = {str(one.SOPInstanceUID): one for one in map(dcmread, [*study.ct.files, *study.mr.files])}
    assert all(same(dcmread(path), by_uid[path.stem]) for path in received.files)


def test_a_keyword_is_asked_for_and_comes_back(archive) -> None:
    found = archive.find("series", of=archive.find("study")[0], Modality="MR", keys=["Manufacturer"])
    (row,) = found.to_dataframe().to_dict("records")
    assert (row["Modality"], row["Manufacturer"]) == ("MR", "dicomlab")


def test_more_matches_than_wanted_are_cut_and_said(archive) -> None:
    found = archive.find("series", of=archive.find("study")[0], limit=2)
    assert (len(found), found.complete) == (2, False)
    assert "more than were wanted" in repr(found)
    assert archive.find("series", of=archive.find("study")[0], limit=3).complete


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda a: a.find("slice"), r'"study", "series" or "image".*found \'slice\''),
        (lambda a: a.find("series"), "so say which"),
        (lambda a: a.find("study", PatientsName="x"), "nearest is PatientName"),
        (lambda a: a.find("study", PixelData="x"), "nothing that an archive can be asked for"),
        (lambda a: a.find("study", TransferSyntaxUID="1.2"), "nothing that an archive can be asked for"),
        (lambda a: a.find("study", StudyInstanceUID="abc"), "StudyInstanceUID is a UID"),
        (lambda a: a.find("study", PatientName=object()), "given as object"),
        (lambda a: a.find("study", PatientName="x" * 5000), "5000 characters"),
        (lambda a: a.find("study", limit=0), "limit is a number"),
        (lambda a: a.find("series", of=3), "of= is a match"),
        (lambda a: a.get("1.2.3", "x"), "named by a match of find"),
        (lambda a: a.get({"SeriesInstanceUID": "1.2.3"}, "x"), "StudyInstanceUID is not given"),
        (lambda a: a.get({"StudyInstanceUID": "../../x"}, "x"), "StudyInstanceUID is no UID"),
        (lambda a: a.get({"StudyInstanceUID": "1.2.3"}, "x"), "which has no series of it"),
        (lambda a: a.move({"StudyInstanceUID": "1.2.3"}, "A\\B"), "to= is an AE title"),
        (lambda a: a.store([3]), "files to send are paths"),
        (lambda a: a.store("/there/is/no/such/file"), "none was found: it cannot be read"),
    ],
)
def test_what_cannot_be_asked_is_refused_in_a_sentence(archive, tmp_path, monkeypatch, ask, message) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(dl.DicomLabError, match=message):
        ask(archive)


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (lambda: Archive("", 104), "host is the name"),
        (lambda: Archive("x", 0), "port is a number"),
        (lambda: Archive("x", True), "port is a number"),
        (lambda: Archive("x", 104, "A" * 17), "ae_title= is an AE title"),
        (lambda: Archive("x", 104, own_title="ü"), "own_title= is an AE title"),
        (lambda: Archive("x", 104, timeout=0), "timeout is a number"),
        (lambda: local_archive("x", port=-1), "port is a number"),
        (lambda: local_archive("x", destinations={"A": ("10.0.0.1", 104)}), "an address of this machine"),
        (lambda: local_archive(__file__), "which is none"),
    ],
)
def test_what_cannot_be_an_archive_is_refused(made, message, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(dl.DicomLabError, match=message):
        made()


def test_without_pynetdicom_the_error_has_the_line_that_installs_it(monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "pynetdicom", None)
    for made in (lambda: Archive(HOST, 104), lambda: local_archive(tmp_path)):
        with pytest.raises(MissingDependencyError, match=r"pip install 'dicomlab\[network\]'"):
            made()


def test_the_page_about_the_network_does_what_it_says(tmp_path, monkeypatch) -> None:
    page = (Path(__file__).parent.parent / "docs" / "network.md").read_text(encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    for block in re.findall(r"^```python\n(.*?)^```", page, flags=re.M | re.S):
        exec(block, names)
    count = len(names["study"].ct.files)
    assert len(names["received"].files) == len(names["images"]) == len(names["sent"].files) == count
    for link in re.findall(r"\]\(([^)#]+)\)", page):
        assert (Path(__file__).parent.parent / "docs" / link).exists(), link


def test_a_match_that_is_not_there_is_said_in_words(server, archive) -> None:
    with pytest.raises(IndexError, match="there is no study 0: the archive found no study that matches"):
        archive.find("study", StudyDate="19010101")[0]
    with pytest.raises(IndexError, match="there is no study 9: the archive found 1"):
        archive.find("study")[9]


# Whom nobody answers


def test_a_closed_port_is_said_to_be_closed() -> None:
    with pytest.raises(ArchiveError, match="where nothing listens on that port"):
        Archive(HOST, free_port(), timeout=5).echo()


def test_an_unknown_machine_is_said_to_be_unknown(monkeypatch) -> None:
    def nobody(*_: object, **__: object) -> None:
        raise socket.gaierror("not known")

    monkeypatch.setattr(socket, "create_connection", nobody)
    monkeypatch.setattr(socket, "getaddrinfo", nobody)
    monkeypatch.setattr(socket, "gethostbyname", nobody)
    with pytest.raises(ArchiveError, match="and no machine called"):
        Archive("pacs.invalid", 104, timeout=5).echo()


@contextmanager
def answering(what: bytes) -> Iterator[int]:
    """Somebody who takes one connection, says something that is no DICOM, and waits for the other to hang up."""
    with socket.create_server((HOST, 0)) as listening:

        def talk() -> None:
            with listening.accept()[0] as caller:
                caller.settimeout(10)
                caller.recv(100_000)
                caller.sendall(what)
                while caller.recv(100_000):
                    pass

        thread = threading.Thread(target=talk)
        thread.start()
        yield listening.getsockname()[1]
        thread.join(timeout=10)


@pytest.mark.parametrize(
    "what", [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n", struct.pack(">BBL", 2, 0, 1 << 31)]
)
def test_a_service_that_speaks_no_dicom_costs_the_timeout_and_no_more(what: bytes) -> None:
    start = time.monotonic()
    with (
        answering(what) as port,
        pytest.raises(ArchiveError, match="is this the port of a DICOM service"),
    ):
        Archive(HOST, port, timeout=1).echo()
    assert time.monotonic() - start < 8


def test_an_archive_that_stops_answering_is_given_up(study, monkeypatch, tmp_path: Path) -> None:
    from dicomlab.extras.network.server import LocalArchive

    asleep = threading.Event()

    def never(self, event):
        asleep.wait(20)
        yield 0x0000, None

    monkeypatch.setattr(LocalArchive, "_find", never)
    with local_archive(study.folder) as server:
        with pytest.raises(ArchiveError, match=r"gave no answer within 3 s or ended"):
            # Long enough that a busy machine greets in time: only the answer never comes.
            Archive(server.host, server.port, server.ae_title, timeout=3).find("study")
        asleep.set()


def test_an_interruption_ends_the_association_and_keeps_what_came(study, tmp_path, monkeypatch) -> None:
    from dicomlab.extras.network import receiving

    before = set(threading.enumerate())
    server = local_archive(study.folder)
    archive = Archive(server.host, server.port, server.ae_title, timeout=5)
    series = archive.find("series", of=archive.find("study")[0])
    store = receiving.Receiver.store

    def interrupted(self, event):
        if len(self.files) == 3:
            raise KeyboardInterrupt
        return store(self, event)

    monkeypatch.setattr(receiving.Receiver, "store", interrupted)
    with pytest.raises(KeyboardInterrupt):
        archive.get(series[0], tmp_path / "got")
    monkeypatch.undo()
    assert len(list((tmp_path / "got").iterdir())) == 3
    received = archive.get(series[0], tmp_path / "got")
    assert (len(received.already), len(received.files)) == (3, len(study.ct.files) - 3)
    server.close()
    server.close()
    assert "closed" in repr(server)
    assert_at_rest(server.port, before)


@pytest.mark.parametrize("verb", ["find", "get"])
def test_ctrl_c_is_heard_while_an_archive_keeps_one_waiting(study, monkeypatch, tmp_path, verb) -> None:
    from dicomlab.extras.network.server import LocalArchive

    asked, over = threading.Event(), threading.Event()
    pressed: list[float] = []

    def never(self, event):
        asked.set()
        over.wait(30)
        yield 0x0000, None

    monkeypatch.setattr(LocalArchive, "_find" if verb == "find" else "_get", never)
    with local_archive(study.folder) as server:
        archive = Archive(server.host, server.port, server.ae_title, timeout=30)

        def press() -> None:
            assert asked.wait(20)
            time.sleep(0.2)
            pressed.append(time.monotonic())
            signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)

        pressing = threading.Thread(target=press)
        pressing.start()
        ask = {
            "find": lambda: archive.find("study"),
            "get": lambda: archive.get(uids_of_mr(study), tmp_path / "got"),
        }
        with pytest.raises(KeyboardInterrupt):
            ask[verb]()
        heard = time.monotonic()
        over.set()
        pressing.join()
    assert heard - pressed[0] < 5


def uids_of_mr(study) -> dict[str, str]:
    header = dcmread(study.mr.files[0])
    return {"StudyInstanceUID": header.StudyInstanceUID, "SeriesInstanceUID": header.SeriesInstanceUID}


def test_a_port_that_is_taken_is_said_to_be_taken(server, tmp_path: Path) -> None:
    with pytest.raises(dl.DicomLabError, match=rf"on port {server.port} was asked for, which cannot be had"):
        local_archive(tmp_path, port=server.port)


def test_the_archive_listens_on_this_machine_alone(server) -> None:
    assert server.host == HOST
    assert server._server.socket.getsockname()[0] == "127.0.0.1"


# Identity


def test_nothing_that_is_shown_names_the_patient(study, archive, tmp_path, caplog, recwarn) -> None:
    caplog.set_level(logging.DEBUG)
    found = archive.find("study", PatientName="Phantom^Nemo", keys=["PatientBirthDate"])
    received = archive.get(archive.find("series", of=found[0])[0], tmp_path / "got")
    with local_archive(tmp_path / "other") as other:
        sent = Archive(other.host, other.port, other.ae_title, timeout=5).store(study.mr.files[0])
    frame = found.to_dataframe()
    shown = [repr(found), found._repr_html_(), frame.to_string(), frame.to_csv(), repr(found[0])]
    shown += [repr(received), repr(sent), repr(archive), caplog.text]
    with pytest.raises(ArchiveError) as error:
        Archive(archive._peer.host, archive._peer.port, "NOBODY", timeout=5).find(PatientName="Phantom^Nemo")
    shown.append(str(error.value))
    for text in shown:
        assert [secret for secret in SECRETS if secret in text] == []
    header = dcmread(study.ct.files[0])
    assert {str(header.PatientName), str(header.PatientID), str(header.StudyDate)} <= set(SECRETS)
    with dl.show_identity():
        assert frame.PatientName.tolist() == ["•••"]
        assert found.to_dataframe().PatientName.tolist() == ["Phantom^Nemo"]
        assert "PHANTOM-0001" in found._repr_html_()


def test_a_name_in_a_description_is_masked_where_the_study_told_the_name(tmp_path: Path) -> None:
    truth = phantom.ct_truth(phantom.CT_PET_FRAME, (1, 8, 8), "axial")
    (one,) = phantom.ct_datasets(truth)
    one.PatientName, one.SeriesDescription = "Ruthless^Anna", "thorax RUTHLESS late"
    phantom.write_datasets(tmp_path / "a", [one])
    with local_archive(tmp_path / "a") as server:
        archive = Archive(server.host, server.port, server.ae_title, timeout=5)
        series = archive.find("series", of=archive.find("study")[0])
    assert series.to_dataframe().SeriesDescription.tolist() == ["thorax ••• late"]
    with dl.show_identity():
        assert series.to_dataframe().SeriesDescription.tolist() == ["thorax RUTHLESS late"]


def test_logging_of_identifiers_is_put_back(study, archive) -> None:
    from pynetdicom import _config

    archive.echo()
    assert not _config.LOG_REQUEST_IDENTIFIERS  # the server of the fixture runs
    with local_archive(study.folder):
        pass
    assert not _config.LOG_REQUEST_IDENTIFIERS


def test_logging_is_as_before_when_nobody_of_us_runs(study) -> None:
    from pynetdicom import _config

    with local_archive(study.folder):
        assert not _config.LOG_RESPONSE_IDENTIFIERS
    assert _config.LOG_RESPONSE_IDENTIFIERS
    assert _config.LOG_REQUEST_IDENTIFIERS


def test_markup_in_an_answer_stays_text(tmp_path: Path) -> None:
    truth = phantom.ct_truth(phantom.CT_PET_FRAME, (1, 8, 8), "axial")
    (one,) = phantom.ct_datasets(truth)
    one.SeriesDescription = "<img src=x onerror=alert(1)>"
    phantom.write_datasets(tmp_path / "a", [one])
    with local_archive(tmp_path / "a") as server:
        archive = Archive(server.host, server.port, server.ae_title, timeout=5)
        page = archive.find("series", of=archive.find("study")[0])._repr_html_()
    assert "<img" not in page
    assert "&lt;img src=x" in page


# Peers that mean harm


@pytest.fixture
def image() -> bytes:
    """A small CT image as it travels: its data set without group 0002."""
    from pynetdicom.dsutils import encode

    truth = phantom.ct_truth(phantom.CT_PET_FRAME, (1, 8, 8), "axial")
    (one,) = phantom.ct_datasets(truth)
    one.SOPInstanceUID = "1.2.3.4"
    encoded = encode(one, is_implicit_vr=False, is_little_endian=True)
    assert encoded is not None
    return encoded


def sent_raw(server, uid: str, data: bytes) -> int | None:
    """Send an object under any name at all; the status of the answer, None where there was none."""
    from pynetdicom import AE
    from pynetdicom.dimse_primitives import C_STORE

    entity = AE()
    entity.dimse_timeout = 5
    association = entity.associate(server.host, server.port, contexts=[context()], ae_title=server.ae_title)
    assert association.is_established
    request = C_STORE()
    request.MessageID = 1
    request.Priority = 2
    request.AffectedSOPClassUID = CTImageStorage
    request._affected_sop_instance_uid = uid
    request.AffectedSOPInstanceUID = uid
    request.DataSet = BytesIO(data)
    association._reactor_checkpoint.clear()
    association.dimse.send_msg(request, 1)
    _, answer = association.dimse.get_msg(block=True)
    association.abort()
    return None if answer is None else answer.Status


def context():
    from pynetdicom import build_context

    return build_context(CTImageStorage, [ExplicitVRLittleEndian])


def test_an_image_under_its_own_name_is_taken(tmp_path: Path, image: bytes) -> None:
    with local_archive(tmp_path / "a") as server:
        assert sent_raw(server, "1.2.3.4", image) == 0
    assert (tmp_path / "a" / "received" / "1.2.3.4.dcm").read_bytes().endswith(image)


@pytest.mark.filterwarnings("ignore:Invalid value for VR UI")  # of pydicom, while we send it
@pytest.mark.parametrize("uid", ["1.2.3.5", "1", "1..2", "1.2.3.4/x", "..", "1.2.x"])
def test_an_image_under_a_name_that_is_not_its_own_is_not_taken(tmp_path, image, uid) -> None:
    with local_archive(tmp_path / "a") as server:
        try:
            status = sent_raw(server, uid, image)
        except ValueError:  # pynetdicom sends no such thing
            status = None
        assert status != 0
        assert len(server) == 0
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


@pytest.mark.filterwarnings("ignore:Invalid value for VR UI")  # of pydicom, while we send it
def test_an_image_whose_own_name_leads_elsewhere_is_not_taken(tmp_path: Path, image: bytes) -> None:
    assert image.count(b"1.2.3.4\0") == 1
    with local_archive(tmp_path / "a") as server:
        assert sent_raw(server, "../../x", image.replace(b"1.2.3.4\0", b"../../x\0")) == 0x0117
        assert len(server) == 0
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_an_image_larger_than_allowed_is_not_taken_nor_gathered(tmp_path: Path, image: bytes) -> None:
    with local_archive(tmp_path / "a", object_limit=len(image) - 1) as server:
        assert sent_raw(server, "1.2.3.4", image) == 0xA700
        assert sent_raw(server, "1.2.3.4", image + bytes(3 << 20)) is None  # hung up on
        assert len(server) == 0
    with local_archive(tmp_path / "b", total_limit=len(image) - 1) as server:
        assert sent_raw(server, "1.2.3.4", image) == 0xA700
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_link_in_place_of_the_file_is_not_followed(tmp_path: Path, image: bytes) -> None:
    (tmp_path / "a" / "received").mkdir(parents=True)
    (tmp_path / "a" / "received" / "1.2.3.4.dcm").symlink_to(tmp_path / "elsewhere")
    with local_archive(tmp_path / "a") as server:
        sent_raw(server, "1.2.3.4", image)
    assert not (tmp_path / "elsewhere").exists()


def test_a_caller_who_announces_gigabytes_is_hung_up_on(server) -> None:
    with socket.create_connection((server.host, server.port), timeout=10) as caller:
        caller.sendall(struct.pack(">BBL", 1, 0, (1 << 32) - 1) + bytes(1000))
        try:
            assert caller.recv(100) in (b"",) or True
            while caller.recv(1000):
                pass
        except ConnectionResetError:
            pass
    assert Archive(server.host, server.port, server.ae_title, timeout=5).echo()


def test_what_an_archive_sends_beyond_the_limits_is_not_taken(archive, tmp_path: Path) -> None:
    series = archive.find("series", of=archive.find("study")[0])
    with pytest.raises(ArchiveError, match=r"none of 6 came: it has more than 1000 bytes"):
        archive.get(series[0], tmp_path / "got", object_limit=1000)
    size = next(iter(archive.get(series[0], tmp_path / "all").files)).stat().st_size
    with pytest.warns(dl.DicomLabWarning, match="3 images did not come .*all together have more than"):
        received = archive.get(series[0], tmp_path / "some", total_limit=3 * size + 600)
    assert (len(received.files), len(received.failed)) == (3, 3)


def test_an_archive_that_answers_endlessly_is_hung_up_on(study, monkeypatch) -> None:
    from pydicom import Dataset

    from dicomlab.extras.network import association
    from dicomlab.extras.network.server import LocalArchive

    monkeypatch.setattr(association, "_ANSWER", 100_000)

    def endless(self, event):
        answer = Dataset()
        answer.QueryRetrieveLevel = "STUDY"
        answer.StudyInstanceUID = "1.2.3"
        answer.TextValue = "x" * 3_000_000
        yield 0xFF00, answer
        yield 0x0000, None

    def many(self, event):
        answer = Dataset()
        answer.StudyInstanceUID = "1.2.3"
        while True:
            yield 0xFF00, answer

    for answers, outcome in ((endless, "ended the association"), (many, None)):
        monkeypatch.setattr(LocalArchive, "_find", answers)
        with local_archive(study.folder) as server:
            archive = Archive(server.host, server.port, server.ae_title, timeout=5)
            if outcome:
                with pytest.raises(ArchiveError, match=outcome):
                    archive.find("study")
            else:
                found = archive.find("study", limit=2)
                assert (len(found), found.complete) == (2, False)


def test_files_that_broke_since_they_were_listed_are_told_as_failed(study, tmp_path: Path) -> None:
    shutil.copytree(study.mr.folder, tmp_path / "mr")
    files = sorted((tmp_path / "mr").iterdir())
    with local_archive(tmp_path / "mr") as server:
        archive = Archive(server.host, server.port, server.ae_title, timeout=5)
        series = archive.find("series", of=archive.find("study")[0])
        files[0].write_bytes(b"nothing")
        with pytest.warns(dl.DicomLabWarning, match="1 images did not come"):
            received = archive.get(series[0], tmp_path / "got")
    assert len(received.files) == len(files) - 1
    assert received.failed[0][1] == "the archive could not send it"


def test_a_folder_of_anything_is_listed_with_what_is_left_out(study, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no image")
    (tmp_path / "empty").write_bytes(b"")
    copy = tmp_path / "twice"
    copy.write_bytes(study.ct.files[0].read_bytes())
    (tmp_path / "once").write_bytes(study.ct.files[0].read_bytes())
    with local_archive(tmp_path) as server:
        assert len(server) == 1
        assert set(server.skipped) == {tmp_path / "notes.txt", tmp_path / "empty", copy}
        assert "has the SOP Instance UID of once" in server.skipped[copy]
