"""The dynamic providers: Pulumi's Python host calls them, and they call the operations.

Every user's state contains the names of the two classes and of this module. So they must never change, and the classes
have no attributes and no constructor arguments. Large modules are imported at the first call, because a program that
only declares jobs does not need them.
"""

from __future__ import annotations

import functools
import os
import re
import sys
import threading
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from pulumi.dynamic import (
    CheckFailure,
    CheckResult,
    ConfigureRequest,
    CreateResult,
    DiffResult,
    ReadResult,
    ResourceProvider,
    UpdateResult,
)
from pulumi.output import UNKNOWN as PULUMI_UNKNOWN
from pulumi.output import Unknown
from pulumi.runtime.rpc import wrap_rpc_secret

from pulumi_dli.api.errors import DliError

if TYPE_CHECKING:
    from pulumi_dli.jobs.inputs import JobInputs
    from pulumi_dli.jobs.job_rules import Checked
    from pulumi_dli.jobs.outputs import StoredJob
    from pulumi_dli.jobs.wait_inputs import WaitInputs
    from pulumi_dli.operations.batch_job import BatchJobs
    from pulumi_dli.operations.batch_job_wait import BatchJobWaits
    from pulumi_dli.operations.context import ProviderContext
    from pulumi_dli.operations.notifier import Level, Notifier

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


class _UserError(Exception):
    """An error for the user. Python's host prints `class: message`, so the class is shown under a short name."""


_UserError.__module__ = "builtins"
_UserError.__qualname__ = _UserError.__name__ = "dli"


