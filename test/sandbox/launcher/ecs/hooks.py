"""Lifecycle hooks of target type PAUSE: a deployment waits at a stage until ContinueServiceDeployment (ECS DeploymentLifecycleHook).

A rolling deployment stops at PRE_SCALE_UP, before its first task, and at POST_SCALE_UP, when its tasks run and the old ones still do.
Other stages, Lambda hooks and the time-out of a hook are not in the sandbox.
"""

from datetime import timedelta

from moto.ecs.models import Service
from moto.moto_api._internal import mock_random

from . import pace
from .rollouts import ServiceDeployment


def may_pass(service: Service, story: ServiceDeployment, stage: str) -> bool:
    if story.rollback is not None:
        return True
    for number, hook in enumerate(service.deployment_configuration.get("lifecycleHooks", [])):
        if hook.get("targetType") != "PAUSE" or stage not in hook.get("lifecycleStages", []):
            continue
        detail = next((one for one in story.lifecycle_hook_details if one["_at"] == (number, stage)), None)
        if detail is None:
            _pause(service, story, stage, number, hook.get("timeoutConfiguration", {}))
            return False
        if detail["status"] == "AWAITING_ACTION":
            return False
    return True


def _pause(service: Service, story: ServiceDeployment, stage: str, number: int, timeout: dict) -> None:
    story.lifecycle_stage = stage
    story.turn("IN_PROGRESS", "Service deployment is paused at a lifecycle hook.")
    story.lifecycle_hook_details.append(
        {
            "_at": (number, stage),
            "hookId": str(mock_random.uuid4()),
            "targetType": "PAUSE",
            "status": "AWAITING_ACTION",
            "expiresAt": pace.now(service._account_id) + timedelta(minutes=timeout.get("timeoutInMinutes", 1440)),
            "timeoutAction": timeout.get("action", "ROLLBACK"),
        }
    )


def resolve(story: ServiceDeployment, hook_id: str, action: str) -> bool:
    """Ends the pause. Returns whether the deployment waited at this hook."""
    for detail in story.lifecycle_hook_details:
        if detail["hookId"] == hook_id and detail["status"] == "AWAITING_ACTION":
            detail["status"] = "SUCCEEDED" if action == "CONTINUE" else "FAILED"
            story.status_reason = None
            return True
    return False


def close(story: ServiceDeployment) -> None:
    story.lifecycle_stage = None
