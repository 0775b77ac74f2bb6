"""What exists of a provider from its configuration on. Importing this module imports the operations."""

from __future__ import annotations

import os
from collections.abc import Mapping
from concurrent.futures import Executor
from dataclasses import replace
from typing import Any

from pulumi_dli.engine_log import ancestor_command_lines, may_show_debug
from pulumi_dli.jobs.wait_inputs import WaitInputs
from pulumi_dli.operations.notifier import Level
from pulumi_dli.plugin import wire
from pulumi_dli.plugin.completion import Completion
from pulumi_dli.plugin.engine_slots import SlotCounter, available_cpus, slots_of
from pulumi_dli.plugin.interruption import CommandInterruptedError, InterruptibleClock
from pulumi_dli.plugin.job_resource import JobResource
from pulumi_dli.plugin.properties import Properties
from pulumi_dli.plugin.rows import Rows
from pulumi_dli.plugin.session import Session
from pulumi_dli.plugin.wait_gate import WaitGate, interrupted
from pulumi_dli.plugin.wait_resource import WaitResource


class Configured:
    """The resources of one configured provider, and what they share.

    Args:
        settings: Keys such as `dli:region`, values decrypted.
        engine_address: The engine's gRPC address, `host:port`.
        clock: The clock of all calls and waits.
        threads: The threads for waits.
        reference: The reference of the provider resource, `URN::ID`.
    """

    def __init__(
        self,
        settings: Mapping[str, str],
        engine_address: str,
        clock: InterruptibleClock,
        threads: Executor,
        reference: str,
    ) -> None:
        ancestors = [*ancestor_command_lines()]
        shows_debug = may_show_debug(ancestors, os.environ)
        self._slots = SlotCounter(slots_of(ancestors, os.environ, available_cpus()))
        self._threads = threads
        self.session = Session(settings, Rows(engine_address, shows_debug=shows_debug), clock)
        self.jobs = JobResource(self.session)
        self.waits = WaitResource(self.session)
        self.gate = WaitGate(self.session, threads)
        self.completion = Completion(self.session, self.gate, reference)

    def interrupt(self) -> None:
        """End all waits and all constructions."""
        self.gate.interrupt()
        self.completion.interrupt()

    def planned_wait(self, properties: Any) -> Any:
        """Return the outputs that a wait will have, as a plan knows them."""
        return self.waits.planned(wire.read(properties))

    async def wait(self, request: Any, inputs: Properties) -> tuple[WaitInputs, float]:
        """Hold a wait back until its job has ended. Return its declaration, and the seconds waited."""
        declared = self.waits.declared_for_wait(request, inputs)
        waited = self.completion.take_waited(request.urn)
        if waited is None:
            with self._slots.occupied() as warning:
                if warning is not None:
                    self._threads.submit(self.session.rows.notify, Level.WARNING, "dli", warning)
                waited = await self.gate.wait(request.urn, declared)
        return declared, waited

    def outcome(self, declared: WaitInputs, inputs: Properties, waited: float) -> Any:
        """Return the id and the outputs of a wait that has passed the gate."""
        try:
            return self.waits.outcome(replace(declared, waited=waited), inputs)
        except CommandInterruptedError as error:
            raise interrupted(declared) from error
