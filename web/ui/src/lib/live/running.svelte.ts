import { onMount } from 'svelte';
import { api } from '../api/client';
import type { Defect, Gap } from '../api/types';
import { line } from '../line.svelte';

/** More symbols than this do not fit on the picture. */
const KEPT = 400;
/** A severity from which on a defect is a serious one. */
const SERIOUS = 3;
const SERIOUS_KEPT = 6;
/** Pictures are decoded: a new six each second is what a person can take in. */
const PICTURED_MS = 1000;
/** Two hundred come a second at worst: each by itself would cost frames, and no eye follows. */
const TAKEN_MS = 250;
const WIDTH_MM = 1200;

export interface Running {
  readonly coil: string | null;
  readonly defects: readonly Defect[];
  readonly gaps: readonly Gap[];
  readonly stripWidth: number;
  readonly serious: readonly Defect[];
}

/** What is drawn of the coil under the cameras, newest first. For a component while it is created. */
export function followRunning(): Running {
  let seen = $state.raw<readonly Defect[]>([]);
  /** Null until the first are taken. */
  let pictured = $state.raw<readonly Defect[] | null>(null);
  let gaps = $state.raw<readonly Gap[]>([]);
  const live = $derived(line.live);
  const coil = $derived(live?.coil?.id ?? null);
  const gapCount = $derived(live?.coil?.counts.gaps ?? 0);
  // What the stream told, and what was there before it began.
  const defects = $derived(newestFirst([...(live?.recent ?? []), ...seen]).filter((d) => d.coil === coil));
  const stripWidth = $derived(
    live?.cameras.find((c) => c.strip_width_mm > 0)?.strip_width_mm || live?.coil?.order.width_mm || WIDTH_MM,
  );

  onMount(() => {
    let came: Defect[] = [];
    let pictures = 0;
    const stop = line.onDefect((defect) => came.push(defect));
    const timer = setInterval(() => {
      if (line.live && performance.now() - pictures >= PICTURED_MS) {
        pictures = performance.now();
        const serious = [...came, ...seen].filter((d) => d.severity >= SERIOUS);
        pictured = newestFirst([...line.live.severe, ...serious]).slice(0, SERIOUS_KEPT);
      }
      if (came.length === 0) return;
      seen = [...came.reverse(), ...seen].slice(0, KEPT);
      came = [];
    }, TAKEN_MS);
    return () => {
      stop();
      clearInterval(timer);
    };
  });
  $effect(() => {
    void gapCount;
    gaps = [];
    if (!coil || gapCount === 0) return;
    const stop = new AbortController();
    api.gaps(coil, stop.signal).then(
      (list) => (gaps = list),
      () => (gaps = []),
    );
    return () => stop.abort();
  });

  return {
    get coil() {
      return coil;
    },
    get defects() {
      return defects;
    },
    get gaps() {
      return gaps;
    },
    get stripWidth() {
      return stripWidth;
    },
    get serious() {
      return pictured ?? live?.severe ?? [];
    },
  };
}

function newestFirst(defects: readonly Defect[]): Defect[] {
  const byId = new Map(defects.map((d) => [d.id, d]));
  return [...byId.values()].sort((a, b) => b.id - a.id);
}
