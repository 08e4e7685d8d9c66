import type { Defect, Gap, Side } from '../api/types';
import { FILLED_FROM, HUES, lookOf, SYMBOL_SIZE, type Theme } from '../palette';
import { DRAWINGS, OUTLINE_WIDTH } from '../shapes';
import type { StripRing } from './ring';

/** What the live picture shows besides the strip itself. */
export interface Overlay {
  theme: Theme;
  stripWidth: number; // mm
  defects: readonly Defect[];
  gaps: readonly Gap[];
  words: { top: string; bottom: string; operator: string; drive: string; noPicture: string };
  font: number; // px of the words
}

export interface Band {
  side: Side;
  x: number;
  y: number;
  width: number;
  height: number;
}

/** So long a stretch passes in seven seconds at 6 m/s: time enough to see a symbol and look up. */
export const SHOWN_MM = 40_000;

export const LEFT = 116;
const AXIS = 26;
const MIDDLE = 24;
/** The two cameras' pictures end within a frame of each other; one that is further behind is silent. */
const SILENT_MM = 1000;
const PLATE = 16; // radius of the largest symbol's plate

/** The two bands; both sides share the drive side in the middle. */
export function bands(width: number, height: number): [Band, Band] {
  const tall = Math.floor((height - AXIS - MIDDLE) / 2);
  const band = (side: Side, y: number): Band => ({ side, x: LEFT, y, width: width - LEFT, height: tall });
  return [band('top', 0), band('bottom', tall + MIDDLE)];
}

const INK: Record<Theme, { text: string; soft: string; hatch: string; empty: string }> = {
  light: { text: '#1d2327', soft: '#454e54', hatch: '#1d2327', empty: '#c3c9cc' },
  dark: { text: '#e2e5e7', soft: '#b0b8bd', hatch: '#e2e5e7', empty: '#111417' },
};

export function drawScene(
  ctx: CanvasRenderingContext2D,
  size: { width: number; height: number },
  rings: Record<Side, StripRing>,
  right: number,
  overlay: Overlay,
): void {
  const ink = INK[overlay.theme];
  ctx.clearRect(0, 0, size.width, size.height);
  const both = bands(size.width, size.height);
  for (const band of both) {
    drawBand(ctx, band, rings[band.side], right, overlay);
    drawNames(ctx, band, overlay, ink);
  }
  const [top, bottom] = both;
  ctx.fillStyle = ink.soft;
  ctx.font = `${overlay.font}px Pretendard, sans-serif`;
  ctx.textAlign = 'left';
  ctx.textBaseline = 'middle';
  ctx.fillText(overlay.words.drive, LEFT, top.y + top.height + MIDDLE / 2 + 1);
  drawAxis(ctx, bottom, rings.top.newest >= rings.bottom.newest ? rings.top : rings.bottom, right, ink);
}

function drawNames(
  ctx: CanvasRenderingContext2D,
  band: Band,
  overlay: Overlay,
  ink: { text: string; soft: string },
): void {
  ctx.textAlign = 'left';
  ctx.textBaseline = 'middle';
  ctx.fillStyle = ink.text;
  ctx.font = `700 ${overlay.font + 2}px Pretendard, sans-serif`;
  ctx.fillText(overlay.words[band.side], 0, band.y + band.height / 2, LEFT - 10);
  ctx.fillStyle = ink.soft;
  ctx.font = `${overlay.font}px Pretendard, sans-serif`;
  const y = band.side === 'top' ? band.y + overlay.font / 2 + 1 : band.y + band.height - overlay.font / 2 - 1;
  ctx.fillText(overlay.words.operator, 0, y, LEFT - 8);
}

