import { readAdmitted } from "../engine/admitted.ts";
import { loadCatalog } from "../engine/catalog.ts";
import type { FollowedSource } from "../engine/follower.ts";
import { TerminalError } from "../model/errors.ts";
import type { InstallationSpec } from "../model/generated/specs.ts";
import type { CatalogView } from "../model/kind.ts";
import type { Store } from "../model/ports.ts";
import type { Artifact } from "../model/resource.ts";
import type { ActionCatalogue } from "../policy/action-catalogue.ts";
import type { ReadSecret } from "../source/credentials.ts";
import type { CliContext } from "./context.ts";
import { followSource } from "./follow.ts";
import type { FollowFlags } from "./source-flags.ts";

interface LookDeps {
	readonly actions: ActionCatalogue;
	readonly readSecret: ReadSecret;
}

/** What a source says of the controller itself. */
interface Look {
	readonly artifact: Artifact;
	readonly view: CatalogView;
	readonly spec: InstallationSpec;
}

/**
 * The source as it is now, to know which installation this is and where its memory is; twice where the Installation says
 * that another branch is in force. Throws TerminalError `NoInstallation`.
 */
export async function firstLook(ctx: CliContext, flags: FollowFlags, deps: LookDeps): Promise<Look> {
	const at = async (git: InstallationSpec["git"]): Promise<Look> => {
		const source = followSource(ctx, flags, { spec: git, readSecret: deps.readSecret });
		return look(await source.fetch({ previous: null, force: true }, ctx.signal), ctx, deps);
	};
	const first = await at(undefined);
	const { git } = first.spec;
	// Whether a commit comes into force is for admission to say: an unsigned one must not keep the last good one out.
	return flags.git === undefined || git === undefined ? first : await at({ ...git, requireSignatures: false });
}

/**
 * The source as the last admitted revision says to follow it: who may sign, which host keys and credentials count is not for
 * a commit to say that nobody has admitted yet. `git`: what it says; before the first one, what the source says now.
 */
export async function sourceInForce(
	ctx: CliContext,
	flags: FollowFlags,
	deps: LookDeps & { readonly store: Store; readonly now: InstallationSpec["git"] },
): Promise<{ readonly source: FollowedSource; readonly git: InstallationSpec["git"] }> {
	const follow = (git: InstallationSpec["git"]): FollowedSource =>
		followSource(ctx, flags, { spec: git, readSecret: deps.readSecret });
	const admitted = flags.git === undefined ? null : await readAdmitted(deps.store);
	if (admitted === null) return { source: follow(deps.now), git: deps.now };
	try {
		const { git } = look(await follow(deps.now).fetchRevision(admitted.revision, ctx.signal), ctx, deps).spec;
		return { source: follow(git), git };
	} catch (error) {
		// It is nowhere any more: what is there now does not descend from it, and waits for a person's word.
		if (!(error instanceof TerminalError && ["RevisionGone", "NoInstallation"].includes(error.reason))) throw error;
		return { source: follow(deps.now), git: deps.now };
	}
}

function look(artifact: Artifact, ctx: CliContext, { actions }: LookDeps): Look {
	const { view, findings } = loadCatalog(artifact, { actions, defaults: null, now: ctx.clock.now() });
	const spec = view.ofKind<InstallationSpec>("Installation")[0]?.spec;
	if (spec !== undefined) return { artifact, view, spec };
	const [wrong] = findings.filter((f) => f.severity === "error");
	throw new TerminalError(
		"NoInstallation",
		`${artifact.root} holds no valid Installation${wrong === undefined ? "" : `: ${wrong.message}`}`,
		{ fix: "write platform/installation.yaml: it names the installation, its mode and its store" },
	);
}
