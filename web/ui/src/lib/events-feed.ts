/**
 * The line's event stream. A browser allows six connections to a server, so all tabs share one stream
 * where a SharedWorker is to be had; elsewhere each tab opens its own.
 */

export type FeedMessage =
  | { kind: 'open' } // the stream stands; events may have been missed before
  | { kind: 'lost'; since: number } // ms since the epoch; the browser goes on trying
  | { kind: 'resync' } // the server dropped events for us: read the state anew
  | { kind: 'event'; type: EventType; data: unknown };

export const EVENT_TYPES = ['status', 'defect', 'coil', 'alarm'] as const;
export type EventType = (typeof EVENT_TYPES)[number];

/** A stream that was cut off is asked for again after this long. */
const RETRY_MS = 2000;
/** The server sends at least a heartbeat or a status in this time; longer silence is a dead connection. */
const SILENCE_MS = 40_000;

export class Feed {
  #source: EventSource | null = null;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #watch: ReturnType<typeof setInterval> | undefined;
  #heard = 0;
  /** When the connection was lost; 0 while it stands. */
  #lostSince = Date.now();

  constructor(
    private readonly url: string,
    private readonly send: (message: FeedMessage) => void,
  ) {}

  /** What a listener that joins late must know. */
  get state(): FeedMessage {
    return this.#lostSince ? { kind: 'lost', since: this.#lostSince } : { kind: 'open' };
  }

  open(): void {
    const source = new EventSource(this.url);
    this.#source = source;
    this.#heard = Date.now();
    source.onopen = () => {
      this.#heard = Date.now();
      this.#lostSince = 0;
      this.send({ kind: 'open' });
    };
    source.onerror = () => {
      this.#lose();
      // CONNECTING: the browser asks again by itself, with Last-Event-ID. CLOSED: it has given up.
      if (source.readyState === EventSource.CLOSED) this.#again();
    };
    source.addEventListener('heartbeat', () => (this.#heard = Date.now()));
    source.addEventListener('resync', () => {
      this.#heard = Date.now();
      this.send({ kind: 'resync' });
    });
    for (const type of EVENT_TYPES) {
      source.addEventListener(type, (event) => {
        this.#heard = Date.now();
        this.send({ kind: 'event', type, data: JSON.parse(event.data) });
      });
    }
    this.#watch ??= setInterval(() => {
      if (!this.#lostSince && Date.now() - this.#heard > SILENCE_MS) {
        this.#lose();
        this.#again();
      }
    }, SILENCE_MS / 8);
  }

  close(): void {
    clearTimeout(this.#retry);
    clearInterval(this.#watch);
    this.#watch = undefined;
    this.#source?.close();
    this.#source = null;
  }

  #lose(): void {
    if (this.#lostSince) return;
    this.#lostSince = Date.now();
    this.send(this.state);
  }

  #again(): void {
    this.#source?.close();
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => this.open(), RETRY_MS);
  }
}
