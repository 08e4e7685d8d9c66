import { describe, expect, test } from 'vitest';
import { orderOf, REVIEWED, type DefectColumns } from '../../src/lib/api/mapbin';
import { Ordering, ORDERS, readOrder } from '../../src/lib/map/order';

function columns(n: number, of: (i: number) => Partial<Record<keyof DefectColumns, number>>): DefectColumns {
  const column = (name: keyof DefectColumns) => Array.from({ length: n }, (_, i) => of(i)[name] ?? 0);
  const along = Float32Array.from(column('along'));
  return {
    count: n,
    revision: 1,
    stripLength: 1000,
    stripWidth: 1000,
    classes: ['hole'],
    id: Float64Array.from({ length: n }, (_, i) => i + 100),
    along,
    across: new Float32Array(n),
    length: Float32Array.from(column('length')),
    width: Float32Array.from(column('width')),
    classIndex: new Uint8Array(n),
    severity: Uint8Array.from(column('severity')),
    side: new Uint8Array(n),
    flags: Uint8Array.from(column('flags')),
    confidence: Uint8Array.from(column('confidence')),
    order: orderOf(along),
  };
}

const four = columns(4, (i) => ({
  along: [30, 10, 20, 40][i],
  severity: [1, 3, 1, 4][i],
  length: [5, 1, 0.2, 5][i],
  width: [2, 1, 0.2, 1][i],
  confidence: [200, 10, 90, 90][i],
  flags: [0, REVIEWED, 0, 0][i],
}));

test('the worst, the largest and the least sure come first, equal ones along the strip', () => {
  const of = Object.fromEntries(ORDERS.map((o) => [o, [...new Ordering(four, o).sequence]]));
  expect(of).toEqual({
    along: [1, 2, 0, 3],
    severity: [3, 1, 2, 0],
    size: [0, 3, 1, 2],
    confidence: [2, 3, 0, 1], // what a person judged is sure, whatever the model was
  });
});

describe('some of the defects', () => {
  const worst = new Ordering(four, 'severity');

  test('are listed in the order, again and again', () => {
    expect([...worst.of(Uint32Array.of(1, 2, 3))]).toEqual([3, 1, 2]);
    expect([...worst.of(Uint32Array.of(0))]).toEqual([0]);
  });

  test('have a place, and what was let go has the one it would have', () => {
    const some = worst.of(Uint32Array.of(0, 1, 3));
    expect(worst.placeOf(some, 1)).toEqual({ at: 1, found: true });
    expect(worst.placeOf(some, 2)).toEqual({ at: 2, found: false });
  });
});

test('an address that names no order lists along the strip', () => {
  expect(readOrder(new URLSearchParams('order=size'))).toBe('size');
  expect(readOrder(new URLSearchParams('order=colour'))).toBe('along');
});

test('what is shown of 200,000 follows a map that is dragged', () => {
  const many = columns(200_000, (i) => ({ along: i, severity: i % 5 }));
  const worst = new Ordering(many, 'severity');
  const shown = many.order.subarray(0, 100_000);
  const began = performance.now();
  for (let n = 0; n < 10; n++) worst.of(shown);
  const took = (performance.now() - began) / 10;
  const sorting = performance.now();
  const sorted = new Uint32Array(shown).sort((a, b) => many.severity[b]! - many.severity[a]! || a - b);
  expect(worst.of(shown)).toEqual(sorted);
  expect(took, 'ms').toBeLessThan((performance.now() - sorting) / 2);
});
