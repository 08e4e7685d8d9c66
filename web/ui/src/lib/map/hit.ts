import KDBush from 'kdbush';
import type { DefectColumns } from '../api/mapbin';
import type { Plot } from './plot';

/** Finds the defect under a point of the map. The index holds the selection's middles in mm. */
export class HitTest {
  readonly #index: KDBush | null;

  constructor(
    private readonly columns: DefectColumns,
    private readonly selection: Uint32Array,
  ) {
    if (selection.length === 0) {
      this.#index = null; // kdbush refuses an empty index
      return;
    }
    this.#index = new KDBush(selection.length, 64, Float32Array);
    for (const i of selection) {
      this.#index.add(columns.along[i]! + columns.length[i]! / 2, columns.across[i]! + columns.width[i]! / 2);
    }
    this.#index.finish();
  }

  /** Index of the defect nearest to a point, at most reach px away, or -1. The worse of equals wins. */
  at(plot: Plot, x: number, y: number, reach: number): number {
    const side = plot.sideAt(x, y);
    if (side < 0 || !this.#index) return -1;
    const [along, across] = [plot.along(x), plot.across(side, y)];
    const [dx, dy] = [reach * plot.alongScale, reach * plot.acrossScale];
    let best = -1;
    let least = Infinity;
    for (const k of this.#index.range(along - dx, across - dy, along + dx, across + dy)) {
      const i = this.selection[k]!;
      if (this.columns.side[i] !== side) continue;
      const c = this.columns;
      const far = Math.hypot(
        (c.along[i]! + c.length[i]! / 2 - along) / plot.alongScale,
        (c.across[i]! + c.width[i]! / 2 - across) / plot.acrossScale,
      );
      // Two px nearer make up for one step of severity.
      const rank = far - 2 * c.severity[i]!;
      if (far <= reach && rank < least) [best, least] = [i, rank];
    }
    return best;
  }
}
