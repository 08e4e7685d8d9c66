import { beforeEach, describe, expect, test, vi } from 'vitest';

const kept = vi.hoisted(() => {
  const values = new Map<string, string>();
  vi.stubGlobal('navigator', { languages: ['en'] });
  vi.stubGlobal('document', { documentElement: {} });
  vi.stubGlobal('localStorage', {
    getItem: (key: string) => values.get(key) ?? null,
    setItem: (key: string, value: string) => values.set(key, value),
  });
  return values;
});

/** The module as a page finds it that is opened now. */
async function opened() {
  vi.resetModules();
  return import('../../src/lib/keys.svelte');
}

beforeEach(() => kept.clear());

test('each action has a key of its own as delivered', async () => {
  const { ACTIONS, actionOf, keys } = await opened();
  expect(keys.isPreset).toBe(true);
  expect(new Set(ACTIONS.map((a) => keys.printed(a))).size).toBe(ACTIONS.length);
  expect(actionOf('KeyJ')).toBe('next');
  expect(actionOf('KeyQ')).toBeUndefined();
});

test('a key that another action has is exchanged with it, and is kept', async () => {
  const { actionOf, keys } = await opened();
  expect(keys.set('next', 'KeyK')).toBe(true);
  expect([actionOf('KeyK'), actionOf('KeyJ')]).toEqual(['next', 'previous']);
  expect(keys.set('picture', 'NumpadDecimal')).toBe(true);
  expect(actionOf('Space')).toBeUndefined();

  const later = await opened();
  expect(later.keys.printed('next')).toBe('K');
  expect(later.keys.printed('picture')).toBe('Num .');
  later.keys.reset();
  expect((await opened()).keys.isPreset).toBe(true);
});

test.each(['Digit1', 'Numpad0', 'Enter', 'Escape', 'ArrowLeft', 'Equal', 'F5', 'toString'])(
  'the key %s keeps its own meaning',
  async (code) => {
    const { keys } = await opened();
    expect(keys.set('next', code)).toBe(false);
    expect(keys.isPreset).toBe(true);
  },
);

describe('what a browser kept', () => {
  test.each([
    ['nothing that can be read', '{'],
    ['no keys', 'null'],
    ['one key for two actions', '{"next":"KeyA"}'],
    ['a key that may not be chosen', '{"next":"Digit4"}'],
    ['no code', '{"next":7}'],
  ])('%s is as delivered', async (_, value) => {
    kept.set('coilsight.keys', value);
    expect((await opened()).keys.isPreset).toBe(true);
  });

  test('from before an action existed gives it its own key', async () => {
    kept.set('coilsight.keys', '{"next":"KeyN"}');
    const { actionOf } = await opened();
    expect([actionOf('KeyN'), actionOf('KeyS')]).toEqual(['next', 'severity']);
  });
});
