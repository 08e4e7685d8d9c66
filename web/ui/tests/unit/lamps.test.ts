import { expect, test } from 'vitest';
import type { Alarm, Live } from '../../src/lib/api/types';
import { lampsOf } from '../../src/lib/lamps';

const alarm = (code: string, state: Alarm['state'] = 'active') => ({ code, state }) as Alarm;
const live = (patch: Partial<Live>) =>
  ({
    alarms: [],
    alarms_aside: [],
    cameras: [{ state: 'running' }],
    provider: { healthy: true },
    ...patch,
  }) as Live;
const states = (l: Live | null) => Object.fromEntries(lampsOf(l).map((x) => [x.name, x.state]));
const fine = { cameras: 'on', light: 'on', encoder: 'on', classifier: 'on', record: 'on' };

test('every lamp is on while everything works', () => expect(states(live({}))).toEqual(fine));

test('nothing known is not taken for working', () => {
  expect(new Set(Object.values(states(null)))).toEqual(new Set(['off']));
});

test.each([
  ['camera_lost', 'cameras'],
  ['lamp_lost', 'light'],
  ['encoder_silent', 'encoder'],
  ['provider_mismatch', 'classifier'],
  ['disk_low', 'record'],
])('%s puts out the lamp %s, acknowledged or not, until it has gone', (code, lamp) => {
  expect(states(live({ alarms: [alarm(code)] }))).toEqual({ ...fine, [lamp]: 'bad' });
  expect(states(live({ alarms: [alarm(code, 'acknowledged')] }))).toEqual({ ...fine, [lamp]: 'bad' });
  expect(states(live({ alarms: [alarm(code, 'returned')] }))).toEqual(fine);
  expect(states(live({ alarms_aside: [alarm(code, 'shelved')] }))).toEqual({ ...fine, [lamp]: 'off' });
});

test('what is seen without an alarm counts too', () => {
  expect(
    states(live({ cameras: [{ state: 'running' }, { state: 'lost' }] as Live['cameras'] })).cameras,
  ).toBe('bad');
  expect(states(live({ cameras: [{ state: 'idle' }] as Live['cameras'] })).cameras).toBe('idle');
  expect(states(live({ provider: { healthy: false } as Live['provider'] })).classifier).toBe('bad');
});

test('the gravest alarm of a lamp is told', () => {
  const lamp = lampsOf(live({ alarms: [alarm('camera_lost'), alarm('inspection_lost')] }))[0]!;
  expect(lamp).toEqual({ name: 'cameras', state: 'bad', code: 'inspection_lost' });
});
