/**
 * The defects that wait for a person, and the answers on their way. An answer shows the next defect at once and is saved
 * behind; what cannot be saved stays here until it is.
 */

import { api, imageUrl, RequestError, sentenceOf } from './api/client';
import type { Defect, QueueItem, QueueReason, ReviewRequest } from './api/types';

/** Defects read at once, and how few may be left before more are read. */
const PAGE = 50;
const LOW = 20;
/** Pictures fetched ahead. */
const AHEAD = 8;
/** Answers that the rate is taken over. */
const RATE_OVER = 60;

interface Given {
  defect: Defect;
  /** Its place in the queue, where it had been read. */
  item: QueueItem | null;
  said: ReviewRequest;
  state: 'saving' | 'saved' | 'failed';
  /** Answers given by one key share a number, and are taken back together. */
  key: number;
}

export interface Notice {
  kind: 'answered' | 'undone' | 'taken' | 'notUndone' | 'nothing';
  id: number;
  classId: string;
  /** That went with the class, where one did. */
  severity?: number | undefined;
  /** Defects beside it that were answered alike. */
  also?: number;
  /** What went wrong, as a sentence. */
  why?: string;
}

export class Queue {
  items = $state.raw<readonly QueueItem[]>([]);
  at = $state(0);
  waiting = $state(0);
  byReason = $state.raw<Partial<Record<QueueReason, number>>>({});
  done = $state(0);
  loading = $state(true);
  error = $state.raw<unknown>(null);
  notice = $state.raw<Notice | null>(null);
  failed = $state.raw<readonly Given[]>([]);
  /** Why the newest of them failed, as a sentence. */
  why = $state('');
  /** ms since the epoch of the newest answers. */
  times = $state.raw<readonly number[]>([]);

  #given: Given[] = [];
  #keys = 0;
  #revised = new Map<number, Defect>(); // as the appliance last answered
  #cursor = '';
  #more = false;
  #saves: Promise<unknown> = Promise.resolve(); // one after the other: an undo follows what it undoes
  #pictures = new Map<number, HTMLImageElement>();
  #filter = { reason: '', coil: '' };
  #reading: AbortController | null = null;

  get item(): QueueItem | null {
    return this.items[this.at] ?? null;
  }

  /** Answers a minute over the newest; 0 where there are too few to tell. */
  get rate(): number {
    const [first, last] = [this.times[0], this.times.at(-1)];
    if (first === undefined || last === undefined || this.times.length < 3) return 0;
    return ((this.times.length - 1) * 60_000) / Math.max(1, last - first);
  }

  /** Begins anew with what waits for a reason ('': any), of a coil ('': all). */
  async start(reason: string, coil: string): Promise<void> {
    this.#filter = { reason, coil };
    this.#cursor = '';
    this.#more = true;
    this.items = [];
    this.at = 0;
    this.loading = true;
    this.error = null;
    this.#reading?.abort();
    this.#reading = null;
    await this.#read();
  }

