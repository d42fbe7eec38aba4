import { execFileSync, spawnSync } from "node:child_process";
import { createVerify, generateKeyPairSync } from "node:crypto";
import { chmodSync, existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { inspect } from "node:util";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { TerminalError } from "../../controller/model/errors.ts";
import type { Clock } from "../../controller/model/ports.ts";
import { Secret } from "../../controller/model/secret.ts";
import { credentialsFrom, webhookSecretFrom } from "../../controller/source/credentials.ts";
import { createGitFollower, type GitFollower, type GitFollowerDeps } from "../../controller/source/git-follow.ts";
import { commitAll, GIT_ENV, gitIn, initRepository, type TempFolder, tempFolder } from "../unit/source/repository.ts";
import { basic, type GitServer, serveGit } from "./git-server.ts";

const signal = new AbortController().signal;

let dir: TempFolder;
let head: string;
let now: number;
const closing: (() => Promise<void>)[] = [];
const clock: Clock = { now: () => new Date(now).toISOString(), millis: () => now, sleep: async () => {} };
const minutes = (n: number): void => {
	now += n * 60_000;
};

beforeEach(() => {
	now = Date.parse("2026-11-24T09:00:00Z");
	dir = tempFolder();
	initRepository(dir.at("repos/access"));
	gitIn(dir.at("repos/access"), "config", "uploadpack.allowFilter", "true");
	dir.write("repos/access/policies/a.yaml", "a");
	head = commitAll(dir.at("repos/access"), "first");
});
afterEach(async () => {
	await Promise.all(closing.splice(0).map((close) => close()));
	dir.dispose();
});

/** What Secrets Manager holds, and how often it was asked. */
function secretOf(value: string): {
	readonly read: (id: string) => Promise<Secret>;
	readonly put: (v: string) => void;
	readonly reads: () => number;
} {
	let held = value;
	let reads = 0;
	return {
		read: async () => {
			reads++;
			return new Secret(held);
		},
		put: (v) => {
			held = v;
		},
		reads: () => reads,
	};
}

async function serving(allows: (authorization: string) => boolean): Promise<GitServer> {
	const server = await serveGit(dir.at("repos"), allows);
	closing.push(server.close);
	return server;
}

function follower(url: string, more: Partial<GitFollowerDeps> = {}): GitFollower {
	return createGitFollower({
		url,
		branch: "main",
		subdir: "policies",
		cacheDir: dir.at("cache"),
		env: GIT_ENV,
		lock: async () => () => {},
		...more,
	});
}

const fetchFrom = (f: GitFollower) => f.fetch({ previous: null, force: false }, signal);

async function refusal(work: Promise<unknown>): Promise<TerminalError> {
	const error = await work.then(
		() => new Error("it succeeded"),
		(e: unknown) => e,
	);
	expect(error).toBeInstanceOf(TerminalError);
	return error as TerminalError;
}

/** All that a log could show of an error. */
const all = (error: Error): string => `${inspect(error, { depth: 9, showHidden: true })} ${JSON.stringify(error)} ${error.stack}`;

const temporary = (): readonly string[] =>
	["/dev/shm", tmpdir()]
		.filter((d) => existsSync(d))
		.flatMap((d) =>
			readdirSync(d)
				.filter((n) => n.startsWith("ecs-access-"))
				.map((n) => `${d}/${n}`),
		)
		.filter((path) => existsSync(`${path}/key`) || existsSync(`${path}/known-hosts`));

describe("a token in a secret", () => {
	test.each<[string, string, string]>([
		["as plain text", " ghp_t0ken\n", basic("x-access-token", "ghp_t0ken")],
		["as JSON", '{"token":"ghp_t0ken"}', basic("x-access-token", "ghp_t0ken")],
		["with its user", '{"username":"deploy","password":"p:w"}', basic("deploy", "p:w")],
	])("%s opens the repository", async (_, value, authorization) => {
		const server = await serving((a) => a === authorization);
		const secret = secretOf(value);
		const f = follower(`${server.origin}/access`, { credentials: credentialsFrom(secret.read, "git", clock) });
		expect(await f.peek(signal)).toBe(head);
		expect((await fetchFrom(f)).revision.id).toBe(head);
		expect(new Set(server.authorizations)).toEqual(new Set([authorization]));
	});

	test("is read once for any number of looks at the repository", async () => {
		const server = await serving(() => true);
		const secret = secretOf("ghp_t0ken");
		const f = follower(`${server.origin}/access`, { credentials: credentialsFrom(secret.read, "git", clock) });
		for (let n = 0; n < 5; n++) {
			await f.peek(signal);
			minutes(30);
		}
		expect(secret.reads()).toBe(1);
	});

	test("that was rotated is taken up with the refusal of the old one, without anybody's doing", async () => {
		let good = "old";
		const server = await serving((a) => a === basic("x-access-token", good));
		const secret = secretOf("old");
		const f = follower(`${server.origin}/access`, { credentials: credentialsFrom(secret.read, "git", clock) });
		await f.peek(signal);
		good = "new";
		secret.put("new");
		minutes(2);
		expect(await f.peek(signal)).toBe(head);
		expect(secret.reads()).toBe(2);
	});

	test("that is refused for good is an error that names the secret and holds nothing of it, and costs a read a minute", async () => {
		const server = await serving(() => false);
		const secret = secretOf("ghp_hunter2");
		const f = follower(`${server.origin}/access`, { credentials: credentialsFrom(secret.read, "access/git", clock) });
		for (let n = 0; n < 8; n++) {
			const error = await refusal(f.peek(signal));
			expect([error.reason, error.message]).toEqual([
				"GitAccessDenied",
				`${server.origin.slice(7)}/access refuses what secret access/git holds`,
			]);
			expect(all(error)).not.toMatch(/hunter2|aHVudGVyMg|Z2hwX2h1bnRlcjI/);
			now += 15_000;
		}
		expect(secret.reads()).toBe(2);
		expect(spawnSync("grep", ["-rlE", "hunter2", dir.at("cache")], { encoding: "utf8" }).stdout).toBe("");
	});

	test("stands in no argument of any process", async () => {
		const server = await serving((a) => a === basic("x-access-token", "ghp_hunter2"));
		dir.write(
			"bin/git",
			`#!/bin/sh\necho "$@" >> ${dir.at("arguments")}\nexec ${execFileSync("which", ["git"], { encoding: "utf8" }).trim()} "$@"\n`,
		);
		chmodSync(dir.at("bin/git"), 0o755);
		const env = { ...GIT_ENV, PATH: `${dir.at("bin")}:${GIT_ENV.PATH}` };
		const credentials = credentialsFrom(secretOf("ghp_hunter2").read, "git", clock);
		await fetchFrom(follower(`${server.origin}/access`, { env, credentials }));
		const seen = readFileSync(dir.at("arguments"), "utf8");
		expect(seen).toContain("ls-remote");
		expect(seen).not.toContain("hunter2");
		expect(seen).not.toContain(Buffer.from("x-access-token:ghp_hunter2").toString("base64"));
	});

	test.each<[string, string]>([
		["empty", ""],
		["of two words", "hunter2 hunter2"],
		["of broken JSON", '{"token": hunter2'],
		["of JSON with other fields", '{"hunter2":"hunter2"}'],
		["of half a GitHub App", '{"appId":1,"privateKey":"hunter2"}'],
		["of half a private key", "-----BEGIN OPENSSH PRIVATE KEY-----\nhunter2"],
		[
			"of a GitHub App at an address without encryption",
			JSON.stringify({ appId: 1, installationId: 2, privateKey: "hunter2", apiUrl: "http://git.acme.example/api/v3" }),
		],
	])("%s is refused, and not shown", async (_, value) => {
		const error = await refusal(
			follower("http://127.0.0.1:9/x", { credentials: credentialsFrom(secretOf(value).read, "git", clock) }).peek(signal),
		);
		expect(error.reason).toBe("BadCredentials");
		expect(error.message).toContain("secret git");
		expect(all(error)).not.toContain("hunter2");
	});

	test("does not go with an address of ssh, nor a deploy key with one of https", async () => {
		const token = follower("git@git.acme.example:acme/access.git", {
			credentials: credentialsFrom(secretOf("ghp_t").read, "git", clock),
		});
		expect((await refusal(token.peek(signal))).message).toBe(
			"secret git holds no ssh key, and git.acme.example/acme/access is read over ssh",
		);
		const key = follower("https://git.acme.example/acme/access.git", {
			credentials: credentialsFrom(secretOf(sshKey()).read, "git", clock),
		});
		expect((await refusal(key.peek(signal))).message).toBe(
			"secret git holds an ssh key, and git.acme.example/acme/access is read over https",
		);
	});
});

function sshKey(): string {
	execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "deploy", "-f", dir.at("deploy-key")]);
	return readFileSync(dir.at("deploy-key"), "utf8");
}

