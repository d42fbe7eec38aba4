/** `npm run sandbox`: AWS on this machine, filled with the demo company, until Ctrl-C. */
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { company, companyAccount } from "./company.ts";
import { startSandbox } from "./sandbox.ts";

const sandbox = await startSandbox();
const seed = company();
await sandbox.seed(companyAccount, seed);

// An empty profile is no profile to the SDK, but an error to the AWS CLI.
const exports = Object.entries(sandbox.env(companyAccount)).map(([name, value]) =>
	value === "" ? `unset ${name}` : `export ${name}=${value}`,
);
const main = fileURLToPath(new URL("../../controller/main.ts", import.meta.url));
process.stdout.write(`acme-prod (${companyAccount}), ${seed.clusters?.length} clusters, ${seed.services?.length} services, ${seed.roles?.length} roles, is at ${sandbox.endpoint}.

In another terminal:

${exports.join("\n")}
alias ecs-access='"${process.execPath}" "${main}"'

then, in a new folder, for example:

ecs-access init                # an empty repository to start from
ecs-access import              # one policy a task role, from what runs
ecs-access plan                # adoption marks only
ecs-access apply
aws iam list-roles             # any AWS tool works too

Nothing of this reaches AWS. Ctrl-C ends it and forgets everything.
`);

// The sandbox does not keep this process alive by itself.
const alive = setInterval(() => {}, 1 << 30);
await Promise.race([once(process, "SIGINT"), once(process, "SIGTERM")]);
clearInterval(alive);
await sandbox.stop();
