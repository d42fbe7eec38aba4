"""Rules with a schedule and EventBridge Scheduler fire, by the clock of their account."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from moto.events.models import EventsBackend, Rule
from moto.moto_api._internal import mock_random
from moto.scheduler.exceptions import ValidationException
from moto.scheduler.models import EventBridgeSchedulerBackend, Schedule, ScheduleGroup
from moto.utilities.arns import parse_arn

from . import clock, event_input, events
from .schedule_times import Next, expression


def _now(account: str) -> datetime:
    return datetime.fromtimestamp(clock.now(account), UTC)


def _arm(account: str, following: Next, current: Callable[[], bool], fire: Callable[[], None], ended: Callable[[], None]) -> None:
    """Fires at each time of `following` as long as this is the `current` definition."""

    def plan(after: datetime) -> None:
        time = following(after)
        if time is None:
            ended()
            return

        def due() -> None:
            if current():
                fire()
                plan(time)

        clock.after(account, (time - _now(account)).total_seconds(), due)

    plan(_now(account))


def _arm_rule(backend: EventsBackend, rule: Rule) -> None:
    if not rule.scheduled_expression:
        return
    try:
        following = expression(rule.scheduled_expression, ZoneInfo("UTC"), _now(backend.account_id))
    except ValueError:
        return  # moto accepts a little more than AWS.

    def fire() -> None:
        if rule.state != "DISABLED":
            events.scheduled(rule)

    bus = backend.event_buses[rule.event_bus_name]
    _arm(backend.account_id, following, lambda: bus.rules.get(rule.name) is rule, fire, lambda: None)


def _following(account: str, text: str, timezone: str | None) -> Next:
    try:
        return expression(text, ZoneInfo(timezone or "UTC"), _now(account))
    except ValueError:
        raise ValidationException(f"Invalid Schedule Expression {text}.") from None


def _arm_schedule(backend: EventBridgeSchedulerBackend, group: ScheduleGroup, schedule: Schedule, following: Next) -> None:
    account = backend.account_id
    version = object()
    schedule.version = version

    def current() -> bool:
        return group.schedules.get(schedule.name) is schedule and schedule.version is version

    def fire() -> None:
        moment = clock.now(account)
        early = schedule.start_date is not None and moment < float(schedule.start_date)
        late = schedule.end_date is not None and moment > float(schedule.end_date)
        if schedule.state == "ENABLED" and not early and not late:
            _invoke(account, backend.region_name, schedule)

    def ended() -> None:
        if current() and schedule.action_after_completion == "DELETE":
            group.delete_schedule(schedule.name)

    _arm(account, following, current, fire, ended)


def _invoke(account: str, region: str, schedule: Schedule) -> None:
    target = schedule.target
    arn = parse_arn(target["Arn"])
    values = {
        "aws.scheduler.schedule-arn": schedule.arn,
        "aws.scheduler.scheduled-time": events.timestamp(clock.now(account)),
        "aws.scheduler.execution-id": str(mock_random.uuid4()),
        "aws.scheduler.attempt-number": "1",
    }
    body = target.get("Input")
    for name, value in values.items():
        body = body.replace(f"<{name}>", value) if body else body
    # What AWS sends without Input; its detail is text (seen).
    default = events.envelope(account, region, "aws.scheduler", "Scheduled Event", "{}", [schedule.arn])

    def send() -> None:
        events.role_exists(account, region, target.get("RoleArn"))
        if arn.service == "sqs":
            events.to_queue(target["Arn"], body or event_input.text(default), None, {}, target.get("SqsParameters"))
        elif arn.service == "ecs" and arn.resource_type == "cluster":
            started_by = f"chronos-schedule/{schedule.name}"
            events.run_task(arn, target.get("EcsParameters", {}), body, started_by)
        else:
            raise events.Undeliverable("SDK_CLIENT_ERROR", f"not in the sandbox: {target['Arn']} as target")

    def attributes(error: events.Undeliverable) -> dict[str, str]:
        return {
            "SCHEDULE_ARN": schedule.arn,
            "TARGET_ARN": target["Arn"],
            "ERROR_CODE": error.code,
            "ERROR_MESSAGE": str(error),
        }

    events.or_dead_letter(send, target, body or event_input.text(default), attributes, None, {})


def apply() -> None:
    moto_put_rule = EventsBackend.put_rule
    moto_create = EventBridgeSchedulerBackend.create_schedule
    moto_update = EventBridgeSchedulerBackend.update_schedule

    def put_rule(self: EventsBackend, *args: Any, **kwargs: Any) -> Rule:
        rule = moto_put_rule(self, *args, **kwargs)
        _arm_rule(self, rule)
        return rule

    def create_schedule(self: EventBridgeSchedulerBackend, **kwargs: Any) -> Schedule:
        following = _following(self.account_id, kwargs["schedule_expression"], kwargs.get("schedule_expression_timezone"))
        schedule = moto_create(self, **kwargs)
        _arm_schedule(self, self.schedule_groups[schedule.group_name], schedule, following)
        return schedule

    def update_schedule(self: EventBridgeSchedulerBackend, **kwargs: Any) -> Schedule:
        following = _following(self.account_id, kwargs["schedule_expression"], kwargs.get("schedule_expression_timezone"))
        schedule = moto_update(self, **kwargs)
        _arm_schedule(self, self.schedule_groups[schedule.group_name], schedule, following)
        return schedule

    EventsBackend.put_rule = put_rule
    EventBridgeSchedulerBackend.create_schedule = create_schedule
    EventBridgeSchedulerBackend.update_schedule = update_schedule
