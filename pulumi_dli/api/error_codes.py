"""The table of the service's error codes: what each code means, what the user can do, and whether to retry.

`classify` finds the row of an error.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

_SETTING = re.compile(r"\bdli:\w+")
"""A setting in a hint: its key in the stack's configuration."""


class RetryClass(StrEnum):
    """Whether and when a failed call may be repeated."""

    NEVER = "never"
    """Do not repeat the call: the service will refuse it again."""
    AFTER_REAUTH = "after_reauth"
    """Repeat the call once, with a new token."""
    BACKOFF = "backoff"
    """Repeat the call after a pause. The service did not carry it out."""
    AMBIGUOUS = "ambiguous"
    """Repeat the call after a pause, unless it submits a job: the service may have carried it out."""
    GONE = "gone"
    """Do not repeat the call: the object that it names does not exist."""


@dataclass(frozen=True)
class ErrorCode:
    """One row of the error table."""

    code: str
    status: int
    """The HTTP status in the documentation."""
    meaning: str
    """The cause, as a part of a sentence."""
    hint: str
    """What the user can do, in sentences, or an empty string."""
    retry: RetryClass
    source: str
    """The page that documents the code."""

    def hint_with(self, name_of: Callable[[str], str]) -> str:
        """Return the hint with each setting as `name_of` names it, by its key in the stack's configuration."""
        return _SETTING.sub(lambda key: name_of(key[0]), self.hint)


_NEVER = RetryClass.NEVER
_REAUTH = RetryClass.AFTER_REAUTH
_BACKOFF = RetryClass.BACKOFF
_AMBIGUOUS = RetryClass.AMBIGUOUS
_GONE = RetryClass.GONE

_CODES_PAGE = "DLI API reference, Error Codes (dli_02_0056), 2026-04"
_VARIABLES_PAGE = "DLI API reference, Modifying a Global Variable, 2026-04"
_FAQ_PAGE = "DLI user guide of Open Telekom Cloud, FAQ, 2026-04"
_SIGNING_PAGE = "Huawei Cloud API signing guide, Error Codes"
_GATEWAY_PAGE = "API Gateway user guide, Error Codes, 2026-04"
_IAM_PAGE = "IAM API reference, Error Codes (iam_02_0006), 2026-01"

_CREDENTIALS = "Check the credentials. They must belong to this cloud, region and project."
_SIGNATURE = (
    "Check the key pair or token. It must belong to this cloud, region and project. With a key, check the clock of "
    "this machine too. Five wrong signatures in a row lock a key for 5 minutes."
)
_ADDRESS = "Check region and endpoint: DLI may not be offered there."
_PERMISSION = "Check that the project is one of this account, and ask for the IAM permission in it."
_SUPPORT = "If the error stays, send the request id to the cloud's support."
_NEW_KEY = "Make a new access key in the console."

# Columns: code, HTTP status, retry class, meaning, hint.
_DLI = (
    ("DLI.0001", 400, _NEVER, "the service refused a parameter",
     "The service also uses this code for a missing OBS agency (executionAgencyUrn) and for a queue without "
     "capacity."),
    ("DLI.0002", 400, _GONE, "an object that the call names does not exist",
     "Check the queue, the packages and the project."),
    ("DLI.0003", 400, _NEVER, "permission denied",
     "Ask for the SUBMIT_JOB privilege on the queue, or use another queue."),
    ("DLI.0004", 400, _NEVER, "SQL syntax error", ""),
    ("DLI.0005", 400, _NEVER, "SQL semantic error", ""),
    ("DLI.0006", 400, _NEVER, "the object exists already", ""),
    ("DLI.0007", 400, _NEVER, "the operation is not supported", ""),
    ("DLI.0008", 400, _NEVER, "metadata error", "Check that the queue exists in this project."),
    ("DLI.0009", 400, _NEVER, "a limit of the system is reached", ""),
    ("DLI.0011", 400, _NEVER, "DLI cannot read a file",
     "Check that the file exists and that DLI may read its bucket (agency, bucket policy)."),
    ("DLI.0012", 400, _BACKOFF, "resources are not available", "Try again when the queue has capacity."),
    ("DLI.0013", 401, _REAUTH, "the user could not be authenticated", _CREDENTIALS),
    ("DLI.0014", 401, _REAUTH, "the service could not be authenticated", _CREDENTIALS),
    ("DLI.0015", 400, _REAUTH, "the token could not be read", _CREDENTIALS),
    ("DLI.0016", 400, _NEVER, "the role does not allow this", "Ask for a role that may use DLI in this project."),
    ("DLI.0018", 400, _NEVER, "data could not be converted", ""),
    ("DLI.0019", 400, _AMBIGUOUS, "the task timed out inside the service", ""),
    ("DLI.0023", 404, _GONE, "a related resource does not exist", ""),
    ("DLI.0100", 400, _NEVER, "the result has expired", ""),
    ("DLI.0999", 400, _AMBIGUOUS, "an error inside the service", ""),
    ("DLI.1028", 400, _NEVER, "the quota is used up", "Ask for more quota."),
)  # fmt: skip


