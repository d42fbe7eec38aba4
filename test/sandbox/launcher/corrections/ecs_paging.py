"""Pages and limits of the ECS reads."""

import base64
from typing import Any

from moto.core.responses import ActionResult
from moto.ecs.exceptions import InvalidParameterException
from moto.ecs.models import EC2ContainerServiceBackend
from moto.ecs.responses import EC2ContainerServiceResponse

#: DescribeServices takes so many services a call.
SERVICES_PER_CALL = 10


def page(response: EC2ContainerServiceResponse, key: str, items: list[Any], default: int = 100) -> ActionResult:
    size = response._get_int_param("maxResults", default)
    if not 1 <= size <= 100:
        raise InvalidParameterException("maxResults must be between 1 and 100.")
    token = response._get_param("nextToken")
    start = int(base64.b64decode(token)) if token else 0
    result: dict[str, Any] = {key: items[start : start + size]}
    if start + size < len(items):
        result["nextToken"] = base64.b64encode(str(start + size).encode()).decode()
    return ActionResult(result)


def _list_task_definitions(self: EC2ContainerServiceResponse) -> ActionResult:
    family, status = self._get_param("familyPrefix"), self._get_param("status", "ACTIVE")
    found = [
        definition
        for revisions in self.ecs_backend.task_definitions.values()
        for definition in revisions.values()
        if definition.status == status and family in (None, definition.family)
    ]
    found.sort(key=lambda one: (one.family, one.revision), reverse=self._get_param("sort") == "DESC")
    return page(self, "taskDefinitionArns", [one.arn for one in found])


def _list_task_definition_families(self: EC2ContainerServiceResponse) -> ActionResult:
    prefix, status = self._get_param("familyPrefix", ""), self._get_param("status", "ACTIVE")
    families = []
    for family, revisions in sorted(self.ecs_backend.task_definitions.items()):
        active = any(one.status == "ACTIVE" for one in revisions.values())
        if family.startswith(prefix) and status in ("ALL", "ACTIVE" if active else "INACTIVE"):
            families.append(family)
    return page(self, "families", families)


def _list_clusters(self: EC2ContainerServiceResponse) -> ActionResult:
    return page(self, "clusterArns", [one.arn for one in self.ecs_backend.clusters.values() if one.status == "ACTIVE"])


def _list_services(self: EC2ContainerServiceResponse) -> ActionResult:
    cluster = self.ecs_backend._get_cluster(self._get_param("cluster", "default"))
    strategy, launch_type = self._get_param("schedulingStrategy"), self._get_param("launchType")
    arns = sorted(
        one.arn
        for one in self.ecs_backend.services.values()
        if one.cluster_name == cluster.name
        and one.status == "ACTIVE"
        and strategy in (None, one.scheduling_strategy)
        and launch_type in (None, one.launch_type)
    )
    return page(self, "serviceArns", arns, default=10)


def apply() -> None:
    moto_describe = EC2ContainerServiceBackend.describe_services

    def describe_services(self: EC2ContainerServiceBackend, cluster: str, services: list[str]) -> Any:
        if not 1 <= len(services) <= SERVICES_PER_CALL:
            raise InvalidParameterException(f"Services must contain between 1 and {SERVICES_PER_CALL} names.")
        return moto_describe(self, cluster, services)

    EC2ContainerServiceBackend.describe_services = describe_services
    EC2ContainerServiceResponse.list_task_definitions = _list_task_definitions
    EC2ContainerServiceResponse.list_task_definition_families = _list_task_definition_families
    EC2ContainerServiceResponse.list_clusters = _list_clusters
    EC2ContainerServiceResponse.list_services = _list_services
