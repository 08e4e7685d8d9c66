import type { DefectColumns } from '../api/mapbin';
import type { Gap } from '../api/types';
import { HUES, lookOf, STRIP_GREY, type Theme } from '../palette';
import { between } from './filter';
import { pixel, type Glyph } from './glyphs';
import { MARGIN, type Plot } from './plot';

/** Everything the base layer of a map shows. */
export interface Scene {
  columns: DefectColumns;
  selection: Uint32Array; // sorted along the strip
  gaps: readonly Gap[];
  /** How far the strip has been inspected, in mm; beyond it nothing ran yet. */
  end: number;
}

export interface Painted {
  shown: number; // defects within the panels
  dense: boolean; // cells were drawn instead of symbols
}

/** Above this share of the panels under symbols, symbols hide each other and cells tell more. */
const CROWDED = 0.22;
const SYMBOL_AREA = 110; // CSS px² of a middling symbol with its rim
const CELL = 4; // CSS px

const PAGE: Record<Theme, string> = { light: '#c3c9cc', dark: '#14181a' };
const HATCH: Record<Theme, string> = { light: '#4a5359', dark: '#aab2b7' };

/**
 * Paints panels, gaps and defects into an image. Pixels are written as whole words, which draws 100,000
 * symbols in a few milliseconds; drawing them through the canvas takes half a second.
 */
export function paint(
  image: ImageData,
  plot: Plot,
  scene: Scene,
  glyphs: Glyph[][],
  theme: Theme,
  ratio: number,
): Painted {
  const words = new Uint32Array(image.data.buffer);
  words.fill(0);
  const target = { words, width: image.width, height: image.height, ratio };
  for (const side of [0, 1]) paintPanel(target, plot, scene, side, theme);

  const [first, end] = between(scene.columns, scene.selection, plot.along0, plot.along1);
  const shown = count(plot, scene, first, end);
  const crowded = (shown * SYMBOL_AREA) / (2 * plot.panelWidth * plot.panelHeight) > CROWDED;
  if (crowded) paintCells(target, plot, scene, first, end, theme);
  else paintSymbols(target, plot, scene, first, end, glyphs);
  return { shown, dense: crowded };
}

interface Target {
  words: Uint32Array;
  width: number;
  height: number;
  ratio: number;
}

function count(plot: Plot, { columns, selection }: Scene, first: number, end: number): number {
  let n = 0;
  for (let k = first; k < end; k++) {
    const i = selection[k]!;
    const inside =
      columns.along[i]! + columns.length[i]! >= plot.along0 &&
      columns.across[i]! <= plot.across1 &&
      columns.across[i]! + columns.width[i]! >= plot.across0;
    if (inside) n++;
  }
  return n;
}

function paintPanel(t: Target, plot: Plot, scene: Scene, side: number, theme: Theme): void {
  const top = plot.panelY(side);
  fill(t, MARGIN.left, top, plot.panelWidth, plot.panelHeight, pixel(PAGE[theme]));
  const end = Math.min(plot.x(scene.end), MARGIN.left + plot.panelWidth);
  fill(t, MARGIN.left, top, end - MARGIN.left, plot.panelHeight, pixel(STRIP_GREY[theme]));
  const name = side === 0 ? 'top' : 'bottom';
  for (const gap of scene.gaps) {
    if (gap.side !== name || gap.to_mm <= plot.along0 || gap.from_mm >= plot.along1) continue;
    const from = Math.max(plot.x(gap.from_mm), MARGIN.left);
    // However short, a gap must be seen.
    const to = Math.min(Math.max(plot.x(gap.to_mm), from + 3), MARGIN.left + plot.panelWidth);
    if (to > from) hatch(t, from, top, to - from, plot.panelHeight, gap.state === 'detected-only', theme);
  }
}

function fill(t: Target, x: number, y: number, width: number, height: number, colour: number): void {
  const [x0, x1] = [Math.round(x * t.ratio), Math.min(t.width, Math.round((x + width) * t.ratio))];
  const [y0, y1] = [Math.round(y * t.ratio), Math.min(t.height, Math.round((y + height) * t.ratio))];
  for (let row = y0; row < y1; row++) t.words.fill(colour, row * t.width + x0, row * t.width + x1);
}

