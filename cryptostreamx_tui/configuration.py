"""What a person may choose about the screen: theme, keys, alerts. A TOML file, read once, before the screen starts.

``<user config dir>/cryptostreamx/config.toml``, or the file that ``--config`` or ``CRYPTOSTREAMX_CONFIG`` names.
``config.example.toml`` has every setting with its default. Wrong values are refused together, by name
(``ConfigurationError``). What the pipeline does is not chosen here but in ``pipeline.settings``.
"""

import difflib
import tomllib
from pathlib import Path
from typing import Any, Self, cast

import platformdirs
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from cryptostreamx_tui import keys
from cryptostreamx_tui.actions import ACTIONS
from pipeline.settings import APP
from pipeline.text import clean

DAY = 86_400
"""Seconds."""
LARGEST_FILE = 1_000_000
"""Bytes; a configuration is smaller."""


class ConfigurationError(ValueError):
    """The file cannot be used; ``problems`` has a line for each wrong value, by name."""

    def __init__(self, path: Path, problems: list[str]) -> None:
        self.path = path
        self.problems = problems
        super().__init__("\n".join(problems))


class Part(BaseModel):
    """A table of the file: frozen, and a name that is not known is refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Event(Part):
    """What all rules have in common. Times are in seconds."""

    on: bool = Field(default=True, description="Whether this rule is looked at.")
    clear: float = Field(default=5.0, ge=0, le=DAY, description="How long it must be over before the alert is cleared.")


class Rule(Event):
    """A condition that may last."""

    hold: float = Field(default=0.0, ge=0, le=DAY, description="How long it must be so before the alert is raised.")


class FeedStale(Rule):
    """No trade of any symbol, or no connection to the exchange."""

    after: float = Field(default=15.0, ge=1, le=DAY, description="Age of the newest trade, in seconds.")


class Lag(Rule):
    """Windows or ClickHouse fall behind."""

    above: int = Field(
        default=5_000, ge=0, description="Records that the slower of windows and sink still has to read."
    )
    hold: float = Field(default=30.0, ge=0, le=DAY, description="As everywhere.")
    clear: float = Field(default=15.0, ge=0, le=DAY, description="As everywhere.")


class ServiceFailed(Rule):
    """A service that only a person starts again."""


class UnderReplicated(Rule):
    """Partitions with fewer replicas than they should have, or without a leader; or no broker answers."""

    hold: float = Field(default=10.0, ge=0, le=DAY, description="As everywhere.")
    clear: float = Field(default=10.0, ge=0, le=DAY, description="As everywhere.")


class DeadLetters(Event):
    """Records that came into a dead letter topic while the application runs; stays until it is acknowledged."""


class Refused(Rule):
    """Frames that the quality checks refuse."""

    per_minute: int = Field(default=10, ge=1, description="So many within a minute.")
    clear: float = Field(default=30.0, ge=0, le=DAY, description="As everywhere.")


class PriceBand(Rule):
    """A symbol's price leaves a band."""

    low: float | None = Field(default=None, ge=0, allow_inf_nan=False, description="Below this, in the quote asset.")
    high: float | None = Field(default=None, ge=0, allow_inf_nan=False, description="Above this, in the quote asset.")
    clear: float = Field(default=30.0, ge=0, le=DAY, description="As everywhere.")

    @model_validator(mode="after")
    def _a_band(self) -> Self:
        if self.low is None and self.high is None:
            raise ValueError("a band needs low, high or both")
        if self.low is not None and self.high is not None and self.low >= self.high:
            raise ValueError("low must be below high")
        return self


class Alerts(Part):
    """When a person is called."""

    bell: bool = Field(default=False, description="Ring the terminal's bell when an alert is raised.")
    desktop: bool = Field(
        default=False, description="Send a desktop notification through the terminal (OSC 9, 99 and 777)."
    )
    feed_stale: FeedStale = Field(default=FeedStale(), description="The feed is silent.")
    lag: Lag = Field(default=Lag(), description="The lag is high.")
    service_failed: ServiceFailed = Field(default=ServiceFailed(), description="A service was given up.")
    under_replicated: UnderReplicated = Field(default=UnderReplicated(), description="Kafka is short of replicas.")
    dead_letters: DeadLetters = Field(default=DeadLetters(), description="New dead letters.")
    refused: Refused = Field(default=Refused(), description="Many refusals.")
    price: dict[str, PriceBand] = Field(default={}, description="Symbol → band; none by default.")

    @field_validator("price")
    @classmethod
    def _as_listed(cls, bands: dict[str, PriceBand]) -> dict[str, PriceBand]:
        return {symbol.upper(): band for symbol, band in bands.items()}


