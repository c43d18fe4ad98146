import gzip
import hashlib
import http.server
import io
import json
import subprocess
import sys
import tarfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from pipeline.services import jars

CONTENT = b"PK" + bytes(range(256)) * 2000
COORDINATE = "org.example:broker:jar:1.0"
PATH = "org/example/broker/1.0/broker-1.0.jar"


def archive() -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, content in (("quarkus-run.jar", b"run"), ("lib/main/a.jar", b"abc")):
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return gzip.compress(buffer.getvalue(), mtime=0)


@dataclass
class Repository:
    """A Maven repository of a few files, and how it misbehaves."""

    files: dict[str, bytes]
    asked: list[str] = field(default_factory=list)
    status: int = 200
    cut: int | None = None
    """Close the connection after so many bytes of a file."""
    url: str = ""


@pytest.fixture
def repository(monkeypatch: pytest.MonkeyPatch) -> Iterator[Repository]:
    files = {PATH: CONTENT, "org/example/registry/2.0/registry-2.0-all.tar.gz": archive()}
    served = Repository({f"/repo/{path}": content for path, content in files.items()})

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            served.asked.append(self.path)
            content = served.files.get(self.path)
            self.send_response(404 if content is None else served.status)
            content = content or b""
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content[: served.cut])

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the signature is the library's
            """Keep the test's output clean."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    served.url = f"http://user:canary@127.0.0.1:{server.server_port}/repo"
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield served
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


Pinning = Callable[..., None]


@pytest.fixture
def pin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Pinning:
    def write(content: bytes = CONTENT, tar: bytes = b"") -> None:
        tar = tar or archive()
        groups = {
            "kafka": [(COORDINATE, PATH, content)],
            "registry": [
                ("org.example:registry:tar.gz:all:2.0", "org/example/registry/2.0/registry-2.0-all.tar.gz", tar)
            ],
        }
        pins = {
            name: [
                {"coordinate": c, "path": p, "size": len(data), "sha256": hashlib.sha256(data).hexdigest()}
                for c, p, data in entries
            ]
            for name, entries in groups.items()
        }
        lock = tmp_path / "lock.json"
        lock.write_text(json.dumps(pins))
        monkeypatch.setattr(jars, "_LOCK_FILE", lock)

    write()
    return write


def left_in(cache: Path) -> set[str]:
    return {path.name for path in cache.rglob("*") if path.is_file()}


def test_the_list_in_the_repository_is_whole() -> None:
    pins = jars.pinned()
    assert set(pins) == {"kafka", "registry"}
    everything = [jar for group in pins.values() for jar in group]
    assert all(len(jar.sha256) == 64 and int(jar.sha256, 16) >= 0 and jar.size > 0 for jar in everything)
    assert len({jar.path for jar in everything}) == len(everything)
    for jar in everything:
        group, artifact, *_, version = jar.coordinate.split(":")
        assert jar.path.startswith(f"{group.replace('.', '/')}/{artifact}/{version}/{artifact}-{version}")
    listed = {jar.coordinate.replace(":jar:", ":") for jar in everything}
    assert {*jars.KAFKA, *jars.REGISTRY} <= listed


def test_what_is_missing_is_fetched_and_kept(repository: Repository, pin: Pinning, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    seen: list[jars.Progress] = []
    (jar,) = jars.kafka_jars(cache, seen.append, repository.url)
    assert jar == cache / "maven" / PATH
    assert jar.read_bytes() == CONTENT
    assert [progress.done for progress in seen] == sorted(progress.done for progress in seen)
    assert seen[-1] == jars.Progress("Kafka and ZooKeeper", len(CONTENT), len(CONTENT), "broker-1.0.jar (1 of 1)")

    repository.status = 500
    assert jars.kafka_jars(cache, seen.append, repository.url) == [jar]
    assert len(repository.asked) == 1


def test_a_start_that_has_everything_does_not_import_jgo(repository: Repository, pin: Pinning, tmp_path: Path) -> None:
    (jar,) = jars.kafka_jars(tmp_path, lambda _: None, repository.url)
    code = """if True:
        import sys
        from pathlib import Path
        from pipeline.services import jars

        jars._LOCK_FILE = Path(sys.argv[1], "lock.json")
        print(jars.kafka_jars(Path(sys.argv[1]), print))
        assert "jgo" not in sys.modules
    """
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True)
    assert done.stdout == f"{[jar]}\n"


def test_a_file_of_another_size_is_fetched_again(repository: Repository, pin: Pinning, tmp_path: Path) -> None:
    (jar,) = jars.kafka_jars(tmp_path, lambda _: None, repository.url)
    jar.write_bytes(CONTENT[:-1])
    (jar,) = jars.kafka_jars(tmp_path, lambda _: None, repository.url)
    assert jar.read_bytes() == CONTENT


def test_a_wrong_check_sum_is_refused_with_both_sums(repository: Repository, pin: Pinning, tmp_path: Path) -> None:
    forged = CONTENT[:-1] + b"!"
    pin(forged)
    with pytest.raises(jars.DownloadError) as caught:
        jars.kafka_jars(tmp_path / "cache", lambda _: None, repository.url)
    assert hashlib.sha256(CONTENT).hexdigest() in str(caught.value)
    assert hashlib.sha256(forged).hexdigest() in str(caught.value)
    assert left_in(tmp_path / "cache") == {"lock"}
    assert len(repository.asked) == 1


@pytest.mark.parametrize("content", [CONTENT + b"more", CONTENT[:-1]])
def test_a_file_of_the_wrong_length_is_refused(
    repository: Repository, pin: Pinning, tmp_path: Path, content: bytes
) -> None:
    repository.files[f"/repo/{PATH}"] = content
    with pytest.raises(jars.DownloadError, match=rf"got \d+ bytes( and more)? instead of {len(CONTENT)}"):
        jars.kafka_jars(tmp_path / "cache", lambda _: None, repository.url)
    assert left_in(tmp_path / "cache") == {"lock"}


def test_a_cut_off_download_leaves_nothing(repository: Repository, pin: Pinning, tmp_path: Path) -> None:
    repository.cut = 1000
    with pytest.raises(jars.DownloadError, match=f"{COORDINATE} could not be downloaded from 127.0.0.1: .*copy"):
        jars.kafka_jars(tmp_path / "cache", lambda _: None, repository.url)
    assert left_in(tmp_path / "cache") == {"lock"}
    assert len(repository.asked) == 3

    repository.cut = None
    assert jars.kafka_jars(tmp_path / "cache", lambda _: None, repository.url)[0].read_bytes() == CONTENT


def test_a_refusal_is_told_in_the_servers_words(repository: Repository, pin: Pinning, tmp_path: Path) -> None:
    repository.status = 407
    with pytest.raises(jars.DownloadError, match=r"127\.0\.0\.1: HTTP 407 Proxy Authentication Required") as caught:
        jars.kafka_jars(tmp_path / "cache", lambda _: None, repository.url)
    assert "canary" not in str(caught.value)


def test_a_cache_that_cannot_be_written_is_told(pin: Pinning, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(jars.DownloadError, match="file/cache cannot be used"):
        jars.kafka_jars(tmp_path / "file" / "cache", lambda _: None)


class GivenUpError(Exception):
    pass


def test_a_download_can_be_given_up(repository: Repository, pin: Pinning, tmp_path: Path) -> None:
    def give_up(progress: jars.Progress) -> None:
        if progress.done:
            raise GivenUpError

    with pytest.raises(GivenUpError):
        jars.kafka_jars(tmp_path / "cache", give_up, repository.url)
    assert left_in(tmp_path / "cache") == {"lock"}


def test_instances_that_start_together_download_once(repository: Repository, pin: Pinning, tmp_path: Path) -> None:
    results: list[list[Path]] = []
    threads = [
        threading.Thread(
            target=lambda: results.append(jars.kafka_jars(tmp_path / "cache", lambda _: None, repository.url))
        )
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 4
    assert len(repository.asked) == 1


def test_what_a_killed_download_left_is_removed(repository: Repository, pin: Pinning, tmp_path: Path) -> None:
    folder = tmp_path / "cache" / "maven" / Path(PATH).parent
    folder.mkdir(parents=True)
    (folder / "broker-1.0.jarxyz.part").write_bytes(b"half")
    (tmp_path / "cache" / "registry-2.0-all-0123.partxyz").mkdir()
    jars.kafka_jars(tmp_path / "cache", lambda _: None, repository.url)
    assert left_in(tmp_path / "cache") == {"lock", "broker-1.0.jar"}
    assert {path.name for path in (tmp_path / "cache").iterdir()} == {"lock", "maven"}


def test_the_registry_is_unpacked_once(repository: Repository, pin: Pinning, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    seen: list[jars.Progress] = []
    folder = jars.registry_archive(cache, seen.append, repository.url)
    assert (folder / "quarkus-run.jar").read_bytes() == b"run"
    assert (folder / "lib" / "main" / "a.jar").read_bytes() == b"abc"
    assert seen[-1] == jars.Progress("Schema registry", 2, None, "unpacking")
    assert jars.registry_archive(cache, seen.append, repository.url) == folder
    assert len(repository.asked) == 1
    assert not list((cache / "maven").rglob("*.tar.gz"))


def test_a_damaged_registry_is_fetched_again(repository: Repository, pin: Pinning, tmp_path: Path) -> None:
    folder = jars.registry_archive(tmp_path / "cache", lambda _: None, repository.url)
    (folder / "lib" / "main" / "a.jar").write_bytes(b"ab")
    (folder / "quarkus-run.jar").unlink()
    assert jars.registry_archive(tmp_path / "cache", lambda _: None, repository.url) == folder
    assert (folder / "lib" / "main" / "a.jar").read_bytes() == b"abc"
    assert (folder / "quarkus-run.jar").exists()


def test_an_archive_that_is_none_is_told(repository: Repository, pin: Pinning, tmp_path: Path) -> None:
    path = "/repo/org/example/registry/2.0/registry-2.0-all.tar.gz"
    repository.files[path] = b"no archive"
    pin(tar=b"no archive")
    with pytest.raises(jars.DownloadError, match="could not be unpacked"):
        jars.registry_archive(tmp_path / "cache", lambda _: None, repository.url)
    assert [path.name for path in (tmp_path / "cache").iterdir() if path.is_dir()] == ["maven"]
