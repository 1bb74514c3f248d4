import { renderBytes } from '../src/report/quantities.ts';
import { element } from './element.ts';
import { formatMoment, formatMs } from './format.ts';
import { authority, type Row } from './rows.ts';

/** The times that the bars stand for, seconds. */
export type Axis = { from: number; to: number };

export function requestRow(row: Row, { axis, position }: { axis: Axis; position: number }): HTMLTableRowElement {
  const open = element('button', { class: 'open', attributes: { type: 'button', tabindex: '-1', 'data-position': String(position) }, children: [
    element('span', { class: 'target', children: [element('b', { text: row.method || row.protocol.toUpperCase() }), ` ${authority(row)}`] }),
    element('span', { class: 'path', text: row.path || (row.protocol === 'dns' ? 'name look-up' : '') }),
  ] });
  const cell = (name: string, children: readonly (Node | string)[]) => element('td', { class: name, children });
  return element('tr', { attributes: { 'aria-rowindex': String(position + 2) }, children: [
    cell('number start', [formatMoment(row.startMs / 1000)]),
    cell('decision', [element('span', { class: `dot ${row.decision}`, text: row.decision })]),
    cell('request', [open]),
    cell('why extra', [
      element('span', { class: row.decision === 'allowed' ? 'rule' : 'reason', text: row.reason || row.rule }),
      element('span', { class: 'uses', text: row.secrets }),
    ]),
    cell('number status', [row.status === 0 ? '–' : String(row.status)]),
    cell('number bytes extra', [renderBytes(row.requestBytes)]), cell('number bytes extra', [renderBytes(row.responseBytes)]),
    cell('number took', [formatMs(row.durationMs)]),
    cell('bar extra', [bar(row, axis)]),
  ] });
}

function bar(row: Row, { from, to }: Axis): HTMLElement {
  const share = (ms: number) => Math.min(1, Math.max(0, (ms / 1000 - from) / (to - from)));
  const [start, end] = [share(row.startMs), share(row.startMs + row.durationMs)];
  const made = element('span', { class: row.decision, attributes: { 'aria-hidden': 'true' } });
  made.style.left = `min(${start * 100}%, calc(100% - 3px))`;
  made.style.width = `${(end - start) * 100}%`;
  return made;
}
