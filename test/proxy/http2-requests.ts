import type { Http2Fields } from './raw-http2.ts';

/** Requests by their rows on the page: the row, the variant, the fields, and the body that follows. */
export type Http2Row = [request: string, variant: string, fields: Http2Fields, options?: { body: string }];

const plain = { ':method': 'GET', ':scheme': 'https', ':authority': 'api.test', ':path': '/p' };

/** A plain request with other pseudo-headers, null for none, and more headers. */
function request(pseudo: Record<string, string | null>, ...headers: [string, string][]): Http2Fields {
  return [...Object.entries({ ...plain, ...pseudo }).flatMap(([name, value]): [string, string][] => (value === null ? [] : [[name, value]])), ...headers];
}

/** nghttp2 resets a user in :authority itself from Node 22 on. */
export const resetsUsers = Number.parseInt(process.versions.node, 10) >= 22;

export const refusedHttp2Requests: Http2Row[] = [
  ['no :authority, though a Host', 'Host', request({ ':authority': null }, ['host', 'api.test'])],
  ['an :authority that is not the destination', 'name', request({ ':authority': 'other.test' })],
  ['an :authority that is not the destination', 'port', request({ ':authority': 'api.test:8443' })],
  ...(resetsUsers ? [] : [['an :authority that is not the destination', 'user', request({ ':authority': 'user@api.test' })] satisfies Http2Row]),
  ['a Host that is not the destination', 'name', request({}, ['host', 'other.test'])],
  ['another :scheme than https', 'http', request({ ':scheme': 'http' })],
  ['a :path with a fragment', 'fragment', request({ ':path': '/p#/admin' })],
  ['OPTIONS of `*`', 'OPTIONS', request({ ':method': 'OPTIONS', ':path': '*' })],
  ['CONNECT', 'CONNECT', [[':method', 'CONNECT'], [':authority', 'api.test:22']]],
  ['an unknown method, or one in lower case', 'unknown', request({ ':method': 'FOO' })],
  ['an unknown method, or one in lower case', 'get', request({ ':method': 'get' })],
  ['an unknown method, or one in lower case', 'trace', request({ ':method': 'trace' })],
  ['TRACE with a body', 'body', request({ ':method': 'TRACE' }), { body: 'hello' }],
  ['Content_Length, Transfer_Encoding, Content_Encoding, Grpc_Encoding or Connect_Content_Encoding with an underscore', 'length', request({}, ['content_length', '5'])],
  ['Content_Length, Transfer_Encoding, Content_Encoding, Grpc_Encoding or Connect_Content_Encoding with an underscore', 'transfer coding', request({}, ['transfer_encoding', 'chunked'])],
  ['Content_Length, Transfer_Encoding, Content_Encoding, Grpc_Encoding or Connect_Content_Encoding with an underscore', 'coding', request({}, ['content_encoding', 'gzip'])],
  ['Content_Length, Transfer_Encoding, Content_Encoding, Grpc_Encoding or Connect_Content_Encoding with an underscore', 'messages', request({}, ['grpc_encoding', 'gzip'])],
  ['Content_Length, Transfer_Encoding, Content_Encoding, Grpc_Encoding or Connect_Content_Encoding with an underscore', 'one of two hyphens', request({}, ['connect-content_encoding', 'gzip'])],
  ['HTTP2-Settings', 'header', request({}, ['http2-settings', 'AAMAAABk'])],
  ['Expect other than 100-continue', 'other', request({}, ['expect', '200-ok'])],
  ['CONNECT with :protocol', 'websocket', request({ ':method': 'CONNECT' }, [':protocol', 'websocket'])],
  ['a pseudo-header missing, empty, twice, behind a header or unknown', 'authority missing', request({ ':authority': null })],
  ['a pseudo-header missing, empty, twice, behind a header or unknown', 'path missing', request({ ':path': null })],
  ['a pseudo-header missing, empty, twice, behind a header or unknown', 'method missing', request({ ':method': null })],
  ['a pseudo-header missing, empty, twice, behind a header or unknown', 'path empty', request({ ':path': '' })],
  ['a pseudo-header missing, empty, twice, behind a header or unknown', 'path twice', request({}, [':path', '/q'])],
  ['a pseudo-header missing, empty, twice, behind a header or unknown', 'authority twice', request({}, [':authority', 'other.test'])],
  ['a pseudo-header missing, empty, twice, behind a header or unknown', 'behind', request({ ':path': null }, ['x-a', 'b'], [':path', '/p'])],
  ['a pseudo-header missing, empty, twice, behind a header or unknown', 'unknown', request({}, [':host', 'other.test'])],
  ['a pseudo-header missing, empty, twice, behind a header or unknown', 'protocol', request({}, [':protocol', 'websocket'])],
  ['a :path that is no path, or has a space or a control character in it', 'absolute', request({ ':path': 'https://api.test/p' })],
  ['a :path that is no path, or has a space or a control character in it', 'star', request({ ':path': '*' })],
  ['a :path that is no path, or has a space or a control character in it', 'space', request({ ':path': '/p q' })],
  ['a :path that is no path, or has a space or a control character in it', 'line break', request({ ':path': '/p HTTP/1.1\r\nx-injected: 1' })],
  ['Connection, Keep-Alive, Proxy-Connection, Transfer-Encoding, Upgrade', 'connection', request({}, ['connection', 'close'])],
  ['Connection, Keep-Alive, Proxy-Connection, Transfer-Encoding, Upgrade', 'keep-alive', request({}, ['keep-alive', 'timeout=5'])],
  ['Connection, Keep-Alive, Proxy-Connection, Transfer-Encoding, Upgrade', 'proxy-connection', request({}, ['proxy-connection', 'close'])],
  ['Connection, Keep-Alive, Proxy-Connection, Transfer-Encoding, Upgrade', 'transfer-encoding', request({}, ['transfer-encoding', 'chunked'])],
  ['Connection, Keep-Alive, Proxy-Connection, Transfer-Encoding, Upgrade', 'upgrade', request({}, ['upgrade', 'websocket'])],
  ['TE other than `trailers`', 'gzip', request({}, ['te', 'gzip'])],
  ['TE other than `trailers`', 'both', request({}, ['te', 'trailers, gzip'])],
  ['two Hosts or lengths, a length that is not the body\'s', 'hosts', request({}, ['host', 'api.test'], ['host', 'other.test'])],
  ['two Hosts or lengths, a length that is not the body\'s', 'lengths', request({ ':method': 'POST' }, ['content-length', '5'], ['content-length', '6']), { body: 'hello' }],
  ['two Hosts or lengths, a length that is not the body\'s', 'longer', request({ ':method': 'POST' }, ['content-length', '6']), { body: 'hello' }],
  ['two Hosts or lengths, a length that is not the body\'s', 'shorter', request({ ':method': 'POST' }, ['content-length', '4']), { body: 'hello' }],
  ['a header\'s name in capitals', 'name', request({}, ['X-A', 'b'])],
];

