"""GetAccountAuthorizationDetails in pages, users, groups, roles and policies counted together; policies with name and id."""

import base64
import bisect

from moto.core.responses import ActionResult
from moto.iam import models as iam
from moto.iam.exceptions import ValidationError
from moto.iam.responses import IamResponse

_LISTS = {
    "UserDetailList": "users",
    "GroupDetailList": "groups",
    "RoleDetailList": "roles",
    "Policies": "managed_policies",
}


def _get_account_authorization_details(self: IamResponse) -> ActionResult:
    size = self._get_int_param("MaxItems", 100)
    if not 1 <= size <= 1000:
        raise ValidationError(
            f"1 validation error detected: Value '{size}' at 'maxItems' failed to satisfy constraint: "
            "Member must have value between 1 and 1000"
        )
    details = self.backend.get_account_authorization_details(self._get_param("Filter", []))
    # Ordered by key, and the marker is the last key seen: what comes or goes between two pages shifts nothing else.
    entries = sorted(
        ((f"{list_name} {entity.arn}", list_name, entity) for list_name, key in _LISTS.items() for entity in details[key]),
        key=lambda entry: entry[0],
    )
    marker = self._get_param("Marker")
    start = 0
    if marker:
        start = bisect.bisect_right(entries, base64.b64decode(marker).decode(), key=lambda entry: entry[0])
    page = entries[start : start + size]
    result: dict = {name: [] for name in _LISTS}
    for _, list_name, entity in page:
        result[list_name].append(entity)
    result["IsTruncated"] = start + size < len(entries)
    if result["IsTruncated"]:
        result["Marker"] = base64.b64encode(page[-1][0].encode()).decode()
    return ActionResult(result)


def apply() -> None:
    IamResponse.get_account_authorization_details = _get_account_authorization_details
    # The shape is called ManagedPolicyDetail, so that moto's serializer does not find `name` under `PolicyName`.
    iam.Policy.policy_name = property(lambda self: self.name)
    iam.Policy.policy_id = property(lambda self: self.id)
