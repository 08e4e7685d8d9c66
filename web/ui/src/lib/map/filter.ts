import { REVIEWED, type DefectColumns } from '../api/mapbin';
import type { Side } from '../api/types';

/** A rectangle of the strip in mm; side null: both. */
export interface MapBox {
  side: Side | null;
  along: readonly [from: number, to: number];
  across: readonly [from: number, to: number];
}

export interface MapFilter {
  classes: readonly string[]; // empty: all
  side: Side | null; // null: both
  severity: number; // least
  unreviewed: boolean; // only those that nobody reviewed
  box: MapBox | null; // only those whose middle lies in it
}

/** A box as it stands in the address: side,from,to,from,to. */
function readBox(text: string | null): MapBox | null {
  const [side, ...rest] = (text ?? '').split(',');
  const [a, b, c, d] = rest.map(Number);
  if (rest.length !== 4 || ![a, b, c, d].every(Number.isFinite) || a! >= b! || c! >= d!) return null;
  return { side: side === 'top' || side === 'bottom' ? side : null, along: [a!, b!], across: [c!, d!] };
}

function writeBox({ side, along, across }: MapBox): string {
  // To a hundredth, as encoder counts are placed: a bound that moves by half a millimetre takes in another defect.
  return [side ?? 'both', ...[...along, ...across].map((mm) => Number(mm.toFixed(2)))].join(',');
}

export function readFilter(query: URLSearchParams): MapFilter {
  const side = query.get('side');
  const severity = Number.parseInt(query.get('severity') ?? '0', 10);
  return {
    classes: (query.get('class') ?? '').split(',').filter(Boolean),
    side: side === 'top' || side === 'bottom' ? side : null,
    severity: severity >= 1 && severity <= 4 ? severity : 0,
    unreviewed: query.get('review') === 'unreviewed',
    box: readBox(query.get('box')),
  };
}

/** What readFilter reads, without what selects everything. */
export function queryOf(filter: MapFilter): URLSearchParams {
  const query = new URLSearchParams();
  if (filter.classes.length > 0) query.set('class', filter.classes.join(','));
  if (filter.side) query.set('side', filter.side);
  if (filter.severity > 0) query.set('severity', String(filter.severity));
  if (filter.unreviewed) query.set('review', 'unreviewed');
  if (filter.box) query.set('box', writeBox(filter.box));
  return query;
}

/** Indexes of the defects that pass, in order along the strip. */
export function select(columns: DefectColumns, filter: MapFilter): Uint32Array {
  const wanted = columns.classes.map((c) => filter.classes.length === 0 || filter.classes.includes(c));
  const side = filter.side === null ? -1 : filter.side === 'top' ? 0 : 1;
  const box = filter.box;
  const boxed = box === null || box.side === null ? -1 : box.side === 'top' ? 0 : 1;
  const inBox = (i: number) => {
    const along = columns.along[i]! + columns.length[i]! / 2;
    const across = columns.across[i]! + columns.width[i]! / 2;
    return (
      (boxed < 0 || columns.side[i] === boxed) &&
      along >= box!.along[0] &&
      along < box!.along[1] &&
      across >= box!.across[0] &&
      across < box!.across[1]
    );
  };
  const out = new Uint32Array(columns.count);
  let n = 0;
  for (let k = 0; k < columns.count; k++) {
    const i = columns.order[k]!;
    if (!wanted[columns.classIndex[i]!]) continue;
    if (side >= 0 && columns.side[i] !== side) continue;
    if (columns.severity[i]! < filter.severity) continue;
    if (filter.unreviewed && columns.flags[i]! & REVIEWED) continue;
    if (box && !inBox(i)) continue;
    out[n++] = i;
  }
  return out.subarray(0, n);
}

/** How many defects of each class pass when the choice of classes itself is left out. */
export function countByClass(columns: DefectColumns, filter: MapFilter): number[] {
  const counts = columns.classes.map(() => 0);
  const selection = select(columns, { ...filter, classes: [] });
  for (let k = 0; k < selection.length; k++) counts[columns.classIndex[selection[k]!]!]!++;
  return counts;
}

const longest = new WeakMap<Float32Array, number>();

/** Length of the longest defect in mm: a scratch may run on for many metres. */
function longestOf({ length }: DefectColumns): number {
  let most = longest.get(length);
  if (most === undefined) {
    most = length.reduce((a, b) => Math.max(a, b), 0);
    longest.set(length, most);
  }
  return most;
}

/** The stretch of a sorted selection that may show between two positions, as [first, end): some of it may end before. */
export function between(
  columns: DefectColumns,
  selection: Uint32Array,
  from: number,
  to: number,
): [first: number, end: number] {
  const lower = (mm: number) => {
    let [lo, hi] = [0, selection.length];
    while (lo < hi) {
      const mid = (lo + hi) >> 1;
      if (columns.along[selection[mid]!]! < mm) lo = mid + 1;
      else hi = mid;
    }
    return lo;
  };
  return [lower(from - longestOf(columns)), lower(to)];
}

/** Those of a sorted selection that lie between two positions, at least in part. */
export function within(
  columns: DefectColumns,
  selection: Uint32Array,
  from: number,
  to: number,
): Uint32Array {
  const [first, end] = between(columns, selection, from, to);
  return selection.subarray(first, end).filter((i) => columns.along[i]! + columns.length[i]! >= from);
}
