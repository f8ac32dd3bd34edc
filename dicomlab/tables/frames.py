"""Tables as they leave the house: DataFrames whose columns each hold one type, and files that no spreadsheet runs."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from dicomlab.optional import optional
from dicomlab.writing import written

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["as_frame", "save_frame"]

_RISKY = re.compile(r"[=+\-@\t\r\n]")
_NUMBERS = re.compile(r"[-+0-9.eE\\ ]*")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
"""What a worksheet cannot hold (XML 1.0)."""
_LONE = re.compile(r"[\ud800-\udfff]")
"""Bytes of a file's name that are no text, as Python keeps them: no file can hold these."""


def as_frame(
    columns: Mapping[str, Sequence[Any]], whole: Sequence[str] = (), real: Sequence[str] = ()
) -> pd.DataFrame:
    """A DataFrame of text, but for columns of whole (``Int64``) and of real numbers (``Float64``), which may lack values."""
    import pandas as pd

    kinds = dict.fromkeys(whole, "Int64") | dict.fromkeys(real, "Float64")
    made = {name: pd.Series(list(values), dtype=kinds.get(name, object)) for name, values in columns.items()}
    return pd.DataFrame(made)


def save_frame(frame: pd.DataFrame, path: str | os.PathLike[str], *, overwrite: bool) -> None:
    """Write a table as ``.csv``, ``.xlsx`` or ``.parquet``, after the ending of `path`.

    A text that a spreadsheet would run as a formula (PatientName ``=HYPERLINK(…)``) stays text: in CSV behind an apostrophe, in
    Excel as a cell of text. Numbers keep their sign. Parquet holds all as it is.

    Raises
    ------
    DicomLabError
        Another ending, or no such folder.
    OverwriteError
        A file is there, and `overwrite` is False.
    MissingDependencyError
        Excel and Parquet need ``pip install 'dicomlab[tables]'``.
    """
    with written(path, overwrite=overwrite, suffixes=(".csv", ".xlsx", ".parquet")) as part:
        frame = _changed(frame, lambda text: _LONE.sub("�", text))
        if part.suffix == ".csv":
            # Excel reads UTF-8 only behind a byte order mark.
            _changed(frame, _harmless).to_csv(part, index=False, encoding="utf-8-sig")
        elif part.suffix == ".xlsx":
            optional("openpyxl", purpose="writing Excel files", extra="tables")
            _save_excel(frame, part)
        else:
            optional("pyarrow", purpose="writing Parquet files", extra="tables")
            frame.to_parquet(part, index=False)


def _changed(frame: pd.DataFrame, change: Callable[[str], str]) -> pd.DataFrame:
    """The same table with each text changed; columns keep their types."""
    import pandas as pd

    columns = {
        name: pd.Series(
            [change(value) if isinstance(value, str) else value for value in column], dtype=column.dtype
        )
        for name, column in frame.items()
    }
    return pd.DataFrame(columns)


def _harmless(text: str) -> str:
    return f"'{text}" if _RISKY.match(text) and not _NUMBERS.fullmatch(text) else text


def _save_excel(frame: pd.DataFrame, path: os.PathLike[str]) -> None:
    import pandas as pd

    plain = _changed(frame, lambda text: _CONTROL.sub("�", text)[:32767])
    with pd.ExcelWriter(path, engine="openpyxl") as writer:
        plain.to_excel(writer, index=False)
        for sheet in writer.sheets.values():
            for row in sheet.iter_rows():
                for cell in row:
                    if cell.data_type == "f":
                        cell.data_type = "s"
