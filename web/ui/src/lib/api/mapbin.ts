/** A coil's defects as columns, in the binary layout that the API document gives for map.bin. */

export interface DefectColumns {
  count: number;
  revision: number;
  stripLength: number; // mm
  stripWidth: number; // mm
  classes: string[];
  id: Float64Array; // whole numbers, below 2^53
  along: Float32Array; // mm from the head end
  across: Float32Array; // mm from the operator-side edge
  length: Float32Array; // mm
  width: Float32Array; // mm
  classIndex: Uint8Array;
  severity: Uint8Array;
  side: Uint8Array; // 0 top, 1 bottom
  flags: Uint8Array;
  confidence: Uint8Array; // 255 is 1
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

  const ids = new BigInt64Array(buffer, start, n);
  const id = new Float64Array(n);
  for (let i = 0; i < n; i++) id[i] = Number(ids[i]);

  const floats = (column: number) => new Float32Array(buffer, start + n * (8 + 4 * column), n);
  const bytes = (column: number) => new Uint8Array(buffer, start + n * (24 + column), n);
  const table = new Uint8Array(buffer, start + n * DEFECT_BYTES, tableBytes);
  return {
    count: n,
    revision: head.getUint32(32, true),
    stripLength: head.getFloat64(16, true),
    stripWidth: head.getFloat64(24, true),
    classes: JSON.parse(new TextDecoder().decode(table)) as string[],
    id,
    along: floats(0),
    across: floats(1),
    length: floats(2),
    width: floats(3),
    classIndex: bytes(0),
    severity: bytes(1),
    side: bytes(2),
    flags: bytes(3),
    confidence: bytes(4),
  };
}
