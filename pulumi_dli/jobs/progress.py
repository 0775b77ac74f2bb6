"""The progress of an awaited job, in words."""

from __future__ import annotations

from pulumi_dli.api.clock import format_duration
from pulumi_dli.api.models import Batch

_EXPLAINED_AFTER = 600.0
_MIN_INTERVAL = 10.0
_MAX_INTERVAL = 60.0

_NOT_STARTED = (
    "Possible causes: no free capacity (the service gives up after about 3 hours), a new queue (up to 15 minutes for "
    "its first job), a program that has no SparkContext yet"
)


def progress_message(batch: Batch, waited: float) -> str:
    """Return the progress of a job after `waited` seconds: state, queue, time, and why it has not started."""
    queue = batch.queue or batch.cluster_name
    on_queue = f" on queue {queue}" if queue else ""
    message = f"{batch.state}{on_queue}, waited {format_duration(waited)}"
    state = batch.batch_state
    if state is not None and state.facts.needs_capacity and waited >= _EXPLAINED_AFTER:
        message += f". {_NOT_STARTED}"
    return message


class ProgressTimer:
    """Decides when to show the progress of one wait: at every change of state, and every 10 to 60 seconds."""

    def __init__(self) -> None:
        self._last_state: str | None = ""
        self._last_shown = 0.0

    def is_due(self, state: str | None, waited: float) -> bool:
        """Return whether to show the progress now. If so, the next interval begins."""
        interval = min(max(waited / 4, _MIN_INTERVAL), _MAX_INTERVAL)
        if state == self._last_state and waited - self._last_shown < interval:
            return False
        self._last_state, self._last_shown = state, waited
        return True
