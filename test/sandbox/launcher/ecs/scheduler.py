"""What ECS does next for a service: starts tasks, stops tasks, ends a deployment well or badly, takes it back.

Rolling update, by `minimumHealthyPercent` and `maximumPercent` (ECS DeploymentConfiguration). Each entry point below leaves the work
to the clock, so that the answer to a call shows the state before it, as ECS's answers do.
"""

from math import ceil
from typing import Any

from moto.ecs.models import EC2ContainerServiceBackend, Service

from . import hooks, messages, orders, pace, tasks
from .rollouts import REVISED, Deployment, ServiceDeployment, breaker, threshold
from .tasks import SandboxTask

#: From so many failures in a row on, the scheduler says so and waits longer and longer, up to a minute.
_IMPAIRED = 3
_LONGEST_REST = 60.0

#: Seconds until the scheduler looks, so that what happens together is seen together.
_LOOKS = 0.01


def adopt(service: Service, backend: EC2ContainerServiceBackend) -> None:
    """Takes a service that moto has just made; nothing runs yet."""
    service.rollouts = []
    service.history = []
    service.revisions = []
    service.last_completed = None
    service.steady = service.poked = False
    service.created_at = pace.now(service._account_id)
    service.platform_family = "Linux" if service.launch_type == "FARGATE" else None
    service.deployments = service.rollouts if rolling(service) else []
    if service.task_definition is not None:
        _enter(service, Deployment(service, backend))


def settle(service: Service) -> None:
    """Makes a new service one that has been running for long."""
    for deployment in service.rollouts:
        with messages.quiet(True):
            for _ in range(service.desired_count):
                deployment.tasks.append(_launch(service, deployment, past=True))
            _complete(service, deployment)
            service.steady = True
            messages.say(service, "has reached a steady state.")


def roll(service: Service, backend: EC2ContainerServiceBackend) -> None:
    """Begins a deployment of what the service's fields say now."""
    deployment = Deployment(service, backend)
    current = _current(service)
    if current is not None:
        current.end("STOPPED", f"Service deployment was replaced by deployment {deployment.id}.")
    for old in service.rollouts:
        old.status = "ACTIVE"
    _enter(service, deployment)
    poke(service)


def take_back(service: Service, reason: str, by_user: bool = False) -> None:
    """Goes back to the deployment that was completed last; there may be none, then the service stays as it is."""
    failed, target, story = service.rollouts[0], service.last_completed, service.history[-1]
    if target is None or target is failed:
        if failed.rollout_state != "FAILED":
            failed.turn("FAILED", reason)
        story.end("ROLLBACK_FAILED" if story.rollback else "STOPPED", reason)
        return
    failed.status = "ACTIVE"
    if target in service.rollouts:
        service.rollouts.remove(target)
    service.rollouts.insert(0, target)
    target.announced = True
    target.status, target.failed_tasks, target.failures_in_a_row, target.resting = "PRIMARY", 0, 0, False
    prefix = "ECS deployment" if by_user else "ECS deployment circuit breaker:"
    target.turn("IN_PROGRESS", f"{prefix} rolling back to deploymentId {target.id}.")
    for name in REVISED:
        setattr(service, name, getattr(target.revision, name))
    story.turn("ROLLBACK_IN_PROGRESS", reason)
    arn = target.revision.service_revision_arn
    story.rollback = {"reason": reason, "startedAt": story.updated_at, "serviceRevisionArn": arn}
    story.lifecycle_stage = None
    service.steady = False
    messages.say(service, f"rolling back to deployment {target.id}.")
    messages.deployment_changed(service, target, "IN_PROGRESS")
    poke(service)


def end(service: Service) -> bool:
    """Stops all tasks of a deleted service. Returns whether there are any."""
    story = _current(service)
    if story is not None:
        story.end("STOPPED", "Service was deleted.")
    for deployment in service.rollouts:
        for task in deployment.alive:
            task.stop("ServiceSchedulerInitiated", f"Scaling activity initiated by (deployment {deployment.id})")
    return any(deployment.tasks for deployment in service.rollouts)


