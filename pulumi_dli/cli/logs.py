"""The command `logs`: prints the driver log of a job, and follows it until the job has ended."""

from __future__ import annotations

from collections.abc import Callable

from pulumi_dli.api.errors import DliError, may_pass_by_itself
from pulumi_dli.api.models import Batch
from pulumi_dli.api.retry import Outage
from pulumi_dli.cli.errors import CliError
from pulumi_dli.cli.followed_log import FollowedLog, LogPart
from pulumi_dli.cli.job_view import Reading
from pulumi_dli.cli.reader import JobReader
from pulumi_dli.cli.session import Session
from pulumi_dli.cli.targets import Target
from pulumi_dli.cli.terminal import print_json, print_lines, print_message
from pulumi_dli.jobs.messages import lasted
from pulumi_dli.jobs.screen import shown_lines
from pulumi_dli.operations.pollers import MAX_OUTAGE

_LONGEST_PAUSE = 3.0


def print_log(session: Session, text: str, *, follow: bool, from_start: bool) -> None:
    """Print the log of the job with this logical name or id. Raises CliError and DliError.

    Args:
        session: The session.
        text: The name or the id.
        follow: Whether to print new lines until the job has ended.
        from_start: Whether to begin with the first line, and not with the last 100 lines.
    """
    target = session.target(text)
    reader = JobReader(session.context_of(target))
    reading = reader.existing(target)
    printer = _Printer(target, as_json=session.options.json)
    if reading.batch is None:
        printer.print_stored()
        return
    log = FollowedLog(
        reader.client_of(target), target.batch_id, from_start=from_start, recovers=_recovers(target, reading.batch)
    )
    printer.print_new(log, reading.batch)
    if log.refusal is not None:
        print_message(f"these are the last lines in the job's record, because its log cannot be read: {log.refusal}")
    if follow and not reading.has_ended:
        reading = _Follower(session, reader, target).follow(lambda batch: printer.print_new(log, batch))
    if follow:
        print_message(_end_message(target, reading.batch))


def _recovers(target: Target, batch: Batch) -> bool:
    """Return whether the service starts the job again if it fails, so that it may have several logs."""
    is_declared = (batch.request() or {}).get("autoRecovery") or target.stored.inputs.auto_recovery is True
    state = batch.batch_state
    return bool(is_declared) or (state is not None and state.facts.is_new_attempt)


class _Printer:
    """Prints lines of a job's log, masked and safe for a terminal."""

    def __init__(self, target: Target, *, as_json: bool) -> None:
        self._target = target
        self._as_json = as_json
        self._attempt: int | None = None

    def print_new(self, log: FollowedLog, batch: Batch) -> None:
        """Print the new lines of a log. Raises DliError."""
        for part in log.new_lines(batch):
            if self._attempt is None and log.hidden:
                print_message(f"{log.hidden} earlier lines are not shown. --all shows them.")
            if part.left_out:
                print_message(f"{part.left_out} lines are not shown, because the service has not returned them.")
            self._print(part)

    def print_stored(self) -> None:
        """Print the lines that the stack has stored of a job whose record is deleted. Raises CliError without any."""
        gone = f"the service has deleted the record of {self._target.words}, and its log"
        properties = {**self._target.stored.properties, **self._target.verdict}
        lines = [line for line in properties.get("log") or () if isinstance(line, str)]
        if not lines:
            raise CliError(f"{gone}. Search the DLI job bucket of the project for it.")
        self._print(LogPart(0, lines))
        print_message(f"{gone}. These are the lines in the stack's state.")

    def _print(self, part: LogPart) -> None:
        lines = shown_lines(part.lines, self._target.secrets)
        is_next = part.attempt != (self._attempt or 0)
        self._attempt = part.attempt
        if self._as_json:
            for line in lines:
                print_json({"attempt": part.attempt + 1, "line": line}, indent=None)
            return
        print_lines([f"… Log of attempt {part.attempt + 1}:", *lines] if is_next else lines)


class _Follower:
    """Reads a job every few seconds until it has ended. A failed call does not end it at once."""

    def __init__(self, session: Session, reader: JobReader, target: Target) -> None:
        context = session.context_of(target)
        self._clock = context.clock
        self._pause = min(context.settings.poll_interval, _LONGEST_PAUSE)
        self._reader = reader
        self._target = target
        self._outage = Outage()

    def follow(self, print_new: Callable[[Batch], None]) -> Reading:
        """Read the job and its log until it has ended, and return it. Raises DliError if that fails for ten minutes."""
        deaths = 0
        while True:
            self._clock.sleep(self._pause)
            try:
                reading = self._reader.read(self._target)
                if reading.batch is None:
                    return reading
                print_new(reading.batch)
            except DliError as error:
                self._fail(error)
                continue
            self._outage.end()
            # With auto_recovery the service may start a dead job again, so read it twice.
            deaths = deaths + 1 if reading.batch.is_failure else 0
            if reading.has_ended or deaths > 1:
                return reading

    def _fail(self, error: DliError) -> None:
        is_first = self._outage.is_over
        if not may_pass_by_itself(error) or self._outage.fail(self._clock.now()) >= MAX_OUTAGE:
            raise error
        if is_first:
            print_message(f"the job cannot be read, and the command tries again: {error}")


def _end_message(target: Target, batch: Batch | None) -> str:
    if batch is None:
        return f"{target.words}: the service has deleted its record."
    return f"{target.words} is {batch.state}{lasted(batch)}."
