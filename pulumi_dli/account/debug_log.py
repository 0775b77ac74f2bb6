"""The debug log, which `DLI_LOG=debug` turns on. It goes to standard error, or to the file in `DLI_LOG_PATH`.

The names follow TF_LOG and TF_LOG_PATH, which users of Terraform know. The stack's configuration has no such setting:
the log must start before the settings are read, and users turn it on for a single command.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Mapping
from io import TextIOWrapper
from pathlib import Path

LEVEL_VARIABLE = "DLI_LOG"
PATH_VARIABLE = "DLI_LOG_PATH"

_ROOT = "pulumi_dli"
_FORMAT = "%(asctime)s %(levelname)s [%(process)d] %(name)s: %(message)s"
_lock = threading.Lock()
_is_on = False


class _PrivateFileHandler(logging.FileHandler):
    """Appends lines to a file. A new file gets mode 600, so that only its owner can read it."""

    def _open(self) -> TextIOWrapper:
        file = os.open(self.baseFilename, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        return os.fdopen(file, "a", encoding=self.encoding, errors=self.errors)


def turn_on(environment: Mapping[str, str] = os.environ) -> None:
    """Turn on the debug log of this process if the environment asks for it. A second call has no effect.

    If the file cannot be written, the log goes to standard error and begins with a warning.
    """
    global _is_on  # noqa: PLW0603  a process has one log
    if environment.get(LEVEL_VARIABLE, "").strip().lower() != "debug":
        return
    with _lock:
        if _is_on:
            return
        _is_on = True
    logger = logging.getLogger(_ROOT)
    handler, problem = _make_handler(environment.get(PATH_VARIABLE, "").strip())
    handler.setFormatter(logging.Formatter(_FORMAT))
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    if problem:
        logger.warning("%s", problem)


def _make_handler(path: str) -> tuple[logging.Handler, str]:
    """Return the handler for a path, or for standard error, and the problem with the path or an empty string."""
    if not path:
        return logging.StreamHandler(), ""
    try:
        return _PrivateFileHandler(Path(path).expanduser(), encoding="utf-8", errors="backslashreplace"), ""
    except OSError as error:
        return logging.StreamHandler(), f"{PATH_VARIABLE}: {path} cannot be written: {error.strerror}"
