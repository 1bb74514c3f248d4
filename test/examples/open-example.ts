import fs from 'node:fs';
import type { RequestListener } from 'node:http';
import path from 'node:path';
import { openAct, type Act, type ActEnd, type ActOptions } from '../action/open-act.ts';
import { startUpstream, type Upstream } from '../integration/support/upstream.ts';
import { openForwardProxy } from '../proxy/forward-proxy.ts';

export const examplesDirectory = path.resolve(import.meta.dirname, '../../examples');

/** A repository that is one of the examples, on a runner whose network has a forward proxy: it leads each of these hosts to one server. */
export type Example = AsyncDisposable & Pick<Act, 'artifact'> & {
  project: string;
  /** of the server, on 127.0.0.1 */
  port: number;
  received: Upstream['received'];
  /** the names the forward proxy was asked for */
  asked(): string[];
  run(options?: ActOptions): Promise<ActEnd>;
};

/** The files of the example are used as they are; only the runner's environment tells of the proxy and the server's authority. */
export async function openExample(name: string, { hosts, respond }: { hosts: readonly string[]; respond: RequestListener }): Promise<Example> {
  const act = openAct();
  const upstream = await startUpstream(respond);
  const proxy = await openForwardProxy();
  for (const host of hosts) proxy.lead(`${host}:443`, upstream.port);
  const project = path.join(act.root, 'project');
  fs.cpSync(path.join(examplesDirectory, name), project, { recursive: true });
  const env = { HTTPS_PROXY: `http://127.0.0.1:${proxy.port}`, ...upstream.env };
  return {
    project, port: upstream.port, received: upstream.received, artifact: act.artifact,
    asked: () => proxy.asked.map(({ authority }) => authority),
    run: (options = {}) => act.run(project, { ...options, env: { ...env, ...options.env } }),
    async [Symbol.asyncDispose]() {
      await proxy[Symbol.asyncDispose]();
      await upstream[Symbol.asyncDispose]();
      await act[Symbol.asyncDispose]();
    },
  };
}

/** Each value of this header, of all requests. */
export function headerValues(received: Upstream['received'], name: string): string[] {
  return received.flatMap(({ headers }) => headers.filter((_, index) => index % 2 === 1 && headers[index - 1]?.toLowerCase() === name));
}
