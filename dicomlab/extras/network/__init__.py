"""Asking an archive for images, and being a small one (``pip install 'dicomlab[network]'``): `Archive`, `local_archive`.

For lessons and small work, by pynetdicom. DICOM's network protocol as it is spoken here is not encrypted, and an AE title is a
name, not a password: what is sent can be read by whoever sits on the line. `local_archive` listens on this machine alone.

>>> from dicomlab import phantom
>>> from dicomlab.extras.network import Archive, local_archive
>>> study = phantom.write_study(tmp_path / "study", coarser=8)
>>> with local_archive(study.folder) as server:
...     archive = Archive(server.host, server.port, server.ae_title)
...     series = archive.find("series", of=archive.find("study")[0])
...     received = archive.get(series[0], tmp_path / "got")
>>> series.to_dataframe()["Modality"].tolist(), len(received.files)
(['CT', 'MR', 'PT'], 10)
"""

from dicomlab.extras.network.answers import Match, Matches, Received, Sent
from dicomlab.extras.network.association import ArchiveError
from dicomlab.extras.network.client import Archive
from dicomlab.extras.network.server import LocalArchive, local_archive

__all__ = [
    "Archive",
    "ArchiveError",
    "LocalArchive",
    "Match",
    "Matches",
    "Received",
    "Sent",
    "local_archive",
]
