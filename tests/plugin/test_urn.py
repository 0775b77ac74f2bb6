"""URNs and the identity of jobs."""

import pytest

from pulumi_dli.plugin.urn import Urn

URN = "urn:pulumi:dev::jobs::my:index:Pipeline$dli:index:BatchJob::load"


def test_the_parts_of_a_urn() -> None:
    urn = Urn.parse(URN)
    assert (urn.stack, urn.project, urn.name, urn.type) == ("dev", "jobs", "load", "dli:index:BatchJob")
    assert urn.types == "my:index:Pipeline$dli:index:BatchJob"


def test_a_name_may_contain_colons() -> None:
    assert Urn.parse(f"{URN}::now").name == "load::now"


def test_a_text_that_is_no_urn_is_a_defect() -> None:
    with pytest.raises(ValueError, match="unpack"):
        Urn.parse("load")


def test_two_urns_have_two_scopes_and_one_urn_has_one() -> None:
    others = [URN.replace(part, "other") for part in ("dev", "jobs", "my:index:Pipeline", "load")]
    scopes = {Urn.parse(urn).scope for urn in (URN, *others)}
    assert len(scopes) == 5
    assert Urn.parse(URN).scope == "98a6d156", "the names of live runs have it"
