import { DEV, expandAll, type Files, lines, PROD, policy } from "./world.ts";

export const base: Files = { "platform/accounts.yaml": PROD };
export const both: Files = { "platform/accounts.yaml": `${PROD}---\n${DEV}` };
export const said = (files: Files) => lines(expandAll(files).findings);
/** Of one policy beside one Account; `a.yaml` stands for the policy's file. */
export const ofPolicy = (spec: string, more: Files = {}) =>
	said({ ...base, ...more, "a.yaml": policy(spec) }).map((l) => l.replace("policies/a.yaml:", ""));
export const statement = (text: string) => `taskRole:\n  statements:\n  - ${text}`;
