"""The asking side: `Archive` echoes, finds, gets, moves and stores."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from pydicom.dataset import Dataset
from pydicom.uid import UID

from dicomlab.errors import DicomLabError
from dicomlab.extras.network.answers import Match, Matches, Received, Sent
from dicomlab.extras.network.association import (
    ArchiveError,
    Peer,
    associated,
    check_title,
    failed,
    network,
)
from dicomlab.extras.network.contexts import PLAIN, storage_contexts, usual_classes
from dicomlab.extras.network.meant import level_of, uids_of
from dicomlab.extras.network.questions import (
    KEYS,
    check_level,
    question,
    texts,
    unique_keys,
)
from dicomlab.extras.network.receiving import Receiver, folder_for
from dicomlab.extras.network.sending import kinds_of, parts, send
from dicomlab.extras.network.uids import is_uid
from dicomlab.read.progress import Progress
from dicomlab.warn import warn_user

__all__ = ["Archive"]

_VERIFY: Final = "1.2.840.10008.1.1"
_FIND: Final = "1.2.840.10008.5.1.4.1.2.2.1"
_MOVE: Final = "1.2.840.10008.5.1.4.1.2.2.2"
_GET: Final = "1.2.840.10008.5.1.4.1.2.2.3"
_PENDING: Final = (0xFF00, 0xFF01)
_GIB: Final = 1 << 30


class Archive:
    """An archive that is asked over the network: a PACS, or the `local_archive` of a lesson.

    Nothing is opened before a verb is called; each opens an association and closes it. The model is Study Root.

    Parameters
    ----------
    host, port
        Where it listens.
    ae_title
        What it is called: many refuse a caller who calls them by another name.
    own_title
        What we are called: many answer only those whom they know.
    timeout
        Seconds that one answer may take. A large image is one answer.

    References
    ----------
    PS3.4 annex A "Verification", B "Storage", C "Query/Retrieve"; PS3.7; PS3.8.
    """

    def __init__(
        self,
        host: str,
        port: int,
        ae_title: str = "ANY-SCP",
        *,
        own_title: str = "DICOMLAB",
        timeout: float = 30.0,
    ) -> None:
        if not isinstance(host, str) or not host.strip():
            raise DicomLabError(f"host is the name or address of a machine; found {host!r}")
        if isinstance(port, bool) or not isinstance(port, int) or not 0 < port < 65536:
            raise DicomLabError(f"port is a number from 1 to 65535, often 104 or 11112; found {port!r}")
        if isinstance(timeout, bool) or not isinstance(timeout, (int, float)) or not 0 < timeout < 86400:
            raise DicomLabError(f"timeout is a number of seconds above 0; found {timeout!r}")
        network()
        self._peer = Peer(
            host.strip(),
            port,
            check_title(ae_title, "ae_title="),
            check_title(own_title, "own_title="),
            float(timeout),
        )

    def __repr__(self) -> str:
        return f"<Archive {self._peer}>"

    def echo(self) -> bool:
        """True when the archive answers: the "ping" of DICOM (C-ECHO, PS3.7 9.1.5).

        Raises
        ------
        ArchiveError
            It does not; the message says why.
        """
        what = "an echo"
        with associated(self._peer, [(_VERIFY, PLAIN)], what) as association:
            status = association.send_c_echo()
            if status.get("Status") != 0x0000:
                raise failed(status, what, self._peer)
        return True

    def find(
        self,
        level: str = "study",
        *,
        of: Match | Mapping[str, Any] | None = None,
        keys: Iterable[str] = (),
        limit: int = 1000,
        **keywords: Any,
    ) -> Matches:
        """What the archive has at a level, as a table (C-FIND).

        Parameters
        ----------
        level
            ``"study"``, ``"series"`` or ``"image"``.
        of
            The study whose series, or the series whose images, are wanted: a match of an earlier find.
        keys
            Further keywords that shall come back; archives leave empty what they do not know.
        limit
            Matches to take at most; then the archive is told to stop.
        **keywords
            What must match, by PS3.6 keyword: ``PatientName="Pha*"``, ``StudyDate="20240101-20241231"``, ``Modality="CT"``.

        Raises
        ------
        ArchiveError
            The archive cannot be reached or refuses.
        DicomLabError
            The question cannot be asked.
        """
        level = check_level(level)
        if isinstance(limit, bool) or not isinstance(limit, int) or limit < 1:
            raise DicomLabError(f"limit is a number of matches, 1 or more; found {limit!r}")
        keys = [keys] if isinstance(keys, str) else list(keys)
        asked = question(level, {**uids_of(of), **keywords}, keys)
        what = f"a list at the {level} level"
        found: list[Dataset] = []
        complete = True
        with associated(self._peer, [(_FIND, PLAIN)], what) as association:
            answers = association.send_c_find(asked, UID(_FIND))
            for status, identifier in answers:
                if status.get("Status") not in _PENDING:
                    if status.get("Status") == 0x0000 or (status.get("Status") == 0xFE00 and not complete):
                        break
                    raise failed(status, what, self._peer)
                if len(found) < limit:
                    found.append(identifier if identifier is not None else Dataset())
                elif complete:
                    complete = False
                    association.send_c_cancel(1, query_model=UID(_FIND))
                elif len(found) >= 2 * limit + 100:  # it does not listen
                    association.abort()
                    break
                else:
                    found.append(Dataset())
        columns = dict.fromkeys((*KEYS[level], *keys, *keywords))
        known = of.identity if isinstance(of, Match) else frozenset()
        matches = [Match(level, one, known) for one in found[:limit]]
        return Matches(level, matches, list(columns), str(self._peer), complete)

    def get(
        self,
        what: Match | Matches | Mapping[str, Any],
        folder: str | os.PathLike[str],
        *,
        object_limit: int = 2 * _GIB,
        total_limit: int = 16 * _GIB,
        progress: bool = True,
    ) -> Received:
        """Files of a study, a series or an image, written into a folder (C-GET).

        Parameters
        ----------
        what
            A match of ``find``, several of them, or the UIDs by keyword:
            ``{"StudyInstanceUID": …, "SeriesInstanceUID": …}``.
        folder
            Made when missing. Files are named by SOP Instance UID; one that is there already is left alone.
        object_limit, total_limit
            Bytes of one object and of all together; beyond them nothing is taken.
        progress
            Show a bar when it takes longer than a second.

        Raises
        ------
        ArchiveError
            The archive cannot be reached, refuses, or has nothing of the kind.
        DicomLabError
            The question cannot be asked, or the folder cannot be made.

        Warns
        -----
        DicomLabWarning
            Some did not come; ``failed`` of the result names them.

        Notes
        -----
        What a series holds is asked first, so that each of its kinds can be taken as it is stored, compressed or not. Files
        that came before an interruption stay; asking again fetches the rest.
        """
        target = folder_for(folder)
        receiver = Receiver(target, object_limit, total_limit)
        missing: list[tuple[str, str]] = []
        for wanted in self._series_of(what):
            missing += self._get_series(wanted, receiver, progress)
        reasons = dict(receiver.refused)
        lost = [(uid, reasons.get(uid, reasons.get("", why))) for uid, why in missing]
        result = Received(target, receiver.files, receiver.already, lost)
        if lost and not (receiver.files or receiver.already):
            raise ArchiveError(
                f"images were asked of {self._peer}, and none of {len(lost)} came: {lost[0][1]}"
            )
        if lost:
            warn_user(f"{len(lost)} images did not come from {self._peer}: {lost[0][1]}")
        return result

    def move(self, what: Match | Mapping[str, Any], to: str) -> int:
        """How many images the archive sent to another station, which it must know by that AE title (C-MOVE).

        Parameters
        ----------
        what
            A match of ``find``, or UIDs by keyword.
        to
            AE title of the station. A `local_archive` can be one.

        Raises
        ------
        ArchiveError
            The archive cannot be reached, refuses, or does not know the station.

        Warns
        -----
        DicomLabWarning
            Some of the images were not sent.
        """
        destination = check_title(to, "to=")
        level, uids = level_of(what)
        asked = unique_keys(level, uids)
        said = f"sending a {level} to {destination}"
        with associated(self._peer, [(_MOVE, PLAIN)], said) as association:
            status = Dataset()
            answers = association.send_c_move(asked, destination, UID(_MOVE))
            for status, _ in answers:
                if status.get("Status") not in _PENDING:
                    break
            if status.get("Status") not in (0x0000, 0xB000):
                raise failed(status, said, self._peer)
        sent = int(status.get("NumberOfCompletedSuboperations") or 0)
        lost = int(status.get("NumberOfFailedSuboperations") or 0)
        if lost:
            warn_user(f"{lost} images of {sent + lost} did not arrive at {destination}")
        return sent

    def store(
        self, files: str | os.PathLike[str] | Iterable[str | os.PathLike[str]], *, progress: bool = True
    ) -> Sent:
        """Files that the archive took (C-STORE). Patient names go along, and nothing is encrypted.

        Parameters
        ----------
        files
            A file, a folder with all below it, or several of them.
        progress
            Show a bar when it takes longer than a second.

        Raises
        ------
        ArchiveError
            The archive cannot be reached, or took none.
        DicomLabError
            There is no DICOM file among them.

        Warns
        -----
        DicomLabWarning
            Some were not taken; ``failed`` of the result says why.
        """
        kinds, bad = kinds_of(files)
        if not kinds:
            reason = next(iter(bad.values()), "there are no files")
            raise DicomLabError(f"DICOM files to send were asked for, and none was found: {reason}")
        taken: list[Path] = []
        order = sorted(kinds, key=lambda path: kinds[path])
        with Progress(len(order), "sending", progress) as bar:
            for part in parts(order, kinds):
                contexts = sorted({kinds[path] for path in part})
                with associated(
                    self._peer, [(one, (syntax,)) for one, syntax in contexts], "storing"
                ) as association:
                    for path in part:
                        why = send(association, self._peer, path)
                        if why:
                            bad[path] = why
                        else:
                            taken.append(path)
                        bar.step()
        if not taken:
            raise ArchiveError(
                f"storing {len(order)} files was asked of {self._peer}, which took none: {next(iter(bad.values()))}"
            )
        if bad:
            path, why = next(iter(bad.items()))
            warn_user(f"{len(bad)} files were not stored in {self._peer}; {path.name}: {why}")
        return Sent(taken, bad)

    def _series_of(self, what: Any) -> Iterator[tuple[str, dict[str, str]]]:
        """Each series or image that a request means, as level and UIDs."""
        for one in what if isinstance(what, Matches) else [what]:
            level, uids = level_of(one)
            unique_keys(level, uids)
            if level != "study":
                yield level, uids
                continue
            found = self.find("series", of=uids)
            if not found:
                raise ArchiveError(f"a study was asked of {self._peer}, which has no series of it")
            for series in found:
                yield "series", {**uids, **series.uids}

    def _get_series(
        self, wanted: tuple[str, dict[str, str]], receiver: Receiver, progress: bool
    ) -> list[tuple[str, str]]:
        """Take one series or image; what of it did not come, and why."""
        level, uids = wanted
        said = f"a {level}"
        within = {key: uids[key] for key in ("StudyInstanceUID", "SeriesInstanceUID")}
        images = self.find("image", of=within, limit=65535)
        listed = {
            uid[0]: texts(one.header, "SOPClassUID")
            for one in images
            if (uid := texts(one.header, "SOPInstanceUID"))
        }
        if level == "image":
            listed = {uid: kind for uid, kind in listed.items() if uid == uids["SOPInstanceUID"]}
        if not listed:
            raise ArchiveError(f"{said} was asked of {self._peer}, which has no images of it")
        classes = sorted({kind[0] for kind in listed.values() if kind and is_uid(kind[0])}) or usual_classes()
        events = network().evt
        before = len(receiver.files) + len(receiver.already)
        status = Dataset()
        with Progress(len(listed), "receiving", progress, unit="image") as bar:

            def came(event: Any) -> int:
                answer = receiver.store(event)
                bar.step()
                return answer

            with associated(
                self._peer,
                [(_GET, PLAIN), *storage_contexts(classes)],
                said,
                roles=classes,
                handlers=[(events.EVT_C_STORE, came)],
                limit=receiver.limit(),
            ) as association:
                answers = association.send_c_get(unique_keys(level, uids), UID(_GET))
                for status, _ in answers:
                    if status.get("Status") not in _PENDING:
                        break
        arrived = receiver.files + receiver.already
        missing = sorted(set(listed) - {path.stem for path in arrived})
        if status.get("Status") not in (0x0000, 0xB000) and len(arrived) == before and not receiver.refused:
            raise failed(status, said, self._peer)
        reason = (
            "the archive could not send it" if "Status" in status else "the association ended before it came"
        )
        return [(uid, reason) for uid in missing]
