"""The rotation function of a secret, as AWS's templates write one: it makes AWSPENDING, and moves AWSCURRENT to it.

Secrets Manager User Guide, Lambda rotation functions. What a test orders (`RotationOrders` of ../rotations.ts): how long it takes, and
whether it fails. Somebody's new version in the middle abandons the rotation.
"""

import json
from typing import Any

from moto.moto_api._internal import mock_random
from moto.secretsmanager.exceptions import InvalidRequestException, SecretNotFoundException

from . import clock, events, trail

_DEFAULT = {"seconds": 0.3, "outcome": "succeed"}
#: Account -> what a test ordered.
_orders: dict[str, dict[str, Any]] = {}


def choose(account: str, orders: dict[str, Any]) -> None:
    """Fields that are absent keep their value."""
    _orders[account] = {**_DEFAULT, **_orders.get(account, {}), **orders}


def forget(account: str) -> None:
    _orders.pop(account, None)


def rotate(
    backend: Any,
    secret_id: str,
    token: str | None,
    function: str | None,
    rules: dict[str, Any],
    immediately: bool,
) -> str:
    if secret_id not in backend.secrets:
        raise SecretNotFoundException()
    secret = backend.secrets[secret_id]
    if function:
        secret.rotation_lambda_arn = function
    if not secret.rotation_lambda_arn:
        raise InvalidRequestException("No Lambda rotation function ARN is associated with this secret.")
    if rules.get("AutomaticallyAfterDays") or rules.get("ScheduleExpression"):
        secret.auto_rotate_after_days = rules.get("AutomaticallyAfterDays", 0)
    secret.rotation_enabled = secret.rotation_requested = True
    pending = next((one for one in secret.versions.values() if "AWSPENDING" in one["version_stages"]), None)
    if pending is not None and "AWSCURRENT" not in pending["version_stages"]:
        raise InvalidRequestException("A previous rotation isn't complete. That rotation will be reattempted.")
    version = token or str(mock_random.uuid4())
    if immediately and version not in secret.versions:
        for one in secret.versions.values():
            if "AWSPENDING" in one["version_stages"]:
                one["version_stages"].remove("AWSPENDING")
        # Empty until the function fills it (Secrets Manager User Guide, Troubleshoot rotation).
        secret.versions[version] = {
            "createdate": int(clock.now(backend.account_id)),
            "version_id": version,
            "version_stages": ["AWSPENDING"],
        }
        _tell(backend, secret, "RotationStarted")
        orders = _orders.get(backend.account_id, _DEFAULT)
        clock.after(backend.account_id, orders["seconds"], lambda: _finish(backend, secret, version))
    return secret.to_short_dict(version_id=version)


def _finish(backend: Any, secret: Any, version: str) -> None:
    made = secret.versions.get(version)
    if made is None or "AWSPENDING" not in made["version_stages"]:
        _tell(backend, secret, "RotationAbandoned")
        return
    outcome = _orders.get(backend.account_id, _DEFAULT)["outcome"]
    if outcome != "succeed":
        if outcome == "fail":
            _tell(backend, secret, "RotationFailed")
        return
    current = next(one for one in secret.versions.values() if "AWSCURRENT" in one["version_stages"])
    made["secret_string"] = _new(current.get("secret_string", ""))
    for one in secret.versions.values():
        if "AWSPREVIOUS" in one["version_stages"]:
            one["version_stages"].remove("AWSPREVIOUS")
    current["version_stages"].remove("AWSCURRENT")
    current["version_stages"].append("AWSPREVIOUS")
    # Both labels on one version: no rotation is under way.
    made["version_stages"].append("AWSCURRENT")
    secret.set_default_version_id(version)
    _tell(backend, secret, "RotationSucceeded")
    detail = {"name": secret.name, "labelUpdated": "AWSCURRENT", "versionId": version}
    events.emit(backend.account_id, backend.region_name, "aws.secretsmanager", "Secret Label Updated", detail, [secret.arn])


def _new(value: str) -> str:
    password = mock_random.uuid4().hex
    try:
        fields = json.loads(value)
    except ValueError:
        return password
    return json.dumps({**fields, "password": password}) if isinstance(fields, dict) else password


def _tell(backend: Any, secret: Any, name: str) -> None:
    trail.service_event(backend.account_id, backend.region_name, "secretsmanager", name, {"SecretId": secret.arn})
