import { docker, type GuestImage, type Ran } from '../guest-image.ts';
import { probes } from './workspace.ts';

/** Runs a probe in an ordinary container with the machine's tools, as the control: without Decoy's protections. */
export function inPlainContainer(image: GuestImage, options: { docker?: string[]; argv: string[] }): Promise<Ran> {
  const [program = '', ...args] = options.argv;
  return docker([
    'run', '--rm', '--label', image.label, '--network', 'none', '-v', '/usr:/usr:ro', '-v', `${probes}:/etc/probes:ro`, '--tmpfs', '/tmp:exec,suid',
    ...(options.docker ?? []), '--entrypoint', program, image.id, ...args,
  ]);
}
