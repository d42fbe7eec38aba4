import { describe, expect, test } from "vitest";
import { base, both, said } from "./checked.ts";
import { doc, expandAll } from "./world.ts";

const rotation = (spec: string, name = "signing"): string => doc("SecretRotation", name, spec);
const ofRotation = (spec: string) => said({ ...base, "a.yaml": rotation(spec) }).map((l) => l.replace("policies/a.yaml:", ""));
const GENERATE = "secret: prod/orders/signing\nstrategy: { generate: { keys: [signingKey] } }";
const OAUTH = "{ provider: okta, issuer: https://id.acme.io, clientId: portal, adminSecret: okta/admin }";

test("a rotation with nothing wrong has no findings, and says what becomes of its secret", () => {
	const spec = `${GENERATE}
schedule: { every: 30d, window: "Sun 02:00-04:00 Europe/Berlin" }
verify: { http: { url: "https://orders.\${account.vars.env}.internal/healthz" } }
rollout: { maxParallel: 3, timeout: 10m, onFailure: Stop }
retireAfter: 2h`;
	const { desired, findings } = expandAll({ ...base, "a.yaml": rotation(spec) });
	expect(findings).toEqual([]);
	expect(desired).toEqual([
		{
			target: { type: "secretsmanager.secret", account: "123456789012", region: "eu-west-1", name: "prod/orders/signing" },
			wanted: {
				strategy: { type: "generate", keys: ["signingKey"], length: 40, excludeCharacters: "" },
				schedule: {
					everyMs: 30 * 86_400_000,
					cron: null,
					timeZone: "UTC",
					window: { cron: "0 2 * * SUN", lengthMs: 7_200_000, timeZone: "Europe/Berlin" },
				},
				derive: {},
				verify: { url: "https://orders.prod.internal/healthz", expectStatus: 200 },
				consumers: { auto: true, named: [] },
				maxParallel: 3,
				timeoutMs: 600_000,
				onFailure: "Stop",
				retireAfterMs: 7_200_000,
				regions: ["eu-west-1"],
				suspended: false,
			},
			origin: { path: "policies/a.yaml", line: 1, column: 1 },
		},
	]);
});

test("it is one instance an account", () => {
	const { keys } = expandAll({ ...both, "a.yaml": rotation(`accountRefs: [prod, dev]\n${GENERATE}`) });
	expect(keys).toEqual(["SecretRotation/signing@prod", "SecretRotation/signing@dev"]);
});

describe("consumers", () => {
	const RULE = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:listener-rule/app/web/1/2/3";
	const consumersOf = (consumers: string) =>
		expandAll({
			...base,
			"a.yaml": rotation(`secret: portal\nstrategy: { oauthClient: ${OAUTH} }\nconsumers: ${consumers}`),
		}).desired.map((d) => "consumers" in d.wanted && d.wanted.consumers);

	test("that are named are all there are", () => {
		expect(consumersOf("[{ cluster: prod, service: web }, { cluster: prod, service: job, refresh: Self }]")).toEqual([
			{
				auto: false,
				named: [
					{ cluster: "prod", service: "web", refresh: "Restart" },
					{ cluster: "prod", service: "job", refresh: "Self" },
				],
			},
		]);
	});

	test("that are listener rules leave services to be found", () => {
		expect(consumersOf(`[{ listenerRule: "${RULE}" }]`)).toEqual([{ auto: true, named: [{ listenerRule: RULE }] }]);
	});
});

test("variables of the Account are filled in where consumers are named", () => {
	const rule = "arn:${account.partition}:elasticloadbalancing:${account.region}:${account.id}:listener-rule/app/web/1/2/3";
	const spec = `secret: portal
strategy: { oauthClient: ${OAUTH} }
consumers: [{ cluster: "${"${account.vars.env}"}", service: "web-${"${account.vars.env}"}" }, { listenerRule: "${rule}" }]`;
	const { desired, findings } = expandAll({ ...base, "a.yaml": rotation(spec) });
	expect(findings).toEqual([]);
	expect(desired).toMatchObject([
		{
			wanted: {
				consumers: {
					auto: false,
					named: [
						{ cluster: "prod", service: "web-prod", refresh: "Restart" },
						{ listenerRule: "arn:aws:elasticloadbalancing:eu-west-1:123456789012:listener-rule/app/web/1/2/3" },
					],
				},
			},
		},
	]);
});

