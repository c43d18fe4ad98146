"""What the schema registry holds: subjects, their versions with the schemas, compatibility. Asked slowly.

A version that was read once never changes, so only the newest one of a subject is read again (a subject that was
deleted and made anew begins with version 1 again). Calls block; each has the client's time-out.
"""

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from pipeline.child import now_ms
from pipeline.inventory import RegistrySeen, SubjectView, VersionView
from pipeline.schemas.registry import Registry, RegistryError

SUBJECTS_READ = 500
"""Of a registry with more, the others are listed by name only."""
VERSIONS_READ = 20
"""The newest ones of a subject."""
TEXT_KEPT = 64 * 1024
"""Characters of a schema."""
TEXTS_KEPT = 2 * 1024 * 1024
"""Characters of all of them: what is over that is not kept, and its text is empty."""
_NOT_FOUND = (404, 40401, 40403, 40408)
"""No level of its own: Confluent says 40408, Apicurio 40401."""


class RegistryInventory:
    """Asks one registry. Not for two threads at once: it remembers the versions it has read."""

    def __init__(self, registry: Registry, clock: Callable[[], int] = now_ms) -> None:
        """``clock`` gives milliseconds since the epoch."""
        self._registry = registry
        self._now = clock
        self._versions: dict[tuple[str, int], VersionView] = {}
        self._room = TEXTS_KEPT

    def look(self) -> RegistrySeen:
        """Look at everything. One subject's refusal stands beside it; no answer at all ends the look."""
        url = self._registry.url
        self._room = TEXTS_KEPT
        try:
            names = self._names()
            subjects = [self._subject(name) for name in names[:SUBJECTS_READ]]
            compatibility, trouble = self._global()
        except RegistryError as error:
            return RegistrySeen(self._now(), url, error=str(error))
        known = set(names)
        self._versions = {key: version for key, version in self._versions.items() if key[0] in known}
        subjects.extend(SubjectView(name) for name in names[SUBJECTS_READ:])
        return RegistrySeen(self._now(), url, compatibility, tuple(subjects), trouble)

    def _names(self) -> list[str]:
        doing = "list the subjects"
        answer = self._registry.get("/subjects", doing)
        if not isinstance(answer, list):
            raise self._strange(answer, doing)
        return sorted(str(name) for name in answer)

    def _global(self) -> tuple[str | None, str | None]:
        """Return the global level, or why it is not known."""
        try:
            return self._registry.compatibility(), None
        except RegistryError as error:
            if error.unreachable:
                raise
            return None, str(error)

    def _subject(self, name: str) -> SubjectView:
        path = f"/subjects/{quote(name, safe='')}"
        try:
            numbers = self._registry.get(f"{path}/versions", f"list the versions of {name}")
            if not isinstance(numbers, list) or not all(isinstance(number, int) for number in numbers):
                raise self._strange(numbers, f"list the versions of {name}")
            kept = sorted(numbers)[-VERSIONS_READ:]
            versions = tuple(self._version(name, path, number, newest=number == kept[-1]) for number in kept)
            return SubjectView(name, versions, self._compatibility(name))
        except RegistryError as error:
            if error.unreachable:
                raise
            return SubjectView(name, error=str(error))

    def _version(self, name: str, path: str, number: int, *, newest: bool) -> VersionView:
        known = self._versions.get((name, number))
        if known is not None and not newest:
            self._room -= len(known.text)
            return known
        doing = f"read version {number} of {name}"
        answer = self._registry.get(f"{path}/versions/{number}", doing)
        if not isinstance(answer, dict) or not isinstance(answer.get("id"), int):
            raise self._strange(answer, doing)
        # Confluent leaves the type out where it is Avro.
        kind = str(answer.get("schemaType") or "AVRO")
        text = str(answer.get("schema", ""))[: max(0, min(TEXT_KEPT, self._room))]
        self._room -= len(text)
        read = VersionView(number, answer["id"], text, kind)
        self._versions[name, number] = read
        return read

    def _compatibility(self, name: str) -> str | None:
        doing = f"read the compatibility level of {name}"
        try:
            answer = self._registry.get(f"/config/{quote(name, safe='')}", doing)
        except RegistryError as error:
            if error.code in _NOT_FOUND:
                return None
            raise
        if not isinstance(answer, dict) or not isinstance(answer.get("compatibilityLevel"), str):
            raise self._strange(answer, doing)
        return str(answer["compatibilityLevel"])

    def _strange(self, answer: Any, doing: str) -> RegistryError:
        return RegistryError(200, f"answer not understood: {answer!r}", "", doing, self._registry.url)
