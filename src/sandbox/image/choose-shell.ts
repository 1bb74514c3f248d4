import { EngineError } from '../engine.ts';
import type { ImageLayout } from './image-layout.ts';

export type ShellChoice = { shell: readonly string[]; fallbackShell?: readonly string[] };

/** Programs an image is looked through for. */
export function shellPrograms({ shell, fallbackShell }: ShellChoice): string[] {
  return [shell, fallbackShell ?? []].flatMap(([program]) => (program === undefined ? [] : [program]));
}

/**
 * The shell line for a script, by what the image has.
 * @throws EngineError where it has none of them
 */
export function chooseShell(choice: ShellChoice, { image, programs }: Pick<ImageLayout, 'image' | 'programs'>): readonly string[] {
  const has = (line: readonly string[] | undefined) => line !== undefined && programs.includes(line[0] as string);
  if (has(choice.shell)) return choice.shell;
  if (has(choice.fallbackShell)) return choice.fallbackShell as readonly string[];
  const names = shellPrograms(choice).map((name) => JSON.stringify(name)).join(' nor ');
  throw new EngineError(`the image ${JSON.stringify(image.reference)} has no ${names} in its PATH to run a script with: use an image that has, name another \`shell\`, or on the command line give a command after \`--\`, which needs none`);
}
