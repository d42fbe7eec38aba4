"""What a target receives of an event: all of it, or what Input, InputPath or InputTransformer make of it.

EventBridge User Guide, Amazon EventBridge input transformation.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

_STEP = re.compile(r"\.([^.\[\]]+)|\[(\d+)\]")
_PLACE = re.compile(r"<([^<>\s]+)>")


def text(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def _at(path: str, event: Any) -> Any:
    for name, index in _STEP.findall(path.removeprefix("$")):
        try:
            event = event[name] if name else event[int(index)]
        except (KeyError, IndexError, TypeError):
            return None
    return event


def _transformed(transformer: Mapping[str, Any], event: Mapping[str, Any], rule_arn: str) -> str:
    template = transformer["InputTemplate"]
    values = {name: _at(path, event) for name, path in transformer.get("InputPathsMap", {}).items()}
    values |= {
        "aws.events.event": {key: value for key, value in event.items() if key != "detail"},
        "aws.events.event.json": event,
        "aws.events.event.ingestion-time": event["time"],
        "aws.events.rule-arn": rule_arn,
        "aws.events.rule-name": rule_arn.rsplit("/", 1)[-1],
    }

    def fill(place: re.Match[str]) -> str:
        if place.group(1) not in values:
            return place.group(0)
        value = values[place.group(1)]
        # Inside quotes a string goes in bare; elsewhere as JSON.
        quoted = len(re.findall(r'(?<!\\)"', template[: place.start()])) % 2 == 1
        if not quoted:
            return text(value)
        return text(value)[1:-1] if isinstance(value, str) else text(text(value))[1:-1]

    return _PLACE.sub(fill, template)


def for_target(target: Mapping[str, Any], event: Mapping[str, Any], rule_arn: str) -> str:
    if target.get("Input"):
        return target["Input"]
    if target.get("InputPath"):
        return text(_at(target["InputPath"], event))
    if target.get("InputTransformer"):
        return _transformed(target["InputTransformer"], event, rule_arn)
    return text(event)
