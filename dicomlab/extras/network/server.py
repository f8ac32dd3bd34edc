"""The answering side: `local_archive`, a small archive of one folder, on this machine alone."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

from pydicom.dataset import Dataset
from pydicom.filereader import dcmread
from pydicom.uid import (
    AllTransferSyntaxes,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from dicomlab.errors import DicomLabError
from dicomlab.extras.network.association import (
    MOST_CONTEXTS,
    PDU_LENGTH,
    check_title,
    identifiers_unlogged,
    network,
    refuse_long_parts,
)
from dicomlab.extras.network.index import BadQuestion, Entry, Index
from dicomlab.extras.network.receiving import Receiver
from dicomlab.warn import quiet

__all__ = ["LocalArchive", "local_archive"]

_HOST: Final = "127.0.0.1"
_PLAIN: Final = (ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian)
_TAKEN: Final = [
    str(one) for one in (*_PLAIN, *AllTransferSyntaxes) if one != DeflatedExplicitVRLittleEndian
]  # what is deflated can unfold into any length
_MODELS: Final = tuple(
    f"1.2.840.10008.5.1.4.1.2.{root}.{service}" for root in (1, 2) for service in (1, 2, 3)
)
_VERIFY: Final = "1.2.840.10008.1.1"
_GIB: Final = 1 << 30
_LINGER: Final = 2.0
"""Seconds that a caller's thread is waited for at the end."""
_PENDING, _BAD_QUESTION, _CANCELLED = 0xFF00, 0xA900, 0xFE00


def local_archive(
    folder: str | os.PathLike[str],
    *,
    ae_title: str = "ARCHIVE",
    port: int = 0,
    destinations: Mapping[str, tuple[str, int]] | None = None,
    object_limit: int = _GIB,
    total_limit: int = 4 * _GIB,
) -> LocalArchive:
    """A small archive of the DICOM files below a folder, answering until it is closed; a context manager.

    It listens on 127.0.0.1, so that nobody on another machine reaches it; users of this machine do. It answers C-ECHO, C-FIND,
    C-GET, C-MOVE (Patient Root and Study Root) and C-STORE in threads of its own.

    Parameters
    ----------
    folder
        What it holds: every DICOM file below, listed once. Made when missing. What is stored goes to its folder ``received``,
        named by SOP Instance UID; no file is ever changed.
    ae_title
        What it is called; who calls it otherwise is refused.
    port
        0 takes one that is free.
    destinations
        Stations that it may move images to: address and port on this machine, by AE title.
    object_limit, total_limit
        Bytes of one object that is stored, and of all that are.

    Raises
    ------
    DicomLabError
        The folder cannot be used, the port is taken, a title or a destination cannot be one.
    MissingDependencyError
        pynetdicom is not installed.

    Examples
    --------
    >>> from dicomlab.extras.network import Archive
    >>> with local_archive(tmp_path) as server:
    ...     Archive(server.host, server.port, server.ae_title).echo()
    True
    """
    return LocalArchive(
        folder,
        ae_title=ae_title,
        port=port,
        destinations=destinations,
        object_limit=object_limit,
        total_limit=total_limit,
    )


