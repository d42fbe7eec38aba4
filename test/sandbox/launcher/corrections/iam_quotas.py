"""Sizes and counts that AWS limits, with its default values. Sizes do not count white space."""

from moto.iam import models as iam
from moto.iam.exceptions import LimitExceededException

INLINE_PER_ROLE = 10_240
MANAGED_POLICY = 6_144
TRUST_POLICY = 2_048
ATTACHED_PER_ROLE = 10
TAGS = 50


def _size(document: str) -> int:
    return len("".join(document.split()))


def _limit(holds: bool, message: str) -> None:
    if not holds:
        raise LimitExceededException(message)


def apply() -> None:
    backend = iam.IAMBackend
    moto_put, moto_create_policy, moto_create_version = (
        backend.put_role_policy,
        backend.create_policy,
        backend.create_policy_version,
    )
    moto_create_role, moto_update_trust = backend.create_role, backend.update_assume_role_policy
    moto_attach, moto_tag = backend.attach_role_policy, backend.tag_role

    def put_role_policy(self: iam.IAMBackend, role_name: str, policy_name: str, policy_json: str) -> None:
        policies = {**self.get_role(role_name).policies, policy_name: policy_json}
        _limit(
            sum(map(_size, policies.values())) <= INLINE_PER_ROLE,
            f"Maximum policy size of {INLINE_PER_ROLE} bytes exceeded for role {role_name}",
        )
        moto_put(self, role_name, policy_name, policy_json)

    def create_policy(
        self: iam.IAMBackend, description: str, path: str, policy_document: str, *args: object
    ) -> iam.ManagedPolicy:
        _limit(_size(policy_document) <= MANAGED_POLICY, f"Cannot exceed quota for PolicySize: {MANAGED_POLICY}")
        return moto_create_policy(self, description, path, policy_document, *args)

    def create_policy_version(
        self: iam.IAMBackend, policy_arn: str, policy_document: str, set_as_default: bool
    ) -> iam.PolicyVersion:
        _limit(_size(policy_document) <= MANAGED_POLICY, f"Cannot exceed quota for PolicySize: {MANAGED_POLICY}")
        return moto_create_version(self, policy_arn, policy_document, set_as_default)

    def check_trust(document: str) -> None:
        _limit(_size(document) <= TRUST_POLICY, f"Cannot exceed quota for ACLSizePerRole: {TRUST_POLICY}")

    def create_role(self: iam.IAMBackend, role_name: str, assume_role_policy_document: str, *args: object) -> iam.Role:
        check_trust(assume_role_policy_document)
        return moto_create_role(self, role_name, assume_role_policy_document, *args)

    def update_assume_role_policy(self: iam.IAMBackend, role_name: str, policy_document: str) -> None:
        check_trust(policy_document)
        moto_update_trust(self, role_name, policy_document)

    def attach_role_policy(self: iam.IAMBackend, policy_arn: str, role_name: str) -> None:
        attached = self.get_role(role_name).managed_policies
        if policy_arn in attached:
            return  # moto would count the attachment twice
        _limit(len(attached) < ATTACHED_PER_ROLE, f"Cannot exceed quota for PoliciesPerRole: {ATTACHED_PER_ROLE}")
        moto_attach(self, policy_arn, role_name)

    def tag_role(self: iam.IAMBackend, role_name: str, tags: list[dict[str, str]]) -> None:
        role = self.get_role(role_name)
        # Tag keys of roles are case-insensitive; the new spelling stays.
        fresh = {tag["Key"].lower() for tag in tags}
        kept = [tag for tag in role.tags if tag["Key"].lower() not in fresh]
        _limit(len(kept) + len(tags) <= TAGS, f"Cannot exceed quota for TagsPerRole: {TAGS}")
        role.tags = kept
        moto_tag(self, role_name, tags)

    backend.put_role_policy = put_role_policy
    backend.create_policy = create_policy
    backend.create_policy_version = create_policy_version
    backend.create_role = create_role
    backend.update_assume_role_policy = update_assume_role_policy
    backend.attach_role_policy = attach_role_policy
    backend.tag_role = tag_role
