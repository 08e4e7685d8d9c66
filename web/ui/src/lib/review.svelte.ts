/** Who reviews in this browser, how, and which keys give which answer. */

import { actionOf, keys } from './keys.svelte';
import { NO_DEFECT } from './map/reviewed';
import { read, readText, write } from './stored';

export const UNKNOWN = 'unknown';
const UNCLASSIFIED = 'unclassified';

const NAME = 'coilsight.reviewer';
const ADVANCE = 'coilsight.review.advance';
export const MAX_NAME = 64;
export const MAX_NOTE = 500;

let name = $state(readText(NAME).slice(0, MAX_NAME));
let advance = $state(read(ADVANCE, ['yes', 'no']) !== 'no');

export const reviewer = {
  get name(): string {
    return name;
  },
  set name(next: string) {
    name = next;
    write(NAME, next.trim());
  },
  /** Whether an answer leads on to the next defect. */
  get advance(): boolean {
    return advance;
  },
  set advance(next: boolean) {
    advance = next;
    write(ADVANCE, next ? 'yes' : 'no');
  },
};

export interface Answer {
  classId: string;
  key: string; // as printed on the button; '' where there is none left
}

/** The answers to choose from: the catalogue's classes under 1 to 9, no defect under 0, unknown under a key of its own. */
export function answersOf(catalogue: readonly string[]): Answer[] {
  const classes = catalogue.filter((c) => c !== NO_DEFECT && c !== UNKNOWN && c !== UNCLASSIFIED);
  return [
    ...classes.map((classId, i) => ({ classId, key: i < 9 ? String(i + 1) : '' })),
    { classId: NO_DEFECT, key: '0' },
    { classId: UNKNOWN, key: keys.printed('unknown') },
  ];
}

/** The answer under a key, by its code. */
export function answerFor(code: string, answers: readonly Answer[]): Answer | undefined {
  const action = actionOf(code);
  if (action === 'noDefect') return answers.find((a) => a.classId === NO_DEFECT);
  if (action === 'unknown') return answers.find((a) => a.classId === UNKNOWN);
  const key = /^(?:Digit|Numpad)([0-9])$/.exec(code)?.[1];
  return key === undefined ? undefined : answers.find((a) => a.key === key);
}

const SEVERITIES = 5;

/** The severity that follows a chosen one: from the recipe's (undefined) to the one above it, round, and back to the recipe's. */
export function severityAfter(chosen: number | undefined, ofRecipe: number): number | undefined {
  return chosen === ofRecipe ? undefined : ((chosen ?? ofRecipe) + 1) % SEVERITIES;
}
