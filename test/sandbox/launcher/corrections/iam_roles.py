"""Names, paths and session durations of roles."""

import re

from moto.iam import models as iam
from moto.iam.exceptions import EntityAlreadyExists, ValidationError

_NAME = re.compile(r"[\w+=,.@-]+", re.ASCII)
_PATH = re.compile(r"/|/[\u0021-\u007e]+/")


def _check_name(name: str) -> None:
    if len(name) > 64:
        raise ValidationError(
            f"1 validation error detected: Value '{name}' at 'roleName' failed to satisfy constraint: "
            "Member must have length less than or equal to 64"
        )
    if not _NAME.fullmatch(name):
        raise ValidationError(
            "The specified value for roleName is invalid. "
            "It must contain only alphanumeric characters and/or the following: +=,.@_-"
        )


def _check_duration(seconds: object) -> None:
    if not 3600 <= int(seconds) <= 43200:
        raise ValidationError(
            f"1 validation error detected: Value '{seconds}' at 'maxSessionDuration' failed to satisfy constraint: "
            "Member must have value between 3600 and 43200"
        )


def apply() -> None:
    moto_create, moto_update = iam.IAMBackend.create_role, iam.IAMBackend.update_role

    def create_role(
        self: iam.IAMBackend,
        role_name: str,
        assume_role_policy_document: str,
        path: str,
        permissions_boundary: str | None,
        description: str,
        tags: list,
        max_session_duration: str,
        linked_service: str | None = None,
    ) -> iam.Role:
        _check_name(role_name)
        _check_duration(max_session_duration)
        if path and not _PATH.fullmatch(path):
            raise ValidationError(
                "The specified value for path is invalid. It must begin and end with / and contain only alphanumeric "
                "characters and/or / characters."
            )
        if any(role.name.lower() == role_name.lower() for role in self.get_roles()):
            raise EntityAlreadyExists(f"Role with name {role_name} already exists.")
        return moto_create(
            self,
            role_name,
            assume_role_policy_document,
            path,
            permissions_boundary,
            description,
            tags,
            max_session_duration,
            linked_service,
        )

    def update_role(self: iam.IAMBackend, role_name: str, role_description: str, max_session_duration: str) -> iam.Role:
        _check_duration(max_session_duration)
        return moto_update(self, role_name, role_description, max_session_duration)

    iam.IAMBackend.create_role = create_role
    iam.IAMBackend.update_role = update_role
