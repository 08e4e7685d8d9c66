/** What the page of the trends asks for, and where its figures lead. */

import type { Grade, Side, TrendPoint, Trends } from './api/types';
import { GROUPS, lookOf, type Group } from './palette';

export const PERIODS = ['24h', '7d', '30d', 'own'] as const;
export type PeriodChoice = (typeof PERIODS)[number];

export const BUCKETS = ['hour', 'shift', 'day', 'week'] as const;
export const TREND_GRADES: readonly Grade[] = ['prime', 'second', 'hold', 'block'];

const HOURS: Record<Exclude<PeriodChoice, 'own'>, number> = { '24h': 24, '7d': 7 * 24, '30d': 30 * 24 };

/** The keys of the address that narrow the coils or their defects, as the API names them too. */
export const NARROWING = ['recipe', 'steel_grade', 'class', 'side'] as const;

export function periodOf(query: URLSearchParams): PeriodChoice {
  return PERIODS.find((p) => p === query.get('period')) ?? '7d';
}

/** The beginning of a day YYYY-MM-DD in the zone of the browser, some days on; null where it is none. */
export function startOfDay(day: string, later = 0): Date | null {
  const parts = /^(\d{4})-(\d\d)-(\d\d)$/.exec(day);
  if (!parts) return null;
  return new Date(Number(parts[1]), Number(parts[2]) - 1, Number(parts[3]) + later);
}

/** A time as the inputs for days write it. */
export function dayOf(time: Date): string {
  const two = (n: number) => String(n).padStart(2, '0');
  return `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())}`;
}

/** The API's query for what the address asks for. */
export function trendQuery(query: URLSearchParams, now: Date): URLSearchParams {
  const asked = new URLSearchParams();
  const period = periodOf(query);
  if (period === 'own') {
    const since = startOfDay(query.get('from') ?? '');
    const until = startOfDay(query.get('to') ?? '', 1);
    if (since) asked.set('since', since.toISOString());
    if (until) asked.set('until', until.toISOString());
  } else {
    asked.set('since', new Date(now.getTime() - HOURS[period] * 3_600_000).toISOString());
    asked.set('until', now.toISOString());
  }
  for (const key of [...NARROWING, 'bucket']) {
    const value = query.get(key);
    if (value) asked.set(key, value);
  }
  return asked;
}

/** What a figure is about beside what the whole page is. */
export interface Drill {
  from?: string;
  until?: string;
  shift?: string;
  recipe?: string;
  steel_grade?: string;
  class?: string;
  side?: Side;
  grade?: Grade;
  /** The model's class of reviewed defects; it stands for the class. */
  reviewed?: string;
}

/** The list of the coils that a figure rests on. Grades rest on all coils, whatever their defects. */
export function coilsHref(trends: Trends, query: URLSearchParams, drill: Drill, ofDefects = true): string {
  const to = new URLSearchParams({ state: 'closed,interrupted' });
  to.set('since', drill.from ?? trends.since);
  to.set('until', drill.until ?? trends.until);
  for (const key of NARROWING) {
    if (!ofDefects && (key === 'class' || key === 'side')) continue;
    if (drill.reviewed && key === 'class') continue;
    const value = drill[key] ?? query.get(key);
    if (value) to.set(key, value);
  }
  if (drill.shift) to.set('shift', drill.shift);
  if (drill.grade) to.set('grade', drill.grade);
  if (drill.reviewed) to.set('reviewed', drill.reviewed);
  return `/coils?${to}`;
}

export interface GroupRate {
  group: Group;
  /** Defects per 100 m at each point; null where nothing was screened. */
  rates: (number | null)[];
}

/** Rates over time of the groups that have any defect, in the order of the palette. */
export function groupRates(points: readonly TrendPoint[]): GroupRate[] {
  const sums = new Map<Group, number[]>();
  points.forEach((point, i) => {
    for (const [id, n] of Object.entries(point.by_class)) {
      const { group } = lookOf(id);
      if (!sums.has(group))
        sums.set(
          group,
          points.map(() => 0),
        );
      sums.get(group)![i]! += n;
    }
  });
  return GROUPS.filter((g) => sums.has(g)).map((group) => ({
    group,
    rates: points.map((p, i) => (p.screened_m > 0 ? (100 * sums.get(group)![i]!) / p.screened_m : null)),
  }));
}
