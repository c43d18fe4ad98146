"""The servers' jars: which ones (``jars.json``, pinned by check sum), where they lie, getting those that are missing.

``python -m pipeline.services.jars lock`` writes ``jars.json`` anew from the coordinates below: jgo resolves what they
need, which takes half a minute. A start reads that list instead; when everything is there, it neither resolves nor
imports jgo nor touches the network, it only compares sizes. What is missing is fetched by coordinate through jgo and
checked against the list (see ``maven.py``).

Everything lies below the cache folder, which may be copied to a machine without a network as it is.
"""

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

KAFKA = ("org.apache.kafka:kafka_2.13:3.9.1", "org.slf4j:slf4j-reload4j:1.7.36")
"""The broker, with the ZooKeeper it was built for, and the logging it is shipped with."""
REGISTRY = ("io.apicurio:apicurio-registry-app:tar.gz:all:3.3.3",)

_LOCK_FILE = Path(__file__).with_name("jars.json")
_CONTENTS = ".contents.json"
_POLL = 0.2


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a download or another preparation is."""

    name: str
    done: int
    """Bytes, or files where it is unpacked."""
    total: int | None
    detail: str


OnProgress = Callable[[Progress], None]
"""Called in the thread that downloads. What it raises (but OSError and ValueError) ends the download at once and is
passed on: that is how one is given up."""


class DownloadError(RuntimeError):
    """What the servers consist of could not be fetched: what, from where, in whose words, and what to do."""


@dataclass(frozen=True, slots=True)
class Jar:
    """One pinned file. ``path`` is relative, in the layout of a Maven repository."""

    coordinate: str
    path: str
    size: int
    sha256: str


def pinned() -> dict[str, list[Jar]]:
    """Return the pinned files, by what they are for: ``kafka`` and ``registry``."""
    groups = json.loads(_LOCK_FILE.read_text(encoding="utf-8"))
    return {name: [Jar(**jar) for jar in jars] for name, jars in groups.items()}


def kafka_jars(cache: Path, progress: OnProgress, repository: str | None = None) -> list[Path]:
    """Return the class path of ZooKeeper and the broker, after fetching what is missing. Blocks.

    ``repository`` is the URL of a mirror; None is the public repository.

    Raises:
        DownloadError: something could not be fetched.
    """
    return _present("Kafka and ZooKeeper", pinned()["kafka"], cache.absolute(), progress, repository)


def registry_archive(cache: Path, progress: OnProgress, repository: str | None = None) -> Path:
    """Return the folder of the unpacked schema registry, after fetching it if it is missing or damaged. Blocks.

    Raises:
        DownloadError: it could not be fetched or unpacked.
    """
    name = "Schema registry"
    cache = cache.absolute()
    (jar,) = pinned()["registry"]
    folder = cache / f"{Path(jar.path).name.removesuffix('.tar.gz')}-{jar.sha256[:12]}"
    if _is_whole(folder):
        return folder
    with _alone(cache, name, progress):
        if not _is_whole(folder):
            (archive,) = _fetched(name, [jar], cache, progress, repository)
            try:
                _unpack(name, archive, folder, progress)
            except (OSError, tarfile.TarError) as error:
                raise DownloadError(f"{jar.coordinate} could not be unpacked into {folder}: {error}") from error
            archive.unlink()
    return folder


def _present(name: str, jars: list[Jar], cache: Path, progress: OnProgress, repository: str | None) -> list[Path]:
    if all(_is_there(cache, jar) for jar in jars):
        return [_path(cache, jar) for jar in jars]
    with _alone(cache, name, progress):
        return _fetched(name, jars, cache, progress, repository)


def _fetched(name: str, jars: list[Jar], cache: Path, progress: OnProgress, repository: str | None) -> list[Path]:
    from pipeline.services import maven  # a start that has everything does not need it (0.2 s)

    missing = [jar for jar in jars if not _is_there(cache, jar)]
    total = sum(jar.size for jar in missing)
    done = 0
    detail = ""
    pins = {jar.coordinate: maven.Pin(jar.size, jar.sha256) for jar in jars}
    resolver = maven.PinnedResolver(pins, lambda received: progress(Progress(name, done + received, total, detail)))
    context = maven.context(cache / "maven", resolver, repository)
    for number, jar in enumerate(missing, 1):
        detail = f"{Path(jar.path).name} ({number} of {len(missing)})"
        progress(Progress(name, done, total, detail))
        _path(cache, jar).unlink(missing_ok=True)  # one of a wrong size
        try:
            maven.artifact(context, jar.coordinate).resolve()
        except (OSError, maven.FetchError) as error:
            raise DownloadError(
                f"{jar.coordinate} could not be downloaded from {error}. It is fetched once and kept in {cache}: check "
                f"the network (HTTPS_PROXY and REQUESTS_CA_BUNDLE are heeded), or copy that folder from a machine "
                f"where it is complete."
            ) from error
        done += jar.size
    return [_path(cache, jar) for jar in jars]


def _path(cache: Path, jar: Jar) -> Path:
    return cache / "maven" / jar.path


def _is_there(cache: Path, jar: Jar) -> bool:
    return _size(_path(cache, jar)) == jar.size


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except (FileNotFoundError, NotADirectoryError):
        return None


def _is_whole(folder: Path) -> bool:
    # The list was written after everything else, before the folder got its name.
    try:
        contents = json.loads((folder / _CONTENTS).read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return False
    return all(_size(folder / path) == size for path, size in contents.items())


def _unpack(name: str, archive: Path, folder: Path, progress: OnProgress) -> None:
    scratch = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f"{folder.name}.part"))
    try:
        contents: dict[str, int] = {}
        with tarfile.open(archive) as tar:
            for member in tar:
                tar.extract(member, scratch, filter="data")
                if member.isfile():
                    contents[member.name] = member.size
                    progress(Progress(name, len(contents), None, "unpacking"))
        (scratch / _CONTENTS).write_text(json.dumps(contents), encoding="utf-8")
        if folder.exists():
            shutil.rmtree(folder)
        scratch.rename(folder)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


@contextlib.contextmanager
def _alone(cache: Path, name: str, progress: OnProgress) -> Iterator[None]:
    """Keep other instances from filling the cache at the same time; the kernel lets go at any death."""
    try:
        cache.mkdir(parents=True, exist_ok=True)
        file = (cache / "lock").open("a")
    except OSError as error:
        raise DownloadError(f"{cache} cannot be used for the servers' jars: {error}") from error
    with file:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                progress(Progress(name, 0, None, "waiting for another instance that downloads"))
                time.sleep(_POLL)  # a wait in flock itself could not be given up
        for left in (*cache.glob("*.part*"), *(cache / "maven").rglob("*.part")):  # of one that was killed
            shutil.rmtree(left) if left.is_dir() else left.unlink()
        yield


def lock(repository: str | None = None) -> None:
    """Resolve the coordinates with jgo and write ``jars.json`` anew. For maintainers; downloads everything."""
    from jgo.maven import PythonResolver

    from pipeline.services import maven

    with tempfile.TemporaryDirectory() as scratch:
        context = maven.context(Path(scratch), PythonResolver(), repository)
        groups = {
            "kafka": maven.needed_by(context, KAFKA),
            "registry": [maven.artifact(context, coordinate) for coordinate in REGISTRY],
        }
        pins: dict[str, list[dict[str, object]]] = {name: [] for name in groups}
        for name, artifacts in groups.items():
            for artifact in artifacts:
                path = artifact.resolve()
                with path.open("rb") as file:
                    sha256 = hashlib.file_digest(file, "sha256").hexdigest()
                relative = path.relative_to(scratch).as_posix()
                pins[name].append(asdict(Jar(str(artifact), relative, path.stat().st_size, sha256)))
    written = _LOCK_FILE.with_suffix(".part")
    written.write_text(json.dumps(pins, indent=1) + "\n", encoding="utf-8")
    written.replace(_LOCK_FILE)


if __name__ == "__main__":
    if sys.argv[1:] != ["lock"]:
        sys.exit("usage: python -m pipeline.services.jars lock")
    lock(os.environ.get("MAVEN_REPOSITORY_URL"))
