"""ECS services keep what they were given, name their task definition by ARN, and are stable at once.

There is no scheduler: a service runs as many tasks as it desires and its one deployment is completed, from CreateService or
UpdateService on. Deployments that take time belong here later.
"""

from typing import Any

from botocore import xform_name
from moto.core.responses import ActionResult
from moto.core.utils import utcnow
from moto.ecs.exceptions import EcsClientException, InvalidParameterException
from moto.ecs.models import Cluster, EC2ContainerServiceBackend, Service, TaskDefinition
from moto.ecs.responses import EC2ContainerServiceResponse
from moto.moto_api._internal import mock_random

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


def _recount(backend: EC2ContainerServiceBackend, cluster: Cluster) -> None:
    """moto adds and subtracts, and ends below zero."""
    services = [one for one in backend.services.values() if one.cluster_name == cluster.name and one.status == "ACTIVE"]
    tasks = [one for one in backend.tasks.get(cluster.name, {}).values() if one.last_status == "RUNNING"]
    cluster.active_services_count = len(services)
    cluster.running_tasks_count = sum(one.running_count for one in services) + len(tasks)
    cluster.pending_tasks_count = 0


def _settle(service: Service) -> None:
    service.running_count = service.desired_count
    service.pending_count = 0
    if service.deployment_controller["type"] != "ECS":
        return
    (deployment,) = service.deployments
    if deployment["taskDefinition"] != service.task_definition:
        deployment["id"] = f"ecs-svc/{mock_random.randint(0, 32**12)}"
        deployment["createdAt"] = utcnow()
        deployment["taskDefinition"] = service.task_definition
    deployment["desiredCount"] = deployment["runningCount"] = service.desired_count
    deployment["pendingCount"] = 0
    deployment["rolloutState"] = "COMPLETED"
    deployment["rolloutStateReason"] = f"ECS deployment {deployment['id']} completed."


def _newest(backend: EC2ContainerServiceBackend, family: str) -> int | None:
    """A family alone means its newest active revision; moto takes an inactive one too."""
    return max((number for number, one in backend.task_definitions[family].items() if one.status == "ACTIVE"), default=None)


def _active(backend: EC2ContainerServiceBackend, task_definition: str) -> str:
    found = backend.describe_task_definition(task_definition)
    if found.status != "ACTIVE":
        raise EcsClientException("TaskDefinition is inactive")
    return found.arn


def apply() -> None:
    moto_describe = EC2ContainerServiceBackend.describe_task_definition
    moto_create = EC2ContainerServiceBackend.create_service
    moto_delete = EC2ContainerServiceBackend.delete_service
    moto_create_response = EC2ContainerServiceResponse.create_service

    def describe_task_definition(self: EC2ContainerServiceBackend, task_definition_str: str) -> TaskDefinition:
        name = task_definition_str.split("/")[-1]
        if ":" not in name and name in self.task_definitions:
            name = f"{name}:{_newest(self, name) or 0}"
        return moto_describe(self, name)

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
        if existing is not None and existing.status != "INACTIVE":
            raise InvalidParameterException("Creation of service was not idempotent.")
        arn = _active(self, task_definition_str) if task_definition_str else None
        service = moto_create(self, cluster_str, service_name, desired_count, arn, *args, **kwargs)
        for field, default in _KEPT.items():
            setattr(service, xform_name(field), default)
        _settle(service)
        _recount(self, cluster)
        return service

    def create_service_response(self: EC2ContainerServiceResponse) -> ActionResult:
        result = moto_create_response(self)
        params = self._get_params()
        for field in _KEPT.keys() & params.keys():
            setattr(result.result["service"], xform_name(field), params[field])
        return result

    def update_service(self: EC2ContainerServiceResponse) -> ActionResult:
        params = dict(self._get_params())
        backend = self.ecs_backend
        cluster = backend._get_cluster(params.pop("cluster", "default"))
        service = backend._get_service(cluster.name, params.pop("service").split("/")[-1])
        if service.status == "INACTIVE":
            raise InvalidParameterException("Service was not ACTIVE.")
        forced = params.pop("forceNewDeployment", False)
        if "taskDefinition" in params:
            if service.deployment_controller["type"] == "CODE_DEPLOY":
                raise InvalidParameterException(
                    "Unable to update task definition on services with a CODE_DEPLOY deployment controller. "
                    "Use AWS CodeDeploy to trigger a new deployment."
                )
            params["taskDefinition"] = _active(backend, params["taskDefinition"])
        for field, value in params.items():
            setattr(service, xform_name(field), value)
        if forced and service.deployments:
            service.deployments[0]["taskDefinition"] = None
        _settle(service)
        _recount(backend, cluster)
        return ActionResult({"service": service})

    def delete_service(self: EC2ContainerServiceBackend, cluster_name: str, service_name: str, force: bool) -> Service:
        service = moto_delete(self, cluster_name, service_name, force)
        service.running_count = 0
        _recount(self, self._get_cluster(cluster_name))
        return service

    EC2ContainerServiceBackend.describe_task_definition = describe_task_definition
    EC2ContainerServiceBackend.create_service = create_service
    EC2ContainerServiceBackend.delete_service = delete_service
    EC2ContainerServiceResponse.create_service = create_service_response
    EC2ContainerServiceResponse.update_service = update_service
    # Subnets and security groups belong to EC2, which no part of this sandbox fills.
    Service._validate_network = lambda self, network: network
