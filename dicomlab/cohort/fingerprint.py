"""What a function is, in figures that change when its code or the data that it refers to change.

The code is followed as far as it is the user's own: functions, classes and modules of notebooks and scripts, and what they call
by name. Of installed packages the version counts, and of Python its minor version, since both can change results.
"""

from __future__ import annotations

import copyreg
import dis
import functools
import hashlib
import importlib.util
import sys
import threading
import types
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from dicomlab.cohort.packages import is_installed, package_version
from dicomlab.cohort.states import state_of
from dicomlab.errors import DicomLabError
from dicomlab.read.series import Series, SeriesList
from dicomlab.read.stacks import Stack

__all__ = ["Fingerprint", "fingerprint"]


@dataclass(frozen=True)
class Fingerprint:
    """What decides the results of a function.

    Parameters
    ----------
    code
        Of all code, of the versions of packages, and of the text that the user calls this version.
    data
        Of each value that the code refers to by a name: globals, closures, defaults, attributes of classes.
    """

    code: str
    data: dict[str, str]

    @property
    def key(self) -> str:
        """One figure of everything."""
        return hashlib.sha256(repr((self.code, sorted(self.data.items()))).encode()).hexdigest()


def fingerprint(*things: object, version: str | None = None) -> Fingerprint:
    """Fingerprint of functions, and of other things that decide together with them.

    Parameters
    ----------
    things
        Functions, classes, instances, numbers, arrays …
    version
        What the user calls this state of everything that cannot be looked into.

    Raises
    ------
    DicomLabError
        Something cannot be looked into (a connection, a lock, a model in a library of its own), and there is no `version`.
    """
    walk = _Walk(version)
    root = hashlib.sha256(repr((version, sys.version_info[:2], package_version("dicomlab"))).encode())
    for number, thing in enumerate(things):
        walk.named(f"argument {number}", thing, root)
    for definition in walk.definitions:
        root.update(definition.encode())
    return Fingerprint(root.hexdigest(), walk.data)


class _Unknown(Exception):
    """A thing that cannot be looked into."""


