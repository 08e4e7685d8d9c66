import type { DefectColumns } from '../api/mapbin';
import { HAS_IMAGE } from '../api/mapbin';
import type { Grade } from '../api/types';
import { HUES, lookOf, RINGS, SYMBOL_SIZE, type Theme } from '../palette';
import { between, type MapBox } from './filter';
import { MARGIN, MIDDLE, tickStep, type Plot } from './plot';

/** Rings, outlines, pictures, names and axes: the layer above the pixels. */
export interface OverlayScene {
  columns: DefectColumns;
  selection: Uint32Array;
  /** Defects that decided the grade, with the grade they led to. */
  deciding: ReadonlyMap<number, Grade>;
  selected: number; // index, -1 for none
  stretch: { from: number; to: number } | null; // of the rule that is looked at
  box: MapBox | null; // the area that is chosen
  scrap: readonly { from: number; to: number }[]; // that a cut plan removes
  pictures: (id: number) => HTMLImageElement | null; // null until it is loaded
  words: { top: string; bottom: string; operator: string; drive: string };
  font: number;
  theme: Theme;
}

/** From this scale on, mm in a px, outlines tell more than a symbol alone. */
const OUTLINES_BELOW = 4;
const CHIPS_BELOW = 1.6;
const CHIP = 72;
const MOST_CHIPS = 24;
const MOST_OUTLINES = 2000;
/** Height of a bar of the profile across, px. */
const ACROSS_BIN = 5;

const INK: Record<Theme, { text: string; soft: string; line: string; plate: string }> = {
  light: { text: '#1d2327', soft: '#454e54', line: '#737c82', plate: '#f7f8f8' },
  dark: { text: '#e2e5e7', soft: '#b0b8bd', line: '#8c969c', plate: '#2c3236' },
};

export function drawOverlay(ctx: CanvasRenderingContext2D, plot: Plot, scene: OverlayScene): void {
  ctx.clearRect(0, 0, plot.size.width, plot.size.height);
  drawNames(ctx, plot, scene);
  drawAxes(ctx, plot, scene);
  ctx.strokeStyle = INK[scene.theme].line;
  ctx.lineWidth = 1;
  for (const side of [0, 1]) {
    ctx.strokeRect(MARGIN.left - 0.5, plot.panelY(side) - 0.5, plot.panelWidth + 1, plot.panelHeight + 1);
  }
  for (const side of [0, 1]) {
    ctx.save();
    ctx.beginPath();
    ctx.rect(MARGIN.left, plot.panelY(side), plot.panelWidth, plot.panelHeight);
    ctx.clip();
    if (scene.stretch) drawStretch(ctx, plot, scene, side);
    for (const cut of scene.scrap) drawScrap(ctx, plot, scene, side, cut);
    drawOutlines(ctx, plot, scene, side);
    drawRings(ctx, plot, scene, side);
    if (scene.box) drawBox(ctx, plot, scene, side, scene.box);
    ctx.restore();
    drawAcross(ctx, plot, scene, side);
  }
}

function drawNames(ctx: CanvasRenderingContext2D, plot: Plot, { words, font, theme }: OverlayScene): void {
  const ink = INK[theme];
  ctx.textAlign = 'left';
  ctx.textBaseline = 'middle';
  for (const [side, name] of [words.top, words.bottom].entries()) {
    ctx.fillStyle = ink.text;
    ctx.font = `700 ${font}px Pretendard, sans-serif`;
    ctx.fillText(name, 0, plot.panelY(side) + plot.panelHeight / 2);
  }
  ctx.fillStyle = ink.soft;
  ctx.font = `${font}px Pretendard, sans-serif`;
  ctx.fillText(words.operator, 0, MARGIN.top + font / 2);
  ctx.fillText(words.drive, 0, plot.panelY(1) - MIDDLE / 2);
  ctx.fillText(words.operator, 0, plot.panelY(1) + plot.panelHeight - font / 2);
}

