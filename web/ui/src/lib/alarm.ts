import type { Alarm } from './api/types';
import { className } from './catalogue.svelte';
import type { AlarmText } from './i18n/alarm.en';
import { t } from './i18n/index.svelte';

/** Whether nobody has said yet that he knows of it. */
export function isUnacknowledged(alarm: Alarm): boolean {
  return alarm.state === 'active' || alarm.state === 'returned';
}

export function alarmText(alarm: Pick<Alarm, 'code'>): AlarmText {
  return t().alarm[alarm.code] ?? t().alarmUnknown(alarm.code);
}

/** What an alarm is about, from the values it carries, and the page that shows it. */
export function alarmSubject(alarm: Pick<Alarm, 'values'>): { text: string; href: string } {
  const v = alarm.values ?? {};
  const side = v.side === 'top' || v.side === 'bottom' ? t().side[v.side] : '';
  const parts = [
    v.roll ?? '',
    v.period_mm && !v.roll && v.diameter_mm ? t().roll.unlisted(`${v.diameter_mm} mm`) : '',
    v.class ? className(v.class) : '',
    v.count && v.within_m ? t().alarms.countIn(v.count, v.within_m) : '',
    v.percent ? `${v.percent} %` : '',
    v.free_gb ? `${v.free_gb} GB` : '',
    side || (v.camera ?? ''),
    v.along_m ? `${v.along_m} m` : '',
    v.across_mm ? t().roll.across(`${v.across_mm} mm`) : '',
    v.period_mm ? t().roll.period(`${v.period_mm} mm`) : '',
    v.softer ? t().live.softer(v.softer) : '',
    v.darker ? t().live.darker(v.darker) : '',
    v.frames ? t().live.frames(v.frames) : '',
    v.metres ? `${v.metres} m` : '',
    v.speed ? t().live.runsTo(`${v.speed} m/s`) : '',
    v.configured ? t().live.providerBad(v.configured, v.measured ?? '–') : '',
    v.hours ? t().live.checkedAgo(v.hours) : '',
    (v.changed ?? '')
      .split(', ')
      .map((name) => t().cameras.figure[name] ?? name)
      .filter(Boolean)
      .join(', '),
    v.silent_s ? t().live.silentFor(v.silent_s) : '',
    v.reason ? t().alarmReason(v.reason) : '',
  ];
  const coil = v.coil ? `/coils/${encodeURIComponent(v.coil)}` : '';
  return {
    text: parts.filter(Boolean).join(' · '),
    href: coil && v.defect ? `${coil}?defect=${v.defect}` : coil,
  };
}
