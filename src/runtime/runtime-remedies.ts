import type { EngineKind } from '../sandbox/engine-kind.ts';
import { RUNSC_ARGUMENTS } from './runsc-arguments.ts';

/** What to do about a runtime, in the words of the engine there is: Podman has no daemon.json, and nothing to reload. */
export type RuntimeRemedies = { engine: string; register: string; correctArguments: string; replaceProgram: string };

export const RUNTIME_REMEDIES: Readonly<Record<EngineKind, RuntimeRemedies>> = {
  Docker: {
    engine: 'the Docker engine',
    register: "register it in the engine's daemon.json",
    correctArguments: `set ${JSON.stringify({ runtimeArgs: RUNSC_ARGUMENTS })} for it in daemon.json and run \`sudo systemctl reload docker\``,
    replaceProgram: "put gVisor's runsc there, or take the entry out of daemon.json and reload the engine, and Decoy fetches it anew",
  },
  Podman: {
    engine: 'Podman',
    register: 'name its program below [engine.runtimes] of containers.conf',
    correctArguments: `name a script below [engine.runtimes] of containers.conf that starts runsc with ${RUNSC_ARGUMENTS.join(' ')}, or use Docker`,
    replaceProgram: "put gVisor's runsc there, or use Docker, for which Decoy fetches it",
  },
};
