/** A name of the page's table, what is special about this one, the bytes a server sends, and what it does then. */
export type AnswerRow = { answer: string; variant: string; bytes: string; afterwards: 'keep' | 'end' | 'reset' };

const ok = 'HTTP/1.1 200 OK\r\n';
const plain = `${ok}Content-Length: 2\r\n\r\nhi`;
const another = 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nEVIL';
const chunked = 'Transfer-Encoding: chunked\r\n';
const withHeader = (header: string) => `${ok}${header}\r\nContent-Length: 2\r\n\r\nhi`;
const inChunks = (body: string) => `${ok}${chunked}\r\n${body}`;

export const answers: AnswerRow[] = [
  ...rows('both framings, several lengths, a length that is none', {
    'length first': `${ok}Content-Length: 2\r\n${chunked}\r\n2\r\nhi\r\n0\r\n\r\n`,
    'length last': `${ok}${chunked}Content-Length: 2\r\n\r\n2\r\nhi\r\n0\r\n\r\n`,
    ...Object.fromEntries(['2\r\nContent-Length: 3', '2\r\nContent-Length: 2', '2, 2', '+2', '-2', '0x2', '99999999999999999999999'].map((length) => [JSON.stringify(length), `${ok}Content-Length: ${length}\r\n\r\nhi`])),
  }),
  ...rows('a bare LF or CR, NUL, a folded header, a space before the colon', {
    'LF everywhere': 'HTTP/1.1 200 OK\nContent-Length: 2\n\nhi', 'LF after a header': `${ok}X: 1\nContent-Length: 2\r\n\r\nhi`, 'CR in the reason': `HTTP/1.1 200 a\rX: b\r\nContent-Length: 2\r\n\r\nhi`,
    ...Object.fromEntries(['X: a\rb', 'X: a\0b', 'X\0: a', 'X: a\r\n b', 'X: a\r\n Content-Length: 50', 'X: a\x01b', 'X: a\x7fb', 'X : a', 'Content-Length : 5', ': a', 'X'].map((header) => [JSON.stringify(header), withHeader(header)])),
  }),
  ...rows('no HTTP, an invalid status, headers over 64 KiB', {
    ...Object.fromEntries(['HTTP/1.1 abc OK', 'HTTP/1.1 99 OK', 'HTTP/1.1 1000 OK', 'HTTP/1.1 000 OK', 'HTTP/1.1 099 OK', 'HTTP/9.9 200 OK', 'ICY 200 OK', 'SSH-2.0-OpenSSH_9.2', 'hello', 'GET / HTTP/1.1'].map((line) => [line, `${line}\r\nContent-Length: 2\r\n\r\nhi`])),
    'one long header': withHeader(`X: ${'a'.repeat(100_000)}`),
    'headers without end': `${ok}${Array.from({ length: 50_000 }, (_, at) => `x${at}: 1\r\n`).join('')}`,
  }),
  ...rows('no HTTP, an invalid status, headers over 64 KiB', Object.fromEntries(['000', '099'].map((status) => [`${status}, and the end`, `HTTP/1.1 ${status} OK\r\nContent-Length: 2\r\n\r\nhi`])), 'end'),
  ...rows('a status above 599', { 600: 'HTTP/1.1 600 x\r\nContent-Length: 2\r\n\r\nhi', 999: 'HTTP/1.1 999 x\r\nContent-Length: 2\r\n\r\nhi' }),
  ...rows('101 that was not asked for, or 100', {
    'an upgrade': `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: foo\r\n\r\n${another}`,
    'an upgrade to nothing': `HTTP/1.1 101 Switching Protocols\r\n\r\n${another}`,
    'continue': `HTTP/1.1 100 Continue\r\n\r\n${plain}`,
  }),
  ...rows('a transfer coding besides chunked', Object.fromEntries(
    ['xchunked', 'gzip, chunked', 'chunked, gzip', 'chunked\r\nTransfer-Encoding: chunked', 'gzip'].map((coding) => [JSON.stringify(coding), `${ok}Transfer-Encoding: ${coding}\r\n\r\n2\r\nhi\r\n0\r\n\r\n`]),
  ), 'end'),
  ...rows('nothing, or interim answers alone, before the connection ends', {
    'no byte': '', 'half a head': `${ok}Content-Le`, 'interim answers': 'HTTP/1.1 150 x\r\n\r\nHTTP/1.1 199 y\r\n\r\n', 'an interim answer and Connection: close': 'HTTP/1.1 150 x\r\nConnection: close\r\n\r\n',
  }, 'end'),
  ...rows('a malformed chunk or trailer, a body cut short', Object.fromEntries(
    ['xyz\r\nhi\r\n0\r\n\r\n', '-1\r\nhi\r\n0\r\n\r\n', '10000000000000002\r\nhi\r\n0\r\n\r\n', '2\r\nhi0\r\n\r\n', '2\nhi\n0\n\n', '2 \r\nhi\r\n0\r\n\r\n', '2\r\nhi\r\n0\r\nContent-Length: 50\r\n\r\n', '2\r\nhi\r\n0\r\nX: a\rb\r\n\r\n']
      .map((body) => [JSON.stringify(body), inChunks(body)]),
  )),
  ...rows('a malformed chunk or trailer, a body cut short', { 'with a length': `${ok}Content-Length: 20\r\n\r\nhi`, 'in chunks': inChunks('2\r\nhi\r\n') }, 'end'),
  ...rows('a malformed chunk or trailer, a body cut short', { 'by a reset': `${ok}Content-Length: 20\r\n\r\nhi` }, 'reset'),
  ...rows('bytes behind the end of the answer', { 'no HTTP': `${plain}EXTRA`, 'another answer': `${plain}${another}`, 'another answer behind chunks': `${inChunks('2\r\nhi\r\n0\r\n\r\n')}${another}` }),
  ...rows('other interim answers (1xx)', { hints: `HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n${plain}`, 'with a length': `HTTP/1.1 102 Processing\r\nContent-Length: 5\r\n\r\n${plain}`, 'a thousand': `${'HTTP/1.1 102 Processing\r\n\r\n'.repeat(1_000)}${plain}` }),
  ...rows('204 or 304 with a length or a body', {
    '204 with a length': 'HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\nhello', '204 in chunks': `HTTP/1.1 204 No Content\r\n${chunked}\r\n5\r\nhello\r\n0\r\n\r\n`, '204 and another answer': `HTTP/1.1 204 No Content\r\n\r\n${another}`,
    '304 with a length': 'HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n', '304 with another answer for a body': `HTTP/1.1 304 Not Modified\r\nContent-Length: ${another.length}\r\n\r\n${another}`,
  }),
  ...rows('HTTP/1.0, with and without a length', { with: 'HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi' }),
  ...rows('HTTP/1.0, with and without a length', { without: 'HTTP/1.0 200 OK\r\n\r\nhi', 'without, in HTTP/1.1': `${ok}\r\nhi`, 'without, said to be kept alive': `${ok}Connection: keep-alive\r\n\r\nhi`, 'identity': `${ok}Transfer-Encoding: identity\r\n\r\nhi` }, 'end'),
  ...rows('hop-by-hop, framing and cookies in trailers, Alt-Svc, X-Decoy-Blocked', {
    'in the headers': withHeader('Alt-Svc: h3=":443"\r\nX-Decoy-Blocked: host-not-allowed\r\nConnection: x-hop\r\nX-Hop: secret'),
    'in trailers': inChunks('2\r\nhi\r\n0\r\nTransfer-Encoding: chunked\r\nConnection: keep-alive\r\nAlt-Svc: h3=":443"\r\nSet-Cookie: a=b\r\nContent-Type: a/b\r\nX-Decoy-Blocked: x\r\n\r\n'),
  }),
  ...rows('206 nobody asked for', { 'with a range': 'HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 0-1/5\r\nContent-Length: 2\r\n\r\nhi' }),
];

function rows(answer: string, variants: Record<string, string>, afterwards: AnswerRow['afterwards'] = 'keep'): AnswerRow[] {
  return Object.entries(variants).map(([variant, bytes]) => ({ answer, variant, bytes, afterwards }));
}
