/** The orders in which a coil's defects are listed and stepped through. */

import { orderOf, REVIEWED, type DefectColumns } from '../api/mapbin';

export const ORDERS = ['along', 'severity', 'size', 'confidence'] as const;
export type Order = (typeof ORDERS)[number];

export function readOrder(query: URLSearchParams): Order {
  return ORDERS.find((o) => o === query.get('order')) ?? 'along';
}

/** What a defect is sorted by, the least first. */
const KEYS: Record<Exclude<Order, 'along'>, (c: DefectColumns, i: number) => number> = {
  severity: (c, i) => 4 - c.severity[i]!,
  // The inverse keeps as many digits for small defects as for large ones.
  size: (c, i) => 1 / (1 + c.length[i]! * c.width[i]!),
  // A person is sure.
  confidence: (c, i) => (c.flags[i]! & REVIEWED ? 256 : c.confidence[i]!),
};

/** All defects in an order: the worst, the largest or the least sure first, equal ones along the strip. */
export class Ordering {
  /** Indexes of the defects. */
  readonly sequence: Uint32Array;
  /** The place of each defect in the sequence. */
  readonly #rank: Uint32Array;
  /** Marks those that are asked for; all 0 between two calls. */
  readonly #marks: Uint8Array;

  constructor(c: DefectColumns, order: Order) {
    const along = c.order;
    if (order === 'along') this.sequence = along;
    else {
      const key = KEYS[order];
      const keys = new Float32Array(c.count);
      for (let k = 0; k < c.count; k++) keys[k] = key(c, along[k]!);
      this.sequence = orderOf(keys).map((k) => along[k]!);
    }
    this.#rank = new Uint32Array(c.count);
    for (let k = 0; k < c.count; k++) this.#rank[this.sequence[k]!] = k;
    this.#marks = new Uint8Array(c.count);
  }

  /** Some of the defects in this order; without a sort, so that a list follows a map that is dragged. */
  of(some: Uint32Array): Uint32Array {
    for (const i of some) this.#marks[i] = 1;
    const out = this.sequence.filter((i) => this.#marks[i] === 1);
    for (const i of some) this.#marks[i] = 0;
    return out;
  }

  /** Where a defect stands among some in this order or, where it is not among them, would stand. */
  placeOf(some: Uint32Array, defect: number): { at: number; found: boolean } {
    let [lo, hi] = [0, some.length];
    while (lo < hi) {
      const mid = (lo + hi) >> 1;
      if (this.#rank[some[mid]!]! < this.#rank[defect]!) lo = mid + 1;
      else hi = mid;
    }
    return { at: lo, found: some[lo] === defect };
  }
}
