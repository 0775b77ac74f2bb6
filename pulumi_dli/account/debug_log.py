"""The debug log that `DLI_LOG=debug` turns on: to standard error, or to the file that `DLI_LOG_PATH` names.

The names follow TF_LOG and TF_LOG_PATH, which the users of other providers for these clouds know. They are no settings
of the stack: the log must be there before a setting is read, and a person turns it on for one command.
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
    """Adds lines to a file, which it makes with access for its owner alone."""

    def _open(self) -> TextIOWrapper:
        file = os.open(self.baseFilename, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        return os.fdopen(file, "a", encoding=self.encoding, errors=self.errors)


def turn_on(environment: Mapping[str, str] = os.environ) -> None:
    """Turn on the debug log of this process, once, if the environment asks for it.

    A file that cannot be written is no reason to fail: the log goes to standard error, and says why.
    """
    global _is_on  # noqa: PLW0603  the log is the process's
    if environment.get(LEVEL_VARIABLE, "").strip().lower() != "debug":
        return
    with _lock:
        if _is_on:
            return
        _is_on = True
    logger = logging.getLogger(_ROOT)
    handler, problem = _handler(environment.get(PATH_VARIABLE, "").strip())
    handler.setFormatter(logging.Formatter(_FORMAT))
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    if problem:
        logger.warning("%s", problem)


def _handler(path: str) -> tuple[logging.Handler, str]:
    """Make the handler for a path, or for standard error, and say what is wrong with the path."""
    if not path:
        return logging.StreamHandler(), ""
    try:
        return _PrivateFileHandler(Path(path).expanduser(), encoding="utf-8", errors="backslashreplace"), ""
    except OSError as error:
        return logging.StreamHandler(), f"{PATH_VARIABLE}: {path} cannot be written: {error.strerror}"
