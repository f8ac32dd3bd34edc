"""DCMTK's programs, as another implementation of everything that `dicomlab.extras.network` does."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from pydicom import Dataset, dcmread

HOST = "127.0.0.1"
PROGRAMS = ("echoscu", "findscu", "getscu", "movescu", "storescu", "storescp", "dcmqrscp")
needs_dcmtk = pytest.mark.skipif(
    not all(map(shutil.which, PROGRAMS)), reason="DCMTK's network programs are not installed (.ci/system)"
)


def run(*command: object, folder: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run one of DCMTK's programs to its end, for at most 20 s."""
    return subprocess.run(
        [str(part) for part in command], cwd=folder, capture_output=True, text=True, timeout=20, check=False
    )


def free_port() -> int:
    with socket.socket() as one:
        one.bind((HOST, 0))
        return int(one.getsockname()[1])


def wait_for(port: int) -> None:
    """Wait until somebody listens there, for at most 10 s."""
    for _ in range(200):
        try:
            socket.create_connection((HOST, port), timeout=1).close()
            return
        except ConnectionRefusedError:
            time.sleep(0.05)
    raise AssertionError(f"nobody listens on {port}")


@contextmanager
def running(*command: object, port: int, folder: Path) -> Iterator[int]:
    """Run one of DCMTK's servers for the block."""
    with (folder / "log.txt").open("w") as log:
        process = subprocess.Popen(
            [str(part) for part in command], cwd=folder, stdout=log, stderr=subprocess.STDOUT
        )
        try:
            wait_for(port)
            yield port
        finally:
            process.terminate()
            process.wait(timeout=10)


@contextmanager
def dcmqrscp(folder: Path, *, title: str = "QR", stations: dict[str, int] | None = None) -> Iterator[int]:
    """Run DCMTK's archive for the block, with its images below `folder`; yields its port."""
    store = folder / "qr"
    store.mkdir(parents=True)
    port = free_port()
    hosts = "\n".join(f"{name.lower()} = ({name}, {HOST}, {at})" for name, at in (stations or {}).items())
    (folder / "qr.cfg").write_text(
        f"NetworkTCPPort = {port}\nMaxPDUSize = 16384\nMaxAssociations = 16\n"
        f"HostTable BEGIN\n{hosts}\nHostTable END\nVendorTable BEGIN\nVendorTable END\n"
        f"AETable BEGIN\n{title} {store} RW (10, 1024mb) ANY\nAETable END\n"
    )
    with running("dcmqrscp", "-c", folder / "qr.cfg", port=port, folder=folder):
        yield port


@contextmanager
def storescp(folder: Path, *options: object) -> Iterator[int]:
    """Run DCMTK's receiver for the block, which writes into `folder`; yields its port."""
    port = free_port()
    folder.mkdir(parents=True, exist_ok=True)
    with running("storescp", *options, "-od", folder, port, port=port, folder=folder.parent):
        yield port


def answers(port: int, title: str, folder: Path, *keys: str, model: str = "-S") -> list[Dataset]:
    """Return what `findscu` is answered, as it writes it to files."""
    folder.mkdir(parents=True)
    options = [part for key in keys for part in ("-k", key)]
    result = run("findscu", model, "-aec", title, "-X", "-od", folder, *options, HOST, port)
    assert result.returncode == 0, result.stderr
    return [dcmread(path, force=True) for path in sorted(folder.glob("*.dcm"))]


def same(one: Dataset, other: Dataset) -> bool:
    """Whether two data sets have equal elements, apart from group 0002."""
    return Dataset(one) == Dataset(other)
