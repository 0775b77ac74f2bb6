"""The view of a job in the commands: a row of the table, the lines of `show`, and the same as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from pulumi_dli.api.clock import format_duration
from pulumi_dli.api.models import Batch
from pulumi_dli.api.states import BatchState
from pulumi_dli.cli.targets import Target
from pulumi_dli.jobs import outputs
from pulumi_dli.jobs.inputs import Properties
from pulumi_dli.jobs.redaction import masked
from pulumi_dli.jobs.screen import shown_text
from pulumi_dli.jobs.secret_paths import SECRET_INPUTS, SIZES, is_secret

COLUMNS = ("name", "state", "queue", "created", "duration", "id")
NOT_READABLE = "not readable"
"""The state of a job that the service did not let us read."""
_ARGUMENTS = (
    "file",
    "className",
    "driverCores",
    "driverMemory",
    "executorCores",
    "executorMemory",
    "numExecutors",
    "autoRecovery",
    "image",
    "sparkVersion",
)
"""The arguments that `show` shows. Others, such as `args` and `conf`, may contain secrets that nobody marked."""
_DETAILS = (
    outputs.FAILURE_REASON,
    outputs.CONSOLE_URL,
    *_ARGUMENTS,
    "effectiveScType",
    "sizing",
    "owner",
    "proxyUser",
    "appId",
    "submittedName",
)
_MADE_FROM = {"sizing": SIZES}
"""The arguments from which an output is made that is not observed."""
_LABELS = {"effectiveScType": "scType", outputs.CONSOLE_URL: "url"}


@dataclass(frozen=True)
class JobView:
    """A job as the commands show it.

    Args:
        name: The logical name, or the service's name of a job that is in no stack.
        state: The state, or None if it is unknown.
        queue: The queue.
        created: The time of the submission, in milliseconds since 1970.
        duration: The time from the submission to the end, or until now, in milliseconds.
        id: The id of the run.
        is_expired: Whether the service has deleted the record of the job.
        is_pending_delete: Whether a new job has replaced the job, and Pulumi has not deleted it yet.
        details: More facts, by name.
    """

    name: str
    state: str | None
    queue: str | None
    created: int | None
    duration: int | None
    id: str
    is_expired: bool = False
    is_pending_delete: bool = False
    details: Mapping[str, Any] = field(default_factory=dict)

    def row(self) -> list[str]:
        """Return the cells of the table's row, in the order of `COLUMNS`."""
        return [*self._texts().values()]

    def lines(self) -> list[str]:
        """Return the lines of `show`: a key and its value."""
        facts = {name: text for name, text in self._texts().items() if text}
        facts |= {"record": "deleted by the service"} if self.is_expired else {}
        facts |= {name: _cell(value) for name, value in self.details.items()}
        width = max(map(len, facts))
        return [f"{name:<{width}}  {text}" for name, text in facts.items()]

    def to_json(self) -> dict[str, Any]:
        """Return the job as a JSON object. The duration is in seconds."""
        return {
            "name": self.name,
            "state": self.state,
            "queue": self.queue,
            "created": utc_text(self.created) or None,
            "durationSeconds": None if self.duration is None else self.duration / 1000,
            "id": self.id,
            "recordExpired": self.is_expired,
            "pendingDelete": self.is_pending_delete,
            **self.details,
        }

    def _texts(self) -> dict[str, str]:
        duration = "" if self.duration is None else format_duration(self.duration / 1000)
        name = f"{self.name} (pending delete)" if self.is_pending_delete else self.name
        values = (name, self.state or "unknown", self.queue, utc_text(self.created), duration, self.id)
        return dict(zip(COLUMNS, map(_cell, values), strict=True))


@dataclass(frozen=True)
class Reading:
    """The facts about a job that were just read.

    Args:
        batch: The job as the service answers it. None if it was not asked, or has no record of the job.
        is_expired: Whether the service was asked and has no record of the job.
        age: The seconds since the submission, by the clock of the service, or None if it is unknown.
        location: The `region` and the `projectId` of the job, as far as they are known.
        failure_reason: Why the job failed, or None if nobody has read the reason.
        url: The page of the job in the console or in the local DLI.
    """

    batch: Batch | None = None
    is_expired: bool = False
    age: float | None = None
    location: Mapping[str, Any] = field(default_factory=dict)
    failure_reason: str | None = None
    url: str | None = None

    @property
    def has_ended(self) -> bool:
        """True if the job has ended in the reply of the service, and the service will not start it again."""
        return self.batch is not None and self.batch.is_final and not outputs.may_recover(self.batch)


