"""Three things that moto computes anew on each request, and the managed policies that it parses anew for each account."""

import copy
import functools
import json

import moto.backends
import moto.core.responses
import moto.core.utils
from moto.core.base_backend import BackendDict  # noqa: F401  (import order: base_backend before iam)
from moto.iam import models as iam
from moto.iam.aws_managed_policies import aws_managed_policies_data
from moto.moto_server.werkzeug_app import DomainDispatcherApplication


def apply() -> None:
    # About a third of a request: a stat() of each of moto's module directories.
    modules = list(moto.backends.list_of_moto_modules())
    moto.backends.list_of_moto_modules = lambda: modules

    by_host = DomainDispatcherApplication.get_backend_for_host
    known: dict = {}

    def get_backend_for_host(self: DomainDispatcherApplication, host: str | None) -> object:
        if host not in known:
            known[host] = by_host(self, host)
        return known[host]

    DomainDispatcherApplication.get_backend_for_host = get_backend_for_host

    names = functools.cache(lambda cls: frozenset(moto.core.utils.method_names_from_class(cls)))
    moto.core.responses.method_names_from_class = names

    @functools.cache
    def templates() -> list[iam.AWSManagedPolicy]:
        data = json.loads(aws_managed_policies_data)
        return [iam.AWSManagedPolicy.from_data(name, "aws", "aws", entry) for name, entry in data.items()]

    def init_aws_policies(self: iam.IAMBackend) -> list[iam.AWSManagedPolicy]:
        own = []
        for template in templates():
            # A shallow copy: what an account changes of an AWS managed policy is its attachment count.
            policy = copy.copy(template)
            policy.account_id = self.account_id
            policy.partition = self.partition
            own.append(policy)
        return own

    iam.IAMBackend._init_aws_policies = init_aws_policies
