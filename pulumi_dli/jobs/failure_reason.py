"""Why a dead job failed, ready for the screen: without secrets, escape sequences and endless lines."""

from __future__ import annotations

from collections.abc import Sequence

from pulumi_dli.jobs.redaction import masked_lines
from pulumi_dli.jobs.screen import shown_line, shown_lines
from pulumi_dli.spark_logs.failure_reason import FailureReason, find_failure_reason


def failure_reason(log: Sequence[str], secrets: Sequence[str] | None = None) -> FailureReason:
    """Find why a dead job failed, and write it for the screen.

    Args:
        log: The last lines of its driver log, `LINES_NEEDED` of them if there are as many.
        secrets: The texts to mask.
    """
    found = find_failure_reason(masked_lines(log, secrets) or ())
    text = shown_line(found.text, secrets) if found.text else None
    return FailureReason(text or None, tuple(shown_lines(found.lines, secrets)))
