"""Values of any class that is told, made from its type hints alone: a new class needs nothing here."""

import types
import typing
from collections.abc import Mapping
from enum import Enum
from typing import Any

from hypothesis import strategies as st

# A JSON number is a double where it is read by others; and there is no infinity in JSON.
_FLOATS = st.floats(allow_nan=False, allow_infinity=False)
_INTS = st.integers(min_value=-(2**53), max_value=2**53)
_SIMPLE: dict[Any, st.SearchStrategy[Any]] = {
    str: st.text(max_size=8),
    int: _INTS,
    float: _FLOATS,
    bool: st.booleans(),
    bytes: st.binary(max_size=8),
    type(None): st.none(),
}


def values_of(kind: Any) -> st.SearchStrategy[Any]:
    """Return a strategy for a type hint."""
    origin, args = typing.get_origin(kind), typing.get_args(kind)
    if kind in _SIMPLE:
        return _SIMPLE[kind]
    if origin in (types.UnionType, typing.Union):
        return st.one_of(*(values_of(arg) for arg in args))
    if origin is tuple and args[-1] is Ellipsis:
        return st.lists(values_of(args[0]), max_size=3).map(tuple)
    if origin is tuple:
        return st.tuples(*(values_of(arg) for arg in args))
    if origin in (list, frozenset, set):
        return st.lists(values_of(args[0]), max_size=3).map(origin)
    if origin in (dict, Mapping):
        return st.dictionaries(values_of(args[0]), values_of(args[1]), max_size=3)
    if origin is typing.Literal:
        return st.sampled_from(args)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return st.sampled_from(list(kind))
    hints = typing.get_type_hints(kind)
    return st.builds(kind, **{name: values_of(hint) for name, hint in hints.items() if not _is_constant(hint)})


def _is_constant(hint: Any) -> bool:
    return typing.get_origin(hint) is typing.ClassVar
