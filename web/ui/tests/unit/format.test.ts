import { expect, test } from 'vitest';
import { zone } from '../../src/lib/zone.svelte';
import { dateTime, metres, number, percent, time } from '../../src/lib/format';

test.each([
  [1, '100 %'],
  [0.9996, '99.9 %'],
  [0.99999999, '99.9 %'],
  [0.982, '98.2 %'],
  [0, '0.0 %'],
])('a share of %d reads %s: what is not whole never reads 100', (share, text) => {
  expect(percent(share)).toBe(text);
});

test('lengths and numbers', () => {
  expect(metres(123_456)).toBe('123.5 m');
  expect(number(60_000)).toBe('60,000');
});

test.each([
  ['Asia/Seoul', '08:30:00'],
  ['+09:00', '08:30:00'],
  ['', undefined],
  ['Nowhere/At-All', undefined],
])('times are shown in the zone of the plant: %s', (name, want) => {
  zone.set(name);
  const own = new Date('2026-03-01T23:30:00Z').toLocaleTimeString('en-GB');
  expect(time('2026-03-01T23:30:00Z')).toBe(want ?? own);
  expect(dateTime('2026-03-01T23:30:00Z', 'en')).toContain(want ?? own);
  zone.set('');
});
