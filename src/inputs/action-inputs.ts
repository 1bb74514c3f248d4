import type { RawInputs } from './raw-inputs.ts';

/** Takes the action's inputs out of the environment: action.yml hands each over as INPUT_NAME, so no script ever holds one. */
export function readActionInputs(environment: Record<string, string | undefined>): { raw: RawInputs; secretsText: string } {
  const take = (name: string): string | undefined => {
    const key = `INPUT_${name.toUpperCase().replaceAll('-', '_')}`;
    const value = environment[key];
    delete environment[key];
    return value;
  };
  const lines = (name: string) => (take(name) ?? '').split(/\r?\n/);
  return {
    secretsText: take('secrets') ?? '',
    raw: {
      run: take('run'), shell: take('shell'), image: take('image'), allow: lines('allow'), foreignCredentials: take('foreign-credentials'), env: lines('env'), policy: take('policy'),
      timeout: take('timeout'), memory: take('memory'), cpus: take('cpus'), storage: take('storage'), pids: take('pids'),
      workspace: take('workspace'), workingDirectory: take('working-directory'), user: take('user'), runtime: take('runtime'),
      volumes: lines('volumes').filter((line) => line.trim() !== ''), snapshotFrom: take('snapshot-from'), snapshotTo: take('snapshot-to'),
      mode: take('mode'), resolve: lines('resolve'), clientCertificates: lines('client-certificates'), proxyLimits: lines('proxy-limits'), expose: lines('expose'), exposeFile: take('expose-file'), servicesText: take('services'),
      failOnBlocked: take('fail-on-blocked'),
    },
  };
}
