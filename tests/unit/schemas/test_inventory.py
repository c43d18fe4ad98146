"""The registry's inventory over a client that answers from a dictionary."""

from typing import Any

import pytest

from pipeline.inventory import RegistrySeen, SubjectView, VersionView
from pipeline.schemas import inventory as module
from pipeline.schemas.inventory import RegistryInventory
from pipeline.schemas.registry import UNREACHABLE, RegistryError


class Client:
    """Answers by path; what is an exception is raised."""

    url = "http://registry"

    def __init__(self) -> None:
        self.answers: dict[str, Any] = {
            "/subjects": ["b/value", "a"],
            "/subjects/a/versions": [1, 2],
            "/subjects/a/versions/1": {"id": 7, "schema": '{"v":1}'},
            "/subjects/a/versions/2": {"id": 8, "schema": "syntax", "schemaType": "PROTOBUF"},
            "/config/a": {"compatibilityLevel": "FULL"},
            "/subjects/b%2Fvalue/versions": [1],
            "/subjects/b%2Fvalue/versions/1": {"id": 9, "schema": '"string"'},
            "/config/b%2Fvalue": self.refusal(40408),
        }
        self.level: Any = "BACKWARD"
        self.asked: list[str] = []

    def refusal(self, code: int) -> RegistryError:
        return RegistryError(code, "no\x1b[2J", "", "ask", self.url)

    def get(self, path: str, _doing: str) -> Any:
        self.asked.append(path)
        found = self.answers[path]
        if isinstance(found, Exception):
            raise found
        return found

    def compatibility(self) -> str:
        if isinstance(self.level, Exception):
            raise self.level
        return str(self.level)


@pytest.fixture
def client() -> Client:
    return Client()


@pytest.fixture
def inventory(client: Client) -> RegistryInventory:
    return RegistryInventory(client, lambda: 5)  # type: ignore[arg-type]


def test_subjects_versions_schemas_and_levels(client: Client, inventory: RegistryInventory) -> None:
    assert inventory.look() == RegistrySeen(
        5,
        "http://registry",
        "BACKWARD",
        (
            SubjectView("a", (VersionView(1, 7, '{"v":1}'), VersionView(2, 8, "syntax", "PROTOBUF")), "FULL"),
            SubjectView("b/value", (VersionView(1, 9, '"string"'),), None),
        ),
    )
    client.asked.clear()
    inventory.look()
    assert "/subjects/a/versions/1" not in client.asked, "an older version is read once"
    assert "/subjects/a/versions/2" in client.asked


@pytest.mark.parametrize("path", ["/subjects", "/subjects/a/versions", "/subjects/a/versions/2", "/config/a"])
def test_no_answer_ends_the_look(client: Client, inventory: RegistryInventory, path: str) -> None:
    client.answers[path] = client.refusal(UNREACHABLE)
    seen = inventory.look()
    assert seen.subjects == ()
    assert "no\\x1b[2J" in (seen.error or "")


@pytest.mark.parametrize(
    ("path", "strange"),
    [
        ("/subjects/a/versions", {"a": 1}),
        ("/subjects/a/versions/2", {"id": "x"}),
        ("/config/a", []),
        ("/subjects/a/versions", RegistryError(50001, "internal", "a", "ask", "http://registry")),
    ],
)
def test_a_refusal_stands_beside_its_subject(
    client: Client, inventory: RegistryInventory, path: str, strange: Any
) -> None:
    client.answers[path] = strange
    first, second = inventory.look().subjects
    assert first.error
    assert second.error is None


def test_an_unknown_global_level_is_told(client: Client, inventory: RegistryInventory) -> None:
    client.level = client.refusal(50001)
    seen = inventory.look()
    assert (seen.compatibility, len(seen.subjects)) == (None, 2)
    assert "50001" in (seen.error or "")
    client.level = client.refusal(UNREACHABLE)
    assert inventory.look().subjects == ()


def test_what_is_kept_is_bounded(client: Client, inventory: RegistryInventory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TEXT_KEPT", 5)
    monkeypatch.setattr(module, "TEXTS_KEPT", 12)
    monkeypatch.setattr(module, "SUBJECTS_READ", 2)
    client.answers["/subjects"].append("c")
    for _ in range(2):
        seen = inventory.look()
        texts = [version.text for subject in seen.subjects for version in subject.versions]
        assert texts == ['{"v":', "synta", '"s']
        assert seen.subjects[2] == SubjectView("c")