  async #read(): Promise<void> {
    if (!this.#more || this.#reading) return;
    const reading = new AbortController();
    this.#reading = reading;
    const query = new URLSearchParams({ limit: String(PAGE) });
    if (this.#cursor) query.set('cursor', this.#cursor);
    if (this.#filter.reason) query.set('reason', this.#filter.reason);
    if (this.#filter.coil) query.set('coil', this.#filter.coil);
    const before = this.#onTheirWay();
    try {
      const page = await api.reviewQueue(query, reading.signal);
      if (reading.signal.aborted) return;
      this.#cursor = page.next_cursor ?? '';
      this.#more = this.#cursor !== '';
      // What was on its way to the record still waited when the page was made.
      const open = new Set([...before, ...this.#onTheirWay()]);
      const known = new Set([...[...open].map((g) => g.defect.id), ...this.items.map((i) => i.defect.id)]);
      const fresh = page.items.filter((i) => !known.has(i.defect.id));
      this.items = [...this.items, ...fresh];
      [this.waiting, this.byReason] = [page.waiting, page.by_reason];
      for (const { item } of open) if (item) this.#count(item, -1);
      this.waiting = Math.max(fresh.length, this.waiting);
      this.error = null;
    } catch (error) {
      if (reading.signal.aborted) return;
      this.#reading = null;
      [this.error, this.loading] = [error, false];
      return; // to ask again at once would not end while the appliance does not answer
    }
    this.#reading = null;
    this.loading = this.items.length === 0 && this.#more;
    this.#fetchAhead();
  }

  #onTheirWay(): Given[] {
    return this.#given.filter((g) => g.state !== 'saved');
  }

  /** Whether an answer is not in the record yet: to leave the browser would lose it. */
  get unsaved(): boolean {
    return this.#onTheirWay().length > 0;
  }

  /** Goes on where the connection was lost. */
  resume(): void {
    this.saveAgain();
    if (this.error) void this.#read();
  }

  /** Goes to another defect without an answer. */
  step(by: 1 | -1): void {
    this.at = Math.max(0, Math.min(this.items.length - 1, this.at + by));
    this.#fetchAhead();
  }

  /** Takes an answer for the defect shown, and for those that repeat with it, and shows the next. */
  answer(said: ReviewRequest, repeats: readonly Defect[] = []): void {
    const shown = this.item;
    if (!shown) return;
    const key = ++this.#keys;
    const read = new Map(this.items.map((i) => [i.defect.id, i]));
    const others = repeats.filter((d) => d.id !== shown.defect.id);
    for (const defect of [shown.defect, ...others]) {
      const item = read.get(defect.id) ?? null;
      const given: Given = { defect: item?.defect ?? defect, item, said, state: 'saving', key };
      this.#given.push(given);
      this.#then(() => this.#save(given));
      this.done++;
      this.times = [...this.times, Date.now()].slice(-RATE_OVER);
      if (item) this.#count(item, -1);
    }
    this.notice = {
      kind: 'answered',
      id: shown.defect.id,
      classId: said.class,
      severity: said.severity,
      also: others.length,
    };
    this.#remove(new Set([shown.defect.id, ...others.map((d) => d.id)]));
    if (others.length > 0) this.#then(() => this.#recount());
  }

  /** Counts anew what waits: of defects that had not been read, nobody here knows why they waited. */
  async #recount(): Promise<void> {
    const query = new URLSearchParams({ limit: '1' });
    if (this.#filter.coil) query.set('coil', this.#filter.coil);
    const page = await api.reviewQueue(query).catch(() => null); // then they are counted with the next page
    if (!page) return;
    this.waiting = page.waiting;
    this.byReason = page.by_reason;
    for (const { item } of this.#onTheirWay()) if (item) this.#count(item, -1);
  }

  async #save(given: Given): Promise<void> {
    const { defect } = given;
    try {
      const now = await this.#review(this.#revised.get(defect.id) ?? defect, given.said);
      if (now) {
        this.#revised.set(defect.id, now);
        given.state = 'saved';
      } else {
        this.#forget(given);
        this.#revised.delete(defect.id);
        this.notice = { kind: 'taken', id: defect.id, classId: given.said.class };
      }
    } catch (error) {
      given.state = 'failed';
      this.why = sentenceOf(error);
    }
    this.failed = this.#given.filter((g) => g.state === 'failed');
  }

  /** Records an answer and gives the defect as it is then; null where somebody else's stands. */
  async #review(seen: Defect, said: ReviewRequest): Promise<Defect | null> {
    try {
      return await api.review(seen, said);
    } catch (error) {
      if (!(error instanceof RequestError && error.status === 412)) throw error;
    }
    // Not every change is somebody else's answer: it may be this one, whose receipt was lost, or one that was taken back.
    const now = await api.defect(seen.id);
    const { review } = now;
    if (review && review.by !== said.by) return null;
    const recorded =
      review?.class === said.class &&
      (review.note ?? '') === (said.note ?? '') &&
      review.severity === said.severity;
    return recorded ? now : api.review(now, said);
  }

  saveAgain(): void {
    for (const given of this.failed) {
      given.state = 'saving';
      this.#then(() => this.#save(given));
    }
    this.failed = [];
  }

  /** Gives up the answers that could not be saved and shows their defects again. */
  showAgain(): void {
    for (const given of [...this.failed].reverse()) {
      this.#forget(given);
      if (given.item) this.#put(given.item);
    }
    this.failed = [];
    this.#then(() => this.#recount());
  }

  /** Takes back what the last key answered and shows its defects again. */
  undo(): void {
    const last = this.#given.at(-1);
    if (!last) {
      this.notice = { kind: 'nothing', id: 0, classId: '' };
      return;
    }
    const together = this.#given.filter((g) => g.key === last.key);
    const [{ defect, said }] = together as [Given];
    this.notice = {
      kind: 'undone',
      id: defect.id,
      classId: said.class,
      severity: said.severity,
      also: together.length - 1,
    };
    for (const given of together.reverse()) this.#takeBack(given);
    this.failed = this.#given.filter((g) => g.state === 'failed');
    if (together.length > 1) this.#then(() => this.#recount());
  }

  #takeBack(given: Given): void {
    this.#forget(given);
    if (given.item) this.#put(given.item);
    this.#then(async () => {
      if (given.state !== 'saved') return; // it never came to the record
      const { defect } = given;
      try {
        this.#revised.set(defect.id, await api.withdraw(this.#revised.get(defect.id)!, given.said.by));
      } catch (error) {
        this.notice = {
          kind: 'notUndone',
          id: defect.id,
          classId: given.said.class,
          why: sentenceOf(error),
        };
        // It stands as it was answered: another answer goes on from there.
        const now = await api.defect(defect.id).catch(() => null);
        if (now) this.#revised.set(defect.id, now);
      }
    });
  }