/** In place of ssh: notes what it was given, refuses a key that the real ssh-keygen cannot read, and runs here what it would run there. */
function fakeSsh(): Readonly<Record<string, string>> {
	const script = `#!/bin/sh
echo "$@" >> ${dir.at("ssh-arguments")}
key= hosts=
for a; do case "$a" in IdentityFile=*) key=$(echo "$a" | sed 's/^[^"]*"//; s/"$//');; UserKnownHostsFile=*) hosts=$(echo "$a" | sed 's/^[^"]*"//; s/"$//');; esac; last=$a; done
cat "$hosts" > ${dir.at("seen-hosts")}
if [ -n "$key" ]; then
  stat -c '%a %n' "$key" "$(dirname "$key")" > ${dir.at("seen-modes")}
  ssh-keygen -y -f "$key" > ${dir.at("seen-key")} 2>&1 || { echo "Load key \\"$key\\": error in libcrypto" >&2; echo "git@host: Permission denied (publickey)." >&2; exit 255; }
fi
[ -f ${dir.at("ssh-fails")} ] && { cat ${dir.at("ssh-fails")} >&2; exit 255; }
exec sh -c "$last"
`;
	dir.write("bin/ssh", script);
	chmodSync(dir.at("bin/ssh"), 0o755);
	return { ...GIT_ENV, PATH: `${dir.at("bin")}:${GIT_ENV.PATH}` };
}