class LocalArchive:
    """A running archive, as `local_archive` makes it.

    Attributes
    ----------
    host, port, ae_title
        What a caller needs.
    """

    def __init__(
        self,
        folder: str | os.PathLike[str],
        *,
        ae_title: str,
        port: int,
        destinations: Mapping[str, tuple[str, int]] | None,
        object_limit: int,
        total_limit: int,
    ) -> None:
        self._package = network()
        self.ae_title = check_title(ae_title, "ae_title=")
        if isinstance(port, bool) or not isinstance(port, int) or not 0 <= port < 65536:
            raise DicomLabError(
                f"port is a number from 1 to 65535, or 0 for any that is free; found {port!r}"
            )
        self._destinations = _checked(destinations or {})
        self.host = _HOST
        self._folder = Path(folder).expanduser()
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
        except OSError as problem:
            raise DicomLabError(
                f"an archive of the folder {str(self._folder)!r} was asked for, which is none: {problem.strerror}"
            ) from problem
        self._index = Index()
        self._index.scan(self._folder)
        self._receiver = Receiver(self._folder / "received", object_limit, total_limit)
        self._lock = threading.Lock()
        self._connections: list[tuple[threading.Thread, socket.socket]] = []
        self._stack = ExitStack()
        self._stack.enter_context(identifiers_unlogged())
        self._entity = self._package.AE(ae_title=self.ae_title)
        self._entity.require_called_aet = True
        self._entity.maximum_associations = 8
        self._entity.maximum_pdu_size = PDU_LENGTH
        self._entity.acse_timeout = self._entity.dimse_timeout = 30
        self._entity.network_timeout = 60
        try:
            self._server = self._entity.start_server(
                (self.host, port),
                block=False,
                contexts=_contexts(self._package),
                evt_handlers=self._handlers(),
            )
        except OSError as problem:
            self._stack.close()
            raise DicomLabError(
                f"an archive on port {port} was asked for, which cannot be had: {problem.strerror}; port=0 takes a free one"
            ) from problem
        self.port = int(self._server.server_address[1])

    @property
    def skipped(self) -> dict[Path, str]:
        """Files of the folder that it does not hold, and why."""
        return dict(self._index.skipped)

    def __len__(self) -> int:
        return len(self._index)

    def __repr__(self) -> str:
        state = f"closed, was at port {self.port}" if self._server is None else f"{self.host}:{self.port}"
        return f"<LocalArchive {self.ae_title}, {state}: {len(self)} objects in {self._folder}>"

    def __enter__(self) -> LocalArchive:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Hang up on all callers and give the port back; a second time does nothing."""
        with self._lock:
            server, self._server = self._server, None
        if server is None:
            return
        for association in server.active_associations:
            association.abort()
        server.shutdown()
        for association, _ in self._connections:
            if association.ident:
                association.join(timeout=_LINGER)
        self._hang_up(self._connections)
        self._stack.close()

    def _opened(self, event: Any) -> None:
        """Note a connection, and close those of callers who are gone: pynetdicom forgets it where they hung up first."""
        with self._lock:
            self._hang_up([one for one in self._connections if not one[0].is_alive() and one[0].ident])
            self._connections = [one for one in self._connections if one[1].fileno() >= 0]
            self._connections.append((event.assoc, event.assoc.dul.socket.socket))

    @staticmethod
    def _hang_up(connections: list[tuple[threading.Thread, socket.socket]]) -> None:
        for _, one in connections:
            one.close()

    def _handlers(self) -> list[tuple[Any, Any]]:
        events = self._package.evt
        return [
            (events.EVT_C_ECHO, lambda event: 0x0000),
            (events.EVT_C_FIND, self._find),
            (events.EVT_C_GET, self._get),
            (events.EVT_C_MOVE, self._move),
            (events.EVT_C_STORE, self._store),
            (events.EVT_CONN_OPEN, refuse_long_parts),
            (events.EVT_CONN_OPEN, self._opened),
            *self._receiver.limit().handlers(),
        ]

    def _find(self, event: Any) -> Iterator[tuple[int, Dataset | None]]:
        try:
            found = self._index.find(str(event.request.AffectedSOPClassUID), _identifier(event))
        except BadQuestion:
            yield _BAD_QUESTION, None
            return
        for answer in found:
            if event.is_cancelled:
                yield _CANCELLED, None
                return
            answer.RetrieveAETitle = self.ae_title
            yield _PENDING, answer

    def _get(self, event: Any) -> Iterator[Any]:
        try:
            entries = self._index.take(str(event.request.AffectedSOPClassUID), _identifier(event))
        except BadQuestion:
            yield 1
            yield _BAD_QUESTION, None
            return
        yield len(entries)
        accepted = {
            (str(one.abstract_syntax), str(one.transfer_syntax[0]))
            for one in event.assoc.accepted_contexts
            if one.as_scu
        }
        yield from _objects(event, entries, accepted)

    def _move(self, event: Any) -> Iterator[Any]:
        destination = self._destinations.get(str(event.request.MoveDestination or "").strip())
        if destination is None:
            yield None, None
            return
        try:
            entries = self._index.take(str(event.request.AffectedSOPClassUID), _identifier(event))
        except BadQuestion:
            entries = None
        kinds = sorted({(str(one.header.SOPClassUID), str(one.transfer_syntax)) for one in entries or ()})[
            : MOST_CONTEXTS // 2
        ]
        contexts = [
            self._package.build_context(one, syntaxes)
            for one, syntax in kinds
            for syntaxes in ([syntax], [str(plain) for plain in _PLAIN])
        ]
        yield (*destination, {"contexts": contexts or [self._package.build_context(_VERIFY)]})
        if entries is None:
            yield 1
            yield _BAD_QUESTION, None
            return
        yield len(entries)
        yield from _objects(event, entries, None)

    def _store(self, event: Any) -> int:
        self._receiver.folder.mkdir(exist_ok=True)
        before = len(self._receiver.files)
        status = self._receiver.store(event)
        for path in self._receiver.files[before:]:
            self._index.add(path)
        return status


def _objects(
    event: Any, entries: list[Entry], accepted: set[tuple[str, str]] | None
) -> Iterator[tuple[int, Dataset | None]]:
    """The objects to send, each as it is stored, or decompressed for a caller who takes it no other way."""
    for entry in entries:
        if event.is_cancelled:
            yield _CANCELLED, None
            return
        kind = str(entry.header.SOPClassUID)
        with quiet():
            try:
                whole = dcmread(entry.path)
                if accepted is None or (kind, str(entry.transfer_syntax)) not in accepted:
                    for (
                        _
                    ) in whole.iterall():  # it is encoded anew: what pydicom says of its values, it says here
                        pass
                    plain = accepted is not None and any((kind, str(one)) in accepted for one in _PLAIN)
                    if plain and entry.transfer_syntax.is_encapsulated:
                        whole.decompress(generate_instance_uid=False)
            except Exception:  # whatever a file that is gone or broken makes pydicom raise
                whole = _named(entry)
        yield _PENDING, whole


def _named(entry: Entry) -> Any:
    """An object that cannot be sent, by its name: pynetdicom counts it as failed and tells the caller which it was."""
    stub = Dataset()
    stub.SOPInstanceUID = entry.header.SOPInstanceUID
    return stub


def _identifier(event: Any) -> Dataset:
    with quiet():
        try:
            found: Dataset = event.identifier
            list(found)  # parses all of it now
        except Exception as problem:  # whatever broken bytes make pydicom raise
            raise BadQuestion("it cannot be parsed") from problem
    return found


def _contexts(package: Any) -> list[Any]:
    made = []
    for uid in (_VERIFY, *_MODELS):
        made.append(package.build_context(uid, [str(one) for one in _PLAIN]))
    for storage in package.AllStoragePresentationContexts:
        context = package.build_context(storage.abstract_syntax, _TAKEN)
        context.scu_role = context.scp_role = True  # a caller of C-GET takes the other part
        made.append(context)
    return made


def _checked(destinations: Any) -> dict[str, tuple[str, int]]:
    made: dict[str, tuple[str, int]] = {}
    for title, place in dict(destinations).items():
        name = check_title(title, "a destination")
        try:
            host, port = place
        except (TypeError, ValueError):
            host, port = None, None
        if host not in (_HOST, "localhost") or not isinstance(port, int) or not 0 < port < 65536:
            raise DicomLabError(
                f"the destination {name} is an address of this machine and a port, ('{_HOST}', 11112); found {place!r}"
            )
        made[name] = (_HOST, port)
    return made
