import { beforeEach, expect, test, vi } from 'vitest';
import type { Defect, QueueItem, ReviewQueue } from '../../src/lib/api/types';

class RequestError extends Error {
  constructor(readonly status: number) {
    super(`status ${status}`);
  }
}

const api = { reviewQueue: vi.fn(), review: vi.fn(), withdraw: vi.fn(), defect: vi.fn() };
vi.mock('../../src/lib/api/client', () => ({
  api,
  RequestError,
  sentenceOf: (error: Error) => error.message,
  imageUrl: (id: number) => `/${id}`,
}));
vi.stubGlobal('Image', class {});

const { Queue } = await import('../../src/lib/queue.svelte');

const item = (id: number): QueueItem =>
  ({ defect: { id, revision: 1, has_image: true }, reasons: ['severe'] }) as unknown as QueueItem;

const page = (ids: number[], more: Partial<ReviewQueue> = {}) =>
  ({ items: ids.map(item), waiting: ids.length, by_reason: { severe: ids.length }, ...more }) as ReviewQueue;

const said = (classId: string, by = 'Kim') => ({ class: classId, by });
const saved = (defect: Defect, review: { class: string; by: string }) => ({
  ...defect,
  revision: defect.revision + 1,
  review,
});
const ids = (queue: InstanceType<typeof Queue>) => queue.items.map((i) => i.defect.id);

/** An answer of the appliance that comes when it is told to. */
function later<T>() {
  let give!: (value: T) => void;
  const promise = new Promise<T>((done) => (give = done));
  return { promise, give };
}

const settled = () => new Promise((done) => setTimeout(done, 20));

beforeEach(() => {
  for (const f of Object.values(api)) f.mockReset();
  api.review.mockImplementation(async (seen: Defect, review) => saved(seen, review));
});

test('a queue that cannot be read is asked for once, and then when somebody asks again', async () => {
  api.reviewQueue.mockRejectedValue(new RequestError(404));
  const queue = new Queue();
  await queue.start('', 'NO-SUCH-COIL');
  await settled();
  expect(api.reviewQueue).toHaveBeenCalledTimes(1);
  expect(queue.error).toMatchObject({ status: 404 });

  const answer = later<ReviewQueue>();
  api.reviewQueue.mockReturnValue(answer.promise);
  const reading = queue.start('', '');
  expect([queue.error, queue.loading], 'while it is read again').toEqual([null, true]);
  answer.give(page([1]));
  await reading;
  expect(ids(queue)).toEqual([1]);
});

test('what was not read for want of a connection is read when that stands', async () => {
  api.reviewQueue.mockRejectedValueOnce(new RequestError(0)).mockResolvedValue(page([1, 2]));
  const queue = new Queue();
  await queue.start('', '');
  queue.resume();
  await settled();
  expect([ids(queue), queue.error]).toEqual([[1, 2], null]);
});

test('where the next page is on its way, nobody is told that nothing waits', async () => {
  const next = later<ReviewQueue>();
  api.reviewQueue.mockResolvedValueOnce(page([1], { next_cursor: 'x' })).mockReturnValueOnce(next.promise);
  const queue = new Queue();
  await queue.start('', '');
  queue.answer(said('hole'));
  expect([queue.item, queue.loading]).toEqual([null, true]);
  next.give(page([2]));
  await settled();
  expect([ids(queue), queue.loading]).toEqual([[2], false]);
});

test('an answer that is saved while the queue is read anew is not asked for again', async () => {
  api.reviewQueue.mockResolvedValueOnce(page([1, 2]));
  const queue = new Queue();
  await queue.start('', '');
  const saving = later<Defect>();
  api.review.mockReturnValueOnce(saving.promise);
  queue.answer(said('hole'));
  const read = later<ReviewQueue>();
  api.reviewQueue.mockReturnValueOnce(read.promise);
  const reading = queue.start('severe', '');
  saving.give(saved(item(1).defect, said('hole')) as Defect);
  await settled();
  read.give(page([1, 2])); // as it was when it was asked for
  await reading;
  expect([ids(queue), queue.waiting, queue.byReason]).toEqual([[2], 1, { severe: 1 }]);
});

test('an answer whose receipt was lost is saved, once', async () => {
  api.reviewQueue.mockResolvedValue(page([1, 2]));
  const queue = new Queue();
  await queue.start('', '');
  api.review.mockRejectedValueOnce(new RequestError(0));
  queue.answer(said('hole'));
  await settled();
  expect([queue.failed.length, queue.unsaved]).toEqual([1, true]);
  api.review.mockRejectedValueOnce(new RequestError(412));
  api.defect.mockResolvedValueOnce(saved(item(1).defect, said('hole')));
  queue.saveAgain();
  await settled();
  expect(queue.notice?.kind).toBe('answered');
  expect([queue.failed.length, queue.done, queue.unsaved]).toEqual([0, 1, false]);
  expect(api.review).toHaveBeenCalledTimes(2);
});

test('a severity goes with the answers for all that repeat', async () => {
  api.reviewQueue.mockResolvedValue(page([1, 2, 3]));
  const queue = new Queue();
  await queue.start('', '');
  const trivial = { ...said('hole'), severity: 0 };
  queue.answer(trivial, [item(1).defect, item(3).defect]);
  await settled();
  expect(api.review.mock.calls.map(([seen, review]) => [(seen as Defect).id, review])).toEqual([
    [1, trivial],
    [3, trivial],
  ]);
});

test('an answer that stands with another severity is not the one whose receipt was lost', async () => {
  api.reviewQueue.mockResolvedValue(page([1, 2]));
  const queue = new Queue();
  await queue.start('', '');
  const grave = { ...said('hole'), severity: 4 };
  api.review.mockRejectedValueOnce(new RequestError(412));
  const stands = { ...saved(item(1).defect, said('hole')), revision: 2 };
  api.defect.mockResolvedValueOnce(stands);
  queue.answer(grave);
  await settled();
  expect(api.review).toHaveBeenLastCalledWith(stands, grave);
  expect(queue.notice).toMatchObject({ kind: 'answered', classId: 'hole', severity: 4 });

  api.review.mockClear();
  api.review.mockRejectedValueOnce(new RequestError(412));
  api.defect.mockResolvedValueOnce(saved(item(2).defect, grave));
  queue.answer(grave);
  await settled();
  expect(api.review).toHaveBeenCalledTimes(1);
  expect(queue.done).toBe(2);
});

test('a defect that somebody reviewed and took back takes an answer; one that stands does not', async () => {
  api.reviewQueue.mockResolvedValue(page([1, 2, 3]));
  const queue = new Queue();
  await queue.start('', '');
  api.review.mockRejectedValueOnce(new RequestError(412));
  api.defect.mockResolvedValueOnce({ ...item(1).defect, revision: 3 });
  queue.answer(said('hole'));
  await settled();
  expect(api.review).toHaveBeenLastCalledWith(expect.objectContaining({ revision: 3 }), said('hole'));
  expect([queue.notice?.kind, queue.done]).toEqual(['answered', 1]);

  api.review.mockRejectedValueOnce(new RequestError(412));
  api.defect.mockResolvedValueOnce(saved(item(2).defect, said('scratch', 'Lee')));
  queue.answer(said('hole'));
  await settled();
  expect([queue.notice?.kind, queue.done, ids(queue)]).toEqual(['taken', 1, [3]]);
});
