import type { RawInputs } from '../raw-inputs.ts';
import type { singleValues } from '../single-values.ts';

/** Keys of a policy file whose value is one word or number, and the input each stands for. `schema/policy.schema.json` describes them. */
export const SCALAR_KEYS = {
  image: 'image', workspace: 'workspace', 'working-directory': 'workingDirectory', user: 'user', runtime: 'runtime', mode: 'mode', shell: 'shell',
  'foreign-credentials': 'foreignCredentials', 'fail-on-blocked': 'failOnBlocked', 'snapshot-from': 'snapshotFrom', 'snapshot-to': 'snapshotTo',
} as const satisfies Partial<Record<keyof typeof singleValues, keyof RawInputs>>;

/** Those below `limits`. */
export const LIMIT_KEYS = { timeout: 'timeout', memory: 'memory', cpus: 'cpus', storage: 'storage', pids: 'pids' } as const satisfies Partial<Record<keyof typeof singleValues, keyof RawInputs>>;

/** Keys whose value is a list of lines as the input of that name has. */
export const LIST_KEYS = { allow: 'allow', resolve: 'resolve', volumes: 'volumes', expose: 'expose' } as const satisfies Record<string, keyof RawInputs>;

/** All that a profile may have. */
export const PROFILE_KEYS: readonly string[] = ['allow', 'secrets', 'env', 'limits', 'proxy-limits', 'resolve', 'client-certificates', 'volumes', 'expose', 'services', ...Object.keys(SCALAR_KEYS)];
export const FILE_KEYS: readonly string[] = ['version', ...PROFILE_KEYS, 'profiles'];
export const SECRET_KEYS: readonly string[] = ['hosts', 'in', 'max'];

/** Inputs that are not the policy's to say, with what to do. */
export const ELSEWHERE: Readonly<Record<string, string>> = {
  run: 'what is run stands in the workflow or on the command line: remove it here',
  policy: 'one policy file does not name another: remove it here',
  'report-artifact': 'the name of the artifact stands in the workflow: remove it here',
  'expose-file': 'where the file goes stands in the workflow or on the command line: remove it here',
  timeout: 'write it below `limits`', memory: 'write it below `limits`', cpus: 'write it below `limits`', storage: 'write it below `limits`', pids: 'write it below `limits`',
};
