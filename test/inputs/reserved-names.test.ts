import { expect, test } from 'vitest';
import { parseSecretBindings, parseSecretLines, parseSecretOptions } from '../../src/inputs/parse-secrets.ts';
import { parseEnv } from '../../src/inputs/parse-env.ts';

const value = 'sk-proj-aB3dE6gH9jK2mN5pQ8sT1v';

test.each(['PATH', 'HOME', 'LD_PRELOAD', 'LD_AUDIT', 'NODE_OPTIONS', 'BASH_ENV', 'LC_ALL', 'SSL_CERT_FILE', 'NODE_EXTRA_CA_CERTS', 'JAVA_TOOL_OPTIONS', 'npm_config_cafile', 'CI'])('%s is no name of a secret, though one of a variable', (name) => {
  const sentence = expect.stringContaining(`secret \`${name}\`: the variable ${name} has a meaning of its own`);
  expect(parseSecretLines(`${name}@api.example.com=${value}`)).toEqual({ secrets: [], problems: [sentence] });
  expect(parseSecretOptions([`${name}@api.example.com`], { [name]: value })).toEqual({ secrets: [], problems: [sentence] });
  expect(parseSecretBindings([`${name}@api.example.com`]).problems).toEqual([sentence]);
  expect(parseEnv([`${name}=x`])).toEqual({ env: { [name]: 'x' }, problems: [] });
});

test.each(['HOMEPAGE_TOKEN', 'NODE_AUTH_TOKEN', 'LDAP_PASSWORD', 'npm_config__authToken', 'path', 'AWS_SECRET_ACCESS_KEY', 'CI_JOB_TOKEN'])('%s is one', (name) => {
  expect(parseSecretLines(`${name}@api.example.com=${value}`).problems).toEqual([]);
});
