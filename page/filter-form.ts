import { renderNumber } from '../src/report/quantities.ts';
import { DECISIONS, type RequestTable } from '../src/report-page/page-data.ts';
import { element } from './element.ts';
import type { Filter } from './filter-requests.ts';
import type { SharedRange } from './range.ts';

/** What the requests can be narrowed by; every field is an ordinary one, so that the keyboard is enough. */
export function filterForm(table: RequestTable, { range, onChange }: { range: SharedRange; onChange(): void }): { node: HTMLElement; read(): Filter } {
  const text = element('input', { attributes: { type: 'search', id: 'filter-text', placeholder: 'path, host, rule, reason…', autocomplete: 'off', spellcheck: 'false' } });
  const host = choice('filter-host', 'All hosts', countsOf(table, table.host));
  const method = choice('filter-method', 'All methods', countsOf(table, table.method));
  const times = (['from', 'to'] as const).map((name) => element('input', { attributes: { type: 'number', id: `filter-${name}`, min: '0', step: 'any', placeholder: name === 'from' ? 'start' : 'end' } }));
  const [from, to] = times as [HTMLInputElement, HTMLInputElement];
  const boxes = DECISIONS.map((decision) => {
    const box = element('input', { attributes: { type: 'checkbox', id: `filter-${decision}`, checked: '' } });
    const count = table.decision.filter((value) => DECISIONS[value] === decision).length;
    return { decision, box, node: element('label', { class: `choice ${decision}`, children: [box, element('span', { text: `${decision} ${renderNumber(count)}` })] }) };
  });
  const node = element('form', { class: 'filter', attributes: { role: 'search', 'aria-label': 'Filter requests' }, children: [
    field('Text', text), field('Host', host), field('Method', method),
    element('div', { class: 'field', attributes: { role: 'group', 'aria-labelledby': 'filter-decisions' }, children: [
      element('span', { class: 'label', text: 'Decision', attributes: { id: 'filter-decisions' } }), element('div', { class: 'choices', children: boxes.map((box) => box.node) }),
    ] }),
    field('From, s', from), field('To, s', to),
    element('button', { class: 'quiet', text: 'Reset', attributes: { type: 'reset' } }),
  ] });
  const toRange = () => {
    const [low, high] = times.map(({ value }) => (value === '' ? null : Number(value)));
    if (low === null && high === null) range.set(null);
    else if ((low ?? 0) < (high ?? Infinity)) range.set({ from: low ?? 0, to: high ?? (table.startMs.at(-1) ?? 0) / 1000 + 1 });
  };
  node.addEventListener('submit', (event) => event.preventDefault());
  node.addEventListener('input', (event) => { if (times.includes(event.target as HTMLInputElement)) toRange(); else onChange(); });
  node.addEventListener('reset', () => queueMicrotask(() => range.set(null)));
  range.onChange((now) => {
    if (!times.includes(document.activeElement as HTMLInputElement)) [from.value, to.value] = now === null ? ['', ''] : [now.from.toFixed(3), now.to.toFixed(3)];
    onChange();
  });
  const chosen = ({ value }: HTMLSelectElement) => (value === '' ? null : Number(value));
  return {
    node,
    read: () => ({
      text: text.value, host: chosen(host), method: chosen(method), range: range.get(),
      decisions: new Set(boxes.filter(({ box }) => box.checked).map(({ decision }) => decision)),
    }),
  };
}

function field(label: string, input: HTMLElement): HTMLElement {
  return element('div', { class: `field ${input.id}`, children: [element('label', { text: label, attributes: { for: input.id } }), input] });
}

function choice(id: string, all: string, counts: readonly (readonly [index: number, text: string, count: number])[]): HTMLSelectElement {
  return element('select', { attributes: { id }, children: [
    element('option', { text: all, attributes: { value: '' } }),
    ...counts.map(([index, text, count]) => element('option', { text: `${text} (${renderNumber(count)})`, attributes: { value: String(index) } })),
  ] });
}

const MAX_CHOICES = 500;

/** The most frequent first. */
function countsOf({ texts }: RequestTable, column: readonly number[]): (readonly [number, string, number])[] {
  const counts = new Map<number, number>();
  for (const index of column) if (index >= 0) counts.set(index, (counts.get(index) ?? 0) + 1);
  return [...counts].sort((a, b) => b[1] - a[1]).slice(0, MAX_CHOICES).map(([index, count]) => [index, texts[index]!, count]);
}
