"""One file a correction; each has a line in ../../BEHAVIOUR.md and a test beside it.

Later corrections (consistency delay, authorization) join this list.
"""

from types import ModuleType

from . import (
    ecs_deployments,
    ecs_paging,
    ecs_services,
    ecs_tasks,
    elb_client_secrets,
    iam_details,
    iam_documents,
    iam_encoding,
    iam_policy_deletion,
    iam_quotas,
    iam_roles,
    iam_trust,
    secret_versions,
)

_ALL: tuple[ModuleType, ...] = (
    iam_encoding,
    iam_details,
    iam_documents,
    # The last to wrap is the first to look: names before sizes before principals, as AWS answers.
    iam_trust,
    iam_quotas,
    iam_roles,
    iam_policy_deletion,
    ecs_services,
    ecs_tasks,
    ecs_deployments,
    ecs_paging,
    secret_versions,
    elb_client_secrets,
)


def apply() -> None:
    for correction in _ALL:
        correction.apply()
