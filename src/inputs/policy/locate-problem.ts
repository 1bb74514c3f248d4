import { quote } from '../../policy/quote.ts';

/** Where in a policy file a value stands of which only all inputs together can say what is wrong. */
export type Origin = { input: string; text: string; where: string };

/** Puts file, line and column before a problem with an input that a policy file gave: those of the value that it quotes first. */
function locateProblem(problem: string, origins: readonly Origin[]): string {
  const named = origins.map(({ input, text, where }) => ({ where, at: problem.startsWith(`${input}: `) ? problem.indexOf(quote(text)) : -1 })).filter(({ at }) => at >= 0);
  const [origin] = named.toSorted((one, other) => one.at - other.at);
  return origin === undefined ? problem : `${origin.where}: ${problem}`;
}

/** The same of all, each once. What the file alone has told with its place is found again without it where all inputs are together. */
export function locateProblems(problems: readonly string[], { origins, problems: told }: { origins: readonly Origin[]; problems: readonly string[] } = { origins: [], problems: [] }): string[] {
  const others = problems.filter((problem) => told.includes(problem) || !told.some((other) => other.endsWith(`: ${problem}`)));
  return [...new Set(others.map((problem) => locateProblem(problem, origins)))];
}
