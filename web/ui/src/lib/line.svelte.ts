/** The state of the line as the event stream tells it, shared by every page. */

import { api } from './api/client';
import type { AlarmRecord, Coil, Defect, Live } from './api/types';
import { listen } from './events';
import { zone } from './zone.svelte';
import type { FeedMessage } from './events-feed';

// A connection that is not there at once is not yet lost.
const PATIENCE_MS = 2500;

let live = $state.raw<Live | null>(null);
let lostSince = $state<number | null>(null);
let connected = $state(false);
/** Grows whenever what is shown must be read anew. */
let generation = $state(0);

const defectListeners = new Set<(defect: Defect) => void>();
const coilListeners = new Set<(coil: Coil) => void>();
const alarmListeners = new Set<(record: AlarmRecord) => void>();

export const line = {
  get live(): Live | null {
    return live;
  },
  get connected(): boolean {
    return connected;
  },
  /** When the connection was lost, in ms since the epoch; null while it stands. */
  get lostSince(): number | null {
    return lostSince;
  },
  get generation(): number {
    return generation;
  },
  onDefect: (receive: (defect: Defect) => void) => subscribe(defectListeners, receive),
  onAlarm: (receive: (record: AlarmRecord) => void) => subscribe(alarmListeners, receive),
  onCoil: (receive: (coil: Coil) => void) => subscribe(coilListeners, receive),
};

function subscribe<T>(set: Set<T>, receive: T): () => void {
  set.add(receive);
  return () => set.delete(receive);
}

function show(next: Live): void {
  live = next;
  zone.set(next.time_zone);
}

async function readAnew(): Promise<void> {
  try {
    show(await api.live());
  } catch {
    return; // the stream says that the connection is lost, and comes here again when it stands
  }
  generation++;
}

/** Follows the line until the returned function is called. */
export function follow(): () => void {
  let patience: ReturnType<typeof setTimeout> | undefined;
  const receive = (message: FeedMessage) => {
    switch (message.kind) {
      case 'open':
        clearTimeout(patience);
        connected = true;
        lostSince = null;
        void readAnew();
        break;
      case 'lost':
        clearTimeout(patience);
        patience = setTimeout(() => {
          connected = false;
          lostSince = message.since;
        }, PATIENCE_MS);
        break;
      case 'resync':
        void readAnew();
        break;
      case 'event':
        if (message.type === 'status') show(message.data as Live);
        if (message.type === 'defect') for (const l of defectListeners) l(message.data as Defect);
        if (message.type === 'alarm') for (const l of alarmListeners) l(message.data as AlarmRecord);
        if (message.type === 'coil') for (const l of coilListeners) l(message.data as Coil);
    }
  };
  const stop = listen(receive);
  return () => {
    clearTimeout(patience);
    stop();
  };
}
