/**
 * Whether a file holds, or by its name must be expected to hold, a private key or a password. The allowlist keeps such files
 * out; this is the second net, for the key somebody put beside the certificates.
 */
export function isPrivate(name: string, content: Buffer): boolean {
  return privateName.test(name) || content.includes('PRIVATE KEY') || isSecretPgpKey(content) || hasPassword(name, content);
}

/** Whether a text has a URL with a user or password in it, as `https://user:token@host/`. */
export function hasUrlCredentials(text: string): boolean {
  return text.includes('://') && /[a-z0-9+.-]:\/\/[^\s/@"'<>]+@/i.test(text);
}

/** Key stores and key files; binary ones say nothing readable inside. */
const privateName = /(^|\/)private(\/|$)|\.(key|p12|pfx|jks|keystore|ppk|kdbx?|gnupg|password|passwd|netrc)$|(^|\/)auth\.conf|(^|\/)\.(netrc|npmrc|pypirc|git-credentials)$/i;

/** RFC 9580 4.2: a binary OpenPGP file starts with its first packet's tag; 5 and 7 are secret keys, in the old and the new form. */
function isSecretPgpKey(content: Buffer): boolean {
  const first = content[0] ?? 0;
  const tag = (first & 0xc0) === 0xc0 ? first & 0x3f : (first & 0xc0) === 0x80 ? (first >> 2) & 0x0f : 0;
  return tag === 5 || tag === 7;
}

/** php.ini and its like: a setting whose name speaks of a password, with a value. */
function hasPassword(name: string, content: Buffer): boolean {
  if (!/\.(ini|conf|cfg|properties)$/i.test(name)) return false;
  return /^[ \t]*[\w.[\]-]{0,80}?(password|passwd|_pw|secret|token)[\w.\]]{0,80}[ \t]*[=:][ \t]*[^\s;#]/im.test(content.toString('latin1'));
}
