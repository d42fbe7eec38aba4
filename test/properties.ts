import fc from "fast-check";

/**
 * Properties draw the same cases each time, so that a change is judged by the change. `FC_SEED=random npm test` looks for
 * new ones; a failure prints the seed that shows it again with `FC_SEED=<seed>`.
 */
const asked = process.env.FC_SEED;
fc.configureGlobal({ seed: asked === "random" ? Date.now() : Number(asked ?? 20261124) });
