import { existsSync } from "node:fs";
import { TerminalError } from "../model/errors.ts";
import type { GitCache } from "./git-cache.ts";
import { firstLine } from "./git-command.ts";
import { isPath, textOrFile, writeTemporary } from "./temporary.ts";

/**
 * That a commit is signed by one of `allowedSigners`: the lines of an ssh allowed-signers file, or the absolute path of one.
 * Throws TerminalError `NoAllowedSigners`, `SshMissing` and `UnsignedCommit`.
 */
export async function verifySignature(
	cache: GitCache,
	commit: string,
	allowedSigners: string | undefined,
	signal: AbortSignal,
): Promise<void> {
	if (allowedSigners === undefined || (isPath(allowedSigners) && !existsSync(allowedSigners))) {
		throw new TerminalError(
			"NoAllowedSigners",
			`signatures are required, and the allowed signers ${allowedSigners === undefined ? "are not given" : `file ${allowedSigners} does not exist`}`,
			{ fix: "name an ssh allowed-signers file" },
		);
	}
	if (isPath(allowedSigners)) return await verify(cache, commit, allowedSigners, signal);
	const files = writeTemporary({ "allowed-signers": textOrFile(allowedSigners, "allowed signers") });
	try {
		await verify(cache, commit, files.path("allowed-signers"), signal);
	} finally {
		files.dispose();
	}
}

async function verify(cache: GitCache, commit: string, file: string, signal: AbortSignal): Promise<void> {
	const settings = [
		"gpg.format=ssh",
		`gpg.ssh.allowedSignersFile=${file}`,
		"gpg.ssh.program=ssh-keygen",
		"gpg.minTrustLevel=fully",
		// Whoever signs with another format is in no allowed-signers file, whatever this machine's keyring trusts.
		"gpg.program=false",
		"gpg.openpgp.program=false",
		"gpg.x509.program=false",
	].flatMap((s) => ["-c", s]);
	const { code, stderr } = await cache.git.run([...settings, "verify-commit", commit], cache.options, signal);
	if (code === 0) return;
	if (/cannot run ssh-keygen|ssh-keygen: (command )?not found/.test(stderr)) {
		throw new TerminalError("SshMissing", "ssh-keygen is not installed, and signatures cannot be verified without it", {
			fix: "install openssh-client",
		});
	}
	const why = stderr.trim() === "" ? "it has no signature" : firstLine(stderr);
	throw new TerminalError("UnsignedCommit", `commit ${commit.slice(0, 7)} is not signed by an allowed signer: ${why}`, {
		fix: "sign it with a key of the allowed-signers file, or add that key there",
	});
}
