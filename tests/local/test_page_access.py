"""Who sees the page: a browser that is signed in, and no server at another port that the browser visits."""

import re
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.client import HTTPConnection, HTTPMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import urlencode

import pytest
import requests

from pulumi_dli.local.server import LocalDli
from tests.local.api import ENDLESS, TIMEOUT, Api
from tests.local.test_page import UNKNOWN, Browser

PATHS_THAT_ALL_KNOW = ("/", "/sign-in", "/sign-in?code=x", "/sign-out", "/static/page.css", "/page", "/page/", "/jobs/")


class OtherServer(ThreadingHTTPServer):
    """A server of somebody else at another port. It keeps the headers of each request."""

    def __init__(self, answer: bytes = b"", cookie: str | None = None) -> None:
        super().__init__(("127.0.0.1", 0), OtherPage)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.answer = answer
        self.cookie = cookie
        self.seen: list[dict[str, str]] = []


class OtherPage(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        assert isinstance(self.server, OtherServer)
        self.server.seen.append({name.lower(): value for name, value in self.headers.items()} | {"path": self.path})
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(self.server.answer)))
        if self.server.cookie:
            self.send_header("Set-Cookie", self.server.cookie)
        self.end_headers()
        self.wfile.write(self.server.answer)

    def log_message(self, *_: object) -> None:
        """Be quiet."""


@contextmanager
def other_server(answer: bytes = b"", cookie: str | None = None) -> Iterator[OtherServer]:
    with OtherServer(answer, cookie) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def stolen(server: OtherServer) -> list[str]:
    return [headers["cookie"] for headers in server.seen if "cookie" in headers]


def test_a_server_at_another_port_reads_and_cancels_nothing(dli: LocalDli, api: Api) -> None:
    job_id = api.submit(ENDLESS, name="unseen")
    api.wait(job_id, "running")
    browser = requests.Session()  # its cookies have paths and no ports, as those of browsers
    assert browser.get(dli.sign_in_link(), timeout=TIMEOUT).status_code == 200
    assert browser.cookies
    paths = [*PATHS_THAT_ALL_KNOW, f"/jobs/{job_id}", f"/jobs/{job_id}/cancel", f"/jobs/{job_id}/spark/"]
    with other_server() as other:
        for path in paths:
            browser.get(other.url + path, timeout=TIMEOUT)
        assert len(other.seen) == len(paths)
        for cookie in [*stolen(other), ""]:
            thief = {"Cookie": cookie}
            for path in ("/", f"/jobs/{job_id}", f"/jobs/{job_id}/logs/1"):
                page = requests.get(dli.endpoint + path, headers=thief, timeout=TIMEOUT)
                assert (page.status_code, "unseen" in page.text) == (401, False)
                tokens = re.findall(r'name="token" value="([^"]+)"', page.text)
                form = {"token": tokens[0] if tokens else ""}
                cancel = f"{dli.endpoint}/jobs/{job_id}/cancel"
                assert requests.post(cancel, form, headers=thief, timeout=TIMEOUT).status_code == 401
        assert stolen(other) == []
    assert api.state(job_id) == "running"


def send(dli: LocalDli, method: str, path: str, cookie: str, form: str) -> tuple[int, HTTPMessage, str]:
    """Send a request with exactly this path, and return the reply. Older versions of requests change `//` to `/`."""
    connection = HTTPConnection(dli.endpoint.removeprefix("http://"), timeout=TIMEOUT)
    with closing(connection):
        headers = {"Cookie": cookie, "Content-Type": "application/x-www-form-urlencoded"}
        connection.request(method, path or "/", form, headers)
        reply = connection.getresponse()
        return reply.status, reply.headers, reply.read().decode()


WAYS_IN = [("GET", ""), ("GET", "/"), ("GET", UNKNOWN), ("GET", "/nothing"), ("POST", "/sign-out"), ("HEAD", "/")]


@pytest.mark.parametrize(("method", "path"), WAYS_IN)
def test_the_cookie_opens_nothing_without_the_path_nor_the_path_without_the_cookie(
    dli: LocalDli, method: str, path: str
) -> None:
    own, other = Browser(dli), Browser(dli)
    for each in (own, other):
        each.open(dli.sign_in_link())
    [(name, value)] = own.http.cookies.items()
    [(_, of_other)] = other.http.cookies.items()
    token = own.token()
    for home, cookie in [
        ("", value),
        ("/page", value),
        ("/page/wrong", value),
        (own.home[:-1], value),
        (f"{own.home}x", value),
        (f"/{own.home}", value),
        (own.home.swapcase(), value),
        (other.home, value),
        (own.home, of_other),
        (own.home, "wrong"),
        (own.home, ""),
    ]:
        status, headers, text = send(dli, method, home + path, f"{name}={cookie}", urlencode({"token": token}))
        assert (status, "Set-Cookie" in headers) == (401, False), home + path
        assert not re.search(r"/page/[\w-]{22}", text + str(headers))
    own.page("/")


@pytest.mark.parametrize("where", ["/", "/page"])
def test_a_cookie_that_another_server_sets_signs_nobody_in_or_out(dli: LocalDli, where: str) -> None:
    browser = Browser(dli)
    browser.open(dli.sign_in_link())
    [name] = browser.http.cookies.keys()
    with other_server(cookie=f"{name}=set by another; Path={where}") as other:
        browser.http.get(other.url, timeout=TIMEOUT)
        assert len(browser.http.cookies) == 2
    browser.page("/")
    stranger = Browser(dli)
    stranger.http.cookies.set(name, "set by another")
    assert stranger.ask("GET", "/").status_code == 401


def test_both_orders_of_two_cookies_are_the_same(dli: LocalDli) -> None:
    browser = Browser(dli)
    browser.open(dli.sign_in_link())
    [(name, value)] = browser.http.cookies.items()
    own = f"{name}={value}"
    for header in (own, f"{name}=x; {own}", f"{own};{name}=x", f"a=b; {own}; {name}"):
        assert requests.get(browser.url("/"), headers={"Cookie": header}, timeout=TIMEOUT).status_code == 200
    assert requests.get(browser.url("/"), headers={"Cookie": f"x{own}"}, timeout=TIMEOUT).status_code == 401
