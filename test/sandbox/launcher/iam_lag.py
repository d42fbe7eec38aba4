"""IAM is eventually consistent: with a lag, reads see the state of that long ago, and nothing newer can be assumed or passed.

IAM User Guide, Troubleshooting IAM: changes that I make are not always immediately visible. The answer to a write is never stale.
Before each write a copy of IAM's state is kept until it is older than the lag.
"""

import copy
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qs

from moto.iam.models import IAMBackend, iam_backends
from moto.utilities.utils import get_partition

from . import accounts, clock, settings
from .calls import Call

#: Account and partition -> (when a write replaced it, state), oldest first.
_past: dict[tuple[str, str], list[tuple[float, dict[str, Any]]]] = {}


def forget(account: str) -> None:
    for key in [key for key in _past if key[0] == account]:
        del _past[key]


def _copy(backend: IAMBackend) -> dict[str, Any]:
    # 1,400 AWS managed policies: what changes of one is its count of attachments.
    memo: dict[int, Any] = {id(one): copy.copy(one) for one in backend.aws_managed_policies}
    memo[id(backend)] = backend
    return copy.deepcopy(backend.__dict__, memo)


def _seen(account: str, partition: str) -> dict[str, Any] | None:
    """The state that readers of `account` see; None: the present one."""
    states = _past.get((account, partition), [])
    horizon = clock.now(account) - settings.of(account).iam_lag / 1000
    while states and states[0][0] <= horizon:
        states.pop(0)
    return states[0][1] if states else None


@contextmanager
def around(call: Call) -> Iterator[None]:
    """Shows a read the past; keeps the state before a write."""
    if call.service != "iam" or settings.of(call.account).iam_lag == 0:
        yield
        return
    partition = get_partition(call.region)
    backend = iam_backends[call.account][partition]
    if not call.reads:
        _past.setdefault((call.account, partition), []).append((clock.now(call.account), _copy(backend)))
        yield
        return
    state = _seen(call.account, partition)
    present = backend.__dict__
    if state is not None:
        backend.__dict__ = state
    try:
        yield
    finally:
        backend.__dict__ = present


def _unseen(arn: str) -> bool:
    """True for a role that exists, but not yet for readers."""
    _, partition, _, _, account, _ = (arn.split(":", 5) + [""] * 6)[:6]
    state = _seen(account, partition)
    if state is None:
        return False
    exists = any(role.arn == arn for role in iam_backends[account][partition].roles.values())
    return exists and all(role.arn != arn for role in state["roles"].values())


def refusal(call: Call) -> tuple[int, str, str] | None:
    """Status, code and message when the call needs a role that is too new."""
    if not _past:
        return None
    who = f"User: {accounts.caller_of(call.account)} is not authorized to perform:"
    if call.service == "sts" and call.operation == "AssumeRole":
        arn = parse_qs(call.body.decode()).get("RoleArn", [""])[0]
        return (403, "AccessDenied", f"{who} sts:AssumeRole on resource: {arn}") if _unseen(arn) else None
    if call.service == "ecs" and call.operation in ("RegisterTaskDefinition", "RunTask", "StartTask"):
        request = json.loads(call.body or b"{}")
        for holder in (request, request.get("overrides", {})):
            for arn in (holder.get("taskRoleArn"), holder.get("executionRoleArn")):
                if arn and _unseen(arn):
                    because = "because no identity-based policy allows the iam:PassRole action"
                    return 400, "AccessDeniedException", f"{who} iam:PassRole on resource: {arn} {because}"
    return None
