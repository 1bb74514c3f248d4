import type { ImageReference } from './parse-reference.ts';

const MAX_MESSAGE = 400;

/**
 * Why an image could not be pulled, in the engine's words, and what to do. Those words differ from one engine and registry to the next:
 * what is recognised gets the remedy that goes with it.
 */
export function explainPullError(message: string, { reference, hasLogin }: { reference: Pick<ImageReference, 'text' | 'registry'>; hasLogin: boolean }): string {
  const said = `cannot pull ${JSON.stringify(reference.text)} (${message.slice(0, MAX_MESSAGE).trim()})`;
  const login = `\`docker login ${reference.registry}\``;
  if (/no matching manifest|does not match the specified platform|no match for platform/i.test(message)) {
    return `${said}: it is not made for this machine's platform, linux/${process.arch === 'x64' ? 'amd64' : process.arch}; use an image that is`;
  }
  if (/toomanyrequests|rate limit/i.test(message)) return `${said}: the registry has had too many requests from here; wait, or log in before with ${login}`;
  if (/unauthori[sz]ed|denied|authentication required|no basic auth|forbidden|authorization failed|incorrect username or password/i.test(message)) {
    return `${said}: the registry does not let this user have it, or there is no such image; check the name, or log in before with ${login}${hasLogin ? ', as the login there is was refused' : ''}`;
  }
  if (/manifest unknown|manifest for .* not found|name unknown|repository name not known|: not found$/i.test(message.trim())) {
    return `${said}: there is no such image; check the name and the tag`;
  }
  return `${said}: see that the engine reaches ${reference.registry}, or pull it before with \`docker pull\``;
}
