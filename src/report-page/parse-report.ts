import { quote } from '../policy/quote.ts';
import type { Conclusion, Report } from '../report/report.ts';

export type ParsedReport = { ok: true; report: Report } | { ok: false; problem: string };

/** Reads report.json, of which nothing is believed: it may be another file, or have been changed. */
export function parseReport(text: string): ParsedReport {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { ok: false, problem: 'is not JSON: give the report.json of a run that has ended' };
  }
  const wrong = mismatch(value, SHAPE, '');
  if (wrong !== null) return { ok: false, problem: `is not a report of version 1 (${wrong}): give the report.json of a run` };
  return { ok: true, report: value as Report };
}

/** A name that ends in `?` need not be there. */
type Shape = 'string' | 'number' | 'text or null' | 'number or null' | readonly [Shape] | { readonly [name: string]: Shape };

const CONCLUSIONS: Readonly<Record<Conclusion, true>> = { success: true, failure: true, timeout: true, oom: true, storage: true, blocked: true, cancelled: true, error: true };
const GROUP = { host: 'string', port: 'number or null', method: 'text or null', path: 'text or null', reason: 'string', count: 'number', remedy: 'string' } as const;
const REQUEST = { protocol: 'string', host: 'string', port: 'number or null', method: 'text or null', path: 'text or null', count: 'number' } as const;
const SERVICE = {
  name: 'string', image: 'string', 'imageDigest?': 'string', startSeconds: 'number or null', exitCode: 'number or null',
  limits: { memoryBytes: 'number', cpus: 'number', storageBytes: 'number', pids: 'number' },
  'usage?': { cpuSeconds: 'number', memoryPeakBytes: 'number', oomKills: 'number', pidsPeak: 'number', storagePeakBytes: 'number' },
} as const;
const SHAPE = {
  id: 'string', conclusion: 'string', exitCode: 'number', startedAt: 'string', wallSeconds: 'number', image: 'string',
  limits: { wallSeconds: 'number', memoryBytes: 'number', cpus: 'number', storageBytes: 'number', pids: 'number' },
  usage: {
    cpuSeconds: 'number', throttledSeconds: 'number', memoryPeakBytes: 'number', oomKills: 'number', pidsPeak: 'number', storagePeakBytes: 'number',
    network: {
      requests: 'number', blocked: 'number', requestBytes: 'number', responseBytes: 'number',
      hosts: [{ host: 'string', requests: 'number', blocked: 'number', requestBytes: 'number', responseBytes: 'number', substitutions: 'number', scrubs: 'number' }],
    },
  },
  secrets: [{ name: 'string', hosts: ['string'], placeholderPrefix: 'string', substitutions: 'number', scrubs: 'number', refusals: 'number' }],
  blocked: [GROUP],
  samples: [{ atSeconds: 'number', cpuSeconds: 'number', memoryBytes: 'number', pids: 'number', storageBytes: 'number or null', requests: 'number', blocked: 'number' }],
  changes: { files: 'number', insertions: 'number', deletions: 'number' },
  'commandStartedAt?': 'string', 'error?': 'string', 'imageDigest?': 'string', 'startup?': { canaryMs: 'number' }, 'failed?': [GROUP], 'observed?': [GROUP], 'requests?': [REQUEST], 'problems?': ['string'], 'services?': [SERVICE],
  'exposed?': [{ port: 'number', 'url?': 'string', 'socket?': 'string', connections: 'number', 'requests?': 'number', refused: 'number' }],
} as const satisfies Shape;

/** Where a value is not as it should be, or null. */
function mismatch(value: unknown, shape: Shape, place: string): string | null {
  if (typeof shape === 'string') {
    const [type, other] = shape.split(' or ');
    const fits = (other === 'null' && value === null) || (type === 'text' ? typeof value === 'string' : typeof value === type);
    return fits ? null : `${quote(place)} is not a ${shape}`;
  }
  if (Array.isArray(shape)) {
    if (!Array.isArray(value)) return `${quote(place)} is not a list`;
    for (const [index, item] of value.entries()) {
      const wrong = mismatch(item, shape[0] as Shape, `${place}[${index}]`);
      if (wrong !== null) return wrong;
    }
    return null;
  }
  if (typeof value !== 'object' || value === null) return place === '' ? 'it is not an object' : `${quote(place)} is not an object`;
  const object = value as Record<string, unknown>;
  if (place === '' && object['version'] !== 1) return '`version` is not 1';
  for (const [key, part] of Object.entries(shape)) {
    const name = key.replace(/\?$/, '');
    if (name !== key && object[name] === undefined) continue;
    const wrong = mismatch(object[name], part as Shape, place === '' ? name : `${place}.${name}`);
    if (wrong !== null) return wrong;
  }
  if (place !== '') return null;
  if (!Object.hasOwn(CONCLUSIONS, object['conclusion'] as string)) return '`conclusion` is none there is';
  if (Number.isNaN(Date.parse(object['startedAt'] as string))) return '`startedAt` is not a time';
  if (object['mode'] !== undefined && object['mode'] !== 'observe') return '`mode` is not `observe`';
  return null;
}
