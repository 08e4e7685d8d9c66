/** Names of the defect classes in both languages. They are data of the model, read once. */

import { api } from './api/client';
import type { ClassInfo } from './api/types';
import { language, t, type Language } from './i18n/index.svelte';

let classes = $state.raw<ReadonlyMap<string, ClassInfo>>(new Map());

export async function readCatalogue(): Promise<void> {
  const list = await api.classes().catch(() => []); // names fall back to the identifiers
  classes = new Map(list.map((c) => [c.id, c]));
}

/** The identifiers of the catalogue, in its order. */
export const classIds = (): string[] => [...classes.keys()];

/** The name of a class; its identifier in words where the catalogue has none. */
export function className(id: string, lang: Language = language.current): string {
  return classes.get(id)?.[lang] || id.replaceAll('_', ' ');
}

/** What a person said, in words; a severity only where one was given. */
export function answerText(said: { class: string; severity?: number | undefined }): string {
  const name = className(said.class);
  return said.severity === undefined ? name : t().review.withSeverity(name, String(said.severity));
}

export const otherLanguage = (lang: Language): Language => (lang === 'ko' ? 'en' : 'ko');
