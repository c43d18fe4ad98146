"""Log files: one a process, rotated and capped, with nothing in them that a terminal would act on."""

import logging
import logging.handlers
import time
from pathlib import Path

from pipeline.text import clean

LOG_BYTES = 10 * 1024 * 1024
LOG_FILES = 5


class _CleanFormatter(logging.Formatter):
    """Outside text in a message, or in the text of an exception, is cleaned with it."""

    converter = staticmethod(time.gmtime)  # UTC; the base class calls it with seconds since the epoch

    def format(self, record: logging.LogRecord) -> str:
        return clean(super().format(record), limit=20_000, multiline=True)


def log_to(path: Path, level: int = logging.INFO) -> None:
    """Send the root logger to ``path`` alone: 10 MiB a file, five files."""
    file = logging.handlers.RotatingFileHandler(path, maxBytes=LOG_BYTES, backupCount=LOG_FILES - 1, encoding="utf-8")
    file.setFormatter(
        _CleanFormatter("%(asctime)s.%(msecs)03dZ %(levelname)s %(name)s %(message)s", "%Y-%m-%dT%H:%M:%S")
    )
    root = logging.getLogger()
    for handler in root.handlers:
        handler.close()
    root.handlers[:] = [file]
    root.setLevel(level)
    logging.getLogger("httpx").setLevel(logging.WARNING)  # it logs every request, and probes make many
    logging.getLogger("urllib3").setLevel(logging.ERROR)  # it warns of each try that it makes again
