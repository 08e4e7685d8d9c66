import { expect, test } from 'vitest';
import { orderOf, type DefectColumns } from '../../src/lib/api/mapbin';
import type { Gap } from '../../src/lib/api/types';
import { within } from '../../src/lib/map/filter';
import { pixel, type Glyph } from '../../src/lib/map/glyphs';
import { MARGIN, Plot } from '../../src/lib/map/plot';
import { paint, type Scene } from '../../src/lib/map/render';
import { HUES, STRIP_GREY } from '../../src/lib/palette';

const size = { width: 1600, height: 800 };
const length = 240_000;

/** A square of one colour: the shape of a symbol does not matter here, only its pixels. */
function square(colour: number, radius = 5): Glyph {
  const at = Array.from({ length: (2 * radius + 1) ** 2 }, (_, i) => i);
  const wide = 2 * radius + 1;
  return {
    dx: Int8Array.from(at, (i) => (i % wide) - radius),
    dy: Int8Array.from(at, (i) => Math.floor(i / wide) - radius),
    colour: new Uint32Array(at.length).fill(colour),
    radius,
  };
}

const severities = [11, 12, 13, 14, 15].map((colour) => square(colour));
const glyphs = [severities, severities];

/** Defects at given places; without any, n spread evenly by two steps that have no common measure. */
function scene(places: { along: number; across: number; severity: number }[], gaps: Gap[] = []): Scene {
  const n = places.length;
  const columns: DefectColumns = {
    count: n,
    revision: 1,
    stripLength: length,
    stripWidth: 1200,
    classes: ['surface_scratch', 'hole'],
    id: Float64Array.from(places, (_, i) => i + 1),
    along: Float32Array.from(places, (p) => p.along),
    across: Float32Array.from(places, (p) => p.across),
    length: new Float32Array(n),
    width: new Float32Array(n),
    classIndex: Uint8Array.from(places, (p) => (p.severity === 4 ? 1 : 0)),
    severity: Uint8Array.from(places, (p) => p.severity),
    side: Uint8Array.from(places, (_, i) => (n > 10 ? i % 2 : 0)),
    flags: new Uint8Array(n),
    confidence: new Uint8Array(n),
    order: orderOf(Float32Array.from(places, (p) => p.along)),
  };
  return { columns, selection: columns.order, gaps, end: length };
}

const spread = (n: number) =>
  Array.from({ length: n }, (_, i) => ({
    along: ((i * 0.618034) % 1) * length,
    across: ((i * 0.414214) % 1) * 1200,
    severity: i % 5,
  }));

function draw(s: Scene, plot = new Plot(size, length, 1200, null)) {
  const data = new Uint8ClampedArray(4 * size.width * size.height);
  const image = { data, ...size, colorSpace: 'srgb' } as ImageData;
  const begun = performance.now();
  const painted = paint(image, plot, s, glyphs, 'light', 1);
  const words = new Uint32Array(data.buffer);
  const at = (x: number, y: number) => words[Math.round(y) * size.width + Math.round(x)]!;
  return { painted, at, plot, milliseconds: performance.now() - begun };
}

test('the worst of two defects at one place is on top, whatever their order', () => {
  const place = { along: 100_000, across: 600 };
  for (const order of [
    [4, 1],
    [1, 4],
  ]) {
    const { at, plot, painted } = draw(scene(order.map((severity) => ({ ...place, severity }))));
    expect(at(plot.x(100_000), plot.y(0, 600))).toBe(15);
    expect(painted).toEqual({ shown: 2, dense: false });
  }
});

test('a long defect is drawn and counted wherever the map is within it', () => {
  const s = scene([{ along: 100_000, across: 600, severity: 2 }, ...spread(10)]);
  s.columns.length[0] = 20_000;
  const middle = new Plot(size, length, 1200, { along: 110_000, across: 600, scale: 1 });
  const { at, painted } = draw(s, middle);
  expect(painted.shown).toBe(1);
  expect(at(middle.x(110_000), middle.y(0, 600))).toBe(13);
  expect([...within(s.columns, s.selection, 104_000, 105_000)]).toEqual([0]);
  expect([...within(s.columns, s.selection, 120_001, 120_002)]).toEqual([]);
  expect([...within(s.columns, s.selection, 0, length)].length).toBe(11);
});

test('a symbol at the strip edge does not spill out of its panel', () => {
  const { at, plot } = draw(scene([{ along: 100_000, across: 1200, severity: 2 }]));
  const bottom = plot.panelY(0) + plot.panelHeight;
  expect(at(plot.x(100_000), bottom - 2)).toBe(13);
  expect(at(plot.x(100_000), bottom + 1)).toBe(0);
});

test('a gap is hatched on its side only, and seen however short it is', () => {
  const gap: Gap = { side: 'top', camera: 'c', from_mm: 50_000, to_mm: 50_001, state: 'underrun', cause: '' };
  const { at, plot } = draw(scene([], [gap]));
  const strip = pixel(STRIP_GREY.light);
  const x = Math.round(plot.x(50_000));
  const column = (side: number) =>
    Array.from({ length: plot.panelHeight - 2 }, (_, i) => at(x, plot.panelY(side) + 1 + i));
  expect(column(0).filter((p) => p !== strip).length).toBeGreaterThan(plot.panelHeight / 2);
  expect(column(1).every((p) => p === strip)).toBe(true);
});

test('a gap outside of the shown stretch leaves no mark', () => {
  const gap: Gap = { side: 'top', camera: 'c', from_mm: 1000, to_mm: 2000, state: 'unseen', cause: '' };
  const plot = new Plot(size, length, 1200, { along: 120_000, across: 600, scale: 2 });
  expect(draw(scene([], [gap]), plot).at(MARGIN.left, plot.panelY(0) + 20)).toBe(pixel(STRIP_GREY.light));
});

test('strip that has not run yet is not drawn as strip', () => {
  const running = { ...scene([]), end: length / 2 };
  const { at, plot } = draw(running);
  expect(at(plot.x(length * 0.4), plot.panelY(0) + 20)).toBe(pixel(STRIP_GREY.light));
  expect(at(plot.x(length * 0.6), plot.panelY(0) + 20)).not.toBe(pixel(STRIP_GREY.light));
});

test('a crowded map turns to cells, in which the worst defect wins', () => {
  const crowd = [
    ...spread(20_000).map((p) => ({ ...p, severity: 0 })),
    { along: 120_000, across: 600, severity: 4 },
  ];
  const s = scene(crowd);
  s.columns.side.fill(0);
  const { painted, at, plot } = draw(s);
  expect(painted.dense).toBe(true);
  const [x, y] = [plot.x(120_000), plot.y(0, 600)];
  const near = [-2, -1, 0, 1, 2].flatMap((dx) => [-2, -1, 0, 1, 2].map((dy) => at(x + dx, y + dy)));
  expect(near).toContain(pixel(HUES.light.pit));
});

test('100,000 defects are drawn within a frame or few', () => {
  const s = scene(spread(100_000));
  draw(s);
  const { painted, milliseconds } = draw(s);
  console.log(`1600 x 800, 100,000 defects: ${milliseconds.toFixed(1)} ms`);
  expect(painted.shown).toBe(100_000);
  // Far above what it takes: it catches a slow way of drawing, not a busy machine.
  expect(milliseconds).toBeLessThan(500);
});
