"""The digits of whole numbers in a program, which Pulumi's wire rounds from 2^53 on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pulumi

from pulumi_dli.jobs.exact_numbers import EXACT_NUMBERS, exact, exact_texts
from pulumi_dli.program.secret_inputs import has_output


def digits_of(places: Mapping[str, Any]) -> pulumi.Input[dict[str, str] | None] | None:
    """Give the digits of the whole numbers that the wire rounds, by place. None if there are none.

    They are secret if one of the values is.
    """
    if has_output(places):
        return pulumi.Output.from_input(places).apply(lambda known: exact_texts(known) or None)
    return exact_texts(places) or None


def show_exact(resource: pulumi.Resource, declared: Mapping[str, Any]) -> None:
    """Let these outputs of a resource have the declared digits: its state has the rounded numbers, for 0.1.0."""
    for name, value in declared.items():
        digits = digits_of({name: value})
        if digits is not None:
            known = pulumi.Output.all(**{name: resource.__dict__[name], EXACT_NUMBERS: digits})
            resource.__dict__[name] = known.apply(lambda values, name=name: exact(values)[name])  # type: ignore[misc]
