/** Runs in the sandbox: the loads of the first argument, one after the other; a line of JSON when each is warm and when it is over. */
import { runLoad, type Load } from './proxy-load.ts';

for (const load of JSON.parse(process.argv[2]!) as Load[]) {
  console.log(JSON.stringify(await runLoad(load, { onWarm: () => console.log(JSON.stringify({ begins: true })) })));
}
