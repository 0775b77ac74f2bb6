from urllib.parse import parse_qs, urlsplit

import pytest

from pulumi_dli.local.sign_in_links import Session, SignInLinks
from tests.local.api import Clock


def code_of(link: str) -> str:
    [code] = parse_qs(urlsplit(link).query)["code"]
    return code


def is_open(links: SignInLinks, session: Session) -> bool:
    return links.session(f"{session.path}/jobs", [session.cookie]) is session


@pytest.fixture
def links() -> SignInLinks:
    return SignInLinks("http://127.0.0.1:8080")


def test_a_link_opens_one_session(links: SignInLinks) -> None:
    link = links.new_link()
    assert link.startswith("http://127.0.0.1:8080/sign-in?code=")
    session = links.sign_in(code_of(link))
    assert session is not None
    assert is_open(links, session)
    assert links.sign_in(code_of(link)) is None


@pytest.mark.parametrize(
    ("path", "is_its_own"),
    [
        ("{path}", True),
        ("{path}/", True),
        ("{path}/jobs/x/spark/", True),
        ("{path}x", False),
        ("{path}x/", False),
        ("/{path}/", False),
        ("/page", False),
        ("/", False),
        ("", False),
        ("/page/gr\xfcn/\ud800", False),
    ],
)
def test_a_session_is_found_below_its_path_alone(links: SignInLinks, path: str, is_its_own: bool) -> None:
    session = links.sign_in(code_of(links.new_link()))
    assert session is not None
    assert (links.session(path.format(path=session.path), [session.cookie]) is session) is is_its_own


def test_each_session_has_a_path_of_its_own_that_tells_nothing_of_its_cookie(links: SignInLinks) -> None:
    first, second = (links.sign_in(code_of(links.new_link())) for _ in range(2))
    assert first is not None and second is not None
    assert links.session(first.path, [second.cookie]) is None
    assert links.session(second.path, [second.cookie, first.cookie]) is second
    assert links.session(first.path, [second.cookie, first.cookie]) is first
    assert first.path.removeprefix("/page/") not in first.cookie + first.form_token


@pytest.mark.parametrize("wrong", ["", "wrong", "gr\xfcn", "\ud800", "x" * 100_000])
def test_what_was_never_given_opens_nothing(links: SignInLinks, wrong: str) -> None:
    session = links.sign_in(code_of(links.new_link()))
    assert session is not None
    assert links.sign_in(wrong) is None
    assert links.session(session.path, [wrong]) is None
    assert links.session(session.path, [session.form_token]) is None
    assert links.session(session.path, []) is None


def test_a_link_is_good_for_ten_minutes() -> None:
    clock = Clock()
    links = SignInLinks("http://127.0.0.1:8080", now=clock)
    old, new = links.new_link(), links.new_link()
    clock.seconds += 600
    assert links.sign_in(code_of(old)) is not None
    clock.seconds += 1
    assert links.sign_in(code_of(new)) is None


def test_a_session_that_has_ended_is_not_found(links: SignInLinks) -> None:
    sessions = [links.sign_in(code_of(links.new_link())) for _ in range(2)]
    assert sessions[0] is not None and sessions[1] is not None
    links.sign_out(sessions[0])
    assert not is_open(links, sessions[0])
    assert is_open(links, sessions[1])


def test_the_hundred_newest_links_and_sessions_stay(links: SignInLinks) -> None:
    codes = [code_of(links.new_link()) for _ in range(101)]
    assert links.sign_in(codes[0]) is None
    sessions = [links.sign_in(code) for code in codes[1:]]
    assert None not in sessions
    another = links.sign_in(code_of(links.new_link()))
    kept = [session is not None and is_open(links, session) for session in [*sessions, another]]
    assert kept == [False, *[True] * 100]


def test_what_opens_a_session_is_not_shown_by_accident(links: SignInLinks) -> None:
    session = links.sign_in(code_of(links.new_link()))
    assert session is not None
    assert session.cookie not in repr(session)
    assert session.form_token not in repr(session)
    assert session.path not in repr(session)
