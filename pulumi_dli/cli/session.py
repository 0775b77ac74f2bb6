"""The session of one command: its options, the stack and the account. It reads the last two only if needed."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path

from pulumi_dli.api.models import is_uuid
from pulumi_dli.cli.errors import CliError, NoStackError
from pulumi_dli.cli.options import Options
from pulumi_dli.cli.pulumi_cli import PulumiCli, find_project
from pulumi_dli.cli.stack import Stack, parse_export
from pulumi_dli.cli.targets import Target, resolve
from pulumi_dli.cli.terminal import TerminalNotifier, print_message
from pulumi_dli.operations.context import ProviderContext
from pulumi_dli.operations.run_registry import stored_key


class Session:
    """Reads the stack with `pulumi`, and signs in to the service, each at most once and only when it is needed.

    Args:
        options: The options of the command.
    """

    def __init__(self, options: Options) -> None:
        self.options = options
        self._of_providers: dict[frozenset[tuple[str, str]], ProviderContext] = {}

    @cached_property
    def _pulumi(self) -> PulumiCli | None:
        """The `pulumi` of the project, or None outside a project."""
        directory = _current_directory()
        if find_project(directory) is not None:
            return PulumiCli(directory, self.options.stack)
        if self.options.stack is not None:
            raise CliError(f"there is no Pulumi project in {directory} or above, so there is no stack. Use -C DIR.")
        return None

    @property
    def has_project(self) -> bool:
        """True in the folder of a Pulumi project. Raises CliError if `--stack` is used without a project."""
        return self._pulumi is not None

    @cached_property
    def stack(self) -> Stack:
        """The stack. Raises NoStackError if there is none, and CliError if it cannot be read."""
        if self._pulumi is None:
            raise NoStackError(
                "there is no Pulumi project here, so jobs have no names. Give the id of a job, which "
                "`pulumi-dli jobs` lists, or go to the project's folder with -C DIR."
            )
        return parse_export(self._pulumi.export())

    @cached_property
    def _stack_or_none(self) -> Stack | None:
        """The stack, or None if there is none. In a project, tell the user why."""
        try:
            return self.stack
        except NoStackError as error:
            if self._pulumi is not None:
                print_message(f"the stack is not used, and secrets in a log are not masked: {error}")
            return None

    def target(self, text: str) -> Target:
        """Return the job with this logical name or id. Raises CliError."""
        return resolve(text, self._stack_or_none if is_uuid(text) else self.stack)

    @cached_property
    def context(self) -> ProviderContext:
        """The settings and clients. Raises CliError if the configuration of the stack cannot be read."""
        pulumi = self._pulumi if self._stack_or_none is not None else None
        return self._new_context(pulumi.configuration() if pulumi is not None else {})

    def context_of(self, target: Target) -> ProviderContext:
        """Return the settings and clients for a job: those of its explicit provider, or else those of the stack.

        Raises CliError if the configuration of the stack is needed and cannot be read.
        """
        if target.provider_settings is None:
            return self.context
        key = frozenset(target.provider_settings.items())
        if key not in self._of_providers:
            self._of_providers[key] = self._new_context(target.provider_settings)
        return self._of_providers[key]

    def _new_context(self, configuration: Mapping[str, str]) -> ProviderContext:
        context = ProviderContext(configuration, TerminalNotifier())
        stack = self._stack_or_none
        for batch_id, wait in stack.seen_ends.items() if stack is not None else ():
            context.ends.record(batch_id, wait.get("state"))
        return context

    def record_other_jobs(self, target: Target) -> None:
        """Record which jobs of the stack hold which runs, except the run of this job, as `pulumi up` records them.

        The provider cancels the duplicates of a run. It must not cancel a run that another job of the stack has
        adopted.
        """
        stack, runs = self._stack_or_none, self.context_of(target).runs
        for job in stack.jobs if stack is not None else ():
            if job.batch_id != target.batch_id and not job.is_read_only:
                key = stored_key(job.stored.inputs) or (job.name, "")
                runs.declared(key)
                runs.in_state(job.batch_id, stored_key=key, key=key)


def _current_directory() -> Path:
    """Return the current directory. Raises CliError if it does not exist any more."""
    try:
        return Path.cwd()
    except OSError as error:
        raise CliError(f"the current directory cannot be used: {error.strerror}.") from error
