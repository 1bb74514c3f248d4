import { parseDestinations } from '../parse-destinations.ts';
import { parseExpose } from '../parse-expose.ts';
import { parseServices } from '../parse-services.ts';
import { parseVolumes } from '../parse-volumes.ts';
import type { RawInputs } from '../raw-inputs.ts';

/** What is wrong with lists on any machine and whatever else is given: an input can add to them, and take nothing away. */
export function judgeLists({ allow, resolve, volumes = [], expose = [], services = [] }: RawInputs): string[] {
  const { rules, problems } = parseDestinations({ allow, resolve });
  return [
    ...problems,
    ...parseVolumes(volumes, { directory: '/', workspacePath: null, layout: null }).problems,
    ...parseExpose(expose, { file: undefined, rules, seenAt: () => null }).problems,
    ...parseServices(services, { rules, secrets: [], machineCpus: 256, hasWorkspace: true }).problems,
  ];
}