function drawAxes(ctx: CanvasRenderingContext2D, plot: Plot, { theme }: OverlayScene): void {
  const ink = INK[theme];
  ctx.font = '14px Pretendard, sans-serif';
  ctx.fillStyle = ink.soft;
  ctx.strokeStyle = ink.line;
  ctx.lineWidth = 1;

  const step = tickStep(plot.along1 - plot.along0, plot.panelWidth / 110);
  const digits = step >= 1000 ? 0 : step >= 100 ? 1 : step >= 10 ? 2 : 3;
  const bottom = plot.panelY(1) + plot.panelHeight;
  ctx.textAlign = 'center';
  ctx.textBaseline = 'top';
  for (let mm = Math.ceil((plot.along0 - 1e-6) / step) * step; mm <= plot.along1 + 1e-6; mm += step) {
    const x = Math.round(plot.x(mm)) + 0.5;
    ctx.beginPath();
    ctx.moveTo(x, bottom);
    ctx.lineTo(x, bottom + 6);
    ctx.moveTo(x, plot.panelY(1) - MIDDLE);
    ctx.lineTo(x, plot.panelY(1) - MIDDLE + 5);
    ctx.stroke();
    ctx.fillText(`${(mm / 1000).toFixed(digits)} m`, x, bottom + 9);
  }

  const rise = tickStep(plot.across1 - plot.across0, plot.panelHeight / 44);
  ctx.textAlign = 'right';
  ctx.textBaseline = 'middle';
  for (const side of [0, 1]) {
    for (let mm = Math.ceil((plot.across0 - 1e-6) / rise) * rise; mm <= plot.across1 + 1e-6; mm += rise) {
      const y = Math.round(plot.y(side, mm)) + 0.5;
      const [top, end] = [plot.panelY(side), plot.panelY(side) + plot.panelHeight];
      if (y < top - 1 || y > end + 1) continue;
      ctx.beginPath();
      ctx.moveTo(MARGIN.left - 5, y);
      ctx.lineTo(MARGIN.left, y);
      ctx.stroke();
      // Names stand at the corners; a number there would run into them.
      const clear = Math.abs(y - top) > 22 && Math.abs(y - end) > 22 && Math.abs(y - (top + end) / 2) > 18;
      if (clear) ctx.fillText(String(Math.round(mm)), MARGIN.left - 8, y);
    }
  }
  ctx.textAlign = 'right';
  ctx.fillText('mm', MARGIN.left - 8, (plot.panelY(0) + plot.panelY(1) + plot.panelHeight) / 2);
}

function drawStretch(
  ctx: CanvasRenderingContext2D,
  plot: Plot,
  { stretch, theme }: OverlayScene,
  side: number,
): void {
  const [a, b] = [plot.x(stretch!.from), plot.x(stretch!.to)];
  ctx.strokeStyle = INK[theme].text;
  ctx.lineWidth = 2;
  ctx.setLineDash([8, 5]);
  ctx.strokeRect(a - 3, plot.panelY(side) + 2, b - a + 6, plot.panelHeight - 4);
  ctx.setLineDash([]);
}

function drawBox(
  ctx: CanvasRenderingContext2D,
  plot: Plot,
  { theme }: OverlayScene,
  side: number,
  box: MapBox,
): void {
  if (box.side && box.side !== (side === 0 ? 'top' : 'bottom')) return;
  const [a, b] = box.along.map((mm) => plot.x(mm)) as [number, number];
  const [c, d] = box.across.map((mm) => plot.y(side, mm)) as [number, number];
  ctx.strokeStyle = INK[theme].text;
  ctx.lineWidth = 2;
  ctx.strokeRect(a, Math.min(c, d), b - a, Math.abs(d - c));
}

/** How many defects lie where across, of the stretch that is shown: bars in the margin beside the panel. */
function drawAcross(ctx: CanvasRenderingContext2D, plot: Plot, scene: OverlayScene, side: number): void {
  const { columns: c, selection, theme } = scene;
  const bins = Math.max(1, Math.floor(plot.panelHeight / ACROSS_BIN));
  const counts = new Uint32Array(bins);
  const [first, end] = between(c, selection, plot.along0, plot.along1);
  const scale = bins / (plot.acrossScale * plot.panelHeight);
  for (let k = first; k < end; k++) {
    const i = selection[k]!;
    if (c.side[i] !== side || c.along[i]! + c.length[i]! < plot.along0) continue;
    const bin = Math.floor((c.across[i]! + c.width[i]! / 2 - plot.across0) * scale);
    if (bin >= 0 && bin < bins) counts[bin]!++;
  }
  const most = counts.reduce((a, b) => Math.max(a, b), 1);
  ctx.fillStyle = INK[theme].line;
  const left = MARGIN.left + plot.panelWidth + 3;
  const tall = plot.panelHeight / bins;
  for (let b = 0; b < bins; b++) {
    if (counts[b] === 0) continue;
    const y = side === 0 ? plot.panelY(0) + b * tall : plot.panelY(1) + plot.panelHeight - (b + 1) * tall;
    ctx.fillRect(left, y, 3 + (MARGIN.right - 6) * Math.sqrt(counts[b]! / most), Math.max(1, tall - 1));
  }
}

