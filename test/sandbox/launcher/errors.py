"""Errors in the shape of the protocol that the caller speaks, so that an SDK reads code and message."""

import json
from collections.abc import Mapping
from html import escape

_REQUEST_ID = "00000000-0000-4000-8000-000000000000"

Answer = tuple[int, list[tuple[str, str]], bytes]


def shaped(headers: Mapping[str, str], body: bytes, status: int, code: str, message: str) -> Answer:
    """Query services (IAM, STS) answer XML, all others of the sandbox JSON."""
    if b"Action=" in body and "x-www-form-urlencoded" in headers.get("Content-Type", ""):
        text = (
            f"<ErrorResponse><Error><Type>{'Sender' if status < 500 or status == 501 else 'Receiver'}</Type>"
            f"<Code>{code}</Code><Message>{escape(message)}</Message></Error>"
            f"<RequestId>{_REQUEST_ID}</RequestId></ErrorResponse>"
        )
        return status, [("Content-Type", "text/xml"), ("x-amzn-RequestId", _REQUEST_ID)], text.encode()
    text = json.dumps({"__type": code, "message": message})
    return (
        status,
        [
            ("Content-Type", headers.get("Content-Type") or "application/json"),
            ("x-amzn-ErrorType", code),
            ("x-amzn-RequestId", _REQUEST_ID),
        ],
        text.encode(),
    )
