/** A name of the page's table, what is special about this one, and the bytes, one character each. */
export type FramingRow = [request: string, variant: string, bytes: string];

export const host = 'Host: api.test\r\n';
export const smuggled = `GET /smuggled HTTP/1.1\r\n${host}\r\n`;
const chunked = 'Transfer-Encoding: chunked\r\n';
const get = (headers: string) => `GET /p HTTP/1.1\r\n${host}${headers}\r\n`;
const post = (headers: string, body: string) => `POST /p HTTP/1.1\r\n${host}${headers}\r\n${body}`;
const inChunks = (body: string) => post(chunked, body);
const handshake = 'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n';
const numbered = (text: string, count: number) => Array.from({ length: count }, (_, at) => `${text}${at}`).join('');
const many = (count: number) => Array.from({ length: count }, (_, at) => `a${at}: 1\r\n`).join('');

export const refusedRequests: FramingRow[] = [
  ...rows('both Content-Length and Transfer-Encoding', {
    'length first': post(`Content-Length: 4\r\n${chunked}`, '0\r\n\r\n'),
    'length last': post(`${chunked}Content-Length: 4\r\n`, '0\r\n\r\n'),
  }),
  ...rows('several lengths, or one that is no plain decimal number', Object.fromEntries(
    ['4\r\nContent-Length: 5', '5\r\nContent-Length: 5', '5, 5', '+5', '-5', '0x5', '5 5', '5.0', '5e0', '', '5;', '\x0b5', '99999999999999999999', '18446744073709551616']
      .map((length) => [JSON.stringify(length), post(`Content-Length: ${length}\r\n`, 'hello')]),
  )),
  ...rows('a length beyond 9007199254740991', {
    'the next that is not exact': post('Content-Length: 9007199254740993\r\n', ''),
    'the largest of 64 bits': post('Content-Length: 18446744073709551615\r\n', ''),
  }),
  ...rows('chunked twice, not last or written oddly', Object.fromEntries(
    ['chunked, identity', 'chunked, x', 'chunked\r\nTransfer-Encoding: chunked', 'chunked, chunked', '\tChunked\t', 'chunked,', '\x0bchunked', '\r\n chunked']
      .map((coding) => [JSON.stringify(coding), post(`Transfer-Encoding: ${coding}\r\n`, '0\r\n\r\n')]),
  )),
  ...rows('a transfer coding besides chunked', Object.fromEntries(
    ['identity', 'identity, chunked', 'gzip, chunked', 'xchunked', 'chunked;x=1', '"chunked"', ', chunked']
      .map((coding) => [JSON.stringify(coding), post(`Transfer-Encoding: ${coding}\r\n`, '0\r\n\r\n')]),
  )),
  ...rows('Transfer-Encoding in HTTP/1.0', { POST: `POST /p HTTP/1.0\r\n${host}${chunked}\r\n0\r\n\r\n`, 'kept alive': `POST /p HTTP/1.0\r\n${host}Connection: keep-alive\r\n${chunked}\r\n0\r\n\r\n` }),
  ...rows('Content_Length, Transfer_Encoding, Content_Encoding, Grpc_Encoding or Connect_Content_Encoding with an underscore', {
    length: post(`Content_Length: ${smuggled.length}\r\n`, ''), 'transfer coding': post('Transfer_Encoding: chunked\r\nContent-Length: 5\r\n', 'hello'), coding: post('Content_Encoding: gzip\r\nContent-Length: 5\r\n', 'hello'),
    messages: post('gRPC_Encoding: gzip\r\nContent-Length: 5\r\n', 'hello'), 'one of two hyphens': post('Connect_Content-Encoding: gzip\r\nContent-Length: 5\r\n', 'hello'),
  }),
  ...rows('a chunk that is not a size in hexadecimal, CRLF, the data, CRLF', Object.fromEntries([
    '0x5\r\nhello\r\n0\r\n\r\n', '5 ;a\r\nhello\r\n0\r\n\r\n', '5 \r\nhello\r\n0\r\n\r\n', ' 5\r\nhello\r\n0\r\n\r\n', '-1\r\nhello\r\n0\r\n\r\n', '+5\r\nhello\r\n0\r\n\r\n', '\r\nhello\r\n0\r\n\r\n',
    '10000000000000005\r\nhello\r\n0\r\n\r\n', '5\nhello\r\n0\r\n\r\n', '5\rhello\r\n0\r\n\r\n', '5;a\nhello\r\n0\r\n\r\n', '5;a\rb\r\nhello\r\n0\r\n\r\n', '5;a\0b\r\nhello\r\n0\r\n\r\n', '5;a="b\r\nhello\r\n0\r\n\r\n',
    '5\r\nhello0\r\n\r\n', '5\r\nhello\n0\r\n\r\n', '5\r\nhelloXX0\r\n\r\n', '5\r\nhello\r\n0\n\n', '5\r\nhello\r\n0\r\n\n', `5;${'a'.repeat(100_000)}\r\nhello\r\n0\r\n\r\n`,
  ].map((body) => [JSON.stringify(body.slice(0, 40)), inChunks(body)]))),
  ...rows('a trailer section that is malformed or has framing in it', Object.fromEntries(
    ['Content-Length: 40\r\n', 'Transfer-Encoding: chunked\r\n', 'X: 1\n', 'X: a\r\n b\r\n', 'X : a\r\n', 'X: a\0b\r\n'].map((trailer) => [JSON.stringify(trailer), inChunks(`5\r\nhello\r\n0\r\n${trailer}\r\n`)]),
  )),
  ...rows('a bare LF or CR, NUL or another control character', {
    'LF everywhere': `GET /p HTTP/1.1\nHost: api.test\n\n`, 'LF after a header': get('X: 1\nY: 2\r\n'), 'LF at the end': `GET /p HTTP/1.1\r\n${host}\n`, 'LF after the request line': `GET /p HTTP/1.1\n${host}\r\n`,
    'CR in a value': get('X: a\rb\r\n'), 'CR for every line end': 'GET /p HTTP/1.1\rHost: api.test\r\r', 'NUL in a value': get('X: a\0b\r\n'), 'NUL in a name': get('X\0Y: a\r\n'),
    'another in a value': get('X: a\x01b\r\n'), 'DEL in a value': get('X: a\x7fb\r\n'), 'another in a name': get('X\x01: a\r\n'),
    ...Object.fromEntries(['\x01', '\x7f', '\t', '\0', '\x0b'].map((character) => [`${JSON.stringify(character)} in the target`, `GET /p${character}x HTTP/1.1\r\n${host}\r\n`])),
  }),
  ...rows('a folded header, a space before the colon, a name that is none', Object.fromEntries(
    ['X: a\r\n b\r\n', 'X: a\r\n\tb\r\n', 'X: a\r\n \r\n', 'X : a\r\n', 'X\t: a\r\n', 'Transfer-Encoding : chunked\r\n', ': a\r\n', 'X\r\n', 'X(: a\r\n', 'X": a\r\n', 'X\xe9: a\r\n']
      .map((header) => [JSON.stringify(header), get(header)]).concat([['the first header', `GET /p HTTP/1.1\r\n ${host}\r\n`]]),
  )),
  ...rows('a malformed request line', Object.fromEntries(
    ['GET /p x HTTP/1.1', 'GET\t/p HTTP/1.1', 'GET /p HTTP/1.1 ', 'GET /p HTTP/1.', 'GET /p HTTP/01.1', 'GET /p http/1.1', 'GET /p HTTP/1.2', 'GET /p HTTP/3.0', 'GET p HTTP/1.1', 'GET api.test:443 HTTP/1.1', 'GET /p\xe9 HTTP/1.1', '\x17\x03\x01\x00\x05hello', 'SSH-2.0-OpenSSH_9.2']
      .map((line) => [JSON.stringify(line), `${line}\r\n${host}\r\n`]),
  )),
  ...rows('another version than HTTP/1.0 or HTTP/1.1', { '0.9': `GET /p HTTP/0.9\r\n${host}\r\n`, '0.9 without Host': 'GET /p HTTP/0.9\r\n\r\n', '0.9 without a version': `GET /p\r\n${host}\r\n`, '2.0': `GET /p HTTP/2.0\r\n${host}\r\n` }),
  ...rows('the beginning of HTTP/2, which only ALPN can agree on', { preface: 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n' }),
  ...rows('an unknown method, or one in lower case', Object.fromEntries(['get', 'Get', 'FOO', 'GE(T', 'GET\0', 'PRI', ''].map((method) => [JSON.stringify(method), `${method} /p HTTP/1.1\r\n${host}\r\n`]))),
  ...rows('TRACE with a body', { 'with a length': `TRACE /p HTTP/1.1\r\n${host}Content-Length: ${smuggled.length}\r\n\r\n`, 'in chunks': `TRACE /p HTTP/1.1\r\n${host}${chunked}\r\n0\r\n\r\n` }),
  ...rows('request line and headers over 64 KiB', { line: `GET /${'a'.repeat(70_000)} HTTP/1.1\r\n${host}\r\n`, header: get(`X: ${'a'.repeat(70_000)}\r\n`), trailer: inChunks(`5\r\nhello\r\n0\r\nX: ${'a'.repeat(100_000)}\r\n\r\n`) }),
  // Node drops all but the first two thousand, and with them what they say, unless it is told not to.
  ...rows('more than 1000 headers', { 'a few more': get(many(1_001)), 'with another Host at the end': get(`${many(2_500)}Host: other.test\r\n`), 'with another method at the end': get(`${many(2_500)}X-HTTP-Method-Override: DELETE\r\n`), 'with a coding at the end': post(`${many(2_500)}${chunked}`, '0\r\n\r\n') }),
  ...rows('Expect other than 100-continue', Object.fromEntries(['200-ok', '100-continue, x', 'x\r\nExpect: 100-continue', '100-continues'].map((value) => [JSON.stringify(value), post(`Expect: ${value}\r\nContent-Length: 5\r\n`, 'hello')]))),
  ...rows('CONNECT', { alone: `CONNECT api.test:443 HTTP/1.1\r\n${host}\r\n`, 'with a length': `CONNECT api.test:443 HTTP/1.1\r\n${host}Content-Length: 5\r\n\r\n` }),
  ...rows('a WebSocket handshake that is not as RFC 6455 says', {
    'without a key': get('Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n'), 'a short key': get(handshake.replace('AA==', '==')), 'two keys': get(handshake + 'Sec-WebSocket-Key: BBBBBBBBBBBBBBBBBBBBBB==\r\n'),
    'among others': get('Connection: Upgrade\r\nUpgrade: h2c, WebSocket\r\n'), 'an old version': get(handshake.replace('13', '8')), 'HTTP/1.0': `GET /p HTTP/1.0\r\n${host}${handshake}\r\n`,
    'by POST': post(`${handshake}Content-Length: 0\r\n`, ''), 'with a body': `GET /p HTTP/1.1\r\n${host}${handshake}Content-Length: ${smuggled.length}\r\n\r\n`, 'with chunks': `GET /p HTTP/1.1\r\n${host}${handshake}${chunked}\r\n0\r\n\r\n`,
  }),
  ...rows('no Host, or two', { none: 'GET /p HTTP/1.1\r\n\r\n', 'the same twice': get(host), another: get('Host: other.test\r\n') }),
  ...rows('a Host that is not the destination', Object.fromEntries(
    ['other.test', 'api.test@other.test', 'api.test:8443', 'api.test, other.test', '', 'api.test/x', 'api.test other.test', 'api.test..', 'http://api.test', '[::1]', '127.0.0.1'].map((name) => [JSON.stringify(name), `GET /p HTTP/1.1\r\nHost: ${name}\r\n\r\n`])
      .concat([['with a short body', `POST /p HTTP/1.1\r\nHost: other.test\r\nContent-Length: ${smuggled.length}\r\n\r\n${smuggled}`]]),
  )),
  ...rows('an absolute target that is not on the destination', {
    'another host': `GET https://other.test/p HTTP/1.1\r\n${host}\r\n`, 'userinfo': `GET https://api.test@other.test/ HTTP/1.1\r\n${host}\r\n`, 'another port': `GET https://api.test:1/p HTTP/1.1\r\n${host}\r\n`,
    'another host in Host': 'GET https://api.test/p HTTP/1.1\r\nHost: other.test\r\n\r\n',
  }),
  ...rows('a target that is neither a path nor absolute', { asterisk: `GET * HTTP/1.1\r\n${host}\r\n`, 'another scheme': `GET st://x/y HTTP/1.1\r\n${host}\r\n`, fragment: `GET /p#x HTTP/1.1\r\n${host}\r\n`, RTSP: `DESCRIBE rtsp://api.test/ RTSP/1.0\r\n${host}Connection: keep-alive\r\n\r\n` }),
  ...rows('OPTIONS of `*`', { alone: `OPTIONS * HTTP/1.1\r\n${host}\r\n` }),
  ...rows('more than 16 requests in one, by headers such as X-HTTP-Method-Override and X-Original-URL', {
    'many of both': get(`X-HTTP-Method-Override: GET${numbered(',A', 3_000)}\r\nX-Original-URL: /${numbered(',/', 3_000)}\r\n`),
    'in headers of their own': get(Array.from({ length: 17 }, (_, at) => `X-Rewrite-URL: /${at}\r\n`).join('')),
  }),
];

/** The bytes, and what of the request arrives: each line a pattern that must match. Every one asks for the connection to be closed. */
export const acceptedRequests: [...FramingRow, arrives: RegExp][] = [
  ['HTTP/1.0, with and without Host', 'without', 'GET /p HTTP/1.0\r\n\r\n', /^GET \/p HTTP\/1.1\r\nhost: api\.test\r\n/],
  ['HTTP/1.0, with and without Host', 'with, and a body', `POST /p HTTP/1.0\r\n${host}Content-Length: 5\r\n\r\nhello`, /^POST \/p HTTP\/1.1\r\n[^]*content-length: 5\r\n\r\nhello$/],
  ['empty lines before the request line', 'CRLF', `\r\n\r\n${get('Connection: close\r\n')}`, /^GET \/p HTTP/],
  ['spaces around a value, zeros before a length or a chunk\'s size', 'length', post('Connection: close\r\nContent-Length:  005 \r\n', 'hello'), /content-length: 5\r\n\r\nhello$/],
  ['spaces around a value, zeros before a length or a chunk\'s size', 'chunk', post(`Connection: close\r\n${chunked}`, '0000000000000000000005\r\nhello\r\n00\r\n\r\n'), /hello/],
  ['chunk extensions', 'quoted', post(`Connection: close\r\n${chunked}`, '5;a="b;c";d\r\nhello\r\n0;e\r\n\r\n'), /^(?![^]*b;c)[^]*hello/],
  ['trailers', 'credentials and names', post(`Connection: close\r\n${chunked}`, '5\r\nhello\r\n0\r\nHost: other.test\r\nAuthorization: Bearer x\r\nX-Sum: 1\r\n\r\n'), /^(?![^]*(?:other|Bearer|X-Sum))[^]*hello/],
  ['an absolute target on the destination', 'path', `GET SCHEME://api.test/p?q HTTP/1.1\r\n${host}Connection: close\r\n\r\n`, /^GET \/p\?q HTTP/],
  ['a Host with the default port, in capitals or with a trailing dot', 'all of it', 'GET /p HTTP/1.1\r\nHost:\tAPI.Test.:PORT\r\nConnection: close\r\n\r\n', /\r\nhost: api\.test\r\n/],
  ['Expect: 100-continue', 'with a body', post('Connection: close\r\nExpect: 100-continue\r\nContent-Length: 5\r\n', 'hello'), /^(?![^]*[Ee]xpect)[^]*hello$/],
  ['Expect: 100-continue', 'without', get('Connection: close\r\nExpect: 100-continue\r\n'), /^(?![^]*[Ee]xpect)GET \/p/],
  ['Expect: 100-continue', 'from HTTP/1.0', `POST /p HTTP/1.0\r\n${host}Expect: 100-continue\r\nContent-Length: 5\r\n\r\nhello`, /hello$/],
  ['an offer of another protocol than WebSocket', 'h2c', get('Connection: Upgrade, HTTP2-Settings, close\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n'), /^(?![^]*(?:pgrade|Settings))GET \/p/],
  ['an offer of another protocol than WebSocket', 'TLS, with a request behind it', get('Connection: Upgrade, close\r\nUpgrade: TLS/1.0\r\n') + smuggled, /^(?![^]*smuggled)GET \/p/],
  ['an offer of another protocol than WebSocket', 'with content', post('Connection: Upgrade, close\r\nUpgrade: h2c\r\nContent-Length: 5\r\n', 'hello'), /^(?![^]*pgrade)POST \/p[^]*\r\n\r\nhello$/],
  ['an offer of WebSocket that Connection does not name', 'alone', get('Connection: close\r\nUpgrade: websocket\r\n'), /^(?![^]*pgrade)GET \/p/],
  ['a WebSocket handshake', 'alone', get(handshake), /^(?![^]*AAAA)GET \/p HTTP\/1.1\r\n[^]*connection: upgrade\r\nupgrade: websocket\r\n[^]*Sec-WebSocket-Key: /],
  ['a WebSocket handshake', 'with something behind it', get(handshake) + smuggled, /^(?![^]*smuggled)GET \/p/],
  ['hop-by-hop headers, and those Connection names', 'credentials', get('Connection: close, Authorization\r\nAuthorization: Bearer x\r\nProxy-Authorization: y\r\nKeep-Alive: timeout=5\r\nTE: gzip\r\n'), /^(?![^]*(?:Authorization|timeout|TE:))GET/],
  ['hop-by-hop headers, and those Connection names', 'with underscores', get('Connection: close\r\nProxy_Authorization: y\r\nKeep_Alive: timeout=5\r\nHTTP2_Settings: z\r\n'), /^(?![^]*(?:_Auth|timeout|Settings))GET/],
  ['hop-by-hop headers, and those Connection names', 'framing', post('Connection: close, Content-Length, Content-Type, Host\r\nContent-Type: a/b\r\nContent-Length: 5\r\n', 'hello'), /host: api\.test\r\n[^]*Content-Type: a\/b\r\n[^]*content-length: 5\r\n\r\nhello$/],
  ['GET, HEAD or OPTIONS with a body', 'GET', `GET /p HTTP/1.1\r\n${host}Connection: close\r\nContent-Length: 5\r\n\r\nhello`, /connection: close\r\n[^]*hello$/],
  ['GET, HEAD or OPTIONS with a body', 'OPTIONS', `OPTIONS /p HTTP/1.1\r\n${host}Connection: close\r\n${chunked}\r\n5\r\nhello\r\n0\r\n\r\n`, /connection: close\r\n[^]*hello/],
  ['Range and If-Range', 'both', get('Connection: close\r\nRange: bytes=0-1\r\nIf-Range: "x"\r\n'), /Range: bytes=0-1\r\nIf-Range: "x"\r\n/],
];

function rows(request: string, variants: Record<string, string>): FramingRow[] {
  return Object.entries(variants).map(([variant, bytes]) => [request, variant, bytes]);
}
