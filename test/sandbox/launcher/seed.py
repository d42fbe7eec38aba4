"""Bulk seeding, in moto's process: thousands of roles in well under a second. The shape is `SeedData` of ../seed-data.ts.

Seeding is the account's past: it is not validated and no quota applies, so that a test can start from a bad state.
"""

import copy
import json
from types import SimpleNamespace
from typing import Any

from moto.ecs.models import ecs_backends
from moto.iam.models import IAMBackend, ManagedPolicy, Role, iam_backends
from moto.iam.utils import random_role_id

from . import accounts, settings
from .ecs import scheduler


def _text(document: Any) -> str:
    return document if isinstance(document, str) else json.dumps(document)


def _pairs(tags: dict[str, str], key: str = "Key", value: str = "Value") -> list[dict[str, str]]:
    return [{key: name, value: text} for name, text in tags.items()]


def fill(account: str, data: dict[str, Any]) -> dict[str, Any]:
    region = data.get("region", "eu-west-1")
    iam = iam_backends[account]["aws"]
    if "caller" in data:
        accounts.callers[account] = data["caller"]
    if "trail" in data:
        settings.choose(account, {"trail": data["trail"]})
    if "alias" in data:
        iam.account_aliases = [data["alias"]]
    for policy in data.get("policies", []):
        _policy(iam, policy)
    for role in data.get("roles", []):
        _role(iam, role)
    secrets = [_secret(account, region, secret) for secret in data.get("secrets", [])]
    _ecs(account, region, data)
    _events(account, region, data)
    listener_rules = [_listener_rule(account, region, rule) for rule in data.get("listenerRules", [])]
    return {"secrets": secrets, "listenerRules": listener_rules}


def _listener_rule(account: str, region: str, seed: dict[str, Any]) -> str:
    """A rule behind a load balancer that has nothing else: moto's own needs a network."""
    from moto.elbv2.models import FakeListener, elbv2_backends

    backend = elbv2_backends[account][region]
    number = len(backend.load_balancers) + 1
    prefix = f"arn:aws:elasticloadbalancing:{region}:{account}"
    balancer, listener = f"{prefix}:loadbalancer/app/web/{number:016x}", f"{prefix}:listener/app/web/{number:016x}/{number:016x}"
    backend.load_balancers[balancer] = SimpleNamespace(
        arn=balancer, listeners={listener: FakeListener(balancer, listener, "HTTPS", "443", "", None, [], None)}
    )
    issuer = seed["issuer"]
    config = {
        "Issuer": issuer,
        "AuthorizationEndpoint": f"{issuer}/auth",
        "TokenEndpoint": f"{issuer}/token",
        "UserInfoEndpoint": f"{issuer}/me",
        "ClientId": seed["clientId"],
        "ClientSecret": seed["clientSecret"],
    }
    actions = [
        {"Type": "authenticate-oidc", "Order": 1, "AuthenticateOidcConfig": config},
        {"Type": "fixed-response", "Order": 2, "FixedResponseConfig": {"StatusCode": "200"}},
    ]
    conditions = [{"Field": "path-pattern", "Values": ["/*"]}]
    return backend.create_rule(listener, conditions, 1, actions, []).arn


def _policy(iam: IAMBackend, seed: dict[str, Any]) -> None:
    policy = ManagedPolicy(
        seed["name"],
        account_id=iam.account_id,
        region=iam.region_name,
        document=_text(seed["document"]),
        path=seed.get("path"),
        description=seed.get("description"),
        tags={name.lower(): {"Key": name, "Value": value} for name, value in seed.get("tags", {}).items()},
    )
    iam.managed_policies[policy.arn] = policy


def _role(iam: IAMBackend, seed: dict[str, Any]) -> None:
    role = Role(
        account_id=iam.account_id,
        partition=iam.partition,
        role_id=random_role_id(iam.account_id),
        name=seed["name"],
        assume_role_policy_document=_text(seed["trust"]),
        path=seed.get("path", "/"),
        permissions_boundary=seed.get("boundary"),
        description=seed.get("description"),
        tags=_pairs(seed.get("tags", {})),
        max_session_duration=seed.get("maxSessionDuration", 3600),
    )
    for name, document in seed.get("inline", {}).items():
        role.policies[name] = _text(document)
    iam.roles[role.id] = role
    for arn in seed.get("attached", []):
        if arn not in iam.managed_policies:
            raise ValueError(f"role {role.name}: no such policy: {arn}")
        iam.managed_policies[arn].attach_to(role)


def _secret(account: str, region: str, seed: dict[str, Any]) -> str:
    from moto.secretsmanager.models import secretsmanager_backends

    backend = secretsmanager_backends[account][region]
    secret, _ = backend._add_secret(
        seed["name"],
        secret_string=seed.get("value", "sandbox"),
        description=seed.get("description"),
        tags=_pairs(seed.get("tags", {})),
    )
    if "suffix" in seed:
        secret.arn = f"arn:aws:secretsmanager:{region}:{account}:secret:{seed['name']}-{seed['suffix']}"
    return secret.arn


def _ecs(account: str, region: str, data: dict[str, Any]) -> None:
    if not any(key in data for key in ("clusters", "taskDefinitions", "services")):
        return
    backend = ecs_backends[account][region]
    for cluster in data.get("clusters", []):
        backend.create_cluster(cluster["name"], tags=_pairs(cluster.get("tags", {}), "key", "value"))
    for definition in data.get("taskDefinitions", []):
        backend.register_task_definition(
            definition["family"],
            copy.deepcopy(definition["containerDefinitions"]),
            task_role_arn=definition.get("taskRoleArn"),
            execution_role_arn=definition.get("executionRoleArn"),
            requires_compatibilities=["FARGATE"],
            network_mode="awsvpc",
            cpu="256",
            memory="512",
            tags=_pairs(definition.get("tags", {}), "key", "value"),
        )
    for service in data.get("services", []):
        created = backend.create_service(
            service["cluster"],
            service["name"],
            service.get("desiredCount", 1),
            service["taskDefinition"],
            tags=_pairs(service.get("tags", {}), "key", "value"),
            deployment_controller={"type": service.get("deploymentController", "ECS")},
            launch_type="FARGATE",
        )
        if "resourceManagementType" in service:
            created.resource_management_type = service["resourceManagementType"]
        scheduler.settle(created)


def _events(account: str, region: str, data: dict[str, Any]) -> None:
    if "rules" in data:
        from moto.events.models import events_backends

        backend = events_backends[account][region]
        for rule in data["rules"]:
            backend.put_rule(
                rule["name"],
                scheduled_expression=rule.get("scheduleExpression"),
                event_pattern=_text(rule["eventPattern"]) if "eventPattern" in rule else None,
                state="ENABLED",
            )
            backend.put_targets(rule["name"], None, rule["targets"])
    if "schedules" in data:
        from moto.scheduler.models import scheduler_backends

        for schedule in data["schedules"]:
            scheduler_backends[account][region].create_schedule(
                description="",
                end_date=None,
                flexible_time_window={"Mode": "OFF"},
                group_name=schedule.get("group", "default"),
                kms_key_arn=None,
                name=schedule["name"],
                schedule_expression=schedule["scheduleExpression"],
                schedule_expression_timezone="UTC",
                start_date=None,
                state="ENABLED",
                target=schedule["target"],
                action_after_completion=None,
            )
