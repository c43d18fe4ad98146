"""Records to bytes and back: Avro in Confluent's wire format (a zero byte, the schema's id as 4 bytes, the record).

Decoders resolve what was written to what is read here by the writer's schema, fetched by its id, so that records of an
older version still decode. Trades are encoded by an encoder of our own (``pipeline.schemas.trade_encoder``).
"""

import io
import struct
from typing import Any

import fastavro
import msgspec

from pipeline.model import Source, Trade, Window
from pipeline.schemas.registry import Registry, RegistryError
from pipeline.schemas.subjects import load_schema
from pipeline.schemas.trade_decoder import plain_trade
from pipeline.schemas.trade_encoder import FRAME, MAGIC, TradeEncoder

__all__ = ["CodecError", "TradeDecoder", "TradeEncoder", "WindowDecoder", "WindowEncoder"]

# What fastavro raises for bytes that are no record of the schema.
_BAD_AVRO = (
    EOFError, IndexError, KeyError, MemoryError, OverflowError, StopIteration, TypeError, ValueError, struct.error,
)  # fmt: skip


class CodecError(ValueError):
    """These bytes are no record of the expected schema; the message says why."""


class _Decoder:
    """Frame → dict of the reader's fields, for one reader schema."""

    def __init__(self, registry: Registry, name: str) -> None:
        self._registry = registry
        self._reader: Any = fastavro.parse_schema(load_schema(name))
        self._writers: dict[bytes, tuple[Any, Any]] = {}
        self.plain: set[bytes] = set()
        """First five bytes of frames that were written with the reader's own schema."""

    def __call__(self, data: bytes) -> dict[str, Any]:
        known = self._writers.get(data[:5])
        writer, reader = known if known is not None else self._writer(data)
        body = io.BytesIO(data)
        body.seek(5)
        try:
            record = fastavro.schemaless_reader(body, writer, reader)
        except fastavro.read.SchemaResolutionError as error:  # its own words hold both schemas, whole
            raise CodecError(f"written as {writer['name']}, which cannot be read as {self._reader['name']}") from error
        except _BAD_AVRO as error:
            raise CodecError(f"not an Avro record of its schema: {type(error).__name__}: {error}") from error
        if body.tell() != len(data):
            raise CodecError(f"{len(data) - body.tell()} bytes follow the Avro record")
        assert isinstance(record, dict)
        return record

    def _writer(self, data: bytes) -> tuple[Any, Any]:
        if len(data) < FRAME.size:
            raise CodecError(f"{len(data)} bytes are too short for a record with a schema id")
        magic, schema_id = FRAME.unpack_from(data)
        if magic != MAGIC:
            raise CodecError(f"starts with byte {magic}, not with 0: not in the registry's wire format")
        try:
            schema = self._registry.schema(schema_id)
        except RegistryError as error:
            if error.no_such_schema:
                raise CodecError(str(error)) from error
            raise
        try:
            writer = fastavro.parse_schema(schema)
        except (fastavro.schema.SchemaParseException, fastavro.schema.UnknownType) as error:
            raise CodecError(f"schema id {schema_id} cannot be parsed: {error}") from error
        # Resolution is a third of the cost of reading: leave it out where there is nothing to resolve.
        found = (writer, None) if writer == self._reader else (writer, self._reader)
        self._writers[data[:5]] = found
        if found[1] is None:
            self.plain.add(data[:5])
        return found


class TradeDecoder:
    """Frame → ``Trade``, whatever version of the schema it was written with."""

    def __init__(self, registry: Registry) -> None:
        self._decode = _Decoder(registry, "binance_trade")

    def __call__(self, data: bytes) -> Trade:
        """Decode one record's value.

        Raises:
            CodecError: it is no trade; it never will be.
            RegistryError: its schema is not known here yet and the registry cannot tell it now; try again later.
        """
        if data[:5] in self._decode.plain:
            trade = plain_trade(data)
            if trade is not None:
                return trade
        record = self._decode(data)
        record["source"] = Source(record["source"])
        return Trade(**record)


class WindowDecoder:
    """Frame → ``Window``, whatever version of the schema it was written with."""

    def __init__(self, registry: Registry) -> None:
        self._decode = _Decoder(registry, "binance_trade_agg")

    def __call__(self, data: bytes) -> Window:
        """Decode one record's value.

        Raises:
            CodecError: it is no window; it never will be.
            RegistryError: its schema is not known here yet and the registry cannot tell it now; try again later.
        """
        return Window(**self._decode(data))


class WindowEncoder:
    """``Window`` → frame."""

    def __init__(self, schema_id: int) -> None:
        self._head = FRAME.pack(MAGIC, schema_id)
        self._schema = fastavro.parse_schema(load_schema("binance_trade_agg"))

    def __call__(self, window: Window) -> bytes:
        """Encode one window.

        Raises:
            CodecError: a field holds what its type cannot.
        """
        body = io.BytesIO()
        body.write(self._head)
        try:
            fastavro.schemaless_writer(body, self._schema, msgspec.structs.asdict(window))
        except (TypeError, ValueError, OverflowError, AttributeError, struct.error) as error:
            raise CodecError(f"window of {window.symbol!r} cannot be encoded: {error}") from error
        return body.getvalue()
