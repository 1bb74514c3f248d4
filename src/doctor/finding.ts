/**
 * What was found out about one thing a run needs. `ok`: as it should be; `limited`: runs go, but with less than by default, or as nobody has tried;
 * `failed`: no run goes on this machine; `unknown`: it could not be looked at.
 */
export type Finding = {
  check: 'node' | 'machine' | 'environment' | 'engine' | 'caps' | 'confinement' | 'storage' | 'runtimes' | 'trial' | 'runtime';
  status: 'ok' | 'limited' | 'failed' | 'unknown';
  /** what was seen, without an end mark */
  detail: string;
  /** what to do, where there is something */
  remedy?: string;
};

/** The worst of several things wrong with one, with all that was said of it; where nothing is wrong, `detail` alone. */
export function combine(check: Finding['check'], detail: string, wrong: readonly Pick<Finding, 'status' | 'detail' | 'remedy'>[]): Finding {
  const worst = wrong.find(({ status }) => status === 'failed') ?? wrong[0];
  if (worst === undefined) return { check, status: 'ok', detail };
  const remedies = wrong.flatMap(({ remedy }) => (remedy === undefined ? [] : [remedy]));
  return {
    check, status: worst.status, detail: [detail, ...wrong.map((each) => each.detail)].join('; '),
    ...(remedies.length > 0 ? { remedy: remedies.join('; ') } : {}),
  };
}
