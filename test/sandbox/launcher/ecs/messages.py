"""What ECS says: the events of a service (DescribeServices) and the events on the bus, in the words and shapes of the Developer Guide."""

import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any

from moto.moto_api._internal import mock_random

from ..events import emit
from . import pace

if TYPE_CHECKING:
    from moto.ecs.models import Service

    from .rollouts import Deployment
    from .tasks import SandboxTask

#: DescribeServices returns so many events.
_KEPT = 100
_silent = False


@contextmanager
def quiet(on: bool) -> Iterator[None]:
    """Nothing is said meanwhile: what is seeded happened long ago."""
    global _silent
    before, _silent = _silent, _silent or on
    try:
        yield
    finally:
        _silent = before


def say(service: "Service", text: str) -> None:
    """A line in the service's events, newest first."""
    event = {"id": str(mock_random.uuid4()), "createdAt": pace.now(service._account_id), "message": f"(service {service.name}) {text}"}
    service.events = [event, *service.events[: _KEPT - 1]]


def tasks(ids: list["SandboxTask"]) -> str:
    return " ".join(f"(task {task.id})" for task in ids)


def service_action(service: "Service", event_type: str, name: str, **more: str) -> None:
    now = _time(pace.now(service._account_id))
    detail = {"eventType": event_type, "eventName": name, "clusterArn": service.cluster_arn, "createdAt": now, **more}
    _emit(service._account_id, service.region_name, "ECS Service Action", detail, [service.arn])


def deployment_changed(service: "Service", deployment: "Deployment", outcome: str) -> None:
    """`outcome` IN_PROGRESS, COMPLETED or FAILED."""
    detail = {
        "eventType": "ERROR" if outcome == "FAILED" else "INFO",
        "eventName": f"SERVICE_DEPLOYMENT_{outcome}",
        "deploymentId": deployment.id,
        "updatedAt": _time(deployment.updated_at),
        "reason": deployment.rollout_state_reason,
    }
    _emit(service._account_id, service.region_name, "ECS Deployment State Change", detail, [service.arn])


def task_changed(task: "SandboxTask") -> None:
    if _silent:
        return
    detail: dict[str, Any] = {
        "attachments": task.attachments,
        "availabilityZone": task.availability_zone,
        "clusterArn": task.cluster_arn,
        "connectivity": task.connectivity,
        "containers": [dict(one) for one in task.containers],
        "cpu": task.cpu,
        "createdAt": _time(task.created_at),
        "desiredStatus": task.desired_status,
        "enableExecuteCommand": task.enable_execute_command,
        "group": task.group,
        "lastStatus": task.last_status,
        "launchType": task.launch_type,
        "memory": task.memory,
        "overrides": task.overrides,
        "platformVersion": task.platform_version,
        "startedAt": _time(task.started_at),
        "startedBy": task.started_by,
        "stopCode": task.stop_code,
        "stoppedAt": _time(task.stopped_at),
        "stoppedReason": task.stopped_reason,
        "stoppingAt": _time(task.stopping_at),
        "taskArn": task.task_arn,
        "taskDefinitionArn": task.task_definition_arn,
        "updatedAt": _time(pace.now(task._account_id)),
        "version": task.version,
    }
    present = {name: value for name, value in detail.items() if value is not None}
    _emit(task._account_id, task.region_name, "ECS Task State Change", present, [task.task_arn])


def _time(at: datetime | None) -> str | None:
    return None if at is None else f"{at.isoformat(timespec='milliseconds')}Z"


def _emit(account: str, region: str, detail_type: str, detail: dict[str, Any], resources: list[str]) -> None:
    if _silent:
        return
    try:
        emit(account, region, "aws.ecs", detail_type, detail, resources)
    except Exception:
        # A bus that cannot deliver does not stop ECS.
        traceback.print_exc(file=sys.stderr)