/** Crossed out, between the marks of the cuts. */
function drawScrap(
  ctx: CanvasRenderingContext2D,
  plot: Plot,
  { theme }: OverlayScene,
  side: number,
  cut: { from: number; to: number },
): void {
  const [a, b] = [plot.x(cut.from), plot.x(cut.to)];
  const [top, bottom] = [plot.panelY(side), plot.panelY(side) + plot.panelHeight];
  ctx.fillStyle = INK[theme].plate;
  ctx.globalAlpha = 0.6;
  ctx.fillRect(a, top, b - a, bottom - top);
  ctx.globalAlpha = 1;
  ctx.strokeStyle = INK[theme].text;
  ctx.lineWidth = 3;
  ctx.beginPath();
  for (const x of [a, b]) {
    ctx.moveTo(x, top);
    ctx.lineTo(x, bottom);
  }
  ctx.stroke();
  if (b - a < 12) return;
  ctx.lineWidth = 1;
  ctx.beginPath();
  ctx.moveTo(a, top);
  ctx.lineTo(b, bottom);
  ctx.moveTo(a, bottom);
  ctx.lineTo(b, top);
  ctx.stroke();
}

function rect(
  plot: Plot,
  c: DefectColumns,
  i: number,
): { x: number; y: number; width: number; height: number } {
  const side = c.side[i]!;
  const [y0, y1] = [plot.y(side, c.across[i]!), plot.y(side, c.across[i]! + c.width[i]!)];
  return {
    x: plot.x(c.along[i]!),
    y: Math.min(y0, y1),
    width: c.length[i]! / plot.alongScale,
    height: Math.abs(y1 - y0),
  };
}

function drawOutlines(ctx: CanvasRenderingContext2D, plot: Plot, scene: OverlayScene, side: number): void {
  const { columns: c, selection, theme } = scene;
  const [first, end] = between(c, selection, plot.along0, plot.along1);
  const chips: { x: number; y: number }[] = [];
  for (let k = first, drawn = 0; k < end && drawn < MOST_OUTLINES; k++) {
    const i = selection[k]!;
    if (c.side[i] !== side || c.along[i]! + c.length[i]! < plot.along0) continue;
    const middle = c.along[i]! + c.length[i]! / 2;
    // One whose symbol lies outside shows by its outline alone.
    const symbolled = middle >= plot.along0 && middle <= plot.along1;
    if (plot.alongScale >= OUTLINES_BELOW && symbolled) continue;
    drawn++;
    const r = rect(plot, c, i);
    const hue = HUES[theme][lookOf(c.classes[c.classIndex[i]!]!).group];
    ctx.strokeStyle = hue;
    ctx.lineWidth = 1.5;
    ctx.strokeRect(r.x, r.y, Math.max(2, r.width), Math.max(2, r.height));
    if (plot.alongScale > CHIPS_BELOW || chips.length >= MOST_CHIPS || !(c.flags[i]! & HAS_IMAGE)) continue;
    const chip = { x: r.x + r.width + 10, y: r.y + r.height / 2 - CHIP / 2 };
    if (chips.some((o) => Math.abs(o.x - chip.x) < CHIP + 6 && Math.abs(o.y - chip.y) < CHIP + 6)) continue;
    chips.push(chip); // also where its picture is still on its way: no more are asked for than are shown
    const picture = scene.pictures(c.id[i]!);
    if (!picture) continue;
    ctx.drawImage(picture, chip.x, chip.y, CHIP, CHIP);
    ctx.strokeRect(chip.x, chip.y, CHIP, CHIP);
  }
}

function drawRings(ctx: CanvasRenderingContext2D, plot: Plot, scene: OverlayScene, side: number): void {
  const { columns: c, deciding, theme, selected } = scene;
  for (const [i, grade] of deciding) {
    if (c.side[i] !== side || grade === 'prime') continue;
    const { x, y, radius } = around(plot, c, i);
    ctx.strokeStyle = RINGS[theme][grade];
    ctx.lineWidth = 2.5;
    // The number of rings tells the grade without its colour.
    const rings = grade === 'block' ? 2 : 1;
    ctx.setLineDash(grade === 'second' ? [4, 3] : []);
    for (let n = 0; n < rings; n++) {
      ctx.beginPath();
      ctx.arc(x, y, radius + 4 * n, 0, 7);
      ctx.stroke();
    }
    ctx.setLineDash([]);
  }
  if (selected >= 0 && c.side[selected] === side) {
    const { x, y, radius } = around(plot, c, selected);
    ctx.strokeStyle = INK[theme].text;
    ctx.lineWidth = 2;
    const r = radius + 9;
    for (const [sx, sy] of [
      [-1, -1],
      [1, -1],
      [1, 1],
      [-1, 1],
    ] as const) {
      ctx.beginPath();
      ctx.moveTo(x + sx * r, y + sy * (r - 8));
      ctx.lineTo(x + sx * r, y + sy * r);
      ctx.lineTo(x + sx * (r - 8), y + sy * r);
      ctx.stroke();
    }
  }
}

function around(plot: Plot, c: DefectColumns, i: number): { x: number; y: number; radius: number } {
  const x = plot.x(c.along[i]! + c.length[i]! / 2);
  const y = plot.y(c.side[i]!, c.across[i]! + c.width[i]! / 2);
  return { x, y, radius: SYMBOL_SIZE[c.severity[i]!]! / 2 + 5 };
}
