import tomllib
from pathlib import Path
from typing import cast

import platformdirs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from cryptostreamx_tui import configuration, keys
from cryptostreamx_tui.actions import ACTIONS, Action
from cryptostreamx_tui.configuration import Alerts, Configuration, ConfigurationError, PriceBand

ROOT = Path(__file__).parents[3]
EXAMPLE = ROOT / "config.example.toml"


def loaded(tmp_path: Path, text: str) -> Configuration:
    file = tmp_path / "config.toml"
    file.write_text(text, encoding="utf-8")
    return Configuration.load(file)


def refused(tmp_path: Path, text: str) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        loaded(tmp_path, text)
    assert caught.value.path == tmp_path / "config.toml"
    return caught.value.problems


def models(model: type[BaseModel]) -> list[type[BaseModel]]:
    inside = [field.annotation for field in model.model_fields.values()]
    return [
        model,
        *(m for part in inside if isinstance(part, type) and issubclass(part, BaseModel) for m in models(part)),
    ]


def test_the_example_is_the_default() -> None:
    assert Configuration.load(EXAMPLE) == Configuration()


def test_the_example_names_every_setting() -> None:
    text = EXAMPLE.read_text(encoding="utf-8")
    table = tomllib.loads(text)
    assert set(table) == set(Configuration.model_fields)
    assert set(table["alerts"]) | {"price"} == set(Alerts.model_fields)
    for name, field in Alerts.model_fields.items():
        if name not in ("bell", "desktop", "price"):
            rule = cast("type[BaseModel]", field.annotation)
            assert set(table["alerts"][name]) == set(rule.model_fields), name


def test_what_the_example_shows_in_comments_can_be_used(tmp_path: Path) -> None:
    lines = EXAMPLE.read_text(encoding="utf-8").splitlines()
    shown = [
        line[2:] if line.startswith(("# main.", "# app.", "# [alerts", "# low", "# high")) else line for line in lines
    ]
    made = loaded(tmp_path, "\n".join(shown))
    assert made.keys["main.freeze"] == "p,ctrl+f"
    assert made.alerts.price["BTCUSDT"] == PriceBand(low=50_000.0, high=80_000.0)


def test_every_setting_says_what_it_is_for() -> None:
    every: list[type[BaseModel]] = [*models(Configuration), PriceBand]
    for model in every:
        assert model.__doc__
        assert all(field.description for field in model.model_fields.values()), model


def test_no_file_is_the_default_but_a_file_that_was_named_must_be_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(platformdirs, "user_config_dir", lambda _: str(tmp_path))
    assert Configuration.load(None) == Configuration()
    (tmp_path / "config.toml").write_text('theme = "day"')
    assert Configuration.load(None).theme == "day"
    with pytest.raises(ConfigurationError, match="no such file"):
        Configuration.load(tmp_path / "other.toml")


def test_wrong_values_are_refused_together_by_name(tmp_path: Path) -> None:
    problems = refused(
        tmp_path,
        """
        theme = "nigt"
        colour = "red"
        [alerts]
        bell = "yes"
        [alerts.lag]
        above = -1
        hodl = 3.0
        [alerts.price.btcusdt]
        low = 2.0
        high = 1.0
        [alerts.price.ETHUSDT]
        """,
    )
    assert [line.partition(": ")[0] for line in problems] == [
        "theme",
        "alerts.bell",
        "alerts.lag.above",
        "alerts.lag.hodl",
        "alerts.price.btcusdt",
        "alerts.price.ETHUSDT",
        "colour",
    ]
    assert "near are night" in problems[0]
    assert "near are hold" in problems[3]


@pytest.mark.parametrize("text", ["theme = ", "\x00", "[keys]\n[keys]", "a = [" * 5000])
def test_what_is_no_toml_is_refused(tmp_path: Path, text: str) -> None:
    assert len(refused(tmp_path, text)) == 1


