"""The states of a batch job: one row for each state, with every fact that the code needs."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, Self

Colour = Literal["amber", "blue", "orange", "green", "red"]
"""The colours of a state on the local DLI's page; `page.css` defines them."""


@dataclass(frozen=True)
class StateFacts:
    """The facts about a state. A state that is not final is live: its job may be cancelled and adopted."""

    colour: Colour
    """The colour of the state on the local DLI's page."""
    past: str = ""
    """The word before the time in this state, as in `ran 3.0 s`. Empty if the name of the state is that word."""
    reaches: tuple[str, ...] = ()
    """The goals of a wait that this state reaches: values of `jobs.wait_goals.Until`."""
    is_final: bool = False
    """The job has ended."""
    is_failure: bool = False
    """The job has failed, so `rerunOnFailure` applies. With `auto_recovery` the service may still recover it."""
    is_new_attempt: bool = False
    """The service starts the job again, with a new log."""
    needs_capacity: bool = False
    """The job may be waiting for free capacity of its queue. The service gives up after about three hours."""


class BatchState(StrEnum):
    """A state of a batch job (table 7 of the page)."""

    facts: StateFacts

    STARTING = "starting", StateFacts("amber", needs_capacity=True)
    """The service accepted the job and starts it. The job stays here while its queue has no free capacity."""
    RUNNING = "running", StateFacts("blue", past="ran", reaches=("running",))
    """The job runs."""
    RECOVERING = "recovering", StateFacts("orange", reaches=("running",), is_new_attempt=True)
    """The job failed, and the service starts it again (`auto_recovery`)."""
    SUCCESS = "success", StateFacts("green", reaches=("running", "success", "finished"), is_final=True)
    """The job succeeded. Final."""
    DEAD = "dead", StateFacts("red", reaches=("finished",), is_final=True, is_failure=True)
    """The job failed, was cancelled, or got no capacity for about three hours. Final."""

    def __new__(cls, value: str, facts: StateFacts | None = None) -> Self:
        """Create the member for one row. Raises TypeError for a state without facts."""
        if facts is None:
            raise TypeError(f"the state {value} needs its facts")
        member = str.__new__(cls, value)
        member._value_, member.facts = value, facts
        return member

    @property
    def is_final(self) -> bool:
        """True if the job has ended."""
        return self.facts.is_final

    @property
    def is_failure(self) -> bool:
        """True if the job has failed."""
        return self.facts.is_failure

    @classmethod
    def parse(cls, text: str | None) -> BatchState | None:
        """Return the state with this name, in upper or lower case, or None for an unknown name.

        The page of the state call shows `Success` with a capital letter. `error`, `killed` and `failed` are states of
        Livy, whose API DLI's API resembles. They count as dead.
        """
        word = (text or "").strip().lower()
        if word in ("error", "killed", "failed"):
            return cls.DEAD
        return cls._value2member_map_.get(word)  # type: ignore[return-value]


LIVE_STATES = tuple(state for state in BatchState if not state.is_final)
"""The states of a job that has not ended, in the order in which a job passes them."""