def poke(service: Service) -> None:
    """Has the scheduler look at the service."""
    if service.poked or not service.rollouts:
        return
    service.poked = True

    def look() -> None:
        service.poked = False
        _reconcile(service)

    pace.later(service._account_id, _LOOKS, look)


def rested(service: Service) -> None:
    """Tries again at once, after a test has changed what fails."""
    for deployment in service.rollouts:
        deployment.resting, deployment.failures_in_a_row = False, 0
    poke(service)


def rolling(service: Service) -> bool:
    """Whether ECS itself deploys it, not CodeDeploy or somebody else."""
    return service.deployment_controller["type"] == "ECS"


def _current(service: Service) -> ServiceDeployment | None:
    last = service.history[-1] if service.history else None
    return None if last is None or last.finished else last


def _enter(service: Service, deployment: Deployment) -> None:
    sources = [one for one in service.rollouts if one.alive]
    service.rollouts.insert(0, deployment)
    service.revisions.append(deployment.revision)
    if rolling(service):
        service.history.append(ServiceDeployment(service, deployment, sources))
        service.steady = False


def _launch(service: Service, deployment: Deployment, past: bool = False) -> SandboxTask:
    backend = service._backend
    given: dict[str, Any] = {
        "group": f"service:{service.name}",
        "startedBy": deployment.id,
        "launchType": deployment.launch_type,
        "platformVersion": deployment.platform_version,
        "enableExecuteCommand": service.enable_execute_command,
        "tags": service.tags if service.propagate_tags == "SERVICE" else [],
    }
    definition = backend.describe_task_definition(deployment.task_definition)
    cluster = backend._get_cluster(service.cluster_name)
    return tasks.launch(backend, cluster, definition, given, lambda task: _changed(service, deployment, task), past)


def _changed(service: Service, deployment: Deployment, task: SandboxTask) -> None:
    """A task runs, stops or has stopped."""
    if not task.running:
        service.steady = False
    elif breaker(service).get("resetOnHealthyTask", True):
        deployment.failed_tasks = 0
    if task.last_status == "STOPPED":
        deployment.tasks.remove(task)
        if task.stop_code == "TaskFailedToStart":
            _failed(service, deployment)
        elif task.stop_code == "EssentialContainerExited":
            _rest(service, deployment)
    poke(service)


def _failed(service: Service, deployment: Deployment) -> None:
    deployment.failed_tasks += 1
    _rest(service, deployment)
    if deployment.failures_in_a_row == _IMPAIRED:
        messages.say(service, "is unable to consistently start tasks successfully. For more information, see the Troubleshooting section.")
        messages.service_action(service, "WARN", "SERVICE_TASK_START_IMPAIRED")
    rule = breaker(service)
    at_work = deployment is service.rollouts[0] and deployment.rollout_state == "IN_PROGRESS" and rolling(service)
    if not rule["enable"] or not at_work or deployment.failed_tasks < threshold(service):
        return
    deployment.turn("FAILED", "ECS deployment circuit breaker: tasks failed to start.")
    messages.say(service, f"(deployment {deployment.id}) deployment failed: tasks failed to start.")
    messages.deployment_changed(service, deployment, "FAILED")
    story = service.history[-1]
    if rule["rollback"] and story.rollback is None:
        take_back(service, "Service deployment rolled back because the circuit breaker threshold was exceeded.")
    else:
        story.end("ROLLBACK_FAILED" if story.rollback else "STOPPED", "Circuit breaker threshold was exceeded.")


def _rest(service: Service, deployment: Deployment) -> None:
    """Each failure makes the next try wait; tasks that fail together share one wait."""
    deployment.failures_in_a_row += 1
    if deployment.resting:
        return
    deployment.resting = True
    step = max(orders.of(service._account_id).start_seconds, 0.05)
    limit = max(_IMPAIRED, threshold(service))
    seconds = min(_LONGEST_REST, step * 2.0 ** max(0, deployment.failures_in_a_row - limit))

    def again() -> None:
        deployment.resting = False
        poke(service)

    pace.later(service._account_id, seconds, again)


