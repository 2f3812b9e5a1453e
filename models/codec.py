"""Values to JSON and back, by the types they are declared with: for the wire and the disk."""

from __future__ import annotations

import types
from collections.abc import Hashable, Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import cache
from typing import Any, Union, cast, get_args, get_origin, get_type_hints

from models.node import Envelope, Message


class Malformed(Exception):
    """The JSON is not of the type that was expected."""


def encode(value: object) -> Any:
    match value:
        case Enum():
            return value.value
        case frozenset():
            return sorted(encode(item) for item in value)
        case tuple() | list():
            return [encode(item) for item in value]
        case dict():
            return {str(key): encode(item) for key, item in value.items()}
        case _ if is_dataclass(value):
            return {f.name: encode(getattr(value, f.name)) for f in fields(value)}
        case _:
            return value


def decode(kind: Any, data: Any) -> Any:
    """The value of type `kind` that was encoded as `data`; raises `Malformed`."""
    if kind is Any:
        return data
    origin, inner = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        return _decode_union(inner, data)
    if is_dataclass(kind):
        hints = _hints(cast(Hashable, kind))
        if not isinstance(data, dict) or data.keys() - hints.keys():
            raise Malformed(f"{data!r} is no {kind}")
        return kind(**{name: decode(hints[name], item) for name, item in data.items()})  # type: ignore[operator]
    if origin is dict:
        if not isinstance(data, dict):
            raise Malformed(f"{data!r} is no object")
        key, item = inner
        return {key(name): decode(item, value) for name, value in data.items()}
    if origin in (tuple, frozenset):
        if not isinstance(data, list):
            raise Malformed(f"{data!r} is no array")
        return origin(decode(inner[0], item) for item in data)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return kind(data)
    if not isinstance(data, kind):
        raise Malformed(f"{data!r} is no {kind.__name__}")
    return data


def _decode_union(kinds: tuple[Any, ...], data: Any) -> Any:
    """Only `T | None` is used."""
    if data is None:
        return None
    (kind,) = (kind for kind in kinds if kind is not type(None))
    return decode(kind, data)


@cache
def _hints(kind: Hashable) -> dict[str, Any]:
    hints = get_type_hints(kind)
    return {f.name: hints[f.name] for f in fields(kind)}  # type: ignore[arg-type]


def encode_envelope(envelope: Envelope) -> Any:
    return {
        "id": envelope.id,
        "from": envelope.sender,
        "to": envelope.to,
        "type": type(envelope.message).__name__,
        "fields": encode(envelope.message),
    }


def decode_envelope(data: Any, messages: Mapping[str, type[Message]]) -> Envelope:
    """Raises `Malformed`, also for a message of an unknown type."""
    try:
        kind = messages[data["type"]]
        message = decode(kind, data["fields"])
        name, sender, to = (decode(t, data[m]) for m, t in (("id", str), ("from", str), ("to", str | None)))
    except (KeyError, TypeError, ValueError) as error:
        raise Malformed(f"no envelope: {error}") from error
    return Envelope(name, sender, to, message)
