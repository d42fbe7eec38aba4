"""ECS services keep what they were given, name their task definition by ARN, and are deployed (`../ecs`)."""

from typing import Any

from botocore import xform_name
from moto.core.responses import ActionResult
from moto.ecs.exceptions import EcsClientException, ECSException, InvalidParameterException
from moto.ecs.models import Cluster, EC2ContainerServiceBackend, Service, TaskDefinition
from moto.ecs.responses import EC2ContainerServiceResponse

from .. import calls, identity
from ..ecs import rollouts, scheduler

#: Fields of CreateService and UpdateService that DescribeServices returns and moto drops, with what AWS says when they are not given.
_KEPT: dict[str, Any] = {
    "deploymentConfiguration": {
        "deploymentCircuitBreaker": {"enable": False, "rollback": False},
        "maximumPercent": 200,
        "minimumHealthyPercent": 100,
        "strategy": "ROLLING",
    },
    "enableExecuteCommand": False,
    "enableECSManagedTags": False,
    "healthCheckGracePeriodSeconds": None,
    "capacityProviderStrategy": None,
    "placementConstraints": [],
    "placementStrategy": [],
    "availabilityZoneRebalancing": "DISABLED",
}

#: A change of these is a new deployment (ECS UpdateService); of all others it is not.
_DEPLOYED = frozenset(rollouts.REVISED)

#: What CodeDeploy and external controllers decide, not UpdateService.
_NOT_OURS = {
    "taskDefinition": "update task definition",
    "networkConfiguration": "update network configuration",
    "platformVersion": "update platform version",
}


def _newest(backend: EC2ContainerServiceBackend, family: str) -> int | None:
    """A family alone means its newest active revision; moto takes an inactive one too."""
    return max((number for number, one in backend.task_definitions[family].items() if one.status == "ACTIVE"), default=None)


def _active(backend: EC2ContainerServiceBackend, task_definition: str) -> str:
    found = backend.describe_task_definition(task_definition)
    if found.status != "ACTIVE":
        raise EcsClientException("TaskDefinition is inactive")
    return found.arn


def _recount(backend: EC2ContainerServiceBackend, cluster: Cluster) -> None:
    """moto adds and subtracts, and ends below zero."""
    found = backend.tasks.get(cluster.name, {}).values()
    services = [one for one in backend.services.values() if one.cluster_name == cluster.name]
    external = [one for one in services if not one.rollouts]
    cluster.active_services_count = sum(one.status == "ACTIVE" for one in services)
    cluster.running_tasks_count = sum(one.last_status == "RUNNING" for one in found) + sum(one.running_count for one in external)
    cluster.pending_tasks_count = sum(one.last_status == "PENDING" for one in found)


def _refuse(service: Service, params: dict[str, Any], forced: bool) -> None:
    controller = service.deployment_controller["type"]
    if controller == "ECS":
        return
    hint = "Use AWS CodeDeploy to trigger a new deployment." if controller == "CODE_DEPLOY" else "Create a new task set."
    for what in [*(text for name, text in _NOT_OURS.items() if name in params), *(["force a new deployment"] if forced else [])]:
        raise InvalidParameterException(f"Unable to {what} on services with a {controller} deployment controller. {hint}")


def _keep(service: Service, params: dict[str, Any]) -> bool:
    """Returns whether what was changed asks for a deployment."""
    changed = False
    for field, value in params.items():
        name = xform_name(field)
        before = getattr(service, name, None)
        if field == "deploymentConfiguration":
            value = {**before, **value}
        changed = changed or (name in _DEPLOYED and (before or None) != (value or None))
        setattr(service, name, value)
    return changed


def _create_service(self: EC2ContainerServiceResponse) -> ActionResult:
    result = _moto_create_response(self)
    params = self._get_params()
    service = result.result["service"]
    _keep(service, {field: params[field] for field in _KEPT.keys() & params.keys()})
    for story in service.history:
        story.deployment_configuration = service.deployment_configuration
    scheduler.poke(service)
    return result


