/** What the page of the trends asks for, and where its figures lead. */

import type { Coil, Grade, Side, TrendPoint, Trends } from './api/types';
import { startOfDay } from './clock';
import { number } from './format';
import { queryOf, readFilter } from './map/filter';
import { GROUPS, lookOf, type Group } from './palette';

export const PERIODS = ['24h', '7d', '30d', 'own'] as const;
export type PeriodChoice = (typeof PERIODS)[number];

export const BUCKETS = ['hour', 'shift', 'day', 'week'] as const;
export const TREND_GRADES: readonly Grade[] = ['prime', 'second', 'hold', 'block'];

const HOURS: Record<Exclude<PeriodChoice, 'own'>, number> = { '24h': 24, '7d': 7 * 24, '30d': 30 * 24 };

/** The keys of the address that narrow the coils or their defects, as the API names them too. */
export const NARROWING = ['recipe', 'steel_grade', 'without', 'class', 'side'] as const;

/** What a coil may be recorded without. */
export type Named = 'recipe' | 'steel_grade';

/** The fields that the address asks coils to be without. */
export const withoutOf = (query: URLSearchParams) => (query.get('without') ?? '').split(',').filter(Boolean);

/** How many parts the profiles cut the strip into, along and across. */
export const PARTS = 20;

export function periodOf(query: URLSearchParams): PeriodChoice {
  return PERIODS.find((p) => p === query.get('period')) ?? '7d';
}

/** What of the page's address changes the figures, as an address again; how they are drawn does not. */
export function askedOf(query: URLSearchParams): string {
  const asked = new URLSearchParams();
  for (const key of ['period', 'from', 'to', 'bucket', ...NARROWING]) {
    const value = query.get(key);
    if (value) asked.set(key, value);
  }
  return asked.toString();
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
  without?: Named;
  /** A part of the length or of the width, from 1 to PARTS. */
  along?: number;
  across?: number;
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
  if (drill.without) to.set('without', [...new Set([...withoutOf(query), drill.without])].join(','));
  for (const axis of ['along', 'across'] as const) if (drill[axis]) to.set(axis, String(drill[axis]));
  if (drill.shift) to.set('shift', drill.shift);
  if (drill.grade) to.set('grade', drill.grade);
  if (drill.reviewed) to.set('reviewed', drill.reviewed);
  return `/coils?${to}`;
}

/** Where a part lies, in percent of the whole. */
export const partText = (part: number) =>
  `${number((100 * (part - 1)) / PARTS)}–${number((100 * part) / PARTS)} %`;

/** Defects beyond an end count with the part there; none lies farther out than this, in mm. */
const BEYOND = 1000;

/** The stretch of one part of a whole, in mm; part 0 is the whole. */
function spanOf(part: number, whole: number): [from: number, to: number] {
  return [
    part <= 1 ? -BEYOND : (whole * (part - 1)) / PARTS,
    part === 0 || part === PARTS ? whole + BEYOND : (whole * part) / PARTS,
  ];
}

/** The query of a coil's page that shows there the part of the strip that a list of coils was narrowed to. */
export function partQuery(coil: Coil, list: URLSearchParams): string {
  const [along, across] = ['along', 'across'].map((axis) => Number(list.get(axis)) || 0) as [number, number];
  if (!along && !across) return '';
  const { classes, side } = readFilter(list);
  const { length_mm: length, width_mm: width } = coil.strip;
  // Of a strip without a size all defects count with the first part.
  const box =
    length > 0 && width > 0 ? { side, along: spanOf(along, length), across: spanOf(across, width) } : null;
  return `?${queryOf({ classes, side, severity: 0, unreviewed: false, box })}`;
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
