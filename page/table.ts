import { renderNumber } from '../src/report/quantities.ts';
import type { Bounded } from '../src/report-page/page-data.ts';
import { element } from './element.ts';

/** `value` sorts; without it a column cannot be sorted by. `kind`: how it looks. */
export type Column<Item> = {
  title: string;
  kind?: 'number' | 'code';
  show(item: Item): string | Node;
  value?(item: Item): number | string;
  /** left out on narrow screens */
  isExtra?: boolean;
};

/** A table that can be scrolled sideways and sorted by its headings. */
export function table<Item>({ items, leftOut }: Bounded<Item>, { label, columns }: { label: string; columns: readonly Column<Item>[] }): HTMLElement {
  const body = element('tbody');
  const headings = columns.map(({ title, kind, value, isExtra }) => element('th', {
    class: classOf(kind, isExtra), attributes: { scope: 'col' },
    children: [value === undefined ? title : element('button', { text: title, class: 'sort', attributes: { type: 'button' } })],
  }));
  const fill = (sorted: readonly Item[]) => body.replaceChildren(...sorted.map((item) => element('tr', {
    children: columns.map(({ show, kind, isExtra }, index) => {
      const cell = element(index === 0 ? 'th' : 'td', { class: classOf(kind, isExtra), children: [show(item)] });
      if (index === 0) cell.setAttribute('scope', 'row');
      return cell;
    }),
  })));
  headings.forEach((heading, index) => heading.querySelector('button')?.addEventListener('click', () => {
    const value = columns[index]!.value!;
    const isDown = heading.getAttribute('aria-sort') !== 'descending';
    headings.forEach((other) => other.removeAttribute('aria-sort'));
    heading.setAttribute('aria-sort', isDown ? 'descending' : 'ascending');
    fill(items.toSorted((a, b) => compare(value(a), value(b)) * (isDown ? -1 : 1)));
  }));
  fill(items);
  const made = element('table', { children: [element('caption', { class: 'unseen', text: label }), element('thead', { children: [element('tr', { children: headings })] }), body] });
  const scroller = element('div', { class: 'scroller', attributes: { role: 'group', 'aria-label': label, tabindex: '0' }, children: [made] });
  return leftOut === 0 ? scroller : element('div', { children: [scroller, element('p', { class: 'note', text: `${renderNumber(leftOut)} more are left out here.` })] });
}

export function compare(a: number | string, b: number | string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function classOf(kind: 'number' | 'code' | undefined, isExtra = false): string {
  return [kind ?? '', isExtra ? 'extra' : ''].join(' ').trim();
}
