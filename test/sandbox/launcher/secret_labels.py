"""Secrets Manager's own events: a staging label that moves. Those of rotations are told by rotation_function.py.

Secrets Manager User Guide, Secret event notifications: `Secret Label Updated` is sent without a trail, for every label but AWSPENDING
and AWSPREVIOUS, when it moves to a new version.
"""

from collections.abc import Callable

from moto.secretsmanager.models import secretsmanager_backends

from . import events
from .calls import Call

_SILENT = ("AWSPENDING", "AWSPREVIOUS")

#: ARN of the secret -> its name, label -> version.
_Labels = dict[str, tuple[str, dict[str, str]]]


def _labels(call: Call) -> _Labels:
    secrets = dict.values(secretsmanager_backends[call.account][call.region].secrets)
    return {
        secret.arn: (
            secret.name,
            {label: version for version, one in secret.versions.items() for label in one["version_stages"]},
        )
        for secret in secrets
        if hasattr(secret, "versions")
    }


def watch(call: Call) -> Callable[[], None]:
    """Call it before the write; the result after it has succeeded."""
    if call.service != "secretsmanager" or call.reads:
        return lambda: None
    before = _labels(call)

    def after() -> None:
        for arn, (name, labels) in _labels(call).items():
            if arn not in before:
                continue  # No label of a new secret has moved.
            old = before[arn][1]
            moved = {label: version for label, version in labels.items() if old.get(label) != version}
            for label, version in moved.items():
                if label not in _SILENT:
                    detail = {"name": name, "labelUpdated": label, "versionId": version}
                    events.emit(call.account, call.region, "aws.secretsmanager", "Secret Label Updated", detail, [arn])

    return after
