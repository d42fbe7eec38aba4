"""A managed policy that is in use, or has old versions, cannot be deleted."""

from moto.iam import models as iam
from moto.iam.exceptions import DeleteConflictException


def apply() -> None:
    moto_delete = iam.IAMBackend.delete_policy

    def delete_policy(self: iam.IAMBackend, policy_arn: str) -> None:
        policy = self.get_policy(policy_arn)
        holders = [*self.roles.values(), *self.users.values(), *self.groups.values()]
        if any(
            policy_arn in holder.managed_policies or getattr(holder, "permissions_boundary_arn", None) == policy_arn
            for holder in holders
        ):
            raise DeleteConflictException("Cannot delete a policy attached to entities.")
        if len(policy.versions) > 1:
            raise DeleteConflictException(
                "This policy has more than one version. Before you delete a policy, you must delete the policy's "
                "versions. The default version is deleted with the policy."
            )
        moto_delete(self, policy_arn)

    iam.IAMBackend.delete_policy = delete_policy
