"""Deployments of a service, and what ListServiceDeployments and DescribeServiceRevisions remember of them.

Attributes are named as moto's serializer looks for the fields of ECS Deployment, ServiceDeployment and ServiceRevision.
"""

from datetime import datetime
from math import ceil
from typing import Any

from moto.ecs.models import EC2ContainerServiceBackend, Service
from moto.moto_api._internal import mock_random
from moto.utilities.utils import get_partition

from . import pace
from .tasks import SandboxTask

#: What belongs to a revision: a service that is rolled back gets them back. Attribute of moto's service -> default.
REVISED = {
    "task_definition": None,
    "network_configuration": None,
    "platform_version": None,
    "load_balancers": None,
    "service_registries": None,
    "service_connect_configuration": None,
    "volume_configurations": None,
    "vpc_lattice_configurations": None,
    "capacity_provider_strategy": None,
}


class Revision:
    """What a service was told to run."""

    def __init__(self, service: Service, backend: EC2ContainerServiceBackend, number: str) -> None:
        self.service_revision_arn = _arn(service, "service-revision", number)
        self.service_arn, self.cluster_arn = service.arn, service.cluster_arn
        self.created_at = pace.now(service._account_id)
        self.launch_type = service.launch_type
        self.platform_family = "Linux" if service.launch_type == "FARGATE" else None
        self.guard_duty_enabled = False
        for name, default in REVISED.items():
            setattr(self, name, getattr(service, name, default))
        containers = backend.describe_task_definition(service.task_definition).container_definitions
        self.container_images = [{"containerName": one["name"], "image": one.get("image")} for one in containers]


class Deployment:
    """One of `deployments` of DescribeServices; the counts are counted."""

    def __init__(self, service: Service, backend: EC2ContainerServiceBackend) -> None:
        number = str(mock_random.randint(10**18, 10**19 - 1))
        self.service = service
        self.id = f"ecs-svc/{number}"
        self.status = "PRIMARY"
        self.revision = Revision(service, backend, number)
        self.task_definition = service.task_definition
        self.network_configuration = service.network_configuration or None
        self.launch_type = service.launch_type
        self.platform_version, self.platform_family = service.platform_version, self.revision.platform_family
        self.created_at = self.updated_at = pace.now(service._account_id)
        self.failed_tasks = 0
        self.rollout_state = self.rollout_state_reason = ""
        self.turn("IN_PROGRESS", f"ECS deployment {self.id} in progress.")
        #: Tasks that have not stopped.
        self.tasks: list[SandboxTask] = []
        #: Failures in a row, and whether the scheduler waits before it tries again.
        self.failures_in_a_row = 0
        self.resting = False
        #: Whether its beginning has been told.
        self.announced = False

    def turn(self, state: str, reason: str) -> None:
        self.rollout_state, self.rollout_state_reason = state, reason
        self.updated_at = pace.now(self.service._account_id)

    @property
    def alive(self) -> list[SandboxTask]:
        return [task for task in self.tasks if task.alive]

    @property
    def running_count(self) -> int:
        return sum(task.running for task in self.tasks)

    @property
    def pending_count(self) -> int:
        return sum(task.pending for task in self.tasks)

    @property
    def desired_count(self) -> int:
        return self.service.desired_count if self.status == "PRIMARY" else len(self.alive)


