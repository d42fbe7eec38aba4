"""What tests ask of the sandbox itself, under `/sandbox/`, with the lock held."""

from typing import Any

from moto.core.base_backend import BackendDict

from . import accounts, clock, events, iam_lag, rotation_function, seed, settings
from .corrections import elb_client_secrets
from .ecs import control as ecs


def handle(path: str, request: dict[str, Any]) -> dict[str, Any]:
    """@raises ValueError when there is no such path"""
    account = request["account"]
    match path.removeprefix("/sandbox/"):
        case "seed":
            return seed.fill(account, request["data"])
        case "reset":
            _reset(account)
        case "settings":
            settings.choose(account, request["settings"])
        case "tick":
            clock.tick(account, request["seconds"])
        case "deployments":
            ecs.order(account, request["deployments"])
        case "tasks":
            return ecs.tasks(account)
        case "rotations":
            rotation_function.choose(account, request["rotations"])
        case "client-secrets":
            return {"held": elb_client_secrets.held(account)}
        case "emit":
            for event in request["events"]:
                events.emit(
                    account,
                    event.get("region", "eu-west-1"),
                    event["source"],
                    event["detailType"],
                    event["detail"],
                    event.get("resources", []),
                )
        case _:
            raise ValueError(f"no such path: {path}")
    return {}


def _reset(account: str) -> None:
    """Empties one account; all others stay."""
    for backends in BackendDict._instances:
        if account in backends:
            del backends[account]
    accounts.callers.pop(account, None)
    for part in (clock, ecs, elb_client_secrets, iam_lag, rotation_function, settings):
        part.forget(account)
