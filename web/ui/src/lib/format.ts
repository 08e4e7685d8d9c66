/** Numbers and times as the mill reads them: metres along the coil, millimetres for what is on it. */

import { onPlantClock } from './clock';
import type { Language } from './i18n/index.svelte';

const LOCALE: Record<Language, string> = { ko: 'ko-KR', en: 'en-GB' };

/** A time of the plant's clock. */
function clock(iso: string, locale: string, options: Intl.DateTimeFormatOptions): string {
  return onPlantClock(new Date(iso)).toLocaleString(locale, { ...options, timeZone: 'UTC' });
}

const made = new Map<string, Intl.NumberFormat>();

export function number(value: number, digits = 0): string {
  const key = String(digits);
  let format = made.get(key);
  if (!format) {
    // Both languages group by comma and part by point, so one locale serves both.
    format = new Intl.NumberFormat('en', { minimumFractionDigits: digits, maximumFractionDigits: digits });
    made.set(key, format);
  }
  return format.format(value);
}

export function metres(mm: number, digits = 1): string {
  return `${number(mm / 1000, digits)} m`;
}

/** A short stretch in mm, so that 16 mm do not read as nothing. */
export function stretch(mm: number): string {
  return mm < 1000 ? millimetres(mm) : metres(mm);
}

export function millimetres(mm: number, digits = 0): string {
  return `${number(mm, digits)} mm`;
}

/**
 * A share as percent that never rounds up to 100: 99.96 % inspected is not the whole coil.
 */
export function percent(share: number, digits = 1): string {
  const scale = 10 ** digits;
  const value = share >= 1 ? 100 : Math.floor(share * 100 * scale + 1e-9) / scale;
  return `${number(value, value === 100 ? 0 : digits)} %`;
}

export function time(iso: string): string {
  return clock(iso, 'en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' });
}

export function dateTime(iso: string | undefined, language: Language): string {
  if (!iso) return '–';
  return clock(iso, LOCALE[language], {
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    hour12: false,
  });
}
