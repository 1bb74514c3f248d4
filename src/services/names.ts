import type { RunConfig } from '../config.ts';

/** The host names programs in the sandbox and in services have for each other. */
export function serviceNames({ services = [] }: Pick<RunConfig, 'services'>): string[] {
  return services.map(({ name }) => name);
}

/** Ports whose listeners tell that a service is up: the gateway lets the host see those. */
export function healthPorts({ services = [] }: Pick<RunConfig, 'services'>): number[] {
  return services.flatMap(({ health }) => (health.kind === 'port' ? [health.port] : []));
}