class _Walk:
    """One walk along everything that can be reached from a function."""

    def __init__(self, version: str | None, inside: list[int] | None = None) -> None:
        self.version = version
        self.data: dict[str, str] = {}
        self.definitions: list[str] = []
        self._met: dict[int, int] = {}
        self._alive: list[object] = []  # ids of what is gone are given anew
        self._inside = [] if inside is None else inside

    # -- names -----------------------------------------------------------------------------------------------------------

    def named(self, name: str, value: object, into: Any) -> None:
        """What a name of the code stands for."""
        into.update(f"{name};".encode())
        try:
            if _is_definition(value):
                self.definition(value, into)
            else:
                self._data(name, value)
        except DicomLabError:
            raise
        except Exception as problem:
            if self.version is None:
                raise DicomLabError(
                    f"nobody could tell later whether results that are kept are still true: {name} is a "
                    f"{type(value).__name__}, which cannot be looked into ({problem}). Make it inside the function; or give "
                    "map_series version='…', another one whenever it changes."
                ) from None
            into.update(type(value).__qualname__.encode())

    def _data(self, name: str, value: object) -> None:
        # A walk of its own: what data hold may change, and must not renumber the code.
        walk, own = _Walk(self.version, self._inside), hashlib.sha256()
        walk.value(value, own)
        own.update(repr((walk.definitions, walk.data)).encode())
        # Two lambdas of one line have one name; the walk always takes the same way, so the order tells them apart.
        unique = name if name not in self.data else f"{name} ({len(self.data)})"
        self.data[unique] = own.hexdigest()

    # -- definitions: code -----------------------------------------------------------------------------------------------

    def definition(self, thing: Any, into: Any) -> None:
        """Code, each piece once; where it is met again its number stands for it, so that circles end."""
        if id(thing) not in self._met:
            self._met[id(thing)] = len(self._met)
            self._alive.append(thing)
            own = hashlib.sha256()
            self._define(thing, own)
            self.definitions.append(f"{self._met[id(thing)]} {own.hexdigest()}")
        into.update(f"definition {self._met[id(thing)]};".encode())

    def _define(self, thing: Any, own: Any) -> None:
        known = _installed_name(thing)
        if known is not None:
            own.update(known.encode())
        elif isinstance(thing, types.ModuleType):
            self._module(thing, own)
        elif isinstance(thing, type):
            self._class(thing, own)
        elif isinstance(thing, types.FunctionType):
            self._function(thing, own)
        else:  # methods, properties, wrappers written in C
            own.update(f"{type(thing).__qualname__} {getattr(thing, '__name__', '')}".encode())
            for part in ("__func__", "__wrapped__", "__objclass__", "fget", "fset", "fdel", "__self__"):
                inner = getattr(thing, part, None)
                if inner is not None:
                    self.named(f"{part} of {getattr(thing, '__qualname__', part)}", inner, own)

    def _module(self, module: types.ModuleType, own: Any) -> None:
        """A module that is used as a whole: all that is in it as it was loaded, whatever its file says by now."""
        if module.__name__ in ("__main__", "__mp_main__"):
            raise _Unknown("a whole notebook or script")
        own.update(module.__name__.encode())
        for name, value in sorted(vars(module).items()):
            if not name.startswith("__") and f"{module.__name__}.{name}" not in self.data:
                self.named(f"{module.__name__}.{name}", value, own)

    def _class(self, thing: type, own: Any) -> None:
        own.update(thing.__qualname__.encode())
        for base in (*thing.__bases__, type(thing)):
            self.definition(base, own)
        for name, value in sorted(vars(thing).items()):
            is_slot = isinstance(value, (types.MemberDescriptorType, types.GetSetDescriptorType))
            if _is_definition(value) or not (is_slot or name.startswith("__")):
                self.named(f"{thing.__qualname__}.{name}", value, own)

    def _function(self, function: types.FunctionType, own: Any) -> None:
        self._code(function.__code__, own)
        home = str(function.__globals__.get("__name__"))
        where = f"{home}.{function.__qualname__}"
        defaults = [*enumerate(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).items()]
        for place, value in defaults:
            self.named(f"default {place} of {where}", value, own)
        for name, value in sorted(vars(function).items()):
            self.named(f"{where}.{name}", value, own)
        for free, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
            with suppress(ValueError):  # not assigned yet
                self.named(f"{free} around {where}", cell.cell_contents, own)
        if is_installed(home):  # a function that a library made: what it was made of has been seen
            own.update(package_version(home).encode())
            return
        for name, value in _referred(function):
            if f"{home}.{name}" not in self.data:
                self.named(f"{home}.{name}", value, own)

    def _code(self, code: types.CodeType, own: Any) -> None:
        counts = (code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount, code.co_flags)
        own.update(repr((counts, code.co_names, code.co_varnames, code.co_freevars)).encode())
        own.update(code.co_code + code.co_exceptiontable)
        for constant in code.co_consts:
            if isinstance(constant, types.CodeType):
                self._code(constant, own)
            else:
                self.value(constant, own)

    # -- values: data ----------------------------------------------------------------------------------------------------

    def value(self, value: Any, into: Any) -> None:
        """Data by what it is, however it was made."""
        if _is_definition(value):
            self.definition(value, into)
            return
        into.update(f"{type(value).__module__}.{type(value).__qualname__}:".encode())
        if value is None or isinstance(value, (bool, int, float, complex, str, bytes, type(...))):
            into.update(repr(value).encode("utf-8", "surrogatepass") + b";")
            return
        if id(value) in self._inside:
            into.update(b"itself;")
            return
        self._inside.append(id(value))
        self._alive.append(value)
        try:
            self._compound(value, into)
        finally:
            self._inside.pop()

    def _compound(self, value: Any, into: Any) -> None:
        if type(value) in (list, tuple):
            self._several(value, into)
        elif type(value) is dict:
            self._several([part for item in value.items() for part in item], into)
        elif type(value) in (set, frozenset):
            parts = []
            for part in value:
                own = hashlib.sha256()
                self.value(part, own)
                parts.append(own.hexdigest())
            into.update(repr(sorted(parts)).encode())
        elif isinstance(value, (np.ndarray, np.generic)):
            array = np.asarray(value)
            into.update(
                repr((array.dtype.descr if array.dtype.names else array.dtype.str, array.shape)).encode()
            )
            if array.dtype.hasobject:
                self._several(array.ravel().tolist(), into)
            else:
                into.update(np.ascontiguousarray(array).tobytes())
        elif isinstance(value, (xr.DataArray, xr.Variable)):
            coords = dict(value.coords) if isinstance(value, xr.DataArray) else {}
            beside = {name: coord.variable for name, coord in coords.items()}
            self._several(
                [value.dims, value.values, dict(value.attrs), beside, getattr(value, "name", None)], into
            )
        elif isinstance(value, xr.Dataset):
            self._several([dict(value.variables), dict(value.attrs)], into)
        elif isinstance(value, (pd.DataFrame, pd.Series, pd.Index)):
            self._several(_of_pandas(value), into)
        elif isinstance(value, (Series, Stack)):
            into.update((state_of(value) or value.uid).encode())
        elif isinstance(value, SeriesList):
            self._several(list(value), into)
        elif not isinstance(value, _LOCKS):  # they hold nothing
            self._object(value, into)

    def _several(self, values: Any, into: Any) -> None:
        into.update(f"{len(values)}:".encode())
        for value in values:
            self.value(value, into)

    def _object(self, value: Any, into: Any) -> None:
        """Any other object by what it would be pickled as."""
        try:
            known = copyreg.dispatch_table.get(type(value))  # where pickle looks first, too
            reduced = value.__reduce_ex__(4) if known is None else known(value)
        except Exception as problem:
            raise _Unknown(str(problem) or type(problem).__name__) from None
        if isinstance(reduced, str):
            into.update(reduced.encode())
            return
        make, arguments, state, items, pairs = (*reduced, None, None, None)[:5]
        self.value(make, into)
        self._several(
            [arguments, state, *(list(items) if items else ()), *(list(pairs) if pairs else ())], into
        )


