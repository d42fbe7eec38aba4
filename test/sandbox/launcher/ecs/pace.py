"""When ECS does things: by the clock of the account (`../clock.py`), and not at all while a test holds it."""

from collections.abc import Callable
from datetime import datetime, timezone

from .. import clock

#: Account -> what came due while ECS was held, in its order.
_held: dict[str, list[Callable[[], None]]] = {}


def now(account: str) -> datetime:
    """UTC without a zone, as moto keeps times."""
    return datetime.fromtimestamp(clock.now(account), timezone.utc).replace(tzinfo=None)


def later(account: str, seconds: float, action: Callable[[], None]) -> None:
    def due() -> None:
        waiting = _held.get(account)
        if waiting is None:
            action()
        else:
            waiting.append(action)

    clock.after(account, seconds, due)


def hold(account: str, held: bool) -> None:
    """What came due meanwhile happens as soon as ECS is let go."""
    if held:
        _held.setdefault(account, [])
        return
    for action in _held.pop(account, []):
        clock.after(account, 0, action)


def forget(account: str) -> None:
    _held.pop(account, None)
