import fc from "fast-check";
import { expect, test } from "vitest";
import { liveRole, parseDocument } from "../../../controller/aws/role-read.ts";
import { roleFingerprint } from "../../../controller/model/fingerprint.ts";
import { minified } from "../../../controller/policy/size.ts";

/** What IAM lets a document hold. */
const resource = fc.string({ unit: fc.integer({ min: 0x20, max: 0xff }).map((c) => String.fromCharCode(c)), minLength: 1 });

test("a document is read alike, encoded or plain, with any text that IAM accepts in it", () => {
	fc.assert(
		fc.property(resource, (text) => {
			const document = {
				Version: "2012-10-17",
				Statement: [{ Effect: "Allow" as const, Action: "s3:GetObject", Resource: `arn:aws:s3:::${text}` }],
			};
			const plain = minified(document);
			expect(parseDocument(plain)).toEqual(document);
			expect(parseDocument(encodeURIComponent(plain))).toEqual(document);
		}),
	);
});

test("a percent sign and a plus are decoded once and only once", () => {
	const text = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::b/100%25+%7B"}]}';
	for (const form of [text, encodeURIComponent(text)])
		expect(parseDocument(form).Statement[0]?.Resource).toBe("arn:aws:s3:::b/100%25+%7B");
});

const trust =
	'{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"Service":"ecs-tasks.amazonaws.com"},"Action":"sts:AssumeRole"}}';

test("the order in which AWS lists things changes nothing", () => {
	const policies = [
		{ PolicyName: "a", PolicyDocument: encodeURIComponent('{"Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}') },
		{ PolicyName: "b", PolicyDocument: encodeURIComponent('{"Statement":[{"Effect":"Deny","Action":"iam:*","Resource":"*"}]}') },
	];
	const attached = [{ PolicyArn: "arn:aws:iam::aws:policy/B" }, { PolicyArn: "arn:aws:iam::aws:policy/A" }];
	const role = { RoleName: "r", Path: "/", Arn: "arn:aws:iam::1:role/r", AssumeRolePolicyDocument: trust };
	const one = liveRole({ ...role, RolePolicyList: policies, AttachedManagedPolicies: attached });
	const other = liveRole({ ...role, RolePolicyList: policies.toReversed(), AttachedManagedPolicies: attached.toReversed() });
	expect(other).toEqual(one);
	expect(one.fingerprint).toBe(roleFingerprint(one.state));
	expect(one.unreadable).toBeNull();
});

test("a document that cannot be parsed makes that role unreadable, and grants nothing in its stead", () => {
	for (const bad of [
		"",
		"{'Statement': 1}",
		"%7B",
		"%7B%ZZ",
		'{"Statement":[{"Effect":"Allow","Effect":"Deny","Action":"*","Resource":"*"}]}',
	]) {
		const role = liveRole({
			RoleName: "r",
			AssumeRolePolicyDocument: trust,
			RolePolicyList: [{ PolicyName: "odd", PolicyDocument: bad }],
		});
		expect(role.unreadable).toContain('the inline policy "odd" of role r');
		expect(role.state.inline.odd?.Statement).toEqual([]);
		expect(role.fingerprint).not.toBe(roleFingerprint(role.state));
	}
});
