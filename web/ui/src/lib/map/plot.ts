/**
 * Geometry of the defect map. Length runs to the right, the two sides lie one above the other and share
 * the drive side in the middle:
 *
 *     operator side
 *     top side
 *     drive side
 *     bottom side
 *     operator side
 */

import type { MapBox } from './filter';

/** What part of the coil is shown: its centre in mm, and mm of length in one px. */
export interface MapView {
  along: number;
  across: number;
  scale: number;
}

export interface Size {
  width: number;
  height: number;
}

export const MARGIN = { left: 118, right: 30, top: 4, bottom: 32 };
export const MIDDLE = 28;
/** One px of the finest picture the map is zoomed to; half a camera pixel of 0.5 mm. */
export const FINEST = 0.25;

export class Plot {
  readonly panelWidth: number;
  readonly panelHeight: number;
  /** mm in one px, along and across. Across fits the strip until the map is zoomed beyond true proportions. */
  readonly alongScale: number;
  readonly acrossScale: number;
  /** What the left edge and the operator-side edge of the panels show, in mm. */
  readonly along0: number;
  readonly across0: number;
  readonly view: MapView;

  constructor(
    readonly size: Size,
    readonly length: number,
    readonly stripWidth: number,
    view: MapView | null,
  ) {
    this.panelWidth = Math.max(1, size.width - MARGIN.left - MARGIN.right);
    this.panelHeight = Math.max(1, Math.floor((size.height - MARGIN.top - MARGIN.bottom - MIDDLE) / 2));
    const whole = length / this.panelWidth;
    this.alongScale = clamp(view?.scale ?? whole, Math.min(FINEST, whole), whole);
    const fits = stripWidth / this.panelHeight;
    // A coil that is short beside its width is whole beyond true proportions already: it is shown whole all the same.
    this.acrossScale = Math.min(fits, this.alongScale * Math.max(1, fits / whole));
    const halfLength = (this.panelWidth * this.alongScale) / 2;
    const halfWidth = (this.panelHeight * this.acrossScale) / 2;
    const along = clamp(view?.along ?? length / 2, halfLength, length - halfLength);
    const across = clamp(view?.across ?? stripWidth / 2, halfWidth, stripWidth - halfWidth);
    this.along0 = along - halfLength;
    this.across0 = across - halfWidth;
    this.view = { along, across, scale: this.alongScale };
  }

  get along1(): number {
    return this.along0 + this.panelWidth * this.alongScale;
  }
  get across1(): number {
    return this.across0 + this.panelHeight * this.acrossScale;
  }
  get isWhole(): boolean {
    return this.alongScale >= (this.length / this.panelWidth) * 0.999;
  }

  /** What is shown, as an area of both sides. */
  get box(): MapBox {
    return {
      side: null,
      along: whole(this.along0, this.along1),
      across: whole(this.across0, this.across1),
    };
  }

  /** The area between two points of one panel; null where they are nearly one. */
  boxOf(side: number, a: { x: number; y: number }, b: { x: number; y: number }): MapBox | null {
    if (side < 0 || Math.abs(a.x - b.x) < 4 || Math.abs(a.y - b.y) < 4) return null;
    return {
      side: side === 0 ? 'top' : 'bottom',
      along: whole(this.along(a.x), this.along(b.x)),
      across: whole(this.across(side, a.y), this.across(side, b.y)),
    };
  }

  panelY(side: number): number {
    return MARGIN.top + side * (this.panelHeight + MIDDLE);
  }
  x(along: number): number {
    return MARGIN.left + (along - this.along0) / this.alongScale;
  }
  y(side: number, across: number): number {
    const down = (across - this.across0) / this.acrossScale;
    return side === 0 ? this.panelY(0) + down : this.panelY(1) + this.panelHeight - down;
  }
  along(x: number): number {
    return this.along0 + (x - MARGIN.left) * this.alongScale;
  }
  across(side: number, y: number): number {
    const down = side === 0 ? y - this.panelY(0) : this.panelY(1) + this.panelHeight - y;
    return this.across0 + down * this.acrossScale;
  }
  /** The side whose panel holds a point, or -1. */
  sideAt(x: number, y: number): number {
    if (x < MARGIN.left || x > MARGIN.left + this.panelWidth) return -1;
    for (const side of [0, 1]) {
      const top = this.panelY(side);
      if (y >= top && y <= top + this.panelHeight) return side;
    }
    return -1;
  }

  /** The view after zooming by a factor (below 1 is closer) while what lies under the point stays there. */
  zoomed(factor: number, x: number, y: number): MapView {
    const side = this.sideAt(x, y);
    const along = this.along(clamp(x, MARGIN.left, MARGIN.left + this.panelWidth));
    const across = side < 0 ? this.view.across : this.across(side, y);
    const next = new Plot(this.size, this.length, this.stripWidth, {
      ...this.view,
      scale: this.alongScale * factor,
    });
    const f = next.alongScale / this.alongScale;
    const g = next.acrossScale / this.acrossScale;
    return {
      along: along + (this.view.along - along) * f,
      across: across + (this.view.across - across) * g,
      scale: next.alongScale,
    };
  }

  moved(dx: number, dy: number, side: number): MapView {
    return new Plot(this.size, this.length, this.stripWidth, {
      along: this.view.along - dx * this.alongScale,
      across: this.view.across + (side === 1 ? dy : -dy) * this.acrossScale,
      scale: this.alongScale,
    }).view;
  }

  /** The view that shows a stretch with some of its surroundings. */
  stretch(from: number, to: number): MapView {
    const span = Math.max(to - from, 200) * 1.3;
    return new Plot(this.size, this.length, this.stripWidth, {
      along: (from + to) / 2,
      across: this.view.across,
      scale: span / this.panelWidth,
    }).view;
  }
}

/** The stretch between two places, out to whole millimetres. */
const whole = (a: number, b: number): [number, number] => [
  Math.floor(Math.min(a, b)),
  Math.ceil(Math.max(a, b)),
];

export function clamp(value: number, least: number, most: number): number {
  return Math.min(Math.max(value, least), Math.max(least, most));
}

/** A view as it stands in the address, and back; null is the whole coil. */
export function readView(query: URLSearchParams): MapView | null {
  const [x, y, z] = ['x', 'y', 'z'].map((key) => Number.parseFloat(query.get(key) ?? ''));
  if (!Number.isFinite(x) || !Number.isFinite(z) || z! <= 0) return null;
  return { along: x!, across: Number.isFinite(y) ? y! : 0, scale: z! };
}

export function writeView(view: MapView | null): Record<'x' | 'y' | 'z', string | null> {
  if (!view) return { x: null, y: null, z: null };
  return { x: view.along.toFixed(0), y: view.across.toFixed(0), z: view.scale.toPrecision(4) };
}

/** A round step whose multiples make about n ticks over a span: 1, 2 or 5 times a power of ten. */
export function tickStep(span: number, n: number): number {
  const raw = span / Math.max(1, n);
  const power = 10 ** Math.floor(Math.log10(raw));
  const lead = raw / power;
  return (lead <= 1 ? 1 : lead <= 2 ? 2 : lead <= 5 ? 5 : 10) * power;
}