def _without_traceback(method: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """Make the host show an expected error as its message only, and every other error with its traceback.

    The host prints tracebacks by `sys.tracebacklimit`, which is one value for the whole process. The next call resets
    it. If two calls fail at the same moment, the host may show one error in the form of the other.
    """

    @functools.wraps(method)
    def call(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
        _reset_traceback_limit()
        call_urn = _call_urn.set(_urn_of_caller())
        try:
            return method(*args, **kwargs)
        except DliError as error:
            from pulumi_dli.jobs.screen import shown_text  # noqa: PLC0415

            message = shown_text(_spelled(_call_urn.get().rpartition("::")[2], str(error)))
            sys.tracebacklimit = 0
            raise _UserError(message) from None  # without its cause, because the host would print the cause too
        except BaseException:
            _reset_traceback_limit()
            raise
        finally:
            _call_urn.reset(call_urn)

    return call


def _reset_traceback_limit() -> None:
    vars(sys).pop("tracebacklimit", None)  # atomic, because the host calls with four threads


_call_urn: ContextVar[str] = ContextVar("call_urn", default="")
"""The URN of the resource of this thread's request. Only `_without_traceback` sets it."""


def _urn_of_caller() -> str:
    """Return the URN of the engine's request, or an empty string if it cannot be found."""
    # The host does not pass the URN to a provider. It keeps the request as `request` in one of the frames that call us.
    frame = sys._getframe(1).f_back
    for _ in range(_FRAMES_TO_HOST):
        if frame is None:
            break
        urn = getattr(frame.f_locals.get("request"), "urn", None)
        if isinstance(urn, str) and urn:
            return urn
        frame = frame.f_back
    return ""


_FRAMES_TO_HOST = 4
"""How many frames to search: the method of the host, and its wrappers or a subclass of ours in between."""


_configured_jobs: set[str] = set()
"""The logical names of the jobs that are declared in the stack's configuration or in a file, not in Python."""


def _spelled(resource: str, message: str) -> str:
    """Return a message about a job or its wait with the arguments as its declaration spells them."""
    from pulumi_dli.jobs.spelling import in_python  # noqa: PLC0415

    is_configured = {resource, resource.rpartition("-")[0]} & _configured_jobs  # `<job>-<until>` is the wait
    return message if is_configured else in_python(message)


class _SpellingNotifier:
    """Spells the arguments in each message, and passes it on."""

    def __init__(self, notifier: Notifier) -> None:
        self._notifier = notifier

    def notify(self, level: Level, resource: str, message: str) -> None:
        """Show a message about a resource."""
        self._notifier.notify(level, resource, _spelled(resource, message))


def _notifier() -> Notifier:
    """Return the engine's log, or standard error if the host's first argument is not the address of an engine."""
    from pulumi_dli.engine_log import EngineLog, StderrLog, ancestor_command_lines, may_show_debug  # noqa: PLC0415

    address = sys.argv[1] if len(sys.argv) > 1 else ""
    if not re.fullmatch(r"[\w.\[\]:-]+:\d+", address):
        return _SpellingNotifier(StderrLog())
    shows_debug = may_show_debug(ancestor_command_lines(), os.environ)
    return _SpellingNotifier(EngineLog(address, _call_urn.get, shows_debug=shows_debug))


class _HostProcess:
    """The state of this host process: one context for both providers, created at the first call."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._request: ConfigureRequest | None = None
        self._context: ProviderContext | None = None

    def configure(self, request: ConfigureRequest) -> None:
        """Store the stack's configuration. The first call that needs a setting reads it and may fail."""
        self._request = request

    @property
    def context(self) -> ProviderContext:
        """The context that all operations of this process share."""
        from pulumi_dli.account.credentials import configuration_keys  # noqa: PLC0415
        from pulumi_dli.operations.context import ProviderContext  # noqa: PLC0415

        with self._lock:
            if self._context is None:
                config = self._request.config if self._request is not None else None
                values = {key: config.get(key) if config is not None else None for key in configuration_keys()}
                self._context = ProviderContext(
                    {key: value for key, value in values.items() if value is not None}, _notifier()
                )
            return self._context

    @property
    def jobs(self) -> BatchJobs:
        """The operations on jobs."""
        from pulumi_dli.operations.batch_job import BatchJobs  # noqa: PLC0415

        return BatchJobs(self.context)

    @property
    def waits(self) -> BatchJobWaits:
        """The operations on waits."""
        from pulumi_dli.operations.batch_job_wait import BatchJobWaits  # noqa: PLC0415

        return BatchJobWaits(self.context)


_process = _HostProcess()

_PROVIDER_KEY = "__provider"


def _from_pulumi(properties: Mapping[str, Any]) -> dict[str, Any]:
    """Return Pulumi's properties with our own marker for unknown values and without Pulumi's key of the provider."""
    from pulumi_dli.jobs.validation import UNKNOWN  # noqa: PLC0415

    def convert(value: Any) -> Any:
        if isinstance(value, Unknown):
            return UNKNOWN
        if isinstance(value, Mapping):
            return {key: convert(item) for key, item in value.items()}
        return [convert(item) for item in value] if isinstance(value, list) else value

    return {name: convert(value) for name, value in properties.items() if name != _PROVIDER_KEY}


def _job_inputs(properties: Mapping[str, Any]) -> JobInputs:
    from pulumi_dli.jobs.inputs import JobInputs  # noqa: PLC0415

    return JobInputs.parse(_from_pulumi(_with_origin(properties)))


def _with_origin(properties: Mapping[str, Any]) -> Mapping[str, Any]:
    """Record where a job is declared, and return its properties."""
    if properties.get("fromConfiguration") is True:
        _configured_jobs.add(str(properties.get("resourceName")))
    return properties


def _stored_job(properties: Mapping[str, Any]) -> StoredJob:
    from pulumi_dli.jobs.outputs import StoredJob  # noqa: PLC0415

    return StoredJob.parse(_from_pulumi(_with_origin(properties)))


def _wait_inputs(properties: Mapping[str, Any]) -> WaitInputs:
    from pulumi_dli.jobs.wait_inputs import WaitInputs  # noqa: PLC0415

    return WaitInputs.parse(_from_pulumi(properties))


def _to_pulumi(value: Any) -> Any:
    """Return a value with Pulumi's marker for unknown values in place of ours."""
    from pulumi_dli.jobs.validation import UNKNOWN  # noqa: PLC0415

    if value is UNKNOWN:
        return PULUMI_UNKNOWN
    if isinstance(value, dict):
        return {key: _to_pulumi(item) for key, item in value.items()}
    return [_to_pulumi(item) for item in value] if isinstance(value, list) else value


def _mark_secrets(outputs: dict[str, Any]) -> dict[str, Any]:
    """Mark the outputs that repeat secret inputs under other names. The engine marks only those of the same name."""
    from pulumi_dli.jobs.outputs import secret_outputs  # noqa: PLC0415

    names = [name for name in secret_outputs(outputs) if outputs.get(name) is not None]
    return outputs | {name: wrap_rpc_secret(outputs[name]) for name in names}


def _check_result(resource: Any, checked: Checked) -> CheckResult:
    failures = [_spelled(str(resource), failure) for failure in checked.failures]
    # The property of a CheckFailure stays empty: the engine would print its value, even if the value is secret.
    return CheckResult(_to_pulumi(checked.properties), [CheckFailure("", failure) for failure in failures])


class BatchJobProvider(ResourceProvider):
    """The provider of `BatchJob`. Every user's state names this class, so never move or rename it."""

    serialize_as_secret_always = False

    def configure(self, req: ConfigureRequest) -> None:
        """Store the stack's configuration. It never fails."""
        _process.configure(req)

    @_without_traceback
    def check(self, _olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        """Validate and normalise the declared properties, without a call to the service."""
        is_new = not _from_pulumi(_olds)
        checked = _process.jobs.check(_job_inputs(news), last_adopt_id=_olds.get("adoptId"), is_new=is_new)
        return _check_result(news.get("resourceName"), checked)

    @_without_traceback
    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> DiffResult:
        """Decide whether the job stays, is updated in place, or is replaced, which runs it again."""
        decision = _process.jobs.plan(_id, _stored_job(_olds), _job_inputs(_news))
        return DiffResult(
            changes=decision.action != "none",
            replaces=list(decision.properties) if decision.action == "replace" else [],
            delete_before_replace=True,
        )

    @_without_traceback
    def create(self, props: dict[str, Any]) -> CreateResult:
        """Submit the job, and return its id and outputs without waiting for its end."""
        batch_id, outputs = _process.jobs.create(_job_inputs(props))
        return CreateResult(batch_id, _mark_secrets(outputs))

    @_without_traceback
    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """Refresh a job of the stack, or read a job for `BatchJob.get`."""
        stored = _stored_job(props)
        outputs = (_process.jobs.read if stored.is_ours else _process.jobs.get)(id_, stored)
        return ReadResult(id_, _mark_secrets(outputs))

    @_without_traceback
    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> UpdateResult:
        """Store new options of the provider, and cancel duplicates of the run. The run itself does not change."""
        return UpdateResult(_mark_secrets(_process.jobs.update(_id, _stored_job(_olds), _job_inputs(_news))))

    @_without_traceback
    def delete(self, _id: str, _props: dict[str, Any]) -> None:
        """Cancel the job if it still runs, and wait for its end."""
        _process.jobs.delete(_id, _stored_job(_props))


class BatchJobWaitProvider(ResourceProvider):
    """The provider of `BatchJobWait`. Every user's state names this class, so never move or rename it."""

    serialize_as_secret_always = False

    def configure(self, req: ConfigureRequest) -> None:
        """Store the stack's configuration. It never fails."""
        _process.configure(req)

    @_without_traceback
    def check(self, _olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        """Validate the declared properties, without a call to the service."""
        return _check_result(news.get("jobName"), _process.waits.check(_wait_inputs(news)))

    @_without_traceback
    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> DiffResult:
        """Decide whether the wait is updated in place. A wait is never replaced."""
        return DiffResult(changes=_process.waits.changes(_from_pulumi(_olds), _wait_inputs(_news)))

    @_without_traceback
    def create(self, props: dict[str, Any]) -> CreateResult:
        """Wait until the job reaches the goal, and return its outcome. Fail if it dies or the wait times out."""
        outputs = _process.waits.wait(_wait_inputs(props))
        return CreateResult(f"{outputs['jobId']}-{outputs['until']}", _mark_secrets(outputs))

    @_without_traceback
    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """Return the stored outcome, which never changes, without a call to the service."""
        _process.waits.stored(_from_pulumi(props))
        return ReadResult(id_, _mark_secrets(_from_pulumi(props)))

    @_without_traceback
    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> UpdateResult:
        """Wait for the new job or the new goal, as `create` does."""
        return UpdateResult(_mark_secrets(_process.waits.update(_from_pulumi(_olds), _wait_inputs(_news))))

    @_without_traceback
    def delete(self, _id: str, _props: dict[str, Any]) -> None:
        """Record the end that the wait has seen: the delete of its job, which follows, needs it."""
        _process.waits.stored(_from_pulumi(_props))
