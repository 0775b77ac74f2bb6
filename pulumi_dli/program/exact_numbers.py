"""Keeps the digits of whole numbers in a program. Pulumi rounds them from 2^53 on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pulumi

from pulumi_dli.jobs.exact_numbers import EXACT_NUMBERS, exact, exact_texts
from pulumi_dli.program.secret_inputs import has_output


def digits_of(places: Mapping[str, Any]) -> pulumi.Input[dict[str, str] | None] | None:
    """Return the digits of the whole numbers that Pulumi rounds, by path, or None if there are none.

    They are secret if one of the values is secret.
    """
    if has_output(places):
        return pulumi.Output.from_input(places).apply(lambda known: exact_texts(known) or None)
    return exact_texts(places) or None


def show_exact(resource: pulumi.Resource, declared: Mapping[str, Any]) -> None:
    """Set the declared digits in these outputs of a resource. The state keeps the rounded numbers, for 0.1.0."""
    for name, value in declared.items():
        digits = digits_of({name: value})
        if digits is not None:
            known = pulumi.Output.all(**{name: resource.__dict__[name], EXACT_NUMBERS: digits})
            resource.__dict__[name] = known.apply(lambda values, name=name: exact(values)[name])  # type: ignore[misc]
