import type { Shape } from './palette';

/** A symbol on a square of 16 x 16: what is filled, and what is stroked where it is not. */
export interface Drawing {
  fill: string;
  outline: string;
}

const circle = (r: number) => `M${8 - r} 8a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0z`;
const solid = (d: string): Drawing => ({ fill: d, outline: d });

export const DRAWINGS: Record<Shape, Drawing> = {
  bar: solid('M1 5.5h14v5h-14z'),
  ring: { fill: `${circle(7)}${circle(2.6)}`, outline: circle(6.2) },
  square: solid('M2.2 2.2h11.6v11.6h-11.6z'),
  diamond: solid('M8 .8l7.2 7.2l-7.2 7.2l-7.2 -7.2z'),
  lens: solid('M.8 8q7.2 -8.6 14.4 0q-7.2 8.6 -14.4 0z'),
  notch: solid('M1 2.2h14l-7 12.4z'),
  dot: solid(circle(4.4)),
  cross: solid(
    'M3.6 1l4.4 4.4l4.4 -4.4l2.6 2.6l-4.4 4.4l4.4 4.4l-2.6 2.6l-4.4 -4.4l-4.4 4.4l-2.6 -2.6l4.4 -4.4l-4.4 -4.4z',
  ),
  hexagon: solid('M4.4 1.6h7.2l3.6 6.4l-3.6 6.4h-7.2l-3.6 -6.4z'),
  plus: solid('M6 1h4v5h5v4h-5v5h-4v-5h-5v-4h5z'),
};

export const OUTLINE_WIDTH = 1.8;
