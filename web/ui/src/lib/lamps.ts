/** The five lamps of the wall view: what must work so that strip is inspected. */

import type { Live } from './api/types';

export type LampName = 'cameras' | 'light' | 'encoder' | 'classifier' | 'record';

export interface LampState {
  name: LampName;
  /** Idle: nothing runs. Off: its alarm is set aside, and nobody would be told; or nothing is known. */
  state: 'on' | 'idle' | 'off' | 'bad';
  /** Of the alarm that says why it is bad; empty: none does. */
  code: string;
}

/** Alarms that put a lamp out, the gravest first. */
const CODES: Record<LampName, readonly string[]> = {
  cameras: ['inspection_lost', 'camera_lost'],
  light: [
    'lamp_lost',
    'lamp_failing',
    'window_dirty',
    'focus_soft',
    'motion_blur',
    'camera_changed',
    'not_calibrated',
    'lamp_ageing',
  ],
  encoder: ['encoder_silent', 'encoder_stalled', 'encoder_jumped', 'encoder_mismatch', 'strip_backwards'],
  classifier: ['model_refused', 'provider_mismatch', 'classifier_late', 'headroom_low'],
  record: ['record_failing', 'disk_low'],
};

export function lampsOf(live: Live | null): LampState[] {
  return (Object.keys(CODES) as LampName[]).map((name) => {
    if (!live) return { name, state: 'off', code: '' };
    const holds = (code: string) => live.alarms.some((a) => a.code === code && a.state !== 'returned');
    const code = CODES[name].find(holds) ?? '';
    const bad =
      code !== '' ||
      (name === 'cameras' && live.cameras.some((c) => c.state === 'lost')) ||
      (name === 'classifier' && !live.provider.healthy);
    const aside = (live.alarms_aside ?? []).some((a) => CODES[name].includes(a.code));
    const idle = name === 'cameras' && live.cameras.every((c) => c.state === 'idle');
    return { name, state: bad ? 'bad' : aside ? 'off' : idle ? 'idle' : 'on', code };
  });
}
