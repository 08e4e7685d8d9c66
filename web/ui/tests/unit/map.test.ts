import { describe, expect, test } from 'vitest';
import { orderOf, type DefectColumns } from '../../src/lib/api/mapbin';
import { between, countByClass, queryOf, readFilter, select } from '../../src/lib/map/filter';
import { HitTest } from '../../src/lib/map/hit';
import { MARGIN, Plot, readView, tickStep, writeView } from '../../src/lib/map/plot';

const size = { width: 1148, height: 600 };
const coil = { length: 240_000, width: 1200 };
const plotOf = (view: ConstructorParameters<typeof Plot>[3]) => new Plot(size, coil.length, coil.width, view);

type Row = [along: number, across: number, classIndex: number, severity: number, side: number];

function columns(rows: Row[]): DefectColumns {
  const column = (k: number) => rows.map((r) => r[k]!);
  const n = rows.length;
  return {
    count: n,
    revision: 1,
    stripLength: coil.length,
    stripWidth: coil.width,
    classes: ['surface_scratch', 'hole'],
    id: Float64Array.from(rows, (_, i) => i + 100),
    along: Float32Array.from(column(0)),
    across: Float32Array.from(column(1)),
    length: new Float32Array(n).fill(10),
    width: new Float32Array(n).fill(10),
    classIndex: Uint8Array.from(column(2)),
    severity: Uint8Array.from(column(3)),
    side: Uint8Array.from(column(4)),
    flags: new Uint8Array(n),
    confidence: new Uint8Array(n),
    order: orderOf(Float32Array.from(column(0))),
  };
}

describe('plot', () => {
  test('the whole coil fits', () => {
    const p = plotOf(null);
    expect(p.isWhole).toBe(true);
    expect(p.x(0)).toBeCloseTo(MARGIN.left);
    expect(p.x(coil.length)).toBeCloseTo(size.width - MARGIN.right);
    expect(p.across1 - p.across0).toBeCloseTo(coil.width);
  });

  test('both sides share the drive side in the middle', () => {
    const p = plotOf(null);
    const operator = [p.y(0, 0), p.y(1, 0)];
    const drive = [p.y(0, coil.width), p.y(1, coil.width)];
    expect(operator[0]).toBeLessThan(drive[0]!);
    expect(drive[0]).toBeLessThan(drive[1]!);
    expect(drive[1]).toBeLessThan(operator[1]!);
  });

  test('a point becomes a place on the strip and back', () => {
    const p = plotOf({ along: 50_000, across: 700, scale: 1 });
    for (const side of [0, 1]) {
      expect(p.across(side, p.y(side, 640))).toBeCloseTo(640);
      expect(p.along(p.x(50_123))).toBeCloseTo(50_123);
    }
  });

  test('zooming keeps what lies under the pointer', () => {
    let p = plotOf(null);
    const [x, y] = [400, 100];
    const along = p.along(x);
    for (let i = 0; i < 8; i++) p = plotOf(p.zoomed(0.5, x, y));
    expect(p.along(x)).toBeCloseTo(along, 0);
  });

  test('zoomed in beyond true proportions, a mm is as wide as it is long', () => {
    const p = plotOf({ along: 50_000, across: 600, scale: 0.5 });
    expect(p.acrossScale).toBe(p.alongScale);
  });

  test.each([
    ['before the head end', { along: -5000, across: 600, scale: 2 }],
    ['behind the tail end', { along: 9e9, across: 600, scale: 2 }],
    ['beside the strip', { along: 100, across: -900, scale: 0.5 }],
    ['closer than a pixel', { along: 100, across: 600, scale: 1e-9 }],
    ['wider than the coil', { along: 100, across: 600, scale: 1e9 }],
  ])('a view %s is brought back onto the coil', (_, view) => {
    const p = plotOf(view);
    expect(p.along0).toBeGreaterThanOrEqual(-1e-6);
    expect(p.along1).toBeLessThanOrEqual(coil.length + 1e-6);
    expect(p.across0).toBeGreaterThanOrEqual(-1e-6);
    expect(p.across1).toBeLessThanOrEqual(coil.width + 1e-6);
  });

  test('dragging the lower side down shows more of the drive side', () => {
    const p = plotOf({ along: 50_000, across: 600, scale: 0.5 });
    expect(p.moved(0, 40, 1).across).toBeGreaterThan(600);
    expect(p.moved(0, 40, 0).across).toBeLessThan(600);
  });
});

