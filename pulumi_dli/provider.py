"""The dynamic providers: what Pulumi's Python host calls, handed on to the operations.

The two classes, their names and this module are in every user's state: they stay for ever, without attributes and
without constructor arguments. Everything heavy is imported when the first call comes, so that a program which only
declares jobs does not pay for it.
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
    from pulumi_dli.operations.notifier import Notifier

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


class _Failure(Exception):  # noqa: N818  its name is what the user reads
    """What the user has to know; Python's host prints `name: message`, so the name is kept short."""


_Failure.__module__ = "builtins"
_Failure.__qualname__ = _Failure.__name__ = "dli"


def _without_traceback(method: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """Show an expected failure as its message alone, and a bug, ours or anybody's, with its whole traceback.

    The host prints tracebacks with `sys.tracebacklimit`, which belongs to the process; so it is given back at once.
    Of two failures in the same instant one may so be shown as the other should be.
    """

    @functools.wraps(method)
    def call(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
        _show_tracebacks()
        call_urn = _call_urn.set(_urn_of_caller())
        try:
            return method(*args, **kwargs)
        except DliError as error:
            sys.tracebacklimit = 0
            raise _Failure(str(error)) from None  # the host would print the cause, too
        except BaseException:
            _show_tracebacks()
            raise
        finally:
            _call_urn.reset(call_urn)

    return call


def _show_tracebacks() -> None:
    vars(sys).pop("tracebacklimit", None)  # in one step: the host calls with four threads


_call_urn: ContextVar[str] = ContextVar("call_urn", default="")
"""The URN of the resource that the engine asks for in this thread. Only `_without_traceback` sets it."""


def _urn_of_caller() -> str:
    """Give the URN of the engine's request, or an empty string if it cannot be found."""
    # The host hands a provider no URN, but it keeps the request as `request` in one of the frames that called us.
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
"""How many frames are searched. The host's method is the first; its wrappers and a subclass of ours may follow."""


def _notifier() -> Notifier:
    """Give the engine's log. The host gets the engine's address as its first argument."""
    from pulumi_dli.engine_log import EngineLog, StderrLog, ancestor_command_lines, may_show_debug  # noqa: PLC0415

    address = sys.argv[1] if len(sys.argv) > 1 else ""
    if not re.fullmatch(r"[\w.\[\]:-]+:\d+", address):
        return StderrLog()
    return EngineLog(address, _call_urn.get, shows_debug=may_show_debug(ancestor_command_lines(), os.environ))


class _Process:
    """What this process of the host has: one context for both providers, made when it is needed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._request: ConfigureRequest | None = None
        self._context: ProviderContext | None = None

    def configure(self, request: ConfigureRequest) -> None:
        """Keep the stack's configuration; nothing is judged yet."""
        self._request = request

    @property
    def context(self) -> ProviderContext:
        """What the operations of this process share, made at the first call."""
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


_process = _Process()

_PROVIDER_KEY = "__provider"


def _from_pulumi(properties: Mapping[str, Any]) -> dict[str, Any]:
    """Take over properties from Pulumi: its unknown values become ours, its own key stays behind."""
    from pulumi_dli.jobs.validation import UNKNOWN  # noqa: PLC0415

    def convert(value: Any) -> Any:
        if isinstance(value, Unknown):
            return UNKNOWN
        if isinstance(value, Mapping):
            return {key: convert(item) for key, item in value.items()}
        return [convert(item) for item in value] if isinstance(value, list) else value

    return {name: convert(value) for name, value in properties.items() if name != _PROVIDER_KEY}


def _inputs(properties: Mapping[str, Any]) -> JobInputs:
    from pulumi_dli.jobs.inputs import JobInputs  # noqa: PLC0415

    return JobInputs.parse(_from_pulumi(properties))


def _stored(properties: Mapping[str, Any]) -> StoredJob:
    from pulumi_dli.jobs.outputs import StoredJob  # noqa: PLC0415

    return StoredJob.parse(_from_pulumi(properties))


def _wait_inputs(properties: Mapping[str, Any]) -> WaitInputs:
    from pulumi_dli.jobs.wait_inputs import WaitInputs  # noqa: PLC0415

    return WaitInputs.parse(_from_pulumi(properties))


def _to_pulumi(value: Any) -> Any:
    from pulumi_dli.jobs.validation import UNKNOWN  # noqa: PLC0415

    if value is UNKNOWN:
        return PULUMI_UNKNOWN
    if isinstance(value, dict):
        return {key: _to_pulumi(item) for key, item in value.items()}
    return [_to_pulumi(item) for item in value] if isinstance(value, list) else value


def _outputs(outputs: dict[str, Any]) -> dict[str, Any]:
    """Hand outputs to Pulumi, the log as a secret where an input is one: the job may have printed it in any form."""
    is_secret = outputs.get("redact") and outputs.get("log") is not None
    return {**outputs, "log": wrap_rpc_secret(outputs["log"])} if is_secret else outputs


def _check_result(checked: Checked) -> CheckResult:
    # The engine names the resource. Given the property, it would print its value too, even a secret one.
    return CheckResult(_to_pulumi(checked.properties), [CheckFailure("", failure) for failure in checked.failures])


class BatchJobProvider(ResourceProvider):
    """The provider of `BatchJob`. In every user's state: never moved, never renamed."""

    serialize_as_secret_always = False

    def configure(self, req: ConfigureRequest) -> None:
        """Take the stack's configuration."""
        _process.configure(req)

    @_without_traceback
    def check(self, _olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        """Judge and normalise what is declared."""
        return _check_result(_process.jobs.check(_inputs(news), last_adopt_id=_olds.get("adoptId")))

    @_without_traceback
    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> DiffResult:
        """Decide what is to be done."""
        decision = _process.jobs.plan(_id, _stored(_olds), _inputs(_news))
        return DiffResult(
            changes=decision.action != "none",
            replaces=list(decision.properties) if decision.action == "replace" else [],
            delete_before_replace=True,
        )

    @_without_traceback
    def create(self, props: dict[str, Any]) -> CreateResult:
        """Submit the job."""
        batch_id, outputs = _process.jobs.create(_inputs(props))
        return CreateResult(batch_id, _outputs(outputs))

    @_without_traceback
    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """Refresh a job of the stack, or describe one that the program gets."""
        stored = _stored(props)
        outputs = (_process.jobs.read if stored.is_ours else _process.jobs.get)(id_, stored)
        return ReadResult(id_, _outputs(outputs))

    @_without_traceback
    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> UpdateResult:
        """Take over new options."""
        return UpdateResult(_outputs(_process.jobs.update(_stored(_olds), _inputs(_news))))

    @_without_traceback
    def delete(self, _id: str, _props: dict[str, Any]) -> None:
        """Cancel the job if it still runs."""
        _process.jobs.delete(_id, _stored(_props))


class BatchJobWaitProvider(ResourceProvider):
    """The provider of `BatchJobWait`. In every user's state: never moved, never renamed."""

    serialize_as_secret_always = False

    def configure(self, req: ConfigureRequest) -> None:
        """Take the stack's configuration."""
        _process.configure(req)

    @_without_traceback
    def check(self, _olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        """Judge what is declared."""
        return _check_result(_process.waits.check(_wait_inputs(news)))

    @_without_traceback
    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> DiffResult:
        """Tell whether there is something new. A wait is never replaced."""
        return DiffResult(changes=_process.waits.changes(_from_pulumi(_olds), _wait_inputs(_news)))

    @_without_traceback
    def create(self, props: dict[str, Any]) -> CreateResult:
        """Wait."""
        outputs = _process.waits.wait(_wait_inputs(props))
        return CreateResult(f"{outputs['jobId']}-{outputs['until']}", _outputs(outputs))

    @_without_traceback
    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """Give the verdict as it is stored: it does not change."""
        _process.waits.stored(_from_pulumi(props))
        return ReadResult(id_, _outputs(_from_pulumi(props)))

    @_without_traceback
    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> UpdateResult:
        """Wait for the new job, as `create` does."""
        return UpdateResult(_outputs(_process.waits.update(_from_pulumi(_olds), _wait_inputs(_news))))

    @_without_traceback
    def delete(self, _id: str, _props: dict[str, Any]) -> None:
        """Nothing is to be deleted. What the wait has seen still counts for its job, which is deleted next."""
        _process.waits.stored(_from_pulumi(_props))
