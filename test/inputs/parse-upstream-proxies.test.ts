import { describe, expect, test } from 'vitest';
import { describeHost } from '../../src/host.ts';
import { parseInputs } from '../../src/inputs/parse-inputs.ts';
import { parseUpstreamProxies } from '../../src/inputs/parse-upstream-proxies.ts';

const httpsOf = (environment: Record<string, string>) => parseUpstreamProxies(environment).proxies?.https;

test('no variable, no proxy', () => {
  expect(parseUpstreamProxies({ HTTPS_PROXY: '', http_proxy: ' ', NO_PROXY: '*' })).toEqual({ proxies: null, problems: [] });
});

test.each<[string, object]>([
  ['http://proxy.corp:3128', { scheme: 'http', host: 'proxy.corp', port: 3128, authorization: null }],
  ['http://proxy.corp', { scheme: 'http', port: 80 }],
  ['https://Proxy.Corp/', { scheme: 'https', host: 'proxy.corp', port: 443 }],
  ['proxy.corp:3128', { scheme: 'http', host: 'proxy.corp', port: 3128 }],
  ['me:pw@proxy.corp:3128', { scheme: 'http', host: 'proxy.corp', port: 3128, authorization: 'Basic bWU6cHc=' }],
  ['http://10.0.0.5:3128', { host: '10.0.0.5' }],
  ['http://[fd00::5]:3128', { host: 'fd00::5', port: 3128 }],
  ['http://me:p%40ss@proxy.corp:3128', { authorization: 'Basic bWU6cEBzcw==' }],
  ['http://me@proxy.corp', { authorization: 'Basic bWU6' }],
])('%s', (HTTPS_PROXY, expected) => {
  expect(httpsOf({ HTTPS_PROXY })).toMatchObject({ variable: 'HTTPS_PROXY', ...expected });
});

test('which variable counts', () => {
  const named = { https_proxy: 'a.test', HTTPS_PROXY: 'b.test', all_proxy: 'c.test', NO_PROXY: 'x', no_proxy: 'y' };
  expect(parseUpstreamProxies(named).proxies).toMatchObject({ https: { variable: 'https_proxy', host: 'a.test' }, http: { variable: 'all_proxy', host: 'c.test' }, noProxy: 'y' });
  expect(parseUpstreamProxies({ HTTP_PROXY: 'a.test' }).proxies).toMatchObject({ https: null, http: { host: 'a.test' }, noProxy: '' });
});

describe('what cannot be used is refused, without user name and password', () => {
  test.each([
    ['socks5://me:pa55@proxy.corp:1080', 'ALL_PROXY: `socks5://proxy.corp:1080` is no HTTP proxy: write `http://HOST:PORT` or `https://HOST:PORT`, or unset it for Decoy'],
    ['http://me:pa55@', 'ALL_PROXY: `http://` is not the address of a proxy: write `http://HOST:PORT`, a user name and password before it percent-encoded'],
    ['http://me:pa/55@proxy.corp:3128', 'ALL_PROXY: `http://proxy.corp:3128` is not the address of a proxy: write `http://HOST:PORT`, a user name and password before it percent-encoded'],
    ['me:8/pa55@proxy.corp:3128', 'ALL_PROXY: `proxy.corp:3128` is more than the address of a proxy: write `http://HOST:PORT`, a user name and password before it percent-encoded'],
    ['http://me:8#pa@55@proxy.corp', 'ALL_PROXY: `http://proxy.corp` is more than the address of a proxy: write `http://HOST:PORT`, a user name and password before it percent-encoded'],
    ['http://me:pa%55%@proxy.corp', 'ALL_PROXY: the user name or password before `http://proxy.corp` is not percent-encoded: write `%25` for a percent sign'],
    ['http://proxy.corp:99999', 'ALL_PROXY: `http://proxy.corp:99999` is not the address of a proxy: write `http://HOST:PORT`, a user name and password before it percent-encoded'],
    ['https://proxy.corp/proxy.pac', 'ALL_PROXY: `https://proxy.corp/proxy.pac` is more than the address of a proxy: write `https://HOST:PORT`, a user name and password before it percent-encoded'],
  ])('%s', (ALL_PROXY, problem) => {
    expect(parseUpstreamProxies({ ALL_PROXY })).toEqual({ proxies: null, problems: [problem] });
  });
});

test('a run is refused for it together with all else, and the sandbox is told of no proxy', () => {
  const host = describeHost({ HTTPS_PROXY: 'socks4://x', HTTP_PROXY: 'http://proxy.corp:3128', LANG: 'C' }, '/dist');
  const result = parseInputs({ command: ['true'], workspace: 'none', timeout: '9h' }, { secrets: { secrets: [], problems: [] }, workspacePath: '/', homePath: '/root', host });
  expect(result.ok ? [] : result.problems).toEqual([expect.stringContaining('HTTPS_PROXY: `socks4://x` is no HTTP proxy'), expect.stringContaining('timeout')]);
  expect(host.environment).toEqual({ LANG: 'C' });
});
