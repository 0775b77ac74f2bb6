"""Hostile calls to a local DLI, each made of its seed alone and sent as bytes on a socket of its own.

    python -m tests.local.fuzz --seed 1 --calls 10000

The engine is Spark's, which looks for every file that a job names; no job runs, since each is larger than its queue.
"""

import argparse
import json
import logging
import random
import re
import socket
import sys
import tempfile
import time
from collections import Counter
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import requests
from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkcore.sdk_request import SdkRequest
from huaweicloudsdkcore.signer.signer import Signer

from pulumi_dli.local.server import LocalDli
from pulumi_dli.local.table import JobTable, Selection
from tests.local.api import Api, Clock
from tests.local.fuzz_jobs import problems_of_jobs
from tests.local.fuzz_tricks import header_tricks, others_signed, smuggled

TIMEOUT = 10.0
SECRET = "print('nobody may read this')"
LARGE = 12 * 2**20
KEYS = 40
"""The number of temporary keys. Five wrong signatures lock one."""

WORDS: dict[str, list[str]] = json.loads((Path(__file__).parents[1] / "data" / "hostile.json").read_text())
FILES = [*WORDS["files"], "obs://demo/" + "d/" * 3000, "obs://demo/" + "n" * 300]
TEXTS = [*WORDS["texts"], *FILES, "x" * 5000, "9" * 400]
HEADERS = [*WORDS["headers"], "X: " + "é" * 100, "X" * 5000 + ": y"]
PAGE = re.compile(r"/(\?|$|page/|jobs/|sign-in)")
OF_PAGE = ("/", "/sign-out")
CLEAN = re.compile(r"/[\w./-]*", re.ASCII)


@dataclass(frozen=True)
class Call:
    """Bytes; whether their sender is who he says, whether they are all that an answer needs, whether all may ask."""

    data: bytes
    is_signed_in: bool
    is_whole: bool
    is_open: bool

    def problem(self, answer: bytes, secrets: list[bytes]) -> str | None:
        """Say what is wrong with an answer; None: nothing."""
        statuses = {int(status) for status in re.findall(rb"HTTP/1\.1 (\d{3}) ", answer)} - {100}
        if not statuses and self._must_be_answered():
            return "no answer"
        if any(status >= 500 for status in statuses):
            return f"status {statuses}"
        if any(secret in answer for secret in secrets):
            return "a secret in the answer"
        if not (self._may_be_granted() or is_refusal(statuses, answer)):
            return f"answered {statuses} without credentials"
        return None

    def _may_be_granted(self) -> bool:
        return self.is_signed_in or self.is_open

    def _must_be_answered(self) -> bool:
        return self.is_whole and len(self.data) <= LARGE  # the error for a larger one may overtake its body


def is_refusal(statuses: set[int], answer: bytes) -> bool:
    """Tell whether an answer gives nothing to somebody without credentials: text/plain is the HTTP server's own."""
    return statuses <= {401, 403, 405, 413, 421} or (statuses == {400} and b"text/plain" in answer)


