"""The settings: flag > environment > ``.env`` > default, frozen and typed.

Each setting is declared once, here, with its environment name and what it is for; ``.env.example`` and the flags'
help repeat nothing of their own. Wrong values are refused together, by name (``SettingsError``). Secrets are
``SecretStr``: they print as asterisks, and reach children through the environment only, never as arguments.
"""

import math
import re
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import platformdirs
from pydantic import (
    AliasChoices,
    AliasGenerator,
    BeforeValidator,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

APP = "cryptostreamx"

LIVE = "live"
SIMULATED = "simulated"
RECORDED = "recorded"
"""Kinds of feed; the third stands for any recording."""


class SettingsError(ValueError):
    """One or more settings are wrong; ``problems`` has a line for each, by name."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__("\n".join(problems))


def _speed(value: object) -> object:
    return math.inf if value == "max" else value


def _split(value: object) -> object:
    return tuple(part.strip().upper() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


_SERVERS = ("binance_", "kafka_", "topic_", "schema_registry_", "clickhouse_", "maven_", "windows", "sink")


def environment_name(field: str) -> str:
    """Return the environment variable of a setting: ``KAFKA_BROKERS``, but ``CRYPTOSTREAMX_FEED``.

    What names servers is called as everywhere; the application's own would be too common without its name.
    """
    return field.upper() if field.startswith(_SERVERS) else f"{APP}_{field}".upper()


def can_be_symbol(text: str) -> bool:
    """Tell whether a text could be a symbol: what exists is exchangeInfo's to say, here is only what would break a
    stream's name, a list of symbols or a command.
    """
    return 0 < len(text) <= 40 and not re.search(r"[\s/@,?&#\"'\\<>\x00-\x1f\x7f-\x9f]", text)


def _kind(feed: str) -> str:
    return feed if feed in (LIVE, SIMULATED) else RECORDED


def _default_home(chosen: dict[str, Any]) -> Path:
    """A home for each kind of feed, so that simulated trades never stand among live ones."""
    return Path(platformdirs.user_state_dir(APP)) / _kind(chosen.get("feed", LIVE))


class Settings(BaseSettings):
    """Everything that can be chosen. Instances are frozen; ``model_copy(update=…)`` makes a changed one."""

    model_config = SettingsConfigDict(
        frozen=True,
        extra="ignore",
        case_sensitive=True,
        env_ignore_empty=True,
        alias_generator=AliasGenerator(validation_alias=lambda field: AliasChoices(field, environment_name(field))),
    )

    # --- what runs
    profile: Literal["local", "cluster"] = Field(
        "local",
        description="local: all servers are started on this machine; cluster: servers of your own, named below.",
    )
    feed: str = Field(
        LIVE, description="live (Binance), simulated, or the path of a recording (.frames or .frames.gz)."
    )
    speed: Annotated[float, BeforeValidator(_speed)] = Field(
        1.0, gt=0, description="Pace of a replayed recording: a factor, or max for as fast as it is taken."
    )
    symbols: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)] = Field(
        ("BTCUSDT", "ETHUSDT"), min_length=1, description="Symbols to stream from the start, separated by commas."
    )
    home: Path = Field(
        default_factory=_default_home,
        description="Folder for logs/, data/ and run/; one running instance a folder. The default depends on the feed.",
    )
    cache: Path = Field(
        default_factory=lambda: Path(platformdirs.user_cache_dir(APP)),
        description="Folder for downloaded server jars and class data archives; shared by all homes.",
    )
    config: Path | None = Field(
        None, description="The screen's configuration: theme, keys, alerts (TOML, see config.example.toml)."
    )
    headless: bool = Field(default=False, description="No screen; one JSON object a line instead.")
    attach: bool = Field(
        default=False, description="Watch the instance that runs in the home; nothing is started, nothing stopped."
    )
    until_end: bool = Field(
        default=False, description="With a recording and --headless: end by itself once everything has arrived."
    )
    windows: Literal["quix"] = Field("quix", description="What makes the windows: quix, a process of ours.")
    sink: Literal["builtin"] = Field("builtin", description="What fills ClickHouse: builtin, a process of ours.")

    # --- the exchange
    binance_ws_url: str = Field(
        "wss://stream.binance.com:9443",
        description="Binance's WebSocket; wss://data-stream.binance.vision serves market data only.",
    )
    binance_rest_url: str = Field("https://api.binance.com", description="Binance's REST interface.")
    simulated_rate: float = Field(
        200.0, gt=0, le=50_000, description="Trades a second that the simulated exchange makes, all symbols together."
    )
    simulated_seed: int = Field(1, description="Seed of the simulated exchange's generator.")

    # --- Kafka
    kafka_brokers: int = Field(3, ge=1, le=3, description="Brokers of the local profile: 3, or 1 for small machines.")
    maven_repository_url: str | None = Field(
        None, description="A mirror to download the local servers' jars from, instead of the public repository."
    )
    kafka_bootstrap_servers: str | None = Field(
        None, description="Kafka of your own (cluster profile): host:port,host:port."
    )
    kafka_security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = Field(
        "PLAINTEXT", description="As Kafka's security.protocol."
    )
    kafka_sasl_mechanism: str | None = Field(None, description="PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512.")
    kafka_sasl_username: str | None = Field(None, description="SASL user.")
    kafka_sasl_password: SecretStr | None = Field(
        None, description="SASL password (from .env or the environment only)."
    )
    kafka_ca_file: Path | None = Field(None, description="CA certificates for SSL, PEM.")
    topic_partitions: int = Field(
        1,
        ge=1,
        le=1000,
        description="Partitions of the trade and window topics. With one, every symbol's trades close every window.",
    )
    topic_replication: int | None = Field(
        None, ge=1, le=7, description="Replicas of each topic; by default 3, or 1 with a single local broker."
    )

    # --- schema registry and store
    schema_registry_url: str | None = Field(
        None, description="Schema registry of your own (cluster profile), Confluent's REST interface."
    )
    schema_registry_username: str | None = Field(None, description="Basic authentication of the registry.")
    schema_registry_password: SecretStr | None = Field(
        None, description="Password of the registry (from .env or the environment only)."
    )
    clickhouse_url: str | None = Field(
        None, description="ClickHouse of your own (cluster profile): http(s)://host:port."
    )
    clickhouse_username: str = Field("default", description="ClickHouse user.")
    clickhouse_password: SecretStr | None = Field(
        None, description="ClickHouse password (from .env or the environment only)."
    )

    @field_validator("symbols")
    @classmethod
    def _plausible_symbols(cls, symbols: tuple[str, ...]) -> tuple[str, ...]:
        for symbol in symbols:
            if not can_be_symbol(symbol):
                raise ValueError(f"{symbol!r} cannot be a symbol")
        return tuple(dict.fromkeys(symbols))

    @field_validator("home", "cache", "config")
    @classmethod
    def _absolute(cls, path: Path | None) -> Path | None:
        return None if path is None else path.expanduser().absolute()

    @field_validator("feed")
    @classmethod
    def _absolute_recording(cls, feed: str) -> str:
        return str(Path(feed).expanduser().absolute()) if _kind(feed) == RECORDED else feed

    @field_validator("kafka_brokers")
    @classmethod
    def _odd_brokers(cls, brokers: int) -> int:
        if brokers == 2:
            raise ValueError("3, or 1 for small machines: two brokers survive no more than one does")
        return brokers

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        problems = []
        if self.recording is not None:
            if not self.feed.endswith((".frames", ".frames.gz")):
                problems.append(
                    f"feed: {self.recording.name!r} is neither live, simulated nor a .frames or .frames.gz file"
                )
            elif not self.recording.is_file():
                problems.append(f"feed: there is no file {self.feed!r}")
        if self.until_end and (self.recording is None or not self.headless):
            problems.append("until_end: needs a recording (--feed FILE) and --headless")
        if self.attach and self.headless:
            problems.append("attach: it watches on a screen; leave out --headless")
        if self.profile == "cluster":
            problems.extend(
                f"{name}: the cluster profile needs it ({name.upper()})"
                for name in ("kafka_bootstrap_servers", "schema_registry_url", "clickhouse_url")
                if getattr(self, name) is None
            )
        if self.kafka_security_protocol.startswith("SASL") and not (
            self.kafka_sasl_mechanism and self.kafka_sasl_username and self.kafka_sasl_password
        ):
            problems.append("kafka_security_protocol: SASL needs mechanism, username and password")
        if self.profile == "local" and self.topic_replication and self.topic_replication > self.kafka_brokers:
            problems.append(
                f"topic_replication: {self.topic_replication} replicas do not fit {self.kafka_brokers} broker(s)"
            )
        if problems:
            raise ValueError("\n".join(problems))
        return self

    @property
    def recording(self) -> Path | None:
        """The recording to replay, or None for the live and the simulated feed."""
        return Path(self.feed) if self.feed_kind == RECORDED else None

    @property
    def feed_kind(self) -> str:
        """``live``, ``simulated`` or ``recorded``: what a home is bound to."""
        return _kind(self.feed)

    @property
    def replication(self) -> int:
        """Replicas of each topic."""
        return self.topic_replication or (self.kafka_brokers if self.profile == "local" else 3)

    @property
    def min_insync(self) -> int:
        """``min.insync.replicas`` of each topic: 2 where there are three replicas, else 1."""
        return 2 if self.replication >= 3 else 1

    def kafka_config(self) -> dict[str, Any]:
        """Return what every Kafka client of ours starts from: addresses and security, in librdkafka's names.

        Raises:
            RuntimeError: no bootstrap servers are known (a programming error: the stack fills them in).
        """
        if not self.kafka_bootstrap_servers:
            raise RuntimeError("kafka_bootstrap_servers is not set")
        config: dict[str, Any] = {"bootstrap.servers": self.kafka_bootstrap_servers}
        if self.kafka_security_protocol != "PLAINTEXT":
            config["security.protocol"] = self.kafka_security_protocol
        if self.kafka_sasl_password is not None:
            config |= {
                "sasl.mechanism": self.kafka_sasl_mechanism,
                "sasl.username": self.kafka_sasl_username,
                "sasl.password": self.kafka_sasl_password.get_secret_value(),
            }
        if self.kafka_ca_file is not None:
            config["ssl.ca.location"] = str(self.kafka_ca_file)
        return config

    def environment(self) -> dict[str, str]:
        """Return these settings as environment variables, for a child that calls ``Settings.from_environment()``."""
        result: dict[str, str] = {}
        for name in type(self).model_fields:
            value = getattr(self, name)
            if value is None:
                continue
            if isinstance(value, SecretStr):
                value = value.get_secret_value()
            elif isinstance(value, tuple):
                value = ",".join(value)
            elif name == "speed":
                value = "max" if math.isinf(value) else value
            result[environment_name(name)] = str(value)
        return result

    @classmethod
    def from_environment(cls) -> Self:
        """Read the settings from the environment alone: for a child, whose parent has read everything else."""
        return cls.load({}, env_file=None)

    @classmethod
    def load(cls, flags: dict[str, Any], env_file: Path | None = Path(".env")) -> Self:
        """Read the settings. ``flags`` holds only what was given on the command line.

        Raises:
            SettingsError: with a line for every wrong value, by its name.
        """
        try:
            return cls(_env_file=env_file, _env_file_encoding="utf-8", **flags)  # type: ignore[call-arg]
        except ValidationError as error:
            problems: list[str] = []
            for item in error.errors(include_url=False, include_input=False):
                if item["type"] == "default_factory_not_called":  # follows from another field's error
                    continue
                message = item["msg"].removeprefix("Value error, ")
                where = str(item["loc"][0]) if item["loc"] else ""
                problems.extend(f"{_field_of(where)}: {message}".removeprefix(": ") for message in message.split("\n"))
            raise SettingsError(problems) from None


def _field_of(alias: str) -> str:
    """Return the field that an environment name stands for."""
    return next((name for name in Settings.model_fields if alias == environment_name(name)), alias)


def world_readable_secrets(env_file: Path) -> bool:
    """Tell whether a ``.env`` with passwords in it can be read by every user of this machine."""
    try:
        if not env_file.stat().st_mode & 0o004:
            return False
        text = env_file.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return False
    return bool(re.search(r"^\s*(export\s+)?\w*(PASSWORD|SECRET|TOKEN)\w*\s*=\s*\S", text, re.MULTILINE))