class ServiceDeployment:
    """The story of one deployment, its rollback included."""

    def __init__(self, service: Service, deployment: Deployment, sources: list[Deployment]) -> None:
        self.service_deployment_arn = _arn(service, "service-deployment", mock_random.uuid4().hex[:21])
        self.service_arn, self.cluster_arn = service.arn, service.cluster_arn
        self.created_at = self.started_at = self.updated_at = deployment.created_at
        self.finished_at: datetime | None = None
        self.stopped_at: datetime | None = None
        self.status = "IN_PROGRESS"
        self.status_reason: str | None = None
        self.lifecycle_stage: str | None = None
        self.lifecycle_hook_details: list[dict[str, Any]] = []
        self.deployment_configuration = service.deployment_configuration
        self.rollback: dict[str, Any] | None = None
        self.deployment, self._sources = deployment, sources
        self._breaker: dict[str, Any] | None = None

    @property
    def target_service_revision_arn(self) -> str:
        return self.deployment.revision.service_revision_arn

    @property
    def target_service_revision(self) -> dict[str, Any]:
        return _summary(self.deployment)

    @property
    def source_service_revisions(self) -> list[dict[str, Any]]:
        return [_summary(source) for source in self._sources]

    @property
    def finished(self) -> bool:
        return self.finished_at is not None or self.stopped_at is not None

    @property
    def deployment_circuit_breaker(self) -> dict[str, Any]:
        if self._breaker is not None:
            return self._breaker
        failures, limit = self.deployment.failed_tasks, threshold(self.deployment.service)
        status = "MONITORING" if breaker(self.deployment.service)["enable"] else "DISABLED"
        return {"status": status, "failureCount": failures, "threshold": limit}

    def turn(self, status: str, reason: str | None = None) -> None:
        """Into a state that is not the last."""
        self.status, self.updated_at = status, pace.now(self.deployment.service._account_id)
        if reason is not None:
            self.status_reason = reason
        if status in ("ROLLBACK_REQUESTED", "ROLLBACK_IN_PROGRESS"):
            self._settle_breaker()

    def end(self, status: str, reason: str | None = None) -> None:
        self.turn(status, reason)
        self._settle_breaker()
        if status == "STOPPED":
            self.stopped_at = self.updated_at
        self.finished_at = self.updated_at

    def _settle_breaker(self) -> None:
        if self._breaker is None:
            seen = self.deployment_circuit_breaker
            tripped = self.deployment.rollout_state == "FAILED" and seen["failureCount"] >= seen["threshold"]
            status = "TRIGGERED" if tripped else "MONITORING_COMPLETE"
            self._breaker = {**seen, "status": status if seen["status"] != "DISABLED" else "DISABLED"}


def breaker(service: Service) -> dict[str, Any]:
    return service.deployment_configuration.get("deploymentCircuitBreaker") or {"enable": False, "rollback": False}


def threshold(service: Service) -> int:
    """Half of the desired count, 3 to 200, unless `thresholdConfiguration` says otherwise (ECS ServiceDeploymentCircuitBreaker)."""
    given = breaker(service).get("thresholdConfiguration", {"type": "BOUNDED_PERCENT", "value": 50})
    if given["type"] == "COUNT":
        return given["value"]
    share = ceil(service.desired_count * given["value"] / 100)
    return max(3, min(200, share)) if given["type"] == "BOUNDED_PERCENT" else max(1, share)


def _summary(deployment: Deployment) -> dict[str, Any]:
    listed = deployment in deployment.service.rollouts
    return {
        "arn": deployment.revision.service_revision_arn,
        "requestedTaskCount": deployment.desired_count if listed else 0,
        "runningTaskCount": deployment.running_count,
        "pendingTaskCount": deployment.pending_count,
    }


def _arn(service: Service, kind: str, id: str) -> str:
    region = service.region_name
    return f"arn:{get_partition(region)}:ecs:{region}:{service._account_id}:{kind}/{service.cluster_name}/{service.name}/{id}"


def _current_deployment(service: Service) -> str | None:
    last = service.history[-1] if service.history else None
    return None if last is None or last.finished else last.service_deployment_arn


def _count(name: str) -> property:
    """Counted from the tasks; a service without a task definition (EXTERNAL) keeps what moto says."""

    def get(self: Service) -> int:
        rollouts = getattr(self, "rollouts", [])
        return sum(getattr(one, name) for one in rollouts) if rollouts else self.__dict__.get(f"_{name}", 0)

    def put(self: Service, value: int) -> None:
        self.__dict__[f"_{name}"] = value

    return property(get, put)


def apply() -> None:
    Service.running_count = _count("running_count")
    Service.pending_count = _count("pending_count")
    Service.current_service_deployment = property(_current_deployment)
    Service.current_service_revisions = property(lambda self: [_summary(one) for one in self.deployments])
