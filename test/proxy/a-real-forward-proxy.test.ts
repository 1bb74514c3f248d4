import { expect, test } from 'vitest';
import { parseUpstreamProxies } from '../../src/inputs/parse-upstream-proxies.ts';
import { createAuthority } from '../../src/trust/authority.ts';
import { ask, openBench, portOf, startHttps } from './open-bench.ts';
import { hasSquid, startSquid } from './squid.ts';

test.skipIf(!hasSquid)('Squid with a password is gone through, and what it refuses is told', async () => {
  const authority = await createAuthority();
  const upstream = await startHttps(authority, (request, response) => void response.end(`behind squid: ${request.url}`));
  const port = portOf(upstream);
  await using squid = await startSquid({ login: { user: 'me', password: 'p@ss:word' }, hosts: ['api.test', 'forbidden.test'], forbidden: 'forbidden.test' });
  const answerOf = async (host: string, login: string) => {
    const { proxies, problems } = parseUpstreamProxies({ HTTPS_PROXY: `http://${login}127.0.0.1:${squid.port}` });
    expect(problems).toEqual([]);
    await using bench = await openBench({
      allow: [`${host}:${port}`], names: [],
      options: {
        upstreamProxies: proxies, upstreamCertificates: [authority.certificatePem],
        resolveName: () => Promise.reject(new Error('only the proxy knows these names')),
      },
    });
    const { status, headers, body } = await ask(bench.agentTo(host, { port }), { headers: { host: `${host}:${port}` }, path: '/x' });
    return [status, headers['x-decoy-blocked'], status === 200 ? body.toString() : (JSON.parse(body.toString()) as { remedy: string }).remedy];
  };
  expect(await answerOf('api.test', 'me:p%40ss%3Aword@')).toEqual([200, undefined, 'behind squid: /x']);
  expect(await answerOf('api.test', '')).toEqual([502, 'upstream-proxy', expect.stringContaining('asks for a user name and password (407)')]);
  expect(await answerOf('api.test', 'me:wrong@')).toEqual([502, 'upstream-proxy', expect.stringContaining('does not accept the user name and password it was given (407)')]);
  expect(await answerOf('forbidden.test', 'me:p%40ss%3Aword@')).toEqual([502, 'upstream-proxy', expect.stringContaining(`refuses CONNECT to "forbidden.test:${port}" (403)`)]);
  expect(await answerOf('unknown.test', 'me:p%40ss%3Aword@')).toEqual([502, 'upstream-unreachable', expect.stringContaining(`could not connect to "unknown.test:${port}"`)]);
  upstream.closeAllConnections();
  upstream.close();
});