def _reconcile(service: Service) -> None:
    if service.status == "DRAINING" and not any(one.tasks for one in service.rollouts):
        service.status = "INACTIVE"
    if service.status != "ACTIVE":
        return
    primary = service.rollouts[0]
    for old in [one for one in service.rollouts[1:] if not one.tasks]:
        _leave(service, old)
    story = _current(service)
    if story is not None and not primary.announced:
        primary.announced = True
        messages.deployment_changed(service, primary, "IN_PROGRESS")
    if story is not None and not hooks.may_pass(service, story, "PRE_SCALE_UP"):
        return
    _start_tasks(service, primary)
    scaled = primary.running_count == service.desired_count
    if scaled and story is not None and not hooks.may_pass(service, story, "POST_SCALE_UP"):
        return
    _stop_tasks(service, primary)
    replaced = len(service.rollouts) == 1 and primary.running_count == service.desired_count and len(primary.tasks) == service.desired_count
    if not replaced:
        return
    if primary.rollout_state == "IN_PROGRESS":
        _complete(service, primary)
    if not service.steady and primary.rollout_state == "COMPLETED":
        service.steady = True
        primary.failures_in_a_row = 0
        messages.say(service, "has reached a steady state.")
        messages.service_action(service, "INFO", "SERVICE_STEADY_STATE")


def _start_tasks(service: Service, primary: Deployment) -> None:
    if primary.resting or primary.rollout_state == "FAILED":
        return
    alive = sum(len(one.alive) for one in service.rollouts)
    most = service.desired_count * service.deployment_configuration.get("maximumPercent", 200) // 100
    # A stopping task no longer counts, as in ECS.
    count = min(service.desired_count - len(primary.alive), max(most - alive, 0))
    started = []
    for _ in range(count):
        try:
            started.append(_launch(service, primary))
        except tasks.LaunchFailed as error:
            messages.say(service, f"failed to launch a task with (error {error}).")
            messages.service_action(service, "ERROR", "SERVICE_TASK_CONFIGURATION_FAILURE", reason=str(error))
            _failed(service, primary)
            break
    primary.tasks.extend(started)
    if started:
        messages.say(service, f"has started {len(started)} tasks: {messages.tasks(started)}.")


def _stop_tasks(service: Service, primary: Deployment) -> None:
    desired, coming = service.desired_count, len(primary.alive)
    spare = sorted(primary.alive, key=lambda one: one.running)[: max(coming - desired, 0)]
    _stop(service, primary, spare)
    running = sum(task.running for one in service.rollouts for task in one.alive)
    surplus = running - desired
    if coming < desired and not primary.resting and primary.rollout_state != "FAILED":
        # maximumPercent leaves no room for all new ones: make some, down to minimumHealthyPercent.
        least = ceil(desired * service.deployment_configuration.get("minimumHealthyPercent", 100) / 100)
        surplus = min(running - least, desired - coming)
    for old in service.rollouts[1:]:
        waiting = [task for task in old.alive if task.pending]
        leaving = [task for task in old.alive if task.running][: max(surplus, 0)]
        surplus -= len(leaving)
        _stop(service, old, [*waiting, *leaving])


def _stop(service: Service, deployment: Deployment, leaving: list[SandboxTask]) -> None:
    for task in leaving:
        task.stop("ServiceSchedulerInitiated", f"Scaling activity initiated by (deployment {deployment.id})")
    if leaving:
        messages.say(service, f"has stopped {len(leaving)} running tasks: {messages.tasks(leaving)}.")


def _leave(service: Service, old: Deployment) -> None:
    """A deployment without tasks is no longer listed; a rollback can bring it back."""
    old.status = "INACTIVE"
    service.rollouts.remove(old)


def _complete(service: Service, deployment: Deployment) -> None:
    deployment.failed_tasks = deployment.failures_in_a_row = 0
    deployment.turn("COMPLETED", f"ECS deployment {deployment.id} completed.")
    service.last_completed = deployment
    story = _current(service)
    if story is not None:
        hooks.close(story)
        story.end("ROLLBACK_SUCCESSFUL" if story.rollback else "SUCCESSFUL")
    if rolling(service):
        messages.say(service, f"(deployment {deployment.id}) deployment completed.")
        messages.deployment_changed(service, deployment, "COMPLETED")
