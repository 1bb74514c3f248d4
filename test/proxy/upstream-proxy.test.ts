import type http from 'node:http';
import { describe, expect, test } from 'vitest';
import type { UpstreamProxy } from '../../src/proxy/upstream-proxy.ts';
import { createAuthority } from '../../src/trust/authority.ts';
import { openForwardProxy, type ForwardProxySetUp } from './forward-proxy.ts';
import { ask, askHttp2, openBench, portOf, readAll, type SetUp } from './open-bench.ts';

const PUBLIC = '203.0.113.9';
const upstream: http.RequestListener = (request, response) => void response.end(`upstream got ${request.url}`);
const unknown = async () => { throw Object.assign(new Error('no such name'), { code: 'ENOTFOUND' }); };

/** A bench whose upstream is reached by way of the forward proxy, and by no other. */
async function openBehind(proxy: Awaited<ReturnType<typeof openForwardProxy>>, { described = proxy.describe(), noProxy = '', ...setUp }: SetUp & { described?: UpstreamProxy; noProxy?: string } = {}) {
  const bench = await openBench({
    names: [], upstream, ...setUp,
    options: { upstreamProxies: { https: described, http: described, noProxy }, resolveName: async () => [PUBLIC], ...setUp.options },
  });
  proxy.lead('api.test:443', portOf(bench.servers.https));
  proxy.lead('api.test:80', portOf(bench.servers.http));
  return bench;
}

async function openBoth(setUp: ForwardProxySetUp & { login?: string; bench?: SetUp }) {
  const proxy = await openForwardProxy(setUp);
  const bench = await openBehind(proxy, { ...setUp.bench, described: proxy.describe(setUp.login === undefined ? {} : { login: setUp.login }) });
  return {
    proxy, bench,
    async [Symbol.asyncDispose]() {
      await bench[Symbol.asyncDispose]();
      await proxy[Symbol.asyncDispose]();
    },
  };
}

const get = async (bench: Awaited<ReturnType<typeof openBench>>, host = 'api.test') => {
  const answer = await ask(bench.agentTo(host), { headers: { host }, path: '/x' });
  return { ...answer, text: answer.body.toString() };
};

test('an https upstream is asked for by name, and verified inside the tunnel', async () => {
  await using both = await openBoth({});
  const { status, text } = await get(both.bench);
  expect([status, text]).toEqual([200, 'upstream got /x']);
  expect(both.proxy.asked.map(({ authority }) => authority)).toEqual(['api.test:443']);
});

test('HTTP/2 goes through the tunnel as well, all streams through one', async () => {
  await using both = await openBoth({
    bench: {
      http2Upstream: (stream, headers) => {
        stream.respond({ ':status': 200 });
        stream.end(`upstream got ${headers[':path']}`);
      },
    },
  });
  const session = both.bench.http2('api.test');
  const bodies = await Promise.all(['/a', '/b', '/c'].map(async (path) => (await askHttp2(session, { ':path': path })).body.toString()));
  expect(bodies).toEqual(['upstream got /a', 'upstream got /b', 'upstream got /c']);
  expect(both.proxy.asked.map(({ authority }) => authority)).toEqual(['api.test:443']);
});

test('an upstream nobody here trusts is not trusted through the proxy either', async () => {
  await using both = await openBoth({ bench: { options: { upstreamCertificates: [] } } });
  expect((await get(both.bench)).headers['x-decoy-blocked']).toBe('upstream-tls');
});

test('plain HTTP goes by CONNECT, too: no request of the sandbox is the proxy\'s to read or answer', async () => {
  await using both = await openBoth({ credentials: 'me:pass', login: 'me:pass' });
  const socket = both.bench.plain('api.test');
  socket.write('GET /plain HTTP/1.1\r\nHost: api.test\r\nConnection: close\r\n\r\n');
  expect((await readAll(socket)).toString()).toMatch(/^HTTP\/1.1 200[^]*upstream got \/plain/);
  expect(both.proxy.asked.map(({ authority }) => authority)).toEqual(['api.test:80']);
  expect(both.proxy.others).toEqual([]);
});

test('the credentials go to the proxy, and nowhere else', async () => {
  let seen: string[] = [];
  await using both = await openBoth({
    credentials: 'me:p@ss', login: 'me:p@ss',
    bench: { upstream: (request, response) => { seen = request.rawHeaders; response.end('ok'); } },
  });
  expect((await get(both.bench)).text).toBe('ok');
  expect(both.proxy.asked[0]!.headers['proxy-authorization']).toBe('Basic bWU6cEBzcw==');
  expect(seen.join('\n').toLowerCase()).not.toContain('proxy');
});

test('a proxy that speaks TLS is verified, and the upstream\'s TLS is inside its own', async () => {
  const authority = await createAuthority();
  await using proxy = await openForwardProxy({ context: await authority.leafContext('proxy.test') });
  const resolveName = async (host: string) => [host === 'proxy.test' ? '127.0.0.1' : PUBLIC];
  const described = proxy.describe({ host: 'proxy.test' });
  await using trusting = await openBehind(proxy, { described, options: { resolveName, upstreamRootFiles: { extra: [], system: [] } } });
  // The bench trusts its upstream's authority; the proxy's is another.
  const refused = await get(trusting);
  expect(refused.headers['x-decoy-blocked']).toBe('upstream-proxy');
  expect(refused.text).toContain(`The certificate of \\"proxy.test:${proxy.port}\\" could not be verified`);
  await using both = await openBehind(proxy, { described, options: { resolveName, upstreamCertificates: [authority.certificatePem, trusting.upstreamAuthority.certificatePem] } });
  proxy.lead('api.test:443', portOf(trusting.servers.https));
  expect((await get(both)).text).toBe('upstream got /x');
});

