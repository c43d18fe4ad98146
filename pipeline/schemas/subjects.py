"""Which schema belongs to which subject, and that each is registered before anything else touches its subject."""

import json
from importlib import resources
from typing import Any

from pipeline.model import TRADE_TOPIC, WINDOW_TOPICS
from pipeline.schemas.registry import Registry

SUBJECTS: dict[str, str] = {
    f"{TRADE_TOPIC}-value": "binance_trade",
    **{f"{topic}-value": "binance_trade_agg" for topic in WINDOW_TOPICS.values()},
}
"""Subject → name of its schema."""


def load_schema(name: str) -> dict[str, Any]:
    """Return the parsed ``<name>.avsc`` of this package: ``binance_trade`` or ``binance_trade_agg``.

    Raises:
        FileNotFoundError: there is none of that name.
    """
    text = resources.files(__package__).joinpath(f"{name}.avsc").read_text(encoding="utf-8")
    schema = json.loads(text)
    assert isinstance(schema, dict)
    return schema


def ensure_subjects(registry: Registry) -> dict[str, int]:
    """Make sure that every subject has its schema; return subject → schema id.

    Raises:
        RegistryError: refused, or no answer.
    """
    return {subject: registry.ensure(subject, load_schema(name))[0] for subject, name in SUBJECTS.items()}