class Caller:
    """Makes the calls of one seed to one account."""

    def __init__(self, seed: int, dli: LocalDli, clock: Clock) -> None:
        self._random = random.Random(seed)
        api = Api(dli.credentials)
        self._account = account = api.account
        self._ids = [str(api.create(file="obs://demo/job.py")["id"]) for _ in range(3)] * 3 + WORDS["ids"]
        identity = {"methods": ["token"], "token": {"id": account.token}}
        bodies = [
            {"auth": {"identity": identity, "scope": {kind: {"id": scope}}}}
            for kind, scope in (("project", account.project_id), ("domain", account.domain_id))
        ]
        self._expired = api.call("POST", "/v3/auth/tokens", headers={}, json=bodies[0]).headers["X-Subject-Token"]
        clock.seconds += 86400
        self._foreign = api.call("POST", "/v3/auth/tokens", headers={}, json=bodies[1]).headers["X-Subject-Token"]
        self._temporary, *self._borrowed = [
            api.call("POST", "/v3.0/OS-CREDENTIAL/securitytokens", json={"auth": {"identity": identity}}).json()[
                "credential"
            ]
            for _ in range(KEYS)
        ]
        self._tricks = header_tricks(account)
        (cookie,) = requests.get(dli.sign_in_link(), timeout=TIMEOUT).cookies
        self._page, self._session = cookie.path, f"Cookie: {cookie.name}={cookie.value}"
        self._now = clock()

    def make(self) -> Call:
        """Make the next call."""
        pick = self._random
        if pick.random() < 0.05:
            return self._two_in_one()
        target, body = self._target(), self._body()
        method = (
            "POST"
            if target.split("?")[0].endswith("/batches") and pick.random() < 0.8
            else pick.choice(WORDS["methods"])
        )
        is_signed_in = pick.random() < 0.6
        credentials = (self._valid if is_signed_in else self._invalid)(method, target, body)
        framing, sent, is_whole = self._framed(body)
        version = pick.choice(["HTTP/1.1"] * 99 + ["HTTP/1.0", "HTTP/2.0", "HTTP/9", ""])
        strange = pick.sample(HEADERS, pick.choice([0] * 8 + [1, 2]))
        lines = [
            f"{method} {target} {version}",
            "Host: 127.0.0.1",
            "Connection: close",
            *credentials,
            *framing,
            *strange,
        ]
        data = "\r\n".join([*lines, "", ""]).encode("latin-1", "replace") + sent
        is_broken = pick.random() < 0.03
        is_sign_in = method == "POST" and target.startswith("/v3/auth/tokens")
        is_open = is_sign_in or target.startswith("/static/") or target[:1] != "/"
        return Call(self._broken(data) if is_broken else data, is_signed_in, is_whole and not is_broken, is_open)

    def _two_in_one(self) -> Call:
        """Make a request without credentials with another one in or behind its body."""
        pick = self._random
        batches = f"/v2.0/{self._account.project_id}/batches"
        path = pick.choice([batches, f"{batches}/{self._ids[0]}", "/local/calls", "/jobs/", f"{self._page}/"])
        method = pick.choice(["GET", "POST", "DELETE"])
        inner = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode()
        framing, body = pick.choice(smuggled(inner))
        lines = [f"POST {pick.choice([batches, path])} HTTP/1.1", "Host: 127.0.0.1", *framing, "", ""]
        return Call("\r\n".join(lines).encode() + body, is_signed_in=False, is_whole=True, is_open=False)

    def _target(self) -> str:
        pick = self._random
        project = pick.choice([self._account.project_id] * 8 + ["0" * 32, "..", ""])
        name = quote(self._text(), errors="surrogatepass")
        batches, queues, one = f"/v2.0/{project}/batches", f"/v1.0/{project}/queues", pick.choice([*self._ids, name])
        target = pick.choice(
            [batches] * 12
            + [batches + f"/{one}" + rest for rest in ("", "", "/state", "/log", "/what")]
            + [queues, f"{queues}/{name}", f"{self._page}/jobs/{one}", f"{self._page}/jobs/{one}/cancel"]
            + [self._page + path if path in OF_PAGE else path for path in WORDS["targets"]]
        )
        if pick.random() < 0.5:
            query = [(pick.choice(WORDS["query"]), self._text()) for _ in range(pick.randint(0, 4))]
            target += "?" + urlencode(query, errors="surrogatepass")
        if pick.random() < 0.1:
            at = pick.randint(0, len(target))
            target = target[:at] + pick.choice(WORDS["tricks"]) * pick.choice([1, 1, 1, 20]) + target[at:]
        if pick.random() < 0.02:
            target = pick.choice(["*", f"http://127.0.0.1{target}", "//", "x" * 70_000, f"{target}?{'a=b&' * 10_000}"])
        return target

    def _text(self) -> str:
        return self._random.choice(TEXTS)

    def _value(self, depth: int = 0) -> Any:
        pick = self._random
        kind = pick.randint(0, 9 if depth < 3 else 7)
        if kind < 6:
            return self._text()
        if kind < 8:
            return pick.choice([0, -1, 4, 2**31, 2**63, 10**400, 1.5, 1e308, True, False, None])
        values = [self._value(depth + 1) for _ in range(pick.randint(0, 3))]
        return values if kind == 8 else {self._text(): value for value in values}

    def _document(self) -> Any:
        pick = self._random
        if pick.random() < 0.1:
            return self._value()
        document: dict[str, Any] = {"className": "Main"}
        document["file"] = pick.choice(FILES[:6] if pick.random() < 0.7 else FILES)
        kind = pick.random()
        if kind < 0.2:
            return document | {pick.choice(["jars", "python_files", "files"]): [pick.choice(FILES)]}
        if kind < 0.4:
            package = {"name": pick.choice(FILES), "type": pick.choice(["jar", "pyFile", "file", "what"])}
            group = {"name": pick.choice(["group", "..", "/", ""]), "resources": [package]}
            return document | pick.choice([{"resources": [package]}, {"groups": [group]}])
        return document | {name: self._value() for name in pick.sample(WORDS["parameters"], pick.choice([0, 1, 3]))}

    def _body(self) -> bytes:
        pick = self._random
        kind = pick.random()
        text = json.dumps(self._document(), ensure_ascii=kind < 0.7)
        if kind < 0.7:
            return text.encode()
        if kind < 0.8:
            return text.encode(pick.choice(["utf-8", "utf-16", "utf-32", "utf-8-sig", "latin-1"]), "replace")
        if kind < 0.9:
            return self._broken(text.encode("utf-8", "replace"))
        if kind < 0.95:
            depth = pick.choice([10, 101, 1000, 100_000])
            opening, closing = pick.choice([(b"[", b"]"), (b'{"a":', b"}")])
            return b'{"file":"obs://demo/job.py","x":' + opening * depth + b"1" + closing * depth + b"}"
        return b"x" * (LARGE + 1) if kind > 0.999 else pick.randbytes(pick.choice([0, 1, 100, 10_000]))

    def _broken(self, data: bytes) -> bytes:
        pick = self._random
        changed = bytearray(data)
        for _ in range(pick.randint(1, 4)):
            changed[pick.randrange(len(changed))] = pick.randrange(256)
        return bytes(changed[: pick.randint(0, len(changed))] if pick.random() < 0.3 else changed)

    def _framed(self, body: bytes) -> tuple[list[str], bytes, bool]:
        """Give the headers that say how long a body is, what is sent of it, and whether that is all."""
        pick = self._random
        length, chunked, size = f"Content-Length: {len(body)}", "Transfer-Encoding: chunked", pick.choice([1000, 65536])
        parts = [body[at : at + size] for at in range(0, len(body), size)]
        chunks, end = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts), b"0\r\n\r\n"
        whole = [([length], body), ([length], body), ([chunked], chunks + end)]
        wrong = [([f"Content-Length: {value}"], body) for value in ("-1", "x", "1, 2")]
        wrong += [([length, "Content-Length: 7"], body), ([chunked, length], chunks + end), ([], body)]
        wrong += [
            ([chunked], b"zz\r\n" + body),
            (["Transfer-Encoding: gzip"], body),
            ([length, "Expect: 100-continue"], body),
        ]
        cut = [([f"Content-Length: {value}"], body) for value in (len(body) + 9, "9" * 30)]
        cut += [([chunked], chunks), ([chunked], b"f" * 17 + b"\r\n" + body), ([length], body[: len(body) // 2])]
        several, is_whole = pick.choice([(whole, True)] * 8 + [(wrong, True), (cut, False)])
        return *pick.choice(several), is_whole

    def _valid(self, method: str, target: str, body: bytes) -> list[str]:
        if PAGE.match(target):
            return [self._session]
        if self._random.random() < 0.5 or not CLEAN.fullmatch(target):
            return [f"X-Auth-Token: {self._account.token}"]
        return self._signed(method, target, body, self._account.access_key, self._account.secret_key)

    def _invalid(self, method: str, target: str, body: bytes) -> list[str]:
        token, key = self._account.token, self._temporary
        wrong = ["", "x", token[:-1], token.swapcase(), token + "x", f"{token}, {token}", "é" * 99, self._expired]
        if target.startswith(("/v1.0/", "/v2.0/")):
            wrong.append(self._foreign)
        if self._random.random() < 0.3:
            return self._random.choice(self._tricks)
        if self._random.random() < 0.1:
            return self._signed_for_another(method, target, body)
        foreign_key = self._signed(method, target, body, key["access"], "wrong")
        late = self._signed(method, target, body, self._account.access_key, self._account.secret_key, late=3600)
        return self._random.choice(
            [
                [],
                *([f"X-Auth-Token: {self._random.choice(wrong)}"] for _ in range(3)),
                [f"X-Subject-Token: {token}", f"Authorization: Bearer {token}", f"Cookie: X-Auth-Token={token}"],
                [*foreign_key, f"X-Security-Token: {key['securitytoken']}"],
                self._signed(method, target, body, key["access"], key["secret"]),  # without its security token
                late,
                [*late, "X-Sdk-Date: 20991231T235959Z"],
            ]
        )

    def _signed_for_another(self, method: str, target: str, body: bytes) -> list[str]:
        """Sign another call rightly, or this one and then say that its body is not signed."""
        key = self._random.choice(self._borrowed)
        secret = (key["access"], key["secret"])
        token = f"X-Security-Token: {key['securitytoken']}"
        if body and self._random.random() < 0.3:
            unsigned = "X-Sdk-Content-Sha256: UNSIGNED-PAYLOAD"
            return [*self._signed(method, target, body, *secret), token, unsigned]
        return [*self._signed(*self._random.choice(others_signed(method, target, body)), *secret), token]

    def _signed(self, method: str, target: str, body: bytes, *key: str, late: int = 0) -> list[str]:
        date = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(self._now - late))
        path = target if CLEAN.fullmatch(target) else "/"
        headers = {"X-Sdk-Date": date, "Content-Type": "application/json"}
        request = SdkRequest(method=method, host="127.0.0.1", resource_path=path, header_params=headers, body=body)
        request.query_params = []
        Signer(BasicCredentials(*key)).sign(request)
        return [f"{name}: {value}" for name, value in request.header_params.items() if name.lower() != "host"]


def answer_to(call: Call, address: tuple[str, int]) -> bytes:
    """Send a call, and read until the server closes the connection. Raises TimeoutError where it does not."""
    answer = b""
    with socket.create_connection(address, timeout=TIMEOUT) as connection:
        try:
            connection.sendall(call.data)
            if not call.is_whole:
                connection.shutdown(socket.SHUT_WR)
            while part := connection.recv(65536):
                answer += part
        except TimeoutError:
            raise
        except OSError:  # closed by the server, which has refused what was still on its way
            pass
    return answer


class Errors(logging.Handler):
    """Keeps what is logged as an error."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.messages.append(f"logged: {self.format(record)}")


def prepare(folder: Path) -> Path:
    """Make buckets and packages, and beside them what nobody may find. Give the directory of the service."""
    data = folder / "dli"
    for name in ("obs/demo/job.py", "obs/demo/lib/a.jar", "packages/group/a.jar", "../outside/secret.py"):
        (data / name).parent.mkdir(parents=True, exist_ok=True)
        (data / name).write_text(SECRET)
    (data / "obs/demo/link").symlink_to(folder / "outside")
    (data / "obs/demo/loop").symlink_to(data / "obs/demo/loop")
    return data


def outside(folder: Path, data: Path) -> dict[Path, bytes]:
    """Read all files of a folder but those of the service."""
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file() and data not in path.parents}


def run(seed: int, calls: int, folder: Path) -> tuple[Counter[str], list[str]]:
    """Make the calls of a seed; give how often each status was answered, and everything that is wrong."""
    data, clock, errors = prepare(folder), Clock(), Errors()
    before = outside(folder, data)
    logging.getLogger().addHandler(errors)
    with LocalDli(data, engine="spark", queues=["default:1"], now=clock) as dli:
        api = Api(dli.credentials)
        statuses, problems = make_calls(Caller(seed, dli, clock), calls, dli)
        listed = api.ask("GET", api.batches)["total"]
    logging.getLogger().removeHandler(errors)
    with closing(JobTable(data / "jobs.sqlite")) as table:
        total, jobs = table.select(Selection(size=-1), now=0)
    statuses["accepted"] = total
    problems += errors.messages
    problems += [f"{listed} jobs are listed, {total} are there"] if listed != total else []
    problems += problems_of_jobs(jobs, data)
    problems += ["something was written outside"] if outside(folder, data) != before else []
    return statuses, problems


def make_calls(caller: Caller, number: int, dli: LocalDli) -> tuple[Counter[str], list[str]]:
    """Make so many calls; give how often each status was answered, and what is wrong with the answers."""
    account, url = dli.credentials, urlsplit(dli.endpoint)
    secrets = [text.encode() for text in (SECRET, account.token, account.secret_key, account.password)]
    statuses: Counter[str] = Counter()
    problems = []
    for count in range(number):
        call = caller.make()
        try:
            answer = answer_to(call, (url.hostname or "", url.port or 0))
            problem = call.problem(answer, secrets)
        except TimeoutError:
            answer, problem = b"", f"no end within {TIMEOUT:.0f} s"
        statuses[answer[9:12].decode("latin-1") or "closed"] += 1
        if problem:
            problems.append(f"call {count}, {call.data[:60]!r}: {problem}")
    return statuses, problems


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.local.fuzz", description="Hostile calls to a local DLI.")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--calls", type=int, default=10_000)
    options = parser.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        statuses, problems = run(options.seed, options.calls, Path(folder))
    print(f"{options.calls} calls in {time.monotonic() - began:.0f} s, by status: {dict(sorted(statuses.items()))}")
    print(*problems[:20], f"{len(problems)} problems", sep="\n")
    return bool(problems)


if __name__ == "__main__":
    sys.exit(main())
