"""What compose reads beside YAML: ``${…}`` in its values, and files of ``NAME=value`` lines."""

import re
from typing import NamedTuple

_VARIABLE = re.compile(r"\$(?:\$|(?P<bare>[A-Za-z_]\w*)|\{(?P<name>\w+)(?:(?P<how>:?[-?+])(?P<rest>[^}]*))?\})")


class Variable(NamedTuple):
    """One use of a variable."""

    name: str
    default: str | None
    required: bool


def variables(text: str) -> list[Variable]:
    """Return every use of a variable; ``$$`` is a dollar sign."""
    return [
        Variable(
            name=found["name"] or found["bare"],
            default=found["rest"] if (found["how"] or "").endswith("-") else None,
            required=(found["how"] or "").endswith("?"),
        )
        for found in _VARIABLE.finditer(text)
        if found["name"] or found["bare"]
    ]


def assignments(text: str) -> dict[str, str]:
    """Return the ``NAME=value`` lines of a file."""
    lines = (line.strip() for line in text.splitlines())
    return dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))
