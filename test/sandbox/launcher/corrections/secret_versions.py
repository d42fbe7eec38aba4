"""Versions of secrets and their labels, as Secrets Manager keeps them."""

from typing import Any

from moto.secretsmanager import models
from moto.secretsmanager.exceptions import InvalidParameterException, InvalidRequestException, ResourceExistsException

from .. import clock, rotation_function

LABELS = 20
VALUE = 65_536


def _holder(secret: models.FakeSecret, label: str) -> str | None:
    return next((id for id, one in secret.versions.items() if label in one["version_stages"]), None)


def apply() -> None:
    backend = models.SecretsManagerBackend
    moto_get, moto_put, moto_update_stage = backend.get_secret_value, backend.put_secret_value, backend.update_secret_version_stage
    moto_describe = models.FakeSecret._form_version_ids_to_stages

    def get_secret_value(self: Any, secret_id: str, version_id: str, version_stage: str) -> dict[str, Any]:
        # Without either it is AWSCURRENT's, wherever that label is now; moto remembers where it was put first.
        return moto_get(self, secret_id, version_id, version_stage or ("" if version_id else "AWSCURRENT"))

    def put_secret_value(
        self: Any,
        secret_id: str,
        secret_string: str,
        secret_binary: str,
        client_request_token: str,
        version_stages: list[str],
    ) -> str:
        if len(secret_string or secret_binary or "") > VALUE:
            raise InvalidParameterException(f"The secret value must be at most {VALUE} bytes long.")
        secret = self.secrets[secret_id] if secret_id in self.secrets else None
        known = secret and secret.versions.get(client_request_token)
        filled = known and ("secret_string" in known or "secret_binary" in known)
        if filled and (known.get("secret_string"), known.get("secret_binary")) != (secret_string, secret_binary):
            raise ResourceExistsException(
                f"You can't use ClientRequestToken {client_request_token} because that value is already in use for a version of secret {secret.arn}."
            )
        if secret and not known:
            # moto takes the labels from wherever it put them first.
            secret.set_default_version_id(_holder(secret, "AWSCURRENT"))
        answer = moto_put(self, secret_id, secret_string, secret_binary, client_request_token, version_stages)
        secret = self.secrets[secret_id]
        version = next(reversed(secret.versions)) if not known else client_request_token
        if not known:
            secret.versions[version]["createdate"] = int(clock.now(self.account_id))
        return answer

    def update_secret_version_stage(
        self: Any, secret_id: str, version_stage: str, remove_from_version_id: str, move_to_version_id: str
    ) -> tuple[str, str]:
        secret = self.secrets[secret_id] if secret_id in self.secrets else None
        if secret:
            holder = _holder(secret, version_stage)
            if holder and not remove_from_version_id and move_to_version_id != holder:
                raise InvalidParameterException(
                    f"The parameter RemoveFromVersionId can't be empty. Staging label {version_stage} is currently attached to version "
                    f"{holder}, so you must explicitly reference that version in RemoveFromVersionId."
                )
            if move_to_version_id == holder and holder and not remove_from_version_id:
                return secret.arn, secret.name
            to = secret.versions.get(move_to_version_id)
            if to is not None and len(to["version_stages"]) >= LABELS:
                raise InvalidRequestException(f"A version can have at most {LABELS} staging labels.")
        answer = moto_update_stage(self, secret_id, version_stage, remove_from_version_id, move_to_version_id)
        if secret and version_stage == "AWSCURRENT":
            secret.set_default_version_id(_holder(secret, "AWSCURRENT"))
        return answer

    def rotate_secret(
        self: Any,
        secret_id: str,
        client_request_token: str | None = None,
        rotation_lambda_arn: str | None = None,
        rotation_rules: dict[str, Any] | None = None,
        rotate_immediately: bool = True,
    ) -> str:
        return rotation_function.rotate(
            self, secret_id, client_request_token, rotation_lambda_arn, rotation_rules or {}, rotate_immediately
        )

    def cancel_rotate_secret(self: Any, secret_id: str) -> str:
        secret = self.secrets[secret_id]
        secret.rotation_enabled = False
        return secret.to_short_dict()

    def labelled(self: models.FakeSecret) -> dict[str, Any]:
        # A version without labels is deprecated, and not told.
        return {id: labels for id, labels in moto_describe(self).items() if labels}

    backend.get_secret_value = get_secret_value
    backend.put_secret_value = put_secret_value
    backend.update_secret_version_stage = update_secret_version_stage
    backend.rotate_secret = rotate_secret
    backend.cancel_rotate_secret = cancel_rotate_secret
    models.FakeSecret._form_version_ids_to_stages = labelled