test.each([
  ['x=1200&y=300&z=1.5', { along: 1200, across: 300, scale: 1.5 }],
  ['x=1200&z=1.5', { along: 1200, across: 0, scale: 1.5 }],
  ['x=abc&z=1', null],
  ['x=1&z=-3', null],
  ['', null],
])('the address "%s" gives its view', (query, view) => {
  expect(readView(new URLSearchParams(query))).toEqual(view);
});

test('a view survives its way through the address', () => {
  const query = new URLSearchParams(
    writeView({ along: 12_345, across: 678, scale: 0.75 }) as Record<string, string>,
  );
  expect(readView(query)).toEqual({ along: 12_345, across: 678, scale: 0.75 });
});

test.each([
  [1000, 10, 100],
  [1200, 10, 200],
  [5_000_000, 10, 500_000],
  [7, 10, 1],
])('a span of %d in %d parts has ticks each %d', (span, n, step) => {
  expect(tickStep(span, n)).toBeCloseTo(step);
});

describe('selection', () => {
  const c = columns([
    [5000, 100, 0, 2, 0],
    [1000, 100, 1, 4, 1],
    [3000, 900, 0, 1, 0],
  ]);

  test('everything, in order along the strip', () => {
    expect([...select(c, readFilter(new URLSearchParams()))]).toEqual([1, 2, 0]);
  });

  test.each([
    ['class=hole', [1]],
    ['side=top', [2, 0]],
    ['severity=2', [1, 0]],
    ['side=top&severity=2', [0]],
    ['class=nothing', []],
    ['side=left&severity=9', [1, 2, 0]],
    ['box=both,900,3500,0,1000', [1, 2]],
    ['box=top,900,3500,0,1000', [2]],
    ['box=bottom,900,3500,200,1000', []],
    ['box=top,3500,900,0,1000', [1, 2, 0]],
  ])('the filter %s', (query, wanted) => {
    expect([...select(c, readFilter(new URLSearchParams(query)))]).toEqual(wanted);
  });

  test('the legend counts a class whether it is chosen or not', () => {
    expect(countByClass(c, readFilter(new URLSearchParams('class=hole')))).toEqual([2, 1]);
  });

  test.each([
    '',
    'class=hole%2Cdent&side=bottom&severity=3&review=unreviewed',
    'severity=1',
    'box=top%2C10%2C20%2C0%2C500',
  ])('a filter goes into the address as it came: %s', (query) =>
    expect(queryOf(readFilter(new URLSearchParams(query))).toString()).toBe(query),
  );

  test('a stretch is found by its ends', () => {
    const all = select(c, readFilter(new URLSearchParams()));
    expect(between(c, all, 1000, 5000)).toEqual([0, 2]);
    expect(between(c, all, 6000, 9000)).toEqual([3, 3]);
  });
});

describe('hit test', () => {
  const c = columns([
    [50_000, 400, 0, 1, 0],
    [50_000, 400, 1, 4, 1],
    [50_020, 400, 1, 4, 0],
  ]);
  const hits = new HitTest(c, Uint32Array.of(0, 1, 2));
  const p = plotOf({ along: 50_000, across: 400, scale: 1 });

  test('the side that was pointed at counts', () => {
    expect(hits.at(p, p.x(50_005), p.y(1, 405), 14)).toBe(1);
  });
  test('the nearest is taken, the worse of two that are as near', () => {
    expect(hits.at(p, p.x(50_003), p.y(0, 405), 14)).toBe(0);
    expect(hits.at(p, p.x(50_015), p.y(0, 405), 14)).toBe(2);
  });
  test('nothing within reach is no hit', () => {
    expect(hits.at(p, p.x(50_200), p.y(0, 405), 14)).toBe(-1);
    expect(hits.at(p, 5, 5, 14)).toBe(-1);
  });
  test('a coil without defects can be pointed at', () => {
    expect(new HitTest(columns([]), new Uint32Array()).at(p, 400, 100, 14)).toBe(-1);
  });
});

test('a coil that is short beside its width is shown whole too, and zooms evenly', () => {
  const [length, width] = [3456, 766];
  const short = new Plot({ width: 760, height: 300 }, length, width, null);
  expect([short.across0, short.across1]).toEqual([0, width]);
  expect(short.isWhole).toBe(true);
  const closer = new Plot({ width: 760, height: 300 }, length, width, {
    along: 1000,
    across: 300,
    scale: short.alongScale / 2,
  });
  expect(closer.acrossScale).toBeCloseTo(short.acrossScale / 2, 9);
});
