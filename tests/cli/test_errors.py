import pytest

from pulumi_dli.account import credential_sources
from pulumi_dli.api.errors import NoCredentialsError
from pulumi_dli.cli.errors import one_line


def test_missing_credentials_are_one_line_that_says_what_to_do() -> None:
    line = one_line(NoCredentialsError("no credentials. Searched, in this order:\n  in the stack's configuration"))
    assert line.startswith("no credentials. Set them as for `pulumi up`: in the stack's configuration")
    assert "\n" not in line


def test_missing_credentials_of_an_explicit_provider_name_the_provider() -> None:
    line = one_line(NoCredentialsError("no credentials", provider="second"))
    assert "in the arguments of the provider second (`pulumi up` stores them in the stack), in the environment" in line
    assert "configuration" not in line


def test_missing_credentials_name_every_source_in_its_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HUAWEICLOUD_SDK_CREDENTIALS_FILE")
    line = one_line(NoCredentialsError("no credentials"))
    places = [line.find(source({}).label.split()[-1]) for source in credential_sources.SOURCES]
    assert -1 not in places
    assert places == sorted(places)


def test_a_message_is_one_line_that_a_terminal_only_shows() -> None:
    assert one_line("it is\n  \x1b[31mred\x1b[0m\a\x9b2J") == "it is red"
