import { expect, test } from 'vitest';
import { findHarmfulArguments, RUNSC_ARGUMENTS } from '../../src/runtime/runsc-arguments.ts';

const host = '--network=host';

test.each<[string[]]>([
  [[...RUNSC_ARGUMENTS]], [[host]], [['-network', 'host', '--platform=kvm', '--debug']], [[host, '--overlay2=root:self', '--host-uds=none', '--ignore-cgroups=false']],
])('%j will do', (given) => expect(findHarmfulArguments(given)).toEqual([]));

test.each<[string[], RegExp]>([
  [[], /^`--network=host` is missing/], [['--network=sandbox'], /is missing/], [[host, '--network=none'], /is missing/],
  [[host, '--host-uds=all'], /Unix sockets/], [[host, '-host-uds', 'open'], /Unix sockets/], [[host, '--fsgofer-host-uds'], /Unix sockets/], [[host, '--host-fifo=open'], /named pipes/],
  [[host, '--ignore-cgroups'], /caps/], [[host, '--overlay2=all:memory'], /capped disk/], [[host, '--overlay'], /capped disk/],
  [[host, '--allow-flag-override'], /arguments/], [[host, '--TESTONLY-unsafe-nonroot=true'], /isolation/], [[host, '--profile'], /filter/],
])('%j will not', (given, problem) => expect(findHarmfulArguments(given).join()).toMatch(problem));
