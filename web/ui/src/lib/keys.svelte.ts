/**
 * The keys of the pages where defects are looked at, as they are set at this station. What a key does goes by its code: with
 * a Hangul input method on, key is a syllable and no letter would match.
 */

import { t } from './i18n/index.svelte';
import { readText, write } from './stored';

const KEY = 'coilsight.keys';

/** What a key can do, and the code of the key that does it unless the station says otherwise. */
const PRESET = {
  accept: 'KeyA',
  noDefect: 'KeyX',
  unknown: 'KeyU',
  severity: 'KeyS',
  next: 'KeyJ',
  previous: 'KeyK',
  undo: 'KeyZ',
  picture: 'Space',
  map: 'KeyM',
  area: 'KeyB',
  help: 'Slash',
} as const;

export type Action = keyof typeof PRESET;
export const ACTIONS = Object.keys(PRESET) as Action[];

/** Codes that may be chosen, with what is printed on the key; digits are the classes, and the rest moves the map. */
const PRINTED: Record<string, string> = {
  ...Object.fromEntries([...'ABCDEFGHIJKLMNOPQRSTUVWXYZ'].map((c) => [`Key${c}`, c])),
  Backquote: '`',
  BracketLeft: '[',
  BracketRight: ']',
  Semicolon: ';',
  Quote: "'",
  Comma: ',',
  Period: '.',
  Slash: '?',
  PageUp: 'PgUp',
  PageDown: 'PgDn',
  NumpadDivide: 'Num /',
  NumpadMultiply: 'Num *',
  NumpadDecimal: 'Num .',
};

const isFree = (code: string) => code === 'Space' || Object.hasOwn(PRINTED, code);

/** What was kept, where it gives no key to two actions; an action that is new since has its own. */
function kept(): Record<Action, string> {
  try {
    const read = JSON.parse(readText(KEY)) as Partial<Record<Action, unknown>>;
    const all = ACTIONS.map((a) => [a, read[a] ?? PRESET[a]] as const);
    const fit = all.every(([, code]) => typeof code === 'string' && isFree(code));
    if (fit && new Set(all.map(([, code]) => code)).size === ACTIONS.length)
      return Object.fromEntries(all) as Record<Action, string>;
  } catch {
    // Nothing is kept, or something else was.
  }
  return PRESET;
}

let codes = $state.raw<Record<Action, string>>(kept());

function keep(next: Record<Action, string>): void {
  codes = next;
  write(KEY, JSON.stringify(next));
}

export const keys = {
  get isPreset(): boolean {
    return ACTIONS.every((a) => codes[a] === PRESET[a]);
  },
  /** What is printed on an action's key. */
  printed(action: Action): string {
    return codes[action] === 'Space' ? t().queue.space : PRINTED[codes[action]]!;
  },
  /**
   * Gives an action another key; the action that had it gets the one that falls free. Says whether the key may be chosen.
   */
  set(action: Action, code: string): boolean {
    if (!isFree(code)) return false;
    const other = ACTIONS.find((a) => codes[a] === code);
    keep({ ...codes, ...(other && { [other]: codes[action] }), [action]: code });
    return true;
  },
  reset(): void {
    keep(PRESET);
  },
};

/** A list that was chosen from by pointer lets go of the focus: the next key is for the page. */
export function letGo(event: Event & { currentTarget: HTMLElement }): void {
  if (!event.currentTarget.matches(':focus-visible')) event.currentTarget.blur();
}

/** The action of a key by its code. */
export function actionOf(code: string): Action | undefined {
  return ACTIONS.find((a) => codes[a] === code);
}

/**
 * Whether a key pressed anywhere is for the page: not one that somebody writes with, nor Space where it presses what has the
 * focus, nor one behind a dialog that lets none through.
 */
export function isForPage(event: KeyboardEvent): boolean {
  if (event.ctrlKey || event.metaKey || event.altKey) return false;
  const at = event.target as Element;
  if (at.closest('input:not([type=checkbox]), select, textarea')) return false;
  if (event.code === 'Space' && at.closest('button, a, summary, input')) return false;
  return document.querySelector('dialog:modal:not([data-keys-through])') === null;
}
