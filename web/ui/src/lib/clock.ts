/** Days and hours by the plant's clock, whatever the zone of the browser. */

import { zone } from './zone.svelte';

const clocks = new Map<string, Intl.DateTimeFormat | null>();

/** null: the browser does not know the zone by this name. */
function clockOf(name: string): Intl.DateTimeFormat | null {
  if (!clocks.has(name)) {
    try {
      clocks.set(
        name,
        new Intl.DateTimeFormat('en-US', {
          timeZone: name,
          hourCycle: 'h23',
          year: 'numeric',
          month: 'numeric',
          day: 'numeric',
          hour: 'numeric',
          minute: 'numeric',
          second: 'numeric',
        }),
      );
    } catch {
      clocks.set(name, null);
    }
  }
  return clocks.get(name)!;
}

/** What the plant's clock shows at a time, as the UTC fields of the date that is given back. */
export function onPlantClock(at: Date): Date {
  const name = zone.current;
  const offset = /^([+-])(\d\d):(\d\d)$/.exec(name ?? '');
  if (offset) {
    const minutes = Number(`${offset[1]}1`) * (Number(offset[2]) * 60 + Number(offset[3]));
    return new Date(at.getTime() + minutes * 60_000);
  }
  const clock = name ? clockOf(name) : null;
  if (!clock) return new Date(at.getTime() - at.getTimezoneOffset() * 60_000); // the browser's own
  const shown = Object.fromEntries(clock.formatToParts(at).map((p) => [p.type, Number(p.value)]));
  const seconds = Date.UTC(shown.year!, shown.month! - 1, shown.day, shown.hour, shown.minute, shown.second);
  return new Date(seconds + at.getUTCMilliseconds());
}

/** The beginning of a day YYYY-MM-DD, some days on; null where it is none. */
export function startOfDay(day: string, later = 0): Date | null {
  const parts = /^(\d{4})-(\d\d)-(\d\d)$/.exec(day);
  if (!parts) return null;
  const asked = Date.UTC(Number(parts[1]), Number(parts[2]) - 1, Number(parts[3]) + later);
  const ahead = (at: number) => onPlantClock(new Date(at)).getTime() - at;
  let at = asked - ahead(asked);
  at = asked - ahead(at);
  // Where the clock skips midnight, the day begins with what it shows next.
  return new Date(at + Math.max(0, asked - onPlantClock(new Date(at)).getTime()));
}

/** The day of a time as the inputs for days write it. */
export function dayOf(time: Date): string {
  return onPlantClock(time).toISOString().slice(0, 10);
}
