"""What a test may choose for its account. All of it is off, or short, until it does."""

from dataclasses import dataclass, fields
from typing import Any


@dataclass
class Settings:
    #: A trail that logs: API calls become events. AWS needs one (EventBridge User Guide, events from CloudTrail).
    trail: bool = False
    #: Milliseconds from an event to its targets.
    event_delay: int = 10
    #: Milliseconds that reads of IAM, AssumeRole and the right to pass a role lag behind writes.
    iam_lag: int = 0


_NAMES = {"trail": "trail", "eventDelayMs": "event_delay", "iamLagMs": "iam_lag"}
_chosen: dict[str, Settings] = {}
_DEFAULT = Settings()
assert set(_NAMES.values()) == {field.name for field in fields(Settings)}


def of(account: str) -> Settings:
    return _chosen.get(account, _DEFAULT)


def choose(account: str, changes: dict[str, Any]) -> None:
    settings = _chosen.setdefault(account, Settings())
    for name, value in changes.items():
        setattr(settings, _NAMES[name], value)


def forget(account: str) -> None:
    _chosen.pop(account, None)
