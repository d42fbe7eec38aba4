"""Client secrets in listener rules are write-only: kept, and never told (ELB API Reference, AuthenticateOidcActionConfig)."""

from typing import Any

from moto.elbv2 import models
from moto.elbv2.exceptions import ELBClientError

#: ARN of a rule -> the client secret that it holds.
_held: dict[str, str] = {}


class MissingClientSecret(ELBClientError):
    def __init__(self) -> None:
        super().__init__("InvalidConfigurationRequest", "You must specify a client secret or set UseExistingClientSecret to true")


def held(account: str) -> dict[str, str]:
    return {arn: secret for arn, secret in _held.items() if f":{account}:" in arn}


def forget(account: str) -> None:
    for arn in list(held(account)):
        _held.pop(arn, None)


def _stays(config: dict[str, Any]) -> bool:
    return str(config.get("UseExistingClientSecret", "false")).lower() == "true"


def _take(arn: str, actions: list[dict[str, Any]] | None) -> None:
    """Keeps the secret of an action, and takes it out of what is shown."""
    for action in actions or []:
        config = action.get("AuthenticateOidcConfig")
        if config is not None:
            config.pop("UseExistingClientSecret", None)
            _held[arn] = config.pop("ClientSecret")


def apply() -> None:
    backend = models.ELBv2Backend
    moto_create, moto_modify = backend.create_rule, backend.modify_rule

    def create_rule(self: Any, *args: Any, **given: Any) -> Any:
        rule = moto_create(self, *args, **given)
        _take(rule.arn, [action.data for action in rule.actions])
        return rule

    def modify_rule(self: Any, rule_arn: str, conditions: Any, actions: list[dict[str, Any]]) -> Any:
        for action in actions or []:
            config = action.get("AuthenticateOidcConfig")
            # moto wants the secret also where the one that is there is to stay.
            if config is not None and "ClientSecret" not in config and rule_arn in _held and _stays(config):
                config["ClientSecret"] = _held[rule_arn]
            elif config is not None and "ClientSecret" not in config:
                raise MissingClientSecret()
        rule = moto_modify(self, rule_arn, conditions, actions)
        _take(rule_arn, actions)
        return rule

    backend.create_rule = create_rule
    backend.modify_rule = modify_rule
