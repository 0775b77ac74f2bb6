"""How operations report something to the user, without knowing where the report appears."""

from __future__ import annotations

from enum import Enum
from typing import Protocol


class Level(Enum):
    """How much a message matters to the user."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"


class Notifier(Protocol):
    """Shows messages to the user. Threads may share it."""

    def notify(self, level: Level, resource: str, message: str) -> None:
        """Show a message about a resource. Never raises.

        Args:
            level: How much the message matters.
            resource: The logical name of the job, or `dli` for a message about no single job.
            message: Sentences that do not repeat the name.
        """
