/** A reference as its grammar takes it apart: https://pkg.go.dev/github.com/distribution/reference */
export type ImageReference = {
  /** as it was written */
  text: string;
  /** host, and port where there is one, of the registry */
  registry: string;
  /** without registry, tag and digest; of an official image of Docker Hub `library/NAME` */
  repository: string;
  /** what to ask the registry for: a digest where there is one */
  version: string;
};

/** The registry of references that name none, as docker.io stands for it in references. */
export const DOCKER_HUB = 'docker.io';

/** @returns null where it is not a reference */
export function parseReference(written: string): ImageReference | null {
  const { name = '', tag, digest } = REFERENCE.exec(written)?.groups ?? {};
  if (name === '') return null;
  const slash = name.indexOf('/');
  const first = name.slice(0, Math.max(slash, 0));
  // Only a first part that cannot be a directory of Docker Hub's is a host.
  const isHost = first === 'localhost' || /[.:]/.test(first);
  const registry = isHost ? first.replace(/^index\.docker\.io$/, DOCKER_HUB) : DOCKER_HUB;
  const repository = isHost ? name.slice(slash + 1) : name;
  if (!REPOSITORY.test(repository) || repository.length > MAX_REPOSITORY) return null;
  const version = digest ?? tag ?? 'latest';
  return {
    text: written, registry,
    repository: registry === DOCKER_HUB && !repository.includes('/') ? `library/${repository}` : repository, version,
  };
}

const MAX_REPOSITORY = 255;
const REFERENCE = /^(?<name>[A-Za-z0-9][A-Za-z0-9./:_-]*?)(?::(?<tag>\w[\w.-]{0,127}))?(?:@(?<digest>sha(?:256:[0-9a-f]{64}|512:[0-9a-f]{128})))?$/;
const COMPONENT = '[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*';
const REPOSITORY = new RegExp(`^${COMPONENT}(?:/${COMPONENT})*$`);