# Columns: number, HTTP status of APIGW.<number> (Huawei Cloud) and of APIG.<number> (Open Telekom Cloud), retry class,
# meaning, hint. The table omits codes of APIs that customers publish (their OAuth tokens and third-party sign-in).
# 0201 comes with several statuses: the status then decides about a retry. The gateway also answers 0301 if a token has
# expired (API Gateway user guide, "Common Errors Related to IAM Authentication Information").
_GATEWAY = (
    ("0101", 404, 404, _NEVER, "the gateway knows no such API", _ADDRESS),
    ("0103", 404, 500, _NEVER, "the gateway does not find the service behind it", _ADDRESS),
    ("0104", 400, 500, _NEVER, "the gateway lacks a plug-in", _SUPPORT),
    ("0105", 400, 500, _NEVER, "the gateway lacks the configuration of the service", _SUPPORT),
    ("0106", 400, 400, _NEVER, "the gateway could not pass the parameters on", _SUPPORT),
    ("0107", None, 500, _NEVER, "a script of the gateway failed", _SUPPORT),
    ("0201", 400, 400, _NEVER, "the gateway could not accept the call, or could not pass it on",
     "413, 414, 494: the call is too large (12 MB, 32 KB of URI). 502, 504: DLI did not answer."),
    ("0202", None, 502, _NEVER, "the gateway does not reach the service", ""),
    ("0203", None, 504, _NEVER, "the service took too long behind the gateway", ""),
    ("0204", None, 400, _NEVER, "the version of TLS is not supported", "Use a Python with TLS 1.2 or newer."),
    ("0205", None, 400, _NEVER, "the client's certificate is not accepted", ""),
    ("0301", 401, 401, _REAUTH, "wrong credentials or signature", _SIGNATURE),
    ("0302", 403, 403, _NEVER, "the user may not call this API", _PERMISSION),
    ("0303", 401, 401, _REAUTH, "wrong signature", _SIGNATURE),
    ("0304", 403, 403, _NEVER, "this application may not call the API", _PERMISSION),
    ("0305", 401, 401, _REAUTH, "wrong credentials", _SIGNATURE),
    ("0306", 403, 403, _NEVER, "the API may not be called", _PERMISSION),
    ("0307", 401, 401, _REAUTH, "the token has expired or is of another region", "Get a new token, of this region."),
    ("0308", 429, 429, _BACKOFF, "too many calls", "Wait a little."),
    ("0310", 403, 403, _NEVER, "the project is not available", "Check the project's id, or use another project."),
    ("0311", 401, 401, _REAUTH, "wrong credentials for debugging", _SUPPORT),
    ("0401", 403, 403, _NEVER, "the address of this machine is not known to the gateway", _SUPPORT),
    ("0402", 403, 403, _NEVER, "the address of this machine may not call the API",
     "Ask who keeps the access control of the account."),
    ("0404", 403, 403, _NEVER, "the gateway may not reach the service", _SUPPORT),
    ("0405", None, 403, _NEVER, "the address of this machine is not trusted",
     "Ask who keeps the access control of the account."),
    ("0501", 405, 405, _NEVER, "the quota of calls is used up", "Ask for more quota."),
    ("0502", 405, 405, _NEVER, "the account is frozen", "Check the account's balance."),
    ("0601", 500, 500, _NEVER, "the gateway failed", _SUPPORT),
    ("0602", 400, 400, _NEVER, "the gateway cannot read the call", ""),
    ("0605", 500, 500, _NEVER, "the gateway does not find the service by its name", _SUPPORT),
    ("0606", 500, 500, _NEVER, "the gateway could not load its configuration", _SUPPORT),
    ("0607", 400, 400, _NEVER, "the protocol is not supported", "Set an endpoint that begins with https://."),
    ("0608", 500, 500, _NEVER, "the gateway could not read the account", _SUPPORT),
    ("0609", 500, 500, _NEVER, "the gateway does not find the service in its network", _SUPPORT),
    ("0610", 502, 502, _NEVER, "no server of the service is available", ""),
    ("0611", 500, 500, _NEVER, "the gateway does not find the port of the service", _SUPPORT),
    ("0612", 500, 500, _NEVER, "the gateway calls itself", _SUPPORT),
    ("0613", 503, 503, _NEVER, "IAM is not available, so nobody can sign in", ""),
    ("0705", 500, 500, _NEVER, "the gateway could not sign its call to the service", _SUPPORT),
    ("0801", 403, None, _NEVER, "the service is not available in this region", _ADDRESS),
    ("0802", 403, 403, _NEVER, "the user is disabled in this region", "Ask the administrator of the account."),
)  # fmt: skip


