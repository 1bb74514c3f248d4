import type { Engine } from './sandbox/engine.ts';
import { findEngineProblem } from './sandbox/watch-engine.ts';

/** What an engine says of faults that are not its own, and what is to be done. */
const REMEDIES: readonly [RegExp, string][] = [
  [/no space left on device/i, 'make room on the disk of the Docker engine (docker system df shows what it keeps), then run it again'],
  [/^cannot create .*no such image/i, 'something removed it meanwhile; run it again'],
];

/** Why a run failed: what fails because the engine is gone says little of that, and an engine knows no remedies. `engine`: null where none was found. */
export async function explainFailure(message: string, engine: Engine | null): Promise<string> {
  const problem = engine === null ? null : await findEngineProblem(engine);
  if (problem !== null) return problem;
  const [, remedy] = REMEDIES.find(([words]) => words.test(message)) ?? [];
  return remedy === undefined ? message : `${message}: ${remedy}`;
}
