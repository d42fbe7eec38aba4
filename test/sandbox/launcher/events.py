"""EventBridge that delivers as AWS does: later, whole, to targets that are allowed, and never failing the sender.

moto delivers while PutEvents waits, without `account`, also for disabled rules, and fails PutEvents when a target is missing.
"""

import json
import sys
from collections.abc import Callable, Sequence
from typing import Any

from moto.core.utils import iso_8601_datetime_without_milliseconds, unix_time, utcfromtimestamp
from moto.events.models import EventBus, EventsBackend, Rule, events_backends
from moto.iam.models import iam_backends
from moto.moto_api._internal import mock_random
from moto.utilities.arns import Arn, parse_arn
from moto.utilities.utils import get_partition

from . import clock, event_input, resource_policy, settings

#: From bus to bus an event goes at most so often, so that a loop ends.
_HOPS = 5

Event = dict[str, Any]


class Undeliverable(Exception):
    """The target did not take it; AWS would not try again."""

    def __init__(self, code: str, message: str):
        super().__init__(message)
        self.code = code


def emit(account: str, region: str, source: str, detail_type: str, detail: dict[str, Any], resources: Sequence[str] = ()) -> None:
    """An event of an AWS service, on the default bus of `account` in `region`. Delivered after the account's event delay.

    Call it under `clock.lock`. `detail` is copied at once.
    """
    if account not in events_backends or region not in events_backends[account]:
        return  # No rule was ever put there.
    bus = events_backends[account][region].event_buses["default"]
    if bus.rules:
        _later(bus, envelope(account, region, source, detail_type, json.loads(json.dumps(detail, default=str)), resources))


def envelope(
    account: str, region: str, source: str, detail_type: str, detail: Any, resources: Sequence[str], time: float | None = None
) -> Event:
    return {
        "version": "0",
        "id": str(mock_random.uuid4()),
        "detail-type": detail_type,
        "source": source,
        "account": account,
        "time": timestamp(clock.now(account) if time is None else time),
        "region": region,
        "resources": list(resources),
        "detail": detail,
    }


def timestamp(time: float) -> str:
    """`2026-11-24T22:58:00Z`"""
    return iso_8601_datetime_without_milliseconds(utcfromtimestamp(time))


def _later(bus: EventBus, event: Event) -> None:
    clock.after(bus.account_id, settings.of(bus.account_id).event_delay / 1000, lambda: _publish(bus, event, 0))


def _publish(bus: EventBus, event: Event, hops: int) -> None:
    for rule in list(bus.rules.values()):
        # A rule that has a schedule only has no pattern, which moto takes for a match.
        if rule.state != "DISABLED" and rule.event_pattern.get_pattern() and rule.event_pattern.matches_event(event):
            for target in list(rule.targets):
                _to_target(rule, target, event, hops)


def scheduled(rule: Rule) -> None:
    """The rule's schedule has come due."""
    event = envelope(rule.account_id, rule.region_name, "aws.events", "Scheduled Event", {}, [rule.arn])
    for target in list(rule.targets):
        _to_target(rule, target, event, 0)


def _to_target(rule: Rule, target: dict[str, Any], event: Event, hops: int) -> None:
    arn = parse_arn(target["Arn"])
    context = {"aws:sourcearn": rule.arn, "aws:sourceaccount": rule.account_id, "aws:securetransport": "true"}
    principals = [("Service", "events.amazonaws.com")]

    def send() -> None:
        if arn.service == "events" and arn.resource_type == "event-bus":
            _to_bus(rule, target, arn, event, hops)
            return
        body = event_input.for_target(target, event, rule.arn)
        if arn.service == "sqs":
            to_queue(target["Arn"], body, principals, context, target.get("SqsParameters"))
        elif arn.service == "ecs" and arn.resource_type == "cluster":
            role_exists(rule.account_id, rule.region_name, target.get("RoleArn"))
            started_by = f"events-rule/{rule.name}"
            run_task(arn, target.get("EcsParameters", {}), target.get("Input"), started_by)
        else:
            raise Undeliverable("SDK_CLIENT_ERROR", f"not in the sandbox: {target['Arn']} as target")

    def attributes(error: Undeliverable) -> dict[str, str]:
        return {"RULE_ARN": rule.arn, "TARGET_ARN": target["Arn"], "ERROR_CODE": error.code, "ERROR_MESSAGE": str(error)}

    or_dead_letter(send, target, event_input.text(event), attributes, principals, context)


def or_dead_letter(
    send: Callable[[], None],
    target: dict[str, Any],
    body: str,
    attributes: Callable[[Undeliverable], dict[str, str]],
    principals: list[tuple[str, str]] | None,
    context: dict[str, str],
) -> None:
    """Sends, or puts `body` into the dead-letter queue of the target, or drops it. `principals`: see `to_queue`."""
    try:
        send()
        return
    except Undeliverable as error:
        reason = error
    dead = target.get("DeadLetterConfig", {}).get("Arn")
    try:
        if dead is None:
            raise reason
        to_queue(dead, body, principals, context, attributes=attributes(reason))
    except Undeliverable as error:
        print(f"dropped, {target['Arn']}: {error.code}: {error}", file=sys.stderr)


