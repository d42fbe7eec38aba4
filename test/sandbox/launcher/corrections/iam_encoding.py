"""Policy documents are URL-encoded (RFC 3986) wherever IAM returns them."""

from urllib.parse import quote

from moto.core.serialize import never_return
from moto.iam import models as iam
from moto.iam.responses import IamResponse


def encode(document: object) -> object:
    return quote(document, safe="") if isinstance(document, str) else document


def apply() -> None:
    IamResponse.RESPONSE_KEY_PATH_TO_TRANSFORMER.update(
        {
            "CreateRoleResponse.Role.AssumeRolePolicyDocument": encode,
            "GetRoleResponse.Role.AssumeRolePolicyDocument": encode,
            "ListRolesResponse.Roles.Role.AssumeRolePolicyDocument": encode,
            "GetRolePolicyResponse.PolicyDocument": encode,
            "GetUserPolicyResponse.PolicyDocument": encode,
            "GetGroupPolicyResponse.PolicyDocument": encode,
            "GetPolicyVersionResponse.PolicyVersion.Document": encode,
            "CreatePolicyVersionResponse.PolicyVersion.Document": never_return,
            "ListPolicyVersionsResponse.Versions.PolicyVersion.Document": never_return,
            "GetAccountAuthorizationDetailsResponse.RoleDetailList.RoleDetail.AssumeRolePolicyDocument": encode,
        }
    )
    iam.Role.role_policy_list = property(
        lambda self: [{"PolicyName": name, "PolicyDocument": encode(text)} for name, text in self.policies.items()]
    )
    iam.Policy.policy_version_list = property(
        lambda self: [
            {
                "Document": encode(version.document),
                "VersionId": version.version_id,
                "IsDefaultVersion": version.is_default_version,
                "CreateDate": version.create_date,
            }
            for version in self.versions
        ]
    )