/** Diagonals; a stretch that was screened but not classified has fewer of them, the other way round. */
function hatch(
  t: Target,
  x: number,
  y: number,
  width: number,
  height: number,
  faint: boolean,
  theme: Theme,
): void {
  const [x0, x1] = [Math.round(x * t.ratio), Math.min(t.width, Math.round((x + width) * t.ratio))];
  const [y0, y1] = [Math.round(y * t.ratio), Math.min(t.height, Math.round((y + height) * t.ratio))];
  const colour = pixel(HATCH[theme]);
  const period = Math.round((faint ? 12 : 7) * t.ratio);
  const thick = Math.max(1, Math.round(1.4 * t.ratio));
  for (let row = y0; row < y1; row++) {
    for (let column = x0; column < x1; column++) {
      const phase = (column + (faint ? -row : row) + 100_000 * period) % period;
      if (phase < thick || column === x0 || column === x1 - 1) t.words[row * t.width + column] = colour;
    }
  }
}

function paintSymbols(
  t: Target,
  plot: Plot,
  scene: Scene,
  first: number,
  end: number,
  glyphs: Glyph[][],
): void {
  const { columns, selection } = scene;
  const [left, right] = [
    Math.round(MARGIN.left * t.ratio),
    Math.round((MARGIN.left + plot.panelWidth) * t.ratio),
  ];
  const tops = [0, 1].map((side) => Math.round(plot.panelY(side) * t.ratio));
  const tall = Math.round(plot.panelHeight * t.ratio);
  // The worst last, so that nothing hides it.
  for (let severity = 0; severity <= 4; severity++) {
    for (let k = first; k < end; k++) {
      const i = selection[k]!;
      if (columns.severity[i] !== severity) continue;
      const side = columns.side[i]!;
      const glyph = glyphs[columns.classIndex[i]!]![severity]!;
      const cx = Math.round(plot.x(columns.along[i]! + columns.length[i]! / 2) * t.ratio);
      const cy = Math.round(plot.y(side, columns.across[i]! + columns.width[i]! / 2) * t.ratio);
      if (cx + glyph.radius < left || cx - glyph.radius >= right) continue;
      const top = tops[side]!;
      for (let p = 0; p < glyph.colour.length; p++) {
        const x = cx + glyph.dx[p]!;
        const y = cy + glyph.dy[p]!;
        if (x < left || x >= right || y < top || y >= top + tall) continue;
        t.words[y * t.width + x] = glyph.colour[p]!;
      }
    }
  }
}

function paintCells(t: Target, plot: Plot, scene: Scene, first: number, end: number, theme: Theme): void {
  const { columns, selection } = scene;
  const across = Math.ceil(plot.panelHeight / CELL);
  const along = Math.ceil(plot.panelWidth / CELL);
  const hues = columns.classes.map((c) => pixel(HUES[theme][lookOf(c).group]));
  const worst = new Uint8Array(2 * across * along); // severity + 1, 0 is empty; the bottom side after the top
  const classes = new Uint8Array(worst.length);
  for (let k = first; k < end; k++) {
    const i = selection[k]!;
    const side = columns.side[i]!;
    const x = plot.x(columns.along[i]! + columns.length[i]! / 2) - MARGIN.left;
    const y = plot.y(side, columns.across[i]! + columns.width[i]! / 2) - plot.panelY(side);
    if (x < 0 || x >= plot.panelWidth || y < 0 || y >= plot.panelHeight) continue;
    const cell = (side * across + Math.floor(y / CELL)) * along + Math.floor(x / CELL);
    if (columns.severity[i]! + 1 > worst[cell]!) {
      worst[cell] = columns.severity[i]! + 1;
      classes[cell] = columns.classIndex[i]!;
    }
  }
  for (let cell = 0; cell < worst.length; cell++) {
    if (worst[cell] === 0) continue;
    const row = Math.floor(cell / along);
    const x = MARGIN.left + (cell % along) * CELL;
    const y = row < across ? plot.panelY(0) + row * CELL : plot.panelY(1) + (row - across) * CELL;
    // Like the symbols, a cell is larger the worse it is.
    const wide = Math.min(CELL, 1.4 + 0.55 * worst[cell]!);
    const inset = (CELL - wide) / 2;
    fill(t, x + inset, y + inset, wide, wide, hues[classes[cell]!]!);
  }
}
