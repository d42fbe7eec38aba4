"""Who made a call, as CloudTrail's userIdentity says it (CloudTrail User Guide, userIdentity element)."""

from typing import Any

from moto.iam.models import iam_backends
from moto.sts.models import sts_backends
from moto.utilities.utils import get_partition

from . import accounts, clock, events
from .calls import Call


def _arn(call: Call) -> str:
    partition = get_partition(call.region)
    assumed = sts_backends[call.account][partition].get_assumed_role_from_access_key(call.access_key)
    if assumed is not None:
        return assumed.arn
    for user in iam_backends[call.account][partition].users.values():
        if any(key.access_key_id == call.access_key for key in user.access_keys):
            return user.arn
    return accounts.caller_of(call.account)


def of(call: Call) -> dict[str, Any]:
    arn = _arn(call)
    _, partition, _, _, account, resource = arn.split(":", 5)
    kind, *names = resource.split("/")
    base = {"arn": arn, "accountId": account, "accessKeyId": call.access_key}
    if kind == "root":
        return {"type": "Root", "principalId": account, **base}
    if kind != "assumed-role":
        return {"type": "IAMUser", "principalId": f"AIDASANDBOX{account[:10]}", **base, "userName": names[-1]}
    name, session = names
    roles = iam_backends[account][partition].roles.values()
    role = next((one for one in roles if one.name == name), None)
    role_id = role.id if role else f"AROASANDBOX{account[:10]}"
    return {
        "type": "AssumedRole",
        "principalId": f"{role_id}:{session}",
        **base,
        "sessionContext": {
            "sessionIssuer": {
                "type": "Role",
                "principalId": role_id,
                # Unlike the session's, it has the role's path.
                "arn": role.arn if role else f"arn:{partition}:iam::{account}:role/{name}",
                "accountId": account,
                "userName": name,
            },
            "attributes": {"creationDate": events.timestamp(clock.now(account)), "mfaAuthenticated": "false"},
        },
    }
