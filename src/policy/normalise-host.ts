import { isIPv4, isIPv6 } from 'node:net';
import { domainToASCII } from 'node:url';
import { parseIpv6 } from './parse-ipv6.ts';

/**
 * The one spelling of a host that rules, bindings and verdicts compare: lower case, IDNA (UTS 46, non-transitional, as the WHATWG URL
 * standard asks), without the root's trailing dot; an IP literal in canonical form, IPv6 without brackets. Null where the text is no
 * host name: an empty or too long label, a character a URL's host cannot hold, an invalid `xn--` label.
 *
 * IPv4 in a form other than four decimal numbers (`127.1`, `0x7f.1`, `2130706433`) comes back canonical, as a client would dial it.
 */
export function normaliseHost(text: string): string | null {
  const bare = text.startsWith('[') && text.endsWith(']') ? text.slice(1, -1) : text;
  if (isIPv6(bare)) return bare.includes('%') ? null : parseIpv6(bare).toRFC5952String();
  const ascii = domainToASCII(withoutTrailingDot(text));
  // domainToASCII decodes percent escapes and cuts at `/`, `?` and `#`: `a%2eb` and `a#b` must not become names of their own.
  if (ascii === '' || neverInAHost.test(text)) return null;
  if (isIPv4(ascii)) return ascii;
  return isHostName(ascii) ? ascii : null;
}

/** Whether a text is a normalised name: what a verdict insists on, so that `evil.test/.example.com` is not "below example.com". */
export function isHostName(text: string): boolean {
  return text.length <= 253 && hostName.test(text);
}

const neverInAHost = /[\s%/\\?#@:[\]<>^|\p{Cc}]/u;

// RFC 1035 section 2.3.4 gives 63 octets a label and 255 a name (253 characters as text). The underscore is no host name by RFC 952,
// but real names have it and every client sends it.
const hostName = /^[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*$/;

function withoutTrailingDot(text: string): string {
  // UTS 46 maps the ideographic full stops to a dot: they end a name like any dot.
  return text.replace(/[.。．｡]$/u, '');
}