_DEFINITIONS = (
    types.FunctionType,
    types.BuiltinFunctionType,
    types.MethodType,
    types.MethodDescriptorType,
    types.WrapperDescriptorType,
    types.MethodWrapperType,
    types.ClassMethodDescriptorType,
    types.ModuleType,
    type,
    staticmethod,
    classmethod,
    property,
    np.ufunc,
)


_LOCKS = (type(threading.Lock()), type(threading.RLock()))


def _is_definition(value: Any) -> bool:
    """Whether a thing is code rather than data."""
    if isinstance(value, _DEFINITIONS):
        return True
    if isinstance(value, functools.partial):
        return False
    return callable(value) and (hasattr(value, "__wrapped__") or _installed_name(value) is not None)


def _installed_name(thing: Any) -> str | None:
    """Name and version of what an installed package holds under a name of its own; None for all else."""
    if isinstance(thing, types.ModuleType):
        known = is_installed(thing.__name__)
        return f"{thing.__name__} {package_version(thing.__name__)}" if known else None
    module: Any = getattr(thing, "__module__", None)
    name: Any = getattr(thing, "__qualname__", None)
    if isinstance(thing, np.ufunc):
        module, name = "numpy", thing.__name__
    if not isinstance(module, str) or not isinstance(name, str) or not is_installed(module):
        return None
    found: Any = sys.modules.get(module)
    for part in name.split("."):
        found = getattr(found, part, None)
    return f"{module}.{name} {package_version(module)}" if found is thing else None


def _referred(function: types.FunctionType) -> Iterator[tuple[str, Any]]:
    """Names outside of a function that its code looks up, with what they stand for now.

    Of a module of the user's that is only a way to something in it, that thing: ``settings.threshold``.
    """
    space = function.__globals__
    for code in _all_code(function.__code__):
        steps = list(dis.get_instructions(code))
        for number, step in enumerate(steps):
            name = str(step.argval)
            if step.opname == "IMPORT_NAME":
                yield from _imported(name, steps, number, str(space.get("__package__") or ""))
            elif step.opname in ("LOAD_GLOBAL", "LOAD_NAME") and name in space:
                value = space[name]
                for further in steps[number + 1 :]:
                    is_way = isinstance(value, types.ModuleType) and not is_installed(value.__name__)
                    if not is_way or further.opname not in ("LOAD_ATTR", "LOAD_METHOD"):
                        break
                    name, value = f"{name}.{further.argval}", getattr(value, str(further.argval), None)
                yield name, value


def _imported(
    name: str, steps: Sequence[dis.Instruction], number: int, package: str
) -> Iterator[tuple[str, Any]]:
    """What an import inside a function brings: the modules, as a whole; of what is installed, the version."""
    level = steps[number - 2].argval  # the code loads level, names, and then imports
    with suppress(ImportError, TypeError):
        name = importlib.util.resolve_name("." * level + name, package) if level else name
    parts = name.split(".")
    names = [".".join(parts[: k + 1]) for k in range(len(parts))]
    for further in steps[number + 1 :]:
        if further.opname == "IMPORT_FROM":
            names.append(f"{name}.{further.argval}")
        elif not further.opname.startswith("STORE_"):
            break
    for each in names:
        if is_installed(each):
            yield each, package_version(each)
        else:
            # It will be imported anyway; what cannot be is no module, or fails again where the function is called.
            with suppress(Exception):
                yield each, importlib.import_module(each)


def _all_code(code: types.CodeType) -> Iterator[types.CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _all_code(constant)


def _of_pandas(value: Any) -> list[Any]:
    """What makes a table, Series or Index what it is, as arrays and texts."""
    if isinstance(value, pd.DataFrame):
        columns = [value.iloc[:, k] for k in range(value.shape[1])]
        return [list(value.columns), value.index, *columns]
    hashes = pd.util.hash_pandas_object(value, index=not isinstance(value, pd.Index))
    return [str(value.dtype), str(value.name), hashes.to_numpy()]
