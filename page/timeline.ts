import type uPlot from 'uplot';
import { renderCount } from '../src/report/quantities.ts';
import type { PageData } from '../src/report-page/page-data.ts';
import { drawChart } from './draw-chart.ts';
import { element } from './element.ts';
import { formatMoment } from './format.ts';
import type { SharedRange } from './range.ts';
import { section } from './section.ts';
import { blockedMoments, chartsOf, spanOf, type Chart } from './series.ts';
import type { Theme } from './theme.ts';

const MAX_TABLE_ROWS = 60;

/** CPU, memory, disk and requests over the time of the run. Each chart is an image with a sentence, and a table for who cannot see it. */
export function timeline(data: PageData, { range, theme }: { range: SharedRange; theme: Theme }): HTMLElement[] {
  if (data.samples.length === 0) return [];
  const span = spanOf(data);
  const marks = blockedMoments(data);
  const figures = chartsOf(data).map((chart) => figure(chart, { span, marks, range }));
  const made = section('timeline', {
    title: 'Timeline', note: `Drag over a chart, or set the times below, to look at a part of the run.${marks.length > 0 ? ' Red marks: something was blocked.' : ''}`,
  }, [element('div', { class: 'charts', children: figures.map(({ node }) => node) })]);
  const drawAll = () => figures.forEach(({ draw }) => draw());
  // Only once it is in the page has a chart a width.
  const sizes = new ResizeObserver(drawAll);
  sizes.observe(made);
  theme.onChange(drawAll);
  range.onChange(drawAll);
  return [made];
}

function figure(chart: Chart, { span, marks, range }: { span: number; marks: readonly number[]; range: SharedRange }): { node: HTMLElement; draw(): void } {
  const peak = chart.columns[1]!.reduce<number>((most, value) => Math.max(most, value ?? 0), 0);
  const peakText = `peak ${chart.format(peak)}${chart.cap === null ? '' : ` of ${chart.cap.text}`}`;
  const value = element('span', { class: 'value', text: peakText, attributes: { 'aria-hidden': 'true' } });
  const place = element('div', {
    class: 'plot', attributes: { role: 'img', 'aria-label': `${chart.title} over time: ${peakText}. ${renderCount(marks.length, 'moment')} at which something was blocked. The values are in the table below.` },
  });
  const key = chart.lines.length < 2 ? [] : [element('span', { class: 'key', children: chart.lines.map(({ name, colour }) => keyEntry(name, colour)) })];
  const node = element('figure', { children: [
    element('figcaption', { children: [element('span', { children: [element('b', { text: chart.title }), ` ${chart.unit}`] }), ...key, value] }),
    place, valueTable(chart),
  ] });
  let plot: uPlot | null = null;
  return {
    node,
    draw() {
      plot?.destroy();
      plot = drawChart(place, { chart, span, marks, range, onPoint: (index) => { value.textContent = index === null ? peakText : pointText(chart, index); } });
    },
  };
}

function keyEntry(name: string, colour: string): HTMLElement {
  const dot = element('i', { attributes: { 'aria-hidden': 'true' } });
  dot.style.background = `var(${colour})`;
  return element('span', { children: [dot, name] });
}

function pointText(chart: Chart, index: number): string {
  const values = ownValues(chart, index).map((value) => (value === null ? 'unknown' : chart.format(value)));
  return `${values.join(' / ')} at ${formatMoment(chart.columns[0][index]!)}`;
}

/** Of bars that stand on each other, each one's own height. */
function ownValues({ columns, isBars }: Chart, index: number): (number | null)[] {
  const values = columns.slice(1).map((column) => column[index]!);
  return isBars ? values.map((value, line) => value! - (values[line + 1] ?? 0)) : values;
}

function valueTable(chart: Chart): HTMLElement {
  const times = chart.columns[0];
  const step = Math.max(1, Math.ceil(times.length / MAX_TABLE_ROWS));
  const rows = times.flatMap((_, index) => (index % step === 0 || index === times.length - 1 ? [index] : []));
  const details = element('details', { children: [element('summary', { text: `${chart.title} as a table` })] });
  details.addEventListener('toggle', () => {
    if (details.childElementCount > 1) return;
    const head = ['Time', ...chart.lines.map(({ name }) => name)].map((text) => element('th', { text, class: 'number', attributes: { scope: 'col' } }));
    const body = rows.map((index) => element('tr', { children: [
      element('th', { class: 'number', text: formatMoment(times[index]!), attributes: { scope: 'row' } }),
      ...ownValues(chart, index).map((value) => element('td', { class: 'number', text: value === null ? 'unknown' : chart.format(value) })),
    ] }));
    const note = step === 1 ? [] : [element('p', { class: 'note', text: `Every ${step}th of ${renderCount(times.length, 'value')}.` })];
    details.append(element('div', { class: 'scroller low', attributes: { tabindex: '0', role: 'group', 'aria-label': `${chart.title} as a table` }, children: [
      element('table', { children: [element('thead', { children: [element('tr', { children: head })] }), element('tbody', { children: body })] }),
    ] }), ...note);
  });
  return details;
}