def view_of(target: Target, reading: Reading, *, details: bool = False) -> JobView:
    """Return the view of a job, with more facts if `details` is true."""
    properties = _properties(target, reading)
    properties = {name: value for name, value in properties.items() if not _is_secret(name, target)}
    return JobView(
        target.name or str(properties.get("submittedName") or ""),
        _text(properties.get("state")),
        _text(properties.get("effectiveQueue")),
        _whole(properties.get("createTime")),
        _duration(properties, reading),
        target.batch_id,
        bool(properties.get("recordExpired")),
        target.is_pending_delete,
        _details(target, reading, properties) if details else {},
    )


def _properties(target: Target, reading: Reading) -> Properties:
    """Return the outputs of a job: from the service, or as the stack has stored them."""
    if reading.batch is not None:
        found = {outputs.FAILURE_REASON: reading.failure_reason, outputs.CONSOLE_URL: reading.url}
        return {
            "submittedTo": reading.location,
            **outputs.refreshed(target.stored, reading.batch, found),
        }
    stored = {**target.stored.properties, **target.verdict}
    if not reading.is_expired:
        return stored
    state = BatchState.parse(_text(stored.get("state")))
    is_known = state is not None and state.is_final
    return {**stored, "state": stored["state"] if is_known else None, "recordExpired": True}


def _is_secret(name: str, target: Target) -> bool:
    """Return whether the program has marked a fact as secret, or an argument that it repeats or is made from."""
    marked = target.stored.properties.get(SECRET_INPUTS)
    sources = outputs.OBSERVED[name].repeats if name in outputs.OBSERVED else _MADE_FROM.get(name, ())
    return any(is_secret(source, marked) for source in (name, *sources))


def _duration(properties: Properties, reading: Reading) -> int | None:
    """Return the time since the submission of a job, or until its end, in milliseconds."""
    is_live = reading.batch is not None and not reading.batch.is_final
    if is_live and reading.age is not None:
        return max(round(reading.age * 1000), 0)
    return _whole(properties.get("duration"))


def unread_view(target: Target) -> JobView:
    """Return the view of a job that could not be read."""
    return JobView(
        target.name,
        NOT_READABLE,
        None,
        target.stored.create_time,
        None,
        target.batch_id,
        is_pending_delete=target.is_pending_delete,
    )


def _details(target: Target, reading: Reading, properties: Properties) -> dict[str, Any]:
    sent = {name: value for name, value in _request(reading.batch).items() if not _is_secret(name, target)}
    known = {**sent, **properties}
    location = properties.get("submittedTo") or {}
    facts = {_LABELS.get(name, name): known.get(name) for name in _DETAILS} | {
        "region": location.get("region"),
        "project": location.get("projectId"),
        "updated": utc_text(_whole(properties.get("updateTime"))),
    }
    shown = {name: value for name, value in facts.items() if value != "" and isinstance(value, str | int | float)}
    return {name: masked(value, target.secrets) if isinstance(value, str) else value for name, value in shown.items()}


def _request(batch: Batch | None) -> dict[str, Any]:
    """Return the arguments of a job as the service has them."""
    if batch is None:
        return {}
    sent = batch.request() or {}
    return {"image": batch.image, "sparkVersion": batch.spark_version} | {
        name: value for name, value in sent.items() if name in _ARGUMENTS
    }


def table(views: Iterable[JobView]) -> list[str]:
    """Return the lines of the table, the first with the names of the columns."""
    rows = [[name.upper() for name in COLUMNS], *(view.row() for view in views)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def newest_first(views: Iterable[JobView]) -> list[JobView]:
    """Return the jobs in the order of their submission, the newest first."""
    return sorted(views, key=lambda view: (-(view.created or 0), view.id))


def utc_text(milliseconds: int | None) -> str:
    """Return a time as `2026-11-24T10:11:12Z`, or an empty string if it is unknown or no calendar has it."""
    if milliseconds is None:
        return ""
    try:
        time = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=milliseconds)
    except OverflowError:
        return ""
    return f"{time:%Y-%m-%dT%H:%M:%SZ}"


def _cell(value: Any) -> str:
    """Return a value as one line that a terminal only shows."""
    text = str(value).lower() if isinstance(value, bool) else str(value if value is not None else "")
    return " ".join(shown_text(text).split())


def _text(value: Any) -> str | None:
    return str(value) if value not in (None, "") else None


def _whole(value: Any) -> int | None:
    return int(value) if isinstance(value, int | float) and abs(value) < 2**63 else None
