/** How far away the screen is read, how large its millimetres are, and whether hands wear gloves: set once at each station. */

import { read, readText, write } from './stored';

const MM_KEY = 'coilsight.display.mm';
const DISTANCE_KEY = 'coilsight.display.distance';
const GLOVES_KEY = 'coilsight.display.gloves';

/** What a browser takes a millimetre for; screens differ. */
const CSS_MM = 96 / 25.4;
/** A letter is read at a distance from this height on: 20 arc minutes (ISO 9241-303). */
const MM_PER_METRE = 5.8;
/** Height of a capital or a digit over the size of the font. */
const CAPITAL = 0.71;
/** What of the window the wall view's letters can have at most, so that four figures stand beside each other. */
const WIDEST = 0.052;
const TALLEST = 0.09;

export const MM_LIMITS = [0.5, 20] as const; // px
export const DISTANCE_LIMITS = [0.3, 30] as const; // m

const within = (text: string, [least, most]: readonly [number, number], otherwise: number) => {
  const n = Number.parseFloat(text);
  return n >= least && n <= most ? n : otherwise;
};

let mm = $state(within(readText(MM_KEY), MM_LIMITS, CSS_MM));
let distance = $state(within(readText(DISTANCE_KEY), DISTANCE_LIMITS, 3));
let gloves = $state(read(GLOVES_KEY, ['on', 'off']) === 'on');

function apply(): void {
  const root = document.documentElement;
  root.style.setProperty('--mm', `${mm}px`);
  if (gloves) root.dataset.gloves = '';
  else delete root.dataset.gloves;
}

apply();

export const display = {
  /** px of a millimetre on this screen. */
  get mm(): number {
    return mm;
  },
  setMM(px: number): void {
    mm = Math.min(MM_LIMITS[1], Math.max(MM_LIMITS[0], px));
    write(MM_KEY, String(mm));
    apply();
  },
  /** m from the eye. */
  get distance(): number {
    return distance;
  },
  setDistance(m: number): void {
    distance = Math.min(DISTANCE_LIMITS[1], Math.max(DISTANCE_LIMITS[0], m));
    write(DISTANCE_KEY, String(distance));
    apply();
  },
  get gloves(): boolean {
    return gloves;
  },
  setGloves(on: boolean): void {
    gloves = on;
    write(GLOVES_KEY, on ? 'on' : 'off');
    apply();
  },
};

export interface WallFont {
  /** px. */
  font: number;
  /** Height of its letters, mm. */
  letter: number;
  /** m from which they can be read. */
  readable: number;
}

/** The font of the wall view in a window of so many px: for the distance where it fits, else as large as fits. */
export function wallFont(width: number, height: number): WallFont {
  const wanted = (MM_PER_METRE * distance * mm) / CAPITAL;
  const font = Math.min(WIDEST * width, TALLEST * height, wanted);
  const letter = (font * CAPITAL) / mm;
  return { font, letter, readable: letter / MM_PER_METRE };
}
