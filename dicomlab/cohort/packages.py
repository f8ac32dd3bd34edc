"""What is installed and what is the user's own: of packages the version counts, of the user's modules what they say."""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import sys
from functools import cache
from pathlib import Path

__all__ = ["is_installed", "package_version"]

_OURS = __name__.partition(".")[0]


@cache
def is_installed(module: str) -> bool:
    """Whether a module is part of Python, of an installed package or of dicomlab; nothing is imported to find out."""
    top = module.partition(".")[0]
    if top in sys.stdlib_module_names or top in sys.builtin_module_names or top == _OURS:
        return True
    if top in ("", "__main__", "__mp_main__"):
        return False
    return any(part in ("site-packages", "dist-packages") for part in _home(top).parts)


@cache
def package_version(module: str) -> str:
    """Version of what `is_installed`; of a checkout of dicomlab, a figure of its files."""
    top = module.partition(".")[0]
    if top == _OURS and not any(part in ("site-packages", "dist-packages") for part in Path(__file__).parts):
        files = sorted(Path(__file__).parents[1].rglob("*.py"))
        return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()
    if top in sys.stdlib_module_names or top in sys.builtin_module_names:
        return f"{sys.version_info[0]}.{sys.version_info[1]}"
    try:
        return importlib.metadata.version(top)
    except importlib.metadata.PackageNotFoundError:
        names = importlib.metadata.packages_distributions().get(top, [])
        return " ".join(importlib.metadata.version(name) for name in sorted(set(names)))


def _home(top: str) -> Path:
    """Where a module of the top level was loaded from, or would be."""
    loaded = sys.modules.get(top)
    file = getattr(loaded, "__file__", None) or next(iter(getattr(loaded, "__path__", ())), None)
    if loaded is None:
        try:
            spec = importlib.util.find_spec(top)
        except (ImportError, ValueError):
            spec = None
        file = (
            None if spec is None else spec.origin or next(iter(spec.submodule_search_locations or ()), None)
        )
    return Path(str(file or ""))
