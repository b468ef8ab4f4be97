"""From ``data=``, ``json=`` and ``files=`` to the bytes of a body.

The forms that are accepted, and what each becomes on the wire, are requests'.
"""

from __future__ import annotations

import json as _json
import os
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlencode

from acrida import _native

#: A part of a multipart body: field, file name or None, bytes, content type or None, further headers.
Part = tuple[str, str | None, bytes, str | None, list[tuple[str, str]]]

#: Bytes that a generated body may have.
CHUNKED_MAX = 256 * 1024 * 1024


class Chunked(bytes):
    """A body of unknown length, framed as ``Transfer-Encoding: chunked`` has it."""


FORM = "application/x-www-form-urlencoded"


def encode(data: Any, json: Any, files: Any) -> tuple[Any, str | None]:
    """The body and its content type; None where there is none, ``Unsendable`` where there
    cannot be one: the request fails then."""
    if files:
        return _multipart(data, files)
    if data:
        return _form(data)
    if json is not None:
        return _json_body(json), "application/json"
    return None, None


def _json_body(value: Any) -> bytes | _native.Unsendable:
    try:
        return _json.dumps(value, allow_nan=False).encode()
    except ValueError as error:
        return _native.Unsendable(str(error))


def _form(data: Any) -> tuple[bytes, str | None]:
    if isinstance(data, bytes | bytearray | memoryview):
        return bytes(data), None
    if isinstance(data, str):
        return data.encode(), None
    if hasattr(data, "read"):
        return _read(data), None
    if isinstance(data, Mapping) or _is_pairs(data):
        return urlencode(_pairs(data), doseq=True).encode(), FORM
    return _chunked(data), None


def _chunked(data: Iterable[Any]) -> Chunked:
    """The pieces of a generator, each a chunk of its own; ValueError beyond CHUNKED_MAX."""
    framed = bytearray()
    for piece in data:
        chunk = piece.encode() if isinstance(piece, str) else bytes(piece)
        if chunk:
            framed += b"%x\r\n%b\r\n" % (len(chunk), chunk)
        if len(framed) > CHUNKED_MAX:
            raise ValueError(f"a generated body is gathered before it is sent, and may have {CHUNKED_MAX} bytes")
    return Chunked(framed + b"0\r\n\r\n")


def _is_pairs(data: Any) -> bool:
    return isinstance(data, list | tuple) and all(isinstance(pair, list | tuple) and len(pair) == 2 for pair in data)


def _pairs(data: Any) -> list[tuple[Any, Any]]:
    """Names and values; a list value stands for several, None for none."""
    pairs = []
    for name, values in data.items() if isinstance(data, Mapping) else data:
        several = not isinstance(values, str | bytes) and hasattr(values, "__iter__")
        pairs += [(name, value) for value in (values if several else [values]) if value is not None]
    return pairs


def _multipart(data: Any, files: Any) -> tuple[bytes, str]:
    if isinstance(data, str | bytes):
        raise ValueError("Data must not be a string.")
    parts: list[Part] = [(_text(name), None, _bytes(value), None, []) for name, value in _pairs(data or {})]
    for field, value in files.items() if isinstance(files, Mapping) else files:
        several = isinstance(value, list) and value and all(isinstance(one, tuple | list) for one in value)
        # A list of tuples is several files under one name, where requests itself would raise.
        for one in value if several else [value]:
            if (part := _file(_text(field), one)) is not None:
                parts.append(part)
    return _native.encode_multipart(parts)


def _file(field: str, value: Any) -> Part | None:
    """A file given as content or file object, or as (name, content[, type[, headers]])."""
    name, content, content_type, headers = None, value, None, {}
    if isinstance(value, tuple | list):
        name, content, content_type, headers = [*value, None, None][:4] if len(value) > 1 else (None, *value, None, {})
    else:
        name = _guessed_name(value) or field
    if content is None:
        return None
    return field, name and _text(name), _bytes(content), content_type, list((headers or {}).items())


def _guessed_name(value: Any) -> str | None:
    name = getattr(value, "name", None)
    return os.path.basename(name) if isinstance(name, str) and name[:1] not in ("", "<") else None


def _bytes(value: Any) -> bytes:
    if isinstance(value, bytes):
        return value
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, bytearray | memoryview):
        return bytes(value)
    return _read(value) if hasattr(value, "read") else str(value).encode()


def _read(source: Any) -> bytes:
    content = source.read()
    return content.encode() if isinstance(content, str) else content


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def merged_params(first: Any, second: Any) -> Any:
    """Parameters of the session overlaid with those of the request, where both are mappings; None takes one away."""
    if not (isinstance(first, Mapping) and isinstance(second, Mapping)):
        return second or first
    return {name: value for name, value in {**first, **second}.items() if value is not None}


def with_params(url: str, params: Any) -> str:
    """``url`` with ``params`` added to its query."""
    if isinstance(params, bytes):
        params = params.decode()
    query = params if isinstance(params, str) else urlencode(_pairs(params), doseq=True)
    if not query:
        return url
    base, mark, fragment = url.partition("#")
    return f"{base}{'&' if '?' in base else '?'}{query}{mark}{fragment}"


def merged(first: Iterable[tuple[str, Any]], second: Mapping[str, Any] | None) -> list[tuple[str, Any]]:
    """Headers of the session overlaid with those of the request; None takes one away."""
    overlay = {name.lower(): (name, value) for name, value in (second or {}).items()}
    kept = [(name, value) for name, value in first if name.lower() not in overlay]
    return [(name, value) for name, value in [*kept, *overlay.values()] if value is not None]
