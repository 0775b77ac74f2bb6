"""The one way to the screen for text that a job or the service wrote."""

from __future__ import annotations

import re
from collections.abc import Sequence

from pulumi_dli.jobs.redaction import masked, masked_lines
from pulumi_dli.spark_logs.lines import visible_part

MAX_LINE_LENGTH = 500
"""Characters of a line of a job that are shown. Some jobs write lines of megabytes."""

_ESCAPE_SEQUENCE = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"  # colours and cursor movements
    r"|(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f]).*?(?:\x07|\x1b\\|\x9c|\Z)"  # titles, links and device commands
    r"|\x1b[ -/]*[0-~]?",
    re.DOTALL,
)
_WORKFLOW_COMMAND = re.compile(r"\s*(?:::|##\[)")
"""The beginning of a line that GitHub Actions and Azure Pipelines take for a command of theirs."""


def shown_text(text: str) -> str:
    """Return a text that a terminal only shows: without escape sequences and control characters.

    Line breaks and tabs stay. Pulumi's colour marks, such as `<{%fg 1%}>`, are broken, so that they have no effect.
    """
    plain = _ESCAPE_SEQUENCE.sub("", text)
    kept = "".join(character for character in plain if character.isprintable() or character in "\n\t")
    return kept.replace("<{%", "<{ %")


def shown_lines(lines: Sequence[str], secrets: Sequence[str] | None) -> list[str]:
    """Return the lines of a log as the screen shows them. See `shown_line`."""
    # Mask them first: a secret may have several lines, or characters that are removed afterwards.
    return [shown_line(line, secrets) for line in masked_lines(lines, secrets) or []]


def shown_line(line: str, secrets: Sequence[str] | None) -> str:
    """Return a line of a log as the screen shows it: what follows its last carriage return, masked and cut."""
    text = shown_text(visible_part(line).replace("\n", " "))
    text = masked(text, secrets)
    if _WORKFLOW_COMMAND.match(text):
        text = f"| {text}"
    return text if len(text) <= MAX_LINE_LENGTH else f"{text[:MAX_LINE_LENGTH]}…"
