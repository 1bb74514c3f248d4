import { quote } from '../policy/quote.ts';

type Result = { ok: true; value: string } | { ok: false; problem: string };

/** A name as Docker's daemon.json and containerd have them: `runsc`, `kata`, `io.containerd.kata.v2`. A path is none: what is at it nobody registered. */
export function parseRuntime(text: string): Result {
  const name = text.trim();
  if (/^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$/.test(name)) return { ok: true, value: name };
  return { ok: false, problem: `${quote(text)} is not the name of a runtime: write \`runc\`, \`runsc\`, or one that \`docker info\` lists` };
}
