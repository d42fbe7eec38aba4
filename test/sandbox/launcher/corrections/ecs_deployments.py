"""The service-deployment calls, over the deployments of `../ecs`; moto has none of them."""

from datetime import datetime, timezone
from typing import Any

from moto.core.responses import ActionResult
from moto.ecs.exceptions import ECSException, InvalidParameterException
from moto.ecs.models import EC2ContainerServiceBackend, Service
from moto.ecs.responses import EC2ContainerServiceResponse

from ..ecs import hooks, pace, scheduler
from ..ecs.rollouts import ServiceDeployment
from .ecs_paging import page
from .ecs_tasks import service_of

#: DescribeServiceDeployments and DescribeServiceRevisions take so many ARNs.
_ARNS_PER_CALL = 20


def _list(self: EC2ContainerServiceResponse) -> ActionResult:
    backend = self.ecs_backend
    cluster = backend._get_cluster(self._get_param("cluster", "default"))
    service = service_of(backend, cluster.name, self._get_param("service"))
    status, created = self._get_param("status", []), self._get_param("createdAt", {})
    after, before = (_time(created.get(name)) for name in ("after", "before"))
    found = [
        one
        for one in reversed(service.history)
        if (not status or one.status in status)
        and (after is None or one.created_at > after)
        and (before is None or one.created_at < before)
    ]
    return page(self, "serviceDeployments", found, default=20)


def _time(value: Any) -> datetime | None:
    if value is None:
        return None
    at = value if isinstance(value, datetime) else datetime.fromtimestamp(float(value), timezone.utc)
    return at.astimezone(timezone.utc).replace(tzinfo=None) if at.tzinfo else at


def _services(backend: EC2ContainerServiceBackend, arn: str) -> list[Service]:
    """Of arn:aws:ecs:region:account:kind/cluster/service/id: the service, in a list that may be empty."""
    path = arn.split("/")
    service = backend.services.get(f"{path[1]}:{path[2]}") if len(path) == 4 else None
    return [] if service is None else [service]


def _story(backend: EC2ContainerServiceBackend, arn: str) -> tuple[Service, ServiceDeployment] | None:
    for service in _services(backend, arn):
        for story in service.history:
            if story.service_deployment_arn == arn:
                return service, story
    return None


def _arns(response: EC2ContainerServiceResponse, param: str) -> list[str]:
    arns = response._get_param(param, [])
    if not 1 <= len(arns) <= _ARNS_PER_CALL:
        raise InvalidParameterException(f"{param} must contain between 1 and {_ARNS_PER_CALL} ARNs.")
    return arns


def _describe(self: EC2ContainerServiceResponse) -> ActionResult:
    stories = {arn: _story(self.ecs_backend, arn) for arn in _arns(self, "serviceDeploymentArns")}
    found = [story[1] for story in stories.values() if story is not None]
    return ActionResult({"serviceDeployments": found, "failures": _missing(stories)})


def _describe_revisions(self: EC2ContainerServiceResponse) -> ActionResult:
    backend = self.ecs_backend
    revisions = {
        arn: next((one for service in _services(backend, arn) for one in service.revisions if one.service_revision_arn == arn), None)
        for arn in _arns(self, "serviceRevisionArns")
    }
    found = [one for one in revisions.values() if one is not None]
    return ActionResult({"serviceRevisions": found, "failures": _missing(revisions)})


def _missing(found: dict[str, Any]) -> list[dict[str, str]]:
    return [{"arn": arn, "reason": "MISSING"} for arn, one in found.items() if one is None]


def _in_flight(self: EC2ContainerServiceResponse) -> tuple[Service, ServiceDeployment]:
    arn = self._get_param("serviceDeploymentArn")
    found = _story(self.ecs_backend, arn)
    if found is None:
        raise ECSException("ServiceDeploymentNotFoundException", f"The service deployment {arn} was not found.")
    if found[1].finished or found[1].rollback is not None:
        raise ECSException("ConflictException", f"The service deployment is in status {found[1].status} and cannot be stopped.")
    return found


def _take_back(service: Service, story: ServiceDeployment, reason: str) -> None:
    """Requested now, begun by the scheduler."""
    story.turn("ROLLBACK_REQUESTED" if service.last_completed is not None else "STOP_REQUESTED", reason)

    def begin() -> None:
        if not story.finished and story.rollback is None:
            scheduler.take_back(service, reason, by_user=True)

    pace.later(service._account_id, 0, begin)


def _stop(self: EC2ContainerServiceResponse) -> ActionResult:
    if self._get_param("stopType", "ROLLBACK") != "ROLLBACK":
        raise InvalidParameterException("The valid value of stopType is ROLLBACK.")
    service, story = _in_flight(self)
    _take_back(service, story, "Service deployment was stopped by user.")
    return ActionResult({"serviceDeploymentArn": story.service_deployment_arn})


def _continue(self: EC2ContainerServiceResponse) -> ActionResult:
    service, story = _in_flight(self)
    hook, action = self._get_param("hookId"), self._get_param("action", "CONTINUE")
    if not hooks.resolve(story, hook, action):
        raise InvalidParameterException(f"The service deployment does not wait at hook {hook}.")
    if action == "ROLLBACK":
        _take_back(service, story, "Service deployment was rolled back at a lifecycle hook.")
    else:
        scheduler.poke(service)
    return ActionResult({"serviceDeploymentArn": story.service_deployment_arn})


def apply() -> None:
    EC2ContainerServiceResponse.list_service_deployments = _list
    EC2ContainerServiceResponse.describe_service_deployments = _describe
    EC2ContainerServiceResponse.describe_service_revisions = _describe_revisions
    EC2ContainerServiceResponse.stop_service_deployment = _stop
    EC2ContainerServiceResponse.continue_service_deployment = _continue
