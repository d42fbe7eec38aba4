"""What tests ask beside AWS's API: `/sandbox/deployments`, `/sandbox/tasks`."""

from typing import Any

from moto.ecs.models import EC2ContainerServiceBackend, ecs_backends

from . import orders, pace, scheduler
from .tasks import SandboxTask


def _backends(account: str) -> list[EC2ContainerServiceBackend]:
    return list(ecs_backends[account].values()) if account in ecs_backends else []


def order(account: str, spec: dict[str, Any]) -> None:
    orders.change(account, spec)
    if "hold" in spec:
        pace.hold(account, spec["hold"])
    if "fail" in spec:
        for backend in _backends(account):
            for service in backend.services.values():
                scheduler.rested(service)


def tasks(account: str) -> dict[str, Any]:
    return {
        "tasks": [
            {
                "taskArn": task.task_arn,
                "group": task.group,
                "taskDefinitionArn": task.task_definition_arn,
                "lastStatus": task.last_status,
                "secretVersions": task.secret_versions,
            }
            for backend in _backends(account)
            for cluster in backend.tasks.values()
            for task in cluster.values()
            if isinstance(task, SandboxTask)
        ]
    }


def forget(account: str) -> None:
    pace.forget(account)
    orders.forget(account)
