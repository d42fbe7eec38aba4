"""ListTasks, DescribeTasks, StopTask and RunTask over the tasks of `../ecs`."""

from typing import Any

from moto.core.responses import ActionResult
from moto.ecs.exceptions import EcsClientException, InvalidParameterException, ServiceNotFoundException
from moto.ecs.models import EC2ContainerServiceBackend, Service, Task
from moto.ecs.responses import DESCRIBE_TASKS_TAGS, EC2ContainerServiceResponse
from moto.utilities.utils import get_partition

from ..ecs import tasks
from ..ecs.tasks import SandboxTask
from .ecs_paging import page

#: DescribeTasks takes so many tasks, RunTask starts so many.
_PER_DESCRIBE, _PER_RUN = 100, 10


def service_of(backend: EC2ContainerServiceBackend, cluster: str, name: str) -> Service:
    service = backend.services.get(f"{cluster}:{name.split('/')[-1]}")
    if service is None or service.status == "INACTIVE":
        raise ServiceNotFoundException
    return service


def _list_tasks(self: EC2ContainerServiceResponse) -> ActionResult:
    backend, ask = self.ecs_backend, self._get_param
    cluster = backend._get_cluster(ask("cluster", "default"))
    found = list(backend.tasks.get(cluster.name, {}).values())
    name = ask("serviceName")
    if name is not None:
        group = f"service:{service_of(backend, cluster.name, name).name}"
        found = [one for one in found if one.group == group]
    if (family := ask("family")) is not None:
        found = [one for one in found if one.task_definition_arn.split("/")[-1].split(":")[0] == family]
    if (instance := ask("containerInstance")) is not None:
        found = [one for one in found if instance in (one.container_instance_arn or "")]
    for param, attribute in (("startedBy", "started_by"), ("launchType", "launch_type")):
        if (value := ask(param)) is not None:
            found = [one for one in found if getattr(one, attribute) == value]
    status = ask("desiredStatus", "RUNNING")
    return page(self, "taskArns", sorted(one.task_arn for one in found if one.desired_status == status))


def _find(backend: EC2ContainerServiceBackend, cluster: str, name: str) -> Task | None:
    """By id or ARN; no task of another cluster."""
    id = name.split("/")[-1]
    return next((one for one in backend.tasks.get(cluster, {}).values() if one.id == id), None)


def _describe_tasks(self: EC2ContainerServiceResponse) -> ActionResult:
    backend = self.ecs_backend
    cluster = backend._get_cluster(self._get_param("cluster", "default"))
    names = self._get_param("tasks", [])
    if not names:
        raise InvalidParameterException("Tasks cannot be empty.")
    if len(names) > _PER_DESCRIBE:
        raise InvalidParameterException(f"Tasks must contain at most {_PER_DESCRIBE} tasks.")
    tags = self._include_in_response if "TAGS" in self._get_param("include", []) else self._exclude_from_response
    tags(DESCRIBE_TASKS_TAGS)
    found: list[Task] = []
    failures = []
    by_id = {one.id: one for one in backend.tasks.get(cluster.name, {}).values()}
    for name in names:
        task = by_id.get(name.split("/")[-1])
        if task is None:
            id = name.split("/")[-1]
            partition = get_partition(backend.region_name)
            arn = f"arn:{partition}:ecs:{backend.region_name}:{backend.account_id}:task/{cluster.name}/{id}"
            failures.append({"arn": arn, "reason": "MISSING"})
        else:
            task.advance()
            found.append(task)
    return ActionResult({"tasks": found, "failures": failures})


def _run_task(
    self: EC2ContainerServiceBackend,
    cluster_str: str,
    task_definition_str: str,
    count: int,
    overrides: dict[str, Any] | None,
    started_by: str | None,
    tags: list[dict[str, str]] | None,
    launch_type: str | None,
    networking_configuration: dict[str, Any] | None = None,
    group: str | None = None,
    platform_version: str | None = None,
) -> list[Task]:
    cluster = self._get_cluster(cluster_str)
    if not 1 <= count <= _PER_RUN:
        raise InvalidParameterException(f"count must be between 1 and {_PER_RUN}.")
    definition = self.describe_task_definition(task_definition_str)
    if definition.status != "ACTIVE":
        raise EcsClientException("TaskDefinition is inactive")
    if definition.network_mode == "awsvpc" and not networking_configuration:
        raise InvalidParameterException("Network Configuration must be provided when networkMode 'awsvpc' is specified.")
    given = {
        "group": group,
        "launchType": launch_type or "EC2",
        "overrides": overrides,
        "platformVersion": platform_version,
        "startedBy": started_by,
        "tags": tags,
    }
    try:
        return [tasks.launch(self, cluster, definition, given, lambda task: None) for _ in range(count)]
    except tasks.LaunchFailed as error:
        raise InvalidParameterException(str(error)) from error


def _stop_task(self: EC2ContainerServiceResponse) -> ActionResult:
    backend = self.ecs_backend
    cluster = backend._get_cluster(self._get_param("cluster", "default"))
    name, reason = self._get_param("task"), self._get_param("reason")
    task = _find(backend, cluster.name, name)
    if task is None:
        raise InvalidParameterException("The referenced task was not found.")
    if isinstance(task, SandboxTask):
        task.stop("UserInitiated", reason or "Task stopped by user")
    else:
        backend.stop_task(cluster.name, name, reason)
    return ActionResult({"task": task})


def apply() -> None:
    EC2ContainerServiceResponse.list_tasks = _list_tasks
    EC2ContainerServiceResponse.describe_tasks = _describe_tasks
    EC2ContainerServiceBackend.run_task = _run_task
    EC2ContainerServiceResponse.stop_task = _stop_task
