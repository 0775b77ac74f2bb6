"""The states of a batch job: one row a state, with all that the code asks about it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, Self

Colour = Literal["amber", "blue", "orange", "green", "red"]
"""The colours of the local DLI's page; `page.css` says what each one looks like."""


@dataclass(frozen=True)
class StateFacts:
    """What the code has to know about a state. A state that is not final is live: it may be cancelled and adopted."""

    colour: Colour
    """How the page draws it."""
    past: str = ""
    """The word before the time that a job has spent in it, as in `ran 3.0 s`, where the state itself is not that."""
    reaches: tuple[str, ...] = ()
    """The goals that a wait has reached in it: values of `jobs.wait_goals.Until`."""
    is_final: bool = False
    """The job has ended."""
    is_failure: bool = False
    """The job ended badly: it runs again (`rerunOnFailure`). With `auto_recovery` it may still come back."""
    is_new_attempt: bool = False
    """The service starts the job again: its next log is another one."""
    needs_capacity: bool = False
    """The job waits for free capacity of its queue; the service gives up after about three hours."""


class BatchState(StrEnum):
    """A state of a batch job (table 7 of the page)."""

    facts: StateFacts

    STARTING = "starting", StateFacts("amber", needs_capacity=True)
    """Accepted, and being started; also while the queue has no free capacity."""
    RUNNING = "running", StateFacts("blue", past="ran", reaches=("running",))
    """At work."""
    RECOVERING = "recovering", StateFacts("orange", reaches=("running",), is_new_attempt=True)
    """Failed once, and being started again (`auto_recovery`)."""
    SUCCESS = "success", StateFacts("green", reaches=("running", "success", "finished"), is_final=True)
    """Ended well. Final."""
    DEAD = "dead", StateFacts("red", reaches=("finished",), is_final=True, is_failure=True)
    """Exited: failed, cancelled, or given up for want of resources after about three hours. Final."""

    def __new__(cls, value: str, facts: StateFacts | None = None) -> Self:
        """Make the member of a row."""
        if facts is None:
            raise TypeError(f"the state {value} needs its facts")
        member = str.__new__(cls, value)
        member._value_, member.facts = value, facts
        return member

    @property
    def is_final(self) -> bool:
        """True where the job has ended."""
        return self.facts.is_final

    @property
    def is_failure(self) -> bool:
        """True where the job has ended badly."""
        return self.facts.is_failure

    @classmethod
    def parse(cls, text: str | None) -> BatchState | None:
        """Read a state as the service writes it; None for one that nobody knows.

        The page of the state call shows `Success` with a capital letter. `error`, `killed` and `failed` come from
        Livy, of which this API is a relative; they are taken as dead.
        """
        word = (text or "").strip().lower()
        if word in ("error", "killed", "failed"):
            return cls.DEAD
        return cls._value2member_map_.get(word)  # type: ignore[return-value]


LIVE_STATES = tuple(state for state in BatchState if not state.is_final)
"""The states of a job that has not ended, in the order of a job's life."""
