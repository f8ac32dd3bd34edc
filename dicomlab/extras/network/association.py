"""One association with an archive: opened with a clear reason if it fails, released at the end, aborted when interrupted."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakKeyDictionary

from pydicom.dataset import Dataset
from pydicom.uid import UID

from dicomlab.errors import DicomLabError
from dicomlab.optional import optional
from dicomlab.privacy import identity_shown

if TYPE_CHECKING:
    from pynetdicom.association import Association

__all__ = [
    "ArchiveError",
    "Peer",
    "associated",
    "check_title",
    "failed",
    "identifiers_unlogged",
    "network",
    "refuse_long_parts",
]

_PROBE: Final = 5.0
"""Seconds to find out why no connection came about."""

PDU_LENGTH: Final = 1 << 17
"""Bytes of one message part that we say we take; 16 KiB is usual, larger is quicker."""

_LONGEST_PDU: Final = 8 * PDU_LENGTH
"""Bytes of one PDU: one of data is never longer than what we said we take, the one that asks for an association may be."""

_CALLS: Final = 2
"""Who refuses and hangs up at once may be heard hanging up before the reason arrives: then we call once more."""

_ANSWER: Final = 1 << 24
"""Bytes of an answer that holds no image."""

_DATA: Final = 0x04
"""The type of a PDU that carries parts of messages (PS3.8 9.3.1)."""

MOST_CONTEXTS: Final = 128
"""An association has odd context IDs from 1 to 255 (PS3.8 9.3.2.2)."""


class ArchiveError(DicomLabError):
    """An archive cannot be reached, refuses what was asked, or stops answering."""


def network() -> Any:
    """Return pynetdicom.

    Raises
    ------
    MissingDependencyError
        It is not installed.
    """
    return optional("pynetdicom", purpose="Talking to an archive", extra="network")


@dataclass(frozen=True)
class Peer:
    """Who is talked to, under which names, and how long an answer may take (s)."""

    host: str
    port: int
    called: str
    calling: str
    timeout: float

    def __str__(self) -> str:
        return f"{self.called} at {self.host}:{self.port}"


def check_title(title: Any, what: str) -> str:
    """Return an application entity title, or refuse it (PS3.8 9.3.2, PS3.5 6.2, AE: 16 characters at most).

    Raises
    ------
    DicomLabError
        It cannot be one.
    """
    if (
        isinstance(title, str)
        and 0 < len(title.strip()) <= 16
        and title.isascii()
        and title.isprintable()
        and "\\" not in title
    ):
        return title.strip()
    raise DicomLabError(
        f"{what} is an AE title: 1 to 16 ASCII characters without a backslash; found {title!r}"
    )


@contextmanager
def associated(
    peer: Peer,
    contexts: Sequence[tuple[str, Sequence[str]]],
    what: str,
    *,
    roles: Iterable[str] = (),
    handlers: Iterable[tuple[Any, Any]] = (),
    limit: MessageLimit | None = None,
) -> Iterator[Association]:
    """An association for the block, released at its end, aborted when anything goes wrong in it, Ctrl-C included.

    Nothing waits for an answer inside of `quiet`: who answers may be a thread of this process that needs it, too.

    Parameters
    ----------
    peer
        Whom to call.
    contexts
        Abstract syntax and transfer syntaxes of each presentation context, 128 at most.
    what
        What it is for: the beginning of sentences about failures.
    roles
        SOP classes that the archive shall send to us on this association (C-GET).
    handlers
        Of pynetdicom's events.
    limit
        Of one message; None for that of answers without pixels.

    Raises
    ------
    ArchiveError
        None came about; the message says why.
    """
    package = network()
    entity = package.AE(ae_title=peer.calling)
    entity.acse_timeout = entity.dimse_timeout = entity.connection_timeout = peer.timeout
    entity.network_timeout = 2 * peer.timeout
    entity.maximum_pdu_size = PDU_LENGTH
    opened: list[Association] = []
    events = [
        (package.evt.EVT_CONN_OPEN, lambda event: opened.append(event.assoc)),
        (package.evt.EVT_CONN_OPEN, refuse_long_parts),
        *(limit or MessageLimit(_ANSWER)).handlers(),
        *handlers,
    ]
    with identifiers_unlogged(), _closed_at_the_end(entity):
        try:
            for _ in range(_CALLS):
                opened.clear()
                called = time.monotonic()
                association = entity.associate(
                    peer.host,
                    peer.port,
                    contexts=[package.build_context(one, list(syntaxes)) for one, syntaxes in contexts],
                    ae_title=peer.called,
                    max_pdu=PDU_LENGTH,
                    ext_neg=[package.build_role(UID(one), scp_role=True) for one in roles],
                    evt_handlers=events,
                )
                hung_up = opened and not (
                    association.is_established or association.is_rejected or association.rejected_contexts
                )
                if not hung_up or time.monotonic() - called > peer.timeout / 2:
                    break
        except (OSError, ValueError) as problem:  # a name that nobody knows
            raise ArchiveError(f"{what} was asked of {peer}, {_why_not(peer)}") from problem
        except BaseException:
            for begun in opened:
                begun.abort()
            raise
        if not association.is_established:
            raise ArchiveError(
                f"{what} was asked of {peer}, {_refusal(association, peer, contexts, bool(opened))}"
            )
        try:
            yield association
        except BaseException:
            association.abort()
            raise
        if association.is_established:
            association.release()


@contextmanager
def _closed_at_the_end(entity: Any) -> Iterator[None]:
    """Every connection that pynetdicom opens for the entity is closed: it forgets those that were refused."""
    sockets: list[socket.socket] = []
    make = entity._create_socket

    def kept(*arguments: Any) -> Any:
        wrapped = make(*arguments)
        sockets.append(wrapped.socket)
        return wrapped

    entity._create_socket = kept
    try:
        yield
    finally:
        for one in sockets:
            with suppress(OSError):  # where it is not connected any more
                one.shutdown(
                    socket.SHUT_RDWR
                )  # wakes a thread that waits for more, which closing alone does not
            one.close()


def failed(status: Dataset, what: str, peer: Peer) -> ArchiveError:
    """Return the error that says what a final status means, or that there was none."""
    if "Status" not in status:
        return ArchiveError(
            f"{what} was asked of {peer}, which gave no answer within {peer.timeout:g} s or ended the association: "
            "ask for less, or give Archive a longer timeout="
        )
    code = int(status.Status)
    meaning = next((text for low, high, text in _MEANINGS if low <= code <= high), "it could not do it")
    words = str(status.get("ErrorComment") or "").strip()
    said = f' It says: "{words[:120]}".' if words and identity_shown() else ""
    return ArchiveError(f"{what} was asked of {peer}, which answered 0x{code:04X}: {meaning}.{said}")


_MEANINGS: Final = (
    (0x0110, 0x0110, "it failed while processing"),
    (0x0122, 0x0122, "it does not know this SOP class"),
    (0x0124, 0x0124, "we are not authorised"),
    (0x0211, 0x0212, "it does not know this operation, or not these arguments"),
    (0xA700, 0xA7FF, "it is out of resources: disk, memory, or the request was too large"),
    (
        0xA801,
        0xA801,
        "it knows no such destination: whoever runs it has to enter AE title, address and port there",
    ),
    (0xA900, 0xA9FF, "the request does not match what it offers: check level, unique keys and keywords"),
    (0xB000, 0xB000, "some of the images failed"),
    (0xC000, 0xCFFF, "it could not process the request"),
    (0xFE00, 0xFE00, "the request was cancelled"),
)
"""Status codes in our words (PS3.7 annex C; PS3.4 B.2.3, C.4.1.1.4, C.4.2.1.5)."""


def _refusal(
    association: Association, peer: Peer, contexts: Sequence[tuple[str, Sequence[str]]], opened: bool
) -> str:
    """Why an association did not come about, as the end of a sentence."""
    if association.is_rejected:
        primitive = association.acceptor.primitive
        source, diagnostic = (
            (None, None) if primitive is None else (primitive.result_source, primitive.diagnostic)
        )
        if (source, diagnostic) == (1, 7):
            return (
                f"which is not called {peer.called}: a DICOM service is there, but under another AE title; ask whoever runs "
                "it, and give it as ae_title="
            )
        if (source, diagnostic) == (1, 3):
            return (
                f"which does not know the caller {peer.calling}: whoever runs it has to enter that AE title there, or "
                "give one that it knows as own_title="
            )
        if source == 3:
            return "which has too many callers just now: try again later"
        return "which refused without saying why"
    if association.rejected_contexts:
        names = sorted({UID(one).name for one, _ in contexts})
        kinds = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
        return f"which accepted no presentation context: it does not offer {kinds} in a transfer syntax that we proposed"
    if opened:
        return (
            f"where a connection opens but no DICOM answer came within {peer.timeout:g} s, or it was hung up: is this the "
            "port of a DICOM service, without TLS?"
        )
    return _why_not(peer)


def _why_not(peer: Peer) -> str:
    """Why no connection can be opened, found out by opening one."""
    try:
        socket.create_connection((peer.host, peer.port), timeout=min(peer.timeout, _PROBE)).close()
    except socket.gaierror:
        return f"and no machine called {peer.host!r} is known here: check the name"
    except ConnectionRefusedError:
        return "where nothing listens on that port: check port and host, and whether the archive runs"
    except TimeoutError:
        return "where nobody answers: check the address, and firewalls on the way"
    except OSError as problem:
        return f"which cannot be reached: {problem.strerror or type(problem).__name__}"
    return "which did not answer at first: try again"


class MessageLimit:
    """Ends an association on which one message grows beyond a limit: it has as many parts as the sender likes.

    Parameters
    ----------
    limit
        Bytes of one message; what surrounds its parts is allowed for.
    told
        Called once for each message that is too long.
    """

    def __init__(self, limit: int, told: Callable[[], object] = lambda: None) -> None:
        self._limit = limit + (limit >> 3) + PDU_LENGTH
        self._told = told
        self._coming: WeakKeyDictionary[Any, int] = WeakKeyDictionary()

    def handlers(self) -> list[tuple[Any, Any]]:
        """Return what pynetdicom is to call."""
        events = network().evt
        return [(events.EVT_PDU_RECV, self._part_came), (events.EVT_DIMSE_RECV, self._whole_came)]

    def _part_came(self, event: Any) -> None:
        if event.pdu.pdu_type != _DATA:
            return
        before = self._coming.get(event.assoc, 0)
        self._coming[event.assoc] = before + len(event.pdu)
        if self._coming[event.assoc] > self._limit:
            if before <= self._limit:
                self._told()
            event.assoc.abort(block=False)

    def _whole_came(self, event: Any) -> None:
        self._coming[event.assoc] = 0


def refuse_long_parts(event: Any) -> None:
    """End a connection on which a part is announced that is longer than was agreed.

    A PDU says its length first, up to 4 GB, and pynetdicom reads all of it before it looks.
    """
    wrapped = event.assoc.dul.socket
    read = wrapped.recv

    def recv(count: int) -> Any:
        if count > _LONGEST_PDU:
            raise OSError("a PDU was announced that is longer than was agreed")
        return read(count)

    wrapped.recv = recv


_logging = threading.Lock()
_users = 0
_before: tuple[bool, bool] = (True, True)


@contextmanager
def identifiers_unlogged() -> Iterator[None]:
    """pynetdicom does not log names and numbers of patients meanwhile, whatever level of logging somebody has chosen.

    It has only switches for the whole process; they are put back when the last of us is done. Under `show_identity` they stay.
    """
    global _users, _before
    config = network()._config
    if identity_shown():
        yield
        return
    with _logging:
        if _users == 0:
            _before = (config.LOG_REQUEST_IDENTIFIERS, config.LOG_RESPONSE_IDENTIFIERS)
            config.LOG_REQUEST_IDENTIFIERS = config.LOG_RESPONSE_IDENTIFIERS = False
        _users += 1
    try:
        yield
    finally:
        with _logging:
            _users -= 1
            if _users == 0:
                config.LOG_REQUEST_IDENTIFIERS, config.LOG_RESPONSE_IDENTIFIERS = _before
