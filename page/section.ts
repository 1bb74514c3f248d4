import { element } from './element.ts';

/** A part of the page, found by its heading. */
export function section(id: string, { title, note }: { title: string; note?: string }, children: readonly Node[]): HTMLElement {
  const heading = element('h2', { text: title, attributes: { id: `${id}-title` } });
  const head = element('div', { class: 'head', children: note === undefined ? [heading] : [heading, element('p', { class: 'note', text: note })] });
  return element('section', { attributes: { id, 'aria-labelledby': `${id}-title` }, children: [head, ...children] });
}

export function empty(text: string): HTMLElement {
  return element('p', { class: 'empty', text });
}
