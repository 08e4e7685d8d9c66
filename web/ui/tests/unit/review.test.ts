import { expect, test, vi } from 'vitest';
import { REVIEWED, type DefectColumns } from '../../src/lib/api/mapbin';
import type { Defect, Recipe } from '../../src/lib/api/types';
import { select } from '../../src/lib/map/filter';
import { Ordering } from '../../src/lib/map/order';
import { asReviewed, severityOf } from '../../src/lib/map/reviewed';
import { answerFor, answersOf, severityAfter } from '../../src/lib/review.svelte';

vi.hoisted(() => {
  vi.stubGlobal('navigator', { languages: ['en'] });
  vi.stubGlobal('document', { documentElement: {} });
});

const columns: DefectColumns = {
  count: 4,
  revision: 3,
  stripLength: 1000,
  stripWidth: 500,
  classes: ['hole', 'red_iron'],
  id: new Float64Array([7, 8, 9, 12]),
  along: new Float32Array([300, 100, 200, 200]),
  across: new Float32Array(4),
  length: new Float32Array(4),
  width: new Float32Array(4),
  classIndex: new Uint8Array([0, 1, 1, 1]),
  severity: new Uint8Array([4, 1, 1, 1]),
  side: new Uint8Array(4),
  flags: new Uint8Array([1, 1, 0, 1]),
  confidence: new Uint8Array(4).fill(200),
  order: new Uint32Array([1, 2, 3, 0]),
};
const recipe = { severity: { hole: 4, edge_crack: 3 } } as unknown as Recipe;
const said = (id: number, classId: string, severity?: number) =>
  [
    id,
    { id, review: { class: classId, by: 'Kim', at: '2026-03-01T08:00:00Z', severity } } as Defect,
  ] as const;
const everything = { classes: [], side: null, severity: 0, unreviewed: false, box: null };

test('reviewed defects have the class that a person gave and the severity of the recipe', () => {
  const seen = asReviewed(
    columns,
    new Map([said(7, 'no_defect'), said(9, 'edge_crack'), said(12, 'red_iron'), said(99, 'hole')]),
    recipe,
  );
  expect([...seen.classIndex].map((c) => seen.classes[c])).toEqual([
    'no_defect',
    'red_iron',
    'edge_crack',
    'red_iron',
  ]);
  expect([...seen.severity]).toEqual([0, 1, 3, 1]);
  expect([...seen.flags]).toEqual([1 | REVIEWED, 1, REVIEWED, 1 | REVIEWED]);
  expect([...columns.severity]).toEqual([4, 1, 1, 1]);
  expect(columns.classes).toEqual(['hole', 'red_iron']);
});

test('a severity that a person gave counts in place of the recipe’s', () => {
  const seen = asReviewed(
    columns,
    new Map([said(7, 'hole', 0), said(8, 'red_iron', 4), said(9, 'hole'), said(12, 'unknown', 3)]),
    recipe,
  );
  expect([...seen.severity]).toEqual([0, 4, 4, 3]);
  expect([...select(seen, { ...everything, severity: 4 })]).toEqual([1, 2]);
  expect(severityOf(null, { class: 'hole', severity: 2 })).toBe(2);
  expect(severityOf(null, { class: 'hole' })).toBe(1);
});

test('S goes once round the severities from the one above the recipe’s, and back to the recipe’s', () => {
  for (const [ofRecipe, round] of [
    [1, [2, 3, 4, 0, 1]],
    [4, [0, 1, 2, 3, 4]],
    [0, [1, 2, 3, 4, 0]],
  ] as const) {
    let at: number | undefined;
    const seen = [...round, undefined].map(() => (at = severityAfter(at, ofRecipe)));
    expect(seen, `from ${ofRecipe}`).toEqual([...round, undefined]);
  }
});

test('the filter for what nobody reviewed leaves the others', () => {
  const seen = asReviewed(columns, new Map([said(9, 'hole')]), recipe);
  expect([...select(seen, everything)]).toEqual([1, 2, 3, 0]);
  expect([...select(seen, { ...everything, unreviewed: true })]).toEqual([1, 3, 0]);
});

test('a defect that the filter let go still has its place', () => {
  const selection = Uint32Array.of(1, 3, 0);
  const along = new Ordering(columns, 'along');
  expect(along.placeOf(selection, 3)).toEqual({ at: 1, found: true });
  expect(along.placeOf(selection, 2)).toEqual({ at: 1, found: false }); // the next is at the same place
  expect(along.placeOf(Uint32Array.of(1), 0)).toEqual({ at: 1, found: false });
});

test('keys give answers by their code, and no two answers share one', () => {
  const answers = answersOf(['no_defect', 'hole', 'red_iron', 'unknown', 'unclassified']);
  expect(answers.map((a) => a.classId)).toEqual(['hole', 'red_iron', 'no_defect', 'unknown']);
  expect(answerFor('Digit2', answers)?.classId).toBe('red_iron');
  expect(answerFor('Numpad1', answers)?.classId).toBe('hole');
  expect(answerFor('Digit0', answers)?.classId).toBe('no_defect');
  expect(answerFor('KeyU', answers)?.classId).toBe('unknown');
  expect(answerFor('Digit3', answers)).toBeUndefined();
  expect(answerFor('KeyJ', answers)).toBeUndefined();
  const many = answersOf(Array.from({ length: 12 }, (_, i) => `class_${i}`));
  const keys = many.map((a) => a.key).filter(Boolean);
  expect(new Set(keys).size).toBe(keys.length);
  expect(many[11]!.key).toBe('');
});
