import { read, write } from '../stored';
import { en, type Messages } from './en';
import { ko } from './ko';

/**
 * Messages in both languages. They are plain typed modules: the type of the English one makes the
 * compiler refuse a Korean one with a message missing, and the language changes without a reload.
 */

export const LANGUAGES = ['ko', 'en'] as const;
export type Language = (typeof LANGUAGES)[number];

const KEY = 'coilsight.language';
const all: Record<Language, Messages> = { ko, en };

const preferred = navigator.languages.some((l) => l.toLowerCase().startsWith('ko')) ? 'ko' : 'en';
let current = $state<Language>(read(KEY, LANGUAGES) ?? preferred);

function apply(): void {
  document.documentElement.lang = current;
}

apply();

export const language = {
  get current(): Language {
    return current;
  },
  set(next: Language): void {
    current = next;
    write(KEY, next);
    apply();
  },
};

/** The messages of the language in use. */
export function t(): Messages {
  return all[current];
}