  #then(next: () => Promise<void>): void {
    this.#saves = this.#saves.then(next);
  }

  /** An answer that was not taken, or was taken back, is not done. */
  #forget(given: Given): void {
    this.#given = this.#given.filter((g) => g !== given);
    this.done--;
    this.times = this.times.slice(0, -1);
  }

  #remove(ids: ReadonlySet<number>): void {
    const stays = (i: QueueItem) => !ids.has(i.defect.id);
    const at = this.items.slice(0, this.at).filter(stays).length;
    this.items = this.items.filter(stays);
    this.at = Math.max(0, Math.min(at, this.items.length - 1));
    if (this.items.length === 0) {
      this.loading = true;
      // Coils may have ended since the first page was read.
      if (!this.#more) this.#then(() => this.start(this.#filter.reason, this.#filter.coil));
    }
    this.#fetchAhead();
  }

  #put(item: QueueItem): void {
    this.items = [...this.items.slice(0, this.at), item, ...this.items.slice(this.at)];
    this.#count(item, 1);
  }

  #count(item: QueueItem, by: 1 | -1): void {
    this.waiting += by;
    const counts = { ...this.byReason };
    for (const r of item.reasons) counts[r] = (counts[r] ?? 0) + by;
    this.byReason = counts;
  }

  #fetchAhead(): void {
    const next = this.items.slice(this.at, this.at + 1 + AHEAD).filter((i) => i.defect.has_image);
    const kept = new Map<number, HTMLImageElement>();
    for (const { defect } of next) {
      let picture = this.#pictures.get(defect.id);
      if (!picture) {
        picture = new Image();
        picture.src = imageUrl(defect.id);
      }
      kept.set(defect.id, picture);
    }
    this.#pictures = kept;
    if (this.items.length - this.at < LOW) void this.#read();
  }
}

/** One for the browser: to look at the map and come back loses no answer. */
export const queue = new Queue();

let badge = $state(0);

/** How many defects wait, for the header. */
export const waitingCount = () => badge;

export async function countWaiting(): Promise<void> {
  const page = await api.reviewQueue(new URLSearchParams({ limit: '1' })).catch(() => null);
  if (page) badge = page.waiting;
}
