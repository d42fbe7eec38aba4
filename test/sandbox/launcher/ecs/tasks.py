"""Tasks: PENDING, RUNNING, DEACTIVATING, STOPPED, each after the time of the account's settings.

moto's own tasks need subnets, container instances and containers with `memory`, are RUNNING at once and come nearer to STOPPED each
time they are looked at.
"""

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from moto.ecs.models import Cluster, EC2ContainerServiceBackend, Task, TaskDefinition
from moto.moto_api._internal import mock_random
from moto.utilities.utils import get_partition

from . import messages, orders, pace

if TYPE_CHECKING:
    from moto.secretsmanager.models import FakeSecret, ReplicaSecret

#: Seconds for which a stopped task can be seen (ECS DescribeTasks).
_SEEN_AFTER_STOP = 3600.0

#: Called after each change of a task's status.
Watcher = Callable[["SandboxTask"], None]


class LaunchFailed(Exception):
    """ECS could not make the task; the text is what it says about it."""


class SandboxTask(Task):
    """One task. Attributes are named as moto's serializer looks for the fields of ECS Task."""

    def __init__(
        self,
        backend: EC2ContainerServiceBackend,
        cluster: Cluster,
        definition: TaskDefinition,
        given: dict[str, Any],
        secret_versions: list[dict[str, str]],
        failure: orders.Failure | None,
        watcher: Watcher,
    ) -> None:
        # Not moto's __init__: it asks EC2 for network interfaces. It keeps the status in `ManagedState`, we in `_last_status`.
        now = pace.now(backend.account_id)
        self.id = mock_random.uuid4().hex
        self._backend, self._account_id, self.region_name = backend, backend.account_id, cluster.region_name
        self.cluster_name, self.cluster_arn = cluster.name, cluster.arn
        prefix = f"arn:{get_partition(cluster.region_name)}:ecs:{cluster.region_name}:{backend.account_id}"
        self._arn = f"{prefix}:task/{cluster.name}/{self.id}"
        self.container_instance_arn = None
        self.task_definition_arn = definition.arn
        self.overrides = given.get("overrides") or {}
        self.started_by = given.get("startedBy") or None
        self.group = given.get("group") or f"family:{definition.family}"
        self.tags = given.get("tags") or []
        self.launch_type = given.get("launchType")
        self.platform_version = given.get("platformVersion") or ("1.4.0" if self.launch_type == "FARGATE" else None)
        self.platform_family = "Linux" if self.launch_type == "FARGATE" else None
        self.enable_execute_command = given.get("enableExecuteCommand") or False
        self.cpu, self.memory = definition.cpu, definition.memory
        self.attachments: list[dict[str, Any]] = []
        self.availability_zone = f"{cluster.region_name}a"
        self.connectivity: str | None = None
        self.health_status = "UNKNOWN"
        self.version = 0
        self.created_at = now
        self.pull_started_at: datetime | None = None
        self.started_at: datetime | None = None
        self.stopping_at: datetime | None = None
        self.stopped_at: datetime | None = None
        self.stop_code: str | None = None
        self.stopped_reason: str | None = None
        self.desired_status = "RUNNING"
        self.containers = [
            {
                "containerArn": f"{prefix}:container/{cluster.name}/{self.id}/{mock_random.uuid4()}",
                "taskArn": self.task_arn,
                "name": one["name"],
                "image": one.get("image"),
                "lastStatus": "PENDING",
                "healthStatus": "UNKNOWN",
                "networkInterfaces": [],
            }
            for one in definition.container_definitions
        ]
        #: Name and ARN of each injected secret, and the version that was current when it was read. ECS does not tell; the control API does.
        self.secret_versions = secret_versions
        self._failure = failure
        self._watcher = watcher
        self._last_status = ""
        self._become("PENDING")

    @property
    def task_arn(self) -> str:
        return self._arn

    @property
    def last_status(self) -> str:
        return self._last_status

    @property
    def pending(self) -> bool:
        return self._last_status == "PENDING"

    @property
    def running(self) -> bool:
        return self._last_status == "RUNNING"

    @property
    def alive(self) -> bool:
        """To be, or to become, RUNNING."""
        return self.desired_status == "RUNNING"

    def advance(self) -> None:
        """Looking at a task does not change it."""

    def _become(self, status: str, exit_code: int | None = None) -> None:
        self._last_status = status
        self.version += 1
        for container in self.containers:
            container["lastStatus"] = "RUNNING" if status == "DEACTIVATING" else status
            if exit_code is not None:
                container["exitCode"] = exit_code
        messages.task_changed(self)

    def begin(self) -> None:
        """Lets time pass for a task just launched."""
        pace.later(self._account_id, orders.of(self._account_id).start_seconds, self._start)

    def be_running(self) -> None:
        """For a task of the account's past."""
        self.pull_started_at = self.started_at = self.created_at
        self.connectivity = "CONNECTED"
        self._last_status = "RUNNING"
        self.version = 2
        for container in self.containers:
            container["lastStatus"] = "RUNNING"

    def _start(self) -> None:
        if not self.pending or not self.alive:
            return
        failure, now = self._failure, pace.now(self._account_id)
        self.pull_started_at = now
        if failure is not None and failure.stage == "start":
            self._over("TaskFailedToStart", failure.text(None), None)
            return
        self.started_at, self.connectivity = now, "CONNECTED"
        self._become("RUNNING")
        if failure is not None:
            delay = max(orders.of(self._account_id).start_seconds, 0.1)
            pace.later(self._account_id, delay, lambda: self._exit(failure))
        self._watcher(self)

    def _exit(self, failure: orders.Failure) -> None:
        if self.running and self.alive:
            self._over("EssentialContainerExited", failure.text(None), failure.exit_code)

    def stop(self, code: str, reason: str) -> None:
        """Asks the task to stop; it has stopped `stopSeconds` later."""
        if not self.alive:
            return
        was_running = self.running
        self.desired_status = "STOPPED"
        self.stop_code, self.stopped_reason, self.stopping_at = code, reason, pace.now(self._account_id)
        self._become("DEACTIVATING")
        pace.later(self._account_id, orders.of(self._account_id).stop_seconds, lambda: self._over(code, reason, 0 if was_running else None))
        self._watcher(self)

    def _over(self, code: str, reason: str, exit_code: int | None) -> None:
        self.desired_status = "STOPPED"
        self.stop_code, self.stopped_reason = code, reason
        self.stopped_at = pace.now(self._account_id)
        self.stopping_at = self.stopping_at or self.stopped_at
        self.connectivity = None
        self._become("STOPPED", exit_code)
        pace.later(self._account_id, _SEEN_AFTER_STOP, lambda: self._backend.tasks[self.cluster_name].pop(self.task_arn, None))
        self._watcher(self)