# Columns as in _DLI. The table omits codes of IAM's own management of users and policies.
_IAM = (
    ("IAM.0001", 401, _REAUTH, "IAM requires a sign-in", _CREDENTIALS),
    ("IAM.0002", 403, _NEVER, "the user may not do this", _PERMISSION),
    ("IAM.0003", 403, _NEVER, "a policy does not allow this", _PERMISSION),
    ("IAM.0004", 404, _NEVER, "IAM does not find what is named", "Check the project, the user and the domain."),
    ("IAM.0005", 409, _NEVER, "a conflict inside IAM", ""),
    ("IAM.0006", 500, _AMBIGUOUS, "IAM failed", _SUPPORT),
    ("IAM.0007", 400, _NEVER, "IAM refused a parameter", "Check the names of user, domain and project."),
    ("IAM.0009", 400, _NEVER, "the token that IAM was asked about is not valid", "Get a new token."),
    ("IAM.0011", 400, _NEVER, "IAM cannot read the call", "Check that dli:authUrl is an address of IAM."),
    ("IAM.0012", 429, _BACKOFF, "too many calls to IAM", "Wait a little."),
    ("IAM.0020", 410, _NEVER, "IAM has moved to another region", "Set dli:authUrl to the IAM of another region."),
    ("IAM.0061", 401, _NEVER, "the user is locked", "Wait a quarter of an hour, or ask the administrator."),
    ("IAM.0062", 401, _NEVER, "the password is wrong", "Check user, password and domain."),
    ("IAM.0063", 401, _REAUTH, "IAM does not accept the token", "Get a new token."),
    ("IAM.0064", 401, _NEVER, "the token has no permission for this", _PERMISSION),
    ("IAM.0066", 401, _REAUTH, "the token has expired", "Get a new token."),
    ("IAM.0067", 401, _REAUTH, "the token is not valid", "Get a new token."),
    ("IAM.0072", 400, _NEVER, "a part of the call to IAM is missing", "Check user, password, domain and project."),
    ("IAM.0073", 400, _NEVER, "IAM refused a value", "Check the names of user, domain and project."),
    ("IAM.0080", 403, _NEVER, "the user of this access key is disabled", "Ask the administrator of the account."),
    ("IAM.0081", 403, _NEVER, "the user may use the console only", "Ask for programmatic access."),
    ("IAM.0082", 403, _NEVER, "the user is disabled", "Ask the administrator of the account."),
    ("IAM.0083", 403, _NEVER, "the user may not use this region", "Ask the administrator of the account."),
    ("IAM.1101", 400, _NEVER, "the call to IAM has a wrong size", ""),
    ("IAM.1102", 400, _NEVER, "IAM refused a value", "Check the names of user, domain and project."),
    ("IAM.1103", 400, _NEVER, "a part of the call to IAM is missing", "Check user, password, domain and project."),
    ("IAM.1104", 400, _NEVER, "the access key is blacklisted", _NEW_KEY),
    ("IAM.1105", 400, _NEVER, "the access key has expired", _NEW_KEY),
    ("IAM.1106", 400, _NEVER, "IAM does not know this access key", "Check the access key."),
    ("IAM.1107", 400, _NEVER, "the access key is switched off", "Switch it on in the console."),
    ("IAM.1108", 400, _NEVER, "the temporary access key has expired", "Get a new one, with its security token."),
    ("IAM.1109", 400, _NEVER, "IAM does not find the project", "Check the project's id and the region."),
)  # fmt: skip


