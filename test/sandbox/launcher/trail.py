"""CloudTrail: writes to IAM, ECS and Secrets Manager become events, `AWS API Call via CloudTrail`, in CloudTrail's shape.

CloudTrail User Guide, CloudTrail record contents and userIdentity element. Reads are left out: a rule sees them only if it asks for all
management events, and nothing here does. Only for accounts that have a trail.
"""

import json
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl

from botocore.model import OperationModel
from botocore.parsers import create_parser
from moto.core.parse import PROTOCOL_PARSERS
from moto.core.utils import get_service_model
from moto.moto_api._internal import mock_random
from moto.utilities.utils import get_partition
from werkzeug.datastructures import MultiDict

from . import clock, events, identity, settings
from .calls import Call

_SERVICES = ("iam", "ecs", "secretsmanager")

#: Events of IAM appear in one region of a partition, whatever region was called (IAM User Guide, Logging with CloudTrail).
_IAM_REGION = {"aws": "us-east-1", "aws-cn": "cn-north-1", "aws-us-gov": "us-gov-west-1", "aws-eusc": "eusc-de-east-1"}

#: Never in a trail (Secrets Manager User Guide, CloudTrail entries).
_LEFT_OUT = {"SecretString", "SecretBinary", "RotationToken"}
_HIDDEN = "HIDDEN_DUE_TO_SECURITY_REASONS"


def _operation(call: Call) -> OperationModel:
    return get_service_model(call.service).operation_model(call.operation)


def _protocol(service: str) -> str:
    return "query" if service == "iam" else "json"


def _parameters(call: Call) -> dict[str, Any]:
    if _protocol(call.service) == "json":
        return json.loads(call.body or b"{}")
    parser = PROTOCOL_PARSERS["query"](_operation(call))
    return parser.parse({"values": MultiDict(parse_qsl(call.body.decode(), keep_blank_values=True))})


def _shown(value: Any, key: str = "") -> Any:
    """As CloudTrail writes it: names begin in lower case, times are words, values of environment variables are hidden (seen)."""
    if isinstance(value, dict):
        hides = key == "environment"
        return {
            name[:1].lower() + name[1:]: _HIDDEN if hides and name == "value" else _shown(one, name)
            for name, one in value.items()
            if one is not None and name not in _LEFT_OUT
        }
    if isinstance(value, list):
        return [_shown(one, key) for one in value]
    if isinstance(value, datetime):
        return f"{value:%b} {value.day}, {value.year} {value.hour % 12 or 12}:{value:%M:%S %p}"
    return value


def _answered(call: Call, status: int, headers: dict[str, str], content: bytes) -> dict[str, Any]:
    """Fields that the answer decides."""
    model = _operation(call)
    parsed = create_parser(_protocol(call.service)).parse(
        {"status_code": status, "headers": headers, "body": content}, model.output_shape
    )
    parsed.pop("ResponseMetadata", None)
    error = parsed.get("Error")
    if status < 400 or error is None:
        return {"responseElements": _shown(parsed) or None}
    code = error.get("Code", "").rsplit("#", 1)[-1]
    # CloudTrail names the exception, `NoSuchEntityException`, where the wire has its code, `NoSuchEntity`.
    name = next((one.name for one in model.error_shapes if one.metadata.get("error", {}).get("code") == code), code)
    return {"errorCode": name, "errorMessage": error.get("Message", ""), "responseElements": None}


def record(call: Call, address: str, status: int, headers: list[tuple[str, str]], content: bytes) -> None:
    """After the answer to `call` is known."""
    if not settings.of(call.account).trail or call.service not in _SERVICES or call.reads or status >= 500:
        return
    by_name = {name.lower(): value for name, value in headers}
    region = _IAM_REGION.get(get_partition(call.region), "us-east-1") if call.service == "iam" else call.region
    detail = {
        "eventVersion": "1.11",
        "userIdentity": identity.of(call),
        "eventTime": events.timestamp(clock.now(call.account)),
        "eventSource": f"{call.service}.amazonaws.com",
        "eventName": call.operation,
        "awsRegion": region,
        "sourceIPAddress": address,
        "userAgent": call.headers.get("User-Agent", ""),
        "requestParameters": _shown(_parameters(call)) or None,
        **_answered(call, status, by_name, content),
        "requestID": by_name.get("x-amzn-requestid", ""),
        "eventID": str(mock_random.uuid4()),
        "readOnly": False,
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": call.account,
        "eventCategory": "Management",
    }
    events.emit(call.account, region, f"aws.{call.service}", "AWS API Call via CloudTrail", detail)


def service_event(account: str, region: str, service: str, name: str, additional: dict[str, Any]) -> None:
    """What a service does by itself: `AWS Service Event via CloudTrail` (CloudTrail User Guide, AWS service events)."""
    if not settings.of(account).trail:
        return
    principal = f"{service}.amazonaws.com"
    detail = {
        "eventVersion": "1.11",
        "userIdentity": {"accountId": account, "invokedBy": principal},
        "eventTime": events.timestamp(clock.now(account)),
        "eventSource": principal,
        "eventName": name,
        "awsRegion": region,
        "sourceIPAddress": principal,
        "userAgent": principal,
        "requestParameters": None,
        "responseElements": None,
        "additionalEventData": additional,
        "eventID": str(mock_random.uuid4()),
        "readOnly": False,
        "eventType": "AwsServiceEvent",
        "managementEvent": True,
        "recipientAccountId": account,
        "eventCategory": "Management",
    }
    events.emit(account, region, f"aws.{service}", "AWS Service Event via CloudTrail", detail)
