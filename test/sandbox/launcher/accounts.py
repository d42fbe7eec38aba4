"""Which AWS account a request acts in: access key SANDBOX123456789012 acts in account 123456789012.

moto knows accounts only through keys that it made itself. Keys made by AssumeRole go on to work, in the account of the role.
Any other key acts in moto's default account, 123456789012.
"""

import re

from moto.core import DEFAULT_ACCOUNT_ID
from moto.core.responses import BaseResponse
from moto.iam import models as iam
from moto.sts import models as sts

_SANDBOX_KEY = re.compile(r"^SANDBOX(\d{12})$")
_CREDENTIAL = re.compile(r"Credential=([^/,\s]+)/")

#: Access key id -> account, of keys that moto made.
_made: dict[str, str] = {}
#: Account -> ARN that GetCallerIdentity answers for its SANDBOX key.
callers: dict[str, str] = {}


def account_of(access_key: str) -> str:
    own = _SANDBOX_KEY.match(access_key)
    return own.group(1) if own else _made.get(access_key, DEFAULT_ACCOUNT_ID)


def caller_of(account: str) -> str:
    return callers.get(account, f"arn:aws:sts::{account}:assumed-role/Admin/kim")


def _remember(method: str) -> None:
    make = getattr(iam.IAMBackend, method)

    def made(self: iam.IAMBackend, *args: object, **kwargs: object) -> iam.AccessKey:
        key = make(self, *args, **kwargs)
        _made[key.access_key_id] = self.account_id
        return key

    setattr(iam.IAMBackend, method, made)


def apply() -> None:
    moto_access_key = BaseResponse.get_access_key

    def get_access_key(self: BaseResponse) -> str:
        # moto's own pattern wants exactly 20 characters.
        credential = _CREDENTIAL.search(self.headers.get("Authorization", ""))
        return credential.group(1) if credential else moto_access_key(self)

    BaseResponse.get_access_key = get_access_key
    iam.get_account_id_from = account_of
    _remember("create_access_key")
    _remember("create_temp_access_key")

    moto_identity = sts.STSBackend.get_caller_identity

    def get_caller_identity(self: sts.STSBackend, access_key_id: str, region: str) -> tuple[str, str, str]:
        if _SANDBOX_KEY.match(access_key_id):
            arn = caller_of(self.account_id)
            return f"AROASANDBOX{self.account_id[:10]}:{arn.rsplit('/', 1)[-1]}", arn, self.account_id
        return moto_identity(self, access_key_id, region)

    sts.STSBackend.get_caller_identity = get_caller_identity
