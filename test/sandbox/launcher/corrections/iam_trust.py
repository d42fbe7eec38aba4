"""Trust policies: validated when a role is created, their principals must exist, and a deleted principal shows as its id."""

import json
import re

from moto.iam import models as iam
from moto.iam.exceptions import MalformedPolicyDocument
from moto.iam.policy_validation import IAMTrustPolicyDocumentValidator

_ARN = re.compile(r"arn:(aws[a-z-]*):iam::(\d{12}):(?:(root)|(role|user)/(.+))")
_ACCOUNT = re.compile(r"\d{12}")
_SESSION = re.compile(r"arn:aws[a-z-]*:sts::\d{12}:(assumed-role/[^/*]+|federated-user)/[^/*]+")
_ID = re.compile(r"A(ROA|IDA)[A-Z0-9]+")


def _exists(principal: str) -> bool:
    if principal == "*" or _ACCOUNT.fullmatch(principal) or _SESSION.fullmatch(principal):
        return True
    if _ID.fullmatch(principal):
        return any(
            principal in backend.roles or any(user.id == principal for user in backend.users.values())
            for account in iam.iam_backends.values()
            for backend in account.values()
        )
    arn = _ARN.fullmatch(principal)
    if arn is None:
        return False
    partition, account, root, kind, _ = arn.groups()
    if root:
        return True
    if account not in iam.iam_backends:
        return False
    backend = iam.iam_backends[account][partition]
    entities = backend.roles if kind == "role" else backend.users
    return any(entity.arn == principal for entity in entities.values())


def _check_principals(document: str) -> None:
    statements = json.loads(document)["Statement"]
    for statement in statements if isinstance(statements, list) else [statements]:
        principal = statement.get("Principal", statement.get("NotPrincipal"))
        if principal is None:
            raise MalformedPolicyDocument("Missing required field Principal")
        if principal == "*":
            continue
        if not isinstance(principal, dict) or not principal.keys() <= {"AWS", "Service", "Federated", "CanonicalUser"}:
            raise MalformedPolicyDocument("Invalid principal in policy.")
        named = principal.get("AWS", [])
        for name in named if isinstance(named, list) else [named]:
            if not _exists(name):
                raise MalformedPolicyDocument(f'Invalid principal in policy: "AWS":"{name}"')


def apply() -> None:
    moto_create, moto_update, moto_delete = (
        iam.IAMBackend.create_role,
        iam.IAMBackend.update_assume_role_policy,
        iam.IAMBackend.delete_role,
    )

    def check_version(self: IAMTrustPolicyDocumentValidator) -> None:
        # AWS's own examples of trust policies still carry 2008-10-17; _validate_version_syntax checks what is given.
        pass

    def create_role(self: iam.IAMBackend, role_name: str, assume_role_policy_document: str, *args: object, **kwargs: object) -> iam.Role:
        IAMTrustPolicyDocumentValidator(assume_role_policy_document).validate()
        _check_principals(assume_role_policy_document)
        return moto_create(self, role_name, assume_role_policy_document, *args, **kwargs)

    def update_assume_role_policy(self: iam.IAMBackend, role_name: str, policy_document: str) -> None:
        self.get_role(role_name)
        IAMTrustPolicyDocumentValidator(policy_document).validate()
        _check_principals(policy_document)
        moto_update(self, role_name, policy_document)

    def delete_role(self: iam.IAMBackend, role_name: str) -> None:
        role = self.get_role(role_name)
        moto_delete(self, role_name)
        arn, unique = json.dumps(role.arn), json.dumps(role.id)
        for account in iam.iam_backends.values():
            for backend in account.values():
                for other in backend.roles.values():
                    if arn in other.assume_role_policy_document:
                        other.assume_role_policy_document = other.assume_role_policy_document.replace(arn, unique)

    IAMTrustPolicyDocumentValidator._validate_version = check_version
    iam.IAMBackend.create_role = create_role
    iam.IAMBackend.update_assume_role_policy = update_assume_role_policy
    iam.IAMBackend.delete_role = delete_role