const HOSTS = "git.acme.example ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl";

describe("a deploy key in a secret", () => {
	const url = (): string => `ssh://git@git.acme.example${dir.at("repos/access")}`;
	const over = (value: string, more: Partial<GitFollowerDeps> = {}): GitFollower =>
		follower(url(), {
			env: fakeSsh(),
			knownHosts: HOSTS,
			credentials: credentialsFrom(secretOf(value).read, "git", clock),
			...more,
		});

	test.each<[string, (key: string) => string]>([
		["as it is", (k) => k],
		["as JSON", (k) => JSON.stringify({ sshKey: k })],
		["on one line, as a web form makes it", (k) => k.trim().replaceAll("\n", " ")],
		["with its line breaks written out", (k) => JSON.stringify({ sshKey: k.replaceAll("\n", "\\n") })],
		["with line breaks of Windows", (k) => k.replaceAll("\n", "\r\n")],
	])("%s opens the repository, and is gone after", async (_, form) => {
		const key = sshKey();
		const f = over(form(key));
		expect(await f.peek(signal)).toBe(head);
		expect((await fetchFrom(f)).revision.id).toBe(head);
		expect(readFileSync(dir.at("seen-key"), "utf8").split(" ").slice(0, 2)).toEqual(
			readFileSync(dir.at("deploy-key.pub"), "utf8").split(" ").slice(0, 2),
		);
		expect(readFileSync(dir.at("seen-modes"), "utf8")).toMatch(/^600 .*\n700 .*\n$/);
		expect(temporary()).toEqual([]);
	});

	test("is used alone, with the pinned host keys alone", async () => {
		await over(sshKey()).peek(signal);
		const args = readFileSync(dir.at("ssh-arguments"), "utf8");
		for (const option of [
			"-F none",
			"-o StrictHostKeyChecking=yes",
			"-o GlobalKnownHostsFile=/dev/null",
			"-o IdentitiesOnly=yes",
			"-o IdentityAgent=none",
			"-o BatchMode=yes",
		])
			expect(args).toContain(option);
		expect(readFileSync(dir.at("seen-hosts"), "utf8")).toBe(`${HOSTS}\n`);
		// The real ssh understands each of them.
		const known = [
			"-F",
			"none",
			"-o",
			"UpdateHostKeys=no",
			"-o",
			"StrictHostKeyChecking=yes",
			"-o",
			"GlobalKnownHostsFile=/dev/null",
			"-o",
			"IdentityAgent=none",
		];
		const shown = execFileSync("ssh", ["-G", "-T", ...known, "-o", 'UserKnownHostsFile="/a b/c"', "host"], { encoding: "utf8" });
		expect(shown).toMatch(/stricthostkeychecking (yes|true)/);
		expect(shown).toContain("userknownhostsfile /a b/c");
	});

	test("without pinned host keys is refused, with how to come by them; nothing is connected to", async () => {
		const f = follower(url(), { env: fakeSsh(), credentials: credentialsFrom(secretOf(sshKey()).read, "git", clock) });
		const error = await refusal(f.peek(signal));
		expect([error.reason, error.fix]).toEqual(["NoHostKeys", expect.stringContaining("ssh-keyscan git.acme.example")]);
		expect(existsSync(dir.at("ssh-arguments"))).toBe(false);
	});

	test("takes the host keys of a file by its path", async () => {
		writeFileSync(dir.at("known_hosts"), `${HOSTS}\n# more\n`);
		await over(sshKey(), { knownHosts: dir.at("known_hosts") }).peek(signal);
		expect(readFileSync(dir.at("seen-hosts"), "utf8")).toBe(`${HOSTS}\n# more\n`);
		expect((await refusal(over(sshKey2(), { knownHosts: dir.at("none") }).peek(signal))).message).toContain(dir.at("none"));
	});

	test("is gone also when git fails, and when it is told to stop", async () => {
		const failing = over(sshKey());
		writeFileSync(dir.at("ssh-fails"), "git@git.acme.example: Permission denied (publickey).\n");
		const error = await refusal(failing.peek(signal));
		expect([error.reason, error.message]).toEqual([
			"GitAccessDenied",
			`git.acme.example/${dir.at("repos/access").slice(1)} refuses what secret git holds`,
		]);
		expect(temporary()).toEqual([]);
		dir.write("bin/ssh", `#!/bin/sh\ntouch ${dir.at("connected")}\nsleep 60\n`);
		const abort = new AbortController();
		const pending = failing.peek(abort.signal).then(
			() => "it succeeded",
			(e: Error) => e.message,
		);
		await expect.poll(() => existsSync(dir.at("connected")), { timeout: 20_000 }).toBe(true);
		expect(temporary()).not.toEqual([]);
		abort.abort(new Error("told to stop"));
		expect(await pending).toBe("told to stop");
		expect(temporary()).toEqual([]);
	});

	test.each<[string, string, string, string]>([
		["an unknown host", "Host key verification failed.\n", "HostKeyRefused", "ssh-keyscan git.acme.example"],
		[
			"another host key",
			"@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @\nHost key verification failed.\n",
			"HostKeyRefused",
			"somebody is in between",
		],
	])("is not given to %s", async (_, said, reason, fix) => {
		const f = over(sshKey());
		writeFileSync(dir.at("ssh-fails"), said);
		const error = await refusal(f.peek(signal));
		expect([error.reason, error.fix]).toEqual([reason, expect.stringContaining(fix)]);
	});

	test("that ssh cannot read says so", async () => {
		const key = sshKey();
		const [first = "", ...rest] = key.split("\n");
		const error = await refusal(over([first, "AAAA", ...rest].join("\n")).peek(signal));
		expect([error.reason, error.message]).toEqual(["BadCredentials", "secret git holds no private key that ssh can read"]);
	});

	test("over a network that fails is tried again, and says what ssh said", async () => {
		const f = over(sshKey());
		writeFileSync(dir.at("ssh-fails"), "ssh: connect to host git.acme.example port 22: Connection refused\n");
		const error = await f.peek(signal).catch((e: Error) => e);
		expect(error).not.toBeInstanceOf(TerminalError);
		expect((error as Error).message).toContain("port 22: Connection refused");
	});
});

