"""What IAM refuses in a document and moto lets through; and numbers as condition values, the other way round."""

import json
import re

from moto.iam.exceptions import MalformedPolicyDocument, ValidationError
from moto.iam.policy_validation import BaseIAMPolicyValidator, IAMPolicyDocumentValidator

_SID = re.compile(r"[0-9A-Za-z]*")
_CHARACTERS = re.compile("[\u0009\u000a\u000d\u0020-\u00ff]+")


def apply() -> None:
    moto_validate = BaseIAMPolicyValidator.validate
    moto_conditions = IAMPolicyDocumentValidator._validate_condition_syntax

    def validate(self: BaseIAMPolicyValidator) -> None:
        if not _CHARACTERS.fullmatch(self._policy_document):
            raise ValidationError(
                "1 validation error detected: Value at 'policyDocument' failed to satisfy constraint: "
                "Member must satisfy regular expression pattern: [\\u0009\\u000A\\u000D\\u0020-\\u00FF]+"
            )
        moto_validate(self)
        for statement in self._statements:
            if not _SID.fullmatch(statement.get("Sid", "")):
                raise MalformedPolicyDocument(
                    "Statement IDs (SID) must be alpha-numeric. "
                    "Check that your input satisfies the regular expression [0-9A-Za-z]*"
                )
            if isinstance(self, IAMPolicyDocumentValidator) and ("Principal" in statement or "NotPrincipal" in statement):
                raise MalformedPolicyDocument("Policy document should not specify a principal.")

    def conditions(statement: dict) -> None:
        # "Quotes are optional for numbers and booleans" (IAM User Guide, grammar).
        moto_conditions(json.loads(json.dumps(statement), parse_int=str, parse_float=str))

    BaseIAMPolicyValidator.validate = validate
    IAMPolicyDocumentValidator._validate_condition_syntax = staticmethod(conditions)
