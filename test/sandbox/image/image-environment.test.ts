import { expect, test } from 'vitest';
import { imageEnvironment } from '../../../src/sandbox/image/image-environment.ts';

test('the image\'s own variables, with Decoy\'s, the run\'s and the placeholders on top; of the host\'s only terminal and time zone', () => {
  const image = { reference: 'x', id: 'x', digest: 'x', volumes: [], workingDirectory: null, environment: { PATH: '/image/bin', HOME: '/x', SHELL: '/bin/ash', TZ: 'UTC', A: 'image', B: 'image', SSL_CERT_FILE: 'image', KEY: 'image' } };
  const parts = {
    image, user: { name: 'node', home: '/home/runner' }, host: { TERM: 'xterm', TZ: 'Europe/Paris', LANG: 'fr_FR.UTF-8', JAVA_HOME: '/usr/lib/jvm' },
    trust: { SSL_CERT_FILE: '/decoy/bundle.pem' }, env: { A: 'run', KEY: 'run' }, placeholders: { KEY: 'sk-placeholder' },
  };
  expect(imageEnvironment(parts)).toEqual({
    PATH: '/image/bin', HOME: '/home/runner', USER: 'node', LOGNAME: 'node', SHELL: '/bin/ash', CI: 'true', TERM: 'xterm', TZ: 'UTC', A: 'run', B: 'image',
    SSL_CERT_FILE: '/decoy/bundle.pem', KEY: 'sk-placeholder',
  });
  expect(imageEnvironment({ ...parts, image: { ...image, environment: {} } })).toMatchObject({ PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', SHELL: '/bin/sh', TZ: 'Europe/Paris' });
});
