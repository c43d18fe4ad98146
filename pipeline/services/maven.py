"""Artifacts by Maven coordinate, through jgo: which jars a program needs, and fetching one that is pinned.

jgo knows coordinates, POMs, the layout of a repository, its address and HTTP. Its own download only warns when a check
sum is wrong and writes straight to the final path, so a cut-off file would pass for good at the next start: the
``Resolver`` here replaces that one step. Knows nothing of servers; imported only when something has to be fetched.
"""

import hashlib
import os
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from jgo.constants import MAVEN_CENTRAL_URL
from jgo.maven import Artifact, MavenContext, PythonResolver
from jgo.util import http

from pipeline.text import clean

_TIMEOUT = (10, 20)
"""Seconds to connect, and without a byte."""
_TRIES = 3
_CHUNK = 256 * 1024


class FetchError(RuntimeError):
    """One artifact could not be fetched; the message says from which host and why."""


@dataclass(frozen=True, slots=True)
class Pin:
    """What an artifact must be."""

    size: int
    sha256: str


class PinnedResolver(PythonResolver):
    """jgo's resolver, except that a download is what was pinned, or does not exist."""

    def __init__(self, pins: Mapping[str, Pin], received: Callable[[int], None]) -> None:
        """``pins`` by coordinate; ``received`` is told the bytes of the present file so far, and may raise to abort."""
        super().__init__()
        self._pins = pins
        self._received = received

    def download(self, artifact: Artifact) -> Path:
        """Fetch one artifact into its place below the context's repository folder.

        Raises:
            FetchError: no repository gave it, or what it gave is not what was pinned.
        """
        pin = self._pins[str(artifact)]
        path = artifact.cached_path
        assert path is not None
        path.parent.mkdir(parents=True, exist_ok=True)
        below = f"{artifact.component.path_prefix.as_posix()}/{artifact.filename}"
        problem = ""
        for base in artifact.context.remote_repos.values():
            for _ in range(_TRIES):
                try:
                    self._fetch(f"{base.rstrip('/')}/{below}", path, pin)
                except (OSError, ValueError) as error:  # OSError: all that requests raises; it may work the next time
                    problem = f"{_host(base)}: {clean(str(error))}"
                except FetchError as error:
                    problem = f"{_host(base)}: {error}"
                    break
                else:
                    return path
        raise FetchError(problem)

    def _fetch(self, url: str, path: Path, pin: Pin) -> None:
        # identity: some servers call a .tar.gz a gzip-encoded tar, and requests would unpack it.
        with http.get(url, stream=True, timeout=_TIMEOUT, headers={"Accept-Encoding": "identity"}) as response:
            if response.status_code != HTTPStatus.OK:
                raise FetchError(clean(f"HTTP {response.status_code} {response.reason}"))
            handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.name, suffix=".part")
            partial = Path(name)
            try:
                with os.fdopen(handle, "wb") as file:
                    size, sha256 = self._copy(response, file, pin.size)
                if size != pin.size:
                    raise FetchError(f"got {size} bytes{' and more' if size > pin.size else ''} instead of {pin.size}")
                if sha256 != pin.sha256:
                    raise FetchError(f"its SHA-256 is {sha256}, pinned is {pin.sha256}; what was received is deleted")
                partial.replace(path)
            finally:
                partial.unlink(missing_ok=True)

    def _copy(self, response: Any, file: Any, most: int) -> tuple[int, str]:
        digest = hashlib.sha256()
        size = 0
        for chunk in response.iter_content(_CHUNK):
            file.write(chunk)
            digest.update(chunk)
            size += len(chunk)
            if size > most:
                break
            self._received(size)
        return size, digest.hexdigest()


def context(folder: Path, resolver: PythonResolver, repository: str | None) -> MavenContext:
    """Return a jgo context that keeps everything below ``folder`` and reads from ``repository`` (a URL) alone.

    None is the public repository that jgo knows.
    """
    return MavenContext(
        repo_cache=folder,
        local_repos=[],
        remote_repos={"repository": repository or MAVEN_CENTRAL_URL},
        resolver=resolver,
    )


def artifact(of: MavenContext, coordinate: str) -> Artifact:
    """Return the artifact of a coordinate ``group:artifact:packaging[:classifier]:version``.

    jgo's own parser takes ``tar.gz`` for a version.
    """
    group, name, packaging, *classifier, version = coordinate.split(":")
    return of.project(group, name).at_version(version).artifact("".join(classifier), packaging)


def needed_by(of: MavenContext, coordinates: tuple[str, ...]) -> list[Artifact]:
    """Resolve coordinates to the artifacts they stand for and all that those need at run time, in a stable order."""
    wanted, needed = of.resolver.resolve([of.create_dependency(coordinate) for coordinate in coordinates])
    return [dependency.artifact for dependency in (*wanted, *needed)]


def _host(url: str) -> str:
    # Not the whole URL: a mirror's may hold a password.
    parts = urlsplit(url)
    return clean(parts.hostname or parts.path)
