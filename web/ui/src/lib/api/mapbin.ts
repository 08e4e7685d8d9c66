/** A coil's defects as columns, in the binary layout that the API document gives for map.bin. */

export interface DefectColumns {
  count: number;
  revision: number;
  stripLength: number; // mm
  stripWidth: number; // mm
  classes: string[];
  id: Float64Array; // whole numbers below 2^53, growing
  along: Float32Array; // mm from the head end
  across: Float32Array; // mm from the operator-side edge
  length: Float32Array; // mm
  width: Float32Array; // mm
  classIndex: Uint8Array;
  severity: Uint8Array;
  side: Uint8Array; // 0 top, 1 bottom
  flags: Uint8Array;
  confidence: Uint8Array; // 255 is 1
  order: Uint32Array; // indexes of all defects along the strip
}

export const HAS_IMAGE = 1;
export const REVIEWED = 4;
export const TOP = 0;
export const BOTTOM = 1;

const MAGIC = 0x314d5343; // "CSM1", read little-endian
const DEFECT_BYTES = 29;

export function decodeMap(buffer: ArrayBuffer): DefectColumns {
  const head = new DataView(buffer);
  if (buffer.byteLength < 40 || head.getUint32(0, true) !== MAGIC) {
    throw new RangeError('the defect map does not begin with CSM1');
  }
  const start = head.getUint32(4, true);
  const n = head.getUint32(8, true);
  const tableBytes = head.getUint32(12, true);
  if (buffer.byteLength !== start + n * DEFECT_BYTES + tableBytes) {
    throw new RangeError(`the defect map has ${buffer.byteLength} bytes, not what ${n} defects take`);
  }

  // Not as BigInt64: 200,000 bigints take longer than all the rest. No id is below 0.
  const halves = new Uint32Array(buffer, start, 2 * n);
  const id = new Float64Array(n);
  for (let i = 0; i < n; i++) id[i] = halves[2 * i]! + halves[2 * i + 1]! * 2 ** 32;

  const floats = (column: number) => new Float32Array(buffer, start + n * (8 + 4 * column), n);
  const bytes = (column: number) => new Uint8Array(buffer, start + n * (24 + column), n);
  const along = floats(0);
  const table = new Uint8Array(buffer, start + n * DEFECT_BYTES, tableBytes);
  return {
    count: n,
    revision: head.getUint32(32, true),
    stripLength: head.getFloat64(16, true),
    stripWidth: head.getFloat64(24, true),
    classes: JSON.parse(new TextDecoder().decode(table)) as string[],
    id,
    along,
    across: floats(1),
    length: floats(2),
    width: floats(3),
    classIndex: bytes(0),
    severity: bytes(1),
    side: bytes(2),
    flags: bytes(3),
    confidence: bytes(4),
    order: orderOf(along),
  };
}

/** The columns of a coil with the defects that came since: ids only grow. */
export function extend(old: DefectColumns, more: DefectColumns): DefectColumns {
  const count = old.count + more.count;
  const floats = (a: Float32Array, b: Float32Array) => joined(new Float32Array(count), a, b);
  const bytes = (a: Uint8Array, b: Uint8Array) => joined(new Uint8Array(count), a, b);
  const classes = [...old.classes];
  const place = more.classes.map((c) => {
    if (!classes.includes(c)) classes.push(c);
    return classes.indexOf(c);
  });
  const along = floats(old.along, more.along);
  return {
    ...more,
    count,
    classes,
    id: joined(new Float64Array(count), old.id, more.id),
    along,
    across: floats(old.across, more.across),
    length: floats(old.length, more.length),
    width: floats(old.width, more.width),
    classIndex: bytes(
      old.classIndex,
      more.classIndex.map((i) => place[i]!),
    ),
    severity: bytes(old.severity, more.severity),
    side: bytes(old.side, more.side),
    flags: bytes(old.flags, more.flags),
    confidence: bytes(old.confidence, more.confidence),
    order: orderOf(along),
  };
}

function joined<T extends Float32Array | Float64Array | Uint8Array>(room: T, a: T, b: T): T {
  room.set(a);
  room.set(b, a.length);
  return room;
}

/**
 * Indexes of positions from the least on, those of one place as they come. A float32 leaves 29 bits of a float64
 * free: the index goes there, and numbers are sorted without a comparison in script, which takes ten times as long.
 */
export function orderOf(along: Float32Array): Uint32Array {
  const keys = new Float64Array(along);
  const low = new Uint32Array(keys.buffer); // little-endian: the low half of a key is at 2i
  for (let i = 0; i < along.length; i++) low[2 * i] = low[2 * i]! | i;
  keys.sort();
  const order = new Uint32Array(along.length);
  for (let k = 0; k < along.length; k++) order[k] = low[2 * k]! & (2 ** 29 - 1);
  return order;
}

/** Where a defect stands in the columns, or -1. */
export function indexOf({ id, count }: DefectColumns, defect: number): number {
  let [lo, hi] = [0, count];
  while (lo < hi) {
    const mid = (lo + hi) >> 1;
    if (id[mid]! < defect) lo = mid + 1;
    else hi = mid;
  }
  return id[lo] === defect ? lo : -1;
}
