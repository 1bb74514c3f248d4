import type { Report } from './report.ts';
import { renderBytes, renderNumber, renderSeconds } from './quantities.ts';
import { renderSparkline } from './sparkline.ts';
import { sliceTimeline, type Timeline } from './timeline.ts';

const SPARKS = 40;
const POINTS = 60;

/**
 * CPU, memory and requests over time. GitHub takes inline SVG, styles and `data:` images out of a summary, but draws Mermaid from a fenced
 * block, with an allowance of its own for what the text may do. Only numbers and Decoy's own words go into it. The rows of block characters above
 * it say the same wherever Mermaid is not drawn.
 */
export function timelineSection(report: Report): string[] {
  const timeline = sliceTimeline(report.samples, SPARKS);
  const chart = sliceTimeline(report.samples, Math.min(POINTS, report.samples.length));
  if (timeline === null || chart === null) return [];
  const { limits } = report;
  const most = (values: readonly number[]) => Math.max(...values);
  const rows: [string, string, string][] = [
    ['cpu', renderSparkline(timeline.cpus, limits.cpus), `at most ${String(Number(most(timeline.cpus).toFixed(2)))} of ${limits.cpus}`],
    ['memory', renderSparkline(timeline.memoryBytes, limits.memoryBytes), `at most ${renderBytes(most(timeline.memoryBytes))} of ${renderBytes(limits.memoryBytes)}`],
    ['requests', renderSparkline(timeline.requests, most(timeline.requests)), `at most ${renderNumber(most(timeline.requests))} in ${renderSeconds(timeline.seconds / SPARKS)}`],
  ];
  return [
    '', '#### Over time', '', `| ${renderSeconds(timeline.seconds)} | | |`, '| --- | --- | --- |',
    ...rows.map((cells) => `| ${cells.join(' | ')} |`),
    '', '```mermaid', ...percentChart(chart, report), '```',
    ...(most(chart.requests) === 0 ? [] : ['', '```mermaid', ...requestsChart(chart), '```']),
  ];
}

function percentChart(timeline: Timeline, { limits }: Report): string[] {
  return [
    palette('#1f6feb, #d29922'),
    'xychart-beta',
    '  title "Percent of the cap: CPU in blue, memory in yellow"',
    xAxis(timeline),
    '  y-axis "percent" 0 --> 100',
    line(timeline.cpus.map((cpus) => percent(cpus / limits.cpus))),
    line(timeline.memoryBytes.map((bytes) => percent(bytes / limits.memoryBytes))),
  ];
}

function requestsChart(timeline: Timeline): string[] {
  return [
    palette('#1f6feb'),
    'xychart-beta',
    '  title "Requests, blocked ones included"',
    xAxis(timeline),
    `  y-axis "requests" 0 --> ${Math.max(...timeline.requests)}`,
    `  bar [${timeline.requests.join(', ')}]`,
  ];
}

function palette(colours: string): string {
  return `%%{init: {"themeVariables": {"xyChart": {"plotColorPalette": "${colours}"}}}}%%`;
}

function xAxis({ seconds }: Timeline): string {
  return `  x-axis "seconds" 0 --> ${seconds.toFixed(2)}`;
}

function line(values: readonly number[]): string {
  return `  line [${values.map((value) => value.toFixed(1)).join(', ')}]`;
}

function percent(share: number): number {
  return Math.min(Math.max(Number.isFinite(share) ? share * 100 : 0, 0), 100);
}