function drawBand(
  ctx: CanvasRenderingContext2D,
  band: Band,
  ring: StripRing,
  right: number,
  overlay: Overlay,
): void {
  const ink = INK[overlay.theme];
  ctx.fillStyle = ink.empty;
  ctx.fillRect(band.x, band.y, band.width, band.height);
  if (ring.newest < 0) {
    ctx.fillStyle = ink.soft;
    ctx.font = `${overlay.font}px Pretendard, sans-serif`;
    ctx.textAlign = 'center';
    ctx.textBaseline = 'middle';
    ctx.fillText(overlay.words.noPicture, band.x + band.width / 2, band.y + band.height / 2);
    return;
  }
  const from = Math.max(0, ring.leftEdge);
  const to = Math.min(ring.canvas.height, from + overlay.stripWidth / ring.mmPerColumn);
  ctx.imageSmoothingEnabled = true;
  ring.draw(ctx, right, band, { from, to }, band.side === 'bottom');
  if (ring.headRow < 0) return;

  const pixel = band.width / ring.columns;
  const x = (along: number) => band.x + band.width - (right + 1 - ring.columnOf(along)) * pixel;
  ctx.save();
  ctx.beginPath();
  ctx.rect(band.x, band.y, band.width, band.height);
  ctx.clip();
  for (const gap of overlay.gaps) {
    if (gap.side !== band.side) continue;
    const [a, b] = [Math.max(band.x, x(gap.from_mm)), Math.min(band.x + band.width, x(gap.to_mm))];
    if (b > a) hatch(ctx, a, band.y, Math.max(2, b - a), band.height, ink.hatch);
  }
  // A camera that fell silent: its gap is recorded later, but is there now.
  const owed = (right - ring.newest) * ring.mmPerPixel;
  if (owed > SILENT_MM) {
    const a = Math.max(band.x, x(0), band.x + band.width - (right - ring.newest) * pixel);
    if (a < band.x + band.width) hatch(ctx, a, band.y, band.x + band.width - a, band.height, ink.hatch);
  }
  drawSymbols(ctx, band, x, overlay);
  ctx.restore();
}

/** Where more symbols than this lie in one square of the size of a plate, their plates would leave nothing to be seen. */
const CROWDED = 3;

/** The worst last, so that nothing hides it. */
function drawSymbols(
  ctx: CanvasRenderingContext2D,
  band: Band,
  x: (along: number) => number,
  overlay: Overlay,
): void {
  const scale = ctx.getTransform().a;
  const squares = new Map<number, number>();
  const symbols: { cx: number; cy: number; square: number; defect: Defect }[][] = [[], [], [], [], []];
  for (const defect of overlay.defects) {
    if (defect.side !== band.side) continue;
    const r = defect.rect;
    const cx = x(r.along_mm + r.length_mm / 2);
    if (cx < band.x - 20 || cx > band.x + band.width + 20) continue;
    const share = (r.across_mm + r.width_mm / 2) / overlay.stripWidth;
    const down = band.height * (band.side === 'top' ? share : 1 - share);
    // A symbol at the strip's edge is shown whole.
    const cy = band.y + Math.min(Math.max(down, PLATE), band.height - PLATE);
    // Squares of the strip, not of the screen: what stands bare does so until it has passed.
    const square =
      Math.floor((r.along_mm * band.width) / SHOWN_MM / (2 * PLATE)) * 1000 + Math.floor(cy / (2 * PLATE));
    squares.set(square, (squares.get(square) ?? 0) + 1);
    symbols[Math.min(defect.severity, 4)]!.push({ cx, cy, square, defect });
  }
  for (const { cx, cy, square, defect } of symbols.flat()) {
    const bare = squares.get(square)! > CROWDED;
    const picture = sprite(defect.class, defect.severity, overlay.theme, scale, bare);
    const half = picture.width / scale / 2;
    ctx.drawImage(picture, cx - half, cy - half, 2 * half, 2 * half);
  }
}

/** Symbols as pictures: drawing hundreds of paths anew costs frames. */
const sprites = new Map<string, HTMLCanvasElement>();
const MOST_SPRITES = 200; // a scale and a theme have at most 100

