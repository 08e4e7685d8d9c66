import { expect, test } from 'vitest';
import { metres, number, percent } from '../../src/lib/format';

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
