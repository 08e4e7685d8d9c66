import { expect, test } from 'vitest';
import { decodeMap, extend, indexOf, orderOf } from '../../src/lib/api/mapbin';

interface Row {
  id: number;
  numbers: [along: number, across: number, length: number, width: number];
  bytes: [classIndex: number, severity: number, side: number, flags: number, confidence: number];
}

/** Writes a map as the API document lays it out. */
function encode(rows: Row[], classes: string[]): ArrayBuffer {
  const table = new TextEncoder().encode(JSON.stringify(classes));
  const n = rows.length;
  const view = new DataView(new ArrayBuffer(40 + 29 * n + table.length));
  for (const [i, c] of [...'CSM1'].entries()) view.setUint8(i, c.charCodeAt(0));
  for (const [at, value] of [
    [4, 40],
    [8, n],
    [12, table.length],
    [32, 7],
  ] as const)
    view.setUint32(at, value, true);
  view.setFloat64(16, 240_000, true);
  view.setFloat64(24, 1200, true);
  for (const [i, row] of rows.entries()) {
    view.setBigInt64(40 + 8 * i, BigInt(row.id), true);
    for (const [c, v] of row.numbers.entries()) view.setFloat32(40 + n * (8 + 4 * c) + 4 * i, v, true);
    for (const [c, v] of row.bytes.entries()) view.setUint8(40 + n * (24 + c) + i, v);
  }
  new Uint8Array(view.buffer).set(table, 40 + 29 * n);
  return view.buffer;
}

const rows: Row[] = [
  { id: 2, numbers: [1234.5, 600, 12, 8], bytes: [1, 3, 0, 1, 255] },
  { id: 5, numbers: [99, 20.25, 300, 4], bytes: [0, 2, 1, 0, 128] },
  { id: 2 ** 40 + 1, numbers: [100, 0, 1, 1], bytes: [0, 0, 1, 0, 0] },
];

test('columns come back as they were written', () => {
  const m = decodeMap(encode(rows, ['surface_scratch', 'hole']));
  expect([m.count, m.revision, m.stripLength, m.stripWidth]).toEqual([3, 7, 240_000, 1200]);
  expect([...m.id]).toEqual([2, 5, 2 ** 40 + 1]);
  expect([...m.along]).toEqual([1234.5, 99, 100]);
  expect([...m.width]).toEqual([8, 4, 1]);
  expect([...m.side]).toEqual([0, 1, 1]);
  expect([...m.confidence]).toEqual([255, 128, 0]);
  expect(m.classes).toEqual(['surface_scratch', 'hole']);
});

test('a defect is found by its id', () => {
  const m = decodeMap(encode(rows, ['surface_scratch', 'hole']));
  expect([2, 5, 2 ** 40 + 1, 0, 3, 2 ** 41].map((id) => indexOf(m, id))).toEqual([0, 1, 2, -1, -1, -1]);
});

test('defects are put in order along the strip, those of one place as they came', () => {
  expect([...decodeMap(encode(rows, ['surface_scratch', 'hole'])).order]).toEqual([1, 2, 0]);
  const along = Float32Array.from({ length: 5000 }, (_, i) => ((i * 7919) % 1000) * 0.3);
  const wanted = Array.from(along, (_, i) => i).sort((a, b) => along[a]! - along[b]! || a - b);
  expect([...orderOf(along)]).toEqual(wanted);
});

test('a map without defects is a map', () => {
  expect(decodeMap(encode([], [])).count).toBe(0);
});

test.each([
  ['empty', new ArrayBuffer(0)],
  ['of another kind', new ArrayBuffer(64)],
  ['cut short', encode(rows, ['a']).slice(0, 100)],
])('an answer that is %s is refused', (_, buffer) => {
  expect(() => decodeMap(buffer)).toThrow(RangeError);
});

test('a map that grew is what it would be if it were read anew', () => {
  const late: Row = { id: 2 ** 40 + 9, numbers: [50, 1, 2, 3], bytes: [1, 4, 0, 1, 9] };
  const old = decodeMap(encode(rows, ['surface_scratch', 'hole']));
  const grown = extend(old, decodeMap(encode([late], ['hole', 'red_iron'])));
  const anew = decodeMap(
    encode([...rows, { ...late, bytes: [2, 4, 0, 1, 9] }], ['surface_scratch', 'hole', 'red_iron']),
  );
  expect(grown).toEqual(anew);
  expect(extend(old, decodeMap(encode([], [])))).toEqual(old);
});