/** With what arrives, over HTTP/1.1, which hides least. */
export const acceptedHttp2Requests: [request: string, variant: string, fields: Http2Fields, arrives: RegExp][] = [
  ['an :authority with the default port, in capitals or with a trailing dot', 'all of it', request({ ':authority': 'API.Test.:443' }), /\r\nhost: api\.test\r\n/],
  ['a Host that is the :authority', 'same', request({}, ['host', 'api.test']), /^(?![^]*host[^]*\r\nhost)GET \/p/i],
  ['cookies in several headers', 'two', request({}, ['cookie', 'a=1'], ['cookie', 'b=2']), /\r\ncookie: a=1; b=2\r\n/],
  ['TE with `trailers`', 'trailers', request({}, ['te', 'trailers']), /\r\nte: trailers\r\n/],
  ['a header that is malformed: NUL or a line break in it, white space around the value, a name that is none', 'CRLF', request({}, ['x-a', 'b\r\nx-injected: 1']), /^(?![^]*(?:x-a|injected))GET \/p/],
  ['a header that is malformed: NUL or a line break in it, white space around the value, a name that is none', 'NUL', request({}, ['x-a', 'b\0c']), /^(?![^]*x-a)GET \/p/],
  ['a header that is malformed: NUL or a line break in it, white space around the value, a name that is none', 'space before', request({}, ['x-a', ' b']), /^(?![^]*x-a)GET \/p/],
  ['a header that is malformed: NUL or a line break in it, white space around the value, a name that is none', 'space behind', request({}, ['x-a', 'b ']), /^(?![^]*x-a)GET \/p/],
  ['a header that is malformed: NUL or a line break in it, white space around the value, a name that is none', 'colon', request({}, ['x-a:c', 'b']), /^(?![^]*x-a)GET \/p/],
  ['a header that is malformed: NUL or a line break in it, white space around the value, a name that is none', 'line break in the name', request({}, ['x-a\r\nx-injected', 'b']), /^(?![^]*(?:x-a|injected))GET \/p/],
];
