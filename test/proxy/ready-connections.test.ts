import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { keepReadyConnections } from '../../src/proxy/ready-connections.ts';
import { portOf } from './open-bench.ts';

const server = createServer();
beforeAll(() => once(server.listen(0, '127.0.0.1'), 'listening'));
afterAll(() => void server.close());

/** Both ends of a connection. */
async function openPair(): Promise<[near: Socket, far: Socket]> {
  const accepted = once(server, 'connection') as Promise<[Socket]>;
  const near = connect(portOf(server), '127.0.0.1');
  const [[far]] = await Promise.all([accepted, once(near, 'connect')]);
  return [near, far];
}

test('each is given once, the oldest first', async () => {
  using ready = keepReadyConnections(60_000);
  const [[first], [second]] = [await openPair(), await openPair()];
  ready.add(first);
  ready.add(second);
  expect([ready.take() === first, ready.take() === second, ready.take()]).toEqual([true, true, null]);
  expect([first.destroyed, second.destroyed]).toEqual([false, false]);
  first.destroy();
  second.destroy();
});

test('one that the other side has ended is not given', async () => {
  using ready = keepReadyConnections(60_000);
  const [near, far] = await openPair();
  ready.add(near);
  far.end();
  await once(near, 'end');
  expect(ready.take()).toBeNull();
});

test('one that nobody takes is closed', async () => {
  using ready = keepReadyConnections(1);
  const [near, far] = await openPair();
  ready.add(near);
  await Promise.all([once(near, 'close'), once(far.resume(), 'close')]);
  expect(ready.take()).toBeNull();
});

test('one that was taken stays open after the rest is closed', async () => {
  const ready = keepReadyConnections(60_000);
  const [[taken], [left]] = [await openPair(), await openPair()];
  ready.add(taken);
  ready.add(left);
  ready.take();
  ready[Symbol.dispose]();
  expect([taken.destroyed, left.destroyed]).toEqual([false, true]);
  taken.destroy();
});
