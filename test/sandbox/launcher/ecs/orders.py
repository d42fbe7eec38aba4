"""What a test ordered for the tasks of an account: how long they take, and which of them fail. The shape is `TaskOrders` of
../../tasks.ts.
"""

from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

_ROLE_REASON = (
    "ECS was unable to assume the role '{role}' that was provided for this task. Please verify that the role being passed has the "
    "proper trust relationship and permissions and that your IAM user has permissions to pass this role."
)


@dataclass
class Failure:
    """Tasks that fail: those whose task definition matches and, when given, that were started with the version of the secret."""

    task_definition: str
    secret: str | None
    version: str | None
    #: `launch`: there is no task at all; `start`: it never runs; `exit`: it runs, then its container exits.
    stage: str
    exit_code: int
    reason: str | None
    times: float

    @staticmethod
    def of(spec: dict[str, Any]) -> "Failure":
        secret = spec.get("secret", {})
        return Failure(
            task_definition=spec.get("taskDefinition", "*"),
            secret=secret.get("id"),
            version=secret.get("version"),
            stage=spec.get("stage", "start"),
            exit_code=spec.get("exitCode", 1),
            reason=spec.get("reason"),
            times=spec.get("times", float("inf")),
        )

    def matches(self, task_definition: str, secrets: list[dict[str, str]]) -> bool:
        if not fnmatchcase(task_definition, self.task_definition):
            return False
        return self.secret is None or any(
            self.secret in (one["secretArn"], one["secretName"]) and self.version in (None, one["versionId"]) for one in secrets
        )

    def text(self, role: str | None) -> str:
        if self.reason is not None:
            return self.reason
        return {
            "launch": _ROLE_REASON.format(role=role),
            "start": "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed",
        }.get(self.stage, "Essential container in task exited")


@dataclass
class Settings:
    start_seconds: float = 0.3
    stop_seconds: float = 0.1
    failures: list[Failure] = field(default_factory=list)

    def failure_of(self, task_definition: str, secrets: list[dict[str, str]]) -> Failure | None:
        """The first that matches and is not used up; uses it once."""
        for failure in self.failures:
            if failure.times > 0 and failure.matches(task_definition, secrets):
                failure.times -= 1
                return failure
        return None


_settings: dict[str, Settings] = {}


def of(account: str) -> Settings:
    return _settings.setdefault(account, Settings())


def forget(account: str) -> None:
    _settings.pop(account, None)


def change(account: str, spec: dict[str, Any]) -> None:
    """Fields that are absent keep their value."""
    settings = of(account)
    settings.start_seconds = spec.get("startSeconds", settings.start_seconds)
    settings.stop_seconds = spec.get("stopSeconds", settings.stop_seconds)
    if "fail" in spec:
        settings.failures = [Failure.of(one) for one in spec["fail"]]
