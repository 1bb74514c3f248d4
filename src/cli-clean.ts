import { parseArgs } from 'node:util';
import { clean } from './clean.ts';

/** `decoy clean [--run ID] [--images]` */
export async function cleanCommand(args: string[]): Promise<number> {
  const { values } = parseArgs({ args, options: { run: { type: 'string' }, images: { type: 'boolean' } }, strict: true });
  const removed = await clean({ dockerHost: process.env['DOCKER_HOST'], runId: values.run, images: values.images === true });
  process.stdout.write(`removed ${removed.containers} containers, ${removed.volumes} volumes, ${removed.directories} directories, ${removed.images} images\n`);
  return 0;
}
