// Tries the techniques of docs/escape-battery.md on the engine of this machine, in its default runtime, and checks that they obtain nothing. As root.
//   node escape.mjs [USER…]     USER: runner and root
import { openHost } from '../../test/escape/open-host.ts';
import { areasOf, CAPS, listTechniques, tryInSandboxes, tryOnHost } from '../../test/escape/try-techniques.ts';

const LEAST_SHOWN = 60;
const users = process.argv.length > 2 ? process.argv.slice(2) : ['runner', 'root'];
const techniques = listTechniques();
await using host = await openHost(CAPS);
let failures = 0;

const control = await tryOnHost(host, techniques);
const unseen = areasOf(techniques).filter((area) => !techniques.some((each) => each.area === area && control.obtained.has(each.name)));
tell(`without protection: ${control.obtained.size} of ${techniques.length} techniques obtained something`, control.obtained.size >= LEAST_SHOWN && unseen.length === 0);
console.log(`     not shown: ${techniques.map(({ name }) => name).filter((name) => !control.obtained.has(name)).join(' ')}`);
for (const user of users) {
  const { tried, obtained, sandboxes, memoryPeakBytes } = await tryInSandboxes(host, techniques, { args: ['--user', user], env: { DOCKER_HOST: process.env.DOCKER_HOST ?? '' } });
  const holds = tried.size === techniques.length && obtained.size === 0 && memoryPeakBytes < (CAPS.memoryMebibytes + 1) * 2 ** 20;
  tell(`as ${user}, in ${sandboxes} sandboxes: ${obtained.size} of ${tried.size} techniques obtained something ${[...obtained].join(' ')}; at most ${(memoryPeakBytes / 2 ** 20).toFixed(1)} MiB`, holds);
}
process.exitCode = failures === 0 ? 0 : 1;

function tell(what, holds) {
  if (!holds) failures += 1;
  console.log(`${holds ? 'ok  ' : 'FAIL'} ${what}`);
}