def _update_service(self: EC2ContainerServiceResponse) -> ActionResult:
    params = dict(self._get_params())
    backend = self.ecs_backend
    cluster = backend._get_cluster(params.pop("cluster", "default"))
    service = backend._get_service(cluster.name, params.pop("service").split("/")[-1])
    if service.status != "ACTIVE":
        raise ECSException("ServiceNotActiveException", "Service was not ACTIVE.")
    forced = params.pop("forceNewDeployment", False)
    _refuse(service, params, forced)
    if "taskDefinition" in params:
        params["taskDefinition"] = _active(backend, params["taskDefinition"])
    if params.get("desiredCount", service.desired_count) != service.desired_count:
        service.steady = False
    changed = _keep(service, params)
    if (changed or forced) and scheduler.rolling(service):
        scheduler.roll(service, backend)
    elif not service.rollouts:
        service.running_count = service.desired_count
    scheduler.poke(service)
    return ActionResult({"service": service})


def _register_task_definition(self: EC2ContainerServiceResponse) -> ActionResult:
    result = _moto_register(self)
    call = calls.of(self.headers, b"")
    if call is not None:
        result.result["taskDefinition"].registered_by = identity.of(call)["arn"]
    return result


_moto_register = EC2ContainerServiceResponse.register_task_definition
_moto_describe = EC2ContainerServiceBackend.describe_task_definition
_moto_describe_clusters = EC2ContainerServiceBackend.describe_clusters
_moto_create = EC2ContainerServiceBackend.create_service
_moto_delete = EC2ContainerServiceBackend.delete_service
_moto_create_response = EC2ContainerServiceResponse.create_service


def apply() -> None:
    def describe_task_definition(self: EC2ContainerServiceBackend, task_definition_str: str) -> TaskDefinition:
        name = task_definition_str.split("/")[-1]
        if ":" not in name and name in self.task_definitions:
            name = f"{name}:{_newest(self, name) or 0}"
        return _moto_describe(self, name)

    def create_service(
        self: EC2ContainerServiceBackend,
        cluster_str: str,
        service_name: str,
        desired_count: int,
        task_definition_str: str | None = None,
        *args: Any,
        **kwargs: Any,
    ) -> Service:
        cluster = self._get_cluster(cluster_str)
        existing = self.services.get(f"{cluster.name}:{service_name}")
        if existing is not None and existing.status == "DRAINING":
            raise InvalidParameterException("Unable to Start a service that is still Draining.")
        if existing is not None and existing.status != "INACTIVE":
            raise InvalidParameterException("Creation of service was not idempotent.")
        arn = _active(self, task_definition_str) if task_definition_str else None
        service = _moto_create(self, cluster_str, service_name, desired_count, arn, *args, **kwargs)
        for field, default in _KEPT.items():
            setattr(service, xform_name(field), default)
        scheduler.adopt(service, self)
        if not service.rollouts:
            # EXTERNAL: task sets run the tasks, and nobody asks for theirs.
            service.running_count, service.pending_count = desired_count, 0
        return service

    def delete_service(self: EC2ContainerServiceBackend, cluster_name: str, service_name: str, force: bool) -> Service:
        service = _moto_delete(self, cluster_name, service_name.split("/")[-1], force)
        service.desired_count = 0
        service.running_count = 0
        if scheduler.end(service):
            service.status = "DRAINING"
        return service

    def describe_clusters(self: EC2ContainerServiceBackend, names: list[str]) -> Any:
        clusters, failures = _moto_describe_clusters(self, names)
        for cluster in clusters:
            _recount(self, cluster)
        return clusters, failures

    EC2ContainerServiceBackend.describe_task_definition = describe_task_definition
    EC2ContainerServiceBackend.describe_clusters = describe_clusters
    EC2ContainerServiceBackend.create_service = create_service
    EC2ContainerServiceBackend.delete_service = delete_service
    EC2ContainerServiceResponse.register_task_definition = _register_task_definition
    EC2ContainerServiceResponse.create_service = _create_service
    EC2ContainerServiceResponse.update_service = _update_service
    # Subnets and security groups belong to EC2, which no part of this sandbox fills.
    Service._validate_network = lambda self, network: network
    rollouts.apply()
