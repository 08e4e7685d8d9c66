/** uPlot in the colours of the page. No framework in there: plain data in, a chart out. */

import uPlot from 'uplot';
import { onPlantClock } from './clock';

export interface ChartSeries {
  label: string;
  values: readonly (number | null)[];
  /** A colour, or the name of a CSS variable. */
  colour: string;
  dash?: number[];
}

export interface ChartOptions {
  /** Seconds since 1970 where time is set, else any number. */
  x: readonly number[];
  series: readonly ChartSeries[];
  kind: 'line' | 'bars';
  time: boolean;
  /** Top of the scale at least; charts beside each other share it. */
  least?: number;
  ticks?: (x: number) => string;
  height: number;
  onhover: (index: number | null) => void;
  onpick: (index: number) => void;
}

const FONT = '14px Pretendard, "Noto Sans KR", sans-serif';
const BAR_WIDTH = 0.8; // of the room between two bars

const colourOf = (name: string) =>
  name.startsWith('--') ? getComputedStyle(document.documentElement).getPropertyValue(name).trim() : name;

/** Dates by numbers: what is drawn into a canvas follows no language and no smallest size of Hangul. */
function timeTicks(_: uPlot, splits: number[]): string[] {
  const two = (n: number) => String(n).padStart(2, '0');
  let day = '';
  return splits.map((s) => {
    const d = onPlantClock(new Date(s * 1000));
    const date = `${two(d.getUTCMonth() + 1)}-${two(d.getUTCDate())}`;
    const clock = `${two(d.getUTCHours())}:${two(d.getUTCMinutes())}`;
    const text = date === day ? clock : clock === '00:00' ? date : `${clock}\n${date}`;
    day = date;
    return text;
  });
}

/** uPlot places ticks by the fields of the browser's zone: here they read the plant's clock. */
function tickDate(seconds: number): Date {
  const shown = onPlantClock(new Date(seconds * 1000));
  return new Date(shown.getTime() + shown.getTimezoneOffset() * 60_000);
}

/** Draws into the element given; destroy() takes it away. The width follows setSize. */
export function drawChart(into: HTMLElement, o: ChartOptions): uPlot {
  const grid = { stroke: colourOf('--line'), width: 1 };
  const axis = { stroke: colourOf('--text'), font: FONT, grid, ticks: { ...grid, size: 5 } };
  const series = o.series.map((s): uPlot.Series => {
    const stroke = colourOf(s.colour);
    return {
      label: s.label,
      stroke,
      dash: s.dash,
      width: o.kind === 'bars' ? 0 : 2,
      fill: o.kind === 'bars' ? stroke : undefined,
      paths: o.kind === 'bars' ? uPlot.paths.bars!({ size: [BAR_WIDTH, 100] }) : undefined,
      points: { show: o.kind === 'line', size: 7, fill: stroke, stroke },
    };
  });
  const half = o.x.length > 1 ? (o.x[1]! - o.x[0]!) / 2 : 1;
  const chart = new uPlot(
    {
      width: Math.max(1, into.clientWidth),
      height: o.height,
      tzDate: tickDate,
      legend: { show: false },
      scales: {
        x: {
          time: o.time,
          range: (_u, lo, hi) => (o.kind === 'bars' || lo === hi ? [lo - half, hi + half] : [lo, hi]),
        },
        y: { range: (_u, _lo, hi) => [0, Math.max(hi ?? 0, o.least ?? 0, 0.1) * 1.08] },
      },
      series: [{}, ...series],
      axes: [
        {
          ...axis,
          size: o.time ? 46 : 30,
          space: 70,
          values: o.time ? timeTicks : (_u, s) => s.map((v) => o.ticks?.(v) ?? String(v)),
        },
        { ...axis, size: 58 },
      ],
      cursor: {
        drag: { x: false, y: false },
        y: false,
        points: o.kind === 'bars' ? { show: false } : { size: 11 },
        lock: false,
      },
      hooks: { setCursor: [(u) => o.onhover(u.cursor.idx ?? null)] },
    },
    [[...o.x], ...o.series.map((s) => [...s.values])],
    into,
  );
  chart.over.style.cursor = 'pointer';
  chart.over.addEventListener('click', () => {
    const { idx } = chart.cursor;
    if (typeof idx === 'number') o.onpick(idx);
  });
  chart.over.addEventListener('mouseleave', () => o.onhover(null));
  return chart;
}