def to_queue(
    queue_arn: str,
    body: str,
    principals: list[tuple[str, str]] | None,
    context: dict[str, str],
    parameters: dict[str, Any] | None = None,
    attributes: dict[str, str] | None = None,
) -> None:
    """`principals`: as whom the queue's policy knows the sender; None when the sender is a role, which the sandbox trusts."""
    from moto.sqs.models import sqs_backends

    arn = parse_arn(queue_arn)
    backend = sqs_backends[arn.account][arn.region]
    queue = backend.queues.get(arn.resource_id)
    if queue is None:
        raise Undeliverable("NO_RESOURCE", "The specified queue does not exist.")
    if principals is not None:
        policy = json.loads(queue.policy) if queue.policy else None
        if not resource_policy.allows(policy, principals, "sqs:SendMessage", queue_arn, context):
            raise Undeliverable("NO_PERMISSIONS", "The queue's policy does not allow sqs:SendMessage.")
    backend.send_message(
        queue.name,
        body,
        message_attributes={
            name: {"DataType": "String", "StringValue": value} for name, value in (attributes or {}).items()
        },
        group_id=(parameters or {}).get("MessageGroupId"),
    )


def role_exists(account: str, region: str, role_arn: str | None) -> None:
    if not role_arn:
        raise Undeliverable("NO_PERMISSIONS", "The target has no RoleArn.")
    if all(role.arn != role_arn for role in iam_backends[account][get_partition(region)].roles.values()):
        raise Undeliverable("NO_PERMISSIONS", f"{role_arn} cannot be assumed.")


def _to_bus(rule: Rule, target: dict[str, Any], arn: Arn, event: Event, hops: int) -> None:
    bus = None
    if arn.account in events_backends and arn.region in events_backends[arn.account].regions:
        bus = events_backends[arn.account][arn.region].event_buses.get(arn.resource_id)
    if bus is None or hops >= _HOPS:
        raise Undeliverable("NO_RESOURCE", f"{target['Arn']} does not exist.")
    if (arn.account, arn.region) != (rule.account_id, rule.region_name):
        role_exists(rule.account_id, rule.region_name, target.get("RoleArn"))
    if arn.account != rule.account_id:
        root = f"arn:{get_partition(arn.region)}:iam::{rule.account_id}:root"
        principals = [("AWS", root), ("AWS", rule.account_id), ("AWS", target["RoleArn"])]
        policy = json.loads(bus.policy) if bus.policy else None
        if not resource_policy.allows(policy, principals, "events:PutEvents", bus.arn, {}):
            raise Undeliverable("NO_PERMISSIONS", f"The policy of {bus.arn} does not allow events:PutEvents.")
    # It stays what it was: id, account and region of where it came from.
    _publish(bus, event, hops + 1)


def run_task(cluster: Arn, parameters: dict[str, Any], given_input: str | None, started_by: str) -> None:
    """RunTask as EventBridge asks for it; Input is the overrides."""
    from moto.ecs.models import ecs_backends

    network = {
        kind: {name[0].lower() + name[1:]: value for name, value in values.items()}
        for kind, values in parameters.get("NetworkConfiguration", {}).items()
    }
    try:
        ecs_backends[cluster.account][cluster.region].run_task(
            cluster.resource_id,
            parameters["TaskDefinitionArn"],
            parameters.get("TaskCount", 1),
            json.loads(given_input) if given_input else None,
            started_by[:36],
            None,
            parameters.get("LaunchType", "FARGATE"),
            network or None,
            group=parameters.get("Group"),
        )
    except Exception as error:
        raise Undeliverable("SDK_CLIENT_ERROR", f"{type(error).__name__}: {error}") from error


def apply() -> None:
    moto_put_events = EventsBackend.put_events

    def put_events(self: EventsBackend, events: list[dict[str, Any]]) -> list[dict[str, Any]]:
        # Keeps moto's checks and its answer; `Rule.send_to_targets` below no longer sends.
        answers = moto_put_events(self, events)
        for index, (given, answer) in enumerate(zip(events, answers, strict=True)):
            if "EventId" not in answer:
                continue
            if given["Source"].startswith("aws."):
                answers[index] = {
                    "ErrorCode": "NotAuthorizedForSourceException",
                    "ErrorMessage": "Not authorized for the source.",
                }
                continue
            event = envelope(
                self.account_id,
                self.region_name,
                given["Source"],
                given["DetailType"],
                json.loads(given["Detail"]),
                given.get("Resources") or [],
                float(given.get("Time") or unix_time()),
            )
            event["id"] = answer["EventId"]
            _later(self._get_event_bus(self._normalize_event_bus_arn(given.get("EventBusName"))), event)
        return answers

    EventsBackend.put_events = put_events
    Rule.send_to_targets = lambda self, original_event, transform_input=True: None
