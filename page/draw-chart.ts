import uPlot from 'uplot';
import { formatTick } from './format.ts';
import type { SharedRange } from './range.ts';
import type { Chart } from './series.ts';

const HEIGHT = 168;
/** Of the chart's height, that a cap must be used for its line to be drawn; else the chart would be a flat line. */
const CAP_SHARE = 0.35;

export type DrawOptions = { chart: Chart; span: number; marks: readonly number[]; range: SharedRange; onPoint(index: number | null): void };

/** Draws with the colours of the moment; drawn anew when they change. */
export function drawChart(place: HTMLElement, { chart, span, marks, range, onPoint }: DrawOptions): uPlot {
  const style = getComputedStyle(document.documentElement);
  const colour = (name: string) => style.getPropertyValue(name).trim();
  const font = '11px system-ui, sans-serif';
  const peak = chart.columns.slice(1).reduce((most, column) => Math.max(most, ...column.map((value) => value ?? 0)), 0);
  const cap = chart.cap !== null && peak >= chart.cap.value * CAP_SHARE ? chart.cap : null;
  const top = cap === null ? peak * 1.15 || 1 : Math.max(peak, cap.value) * 1.08;
  const axis = { stroke: colour('--muted'), font, grid: { stroke: colour('--grid'), width: 1 }, ticks: { show: false } };
  const bars = uPlot.paths.bars!({ size: [0.9, 24], align: 0 });
  return new uPlot({
    width: Math.max(200, place.clientWidth), height: HEIGHT, legend: { show: false }, padding: [10, 12, 0, 0],
    cursor: { sync: { key: 'decoy' }, drag: { x: true, y: false, setScale: false }, y: false, points: { size: 7 } },
    scales: { x: { time: false, range: () => [range.get()?.from ?? 0, range.get()?.to ?? span] }, y: { range: () => [0, top] } },
    axes: [
      { ...axis, space: 64, size: 28, values: (_, ticks) => ticks.map((tick) => formatTick(tick, (ticks[1] ?? span) - (ticks[0] ?? 0))) },
      { ...axis, space: 32, size: 72, splits: () => ySplits(top, chart), values: (_, ticks) => ticks.map((tick) => (tick === 0 ? '0' : chart.format(tick))) },
    ],
    series: [{}, ...chart.lines.map(({ name, colour: line, isFilled }) => ({
      label: name, stroke: colour(line), width: chart.isBars ? 0 : 1.75, points: { show: chart.columns[0].length < 3 && !chart.isBars },
      ...(chart.isBars ? { paths: bars, fill: colour(line) } : isFilled ? { fill: `${colour(line)}22` } : {}),
    }))],
    hooks: {
      draw: [(plot) => { drawMarks(plot, marks, colour('--bad')); if (cap !== null) drawCap(plot, cap, colour('--muted')); }],
      setCursor: [(plot) => onPoint(plot.cursor.idx ?? null)],
      setSelect: [(plot) => {
        if (plot.select.width < 4) return;
        range.set({ from: Math.max(0, plot.posToVal(plot.select.left, 'x')), to: plot.posToVal(plot.select.left + plot.select.width, 'x') });
        plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
      }],
    },
  }, chart.columns as unknown as uPlot.AlignedData, place);
}

/** Binary steps for bytes, so that an axis says `256 MiB` and not `238 MiB`. */
function ySplits(top: number, { isBytes, isBars }: Chart): number[] {
  const rough = Math.max(top / 4, isBars ? 1 : 0);
  const base = isBytes ? 2 ** Math.ceil(Math.log2(Math.max(rough, 1))) : niceStep(rough);
  return Array.from({ length: Math.floor(top / base) + 1 }, (_, index) => index * base);
}

function niceStep(rough: number): number {
  const power = 10 ** Math.floor(Math.log10(rough));
  return ([1, 2, 5, 10].find((factor) => factor * power >= rough) ?? 10) * power;
}

/** So many can be told apart; more are drawn as a strip along the top. */
const MAX_SINGLE_MARKS = 40;

/** A mark at the top, and a faint line through the chart, for each moment at which something was blocked. */
function drawMarks({ ctx, bbox, scales, valToPos }: uPlot, marks: readonly number[], colour: string): void {
  ctx.save();
  ctx.fillStyle = colour;
  for (const mark of marks) {
    if (mark < scales['x']!.min! || mark > scales['x']!.max!) continue;
    const x = Math.round(valToPos(mark, 'x', true));
    if (marks.length > MAX_SINGLE_MARKS) {
      ctx.fillRect(x - devicePixelRatio, bbox.top, 3 * devicePixelRatio, 4 * devicePixelRatio);
      continue;
    }
    ctx.globalAlpha = 0.22;
    ctx.fillRect(x, bbox.top, Math.max(1, devicePixelRatio), bbox.height);
    ctx.globalAlpha = 1;
    ctx.beginPath();
    ctx.moveTo(x - 4 * devicePixelRatio, bbox.top);
    ctx.lineTo(x + 4 * devicePixelRatio, bbox.top);
    ctx.lineTo(x, bbox.top + 6 * devicePixelRatio);
    ctx.fill();
  }
  ctx.restore();
}

function drawCap({ ctx, bbox, valToPos }: uPlot, { value, text }: { value: number; text: string }, colour: string): void {
  const y = Math.round(valToPos(value, 'y', true)) + 0.5;
  ctx.save();
  ctx.strokeStyle = ctx.fillStyle = colour;
  ctx.setLineDash([5 * devicePixelRatio, 4 * devicePixelRatio]);
  ctx.beginPath();
  ctx.moveTo(bbox.left, y);
  ctx.lineTo(bbox.left + bbox.width, y);
  ctx.stroke();
  ctx.font = `${11 * devicePixelRatio}px system-ui, sans-serif`;
  ctx.textAlign = 'right';
  ctx.textBaseline = 'top';
  ctx.fillText(`limit ${text}`, bbox.left + bbox.width - 4 * devicePixelRatio, y + 3 * devicePixelRatio);
  ctx.restore();
}
