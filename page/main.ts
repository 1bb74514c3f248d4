import { element } from './element.ts';
import { exposed, files, hosts, secrets, services } from './lists.ts';
import { limits, overview, proposal } from './overview.ts';
import { createRange } from './range.ts';
import { readData } from './read-data.ts';
import { refusals } from './refusals.ts';
import { requests } from './requests.ts';
import { createTheme } from './theme.ts';
import { timeline } from './timeline.ts';

void show();

async function show(): Promise<void> {
  const data = await readData();
  const theme = createTheme();
  const range = createRange();
  const none = 'Nothing was blocked.';
  const sections = [
    ...limits(data), ...timeline(data, { range, theme }), ...proposal(data), refusals('blocked', { title: 'Blocked', groups: data.blocked, none }),
    ...(data.observed.items.length > 0 ? [refusals('observed', { title: 'Would have been blocked', groups: data.observed, none: '' })] : []),
    ...(data.failed.items.length > 0 ? [refusals('failed', { title: 'Failed', groups: data.failed, none: '' })] : []),
    requests(data, { range }), hosts(data), ...services(data), ...exposed(data), secrets(data), files(data),
  ];
  const links = sections.map((part) => element('li', { children: [
    element('a', { text: part.querySelector('h2')?.textContent ?? '', attributes: { href: `#${part.id}` } }),
  ] }));
  document.title = `Decoy: ${data.conclusion}`;
  document.body.append(
    element('a', { class: 'skip', text: 'Skip to the report', attributes: { href: '#content' } }),
    overview(data, theme.button),
    element('nav', { attributes: { 'aria-label': 'Parts of the report' }, children: [element('ul', { children: links })] }),
    element('main', { attributes: { id: 'content', tabindex: '-1' }, children: sections }),
  );
  document.documentElement.dataset['ready'] = '';
}
