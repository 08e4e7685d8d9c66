/**
 * How classes and severities look. Class is shape and muted hue; severity is size and fill. Red, amber
 * and magenta are kept for what broke a rule, so that grey and muted stay normal.
 */

export type Shape =
  'bar' | 'ring' | 'square' | 'diamond' | 'lens' | 'notch' | 'dot' | 'cross' | 'hexagon' | 'plus';

export interface Look {
  group: Group;
  shape: Shape;
}

export type Group = 'scratch' | 'roll' | 'scale' | 'inclusion' | 'edge' | 'pit' | 'stain' | 'patch' | 'other';

/** At most eight groups and "other": more hues cannot be told apart, whatever their number. */
export const GROUPS: readonly Group[] = [
  'scratch',
  'roll',
  'scale',
  'inclusion',
  'edge',
  'pit',
  'stain',
  'patch',
  'other',
];

export type Theme = 'light' | 'dark';

/**
 * Hues by theme, found by a search that started from the usual colour-blind-safe sets and held a contrast
 * of 3 on the strip; tests/unit/palette.test.ts measures how far apart they stay.
 */
export const HUES: Record<Theme, Record<Group, string>> = {
  light: {
    scratch: '#3b51af',
    roll: '#4b0a4e',
    scale: '#02492f',
    inclusion: '#1a84dc',
    edge: '#4d815b',
    pit: '#675306',
    stain: '#7f80a1',
    patch: '#85840f',
    other: '#5b5d5f',
  },
  dark: {
    scratch: '#2b74c8',
    roll: '#d28ef8',
    scale: '#9cae73',
    inclusion: '#7baeb1',
    edge: '#67f3cb',
    pit: '#907618',
    stain: '#d0dcf9',
    patch: '#e9dc74',
    other: '#757779',
  },
};

/** Words of a class's identifier that name its group; the first that matches counts. */
const WORDS: readonly [word: string, group: Group, shape: Shape][] = [
  ['scratch', 'scratch', 'bar'],
  ['roll_print', 'roll', 'ring'],
  ['roll_mark', 'roll', 'ring'],
  ['temperature', 'scale', 'diamond'],
  ['scale', 'scale', 'square'],
  ['inclusion', 'inclusion', 'lens'],
  ['sliver', 'inclusion', 'lens'],
  ['edge', 'edge', 'notch'],
  ['hole', 'pit', 'dot'],
  ['pit', 'pit', 'dot'],
  ['dent', 'pit', 'dot'],
  ['stain', 'stain', 'cross'],
  ['ash', 'stain', 'cross'],
  ['no_defect', 'other', 'ring'],
  ['red_iron', 'patch', 'hexagon'],
  ['patch', 'patch', 'hexagon'],
  ['crazing', 'patch', 'hexagon'],
];

/** The look of a class. Classes are data: an unknown one is "other", never an error. */
export function lookOf(classId: string): Look {
  for (const [word, group, shape] of WORDS) {
    if (classId.includes(word)) return { group, shape };
  }
  return { group: 'other', shape: 'plus' };
}

/** Side length of a symbol in CSS px, by severity 0 to 4. */
export const SYMBOL_SIZE: readonly number[] = [7, 9, 11, 13, 15];

/** From this severity on a symbol is filled. */
export const FILLED_FROM = 2;

/** Rings around defects that decided a grade. */
export const RINGS: Record<Theme, Record<'second' | 'hold' | 'block', string>> = {
  light: { second: '#a3179a', hold: '#b35c00', block: '#c4122f' },
  dark: { second: '#f07be6', hold: '#ffb000', block: '#ff6b6b' },
};

/** Grey levels of the strip under the symbols, by theme. */
export const STRIP_GREY: Record<Theme, string> = { light: '#e2e5e7', dark: '#23282b' };
