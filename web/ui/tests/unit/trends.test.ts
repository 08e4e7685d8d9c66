import { afterEach, expect, test } from 'vitest';
import type { Coil, Trends } from '../../src/lib/api/types';
import { dayOf, onPlantClock, startOfDay } from '../../src/lib/clock';
import { readFilter } from '../../src/lib/map/filter';
import { askedOf, coilsHref, partQuery, trendQuery } from '../../src/lib/trends';
import { zone } from '../../src/lib/zone.svelte';

const now = new Date('2026-03-08T12:00:00Z');
const trends = { since: '2026-03-01T00:00:00Z', until: '2026-03-08T00:00:00Z' } as Trends;
const linked = (...a: Parameters<typeof coilsHref>) =>
  new URL(coilsHref(...a), 'http://localhost').searchParams;

afterEach(() => zone.set(''));

test.each(['S355J2+N', 'A&B', 'DX51D+Z 100%', '강종=1'])(
  'a steel grade %s is asked for as it is named',
  (steel) => {
    const page = new URLSearchParams({ steel_grade: steel, lines: 'groups' });
    const asked = new URLSearchParams(askedOf(page));
    expect(asked.get('lines')).toBeNull();
    expect(trendQuery(asked, now).get('steel_grade')).toBe(steel);
    expect(linked(trends, page, {}).get('steel_grade')).toBe(steel);
  },
);

test('what was recorded without a name leads to coils without one', () => {
  const page = new URLSearchParams({ without: 'recipe' });
  expect(linked(trends, page, { without: 'steel_grade' }, false).get('without')).toBe('recipe,steel_grade');
  expect(linked(trends, page, { without: 'recipe' }, false).get('without')).toBe('recipe');
  expect(linked(trends, new URLSearchParams(), {}).get('without')).toBeNull();
});

const coil = { id: 'A1', strip: { length_mm: 123_456, width_mm: 1001 } } as Coil;

test('a coil from a bar opens with the area of the bar', () => {
  const list = linked(trends, new URLSearchParams({ class: 'hole' }), { side: 'bottom', along: 2 });
  expect(list.get('along')).toBe('2');
  const filter = readFilter(new URLSearchParams(partQuery(coil, list)));
  expect(filter.classes).toEqual(['hole']);
  expect(filter.box!.side).toBe('bottom');
  expect(filter.box!.along[0]).toBeCloseTo(6172.8, 2);
  expect(filter.box!.along[1]).toBeCloseTo(12345.6, 2);
  expect(filter.box!.across[0]).toBeLessThan(0);
  expect(filter.box!.across[1]).toBeGreaterThan(1001);
});

test('the outermost parts take in what lies beyond the ends, as the bars do', () => {
  const last = readFilter(
    new URLSearchParams(partQuery(coil, new URLSearchParams({ across: '20', side: 'top' }))),
  );
  expect(last.box!.across[0]).toBeCloseTo(950.95, 2);
  expect(last.box!.across[1]).toBeGreaterThan(1001);
  const first = readFilter(new URLSearchParams(partQuery(coil, new URLSearchParams({ along: '1' }))));
  expect(first.box!.along[0]).toBeLessThan(0);
});

test('a list without a part, and a strip without a width, show the whole coil', () => {
  expect(partQuery(coil, new URLSearchParams({ class: 'hole' }))).toBe('');
  const bare = { id: 'A2', strip: { length_mm: 100, width_mm: 0 } } as Coil;
  expect(
    readFilter(new URLSearchParams(partQuery(bare, new URLSearchParams({ along: '1' })))).box,
  ).toBeNull();
});

test.each([
  ['Asia/Seoul', '2026-03-01T15:00:00.000Z'],
  ['+09:00', '2026-03-01T15:00:00.000Z'],
  ['America/New_York', '2026-03-02T05:00:00.000Z'],
  ['-03:30', '2026-03-02T03:30:00.000Z'],
])('a day begins at midnight of the plant’s zone %s', (name, want) => {
  zone.set(name);
  const start = startOfDay('2026-03-02')!;
  expect(start.toISOString()).toBe(want);
  expect(dayOf(start)).toBe('2026-03-02');
  expect(dayOf(new Date(start.getTime() - 1))).toBe('2026-03-01');
  expect(onPlantClock(start).getUTCHours()).toBe(0);
  expect(startOfDay('2026-03-02', 1)!.getTime() - start.getTime()).toBe(24 * 3_600_000);
});

test('a day of a clock change begins when it begins', () => {
  zone.set('Europe/Berlin');
  expect(startOfDay('2026-03-29', 1)!.getTime() - startOfDay('2026-03-29')!.getTime()).toBe(23 * 3_600_000);
  zone.set('America/Santiago'); // skips midnight
  expect(startOfDay('2026-09-06')!.toISOString()).toBe('2026-09-06T04:00:00.000Z');
});

test('what is no day is none', () => {
  expect(startOfDay('yesterday')).toBeNull();
  expect(startOfDay('')).toBeNull();
});
