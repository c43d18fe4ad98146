"""A record of any topic, and how its bytes read: as a page, as rows of a file. Pure."""

import base64
from collections.abc import Iterable
from typing import Any

import msgspec

from cryptostreamx_tui.details import Detail, Section
from cryptostreamx_tui.export import Export
from cryptostreamx_tui.format import UNKNOWN, date_time, hex_dump, size
from pipeline.broker.messages import Shown
from pipeline.broker.page import Record
from pipeline.model import Header
from pipeline.schemas.decode import AVRO, EMPTY, HEX, JSON, NULL, TEXT, Decoded
from pipeline.text import clean, clean_bytes

TEXT_LIMIT = 16_000
"""Characters of a decoded text that a page shows; an export has all of it."""
HEADER_LIMIT = 4_000
SHORT = 40
"""Bytes of a text up to which its bytes are not shown besides."""
WAYS = {AVRO: "Avro", JSON: "JSON", TEXT: "text", HEX: "bytes", NULL: "none", EMPTY: "empty"}
DECODING = "decoding …"
HEADER = (
    "topic", "partition", "offset", "timestamp", "timestamp_type", "key", "value", "value_read_as", "schema_id",
    "schema_name", "headers", "key_base64", "value_base64",
)  # fmt: skip


class Headers(list[dict[str, str | None]]):
    """Headers of an exported record: an array in JSON Lines, the same array as text in a field of CSV."""

    def __str__(self) -> str:
        return msgspec.json.encode(list(self)).decode("utf-8")


def headers_of(headers: Iterable[Header]) -> Headers:
    """Return headers for a file: the value as text, and as base64 where that would lose something."""
    made = Headers()
    for header in headers:
        one: dict[str, str | None] = {"key": header.key, "value": None}
        if header.value is not None:
            text = one["value"] = header.value.decode("utf-8", "backslashreplace")
            if text.encode("utf-8") != header.value:
                one["value_base64"] = encoded(header.value)
        made.append(one)
    return made


def encoded(data: bytes | None) -> str | None:
    """Return bytes as base64."""
    return None if data is None else base64.b64encode(data).decode("ascii")


def record_export(topic: str, rows: Iterable[tuple[Record, Decoded, Decoded]]) -> Export:
    """Return records as rows: decoded for reading, the bytes for whoever wants them again."""
    made: list[list[Any]] = [
        [
            record.topic,
            record.partition,
            record.offset,
            record.timestamp,
            record.timestamp_type,
            None if record.key is None else key.text,
            None if record.value is None else value.text,
            value.how,
            value.schema_id,
            value.schema_name,
            headers_of(record.headers),
            encoded(record.key),
            encoded(record.value),
        ]
        for record, key, value in rows
    ]
    name = "".join(char if char.isascii() and (char.isalnum() or char in "-_") else "_" for char in topic)[:100]
    return Export(name or "records", HEADER, made)


def way(decoded: Decoded) -> str:
    """Return how bytes were read: ``Avro · schema 1 · cryptostreamx.BinanceTrade``."""
    words = [WAYS[decoded.how]]
    if decoded.schema_id is not None:
        words.append(f"schema {decoded.schema_id}")
    if decoded.schema_name is not None:
        words.append(clean(decoded.schema_name, 100))
    if decoded.window_start is not None:
        words.append(f"and a window's start, {date_time(decoded.window_start)}")
    return " · ".join(words)


def decoded_section(name: str, data: bytes | None, decoded: Decoded | None) -> Section:
    """Return how a key or a value reads; ``decoded`` None stands for not decoded yet."""
    if data is None:
        return Section(name, text=("none" if name == "Key" else "none (a tombstone)",))
    heading = f"{name} · {size(len(data))}"
    if decoded is None:
        return Section(heading, text=(DECODING,))
    noted = ((("not decoded" if decoded.how != AVRO else "but"), clean(decoded.note)),) if decoded.note else ()
    text = () if decoded.how in (HEX, EMPTY) else (clean(decoded.text, TEXT_LIMIT, multiline=True),)
    return Section(f"{heading} · {way(decoded)}", noted, text)


def raw_sections(name: str, data: bytes | None, decoded: Decoded | None) -> tuple[Section, ...]:
    """Return the bytes, and the schema they were read with; a text's bytes say no more than the text."""
    made = []
    if data and not (decoded is not None and decoded.how == TEXT and len(data) < SHORT):
        made.append(Section(f"{name} as bytes", text=tuple(hex_dump(data))))
    if decoded is not None and decoded.schema is not None:
        made.append(Section("Schema", text=(clean(_pretty(decoded.schema), TEXT_LIMIT, multiline=True),)))
    return tuple(made)


def header_section(headers: Iterable[Header]) -> Section:
    """Return every header."""
    fields = tuple(
        (clean(h.key, 80), "null" if h.value is None else clean_bytes(h.value, HEADER_LIMIT)) for h in headers
    )
    return Section("Headers", fields, () if fields else ("none",))


def record_detail(shown: Shown, decoded: tuple[Decoded, Decoded] | None) -> Detail:
    """Return everything there is of one record; ``decoded`` are its key and value, None while they are not."""
    record = shown.record
    stamp = UNKNOWN if record.timestamp is None else f"{record.timestamp}  {date_time(record.timestamp)}"
    key, value = decoded if decoded is not None else (None, None)
    return Detail(
        f"Record · {clean(record.topic, 60)}/{record.partition}@{record.offset}",
        (
            Section(
                "Place in Kafka",
                (
                    ("topic", clean(record.topic)),
                    ("partition", str(record.partition)),
                    ("offset", str(record.offset)),
                    ("timestamp", stamp),
                    ("timestamp type", record.timestamp_type or UNKNOWN),
                ),
            ),
            decoded_section("Key", record.key, key),
            decoded_section("Value", record.value, value),
            header_section(record.headers),
            *raw_sections("Value", record.value, value),
            *raw_sections("Key", record.key, key),
        ),
    )


def _pretty(schema: str) -> str:
    try:
        return msgspec.json.format(schema.encode("utf-8", "backslashreplace"), indent=2).decode("utf-8")
    except (msgspec.DecodeError, RecursionError):
        return schema
