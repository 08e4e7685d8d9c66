import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { api } from '../../src/lib/api/client';
import type { DefectColumns } from '../../src/lib/api/mapbin';
import type { CoilDetail, Defect } from '../../src/lib/api/types';
import { CoilRecord } from '../../src/lib/coil.svelte';

// The client's sentences follow the language of the browser, which node has none of.
vi.hoisted(() => {
  vi.stubGlobal('navigator', { languages: ['en'] });
  vi.stubGlobal('document', { documentElement: {} });
});

const said = (id: number, revision: number) =>
  ({ id, revision, review: { class: 'hole', by: 'Kim', at: '2026-03-01T08:00:00Z' } }) as Defect;

let detail: CoilDetail;
let reviewed: Defect[];

beforeEach(() => {
  detail = { id: 'A1', state: 'closed', revision: 5, counts: { defects: 2, reviewed: 1 } } as CoilDetail;
  reviewed = [said(7, 2)];
  vi.spyOn(api, 'coil').mockImplementation(() => Promise.resolve(detail));
  vi.spyOn(api, 'map').mockImplementation(() =>
    Promise.resolve({ count: 2, revision: detail.revision } as DefectColumns),
  );
  vi.spyOn(api, 'gaps').mockResolvedValue([]);
  vi.spyOn(api, 'reviewed').mockImplementation(() => Promise.resolve(reviewed));
});
afterEach(() => vi.restoreAllMocks());

test('a review that another station took back is not shown on', async () => {
  const record = new CoilRecord('A1');
  await record.read();
  expect([...record.reviewed.keys()]).toEqual([7]);
  detail = { ...detail, revision: 6, counts: { ...detail.counts, reviewed: 0 } };
  reviewed = [];
  await record.read();
  expect([...record.reviewed.keys()]).toEqual([]);
});

test('a review given while an older state is being read stays', async () => {
  const record = new CoilRecord('A1');
  await record.read();
  detail = { ...detail, revision: 6 };
  let answer: (read: Defect[]) => void;
  vi.spyOn(api, 'reviewed').mockReturnValue(new Promise((resolve) => (answer = resolve)));
  const reading = record.read();
  await vi.waitFor(() => expect(api.reviewed).toHaveBeenCalled());
  await record.take(said(8, 2));
  answer!([said(7, 2)]);
  await reading;
  expect([...record.reviewed.keys()]).toEqual([7, 8]);
});
