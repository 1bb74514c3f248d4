import { expect, test } from 'vitest';
import { takeToken } from '../../src/expose/take-token.ts';

const token = 'DtxLzzHqdj24_xM-o_dZns9hmPLqsQOl5N7siZhGEoo';
const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`;
const take = (rawHeaders: string[], url = '/') => takeToken({ url, rawHeaders }, token);

test.each<[string, string[], string[]]>([
  ['its own header', ['Host', 'a', 'X-Decoy-Token', token, 'X-Two', '2'], ['Host', 'a', 'X-Two', '2']],
  ['Bearer', ['Authorization', `bearer ${token}`], []],
  ['Basic of any user', ['authorization', basic(`someone:${token}`)], []],
  ['the server\'s own credentials go on', ['x-decoy-token', token, 'Authorization', 'Bearer own'], ['Authorization', 'Bearer own']],
  ['a scheme nobody knows goes on', ['x-decoy-token', token, 'Authorization', 'Digest a="b"'], ['Authorization', 'Digest a="b"']],
  ['both ways at once', ['x-decoy-token', token, 'Authorization', `Bearer ${token}`], []],
  ['a second value of its own header does not go on', ['x-decoy-token', 'other', 'x-decoy-token', token], []],
])('the token is taken out: %s', (_, given, left) => {
  expect(take(given)).toEqual({ ok: true, headers: left });
});

test.each<[string, string[], string, 'missing' | 'wrong' | 'elsewhere']>([
  ['nothing', ['Host', 'a'], '/', 'missing'],
  ['another', ['x-decoy-token', token.slice(1)], '/', 'wrong'],
  ['empty', ['x-decoy-token', ''], '/', 'wrong'],
  ['longer', ['x-decoy-token', `${token}x`], '/', 'wrong'],
  ['another Bearer', ['authorization', 'Bearer x'], '/', 'wrong'],
  ['Basic with the token as the user', ['authorization', basic(`${token}:x`)], '/', 'wrong'],
  ['in a cookie alone', ['cookie', `x-decoy-token=${token}`], '/', 'missing'],
  ['in the query alone', [], `/?token=${token}`, 'missing'],
  ['in the query, too', ['x-decoy-token', token], `/?token=${token}`, 'elsewhere'],
  ['in the path, written in percent', ['x-decoy-token', token], `/%44${token.slice(1)}`, 'elsewhere'],
  ['in a cookie, too', ['x-decoy-token', token, 'cookie', `a=${token}`], '/', 'elsewhere'],
  ['as the name of a header', ['x-decoy-token', token, token, '1'], '/', 'elsewhere'],
])('refused: %s', (_, given, url, reason) => {
  expect(take(given, url)).toEqual({ ok: false, reason });
});
