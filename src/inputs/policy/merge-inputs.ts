import type { RawInputs } from '../raw-inputs.ts';

/**
 * Lists are united, of single values and of names given in both `over`'s hold. A command has no shell, so that the one of a file is then for other runs.
 */
export function mergeInputs(base: RawInputs, over: RawInputs): RawInputs {
  const scalars = Object.fromEntries(Object.entries(over).filter(([, value]) => value !== undefined && value !== ''));
  const lines = (field: 'allow' | 'volumes' | 'expose') => [...base[field] ?? [], ...over[field] ?? []];
  const named = (field: 'env' | 'proxyLimits' | 'clientCertificates' | 'resolve', nameOf: (line: string) => string) => {
    const given = new Set((over[field] ?? []).map(nameOf));
    return [...(base[field] ?? []).filter((line) => !given.has(nameOf(line))), ...over[field] ?? []];
  };
  const beforeEquals = (line: string) => line.split('=', 1)[0]!.trim();
  const hasCommand = over.command !== undefined && over.command.length > 0;
  return {
    ...base, ...(hasCommand ? { shell: undefined } : {}), ...scalars,
    allow: lines('allow'), volumes: lines('volumes'), expose: lines('expose'), services: [...(base.services ?? []).filter(({ name }) => !over.services?.some((other) => other.name === name)), ...over.services ?? []],
    env: named('env', beforeEquals), proxyLimits: named('proxyLimits', beforeEquals), clientCertificates: named('clientCertificates', (line) => beforeEquals(line).toLowerCase()),
    resolve: named('resolve', (line) => line.split(':', 2).join(':').toLowerCase().trim()),
  };
}
