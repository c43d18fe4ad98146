import math
import re
from pathlib import Path

import pytest
from pydantic import SecretStr

from pipeline.settings import Settings, SettingsError, environment_name, world_readable_secrets

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in environment_names():
        monkeypatch.delenv(name, raising=False)


def environment_names() -> list[str]:
    return [environment_name(field) for field in Settings.model_fields]


def test_flag_beats_environment_beats_file_beats_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    env = tmp_path / ".env"
    env.write_text("CRYPTOSTREAMX_SYMBOLS=AAAUSDT\nTOPIC_PARTITIONS=4\nKAFKA_BROKERS=1\n")
    assert Settings.load({}, None).symbols == ("BTCUSDT", "ETHUSDT")
    assert Settings.load({}, env).symbols == ("AAAUSDT",)
    monkeypatch.setenv("CRYPTOSTREAMX_SYMBOLS", "BBBUSDT")
    monkeypatch.setenv("TOPIC_PARTITIONS", "5")
    settings = Settings.load({"symbols": "cccusdt, dddusdt,cccusdt"}, env)
    assert settings.symbols == ("CCCUSDT", "DDDUSDT")
    assert (settings.topic_partitions, settings.kafka_brokers) == (5, 1)


def test_wrong_values_are_refused_together_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOPIC_PARTITIONS", "many")
    with pytest.raises(SettingsError) as caught:
        Settings.load({"profile": "cloud", "speed": "0", "symbols": "BTC/USDT"}, None)
    assert {line.split(":")[0] for line in caught.value.problems} == {"profile", "speed", "symbols", "topic_partitions"}


def test_what_does_not_go_together_is_refused_together() -> None:
    with pytest.raises(SettingsError) as caught:
        Settings.load({"profile": "cluster", "feed": "trades.csv", "until_end": True}, None)
    text = str(caught.value)
    assert "neither live, simulated nor" in text
    assert "until_end: needs a recording" in text
    assert text.count("the cluster profile needs it") == 3


def test_a_child_reads_back_exactly_what_its_parent_had(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    parent = Settings.load(
        {
            "speed": "max",
            "symbols": "币安人生USDT,BTCUSDT",
            "home": tmp_path,
            "kafka_bootstrap_servers": "127.0.0.1:1",
            "clickhouse_password": "s3cret",
        },
        None,
    )
    for name, value in parent.environment().items():
        monkeypatch.setenv(name, value)
    assert Settings.from_environment() == parent
    assert math.isinf(parent.speed)


def test_secrets_do_not_print() -> None:
    settings = Settings.load({"clickhouse_password": "canary-1", "kafka_sasl_password": SecretStr("canary-2")}, None)
    assert "canary" not in repr(settings) + str(settings) + settings.model_dump_json()


def test_settings_are_frozen() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Settings.load({}, None).feed = "simulated"


def test_every_setting_says_what_it_is_for_and_stands_in_the_example() -> None:
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    named = set(re.findall(r"^#?\s?([A-Z_]+)=", example, re.MULTILINE))
    assert named == set(environment_names())
    assert all(info.description for info in Settings.model_fields.values())


@pytest.mark.parametrize(
    ("mode", "text", "warned"),
    [
        (0o644, "CLICKHOUSE_PASSWORD=x\n", True),
        (0o600, "CLICKHOUSE_PASSWORD=x\n", False),
        (0o644, "# CLICKHOUSE_PASSWORD=x\nKAFKA_BROKERS=1\n", False),
        (0o644, "CLICKHOUSE_PASSWORD=\n", False),
    ],
)
def test_a_world_readable_file_with_secrets_is_noticed(tmp_path: Path, mode: int, text: str, warned: bool) -> None:
    env = tmp_path / ".env"
    env.write_text(text)
    env.chmod(mode)
    assert world_readable_secrets(env) is warned


def test_no_file_no_warning(tmp_path: Path) -> None:
    assert not world_readable_secrets(tmp_path / ".env")
