import { FILLED_FROM, HUES, lookOf, STRIP_GREY, SYMBOL_SIZE, type Theme } from '../palette';
import { DRAWINGS, OUTLINE_WIDTH } from '../shapes';

/** A symbol as loose pixels around its centre, ready to be written into an image. */
export interface Glyph {
  dx: Int8Array;
  dy: Int8Array;
  colour: Uint32Array;
  radius: number; // device px
}

/** A hue as a pixel of an ImageData seen as Uint32: little-endian, so ABGR. */
export function pixel(hex: string): number {
  const n = Number.parseInt(hex.slice(1), 16);
  return (0xff000000 | ((n & 255) << 16) | (n & 0xff00) | (n >> 16)) >>> 0;
}

/** Draws the symbols of all classes and severities once, for one theme and one screen. */
export function drawGlyphs(classes: readonly string[], theme: Theme, ratio: number): Glyph[][] {
  const canvas = document.createElement('canvas');
  const ctx = canvas.getContext('2d', { willReadFrequently: true })!;
  return classes.map((id) =>
    SYMBOL_SIZE.map((_, severity) => drawGlyph(canvas, ctx, id, severity, theme, ratio)),
  );
}

function drawGlyph(
  canvas: HTMLCanvasElement,
  ctx: CanvasRenderingContext2D,
  classId: string,
  severity: number,
  theme: Theme,
  ratio: number,
): Glyph {
  const size = SYMBOL_SIZE[severity]! * ratio;
  const box = 2 * Math.ceil(size / 2 + 2 * ratio) + 1;
  canvas.width = canvas.height = box; // also clears
  const { group, shape } = lookOf(classId);
  const drawing = DRAWINGS[shape];
  const filled = severity >= FILLED_FROM;
  const path = new Path2D(filled ? drawing.fill : drawing.outline);
  ctx.translate((box - size) / 2, (box - size) / 2);
  ctx.scale(size / 16, size / 16);
  // A rim in the strip's grey parts symbols that touch.
  ctx.strokeStyle = STRIP_GREY[theme];
  ctx.lineWidth = (filled ? 2.2 : OUTLINE_WIDTH + 2.2) * (16 / SYMBOL_SIZE[severity]!);
  ctx.stroke(path);
  ctx.fillStyle = ctx.strokeStyle = HUES[theme][group];
  if (filled) ctx.fill(path, 'evenodd');
  else {
    ctx.lineWidth = 1.5 * (16 / SYMBOL_SIZE[severity]!);
    ctx.stroke(path);
  }
  ctx.resetTransform();

  const image = ctx.getImageData(0, 0, box, box);
  const words = new Uint32Array(image.data.buffer);
  const at: number[] = [];
  for (let i = 0; i < words.length; i++) if (image.data[4 * i + 3]! > 110) at.push(i);
  const middle = (box - 1) / 2;
  return {
    dx: Int8Array.from(at, (i) => (i % box) - middle),
    dy: Int8Array.from(at, (i) => Math.floor(i / box) - middle),
    colour: Uint32Array.from(at, (i) => (words[i]! | 0xff000000) >>> 0),
    radius: middle,
  };
}
