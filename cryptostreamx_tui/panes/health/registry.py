"""The schema registry: subjects, versions, compatibility; opened, the schemas' text, newest first."""

import json
from typing import Any, ClassVar

from cryptostreamx_tui.details import Detail, Section
from cryptostreamx_tui.format import UNKNOWN, Line, Span, safe
from cryptostreamx_tui.panes.health.view import Listing
from cryptostreamx_tui.widgets.columns import Column
from pipeline.inventory import SubjectView, VersionView
from pipeline.text import clean

SHOWN = 16_000
"""Characters of a schema in the detail."""


def schema_text(version: VersionView) -> str:
    """Return a schema as people read it: JSON indented, anything else as it is; cleaned."""
    if not version.text:
        return "not kept: the registry holds more text than this screen does"
    try:
        text = json.dumps(json.loads(version.text), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):  # Protobuf, or cut
        text = version.text
    return clean(text, SHOWN, multiline=True)


class SubjectRows(Listing[SubjectView]):
    """One line a subject."""

    key: ClassVar[str] = "registry"
    heading: ClassVar[str] = "Schema registry"
    topics: ClassVar[tuple[str, ...]] = ("inventory",)
    fields: ClassVar[tuple[str, ...]] = ("subject", "version", "id", "type", "compatibility", "schema")

    def __init__(self) -> None:
        super().__init__(
            (
                Column("subject", 26, lambda s: Span(s.name), fixed=True, flexible=True),
                Column("versions", 8, lambda s: Span(str(len(s.versions)) if s.versions else UNKNOWN), right=True),
                Column("newest", 6, lambda s: Span(str(s.versions[-1].version) if s.versions else UNKNOWN), right=True),
                Column("id", 6, lambda s: Span(str(s.versions[-1].id) if s.versions else UNKNOWN), right=True),
                Column("type", 8, lambda s: Span(s.versions[-1].kind if s.versions else UNKNOWN, "dim")),
                Column("compatibility", 20, lambda s: Span(s.compatibility or "(the global one)", "dim")),
                Column("error", 10, lambda s: Span(s.error or "", "bad"), flexible=True),
            ),
            empty="no subject is known yet",
        )

    def everything(self) -> tuple[SubjectView, ...]:
        """Return the subjects by name."""
        seen = self.state.inventory.registry.seen
        return () if seen is None else seen.subjects

    def label(self, item: SubjectView) -> str:
        """Return the subject."""
        return item.name

    def service_of(self, item: SubjectView) -> str:  # noqa: ARG002 - one registry has them all
        """Return the registry's service."""
        return "schema-registry"

    def export_rows(self) -> list[tuple[Any, ...]]:
        """Return a row for each version."""
        return [
            (subject.name, version.version, version.id, version.kind, subject.compatibility, version.text)
            for subject in self.items()
            for version in subject.versions
        ]

    def seen_age(self, now: int) -> int | None:
        """Return the age of the last good look."""
        return self.state.inventory.registry.age(now)

    def stale(self, now: int) -> bool:
        """Tell whether that is too old."""
        return self.state.inventory.registry.stale(now)

    def trouble(self) -> str | None:
        """Return why the registry could not be asked."""
        return self.state.inventory.registry.error

    def facts(self, now: int) -> Line:  # noqa: ARG002
        """How many subjects, and the global level."""
        seen = self.state.inventory.registry.seen
        if seen is None:
            return []
        return [Span(f"{len(seen.subjects)} · compatibility {safe(seen.compatibility or UNKNOWN, 30)}", "dim")]

    def detail(self, item: SubjectView) -> Detail:
        """Return a subject with all its schemas."""
        seen = self.state.inventory.registry.seen
        return subject_detail(item, seen.url if seen else "", seen.compatibility if seen else None)


def subject_detail(subject: SubjectView, url: str, compatibility: str | None) -> Detail:
    """Return everything known of a subject."""
    return Detail(
        f"Subject {safe(subject.name, 60)}",
        (
            Section(
                "Subject",
                (
                    ("registry", safe(url)),
                    ("versions", " ".join(str(version.version) for version in subject.versions) or UNKNOWN),
                    ("compatibility", safe(subject.compatibility or "none of its own: the global one holds")),
                    ("global", safe(compatibility or UNKNOWN)),
                    *((("error", safe(subject.error)),) if subject.error else ()),
                ),
            ),
            *(
                Section(
                    f"Version {version.version} · id {version.id} · {safe(version.kind, 20)}",
                    text=tuple(schema_text(version).split("\n")),
                )
                for version in reversed(subject.versions)
            ),
        ),
    )
