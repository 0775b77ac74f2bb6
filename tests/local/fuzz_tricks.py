"""Tricks of somebody without credentials: headers that some servers trust, two requests in one, borrowed signatures."""

from base64 import b64encode

from pulumi_dli.local.credentials import Credentials


def header_tricks(account: Credentials) -> list[list[str]]:
    """Give headers that sign nobody in, though they name the account or contain its token."""
    token = account.token
    basic = b64encode(f"{account.username}:{account.password}".encode()).decode()
    lines = [
        f"X-Auth-Token : {token}",
        f"X_Auth_Token: {token}",
        f"X-Auth-Token\0: {token}",
        f"X-Auth-Token; {token}",
        f"X: a\rX-Auth-Token: {token}",
        f"X: a\n X-Auth-Token: {token}",
        f"Authorization: {token}",
        f"Authorization: Basic {basic}",
        f"Authorization: SDK-HMAC-SHA256 Access={account.access_key}, SignedHeaders=host, Signature=",
        f"Authorization: SDK-HMAC-SHA256 Access={account.access_key}",
        f"Proxy-Authorization: Bearer {token}",
        f"X-Security-Token: {token}",
        f"X-Remote-User: {account.username}",
        f"X-User-Id: {account.user_id}",
        "X-Forwarded-For: 127.0.0.1",
        "X-Real-IP: 127.0.0.1",
        "X-Original-URL: /static/icon.svg",
        "X-Rewrite-URL: /static/icon.svg",
        "X-HTTP-Method-Override: OPTIONS",
        "Forwarded: for=127.0.0.1;host=localhost",
        "Upgrade: h2c",
        "Upgrade: websocket",
    ]
    return [
        *([line] for line in lines),
        [f"X-Auth-Token: {token}", "X-Auth-Token: wrong"],
        ["Connection: X-Auth-Token", f"X-Project-Id: {account.project_id}"],
    ]


def smuggled(inner: bytes) -> list[tuple[list[str], bytes]]:
    """Give headers about the length of a body, with a body in which a second request may begin."""
    end = b"0\r\n\r\n"
    chunked = "Transfer-Encoding: chunked"
    return [
        (["Content-Length: 0", chunked], end + inner),
        ([chunked, "Content-Length: 4"], end + inner),
        ([chunked], end + inner),
        ([chunked], b"0;a=b\r\n\r\n" + inner),
        ([chunked], b"0\r\nX-Auth-Token: x\r\n\r\n" + inner),
        ([chunked], b"2\r\n{}\r\n" + end + inner),
        ([chunked, "Transfer-Encoding: identity"], end + inner),
        (["Transfer-Encoding: xchunked"], end + inner),
        (["Transfer-Encoding : chunked"], end + inner),
        (["Transfer-Encoding: chunked, identity"], end + inner),
        (["Content-Length: 0"], inner),
        (["Content-Length: 2"], b"{}" + inner),
        (["Content-Length: +2"], b"{}" + inner),
        (["Content-Length: 0x2"], b"{}" + inner),
        (["Content-Length: 2", "Content-Length: 3"], b"{}" + inner),
    ]


def others_signed(method: str, target: str, body: bytes) -> list[tuple[str, str, bytes]]:
    """Give calls that are like this one but not the same. A signature of one of them must not open this one."""
    others = [(method, f"{target}x", body), (method, target, body + b" ")]
    return others + [(other, target, body) for other in ("GET", "POST", "DELETE") if other != method.upper()]
