"""Whether the engine replaces a resource without a plan."""

from pulumi_dli.plugin.properties import Properties
from pulumi_dli.plugin.replacements import Replacements

URN, STORED = "urn", Properties({"file": "a.py"})


def test_a_check_with_stored_inputs_and_no_plan_is_a_replacement_without_a_plan() -> None:
    replacements = Replacements()
    replacements.checked(URN, STORED)
    replacements.checked(URN, Properties())
    assert replacements.stored_inputs(URN) == STORED
    assert replacements.stored_inputs("other") is None


def test_a_diff_or_a_delete_is_a_plan() -> None:
    replacements = Replacements()
    replacements.checked(URN, STORED)
    replacements.planned(URN)
    replacements.checked(URN, Properties())
    assert replacements.stored_inputs(URN) is None


def test_a_new_resource_is_no_replacement() -> None:
    replacements = Replacements()
    replacements.checked(URN, Properties())
    assert replacements.stored_inputs(URN) is None
