"""Any key or value → text a person can read, with the way it was read: Avro, JSON, text, or bytes.

For looking at records, not for processing them (``pipeline.schemas.codec`` is): it takes any schema of the registry,
never raises whatever the bytes, and says what it could not do. The text is not cleaned: whoever shows it does that.
"""

import io
import json
import time
from collections.abc import Callable
from typing import Any

import fastavro
import msgspec

from pipeline.schemas.registry import Registry, RegistryError
from pipeline.schemas.trade_encoder import FRAME, MAGIC

AVRO, JSON, TEXT, HEX, NULL, EMPTY = "avro", "json", "text", "hex", "null", "empty"
"""The ways of reading."""
LINE = 400
"""Characters of the one-line form."""
SHALLOW = 64 * 1024
"""Bytes up to which a list parses what is not Avro; of more it shows the beginning."""
ASK_AGAIN_S = 5.0
"""After which the registry is asked again for what it could not tell."""
_WINDOW = 8
"""Bytes of a window's start, behind the key."""
_EARLIEST, _LATEST = 1_262_304_000_000, 4_102_444_800_000
"""2010 and 2100 in ms: what can be a window's start."""


class Decoded(msgspec.Struct, frozen=True):
    """How some bytes read."""

    how: str
    """``avro``, ``json``, ``text``, ``hex``, ``null`` (there are none) or ``empty``."""
    line: str
    """On one line, shortened."""
    text: str
    """Whole, over several lines where it has structure; as short as ``line`` where only that was asked for."""
    schema_id: int | None = None
    schema_name: str | None = None
    schema: str | None = None
    """The schema's own text."""
    window_start: int | None = None
    """Of a windowed key, in ms."""
    note: str | None = None
    """What could not be done: the registry's words, or what is wrong with the bytes."""


class _Schema(msgspec.Struct, frozen=True):
    name: str
    text: str
    parsed: Any


class Decoder:
    """Decodes with the schemas of one registry; safe to use from several threads."""

    def __init__(self, registry: Registry | None, clock: Callable[[], float] = time.monotonic) -> None:
        """``registry`` None stands for none: Avro is then shown as bytes. ``clock`` is in seconds."""
        self._registry = registry
        self._clock = clock
        self._schemas: dict[int, _Schema] = {}
        self._unknown: dict[int, tuple[str, float]] = {}
        self._away: tuple[str, float] | None = None

    def key(self, data: bytes | None, *, whole: bool = True) -> Decoded:
        """Decode a key: as ``value`` does, but its last eight bytes may be a window's start."""
        if data is not None and len(data) > _WINDOW:
            start = int.from_bytes(data[-_WINDOW:], "big", signed=True)
            if _EARLIEST <= start <= _LATEST:
                return msgspec.structs.replace(self.value(data[:-_WINDOW], whole=whole), window_start=start)
        return self.value(data, whole=whole)

    def value(self, data: bytes | None, *, whole: bool = True) -> Decoded:
        """Decode a value. Not ``whole``: only the line is wanted, and it must cost little."""
        if data is None:
            return Decoded(NULL, "null", "null")
        if not data:
            return Decoded(EMPTY, "", "")
        if data[0] == MAGIC and len(data) >= FRAME.size:
            return self._avro(data, whole)
        return _plain(data, whole, None)

    def _avro(self, data: bytes, whole: bool) -> Decoded:
        schema_id = FRAME.unpack_from(data)[1]
        schema, why = self._schema(schema_id)
        if schema is None:
            return msgspec.structs.replace(_plain(data, whole, why), schema_id=schema_id)
        body = io.BytesIO(data)
        body.seek(FRAME.size)
        try:
            record = fastavro.schemaless_reader(body, schema.parsed, None)
            line = _line(record)
            text = _pretty(_json(record)) if whole else line[:LINE]
        except Exception as error:  # noqa: BLE001 - with a schema of anybody's, anything; it is told in the note
            why = f"no record of schema {schema_id} ({schema.name}): {type(error).__name__}: {error}"
            plain = _plain(data, whole, why)
            return msgspec.structs.replace(plain, schema_id=schema_id, schema_name=schema.name, schema=schema.text)
        left = len(data) - body.tell()
        return Decoded(
            AVRO, line[:LINE], text, schema_id, schema.name, schema.text, note=f"{left} bytes follow" if left else None
        )

    def _schema(self, schema_id: int) -> tuple[_Schema | None, str]:
        """Return a schema, or why there is none. What could not be told is not asked for again at once."""
        known = self._schemas.get(schema_id)
        if known is not None:
            return known, ""
        if self._registry is None:
            return None, "no registry is known"
        now = self._clock()
        for failed in (self._unknown.get(schema_id), self._away):
            if failed is not None and now < failed[1]:
                return None, failed[0]
        try:
            kind, text = self._registry.schema_text(schema_id)
            parsed = _parsed(kind, text)
        except RegistryError as error:
            if error.unreachable:
                self._away = str(error), self._clock() + ASK_AGAIN_S
            else:
                self._unknown[schema_id] = str(error), now + ASK_AGAIN_S
            return None, str(error)
        except Exception as error:  # noqa: BLE001 - whatever a schema of anybody's makes the parser raise
            why = f"schema {schema_id} cannot be used: {type(error).__name__}: {error}"
            self._unknown[schema_id] = why, now + ASK_AGAIN_S
            return None, why
        found = self._schemas[schema_id] = _Schema(_name(parsed), text, parsed)
        return found, ""


