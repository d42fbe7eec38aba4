"""What a request asks, read off the wire, for what happens around it: events of a trail, labels, the lag of IAM."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qs

from . import accounts

_SCOPE = re.compile(r"Credential=([^/,\s]+)/[^/]+/([^/]+)/([^/]+)/")
_READ = re.compile(r"(Get|List|Describe|BatchGet|Simulate|Validate|Discover)")


@dataclass(frozen=True)
class Call:
    account: str
    region: str
    #: Signing name: `iam`.
    service: str
    #: `CreateRole`
    operation: str
    access_key: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def reads(self) -> bool:
        return _READ.match(self.operation) is not None


def of(headers: Mapping[str, str], body: bytes) -> Call | None:
    """None for a request of no account, and for those of REST services, which nobody here looks at."""
    scope = _SCOPE.search(headers.get("Authorization", ""))
    if scope is None:
        return None
    key, region, service = scope.groups()
    target = headers.get("X-Amz-Target")
    if target:
        operation = target.rsplit(".", 1)[-1]
    elif "x-www-form-urlencoded" in headers.get("Content-Type", ""):
        operation = parse_qs(body.decode(errors="replace")).get("Action", ["?"])[0]
    else:
        return None
    return Call(accounts.account_of(key), region, service, operation, key, headers, body)
