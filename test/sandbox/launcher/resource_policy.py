"""Whether a resource policy lets an AWS service in: as much of IAM's policy language as policies of queues and buses use."""

import re
from collections.abc import Iterable, Mapping
from typing import Any


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _like(pattern: str, value: str, flags: int = 0) -> bool:
    text = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
    return re.fullmatch(text, value, flags | re.DOTALL) is not None


_OPERATORS = {
    "StringEquals": lambda wanted, value: wanted == value,
    "StringNotEquals": lambda wanted, value: wanted != value,
    "StringLike": _like,
    "ArnEquals": _like,
    "ArnLike": _like,
    "Bool": lambda wanted, value: str(wanted).lower() == value,
}


def _condition_holds(condition: Mapping[str, Mapping[str, Any]], context: Mapping[str, str]) -> bool:
    for operator, keys in condition.items():
        test = _OPERATORS.get(operator)
        for key, wanted in keys.items():
            value = context.get(key.lower())
            if test is None or value is None:
                return False
            results = [test(one, value) for one in _list(wanted)]
            if not (all(results) if "Not" in operator else any(results)):
                return False
    return True


def _names(principal: Any, wanted: Iterable[tuple[str, str]]) -> bool:
    if principal == "*":
        return True
    return isinstance(principal, dict) and any(
        name == "*" or name == value for kind, value in wanted for name in _list(principal.get(kind, []))
    )


def allows(
    policy: Mapping[str, Any] | None, principals: list[tuple[str, str]], action: str, resource: str, context: Mapping[str, str]
) -> bool:
    """`principals` are the ways to name the caller, `("Service", "events.amazonaws.com")`; keys of `context` in lower case."""
    allowed = False
    for statement in _list((policy or {}).get("Statement", [])):
        if not (
            _names(statement.get("Principal"), principals)
            and any(_like(one, action, re.IGNORECASE) for one in _list(statement.get("Action", [])))
            and any(_like(one, resource) for one in _list(statement.get("Resource", resource)))
            and _condition_holds(statement.get("Condition", {}), context)
        ):
            continue
        if statement.get("Effect") == "Deny":
            return False
        allowed = True
    return allowed
