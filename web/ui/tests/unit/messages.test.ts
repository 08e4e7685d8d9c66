import { expect, test } from 'vitest';
import { en } from '../../src/lib/i18n/en';
import { ko } from '../../src/lib/i18n/ko';

/** Every message by its path; functions are called with as many words as they take. */
function flatten(value: unknown, path = ''): Map<string, { text: string; words: number }> {
  const out = new Map<string, { text: string; words: number }>();
  if (typeof value === 'string') out.set(path, { text: value, words: 0 });
  else if (typeof value === 'function') {
    const words = Array.from({ length: value.length }, (_, i) => `<${i}>`);
    out.set(path, { text: value(...words), words: value.length });
    if (typeof out.get(path)!.text !== 'string') {
      const inner = flatten(value(...words), path);
      out.delete(path);
      for (const [k, v] of inner) out.set(k, { ...v, words: 0 });
    }
  } else
    for (const [key, inner] of Object.entries(value as object)) {
      for (const [k, v] of flatten(inner, path ? `${path}.${key}` : key)) out.set(k, v);
    }
  return out;
}

const [english, korean] = [flatten(en), flatten(ko)];

test('both languages say the same messages', () => {
  expect([...korean.keys()].sort()).toEqual([...english.keys()].sort());
  expect(english.size).toBeGreaterThan(200);
});

test('a message of either language uses every word it is given', () => {
  for (const [language, messages] of [
    ['en', english],
    ['ko', korean],
  ] as const) {
    for (const [path, { text, words }] of messages) {
      for (let i = 0; i < words; i++) expect(text, `${language} ${path}`).toContain(`<${i}>`);
    }
  }
});

test('Korean messages are Korean', () => {
  const universal = /^(API|MB\/s|p99 ms|\/ <0>|→ <0>|× 임계값|)$/;
  for (const [path, { text }] of korean) {
    expect(/[가-힣]/.test(text) || universal.test(text), `${path}: "${text}"`).toBe(true);
  }
});

test.each([
  ['the camera is silent: it does not answer', '카메라가 응답하지 않음'],
  [
    'camera top: 10.0.0.5 is held by another program or host (10.0.0.9)',
    '다른 프로그램이나 호스트가 카메라를 사용 중',
  ],
  ['something new', '원인: something new'],
])('a camera’s reason is told in Korean: %s', (said, want) => {
  expect(ko.alarmReason(said)).toBe(want);
  expect(en.alarmReason(said)).toBe(said);
});
