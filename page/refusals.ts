import { renderNumber } from '../src/report/quantities.ts';
import type { BlockedGroup } from '../src/report/report.ts';
import type { Bounded } from '../src/report-page/page-data.ts';
import { copyLine } from './copy-button.ts';
import { element } from './element.ts';
import { empty, section } from './section.ts';

/** What was blocked, would have been, or failed, with what would cure it. */
export function refusals(id: 'blocked' | 'observed' | 'failed', { title, groups, none }: { title: string; groups: Bounded<BlockedGroup>; none: string }): HTMLElement {
  if (groups.items.length === 0) return section(id, { title }, [empty(none)]);
  const list = element('ol', { class: 'refusals', children: groups.items.map(item) });
  const rest = groups.leftOut === 0 ? [] : [element('p', { class: 'note', text: `${renderNumber(groups.leftOut)} more are left out here.` })];
  return section(id, { title, note: `${renderNumber(groups.items.length + groups.leftOut)} ${groups.items.length === 1 ? 'kind' : 'kinds'}` }, [list, ...rest]);
}

function item({ host, port, method, path, reason, count, remedy }: BlockedGroup): HTMLElement {
  return element('li', { children: [
    element('div', { class: 'what', children: [
      element('span', { class: 'times', text: `${renderNumber(count)} ×` }),
      element('code', { text: `${method === null ? '' : `${method} `}${host}${port === null ? '' : `:${port}`}${path ?? ''}` }),
      element('span', { class: 'reason', text: reason }),
    ] }),
    element('p', { class: 'remedy', children: remedyParts(remedy) }),
  ] });
}

/** Lines of configuration stand in back quotes; `Secret` and the like are names, not lines. */
function remedyParts(remedy: string): (Node | string)[] {
  return remedy.split(/(`[^`]+`)/).map((part) => {
    if (!/^`[^`]+`$/.test(part)) return part;
    const text = part.slice(1, -1);
    return /[.:/=@]/.test(text) ? copyLine(text) : element('code', { text });
  });
}
