import { TerminalError } from "../model/errors.ts";
import type { OAuthClientDriver } from "../model/oauth-client.ts";

/** What nobody should have asked of this provider: its capabilities say that it cannot. */
export function cannot(provider: string, what: string): TerminalError {
	return new TerminalError("ProviderRefused", `${provider} cannot ${what}`);
}

/** Of a provider whose clients have one secret, without an id: there is nothing to switch off or to remove. */
export function oneSecretAlone(provider: string): Pick<OAuthClientDriver, "list" | "activate" | "deactivate" | "remove"> {
	const refuse = (what: string) => async () => {
		throw cannot(provider, `${what} one secret of a client: there is only one`);
	};
	return { list: async () => [], activate: refuse("activate"), deactivate: refuse("deactivate"), remove: refuse("remove") };
}
