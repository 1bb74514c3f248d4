import { ALWAYS } from '../environment.ts';
import type { ObtainedImage } from './obtain-image.ts';

export type ImageEnvironmentParts = {
  image: ObtainedImage;
  user: { name: string; home: string };
  /** what is passed on from the host */
  host: Readonly<Record<string, string>>;
  trust: Readonly<Record<string, string>>;
  env: Readonly<Record<string, string>>;
  /** NAME → placeholder */
  placeholders: Readonly<Record<string, string>>;
};

/** The complete environment of a command in an image: the image's own, with Decoy's and the user's on top. Later parts win. */
export function imageEnvironment({ image, user, host, trust, env, placeholders }: ImageEnvironmentParts): Record<string, string> {
  return {
    ...Object.fromEntries(PASSED_ON.flatMap((name) => (host[name] === undefined ? [] : [[name, host[name]]]))),
    SHELL: '/bin/sh',
    ...image.environment,
    PATH: imagePath(image),
    CI: 'true',
    HOME: user.home,
    USER: user.name,
    LOGNAME: user.name,
    ...trust,
    ...env,
    ...placeholders,
  };
}

/** PATH of the image, or the one containers have by default. */
export function imagePath({ environment }: ObtainedImage): string {
  return environment['PATH'] || ALWAYS.join(':');
}

/** Where a language's tools lie, and which locales there are, is another matter in the image. */
const PASSED_ON = ['TERM', 'TZ'];