/** A symbol at so many device px to a px; on a plate unless it is to be bare, since the strip below has any brightness. */
function sprite(
  classId: string,
  severity: number,
  theme: Theme,
  scale: number,
  bare: boolean,
): HTMLCanvasElement {
  const look = lookOf(classId);
  const size = (SYMBOL_SIZE[severity] ?? SYMBOL_SIZE[1]!) + 10;
  const filled = severity >= FILLED_FROM;
  const key = [look.shape, look.group, size, filled, theme, scale, bare].join();
  const known = sprites.get(key);
  if (known) return known;
  if (sprites.size >= MOST_SPRITES) sprites.clear();
  const canvas = document.createElement('canvas');
  const width = size + 10; // the plate, and a margin for its smooth edge
  canvas.width = canvas.height = Math.ceil(width * scale);
  const ctx = canvas.getContext('2d')!;
  ctx.scale(canvas.width / width, canvas.width / width);
  if (!bare) {
    ctx.fillStyle = theme === 'light' ? '#edeff0' : '#23282b';
    ctx.beginPath();
    ctx.arc(width / 2, width / 2, size / 2 + 4, 0, 7);
    ctx.fill();
  }
  ctx.translate((width - size) / 2, (width - size) / 2);
  ctx.scale(size / 16, size / 16);
  const hue = HUES[theme][look.group];
  if (filled) {
    ctx.fillStyle = hue;
    ctx.fill(new Path2D(DRAWINGS[look.shape].fill), 'evenodd');
  } else {
    ctx.strokeStyle = hue;
    ctx.lineWidth = OUTLINE_WIDTH;
    ctx.stroke(new Path2D(DRAWINGS[look.shape].outline));
  }
  sprites.set(key, canvas);
  return canvas;
}

/** Hatches a stretch that was not inspected; a faint veil keeps what is below readable. */
function hatch(
  ctx: CanvasRenderingContext2D,
  x: number,
  y: number,
  width: number,
  height: number,
  colour: string,
): void {
  ctx.save();
  ctx.beginPath();
  ctx.rect(x, y, width, height);
  ctx.clip();
  ctx.globalAlpha = 0.25;
  ctx.fillStyle = colour;
  ctx.fillRect(x, y, width, height);
  ctx.globalAlpha = 1;
  ctx.strokeStyle = colour;
  ctx.lineWidth = 1.5;
  ctx.beginPath();
  for (let d = -height; d < width; d += 9) {
    ctx.moveTo(x + d, y + height);
    ctx.lineTo(x + d + height, y);
  }
  ctx.stroke();
  ctx.strokeRect(x + 0.75, y + 0.75, width - 1.5, height - 1.5);
  ctx.restore();
}

/** Metres from the head end below the lower band. */
function drawAxis(
  ctx: CanvasRenderingContext2D,
  band: Band,
  ring: StripRing,
  right: number,
  ink: { soft: string },
): void {
  if (ring.newest < 0 || ring.headRow < 0) return;
  const pixel = band.width / ring.columns;
  const shown = ring.columns * ring.mmPerPixel;
  const newest = (right + 1 - ring.columnOf(0)) * ring.mmPerPixel;
  const step = shown > 80_000 ? 20_000 : shown > 30_000 ? 5_000 : 2_000;
  ctx.fillStyle = ink.soft;
  ctx.strokeStyle = ink.soft;
  ctx.font = '15px Pretendard, sans-serif';
  ctx.textAlign = 'center';
  ctx.textBaseline = 'top';
  const y = band.y + band.height;
  for (let mm = Math.max(0, Math.ceil((newest - shown) / step) * step); mm <= newest; mm += step) {
    const x = band.x + band.width - ((newest - mm) / ring.mmPerPixel) * pixel;
    if (x < band.x + 16 || x > band.x + band.width - 16) continue;
    ctx.fillRect(Math.round(x), y, 1, 5);
    ctx.fillText(`${mm / 1000} m`, x, y + 7);
  }
}
