"""What the engine does with a resource that it does not tell the provider."""

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


def test_a_run_is_kept_by_a_plan_until_the_check_before_its_create() -> None:
    replacements = Replacements()
    replacements.decided(URN, "1")
    assert replacements.keeper("1") is None, "a refresh comes before the check"
    replacements.checked(URN, STORED)
    replacements.decided(URN, "1")
    assert replacements.keeper("1") == URN
    assert replacements.keeper("2") is None
    replacements.decided(URN, None)
    assert replacements.keeper("1") is None
    replacements.decided(URN, "1")
    replacements.checked(URN, Properties())  # replaceOnChanges: the engine replaces in spite of the plan
    assert replacements.keeper("1") is None
