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
  item: QueueItem;
  said: ReviewRequest;
  state: 'saving' | 'saved' | 'failed';
}

export interface Notice {
  kind: 'answered' | 'undone' | 'taken' | 'notUndone' | 'nothing';
  id: number;
  classId: string;
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
    try {
      const page = await api.reviewQueue(query, reading.signal);
      if (reading.signal.aborted) return;
      this.#cursor = page.next_cursor ?? '';
      this.#more = this.#cursor !== '';
      // What is on its way to the record still waited when the page was made.
      const open = this.#given.filter((g) => g.state !== 'saved').map((g) => g.item.defect.id);
      const known = new Set([...open, ...this.items.map((i) => i.defect.id)]);
      const fresh = page.items.filter((i) => !known.has(i.defect.id));
      this.items = [...this.items, ...fresh];
      this.waiting = Math.max(fresh.length, page.waiting - open.length);
      this.byReason = page.by_reason;
      this.error = null;
    } catch (error) {
      if (reading.signal.aborted) return;
      this.error = error;
    }
    this.#reading = null;
    this.loading = false;
    this.#fetchAhead();
  }

  /** Goes to another defect without an answer. */
  step(by: 1 | -1): void {
    this.at = Math.max(0, Math.min(this.items.length - 1, this.at + by));
    this.#fetchAhead();
  }

  /** Takes an answer for the defect shown and shows the next. */
  answer(said: ReviewRequest): void {
    const item = this.item;
    if (!item) return;
    const given: Given = { item, said, state: 'saving' };
    this.#given.push(given);
    this.#remove(item);
    this.done++;
    this.times = [...this.times, Date.now()].slice(-RATE_OVER);
    this.notice = { kind: 'answered', id: item.defect.id, classId: said.class };
    this.#then(() => this.#save(given));
  }

  async #save(given: Given): Promise<void> {
    const { defect } = given.item;
    try {
      this.#revised.set(defect.id, await api.review(this.#revised.get(defect.id) ?? defect, given.said));
      given.state = 'saved';
    } catch (error) {
      if (error instanceof RequestError && error.status === 412) {
        this.#forget(given);
        this.#revised.delete(defect.id);
        this.notice = { kind: 'taken', id: defect.id, classId: given.said.class };
        return;
      }
      given.state = 'failed';
      this.why = sentenceOf(error);
    }
    this.failed = this.#given.filter((g) => g.state === 'failed');
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
      this.#put(given.item);
    }
    this.failed = [];
  }

  /** Takes the last answer back and shows its defect again. */
  undo(): void {
    const given = this.#given.at(-1);
    if (!given) {
      this.notice = { kind: 'nothing', id: 0, classId: '' };
      return;
    }
    this.#forget(given);
    this.failed = this.#given.filter((g) => g.state === 'failed');
    this.#put(given.item);
    this.notice = { kind: 'undone', id: given.item.defect.id, classId: given.said.class };
    this.#then(async () => {
      if (given.state !== 'saved') return; // it never came to the record
      const { defect } = given.item;
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

  #remove(item: QueueItem): void {
    this.items = this.items.filter((i) => i !== item);
    this.at = Math.max(0, Math.min(this.at, this.items.length - 1));
    this.#count(item, -1);
    // Coils may have ended since the first page was read.
    if (this.items.length === 0 && !this.#more) {
      this.loading = true;
      this.#then(() => this.start(this.#filter.reason, this.#filter.coil));
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
