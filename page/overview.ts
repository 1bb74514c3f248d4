import { renderBytes, renderNumber, renderSeconds } from '../src/report/quantities.ts';
import type { PageData } from '../src/report-page/page-data.ts';
import { copyLine } from './copy-button.ts';
import { element } from './element.ts';
import { section } from './section.ts';

/** How the run ended, and what stands first in the page. */
export function overview(data: PageData, themeButton: HTMLElement): HTMLElement {
  const facts: readonly (readonly [string, string])[] = [
    ['Exit code', String(data.exitCode)], ['Took', renderSeconds(data.wallSeconds)], ['Started', `${data.startedAt.slice(0, 19).replace('T', ' ')} UTC`],
    ['Image', data.image], ...(data.imageDigest === null ? [] : [['Digest', data.imageDigest] as const]), ['Run', data.id],
  ];
  return element('header', {
    children: [
      element('div', { class: 'top', children: [element('p', { class: 'brand', text: 'Decoy report' }), themeButton] }),
      ...(data.notes === null ? [] : [element('p', { class: 'warning', children: [element('strong', { text: data.notes.heading }), ' ', data.notes.warning] })]),
      element('h1', { children: [element('span', { class: `badge ${data.conclusion === 'success' ? 'good' : 'bad'}`, text: data.conclusion }), ' ', element('span', { text: data.verdict })] }),
      ...(data.problems.length === 0 ? [] : [element('ul', { class: 'problems', children: data.problems.map((text) => element('li', { text })) })]),
      ...(data.canary === '' ? [] : [element('p', { class: 'note', text: data.canary })]),
      element('dl', { class: 'facts', children: facts.map(([name, value]) => element('div', { children: [element('dt', { text: name }), element('dd', { text: value })] })) }),
    ],
  });
}

/** What a run in observe mode asked for, to be pasted. */
export function proposal({ notes }: PageData): HTMLElement[] {
  if (notes === null) return [];
  return [section('proposed', { title: 'Proposed', note: 'What this run asked for, and nothing else.' }, [element('div', { class: 'proposal', children: [copyLine(notes.proposal.join('\n'))] })])];
}

/** What the run used of what it might. */
export function limits(data: PageData): HTMLElement[] {
  if (data.limitRows.length === 0) return [];
  const { network } = data;
  const rows = data.limitRows.map(({ name, used, limit, share, note }) => {
    const percent = Number.isFinite(share) ? Math.round(share * 100) : 0;
    const bar = element('span', { class: `fill ${share >= 0.9 ? 'bad' : ''}` });
    bar.style.width = `${Math.min(100, Math.max(share > 0 ? 1 : 0, percent))}%`;
    return element('div', { class: 'limit', children: [
      element('dt', { text: NAMES[name] ?? name }),
      element('dd', { children: [
        element('span', { class: 'used', text: used }),
        element('span', { class: 'gauge', attributes: { 'aria-hidden': 'true' }, children: [bar] }),
        element('span', { class: 'of', text: `${percent} % of ${limit}${note === '' ? '' : `, ${note}`}` }),
      ] }),
    ] });
  });
  const traffic = element('div', { class: 'limit', children: [
    element('dt', { text: 'Network' }),
    element('dd', { children: [
      element('span', { class: 'used', text: renderNumber(network.requests) }), element('span', { class: 'of', text: network.requests === 1 ? 'request' : 'requests' }),
      element('span', { class: `of ${network.blocked > 0 ? 'refused' : ''}`, text: `${renderNumber(network.blocked)} blocked` }),
      element('span', { class: 'of', text: `${renderBytes(network.requestBytes)} out, ${renderBytes(network.responseBytes)} in` }),
    ] }),
  ] });
  return [section('limits', { title: 'Limits and usage' }, [element('dl', { class: 'limits', children: [...rows, traffic] })])];
}

const NAMES: Readonly<Record<string, string>> = { time: 'Time', cpu: 'CPU', memory: 'Memory, peak', storage: 'Disk, peak', pids: 'Processes, peak' };
