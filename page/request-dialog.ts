import { renderBytes } from '../src/report/quantities.ts';
import { element } from './element.ts';
import { formatMoment, formatMs } from './format.ts';
import type { Row } from './rows.ts';

/** Everything that is known of one request. Escape closes it, and the focus goes back to where it was. */
export function createRequestDialog(): { node: HTMLDialogElement; show(row: Row): void } {
  const list = element('dl', { class: 'details' });
  const close = element('button', { class: 'quiet', text: 'Close', attributes: { type: 'button' } });
  const node = element('dialog', { attributes: { 'aria-labelledby': 'request-title' }, children: [
    element('div', { class: 'head', children: [element('h2', { text: 'Request', attributes: { id: 'request-title' } }), close] }), list,
  ] });
  close.addEventListener('click', () => node.close());
  return {
    node,
    show(row) {
      list.replaceChildren(...fieldsOf(row).map(([name, value]) => element('div', { children: [element('dt', { text: name }), element('dd', { text: value })] })));
      node.showModal();
    },
  };
}

function fieldsOf(row: Row): (readonly [string, string])[] {
  const fields = [
    ['Decision', row.decision], ['Reason', row.reason], ['Rule', row.rule], ['Protocol', row.protocol], ['Method', row.method], ['Host', row.host],
    ['Port', row.port === 0 ? '' : String(row.port)], ['Path', row.path], ['Status', row.status === 0 ? '' : String(row.status)],
    ['Began', `${formatMoment(row.startMs / 1000)} after the command`], ['Took', formatMs(row.durationMs)],
    ['Sent', renderBytes(row.requestBytes)], ['Received', renderBytes(row.responseBytes)], ['Secrets', row.secrets],
  ] as const;
  return fields.filter(([, value]) => value !== '');
}
