import type { RequestTable } from '../src/report-page/page-data.ts';
import { element } from './element.ts';
import type { Order } from './filter-requests.ts';
import { formatTick } from './format.ts';
import { requestRow, type Axis } from './request-row.ts';
import { rowAt, type Row } from './rows.ts';

/** As in the style sheet. */
const ROW_HEIGHT = 46;
const SPARE_ROWS = 8;
/** On paper, where nothing scrolls. */
const PRINTED_ROWS = 200;

export type RequestList = { node: HTMLElement; show(indices: readonly number[], axis: Axis): void };

const COLUMNS: readonly { title: string; class: string; by?: Order['by'] }[] = [
  { title: 'Began', class: 'number start', by: 'startMs' }, { title: 'Decision', class: 'decision' }, { title: 'Request', class: 'request', by: 'host' },
  { title: 'Rule or reason, secrets', class: 'why extra' }, { title: 'Status', class: 'number status', by: 'status' },
  { title: 'Sent', class: 'number bytes extra', by: 'requestBytes' }, { title: 'Received', class: 'number bytes extra', by: 'responseBytes' },
  { title: 'Took', class: 'number took', by: 'durationMs' }, { title: 'Waterfall', class: 'bar extra' },
];

/** A table of which only what is in view is in the document. Arrow keys go from row to row, Enter opens one. */
export function requestList(table: RequestTable, { order, onOrder, onOpen }: { order: Order; onOrder(order: Order): void; onOpen(row: Row): void }): RequestList {
  const ticks = element('span', { class: 'ticks', attributes: { 'aria-hidden': 'true' } });
  const headings = COLUMNS.map((column) => element('th', { class: column.class, attributes: { scope: 'col' }, children: [
    column.by === undefined ? column.title : element('button', { class: 'sort', text: column.title, attributes: { type: 'button' } }),
    ...(column.title === 'Waterfall' ? [ticks] : []),
  ] }));
  const [above, below] = [spacer(), spacer()];
  const body = element('tbody');
  const grid = element('table', { class: 'requests', children: [
    element('caption', { class: 'unseen', text: 'Requests' }), element('thead', { children: [element('tr', { attributes: { 'aria-rowindex': '1' }, children: headings })] }),
    above, body, below,
  ] });
  const node = element('div', { class: 'scroller tall', attributes: { tabindex: '0', role: 'group', 'aria-label': 'Requests' }, children: [grid] });
  let indices: readonly number[] = [];
  let axis: Axis = { from: 0, to: 1 };
  let active = 0;
  let drawn = '';
  let shown = { first: 0, last: 0 };
  let isOnPaper = false;

  const draw = () => {
    const headHeight = grid.tHead?.offsetHeight ?? 0;
    const first = isOnPaper ? 0 : Math.max(0, Math.floor((node.scrollTop - headHeight) / ROW_HEIGHT) - SPARE_ROWS);
    const last = Math.min(indices.length, isOnPaper ? PRINTED_ROWS : first + Math.ceil(node.clientHeight / ROW_HEIGHT) + 2 * SPARE_ROWS);
    const key = `${first}-${last}`;
    if (key === drawn) return;
    drawn = key;
    // The keyboard's place stays reachable, wherever the wheel has gone.
    if (active < first || active >= last) active = Math.min(Math.max(active, first + SPARE_ROWS), Math.max(first, last - 1));
    const hadFocus = body.contains(document.activeElement);
    keepRows(first, last);
    body.querySelector('[tabindex="0"]')?.setAttribute('tabindex', '-1');
    body.querySelector(`[data-position="${active}"]`)?.setAttribute('tabindex', '0');
    (above.firstElementChild as HTMLElement).style.height = `${first * ROW_HEIGHT}px`;
    (below.firstElementChild as HTMLElement).style.height = `${isOnPaper ? 0 : (indices.length - last) * ROW_HEIGHT}px`;
    if (hadFocus && !body.contains(document.activeElement)) focusActive();
  };
  /** Rows that stay in view stay as they are: scrolling makes only the new ones. */
  const keepRows = (first: number, last: number) => {
    const made = (from: number, to: number) => indices.slice(from, to).map((index, at) => requestRow(rowAt(table, index), { axis, position: from + at }));
    const isApart = shown.last <= first || shown.first >= last;
    if (isApart) body.replaceChildren(...made(first, last));
    else {
      for (let at = shown.first; at < first; at++) body.firstElementChild?.remove();
      for (let at = shown.last; at > last; at--) body.lastElementChild?.remove();
      body.prepend(...made(first, shown.first));
      body.append(...made(shown.last, last));
    }
    shown = { first, last };
  };
  const redraw = () => { drawn = ''; shown = { first: 0, last: 0 }; draw(); };
  const focusActive = () => body.querySelector<HTMLElement>(`[data-position="${active}"]`)?.focus({ preventScroll: true });
  const goTo = (position: number) => {
    active = Math.min(Math.max(0, position), indices.length - 1);
    const headHeight = grid.tHead?.offsetHeight ?? 0;
    const top = active * ROW_HEIGHT;
    if (top < node.scrollTop) node.scrollTop = top;
    else if (top + ROW_HEIGHT + headHeight > node.scrollTop + node.clientHeight) node.scrollTop = top + ROW_HEIGHT + headHeight - node.clientHeight;
    redraw();
    focusActive();
  };
  const positionOf = (target: EventTarget | null) => {
    const position = (target as HTMLElement | null)?.closest('tr')?.querySelector<HTMLElement>('[data-position]')?.dataset['position'];
    return position === undefined ? null : Number(position);
  };
  body.addEventListener('click', (event) => {
    const position = positionOf(event.target);
    if (position === null) return;
    goTo(position);
    onOpen(rowAt(table, indices[position]!));
  });
  body.addEventListener('keydown', (event) => {
    const page = Math.max(1, Math.floor(node.clientHeight / ROW_HEIGHT) - 1);
    const steps: Readonly<Record<string, number>> = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -Infinity, End: Infinity };
    const step = steps[event.key];
    if (step === undefined) return;
    event.preventDefault();
    goTo(active + step);
  });
  headings.forEach((heading, at) => {
    const { by } = COLUMNS[at]!;
    heading.querySelector('button')?.addEventListener('click', () => onOrder({ by: by!, isDown: order.by === by ? !order.isDown : by !== 'host' && by !== 'startMs' }));
  });
  let isWaiting = false;
  node.addEventListener('scroll', () => {
    if (isWaiting) return;
    isWaiting = true;
    requestAnimationFrame(() => { isWaiting = false; draw(); });
  }, { passive: true });
  new ResizeObserver(draw).observe(node);
  addEventListener('beforeprint', () => { isOnPaper = true; redraw(); });
  addEventListener('afterprint', () => { isOnPaper = false; redraw(); });

  return {
    node,
    show(now, axisNow) {
      [indices, axis, active, node.scrollTop] = [now, axisNow, 0, 0];
      headings.forEach((heading, at) => {
        if (COLUMNS[at]!.by === order.by) heading.setAttribute('aria-sort', order.isDown ? 'descending' : 'ascending');
        else heading.removeAttribute('aria-sort');
      });
      grid.setAttribute('aria-rowcount', String(indices.length + 1));
      ticks.replaceChildren(...[0, 0.25, 0.5, 0.75].map((share) => element('span', { text: formatTick(axis.from + share * (axis.to - axis.from), (axis.to - axis.from) / 4) })));
      redraw();
    },
  };
}

function spacer(): HTMLTableSectionElement {
  return element('tbody', { class: 'spacer', attributes: { 'aria-hidden': 'true' }, children: [element('tr')] });
}
