import { renderBytes, renderCount, renderNumber } from '../src/report/quantities.ts';
import { writtenClause } from '../src/report/written-clause.ts';
import type { PageData } from '../src/report-page/page-data.ts';
import { element } from './element.ts';
import { empty, section } from './section.ts';
import { table, type Column } from './table.ts';

export function hosts({ hosts: list }: PageData): HTMLElement {
  if (list.items.length === 0) return section('hosts', { title: 'Hosts' }, [empty('Nothing was asked for.')]);
  return section('hosts', { title: 'Hosts', note: renderCount(list.items.length + list.leftOut, 'host') }, [table(list, { label: 'Hosts', columns: [
    { title: 'Host', kind: 'code', show: ({ host }) => host, value: ({ host }) => host },
    number('Requests', ({ requests }) => requests), number('Blocked', ({ blocked }) => blocked),
    { ...number('Sent', ({ requestBytes }) => requestBytes), show: ({ requestBytes }) => renderBytes(requestBytes), isExtra: true },
    { ...number('Received', ({ responseBytes }) => responseBytes), show: ({ responseBytes }) => renderBytes(responseBytes) },
    { ...number('Secrets swapped in', ({ substitutions }) => substitutions), isExtra: true }, { ...number('Scrubbed', ({ scrubs }) => scrubs), isExtra: true },
  ] })]);
}

export function secrets({ secrets: list }: PageData): HTMLElement {
  if (list.items.length === 0) return section('secrets', { title: 'Secrets' }, [empty('The run had none.')]);
  return section('secrets', { title: 'Secrets', note: 'The sandbox had placeholders only.' }, [table(list, { label: 'Secrets', columns: [
    { title: 'Secret', kind: 'code', show: ({ name }) => name, value: ({ name }) => name },
    { title: 'Bound to', kind: 'code', show: ({ hosts: bound }) => bound.join(', ') },
    number('Swapped in', ({ substitutions }) => substitutions), number('Scrubbed', ({ scrubs }) => scrubs), number('Refused', ({ refusals }) => refusals),
  ] })]);
}

/** Nothing where the run had none. */
export function services({ services: list }: PageData): HTMLElement[] {
  if (list.items.length === 0) return [];
  return [section('services', { title: 'Services', note: renderCount(list.items.length + list.leftOut, 'service') }, [table(list, { label: 'Services', columns: [
    { title: 'Service', kind: 'code', show: ({ name }) => name, value: ({ name }) => name },
    { title: 'Image', kind: 'code', show: ({ image, imageDigest }) => (imageDigest === null ? image : element('span', { children: [image, element('br'), imageDigest] })) },
    { title: 'How it ended', show: ({ end }) => end },
    { title: 'CPU', show: ({ used }) => used?.cpu ?? '–' }, { title: 'Memory, peak', show: ({ used }) => used?.memory ?? '–' },
    { title: 'Disk, peak', show: ({ used }) => used?.storage ?? '–' }, { title: 'Processes, peak', show: ({ used }) => used?.pids ?? '–' },
  ] })])];
}

/** Nothing where nothing was exposed. */
export function exposed({ exposed: list }: PageData): HTMLElement[] {
  if (list.items.length === 0) return [];
  return [section('exposed', { title: 'Exposed ports', note: 'The host could reach them while the command ran.' }, [table(list, { label: 'Exposed ports', columns: [
    { title: 'Port of the sandbox', kind: 'code', show: ({ port }) => String(port), value: ({ port }) => port },
    { title: 'On the host', kind: 'code', show: ({ address }) => address },
    { title: 'Used', show: ({ used }) => used },
  ] })])];
}

export function files({ files: list, changes }: PageData): HTMLElement {
  const title = 'Files changed';
  if (changes.problem !== undefined) return section('files', { title }, [empty(changes.problem)]);
  const { leftOut = 0 } = changes;
  const rest = leftOut === 0 ? '' : `; ${renderNumber(leftOut)} more not in the patch`;
  const note = `${renderCount(changes.files, 'file')}, ${renderCount(changes.insertions, 'line')} added, ${renderNumber(changes.deletions)} removed${rest}${writtenClause(changes)}`;
  if (list === null) return section('files', { title, note }, changes.files === 0 ? [] : [empty('Their names are in the patch, which was not given: add --patch FILE.')]);
  if (list.items.length === 0) return section('files', { title, note }, []);
  const most = Math.max(1, ...list.items.map(({ insertions, deletions }) => insertions + deletions));
  return section('files', { title, note }, [table(list, { label: title, columns: [
    { title: 'File', kind: 'code', show: ({ path }) => path, value: ({ path }) => path },
    { title: 'Change', show: ({ kind, binary }) => (binary ? `${kind}, binary` : kind), value: ({ kind }) => kind },
    number('Added', ({ insertions }) => insertions), number('Removed', ({ deletions }) => deletions),
    { title: 'Share', isExtra: true, show: ({ insertions, deletions }) => diffBar(insertions / most, deletions / most) },
  ] })]);
}

function number<Item>(title: string, value: (item: Item) => number): Column<Item> {
  return { title, kind: 'number', value, show: (item) => renderNumber(value(item)) };
}

function diffBar(added: number, removed: number): HTMLElement {
  const parts = ([['added', added], ['removed', removed]] as const).map(([name, share]) => {
    const part = element('span', { class: name });
    part.style.width = `${share * 100}%`;
    return part;
  });
  return element('span', { class: 'diff', attributes: { 'aria-hidden': 'true' }, children: parts });
}
