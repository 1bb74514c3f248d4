import type { AuditEntry, SecretUse } from '../report/audit-entry.ts';

/** An entry being filled in while its request runs. */
export type Draft = Omit<AuditEntry, 'time' | 'id' | 'durationMs' | 'secrets'> & {
  /** Date.now() */
  startedAtMs: number;
  /** performance.now(), as the clock may be set meanwhile */
  begunMs: number;
  uses: Map<string, SecretUse> | null;
};

export type Audit = {
  /** Completes the draft and hands it over. */
  record(draft: Draft): void;
};

export function openAudit(onEntry: (entry: AuditEntry) => void): Audit {
  let lastId = 0;
  return {
    // Field by field: spreading objects was a tenth of what a small request cost.
    record(draft) {
      const { startedAtMs, begunMs, uses } = draft;
      onEntry({
        time: new Date(startedAtMs).toISOString(), id: ++lastId,
        protocol: draft.protocol, method: draft.method, host: draft.host, port: draft.port, path: draft.path,
        decision: draft.decision, rule: draft.rule, reason: draft.reason, remedy: draft.remedy, status: draft.status,
        requestBytes: draft.requestBytes, responseBytes: draft.responseBytes,
        durationMs: Math.round(performance.now() - begunMs),
        secrets: uses === null ? [] : [...uses.values()],
      });
    },
  };
}

export function draftEntry({ protocol, host, port }: Pick<Draft, 'protocol' | 'host' | 'port'>): Draft {
  return {
    protocol, host, port, method: null, path: null, decision: 'allowed', rule: null, reason: null, remedy: null, status: null,
    requestBytes: 0, responseBytes: 0, startedAtMs: Date.now(), begunMs: performance.now(), uses: null,
  };
}

export function addUse(draft: Draft, name: string, counts: Partial<Omit<SecretUse, 'name'>>): void {
  draft.uses ??= new Map();
  const use = draft.uses.get(name) ?? { name, substitutions: 0, scrubs: 0, refusals: 0 };
  draft.uses.set(name, {
    name,
    substitutions: use.substitutions + (counts.substitutions ?? 0),
    scrubs: use.scrubs + (counts.scrubs ?? 0),
    refusals: use.refusals + (counts.refusals ?? 0),
  });
}