def hexed(data: bytes, limit: int = LINE) -> str:
    """Return bytes as ``00 01 0a …``, on one line."""
    shown = max(1, limit // 3)
    return data[:shown].hex(" ") + (" …" if len(data) > shown else "")


def _plain(data: bytes, whole: bool, note: str | None) -> Decoded:
    """Read bytes as JSON, text, or bytes."""
    if not whole and len(data) > SHALLOW:
        head = data[: 4 * LINE].decode("utf-8", "ignore")  # a character may be cut at the end
        how = TEXT if _readable(head) and head else HEX
        line = head[:LINE] if how == TEXT else hexed(data)
        return Decoded(how, line, line, note=note)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return Decoded(HEX, hexed(data), hexed(data), note=note)
    if text.lstrip()[:1] in ("{", "["):
        try:
            pretty = msgspec.json.format(data, indent=2).decode("utf-8")
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
            pass  # it only looks like JSON
        else:
            return Decoded(JSON, text[:LINE], pretty if whole else text[:LINE], note=note)
    if not _readable(text):
        return Decoded(HEX, hexed(data), hexed(data), note=note)
    return Decoded(TEXT, text[:LINE], text if whole else text[:LINE], note=note)


def _readable(text: str) -> bool:
    """Whether it is text to a person: few of its characters are controls (hostile text is text all the same)."""
    head = text[:1000]
    controls = sum(char < " " and char not in "\t\r\n\x1b" for char in head)
    return "\0" not in head and controls * 4 <= len(head)


def _json(record: object) -> str:
    return json.dumps(record, ensure_ascii=False, default=_shown)


def _line(record: object) -> str:
    """Return ``symbol=BTCUSDT price=61837.63``: a line has room for what counts, not for quotation marks."""
    if not isinstance(record, dict):
        return _json(record)
    return " ".join(f"{name}={value if isinstance(value, str) else _json(value)}" for name, value in record.items())


def _pretty(line: str) -> str:
    """Return JSON over several lines; what only Python takes for JSON (NaN) as it is."""
    try:
        return msgspec.json.format(line.encode(), indent=2).decode()
    except (msgspec.DecodeError, RecursionError):
        return line


def _parsed(kind: str, text: str) -> Any:
    if kind != "AVRO":
        raise ValueError(f"it is {kind}, not Avro")
    return fastavro.parse_schema(json.loads(text))


def _name(schema: Any) -> str:
    """Return a schema's full name, or its type where it has none."""
    if isinstance(schema, dict):
        return str(schema.get("name") or schema.get("type"))
    return " or ".join(map(_name, schema)) if isinstance(schema, list) else str(schema)


def _shown(value: object) -> str:
    """Return what JSON has no form for: bytes in hex, times, decimals and ids as text."""
    if isinstance(value, bytes | bytearray):
        return value.hex()
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