class Configuration(Part):
    """The whole file."""

    theme: str = Field(
        default="night", description="night, day, contrast, colour-blind, or one of Textual's own by its name."
    )
    keys: dict[str, str] = Field(
        default={},
        description="Action → its keys, separated by commas; an empty text takes them away. The rest stay as they are.",
    )
    alerts: Alerts = Field(default=Alerts(), description="When a person is called.")

    @field_validator("theme")
    @classmethod
    def _known_theme(cls, name: str) -> str:
        from cryptostreamx_tui.styles.theme import SHORT, theme_names

        if name not in theme_names():
            raise ValueError(f"there is no theme {name!r}{near(name, (*SHORT, *theme_names()))}")
        return name

    @field_validator("keys", mode="before")
    @classmethod
    def _dotted(cls, given: object) -> object:
        return _flat(given) if isinstance(given, dict) else given

    @field_validator("keys")
    @classmethod
    def _usable_keys(cls, given: dict[str, str]) -> dict[str, str]:
        problems = keys.problems(ACTIONS, given)
        if problems:
            raise ValueError("\n".join(problems))
        return given

    @classmethod
    def load(cls, path: Path | None) -> Self:
        """Read a file; without a path the user's own, which need not be there.

        Raises:
            ConfigurationError: with a line for every wrong value, by its name.
        """
        named = path is not None
        path = path or default_path()
        try:
            with path.open("rb") as file:
                content = file.read(LARGEST_FILE + 1)
            if len(content) > LARGEST_FILE:
                raise ConfigurationError(path, [f"larger than {LARGEST_FILE:,} bytes: this is no configuration"])
            table = tomllib.loads(content.decode())
        except FileNotFoundError:
            if named:
                raise ConfigurationError(path, ["there is no such file"]) from None
            return cls()
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
            raise ConfigurationError(path, [clean(str(error) or type(error).__name__)]) from None
        try:
            return cls.model_validate(table)
        except ValidationError as error:
            raise ConfigurationError(path, _lines(error)) from None


def default_path() -> Path:
    """Return where the user's own file is looked for."""
    return Path(platformdirs.user_config_dir(APP)) / "config.toml"


def near(name: str, known: "tuple[str, ...] | list[str]") -> str:
    """Return ``; near are …`` for a misspelt name, or an empty string where nothing is near."""
    found = difflib.get_close_matches(name, list(dict.fromkeys(known)), 3, 0.5)
    return f"; near are {', '.join(found)}" if found else ""


def _flat(table: dict[str, Any], before: str = "") -> dict[str, Any]:
    """Return nested tables as one with dotted names: TOML reads ``main.freeze = "p"`` as a table in a table."""
    made: dict[str, Any] = {}
    for name, value in table.items():
        if isinstance(value, dict):
            made |= _flat(value, f"{before}{name}.")
        else:
            made[f"{before}{name}"] = value
    return made


def _lines(error: ValidationError) -> list[str]:
    lines: list[str] = []
    for item in error.errors(include_url=False, include_input=False):
        where = clean(".".join(str(part) for part in item["loc"]), 200)
        message = item["msg"].removeprefix("Value error, ")
        if item["type"] == "extra_forbidden":
            message = "there is no such setting" + near(str(item["loc"][-1]), _settings_at(item["loc"][:-1]))
        # What is wrong with keys says itself which action it is about.
        before = "" if where == "keys" else f"{where}: "
        lines.extend(clean(before + part, 1000) for part in message.split("\n"))
    return lines


def _settings_at(place: tuple[int | str, ...]) -> list[str]:
    model: type[BaseModel] = Configuration
    for part in place:
        if model is Alerts and part == "price":
            continue
        field = model.model_fields.get(str(part))
        model = PriceBand if field is None else cast("type[BaseModel]", field.annotation)
    return list(model.model_fields)