describe("what is wrong is said where it stands", () => {
	test.each([
		[
			"no strategy",
			"secret: a\nstrategy: {}",
			["6:13 error InvalidRotation strategy has nothing -> exactly one of generate, oauthClient, lambda and external"],
		],
		[
			"two strategies",
			"secret: a\nstrategy: { lambda: {}, external: {} }",
			["6:13 error InvalidRotation strategy has 2 of them -> exactly one of generate, oauthClient, lambda and external"],
		],
		[
			"a field of external that does not exist",
			"secret: a\nstrategy: { external: { by: hand } }",
			['6:27 error UnknownField unknown field "by" in SecretRotation.spec.strategy.external -> known fields: '],
		],
		[
			"keys twice",
			"secret: a\nstrategy: { generate: { keys: [k, k] } }",
			['6:37 error InvalidRotation key "k" is named twice -> delete one of them'],
		],
		[
			"both every and cron",
			`${GENERATE}\nschedule: { every: 30d, cron: "0 3 * * *" }`,
			[
				"7:13 error InvalidRotation schedule has one of every and cron -> for example every: 30d, or leave the schedule out: then only when asked",
			],
		],
		[
			"too often",
			`${GENERATE}\nschedule: { every: 5m }`,
			["7:22 error InvalidRotation every is 5m, less than Secrets Manager allows -> 10m or more"],
		],
		[
			"too often for a function",
			"secret: a\nstrategy: { lambda: {} }\nschedule: { every: 1h }",
			["7:22 error InvalidRotation every is 1h, less than Secrets Manager allows -> 4h or more"],
		],
		[
			"a window without a time zone",
			`${GENERATE}\nschedule: { every: 30d, window: "Sun 02:00-04:00" }`,
			[
				'7:35 error InvalidRotation window "Sun 02:00-04:00": expected days, times and a time zone, as in "Sun 02:00-04:00 Europe/Berlin" -> "Sun 02:00-04:00 Europe/Berlin"',
			],
		],
		[
			"a time zone that does not exist",
			`${GENERATE}\nschedule: { every: 30d, window: "Sun 02:00-04:00 Europe/Berln" }`,
			['7:35 error InvalidRotation no time zone "Europe/Berln" -> did you mean "Europe/Berlin"?'],
		],
		[
			"a template with an unknown filter",
			`${GENERATE}\nderive: { url: "\${signingKey:url}" }`,
			['7:18 error InvalidRotation "url": no filter is named "url": uri -> for example "https://${user}:${password:uri}@host"'],
		],
		[
			"a key made and derived",
			`${GENERATE}\nderive: { signingKey: "x" }`,
			['7:25 error InvalidRotation "signingKey" is both made and derived -> delete one of them'],
		],
		[
			"an issuer without encryption",
			`secret: a\nstrategy: { oauthClient: ${OAUTH.replace("https", "http")} }`,
			['6:54 error InvalidRotation issuer is "http://id.acme.io", which is not https -> the address as its tokens say it in iss'],
		],
		[
			"consumers that are no list",
			`${GENERATE}\nconsumers: All`,
			['7:14 error InvalidRotation consumers is "All", it must be Auto or a list -> Auto, or a list of consumers'],
		],
		[
			"a consumer that is none",
			`${GENERATE}\nconsumers: [{ cluster: prod }]`,
			[
				"7:15 error InvalidRotation a consumer is { cluster, service, refresh } or { listenerRule } -> Auto, or a list of consumers",
			],
		],
		[
			"an address without encryption",
			`${GENERATE}\nverify: { http: { url: "http://a.b" } }`,
			["7:26 warning InvalidRotation http://a.b is asked without encryption -> https://…"],
		],
		[
			"a secret's name that cannot be one",
			'secret: "a b"\nstrategy: { external: {} }',
			['5:11 error InvalidRotation "a b" is not the name of a secret -> a name, or a whole ARN'],
		],
		[
			"an ARN of something else",
			'secret: "arn:aws:s3:::orders"\nstrategy: { external: {} }',
			['5:11 error InvalidRotation "arn:aws:s3:::orders" is not the ARN of a secret -> a name, or a whole ARN'],
		],
		[
			"an ARN with a key of the secret",
			'secret: "arn:aws:secretsmanager:eu-west-1:123456789012:secret:a-AbCdEf:key::"\nstrategy: { external: {} }',
			["5:11 error InvalidRotation the key stands in jsonKey, and versions are not pinned -> a name, or a whole ARN"],
		],
		[
			"a secret of another account",
			'secret: "arn:aws:secretsmanager:eu-west-1:999999999999:secret:a-AbCdEf"\nstrategy: { external: {} }',
			[
				"5:11 error OutsideAccount arn:aws:secretsmanager:eu-west-1:999999999999:secret:a-AbCdEf is in account 999999999999, and SecretRotation/signing is for 123456789012 -> use an Account of that id",
			],
		],
		[
			"a listener rule of another account",
			`secret: a\nstrategy: { oauthClient: ${OAUTH} }\nconsumers: [{ listenerRule: "arn:aws:elasticloadbalancing:eu-west-1:999999999999:listener-rule/app/web/1/2/3" }]`,
			[
				"7:31 error OutsideAccount arn:aws:elasticloadbalancing:eu-west-1:999999999999:listener-rule/app/web/1/2/3 is in account 999999999999, and SecretRotation/signing is for 123456789012 -> use an Account of that id",
			],
		],
		[
			"an admin secret that is the rotated one, by its ARN",
			`secret: okta/admin\nstrategy: { oauthClient: ${OAUTH.replace("okta/admin", '"arn:aws:secretsmanager:eu-west-1:123456789012:secret:okta/admin-AbCdEf"')} }`,
			[
				"6:105 error InvalidRotation the admin secret is the secret that is rotated -> keep what administers the client in a secret of its own",
			],
		],
		[
			"an admin secret's name that cannot be one",
			`secret: a\nstrategy: { oauthClient: ${OAUTH.replace("okta/admin", "okta admin")} }`,
			['6:105 error InvalidRotation "okta admin" is not the name of a secret -> a name, or a whole ARN'],
		],
		[
			"a cron that comes too soon again",
			`${GENERATE}\nschedule: { cron: "0,5 3 * * *" }`,
			['7:21 error InvalidRotation cron "0,5 3 * * *" comes sooner again than Secrets Manager allows -> 10m or more between two'],
		],
		[
			"a cron that comes too soon again for a function",
			'secret: a\nstrategy: { lambda: {} }\nschedule: { cron: "0 0,3 * * *" }',
			['7:21 error InvalidRotation cron "0 0,3 * * *" comes sooner again than Secrets Manager allows -> 4h or more between two'],
		],
		["a cron just rare enough", 'secret: a\nstrategy: { lambda: {} }\nschedule: { cron: "0 */4 * * *" }', []],
		[
			"a time zone of nothing",
			`${GENERATE}\nschedule: { every: 30d, timeZone: Europe/Berlin }`,
			["7:37 error InvalidRotation timeZone is that of cron -> delete it; a window names its own"],
		],
		[
			"a window that goes over the end of the week",
			`${GENERATE}\nschedule: { every: 30d, window: "Sat-Mon 02:00-04:00 UTC" }`,
			[],
		],
		[
			"no consumers",
			`${GENERATE}\nconsumers: []`,
			["7:14 error InvalidRotation consumers is an empty list -> Auto, or a list of consumers"],
		],
		[
			"a service's name that cannot be one",
			`${GENERATE}\nconsumers: [{ cluster: prod, service: "we b" }]`,
			['7:15 error InvalidRotation "we b" is not the name of a cluster or service -> Auto, or a list of consumers'],
		],
		[
			"a service named twice",
			`${GENERATE}\nconsumers: [{ cluster: prod, service: web }, { cluster: prod, service: web, refresh: Self }]`,
			["7:48 error InvalidRotation service prod/web is named twice -> delete one of them"],
		],
		[
			"a variable of a consumer that does not exist",
			`${GENERATE}\nconsumers: [{ cluster: prod, service: "\${account.vars.x}" }]`,
			[`7:42 error UnknownVariable Account "prod" has no variable "x" -> add it to the Account's vars`],
		],
		[
			"a variable that does not exist",
			"secret: ${account.vars.x}\nstrategy: { external: {} }",
			[`5:11 error UnknownVariable Account "prod" has no variable "x" -> add it to the Account's vars`],
		],
	])("%s", (_, spec, findings) => {
		expect(ofRotation(spec)).toEqual(findings);
	});

	test("two rotations of one secret, by name and by ARN", () => {
		const arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/orders/signing-AbCdEf";
		const second = rotation(`secret: "${arn}"\nstrategy: { external: {} }`, "other");
		expect(said({ ...base, "a.yaml": rotation(GENERATE), "b.yaml": second })).toEqual([
			'policies/a.yaml:5:11 error DuplicateClaim secret prod/orders/signing is also claimed by SecretRotation "other" in policies/b.yaml:1 -> keep one',
			`policies/b.yaml:5:11 error DuplicateClaim secret ${arn} is also claimed by SecretRotation "signing" in policies/a.yaml:1 -> keep one`,
		]);
	});
});
