"""Fault injection for tests of clients: rules that make chosen calls fail.

`PUT /local/faults` replaces all rules by a list of rules. An empty list clears all faults. A rule is an object:

    method      "POST"; without it any method
    route       the route as `GET /local/calls` names it: "/batches/{id}"; without it any route
    path        a pattern for the path, `*` for any text: "*/batches"; without it any path
    nth         the first matching call that the rule applies to, from 1 (default 1)
    count       the number of calls from there on (default 1; null: all)
    when        "before" (default) or "after" the service does the work
    action      "reply": status, body (text or JSON), headers, content_type
                "cut": the service closes the connection without an answer
                "half": the service closes the connection within the body of the answer (always after the work)
                "garbage": 200 with something that is not JSON
                "delay": the call goes on after `seconds`
                "listing_lag": lists hide newly accepted jobs for `seconds`, or for `calls` list calls

Each rule counts its own matches. If several rules match a call, their delays add up, and the first of the other actions
applies.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator, Sequence
from fnmatch import fnmatchcase
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from pulumi_dli.local.errors import bad_parameter

Method = Literal["GET", "POST", "DELETE"]
RouteName = Literal[
    "/batches",
    "/batches/{id}",
    "/batches/{id}/state",
    "/batches/{id}/log",
    "/queues",
    "/queues/{name}",
    "/v3/auth/tokens",
    "/v3/auth/domains",
    "/v3/projects",
    "/v3.0/OS-CREDENTIAL/securitytokens",
]


class _Rule(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class CallRule(_Rule):
    """Which calls a rule applies to, and whether it applies before or after their work."""

    method: Method | None = None
    route: RouteName | None = None
    path: str = "*"
    nth: int = Field(default=1, ge=1)
    count: int | None = Field(default=1, ge=1)
    when: Literal["before", "after"] = "before"


class Reply(CallRule):
    """Answer something else."""

    action: Literal["reply"]
    status: int = Field(ge=200, le=599)
    body: Any = ""
    headers: dict[str, str] = {}
    content_type: str = "application/json"


class Cut(CallRule):
    """Close the connection without an answer."""

    action: Literal["cut"]


class Half(CallRule):
    """Close the connection within the body of the answer."""

    action: Literal["half"]
    when: Literal["after"] = "after"


class Garbage(CallRule):
    """Answer 200 with something that is not JSON."""

    action: Literal["garbage"]


class Delay(CallRule):
    """Wait before the call goes on."""

    action: Literal["delay"]
    seconds: float = Field(ge=0)


class ListingLag(_Rule):
    """Hide newly accepted jobs from lists."""

    action: Literal["listing_lag"]
    seconds: float | None = Field(default=None, ge=0)
    calls: int | None = Field(default=None, ge=0)


_RULES = TypeAdapter(list[Annotated[Reply | Cut | Half | Garbage | Delay | ListingLag, Field(discriminator="action")]])


class HiddenJobs:
    """The accepted jobs that lists do not show yet."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._rule: ListingLag | None = None
        self._calls = 0
        self._accepted: dict[str, tuple[float, int]] = {}

    def set(self, rule: ListingLag | None) -> None:
        """Hide jobs by this rule from now on. None shows everything."""
        self._rule = rule
        self._accepted.clear()

    def accepted(self, job_id: str) -> None:
        """Register a job that was just accepted."""
        if self._rule is not None:
            self._accepted[job_id] = (self._now(), self._calls)

    def on_list_call(self) -> frozenset[str]:
        """Count a list call, and return the ids that it must not show."""
        self._calls += 1
        return frozenset(job_id for job_id, (time, calls) in self._accepted.items() if self._lags(time, calls))

    def _lags(self, accepted_at: float, calls_before: int) -> bool:
        rule = self._rule
        if rule is None:
            return False
        by_time = rule.seconds is not None and self._now() < accepted_at + rule.seconds
        return by_time or (rule.calls is not None and self._calls <= calls_before + rule.calls)


class Faults:
    """The current fault rules. `now` returns the seconds of a monotonic clock."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self.hidden_jobs = HiddenJobs(now)
        self._rules: list[tuple[CallRule, Iterator[int]]] = []

    def set(self, document: Any) -> None:
        """Replace all rules by these, in the form of their JSON. Raises ApiError for an invalid rule."""
        rules = _read(document)
        self._rules = _counted(rules)
        self.hidden_jobs.set(next((rule for rule in rules if isinstance(rule, ListingLag)), None))

    def add(self, rule: dict[str, Any]) -> None:
        """Add a rule. The other rules keep their counts. Raises ApiError for an invalid rule."""
        (added,) = _read([rule])
        if isinstance(added, ListingLag):
            self.hidden_jobs.set(added)
        else:
            self._rules = self._rules + _counted([added])

    def match(self, method: str, path: str, route: str) -> list[CallRule]:
        """Count a call in each matching rule, and return the rules that apply to it, in their order."""
        matching = [
            (rule, next(numbers))
            for rule, numbers in self._rules
            if rule.method in (None, method) and rule.route in (None, route) and fnmatchcase(path, rule.path)
        ]
        return [
            rule
            for rule, number in matching
            if number >= rule.nth and (rule.count is None or number < rule.nth + rule.count)
        ]


def _read(document: Any) -> Sequence[CallRule | ListingLag]:
    try:
        return _RULES.validate_python(document)
    except ValidationError as error:
        problem = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in problem["loc"])
        raise bad_parameter(f"Fault rule {where or 'list'}: {problem['msg']}.") from error


def _counted(rules: Sequence[CallRule | ListingLag]) -> list[tuple[CallRule, Iterator[int]]]:
    return [(rule, itertools.count(1)) for rule in rules if isinstance(rule, CallRule)]
