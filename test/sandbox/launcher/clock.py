"""One lock for everything that touches moto, and time that a test can move.

What happens later (deliveries, schedules, tasks that start) is put here with `after`. It runs under the lock, when its time has come
by the clock of its account: the machine's clock, plus what `tick` has moved it ahead.
"""

import heapq
import itertools
import math
import sys
import threading
import time
import traceback
from collections.abc import Callable

#: Held by every request and by everything that runs later.
lock = threading.Lock()

_wake = threading.Event()
_order = itertools.count()
#: Account -> heap of (time, order of arrival, action).
_waiting: dict[str, list[tuple[float, int, Callable[[], None]]]] = {}
#: Account -> seconds that its clock is ahead.
_ahead: dict[str, float] = {}

#: A schedule that comes due at every instant must not keep `tick` forever.
_MOST = 100_000


def now(account: str) -> float:
    """Seconds since 1970 by the clock of `account`."""
    return time.time() + _ahead.get(account, 0.0)


def after(account: str, seconds: float, action: Callable[[], None]) -> None:
    """Runs `action` under the lock, `seconds` from now by the clock of `account`; never if the account is emptied before. Call it under the lock."""
    heapq.heappush(_waiting.setdefault(account, []), (now(account) + seconds, next(_order), action))
    _wake.set()


def tick(account: str, seconds: float) -> None:
    """Moves the clock of `account` ahead; what comes due on the way runs in its order, each at its own time. Call it under the lock."""
    goal = now(account) + seconds
    for _ in range(_MOST):
        heap = _waiting.get(account)
        if not heap or heap[0][0] > goal:
            break
        due, _, action = heapq.heappop(heap)
        _ahead[account] = max(due - time.time(), _ahead.get(account, 0.0))
        _run(action)
    _ahead[account] = max(goal - time.time(), _ahead.get(account, 0.0))
    _wake.set()


def forget(account: str) -> None:
    """Drops what waits in `account`, and sets its clock right."""
    _waiting.pop(account, None)
    _ahead.pop(account, None)


def _run(action: Callable[[], None]) -> None:
    try:
        action()
    except Exception:
        traceback.print_exc(file=sys.stderr)


def _run_due() -> float | None:
    """@returns seconds until something is due, None if nothing waits"""
    soonest = math.inf
    for account in list(_waiting):
        while heap := _waiting.get(account):
            wait = heap[0][0] - now(account)
            if wait > 0:
                soonest = min(soonest, wait)
                break
            _run(heapq.heappop(heap)[2])
        else:
            _waiting.pop(account, None)
    # A thread cannot wait for longer than this.
    return None if soonest == math.inf else min(soonest, 3600.0)


def _work() -> None:
    while True:
        _wake.clear()
        with lock:
            wait = _run_due()
        _wake.wait(wait)


def start() -> None:
    threading.Thread(target=_work, daemon=True).start()
