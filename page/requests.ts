import { renderCount, renderNumber } from '../src/report/quantities.ts';
import type { PageData, RequestTable } from '../src/report-page/page-data.ts';
import { element } from './element.ts';
import { filterForm } from './filter-form.ts';
import { filterRequests, type Order } from './filter-requests.ts';
import type { SharedRange } from './range.ts';
import { createRequestDialog } from './request-dialog.ts';
import { requestList } from './request-list.ts';
import { empty, section } from './section.ts';
import { spanOf } from './series.ts';

/** Every request, by time. */
export function requests(data: PageData, { range }: { range: SharedRange }): HTMLElement {
  const title = 'Requests';
  const { requests: table } = data;
  if (table === null) return section('requests', { title }, [empty('No audit log was given: decoy report report.json audit.jsonl')]);
  if (table.startMs.length === 0) return section('requests', { title }, [empty('There were none.'), ...notes(table)]);
  const dialog = createRequestDialog();
  const order: Order = { by: 'startMs', isDown: false };
  const count = element('p', { class: 'note count', attributes: { role: 'status' } });
  const list = requestList(table, { order, onOpen: dialog.show, onOrder: (now) => { Object.assign(order, now); show(); } });
  const form = filterForm(table, { range, onChange: () => show() });
  const whole = { from: 0, to: spanOf(data) };
  const show = () => {
    const indices = filterRequests(table, form.read(), order);
    count.textContent = indices.length === table.startMs.length ? renderCount(indices.length, 'request') : `${renderNumber(indices.length)} of ${renderCount(table.startMs.length, 'request')}`;
    list.show(indices, range.get() ?? whole);
  };
  show();
  return section('requests', { title, note: 'Every line of the audit log, name look-ups included.' }, [form.node, count, list.node, ...notes(table), dialog.node]);
}

function notes({ total, leftOut, unreadable, truncated }: RequestTable): HTMLElement[] {
  return [
    leftOut > 0 ? `The page holds ${renderNumber(total - leftOut)} of the ${renderNumber(total)} entries of the audit log: misuse of secrets first, then what was blocked or failed, then the earliest. The chart counts them all.` : '',
    unreadable > 0 ? `${renderCount(unreadable, 'line')} of the audit log could not be read.` : '',
    truncated ? 'The audit log itself ends at its bound of 100 MB: what came later is in the totals alone.' : '',
  ].filter((text) => text !== '').map((text) => element('p', { class: 'note left-out', text }));
}
