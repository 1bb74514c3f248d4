import { expect, test } from 'vitest';
import { imageDirectories, type FoundDirectory, type ImageLook } from '../../../src/sandbox/image/image-directories.ts';
import type { ObtainedImage } from '../../../src/sandbox/image/obtain-image.ts';

const found = (name: string, change: Partial<FoundDirectory> = {}): FoundDirectory => ({ name, mode: 0o755, uid: 0, gid: 0, empty: false, ...change });
const look = (change: Partial<ImageLook> = {}): ImageLook => ({ directories: ['dev', 'etc', 'proc', 'sys', 'usr'].map((name) => found(name)), others: ['bin', '.dockerenv'], volumes: [], programs: [], crooked: [], files: {}, ...change });
const image = (volumes: string[] = []): ObtainedImage => ({ reference: 'x:1', id: 'sha256:0', digest: 'sha256:0', environment: {}, volumes, workingDirectory: null });
const lay = (change: Partial<ImageLook> = {}, options: { volumes?: string[]; taken?: string[]; written?: string[]; workspacePath?: string } = {}) => imageDirectories({
  image: image(options.volumes), look: look(change), taken: options.taken ?? [], written: options.written ?? [], workspacePath: options.workspacePath ?? null,
}).map(({ target, lower, mode, folder }) => `${folder} ${target} ${mode.toString(8)} ${lower ?? '-'}`);

test('every directory of the root but the engine\'s, and what programs take for granted', () => {
  expect(lay()).toEqual([
    'image-0 /etc 755 etc', 'image-1 /usr 755 usr', 'image-2 /home 755 -', 'image-3 /root 755 -', 'image-4 /run 755 -', 'image-5 /tmp 1777 -', 'image-6 /var 755 -',
  ]);
});

test('an empty one is a plain folder with the same mode, a link stays a link', () => {
  const directories = [...look().directories, found('srv', { empty: true, mode: 0o2770 }), found('tmp', { mode: 0o1777 })];
  expect(lay({ directories, others: ['home', 'root', 'run', 'var'] })).toEqual(['image-0 /etc 755 etc', 'image-1 /usr 755 usr', 'image-2 /srv 2770 -', 'image-3 /tmp 1777 tmp']);
});

test('a VOLUME shows what the image has where it leads; none takes the place of another mount', () => {
  const volumes: ImageLook['volumes'] = [
    { path: '/usr', kind: 'directory', at: found('usr') }, { path: '/var/run/x', kind: 'directory', at: found('run/x', { mode: 0o700 }) },
    { path: '/no', kind: 'missing', at: found('', { empty: false }) }, { path: '/etc/hosts', kind: 'other', at: found('') },
  ];
  expect(() => lay({ volumes })).toThrow('VOLUME "/etc/hosts" is not a directory');
  expect(lay({ volumes: volumes.slice(0, 3) }).slice(7)).toEqual(['image-7 /var/run/x 700 run/x', 'image-8 /no 755 -']);
  expect(lay({ volumes: volumes.slice(0, 3) }, { taken: ['/no'] }).slice(7)).toEqual(['image-7 /var/run/x 700 run/x']);
});

test.each<[string, string, ImageLook['volumes'][number]['kind'], FoundDirectory]>([
  ['Decoy\'s own', '/x/y', 'directory', found('decoy')], ['in Decoy\'s own', '/x/y', 'directory', found('decoy/sub')], ['the root', '/x/y', 'directory', found('')],
  ['another mount', '/x/y', 'directory', found('home/runner')], ['around another mount', '/x/y', 'directory', found('home')], ['nothing, which the sandbox may have', '/x/y', 'missing', found('')],
])('a VOLUME behind a link to %s is refused', (_, path, kind, at) => {
  const volumes = [{ path, kind, at }];
  expect(() => lay({ volumes, crooked: [path] }, { taken: ['/home/runner'] })).toThrow('VOLUME "/x/y" lies in the workspace');
  expect(() => lay({ volumes: [{ path, kind: 'directory', at: found('srv/data') }], crooked: [path] }, { taken: ['/home/runner'] })).not.toThrow();
});

test('a VOLUME in the workspace or in a volume of the run is refused, as there may be a link', () => {
  const volumes = [{ path: '/cache/sub', kind: 'directory' as const, at: found('cache/sub') }];
  expect(() => lay({ volumes }, { taken: ['/cache'], written: ['/cache'] })).toThrow('VOLUME "/cache/sub" lies in the workspace or in a volume of the run');
  expect(() => lay({ volumes }, { taken: ['/cache/sub'], written: ['/cache/sub'] })).not.toThrow();
});

test('a closed directory above the workspace lets the user through', () => {
  const directories = [...look().directories, found('root', { mode: 0o700 })];
  expect(lay({ directories }, { workspacePath: '/root/project' })).toContain('image-2 /root 711 root');
  expect(lay({ directories }, { workspacePath: '/rootless/project' })).toContain('image-2 /root 700 root');
});

test.each<[string, Partial<ImageLook>, string[], string]>([
  ['files that are not the image\'s', { directories: [] }, [], 'as its /etc is not a directory the engine can be seen to have mounted'],
  ['a link in Decoy\'s place', { others: ['decoy'] }, [], 'as its /decoy is not a directory'],
  ['a link in the engine\'s', { others: ['proc'] }, [], 'as its /proc is not a directory'],
  ['a VOLUME in /proc', {}, ['/proc/x'], 'as its VOLUME "/proc/x" lies'],
  ['a comma', {}, ['/a,b'], 'has characters other than'],
  ['a line break', { directories: [found('etc'), found('a\nb')] }, [], 'has characters other than'],
])('%s: refused', (_, change, volumes, message) => {
  expect(() => lay(change, { volumes })).toThrow(message);
});