def test_bytes_that_are_no_text_and_a_file_that_is_far_too_large(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    for content in (b"theme = '\xff'", b"#" * 2_000_000):
        file.write_bytes(content)
        with pytest.raises(ConfigurationError):
            Configuration.load(file)


def test_hostile_names_reach_no_terminal(tmp_path: Path) -> None:
    problems = refused(tmp_path, '"\\u001b]0;x\\u0007" = 1\n[keys]\n"a\\u202eb" = "\\u001b[2J"')
    assert problems
    assert all(line.isprintable() for line in problems)


def test_it_is_frozen() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Configuration().theme = "day"


# ---------------------------------------------------------------- keys


def test_keys_in_dotted_and_in_quoted_names_are_the_same(tmp_path: Path) -> None:
    quoted = loaded(tmp_path, '[keys]\n"main.freeze" = "p,ctrl+f"\n"rows.cursor.-1" = "up"')
    dotted = loaded(tmp_path, '[keys]\nmain.freeze = "p,ctrl+f"\nrows.cursor.-1 = "up"')
    assert quoted == dotted


def test_an_unknown_action_and_an_unknown_key_are_refused_with_what_is_near(tmp_path: Path) -> None:
    problems = refused(tmp_path, '[keys]\nmain.freze = "p"\nmain.freeze = "ctrl+pageupp"')
    assert problems[0].startswith("keys.main.freze: there is no such action; near are main.freeze")
    assert "no key 'ctrl+pageupp'; near are ctrl+pageup" in problems[1]


def test_a_key_twice_within_one_place_is_refused_with_both_names(tmp_path: Path) -> None:
    [problem] = refused(tmp_path, '[keys]\nmain.freeze = "y"')
    assert "main.freeze" in problem
    assert "main.copy" in problem
    assert "'y'" in problem


def test_a_key_that_another_place_would_take_away_is_refused(tmp_path: Path) -> None:
    problems = refused(tmp_path, '[keys]\nmain.freeze = "ctrl+d"')
    assert ["rows.page.1" in problems[0], "page.scroll_page.1" in problems[1]] == [True, True]


def test_what_another_pane_alone_has_is_no_clash(tmp_path: Path) -> None:
    """Freezing does nothing in Messages, where the key follows the newest record."""
    assert loaded(tmp_path, '[keys]\nmain.freeze = "f"').keys == {"main.freeze": "f"}
    [problem] = refused(tmp_path, '[keys]\nmain.freeze = "X"')
    assert "dead.replay" in problem


def test_two_actions_may_change_their_keys(tmp_path: Path) -> None:
    assert loaded(tmp_path, '[keys]\nmain.freeze = "y"\nmain.copy = "p"').keys == {"main.freeze": "y", "main.copy": "p"}


def test_a_key_can_be_taken_away_but_not_the_last_way_out(tmp_path: Path) -> None:
    assert loaded(tmp_path, '[keys]\nmain.freeze = ""').keys == {"main.freeze": ""}
    [problem] = refused(tmp_path, '[keys]\napp.interrupt = ""')
    assert problem.startswith("keys.app.interrupt")


def test_the_tables_own_keys_are_keys_and_written_as_people_write_them() -> None:
    assert all(keys.known(key) for action in ACTIONS for key in keys.split(action.keys))
    written = ["↑", "?", "F1", "ctrl+f", "⇧tab", "space", "ä", "esc", "/"]
    names = ["up", "?", "f1", "ctrl+f", "shift+tab", "space", "ä", "escape", "slash"]
    assert [keys.written(keys.split(name)[0]) for name in names] == written
    assert not keys.known("ctrl+nothing")
    assert not keys.known("strg+c")


def test_the_table_with_other_keys() -> None:
    table = keys.remapped(ACTIONS, {"main.freeze": "?, ctrl+f"})
    changed = [(was, now) for was, now in zip(ACTIONS, table, strict=True) if was != now]
    assert [(now.keys, now.shown) for _, now in changed] == [("question_mark,ctrl+f", "? ctrl+f")]


def test_ids_are_unique() -> None:
    ids = [action.id for action in ACTIONS]
    assert len(set(ids)) == len(ids)


LETTERS = st.sampled_from("abcdefgh")


@given(st.dictionaries(st.sampled_from([a.id for a in ACTIONS if a.place == "main"]), LETTERS, max_size=6))
def test_what_is_not_refused_leaves_every_action_reachable(given_keys: dict[str, str]) -> None:
    """No two actions of one place are on a key that they do not share by default."""
    if keys.problems(ACTIONS, given_keys):
        return
    table = [action for action in keys.remapped(ACTIONS, given_keys) if action.place == "main"]
    by_key: dict[str, list[Action]] = {}
    for action in table:
        for key in keys.split(action.keys):
            by_key.setdefault(key, []).append(action)
    shared = [{action.id for action in sharing} for sharing in by_key.values() if len(sharing) > 1]
    assert all(ids == {"main.simulated", "main.pane.symbols"} for ids in shared)


def test_names_near_a_misspelt_one() -> None:
    assert configuration.near("befl", ["bell", "desktop"]) == "; near are bell"
    assert configuration.near("xyz", ["bell"]) == ""


# ---------------------------------------------------------------- the command line


def test_a_wrong_configuration_is_refused_before_anything_is_started(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from cryptostreamx_tui.cli import main

    file, home = tmp_path / "config.toml", tmp_path / "home"
    file.write_text('theme = "\\u001b[31m"\n[alerts]\nbel = true')
    assert main(["--config", str(file), "--home", str(home)]) == 2
    told = capsys.readouterr().err
    assert f"{file} cannot be used" in told
    assert "alerts.bel: there is no such setting; near are bell" in told
    assert "\x1b" not in told
    assert not home.exists()


def test_the_file_may_be_named_in_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from pipeline.settings import Settings

    monkeypatch.setenv("CRYPTOSTREAMX_CONFIG", str(tmp_path / "mine.toml"))
    assert Settings.load({}, None).config == tmp_path / "mine.toml"