test('requests of a pool share a tunnel', async () => {
  await using both = await openBoth({});
  const agent = both.bench.agentTo('api.test', { keepAlive: true, maxSockets: 1 });
  for (let i = 0; i < 3; i++) expect((await ask(agent, { headers: { host: 'api.test' } })).status).toBe(200);
  expect(both.proxy.asked).toHaveLength(1);
});

describe('the proxy is asked, or not', () => {
  test('a name unknown here is the proxy\'s to resolve', async () => {
    await using both = await openBoth({ bench: { options: { resolveName: unknown } } });
    expect((await get(both.bench)).text).toBe('upstream got /x');
  });

  test.each([
    ['only a private address', ['10.0.0.1']],
    ['only an own address', [PUBLIC], [PUBLIC]],
    ['a private address, too', [PUBLIC, '10.0.0.1']],
    ['the metadata service, too', ['169.254.169.254', PUBLIC]],
  ])('a name that leads to %s is refused', async (_, addresses, ownAddresses: string[] = []) => {
    await using both = await openBoth({ bench: { options: { resolveName: async () => addresses, ownAddresses } } });
    const { status, headers } = await get(both.bench);
    expect([status, headers['x-decoy-blocked'], both.proxy.asked]).toEqual([403, 'private-address', []]);
  });

  test('names of NO_PROXY and of resolve are dialled directly', async () => {
    await using proxy = await openForwardProxy();
    // The proxy would know the name.
    await using named = await openBehind(proxy, { noProxy: '.test', options: { resolveName: unknown } });
    expect((await get(named)).headers['x-decoy-blocked']).toBe('name-does-not-resolve');
    await using resolved = await openBehind(proxy, { names: ['api.test'] });
    expect((await get(resolved)).text).toBe('upstream got /x');
    expect(proxy.asked).toEqual([]);
  });

  test('an address is dialled directly', async () => {
    await using proxy = await openForwardProxy();
    await using bench = await openBehind(proxy, { allow: ['127.0.0.2'] });
    expect((await get(bench, '127.0.0.2')).headers['x-decoy-blocked']).toBe('private-address');
    expect(proxy.asked).toEqual([]);
  });
});

describe('what the proxy does wrong is told, without credentials', () => {
  const refusalOf = async (setUp: Parameters<typeof openBoth>[0]) => {
    await using both = await openBoth(setUp);
    const { status, text } = await get(both.bench);
    const [entry] = await both.bench.entriesOf(1);
    expect(status).toBe(502);
    const told = `${text}${JSON.stringify(entry)}`;
    for (const secret of ['pa55word', Buffer.from('me:pa55word').toString('base64')]) expect(told).not.toContain(secret);
    return { reason: entry!.reason, remedy: entry!.remedy!.replace(/127.0.0.1:\d+/, 'PROXY') };
  };

  test.each<[string, Parameters<typeof openBoth>[0], string, string]>([
    ['no credentials', { credentials: 'me:pa55word' }, 'upstream-proxy',
      'The proxy "http://PROXY" of HTTPS_PROXY asks for a user name and password (407); write them into HTTPS_PROXY, before the host and an "@".'],
    ['wrong credentials', { credentials: 'me:other', login: 'me:pa55word' }, 'upstream-proxy',
      'The proxy "http://PROXY" of HTTPS_PROXY does not accept the user name and password it was given (407); correct them in HTTPS_PROXY, percent-encoded.'],
    ['forbidden', { status: 403, login: 'me:pa55word' }, 'upstream-proxy',
      'The proxy "http://PROXY" of HTTPS_PROXY refuses CONNECT to "api.test:443" (403); have it allowed there, or name "api.test" in NO_PROXY.'],
    ['unreachable from there', { status: 503, login: 'me:pa55word' }, 'upstream-unreachable',
      'The proxy "http://PROXY" of HTTPS_PROXY could not connect to "api.test:443" (503); check the name, and that it is up and reachable from there.'],
    ['silence', { isSilent: true, login: 'me:pa55word', bench: { options: { upstreamTimeouts: { tunnelMs: 50 } } } }, 'upstream-proxy',
      'The proxy "http://PROXY" of HTTPS_PROXY gave no answer to CONNECT (ETIMEDOUT); check that it is an HTTP proxy.'],
  ])('%s', async (_, setUp, reason, remedy) => {
    expect(await refusalOf(setUp)).toEqual({ reason, remedy });
  });

  test('nothing listens there, or its name is not known', async () => {
    await using proxy = await openForwardProxy();
    const described = { ...proxy.describe({ login: 'me:pa55word' }), port: 1 };
    await using bench = await openBehind(proxy, { described });
    expect((await get(bench)).text).toContain('cannot be reached (ECONNREFUSED); check it, or name \\"api.test\\" in NO_PROXY.');
    await using unnamed = await openBehind(proxy, { described: { ...described, host: 'proxy.test' }, options: { resolveName: unknown } });
    expect((await get(unnamed)).text).toContain('"http://proxy.test:1\\" of HTTPS_PROXY cannot be reached (ENOTFOUND)');
  });

  test('what listens there is no proxy', async () => {
    await using proxy = await openForwardProxy();
    await using bench = await openBehind(proxy);
    const described = { ...proxy.describe(), port: portOf(bench.servers.https) };
    await using wrong = await openBehind(proxy, { described });
    expect((await get(wrong)).text).toContain('gave no answer to CONNECT');
  });
});