def launch(
    backend: EC2ContainerServiceBackend,
    cluster: Cluster,
    definition: TaskDefinition,
    given: dict[str, Any],
    watcher: Watcher,
    past: bool = False,
) -> SandboxTask:
    """
    Makes a task. `given` are fields as RunTask names them. A task of the `past` is RUNNING, and none of its changes is told.
    Secrets are read now: a task that was created before a label moved and started after it has the old value, the worst that ECS may do.
    Raises LaunchFailed when a test ordered that.
    """
    versions = _secret_versions(backend, definition)
    name = f"{definition.family}:{definition.revision}"
    failure = None if past else orders.of(backend.account_id).failure_of(name, versions)
    if failure is not None and failure.stage == "launch":
        roles = (getattr(definition, "task_role_arn", None), getattr(definition, "execution_role_arn", None))
        raise LaunchFailed(failure.text(next((role for role in roles if role), None)))
    with messages.quiet(past):
        task = SandboxTask(backend, cluster, definition, given, versions, failure, watcher)
    backend.tasks.setdefault(cluster.name, {})[task.task_arn] = task
    if past:
        task.be_running()
    else:
        task.begin()
    return task


def _secret_versions(backend: EC2ContainerServiceBackend, definition: TaskDefinition) -> list[dict[str, str]]:
    read = []
    for container in definition.container_definitions:
        log_options = container.get("logConfiguration", {}).get("secretOptions", [])
        for reference in [*container.get("secrets", []), *log_options]:
            # arn:aws:secretsmanager:region:account:secret:name-suffix:json-key:stage:version
            parts = reference["valueFrom"].split(":")
            if parts[2:3] != ["secretsmanager"]:
                continue
            _json_key, stage, version, *_ = [*parts[7:], "", "", ""]
            secret = _secret(backend.account_id, parts)
            version = version or (secret and _version(secret, stage or "AWSCURRENT"))
            if secret and version:
                found = {"secretArn": secret.arn, "secretName": secret.name, "versionId": version}
                read.append({"container": container["name"], "name": reference["name"], **found})
    return read


def _secret(account: str, parts: list[str]) -> "FakeSecret | ReplicaSecret | None":
    from moto.secretsmanager.models import secretsmanager_backends

    store = secretsmanager_backends[account][parts[3]].secrets
    # The store's own get() looks through all secrets.
    for name in (parts[6].rsplit("-", 1)[0], parts[6]):
        secret = dict.get(store, name)
        if secret is not None and secret.arn.split(":")[6] in (parts[6], f"{parts[6]}{secret.arn[-7:]}"):
            return secret
    return None


def _version(secret: "FakeSecret | ReplicaSecret", stage: str) -> str | None:
    return next((id for id, one in secret.versions.items() if stage in (one.get("version_stages") or [])), None)
