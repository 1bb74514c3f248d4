import { quote } from '../../policy/quote.ts';

/** Where in a policy file a value stands of which only all inputs together can say what is wrong. */
export type Origin = { input: string; text: string; where: string };

/** Puts file, line and column before a problem with an input that a policy file gave. */
export function locateProblem(problem: string, origins: readonly Origin[]): string {
  const origin = origins.find(({ input, text }) => problem.startsWith(`${input}: `) && problem.includes(quote(text)));
  return origin === undefined ? problem : `${origin.where}: ${problem}`;
}