# Columns: HTTP status, retry class, meaning, hint.
_STATUSES = (
    (401, _REAUTH, "not authenticated", _CREDENTIALS),
    (403, _NEVER, "not allowed", "Ask for the permission, or use other credentials."),
    (404, _NEVER, "there is nothing at this address", "Check region and endpoint."),
    (405, _NEVER, "this address does not accept the call", "Check region and endpoint."),
    (407, _NEVER, "the proxy requires a sign-in", "Check the variables HTTPS_PROXY and NO_PROXY."),
    (408, _AMBIGUOUS, "the service got the call too slowly", ""),
    (413, _NEVER, "the call is too large", ""),
    (414, _NEVER, "the address is too long", ""),
    (429, _BACKOFF, "too many calls", "Wait a little."),
    (494, _NEVER, "the headers are too large", ""),
    (502, _AMBIGUOUS, "the gateway got no answer from the service", ""),
    (503, _AMBIGUOUS, "the service is not available", ""),
    (504, _AMBIGUOUS, "the service took too long behind the gateway", ""),
)


def _rows() -> Iterator[ErrorCode]:
    for source, table in ((_CODES_PAGE, _DLI), (_IAM_PAGE, _IAM)):
        for code, status, retry, meaning, hint in table:
            yield ErrorCode(code, status, meaning, hint, retry, source)
    yield ErrorCode("DLI.12004", 400, "the job does not exist", "", _GONE, _VARIABLES_PAGE)
    yield ErrorCode("DLI.10001", 400, "an error inside the service", "", _AMBIGUOUS, _FAQ_PAGE)
    for number, huawei_cloud, open_telekom_cloud, retry, meaning, hint in _GATEWAY:
        for prefix, gateway_status, source in (
            ("APIGW", huawei_cloud, _SIGNING_PAGE),
            ("APIG", open_telekom_cloud, _GATEWAY_PAGE),
        ):
            if gateway_status is not None:
                retry_class = _AMBIGUOUS if gateway_status >= 500 else retry
                yield ErrorCode(f"{prefix}.{number}", gateway_status, meaning, hint, retry_class, source)


ERROR_CODES: dict[str, ErrorCode] = {row.code: row for row in _rows()}
"""Every documented code of DLI, of the gateways and of IAM's sign-in, by code."""


STATUSES: dict[int, ErrorCode] = {
    status: ErrorCode("", status, meaning, hint, retry, "RFC 9110; DLI API reference, Status Codes (dli_02_0012)")
    for status, retry, meaning, hint in _STATUSES
}
"""The meaning of an HTTP status, for errors with no code or an unknown code."""


def _by_status(status: int) -> ErrorCode:
    failed, refused = ("the service failed", _AMBIGUOUS), ("the service refused the call", _NEVER)
    meaning, retry = failed if status >= 500 else refused
    return STATUSES.get(status) or ErrorCode("", status, meaning, "", retry, "RFC 9110")


def classify(code: str, status: int) -> ErrorCode:
    """Return the row of an error: the row of its code, or of its HTTP status if the code is unknown.

    The status can change the retry class of a code:

    * After a 5xx, nobody knows what the service did.
    * After a 429, the service did nothing.
    * A 404 with a code of DLI means that the object does not exist. Any other 404 means a wrong address.
    * A code means that the object does not exist only with status 400 or 404. With a 403, for example, the object may
      exist but be hidden.
    """
    by_status = _by_status(status)
    row = ERROR_CODES.get(code, by_status)
    if status == 429 or status >= 500:
        return replace(row, retry=by_status.retry)
    if status == 404 and code.startswith("DLI."):
        known = row if code in ERROR_CODES else ErrorCode(code, status, "it does not exist", "", _GONE, _CODES_PAGE)
        return replace(known, retry=_GONE)
    if row.retry is _GONE and status != 400:
        return replace(row, retry=by_status.retry)
    return row
