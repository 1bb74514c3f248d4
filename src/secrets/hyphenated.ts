/** A header's name as CGI and its heirs (WSGI, Rack, PHP) give it to a program: `X_A` and `X-A` are one to them. */
export function hyphenated(name: string): string {
  return name.includes('_') ? name.replaceAll('_', '-') : name;
}
