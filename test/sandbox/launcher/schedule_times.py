"""When a schedule expression comes due: `rate(5 minutes)`, `cron(0 3 * * ? *)`, `at(2026-11-24T22:58:00)`.

EventBridge User Guide, Creating a rule that runs on a schedule; EventBridge Scheduler User Guide, Schedule types. Not here: L, W, #.
"""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

#: A time after a given one; None: never again.
Next = Callable[[datetime], datetime | None]

_UNITS = {"minute": 60, "hour": 3600, "day": 86400}
_MONTHS = "JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC".split()
_DAYS = "SUN MON TUE WED THU FRI SAT".split()


def _field(text: str, low: int, high: int, names: list[str] | None = None) -> set[int]:
    def number(one: str) -> int:
        value = names.index(one.upper()) + low if names and one.upper() in names else int(one)
        if not low <= value <= high:
            raise ValueError(one)
        return value

    found: set[int] = set()
    for part in text.split(","):
        span, _, step = part.partition("/")
        if span in ("*", "?"):
            first, last = low, high
        elif "-" in span:
            first, last = (number(one) for one in span.split("-"))
        else:
            first = number(span)
            last = high if step else first
        found.update(range(first, last + 1, int(step or 1)))
    return found


def _cron(text: str, zone: ZoneInfo) -> Next:
    minute, hour, day, month, weekday, year = text.split()
    minutes, hours = sorted(_field(minute, 0, 59)), sorted(_field(hour, 0, 23))
    days, months, weekdays = _field(day, 1, 31), _field(month, 1, 12, _MONTHS), _field(weekday, 1, 7, _DAYS)
    years = _field(year, 1970, 2199)

    def following(after: datetime) -> datetime | None:
        local = after.astimezone(zone)
        for offset in range(366 * 9):
            date = local.date() + timedelta(days=offset)
            if date.year not in years or date.month not in months or date.day not in days:
                continue
            if date.isoweekday() % 7 + 1 not in weekdays:
                continue
            for at_hour in hours:
                for at_minute in minutes:
                    time = datetime(date.year, date.month, date.day, at_hour, at_minute, tzinfo=zone)
                    if time > after:
                        return time
        return None

    return following


def expression(text: str, zone: ZoneInfo, start: datetime) -> Next:
    """@raises ValueError when `text` is no expression"""
    kind, _, rest = text.partition("(")
    inner = rest.removesuffix(")")
    if kind == "cron" and rest.endswith(")"):
        return _cron(inner, zone)
    if kind == "at" and rest.endswith(")"):
        once = datetime.strptime(inner, "%Y-%m-%dT%H:%M:%S").replace(tzinfo=zone)
        return lambda after: once if once > after else None
    rate = re.fullmatch(r"rate\((\d+) (minute|hour|day)s?\)", text)
    if rate is None or int(rate.group(1)) == 0:
        raise ValueError(text)
    seconds = int(rate.group(1)) * _UNITS[rate.group(2)]
    return lambda after: start + timedelta(seconds=((after - start).total_seconds() // seconds + 1) * seconds)