function sshKey2(): string {
	execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", dir.at("second-key")]);
	return readFileSync(dir.at("second-key"), "utf8");
}

/** As much of GitHub as gives an App its tokens; checks the App's signature as GitHub does. */
async function gitHub(publicKey: string): Promise<{
	readonly apiUrl: string;
	readonly given: string[];
	readonly bodies: unknown[];
	readonly fail: (status: number | null) => void;
}> {
	const given: string[] = [];
	const bodies: unknown[] = [];
	let failing: number | null = null;
	const server = createServer(async (request, response) => {
		const parts: Buffer[] = [];
		for await (const part of request) parts.push(part as Buffer);
		const [scheme = "", jwt = ""] = (request.headers.authorization ?? "").split(" ");
		const [header = "", payload = "", signature = ""] = jwt.split(".");
		const signed = createVerify("RSA-SHA256").update(`${header}.${payload}`).verify(publicKey, signature, "base64url");
		const decoded = (text: string) => JSON.parse(Buffer.from(text, "base64url").toString("utf8")) as Record<string, unknown>;
		const answer = (status: number, body: unknown) =>
			response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
		if (failing !== null) return answer(failing, { message: "Server Error" });
		const right =
			signed && /^bearer$/i.test(scheme) && decoded(header).alg === "RS256" && String(decoded(payload).iss) === "4711";
		const life = right ? Number(decoded(payload).exp) - Number(decoded(payload).iat) : 0;
		if (!right || life > 600 || Number(decoded(payload).exp) * 1000 < Date.now())
			return answer(401, { message: "A JSON web token could not be decoded" });
		if (request.method !== "POST" || request.url !== "/api/v3/app/installations/99/access_tokens")
			return answer(404, { message: "Not Found" });
		bodies.push(JSON.parse(Buffer.concat(parts).toString("utf8")));
		given.push(`ghs_${given.length + 1}hunter2`);
		answer(201, { token: given.at(-1), expires_at: new Date(now + 3_600_000).toISOString(), permissions: { contents: "read" } });
	});
	await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
	closing.push(
		() =>
			new Promise((resolve) => {
				server.close(() => resolve());
				server.closeAllConnections();
			}),
	);
	return {
		apiUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/v3`,
		given,
		bodies,
		fail: (status) => {
			failing = status;
		},
	};
}

describe("a GitHub App in a secret", () => {
	const pair = generateKeyPairSync("rsa", {
		modulusLength: 2048,
		publicKeyEncoding: { type: "spki", format: "pem" },
		privateKeyEncoding: { type: "pkcs1", format: "pem" },
	});
	const set = async (more: Readonly<Record<string, unknown>> = {}) => {
		const hub = await gitHub(pair.publicKey);
		let revoked = 0;
		// Only the newest token opens anything.
		const server = await serving((a) => hub.given.length > revoked && a === basic("x-access-token", hub.given.at(-1) ?? ""));
		const secret = secretOf(
			JSON.stringify({ appId: 4711, installationId: 99, privateKey: pair.privateKey, apiUrl: hub.apiUrl, ...more }),
		);
		const f = follower(`${server.origin}/access`, { credentials: credentialsFrom(secret.read, "access/app", clock) });
		const revoke = (): void => {
			revoked = hub.given.length;
		};
		return { hub, server, secret, f, revoke };
	};

	test("opens the repository with a token that may only read contents", async () => {
		const { hub, f } = await set();
		expect(await f.peek(signal)).toBe(head);
		expect((await fetchFrom(f)).revision.id).toBe(head);
		expect(hub.bodies).toEqual([{ permissions: { contents: "read" } }]);
	});

	test("with its key on one line works too", async () => {
		const { f } = await set({ privateKey: pair.privateKey.trim().replaceAll("\n", " ") });
		expect(await f.peek(signal)).toBe(head);
	});

	test("gets a new token before the old one ends, and not more often", async () => {
		const { hub, secret, f } = await set();
		for (let n = 0; n < 12; n++) {
			await f.peek(signal);
			minutes(5);
		}
		expect([hub.given.length, secret.reads()]).toEqual([2, 1]);
	});

	test("whose token was taken back gets another", async () => {
		const { hub, f, revoke } = await set();
		await f.peek(signal);
		revoke();
		minutes(2);
		expect(await f.peek(signal)).toBe(head);
		expect(hub.given.length).toBe(2);
	});

	test.each<[string, Readonly<Record<string, unknown>>, string, string]>([
		["another App's id", { appId: 12 }, "GitAccessDenied", "401, A JSON web token could not be decoded"],
		["another installation", { installationId: 100 }, "GitAccessDenied", "404, Not Found"],
		["no key", { privateKey: "hunter2" }, "BadCredentials", "no private key that can sign"],
	])("with %s is refused, and shows nothing", async (_, more, reason, message) => {
		const { f } = await set(more);
		const error = await refusal(f.peek(signal));
		expect([error.reason, error.message]).toEqual([reason, expect.stringContaining(message)]);
		expect(all(error)).not.toMatch(/hunter2|PRIVATE KEY|eyJ/);
	});

	test("while GitHub fails or is away is tried again, and goes on with the token it has", async () => {
		const { hub, f } = await set();
		hub.fail(502);
		const error = await f.peek(signal).catch((e: Error) => e);
		expect(error).not.toBeInstanceOf(TerminalError);
		expect((error as Error).message).toContain("502");
		hub.fail(null);
		await f.peek(signal);
		hub.fail(502);
		minutes(30);
		expect(await f.peek(signal)).toBe(head);
		const away = follower("http://127.0.0.1:9/x", {
			credentials: credentialsFrom(
				secretOf(JSON.stringify({ appId: 1, installationId: 2, privateKey: pair.privateKey, apiUrl: "http://127.0.0.1:9" })).read,
				"git",
				clock,
			),
		});
		const unreachable = await away.peek(signal).catch((e: Error) => e);
		expect(unreachable).not.toBeInstanceOf(TerminalError);
		expect((unreachable as Error).message).toMatch(/^127\.0\.0\.1:9 cannot be reached/);
	});
});

describe("the secret of webhooks", () => {
	test.each(["  hunter2\n", '{"secret":"hunter2"}'])(
		"is text or JSON, is kept, and read again after five minutes",
		async (value) => {
			const secret = secretOf(value);
			const webhook = webhookSecretFrom(secret.read, "hook", clock);
			expect((await webhook(signal)).test((v) => v === "hunter2")).toBe(true);
			await webhook(signal);
			expect(secret.reads()).toBe(1);
			secret.put("rotated");
			minutes(6);
			expect((await webhook(signal)).test((v) => v === "rotated")).toBe(true);
		},
	);

	test.each(["", "{}", '{"secret":""}', "{hunter2"])("that is none is refused: %j", async (value) => {
		const error = await refusal(webhookSecretFrom(secretOf(value).read, "hook", clock)(signal));
		expect(error.reason).toBe("BadCredentials");
		expect(all(error)).not.toContain("hunter2");
	});
});
