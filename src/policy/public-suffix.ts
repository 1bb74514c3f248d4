import { getPublicSuffix } from 'tldts';

/**
 * Whether a normalised name is a public suffix (https://publicsuffix.org/list/, the copy that tldts ships), where anybody can have a name
 * below it: `com`, `co.uk`, and by the list's private section `github.io` or `s3.amazonaws.com`. A top-level name the list does not know
 * counts as one, by the list's own default rule.
 */
export function isPublicSuffix(name: string): boolean {
  // The name is already normalised: tldts need not look for a scheme, a port or an address in it.
  return name === getPublicSuffix(name, { allowPrivateDomains: true, extractHostname: false, validateHostname: false, detectIp: false });
}
