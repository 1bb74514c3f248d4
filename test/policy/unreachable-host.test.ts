import { describe, expect, test } from 'vitest';
import { compilePolicy } from '../../src/policy/compile-policy.ts';
import { unreachableHost } from '../../src/policy/unreachable-host.ts';

const itself = (host: string) => `\`${host}\` is the sandbox itself: to reach a service of the host, give it a name such as \`service.internal\` in allow, and \`service.internal:443:127.0.0.1:8443\` in resolve`;

describe('a host that nothing can be reached under', () => {
  test.each([
    ['127.0.0.1', itself('127.0.0.1')], ['127.255.0.9', itself('127.255.0.9')], ['localhost', itself('localhost')], ['db.localhost', itself('db.localhost')],
    ['0.0.0.0', '`0.0.0.0` stands for every address of a machine: write the address or the name of one host'],
    ['224.0.0.1', '`224.0.0.1` is a multicast address, which nothing can connect to: write the address or the name of one host'],
    ['255.255.255.255', '`255.255.255.255` is a broadcast address, which nothing can connect to: write the address or the name of one host'],
  ])('%s', (host, problem) => {
    expect(unreachableHost(host)).toBe(problem);
    // Not advised either, by what a refused request to it says.
    expect(compilePolicy({ rules: [], bindings: [] }).decide({ scheme: 'https', host, port: 443, method: 'GET', path: '/' })).toMatchObject({ remedy: problem });
  });
});

test.each(['10.0.0.1', '169.254.169.254', '9.9.9.9', 'localhost.example', 'notlocalhost', 'service.internal'])('%s can be one, with resolve if need be', (host) => {
  expect(unreachableHost(host)).toBeNull();
});
